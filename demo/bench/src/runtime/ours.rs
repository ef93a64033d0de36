//! The executor and the reactor of this repository.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use executor::Executor;
use reactor::Reactor;
use reactor::net::{TcpListener, TcpStream};
use reactor::time::{self, Sleep};

use super::{ANY_PORT, Runtime, Sockets, Timers, Unwrap};

/// `executor::block_on`; with timers and sockets, the executor and the reactor together.
pub struct Ours;

impl Runtime for Ours {
    const NAME: &'static str = "ours";

    type Handle<T: 'static> = Unwrap<executor::JoinHandle<T>>;

    fn block_on<F: Future<Output: 'static>>(main: F) -> F::Output {
        executor::block_on(main)
    }

    fn spawn<F>(future: F) -> Self::Handle<F::Output>
    where
        F: Future<Output: 'static> + 'static,
    {
        Unwrap(executor::spawn(future))
    }

    fn spawn_detached(future: impl Future<Output = ()> + 'static) {
        drop(executor::spawn(future));
    }
}

impl Timers for Ours {
    type Sleep = Sleep;

    fn block_on_io<F: Future<Output: 'static>>(main: F) -> F::Output {
        let reactor = Reactor::new().expect("a reactor");
        let _entered = reactor.enter();
        let executor = Executor::new(reactor.waker());
        executor.block_on(main, |limit| reactor.turn(limit).expect("the system's readiness"))
    }

    fn sleep(duration: Duration) -> Sleep {
        time::sleep(duration)
    }
}

impl Sockets for Ours {
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

    async fn echo<const N: usize>(stream: TcpStream) {
        let mut buffer = [0; N];
        while let Ok(n @ 1..) = stream.read(&mut buffer).await {
            stream.write_all(&buffer[..n]).await.expect("the other side reads");
        }
    }
}
