//! What a runtime has to offer to take part.

mod bare;
mod futures_pool;
mod monoio;
mod ours;
mod scoped;
mod smol;
mod tokio;

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

pub use bare::Bare;
pub use futures_pool::Futures;
pub use monoio::Monoio;
pub use ours::Ours;
pub use smol::Smol;
pub use tokio::Tokio;

/// Polls tasks on one thread. Each runtime is used in its leanest form: without timers and
/// sockets where they are optional.
pub trait Runtime: 'static {
    /// The name in the tables and on the command line.
    const NAME: &'static str;

    /// Joins a task. A task that ended without output is a panic here: it does not happen.
    type Handle<T: 'static>: Future<Output = T> + 'static;

    /// Makes a runtime and runs `main` to its end on it.
    fn block_on<F: Future<Output: 'static>>(main: F) -> F::Output;

    /// Starts a task.
    fn spawn<F>(future: F) -> Self::Handle<F::Output>
    where
        F: Future<Output: 'static> + 'static;

    /// Starts a task that nobody joins.
    fn spawn_detached(future: impl Future<Output = ()> + 'static);
}

/// Has timers, too.
pub trait Timers: Runtime {
    /// Waits for its deadline.
    type Sleep: Future;

    /// As [`Runtime::block_on`], with all that timers and sockets need.
    fn block_on_io<F: Future<Output: 'static>>(main: F) -> F::Output;

    /// A sleep that has not begun: it is armed when it is polled first.
    fn sleep(duration: Duration) -> Self::Sleep;
}

/// Has sockets as well.
pub trait Sockets: Timers {
    /// Accepts connections.
    type Listener;
    /// A connection.
    type Stream: 'static;

    /// A listener on a free port of this machine.
    fn bind() -> impl Future<Output = (Self::Listener, SocketAddr)>;

    /// The next connection, without Nagle's delay.
    fn accept(listener: &Self::Listener) -> impl Future<Output = Self::Stream>;

    /// Sends back what comes, through a buffer of `N` bytes, to the end of the connection.
    fn echo<const N: usize>(stream: Self::Stream) -> impl Future<Output = ()> + 'static;
}

/// Where the listeners of the benchmark are: any free port of this machine.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A handle whose task may fail. Here it does not.
pub struct Unwrap<H>(H);

impl<T, E: std::fmt::Debug, H: Future<Output = Result<T, E>> + Unpin> Future for Unwrap<H> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(cx).map(|output| output.expect("tasks of a benchmark end well"))
    }
}
