//! tokio: its `current_thread` runtime with a `LocalSet`, which is what runs `!Send` tasks.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::{self, JoinHandle, LocalSet};
use tokio::time::{self, Sleep};

use super::{Runtime, Timers, Unwrap};

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

    fn block_on_timers<F: Future<Output: 'static>>(main: F) -> F::Output {
        run(Builder::new_current_thread().enable_all(), main)
    }

    fn sleep(duration: Duration) -> Sleep {
        time::sleep(duration)
    }
}

fn run<F: Future>(builder: &mut Builder, main: F) -> F::Output {
    let runtime = builder.build().expect("a runtime");
    LocalSet::new().block_on(&runtime, main)
}
