//! Unix domain sockets: between processes of one machine.

use std::io;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::task::{Context, Poll};

use crate::io::{Async, Io};
use crate::net::{BREATHER, Socket, accept, fd};
use crate::source::Direction;
use crate::time::sleep;

/// Waits for connections at a path.
pub type UnixListener = Async<mio::net::UnixListener>;

/// A connection, or one end of a [pair](Async::pair).
pub type UnixStream = Async<mio::net::UnixStream>;

/// Sends and receives datagrams.
pub type UnixDatagram = Async<mio::net::UnixDatagram>;

type Attempt<'a, F> = Io<'a, mio::net::UnixDatagram, F>;

impl Socket for mio::net::UnixListener {
    fn fd(&self) -> Option<i32> {
        fd(self)
    }

    fn ends(&self) -> (Option<String>, Option<String>) {
        (path(self.local_addr()), None)
    }
}

impl Socket for mio::net::UnixStream {
    fn fd(&self) -> Option<i32> {
        fd(self)
    }

    fn ends(&self) -> (Option<String>, Option<String>) {
        (path(self.local_addr()), path(self.peer_addr()))
    }
}

impl Socket for mio::net::UnixDatagram {
    fn fd(&self) -> Option<i32> {
        fd(self)
    }

    fn ends(&self) -> (Option<String>, Option<String>) {
        (path(self.local_addr()), path(self.peer_addr()))
    }
}

/// Of an address, if it has one: most ends have not.
fn path(address: io::Result<SocketAddr>) -> Option<String> {
    Some(address.ok()?.as_pathname()?.display().to_string())
}

impl Async<mio::net::UnixListener> {
    /// Makes the socket file and listens there. It stays when the listener is dropped.
    ///
    /// # Errors
    /// If the file exists already or cannot be made.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixListener> {
        mio::net::UnixListener::bind(path)?.registered()
    }

    /// Takes the next connection; see the `accept` of [`TcpListener`](crate::net::TcpListener).
    ///
    /// # Errors
    /// Only those of the listener itself.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        accept(self, mio::net::UnixListener::accept).await
    }

    /// One `accept` for hand-written futures and adapters: all its errors come out.
    ///
    /// # Errors
    /// Those of the system call.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        self.poll_io(Direction::Read, cx, |listener| {
            let (stream, peer) = listener.get_ref().accept()?;
            Ok((stream.registered()?, peer))
        })
    }
}

impl Async<mio::net::UnixStream> {
    /// Connects to the socket at a path. While too many others wait to be accepted there, it tries
    /// again every 100 ms: the system gives no event for that.
    ///
    /// # Errors
    /// If nobody listens there.
    pub async fn connect(path: impl AsRef<Path>) -> io::Result<UnixStream> {
        let stream = loop {
            match mio::net::UnixStream::connect(&path) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(BREATHER).await,
                stream => break stream?.registered()?,
            }
        };
        stream.io(Direction::Write, connected).await?;
        Ok(stream)
    }

    /// Two streams that are connected to each other.
    ///
    /// # Errors
    /// Those of the system call.
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (a, b) = mio::net::UnixStream::pair()?;
        Ok((a.registered()?, b.registered()?))
    }
}

impl Async<mio::net::UnixDatagram> {
    /// Makes the socket file and receives there. It stays when the socket is dropped.
    ///
    /// # Errors
    /// If the file exists already or cannot be made.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixDatagram> {
        mio::net::UnixDatagram::bind(path)?.registered()
    }

    /// A socket without an address: it can send, and receive once it is connected.
    ///
    /// # Errors
    /// Those of the system call.
    pub fn unbound() -> io::Result<UnixDatagram> {
        mio::net::UnixDatagram::unbound()?.registered()
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    /// Those of the system call.
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (a, b) = mio::net::UnixDatagram::pair()?;
        Ok((a.registered()?, b.registered()?))
    }

    /// From now on it sends to this path only.
    ///
    /// # Errors
    /// If nobody receives there.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.get_ref().connect(path)
    }

    /// Sends a datagram to a path. Cancelling the await sends nothing.
    ///
    /// # Errors
    /// If nobody receives there.
    #[track_caller]
    pub fn send_to<'a>(
        &'a self,
        bytes: &'a [u8],
        to: &'a Path,
    ) -> Attempt<'a, impl FnMut(&UnixDatagram) -> io::Result<usize>> {
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
    ) -> Attempt<'a, impl FnMut(&UnixDatagram) -> io::Result<(usize, SocketAddr)>> {
        self.io(Direction::Read, |socket| socket.get_ref().recv_from(buffer))
    }

    /// Sends a datagram to the path it is connected to. Cancelling the await sends nothing.
    ///
    /// # Errors
    /// Those of the system call.
    #[track_caller]
    pub fn send<'a>(
        &'a self,
        bytes: &'a [u8],
    ) -> Attempt<'a, impl FnMut(&UnixDatagram) -> io::Result<usize>> {
        self.io(Direction::Write, |socket| socket.get_ref().send(bytes))
    }

    /// Receives a datagram. Cancelling the await loses none.
    ///
    /// # Errors
    /// Those of the system call.
    #[track_caller]
    pub fn recv<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> Attempt<'a, impl FnMut(&UnixDatagram) -> io::Result<usize>> {
        self.io(Direction::Read, |socket| socket.get_ref().recv(buffer))
    }
}

fn connected(stream: &UnixStream) -> io::Result<()> {
    stream.get_ref().take_error()?.map_or(Ok(()), Err)
}
