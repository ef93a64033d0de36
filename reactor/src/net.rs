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

#[expect(unused_imports, reason = "for the documentation")]
use crate::Async;
use crate::time::sleep;

/// How long a listener waits when the process or the system has no file descriptors left.
const BREATHER: Duration = Duration::from_millis(100);

/// What `accept` makes of an error: None is to try again.
///
/// A connection that was broken off before we took it is not the listener's trouble. If there
/// are no file descriptors left, to try again at once would be to spin: the connection still
/// waits, so `accept` would fail again and again.
async fn survive(error: io::Error) -> Option<io::Error> {
    match error.kind() {
        io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::Interrupted => None,
        _ if is_exhausted(&error) => {
            sleep(BREATHER).await;
            None
        }
        _ => Some(error),
    }
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
