//! The executor and the reactor of this repository.

use std::future::Future;

use super::{Runtime, Unwrap};

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
