//! smol: `async-executor`'s `LocalExecutor`; with timers and sockets, `async-io`.

use std::future::Future;
use std::time::Duration;

use async_executor::{LocalExecutor, Task};
use async_io::Timer;
use futures_lite::future;

use super::scoped::Scoped;
use super::{Runtime, Timers};

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

    fn block_on_timers<F: Future<Output: 'static>>(main: F) -> F::Output {
        let executor = LocalExecutor::new();
        EXECUTOR.with(|scoped| scoped.set(&executor, || async_io::block_on(executor.run(main))))
    }

    fn sleep(duration: Duration) -> Timer {
        Timer::after(duration)
    }
}
