//! monoio, on its epoll driver.

use std::future::Future;
use std::time::Duration;

use monoio::task::JoinHandle;
use monoio::time::{self, Sleep};
use monoio::{LegacyDriver, RuntimeBuilder};

use super::{Runtime, Timers};

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

    fn block_on_timers<F: Future<Output: 'static>>(main: F) -> F::Output {
        let builder = RuntimeBuilder::<LegacyDriver>::new().enable_timer();
        builder.build().expect("a runtime").block_on(main)
    }

    fn sleep(duration: Duration) -> Sleep {
        time::sleep(duration)
    }
}
