//! A task: one coroutine that somebody spawned, and what is known of it.
//!
//! ```text
//!              spawn                    first in the ready queue
//!   (born) ----------->  Ready  ----------------------------------->  Polling
//!                          ^                                           |  |
//!                          |  wake                    returned Pending |  | returned Ready
//!                          +---------------- Parked <------------------+  +---> Finished
//! ```
//!
//! A wake during `Polling` makes the task `Ready` at once; it then stays so when the poll ends.

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::join::{JoinError, panic_message};

/// The number of a task, counted from 1 and never used again by its executor.
///
/// The first one of each [`block_on`](crate::Executor::block_on) is its main coroutine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub(crate) NonZeroU64);

impl TaskId {
    /// The id as a number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0.get()
    }

    /// What of it fits into a waker.
    pub(crate) fn serial(self) -> u16 {
        self.0.get() as u16
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In the ready queue.
    Ready,
    /// Being polled right now.
    Polling,
    /// Waiting for somebody to call its waker.
    Parked,
    /// Ended; its output, or the reason why there is none, waits for the `JoinHandle`.
    Finished,
}

/// Who put a task into the ready queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WokenBy {
    /// It has just been spawned.
    Spawn,
    /// Another task (or the same one), while it was polled.
    Task(TaskId),
    /// Whoever runs while the executor is parked: the reactor, with a socket or a timer.
    Park,
    /// Another thread.
    Thread,
}

/// One entry of the executor's slab. Plain fields, so that a debugger shows them as they are.
pub(crate) struct Task {
    pub(crate) state: State,
    pub(crate) id: TaskId,
    /// The type name of the future, unless somebody gave a better one.
    pub(crate) name: Cow<'static, str>,
    pub(crate) spawned_at: &'static Location<'static>,
    /// Who spawned it; none for the main coroutine.
    #[expect(dead_code, reason = "read by people, in a debugger")]
    pub(crate) parent: Option<TaskId>,
    pub(crate) woken_by: Cause,
    /// The task that woke it, if `woken_by` says that a task did.
    pub(crate) woken_by_task: Option<TaskId>,
    /// How often it was polled: once after the spawn, and once for each wake that found it out of
    /// the ready queue.
    pub(crate) polls: u32,
    /// The `JoinHandle` is gone: nobody will ask for the output.
    pub(crate) detached: bool,
    pub(crate) aborted: bool,
    /// The waker of whoever awaits the `JoinHandle`.
    pub(crate) joiner: Option<Waker>,
    /// None while it is polled (the scheduler's `polling` points to it), and for the main
    /// coroutine, which lives in the stack frame of `block_on`.
    pub(crate) coroutine: Option<Pin<Box<dyn Coroutine>>>,
}

/// [`WokenBy`] without the id, which stands beside it: 8 bytes less in every task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Spawn,
    Task,
    Park,
    Thread,
}

impl Task {
    /// Takes out the coroutine of a task that has not ended.
    pub(crate) fn unfinished(&mut self) -> Option<Pin<Box<dyn Coroutine>>> {
        if self.state == State::Finished { None } else { self.coroutine.take() }
    }

    /// Drops the output that nobody asked for. A panic is not lost without a word.
    pub(crate) fn drop_unjoined(self) {
        let error = self.coroutine.as_ref().and_then(|coroutine| coroutine.error());
        if let Some(JoinError::Panicked(payload)) = error {
            // Not `eprintln!`: that panics if stderr is closed.
            let _ = writeln!(
                io::stderr(),
                "task {} «{}» panicked, and nobody joined it: {} (spawned at {})",
                self.id,
                readable(&self.name),
                panic_message(payload.as_ref()),
                self.spawned_at
            );
        }
    }
}

impl Cause {
    pub(crate) fn of(self, task: Option<TaskId>) -> WokenBy {
        match (self, task) {
            (Cause::Task, Some(id)) => WokenBy::Task(id),
            (Cause::Park, _) => WokenBy::Park,
            (Cause::Thread, _) => WokenBy::Thread,
            (Cause::Spawn | Cause::Task, _) => WokenBy::Spawn,
        }
    }
}

/// What a task runs, with its types forgotten. The executor's hot path knows only this.
pub(crate) trait Coroutine {
    /// Goes on until the next `.await` that has to wait. `Ready`: the output is in place and the
    /// future has been dropped.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;
    /// Drops the future where it stands and puts the error in its place.
    fn fail(self: Pin<&mut Self>, error: JoinError);
    /// The `Option<Result<T, JoinError>>` that `poll` or `fail` has left.
    fn output(self: Pin<&mut Self>) -> &mut dyn Any;
    /// The error in it, if that is what it holds.
    fn error(&self) -> Option<&JoinError>;
}

/// The outermost frame of every spawned coroutine: first its future, then, in the same box, its
/// output.
pub(crate) enum Root<F: Future> {
    Future(F),
    Output(Option<Result<F::Output, JoinError>>),
}

enum Projected<'a, F: Future> {
    Future(Pin<&'a mut F>),
    Output(&'a mut Option<Result<F::Output, JoinError>>),
}

impl<F: Future> Root<F> {
    #[expect(unsafe_code, reason = "an async block would do without, but keep the future twice")]
    fn project(self: Pin<&mut Self>) -> Projected<'_, F> {
        // SAFETY: the future is pinned whenever `Root` is. It is only handed out behind `Pin`,
        // never moved, and dropped in place by `Pin::set`; `Root` has no `Drop` that could move
        // it, and is `Unpin` only if `F` is. The output is never pinned: it may be moved freely.
        match unsafe { self.get_unchecked_mut() } {
            Root::Future(future) => {
                // SAFETY: see above.
                Projected::Future(unsafe { Pin::new_unchecked(future) })
            }
            Root::Output(output) => Projected::Output(output),
        }
    }
}

impl<F> Coroutine for Root<F>
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Projected::Future(future) = self.as_mut().project() else { return Poll::Ready(()) };
        match future.poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(output) => {
                self.set(Root::Output(Some(Ok(output))));
                Poll::Ready(())
            }
        }
    }

    fn fail(mut self: Pin<&mut Self>, error: JoinError) {
        self.set(Root::Output(Some(Err(error))));
    }

    fn output(self: Pin<&mut Self>) -> &mut dyn Any {
        match self.project() {
            Projected::Output(output) => output,
            Projected::Future(_) => unreachable!("the output is asked for only after the end"),
        }
    }

    fn error(&self) -> Option<&JoinError> {
        match self {
            Root::Output(Some(Err(error))) => Some(error),
            _ => None,
        }
    }
}

/// A type name as a person would say it: `demo::stand::get_burgers::{{closure}}` is `get_burgers`.
pub(crate) fn readable(type_name: &str) -> &str {
    let plain = type_name.trim_end_matches("::{{closure}}");
    let end = plain.find('<').unwrap_or(plain.len());
    let start = plain[..end].rfind("::").map_or(0, |at| at + 2);
    &plain[start..]
}

pub(crate) fn type_name_of<F>(_: &F) -> Cow<'static, str> {
    Cow::Borrowed(type_name::<F>())
}
