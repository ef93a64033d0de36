//! What the executor reports to whoever wants to watch it.
//!
//! An [`Observer`] is given to [`Executor::with_observer`](crate::Executor::with_observer). It
//! is called on the executor's thread, at the moment the thing happens, with no internal borrow
//! held. When there is none, each event costs one comparison.

use std::panic::Location;
use std::time::Duration;

use crate::key::Key;
use crate::scheduler::Scheduler;
use crate::task::{State, TaskId, WokenBy, readable};

/// Something that happened to a task, or to the executor itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A task was born. It has not been polled yet, but is in the ready queue.
    Spawned {
        /// Its id.
        task: TaskId,
        /// The readable form of its future's type.
        name: &'a str,
        /// Who spawned it; none for the main coroutine.
        parent: Option<TaskId>,
        /// The line with the `spawn`.
        at: &'static Location<'static>,
    },
    /// A task was given a name.
    Named {
        /// The task.
        task: TaskId,
        /// Its new name.
        name: &'a str,
    },
    /// A parked task was woken. It enters the ready queue right after this.
    Woken {
        /// The task.
        task: TaskId,
        /// Who woke it.
        by: WokenBy,
    },
    /// The executor starts to poll a task.
    PollStarted {
        /// The task.
        task: TaskId,
    },
    /// The coroutine being polled cannot go on, and has left its waker with somebody.
    Waiting {
        /// What it waits for.
        on: Wait,
    },
    /// The poll is over.
    PollEnded {
        /// The task.
        task: TaskId,
        /// How it ended.
        outcome: Outcome,
    },
    /// The task has ended and its future has been dropped.
    Ended {
        /// The task.
        task: TaskId,
        /// How it ended.
        how: End,
    },
    /// The executor calls its park closure.
    Parking {
        /// None: it sleeps until somebody interrupts. Zero: it only looks.
        limit: Option<Duration>,
    },
    /// The park closure has returned.
    Unparked,
}

/// What a coroutine waits for, as far as the executor's own futures know.
///
/// Sockets and timers are the reactor's: it has events of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// The end of a task.
    Join(TaskId),
    /// A channel to have room, or its receiver to be gone.
    Send,
    /// A channel to have something in it, or its senders to be gone.
    Receive,
    /// Only for its next turn.
    Yield,
}

/// How a poll ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The coroutine waits.
    Pending,
    /// The coroutine has returned.
    Ready,
    /// The coroutine panicked.
    Panicked,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It returned.
    Finished,
    /// It panicked.
    Panicked,
    /// It was aborted, or its executor ended.
    Cancelled,
}

/// Watches an executor. Any `Fn(&Event)` is one.
///
/// It may use wakers and spawn. If it panics, the panic goes through the executor's loop and
/// ends [`block_on`](crate::Executor::block_on).
pub trait Observer {
    /// Called for each event, in order.
    fn event(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>)> Observer for F {
    fn event(&self, event: &Event<'_>) {
        self(event);
    }
}

/// The executor's side. All of it is skipped by one comparison when there is no observer.
impl Scheduler {
    #[inline]
    pub(crate) fn report<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if let Some(observer) = &self.observer {
            observer.event(&event());
        }
    }

    #[inline]
    pub(crate) fn report_poll(&self) {
        if let (Some(observer), Some(task)) = (&self.observer, self.polling()) {
            observer.event(&Event::PollStarted { task });
        }
    }

    #[inline]
    pub(crate) fn report_poll_end(&self, outcome: Outcome) {
        if let (Some(observer), Some(task)) = (&self.observer, self.polling()) {
            observer.event(&Event::PollEnded { task, outcome });
        }
    }

    pub(crate) fn report_end(&self, task: TaskId, how: End) {
        self.report_poll_end(if how == End::Panicked { Outcome::Panicked } else { Outcome::Ready });
        self.report(|| Event::Ended { task, how });
    }

    /// Reports a wake that is about to have an effect.
    #[cold]
    pub(crate) fn report_wake(&self, key: Key, by: WokenBy) {
        let parked = match self.tasks.borrow().slab.get(key.slot as usize) {
            Some(task) if task.id.serial() == key.serial => {
                matches!(task.state, State::Parked | State::Polling).then_some(task.id)
            }
            _ => None,
        };
        if let Some(task) = parked {
            self.report(|| Event::Woken { task, by });
        }
    }

    pub(crate) fn report_name(&self, task: TaskId, name: &str) {
        self.report(|| Event::Named { task, name: readable(name) });
    }
}
