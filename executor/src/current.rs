//! The executor of this thread, and what is asked of it: `spawn`, and every wake.

use std::cell::Cell;
use std::future::Future;
use std::panic::Location;
use std::ptr;
use std::rc::Rc;

use crate::join::JoinHandle;
use crate::key::Key;
use crate::observe::{Event, Wait};
use crate::remote;
use crate::scheduler::Scheduler;
use crate::task::TaskId;

thread_local! {
    /// The scheduler whose `block_on` runs on this thread, or null.
    pub(crate) static CURRENT: Cell<*const Rc<Scheduler>> = const { Cell::new(ptr::null()) };
}

#[expect(unsafe_code, reason = "a counted reference in the thread-local makes each wake dearer")]
#[inline]
fn with_current<R>(f: impl FnOnce(Option<&Rc<Scheduler>>) -> R) -> R {
    let current = CURRENT.get();
    // SAFETY: the pointer is null, or comes from a reference that the `Entered` guard holds, too.
    // That guard lives in the frame of `block_on` and sets null when it goes, so the pointer is
    // good whenever it can be read here. The reference does not outlive the call of `f`, and `f`
    // cannot end a `block_on` that is below it on the stack.
    f(unsafe { current.as_ref() })
}

/// Starts a task: `future` will be polled beside everything else that runs on this executor.
///
/// It is put at the end of the ready queue, and never polled inside this call. It need not be
/// `Send`: it stays on this thread to its end.
///
/// If the executor is just ending (a destructor of one of its last tasks calls this), the future
/// is dropped at once, and the handle says [`Cancelled`](crate::JoinError::Cancelled).
///
/// # Panics
/// If no executor runs on this thread.
///
/// ```
/// use executor::{block_on, join, spawn};
///
/// block_on(async {
///     let burgers = spawn(async { 2 });
///     let drinks = spawn(async { 1 }).named("the bar");
///     let (burgers, drinks) = join(burgers, drinks).await;
///     assert_eq!(burgers.unwrap() + drinks.unwrap(), 3);
/// });
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let at = Location::caller();
    with_current(|current| match current {
        Some(scheduler) => scheduler.spawn(future, at),
        None => panic!(
            "`spawn` needs an executor, and none runs on this thread: call it inside \
             `Executor::block_on`, from the main coroutine or from any task"
        ),
    })
}

/// The id of the task that is being polled on this thread, if any.
#[must_use]
pub fn current_task() -> Option<TaskId> {
    with_current(|current| current?.polling())
}

/// What every waker does, on any thread, at any time.
#[inline]
pub(crate) fn wake(key: Key) {
    with_current(|current| match current {
        Some(scheduler) if scheduler.id() == key.executor() => scheduler.wake(key),
        _ => remote::wake(key),
    });
}

/// Tells the observer what the coroutine that is being polled waits for.
#[inline]
pub(crate) fn report_wait(on: Wait, at: Option<&'static Location<'static>>) {
    with_current(|current| {
        if let Some(scheduler) = current {
            scheduler.report(|| Event::Waiting { on, at });
        }
    });
}
