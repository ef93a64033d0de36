//! A task: one coroutine that somebody spawned, and what is known of it.
//!
//! ```text
//!              spawn            first in the queue: polled         returned Ready
//!   (born) ----------->  Ready  ------------------------->  Idle  --------------->  Finished
//!                          ^                                  |
//!                          |               wake               |
//!                          +----------------------------------+
//! ```
//!
//! A task becomes `Idle` just *before* it is polled. So a wake during the poll finds it idle and
//! queues it again, and when the poll returns `Pending` there is nothing left to do: it is parked.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::panic::Location;
use std::task::Waker;

use crate::body::{Body, Place};
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
pub(crate) enum State {
    /// In the ready queue.
    Ready,
    /// Not in it: being polled (then the scheduler's `polling` names it), or parked until somebody
    /// calls its waker.
    Idle,
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
    pub(crate) name: Name,
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
    /// None for the main coroutine, which lives in the stack frame of `block_on`.
    pub(crate) body: Option<Body>,
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
    /// Where its future is, if it has not ended.
    pub(crate) fn unfinished(&self) -> Option<Place> {
        let body = self.body.as_ref().filter(|_| self.state != State::Finished);
        body.map(Body::place)
    }

    /// A panic that nobody joins is not lost without a word.
    pub(crate) fn report_unjoined(&self) {
        let error = self.body.as_ref().and_then(Body::error);
        if let Some(JoinError::Panicked(payload)) = error {
            let message = panic_message(payload.as_ref());
            let (id, name, at) = (self.id, &self.name, self.spawned_at);
            let line = format!(
                "task {id} «{name}» panicked, and nobody joined it: {message} (spawned at {at})\n"
            );
            // In one piece, and not by `eprintln!`: that panics if stderr is closed.
            let _ = io::stderr().write_all(line.as_bytes());
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

/// What a task is called.
pub(crate) enum Name {
    /// Nobody named it: the type of its future.
    Type(&'static str),
    Given(Cow<'static, str>),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Type(name) => f.write_str(&readable(name)),
            Name::Given(name) => f.write_str(name),
        }
    }
}

/// A type name as a person would say it: `demo::stand::get_burgers::{{closure}}` is `get_burgers`,
/// and `core::future::Ready<alloc::string::String>` is `Ready<String>`.
pub(crate) fn readable(type_name: &str) -> String {
    let plain = type_name.replace("::{{closure}}", "");
    let mut short = String::new();
    let mut rest = plain.as_str();
    while !rest.is_empty() {
        let path = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
        let (path, other) = rest.split_at(path.unwrap_or(rest.len()));
        short.push_str(path.rsplit("::").next().unwrap_or(path));
        let next = other.find(|c: char| c.is_alphanumeric() || c == '_');
        let (between, other) = other.split_at(next.unwrap_or(other.len()));
        short.push_str(between);
        rest = other;
    }
    short
}
