//! monoio, on its epoll driver.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use monoio::buf::IoBuf;
use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::task::JoinHandle;
use monoio::time::{self, Sleep};
use monoio::{LegacyDriver, RuntimeBuilder};

use super::{ANY_PORT, Runtime, Sockets, Timers};

/// monoio.
pub struct Monoio;

impl Runtime for Monoio {
    const NAME: &'static str = "monoio";

    type Handle<T: 'static> = JoinHandle<T>;

    fn block_on<F: Future<Output: 'static>>(main: F) -> F::Output {
        RuntimeBuilder::<LegacyDriver>::new().build().expect("a runtime").block_on(main)
    }

    fn spawn<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: 'static> + 'static,
    {
        monoio::spawn(future)
    }

    fn spawn_detached(future: impl Future<Output = ()> + 'static) {
        drop(monoio::spawn(future));
    }
}

impl Timers for Monoio {
    type Sleep = Sleep;

    fn block_on_io<F: Future<Output: 'static>>(main: F) -> F::Output {
        let builder = RuntimeBuilder::<LegacyDriver>::new().enable_timer();
        builder.build().expect("a runtime").block_on(main)
    }

    fn sleep(duration: Duration) -> Sleep {
        time::sleep(duration)
    }
}

impl Sockets for Monoio {
    type Listener = TcpListener;
    type Stream = TcpStream;

    async fn bind() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind(ANY_PORT).expect("a free port");
        let address = listener.local_addr().expect("its address");
        (listener, address)
    }

    async fn accept(listener: &TcpListener) -> TcpStream {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a living socket");
        stream
    }

    /// Its buffers are lent to the driver and come back, so this one is on the heap.
    async fn echo<const N: usize>(mut stream: TcpStream) {
        let mut buffer = vec![0; N];
        loop {
            let (read, lent) = stream.read(buffer).await;
            let Ok(n @ 1..) = read else { return };
            let (written, sent) = stream.write_all(lent.slice(..n)).await;
            written.expect("the other side reads");
            buffer = sent.into_inner();
        }
    }
}
