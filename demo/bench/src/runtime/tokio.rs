//! tokio: its `current_thread` runtime with a `LocalSet`, which is what runs `!Send` tasks.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::{self, JoinHandle, LocalSet};
use tokio::time::{self, Sleep};

use super::{ANY_PORT, Runtime, Sockets, Timers, Unwrap};

/// tokio.
pub struct Tokio;

impl Runtime for Tokio {
    const NAME: &'static str = "tokio";

    type Handle<T: 'static> = Unwrap<JoinHandle<T>>;

    fn block_on<F: Future<Output: 'static>>(main: F) -> F::Output {
        run(&mut Builder::new_current_thread(), main)
    }

    fn spawn<F>(future: F) -> Self::Handle<F::Output>
    where
        F: Future<Output: 'static> + 'static,
    {
        Unwrap(task::spawn_local(future))
    }

    fn spawn_detached(future: impl Future<Output = ()> + 'static) {
        drop(task::spawn_local(future));
    }
}

impl Timers for Tokio {
    type Sleep = Sleep;

    fn block_on_io<F: Future<Output: 'static>>(main: F) -> F::Output {
        run(Builder::new_current_thread().enable_all(), main)
    }

    fn sleep(duration: Duration) -> Sleep {
        time::sleep(duration)
    }
}

impl Sockets for Tokio {
    type Listener = TcpListener;
    type Stream = TcpStream;

    async fn bind() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind(ANY_PORT).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        (listener, address)
    }

    async fn accept(listener: &TcpListener) -> TcpStream {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a living socket");
        stream
    }

    async fn echo<const N: usize>(mut stream: TcpStream) {
        let mut buffer = [0; N];
        while let Ok(n @ 1..) = stream.read(&mut buffer).await {
            stream.write_all(&buffer[..n]).await.expect("the other side reads");
        }
    }
}

fn run<F: Future>(builder: &mut Builder, main: F) -> F::Output {
    let runtime = builder.build().expect("a runtime");
    LocalSet::new().block_on(&runtime, main)
}
