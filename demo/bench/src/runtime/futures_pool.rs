//! futures: its `LocalPool`. It has neither timers nor sockets.

use std::future::Future;

use futures::executor::{LocalPool, LocalSpawner};
use futures::future::RemoteHandle;
use futures::task::LocalSpawnExt;

use super::Runtime;
use super::scoped::Scoped;

/// futures' `LocalPool`.
pub struct Futures;

thread_local! {
    static SPAWNER: Scoped<LocalSpawner> = const { Scoped::new() };
}

impl Runtime for Futures {
    const NAME: &'static str = "futures";

    type Handle<T: 'static> = RemoteHandle<T>;

    fn block_on<F: Future<Output: 'static>>(main: F) -> F::Output {
        let mut pool = LocalPool::new();
        let spawner = pool.spawner();
        SPAWNER.with(|scoped| scoped.set(&spawner, || pool.run_until(main)))
    }

    fn spawn<F>(future: F) -> RemoteHandle<F::Output>
    where
        F: Future<Output: 'static> + 'static,
    {
        SPAWNER.with(|scoped| {
            scoped.with(|spawner| spawner.spawn_local_with_handle(future).expect("a living pool"))
        })
    }

    fn spawn_detached(future: impl Future<Output = ()> + 'static) {
        SPAWNER.with(|scoped| {
            scoped.with(|spawner| spawner.spawn_local(future).expect("a living pool"));
        });
    }
}
