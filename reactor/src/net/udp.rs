//! UDP.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use crate::io::{Async, Io};
use crate::net::{Address, Socket, fd, in_words};
use crate::source::Direction;

/// Sends and receives datagrams. A datagram that is longer than the buffer is cut off.
pub type UdpSocket = Async<mio::net::UdpSocket>;

impl Socket for mio::net::UdpSocket {
    fn fd(&self) -> Option<i32> {
        fd(self)
    }

    fn ends(&self) -> (Option<String>, Option<String>) {
        (in_words(self.local_addr()), in_words(self.peer_addr()))
    }
}

type Attempt<'a, F> = Io<'a, mio::net::UdpSocket, F>;

impl Async<mio::net::UdpSocket> {
    /// Binds to an address; port 0 lets the system choose one.
    ///
    /// # Errors
    /// If the address is in use, or not one of this machine's, or the host name is not known.
    pub async fn bind(address: impl Into<Address>) -> io::Result<UdpSocket> {
        let bind = async |address| mio::net::UdpSocket::bind(address)?.registered();
        address.into().first_ok(bind).await
    }

    /// From now on it sends to this address only, and receives from there only.
    ///
    /// # Errors
    /// If there is no way to it, or the host name is not known.
    pub async fn connect(&self, address: impl Into<Address>) -> io::Result<()> {
        let mut result = Err(io::ErrorKind::NotFound.into());
        for address in address.into().resolve().await? {
            result = self.get_ref().connect(address);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// Sends a datagram. Cancelling the await sends nothing.
    ///
    /// # Errors
    /// Those of the system call.
    #[track_caller]
    pub fn send_to<'a>(
        &'a self,
        bytes: &'a [u8],
        to: SocketAddr,
    ) -> Attempt<'a, impl FnMut(&UdpSocket) -> io::Result<usize>> {
        self.io(Direction::Write, move |socket| socket.get_ref().send_to(bytes, to))
    }

    /// Receives a datagram, and says from whom. Cancelling the await loses none.
    ///
    /// # Errors
    /// Those of the system call.
    #[track_caller]
    pub fn recv_from<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> Attempt<'a, impl FnMut(&UdpSocket) -> io::Result<(usize, SocketAddr)>> {
        self.io(Direction::Read, |socket| socket.get_ref().recv_from(buffer))
    }

    /// Sends a datagram to the address it is connected to. Cancelling the await sends nothing.
    ///
    /// # Errors
    /// Those of the system call; on Linux also that an earlier datagram was refused.
    #[track_caller]
    pub fn send<'a>(
        &'a self,
        bytes: &'a [u8],
    ) -> Attempt<'a, impl FnMut(&UdpSocket) -> io::Result<usize>> {
        self.io(Direction::Write, |socket| socket.get_ref().send(bytes))
    }

    /// Receives a datagram. Cancelling the await loses none.
    ///
    /// # Errors
    /// As [`send`](Async::send) has.
    #[track_caller]
    pub fn recv<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> Attempt<'a, impl FnMut(&UdpSocket) -> io::Result<usize>> {
        self.io(Direction::Read, |socket| socket.get_ref().recv(buffer))
    }

    /// [`send_to`](Async::send_to) for hand-written futures and adapters.
    ///
    /// # Errors
    /// As `send_to` has.
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        to: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.poll_io(Direction::Write, cx, |socket| socket.get_ref().send_to(bytes, to))
    }

    /// [`recv_from`](Async::recv_from) for hand-written futures and adapters.
    ///
    /// # Errors
    /// As `recv_from` has.
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.poll_io(Direction::Read, cx, |socket| socket.get_ref().recv_from(buffer))
    }

    /// [`send`](Async::send) for hand-written futures and adapters.
    ///
    /// # Errors
    /// As `send` has.
    pub fn poll_send(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_io(Direction::Write, cx, |socket| socket.get_ref().send(bytes))
    }

    /// [`recv`](Async::recv) for hand-written futures and adapters.
    ///
    /// # Errors
    /// As `send` has.
    pub fn poll_recv(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_io(Direction::Read, cx, |socket| socket.get_ref().recv(buffer))
    }

    /// The address it is bound to.
    ///
    /// # Errors
    /// Those of the system call.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }
}
