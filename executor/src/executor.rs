//! The main loop: poll whoever is ready; if nobody is, park.
//!
//! ```text
//!            +-----------------------------------------------+
//!            v                                               |
//!   1. poll the first of the ready queue, and the next ...   |
//!            |                                               |
//!            | nobody is ready (or BUDGET polls are over)    |
//!            v                                               |
//!   2. park: the closure sleeps in the operating system,     |
//!      and wakes the tasks whose readiness has come          |
//!            |                                               |
//!            v                                               |
//!   3. let in those whom other threads have woken -----------+
//! ```
//!
//! The executor knows nothing of sockets or timers. It is given two things: a waker that ends the
//! park from another thread, and the closure that parks.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::observe::Observer;
use crate::remote;
use crate::scheduler::Scheduler;

/// At most so many polls stand between two looks at the outside world (the park closure, and
/// the wakes from other threads), however busy the tasks are. tokio has the same number.
pub const BUDGET: usize = 61;

/// Polls coroutines on the thread that calls [`block_on`](Executor::block_on).
///
/// ```
/// use std::{task::Waker, thread, time::Duration};
/// use executor::{Executor, spawn};
///
/// // Nothing here ever waits for another thread, so nobody needs to interrupt the park.
/// let executor = Executor::new(Waker::noop().clone());
/// let burgers = executor.block_on(
///     async { spawn(async { 2 }).await.unwrap() },
///     |limit| assert_eq!(limit, Some(Duration::ZERO), "somebody was always ready"),
/// );
/// assert_eq!(burgers, 2);
/// ```
pub struct Executor {
    scheduler: Rc<Scheduler>,
}

impl Executor {
    /// An executor whose park is ended, from any thread, by waking `interrupt`.
    ///
    /// # Panics
    /// If 65,536 executors are alive already.
    #[must_use]
    pub fn new(interrupt: Waker) -> Executor {
        Executor { scheduler: Scheduler::new(interrupt, None) }
    }

    /// The same, and `observer` is told of all that happens.
    ///
    /// # Panics
    /// If 65,536 executors are alive already.
    #[must_use]
    pub fn with_observer(interrupt: Waker, observer: impl Observer + 'static) -> Executor {
        Executor { scheduler: Scheduler::new(interrupt, Some(Box::new(observer))) }
    }

    /// Runs `main` to its end, and every task that is spawned meanwhile beside it.
    ///
    /// `park` is called when nobody is ready, with None: it should sleep until somebody is woken
    /// or `interrupt` is called. It is called with a limit of zero when tasks are ready but the
    /// [`BUDGET`] is used up: it should only look at what has happened. It may return early
    /// whenever it likes.
    ///
    /// When `main` has returned, all tasks that are still there are dropped, and their handles
    /// say [`Cancelled`](crate::JoinError::Cancelled).
    ///
    /// # Panics
    /// If this thread is inside a `block_on` already, and with the panics of `main` and `park`
    /// (after all tasks have been dropped). The panic of a spawned task does not come out here.
    #[track_caller]
    pub fn block_on<F: Future>(
        &self,
        main: F,
        mut park: impl FnMut(Option<Duration>),
    ) -> F::Output {
        let scheduler = &self.scheduler;
        let entered = scheduler.enter(Location::caller());
        let output = 'ended: {
            let mut main = pin!(main);
            // For debuggers: here it is. They find its type by the vtable.
            let wide: *const (dyn Future<Output = F::Output> + '_) = &raw const *main;
            scheduler.main.set((&raw const wide).expose_provenance());
            loop {
                // 1. Poll whoever is ready, first in, first out; `main` has its turns, too.
                let mut budget = BUDGET;
                while let Some(key) = scheduler.poll_ready(&mut budget) {
                    if let Poll::Ready(output) = scheduler.poll_main(key, main.as_mut()) {
                        break 'ended output;
                    }
                }
                // 2. Nobody is ready: park, until the reactor or another thread wakes somebody.
                scheduler.park(&mut park);
                // 3. Let in those whom other threads have woken.
                scheduler.open_inbox();
            }
        };
        // Here and not on the way out: if it panicked there, the output would never be dropped
        // (rust-lang/rust#47949).
        drop(entered);
        output
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        remote::unregister(self.scheduler.id());
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("id", &self.scheduler.id()).finish_non_exhaustive()
    }
}

/// Runs `main` on a new executor that parks with [`thread::park`]: no sockets, no timers, only
/// what tasks and other threads do for each other.
///
/// # Panics
/// As [`Executor::block_on`] does.
#[track_caller]
pub fn block_on<F: Future>(main: F) -> F::Output {
    let executor = Executor::new(Waker::from(Arc::new(Unpark(thread::current()))));
    executor.block_on(main, |limit| {
        // With a limit it is zero, and nothing is to be looked at.
        if limit.is_none() {
            thread::park();
        }
    })
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
