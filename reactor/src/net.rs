//! Sockets: each is a `mio` socket in an [`Async`], with the methods one expects.
//!
//! All of them take `&self`, so that one task may read while another one writes: share the socket
//! in an `Rc`, or [split](Async::into_split) it.

mod address;
mod stream;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;

pub use address::Address;
pub use stream::{ReadHalf, Stream, WriteHalf};
pub use tcp::{TcpListener, TcpStream};
pub use udp::UdpSocket;
#[cfg(unix)]
pub use unix::{UnixDatagram, UnixListener, UnixStream};

use std::io;
use std::time::Duration;

use mio::event::Source;

use crate::io::Async;
use crate::source::Direction;
use crate::time::sleep;

/// A socket of this module: what is told of it to whoever watches.
trait Socket: Source + Sized {
    fn fd(&self) -> Option<i32>;

    /// The addresses of its two ends, as far as it has them.
    fn ends(&self) -> (Option<String>, Option<String>);

    fn registered(self) -> io::Result<Async<Self>> {
        let fd = self.fd();
        Async::register(self, fd, Socket::ends)
    }
}

#[cfg(unix)]
fn fd(socket: &impl std::os::fd::AsRawFd) -> Option<i32> {
    Some(socket.as_raw_fd())
}

#[cfg(not(unix))]
fn fd<S>(_: &S) -> Option<i32> {
    None
}

fn in_words<A: ToString>(address: io::Result<A>) -> Option<String> {
    address.ok().map(|address| address.to_string())
}

/// How long a listener waits when the process or the system has no file descriptors left.
const BREATHER: Duration = Duration::from_millis(100);

/// Accepts until there is a connection, or an error of the listener itself.
///
/// A connection that was broken off before we took it is not the listener's trouble. If there
/// are no file descriptors left, to try again at once would be to spin: the connection still
/// waits, so `accept` would fail again and again.
async fn accept<L: Source, S: Socket, A>(
    listener: &Async<L>,
    attempt: impl Fn(&L) -> io::Result<(S, A)>,
) -> io::Result<(Async<S>, A)> {
    loop {
        let accepted = listener.io(Direction::Read, |listener| attempt(listener.get_ref())).await;
        match accepted.and_then(|(stream, peer)| Ok((stream.registered()?, peer))) {
            Err(error) if is_broken_off(&error) => {}
            Err(error) if is_exhausted(&error) => sleep(BREATHER).await,
            result => return result,
        }
    }
}

fn is_broken_off(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// EMFILE, ENFILE, ENOBUFS, ENOMEM, and ENOSPC of `epoll_ctl`: the standard library has no names for most of them.
fn is_exhausted(error: &io::Error) -> bool {
    let codes: &[i32] = if cfg!(any(target_os = "linux", target_os = "android")) {
        &[24, 23, 105, 12, 28]
    } else if cfg!(unix) {
        &[24, 23, 55, 12]
    } else {
        &[10024, 10055]
    };
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}
