//! smol: `async-executor`'s `LocalExecutor`; with timers and sockets, `async-io`.

use std::future::Future;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use async_executor::{LocalExecutor, Task};
use async_io::{Async, Timer};
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};

use super::scoped::Scoped;
use super::{ANY_PORT, Runtime, Sockets, Timers};

/// smol.
pub struct Smol;

thread_local! {
    static EXECUTOR: Scoped<LocalExecutor<'static>> = const { Scoped::new() };
}

impl Runtime for Smol {
    const NAME: &'static str = "smol";

    type Handle<T: 'static> = Task<T>;

    fn block_on<F: Future<Output: 'static>>(main: F) -> F::Output {
        let executor = LocalExecutor::new();
        EXECUTOR.with(|scoped| scoped.set(&executor, || future::block_on(executor.run(main))))
    }

    fn spawn<F>(future: F) -> Task<F::Output>
    where
        F: Future<Output: 'static> + 'static,
    {
        EXECUTOR.with(|scoped| scoped.with(|executor| executor.spawn(future)))
    }

    fn spawn_detached(future: impl Future<Output = ()> + 'static) {
        Smol::spawn(future).detach();
    }
}

impl Timers for Smol {
    type Sleep = Timer;

    fn block_on_io<F: Future<Output: 'static>>(main: F) -> F::Output {
        let executor = LocalExecutor::new();
        EXECUTOR.with(|scoped| scoped.set(&executor, || async_io::block_on(executor.run(main))))
    }

    fn sleep(duration: Duration) -> Timer {
        Timer::after(duration)
    }
}

impl Sockets for Smol {
    type Listener = Async<TcpListener>;
    type Stream = Async<TcpStream>;

    async fn bind() -> (Async<TcpListener>, SocketAddr) {
        let listener = Async::<TcpListener>::bind(ANY_PORT).expect("a free port");
        let address = listener.get_ref().local_addr().expect("its address");
        (listener, address)
    }

    async fn accept(listener: &Async<TcpListener>) -> Async<TcpStream> {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.get_ref().set_nodelay(true).expect("a living socket");
        stream
    }

    async fn echo<const N: usize>(mut stream: Async<TcpStream>) {
        let mut buffer = [0; N];
        while let Ok(n @ 1..) = stream.read(&mut buffer).await {
            stream.write_all(&buffer[..n]).await.expect("the other side reads");
        }
    }
}
