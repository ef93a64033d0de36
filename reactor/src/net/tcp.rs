//! TCP.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use crate::io::{Async, Io};
use crate::net::{Address, Socket, accept, fd, in_words};
use crate::source::Direction;

/// Waits for TCP connections.
///
/// ```
/// # let reactor = reactor::Reactor::new().unwrap();
/// # let _entered = reactor.enter();
/// # executor::Executor::new(reactor.waker()).block_on(async {
/// use reactor::net::{TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let client = TcpStream::connect(listener.local_addr()?).await?;
/// let (server, _) = listener.accept().await?;
/// client.write_all(b"two burgers").await?;
/// let mut order = [0; 64];
/// let length = server.read(&mut order).await?;
/// assert_eq!(&order[..length], b"two burgers");
/// # std::io::Result::Ok(())
/// # }, |limit| reactor.turn(limit).unwrap()).unwrap();
/// ```
pub type TcpListener = Async<mio::net::TcpListener>;

/// A TCP connection. See [`TcpListener`] for an example.
pub type TcpStream = Async<mio::net::TcpStream>;

impl Socket for mio::net::TcpListener {
    fn fd(&self) -> Option<i32> {
        fd(self)
    }

    fn ends(&self) -> (Option<String>, Option<String>) {
        (in_words(self.local_addr()), None)
    }
}

impl Socket for mio::net::TcpStream {
    fn fd(&self) -> Option<i32> {
        fd(self)
    }

    fn ends(&self) -> (Option<String>, Option<String>) {
        (in_words(self.local_addr()), in_words(self.peer_addr()))
    }
}

impl Async<mio::net::TcpListener> {
    /// Binds to an address; port 0 lets the system choose one. On Unix the port can be bound again
    /// right after this process has ended (`SO_REUSEADDR`).
    ///
    /// # Errors
    /// If the address is in use, or not one of this machine's, or the host name is not known.
    pub async fn bind(address: impl Into<Address>) -> io::Result<TcpListener> {
        let bind = async |address| mio::net::TcpListener::bind(address)?.registered();
        address.into().first_ok(bind).await
    }

    /// Takes the next connection.
    ///
    /// A connection that breaks off before it is taken is skipped. If the process has no file
    /// descriptors left, it tries again every 100 ms. Cancelling the await loses no connection.
    ///
    /// # Errors
    /// Those of the listener, and what Linux tells here of a broken network: the next call may work.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        accept(self, mio::net::TcpListener::accept).await
    }

    /// One `accept` for hand-written futures and adapters: all its errors come out.
    ///
    /// # Errors
    /// Those of the system call.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.poll_io(Direction::Read, cx, |listener| {
            let (stream, peer) = listener.get_ref().accept()?;
            Ok((stream.registered()?, peer))
        })
    }

    /// The address it is bound to.
    ///
    /// # Errors
    /// Those of the system call.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }
}

impl Async<mio::net::TcpStream> {
    /// Connects. If a host name stands for several addresses, they are tried one after the other.
    ///
    /// Cancelling the await closes the attempt.
    ///
    /// # Errors
    /// Why the (last) attempt failed, as the system says it, or if the host name is not known.
    pub async fn connect(address: impl Into<Address>) -> io::Result<TcpStream> {
        let connect = async |address| {
            let stream = mio::net::TcpStream::connect(address)?;
            let fd = stream.fd();
            // It is not connected yet, so it cannot say with whom.
            let ends = |stream: &mio::net::TcpStream| (stream.ends().0, Some(address.to_string()));
            let stream = Async::register(stream, fd, ends)?;
            stream.io(Direction::Write, connected).await?;
            Ok(stream)
        };
        address.into().first_ok(connect).await
    }

    /// Reads without taking: the next read gives the same bytes again.
    ///
    /// # Errors
    /// As [`read`](Async::read) has.
    #[track_caller]
    pub fn peek<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> Io<'a, mio::net::TcpStream, impl FnMut(&TcpStream) -> io::Result<usize>> {
        self.io(Direction::Read, |stream| stream.get_ref().peek(buffer))
    }

    /// [`peek`](Async::peek) for hand-written futures and adapters.
    ///
    /// # Errors
    /// As `read` has.
    pub fn poll_peek(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_io(Direction::Read, cx, |stream| stream.get_ref().peek(buffer))
    }

    /// Whether small writes are sent at once instead of being collected (`TCP_NODELAY`).
    ///
    /// # Errors
    /// Those of the system call.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.get_ref().nodelay()
    }

    /// Sends small writes at once, or collects them. Request and answer protocols want `true`.
    ///
    /// # Errors
    /// Those of the system call.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.get_ref().set_nodelay(nodelay)
    }

    /// The address of this side.
    ///
    /// # Errors
    /// Those of the system call.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }

    /// The address of the other side.
    ///
    /// # Errors
    /// If it is not connected any more.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().peer_addr()
    }
}

/// A socket that became writable has connected, or it failed and holds the error.
fn connected(stream: &TcpStream) -> io::Result<()> {
    if let Some(error) = stream.get_ref().take_error()? {
        return Err(error);
    }
    match stream.get_ref().peer_addr() {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        result => result.map(drop),
    }
}
