//! What the executor reports to whoever wants to watch it.
//!
//! An [`Observer`] is given to [`Executor::with_observer`](crate::Executor::with_observer). It
//! is called on the executor's thread, at the moment the thing happens, with no internal borrow
//! held. When there is none, each event costs one comparison.

use std::panic::Location;
use std::time::Duration;

use crate::key::Key;
use crate::scheduler::Scheduler;
use crate::task::{State, Task, TaskId, WokenBy, readable};

/// Something that happened to a task, or to the executor itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A task was born, and enters the ready queue; if the executor is just ending, it is
    /// [`Ended`](Event::Ended) at once.
    Spawned {
        /// Its id.
        task: TaskId,
        /// Where it lives in the executor's slab. Slots are used again, ids are not.
        slot: u32,
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
    /// A task was woken that was not in the ready queue, but parked or being polled. It is in the
    /// queue now.
    Woken {
        /// The task.
        task: TaskId,
        /// Who woke it.
        by: WokenBy,
        /// The name of the thread, if another one did and it has a name.
        thread: Option<&'a str>,
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
        /// The line that waits, if it is known.
        at: Option<&'static Location<'static>>,
    },
    /// The poll is over.
    PollEnded {
        /// The task.
        task: TaskId,
        /// How it ended.
        outcome: Outcome,
        /// How many wakers of it are kept: in sockets' lists, timers, channels, other threads. More
        /// than it has reported waits? Then somebody has one who does not report.
        wakers: usize,
    },
    /// Somebody asks for the task to be dropped. It is, when its turn comes.
    Aborting {
        /// The task.
        task: TaskId,
        /// Who asks: the coroutine that is being polled, if one is.
        by: Option<TaskId>,
    },
    /// The task has ended and its future has been dropped.
    Ended {
        /// The task.
        task: TaskId,
        /// How it ended.
        how: End,
    },
    /// The task is parked, and no waker of it is left anywhere: nobody can ever wake it. Either
    /// it returned `Pending` without leaving its waker with anybody, or whoever had it dropped it.
    ///
    /// Told when the thread goes to sleep, once for each time it happens.
    Lost {
        /// The task.
        task: TaskId,
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
/// It may use wakers and spawn. It should not panic: inside the poll of a task (also at the start
/// of it) that is a panic of the task, anywhere else it ends
/// [`block_on`](crate::Executor::block_on). Others who were to be woken next may then not be.
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

    /// Of a future of this type.
    #[cold]
    pub(crate) fn report_spawn(
        &self,
        task: TaskId,
        slot: u32,
        type_name: &str,
        parent: Option<TaskId>,
        at: &'static Location<'static>,
    ) {
        let name = &readable(type_name);
        self.report(|| Event::Spawned { task, slot, name, parent, at });
    }

    #[inline]
    pub(crate) fn report_poll(&self) {
        if let Some(observer) = &self.observer
            && let Some(task) = self.polling()
        {
            observer.event(&Event::PollStarted { task });
        }
    }

    #[inline]
    pub(crate) fn report_poll_end(&self, key: Key, outcome: Outcome) {
        if let Some(observer) = &self.observer
            && let Some(task) = self.polling()
        {
            let wakers = self.count_wakers(key, outcome);
            observer.event(&Event::PollEnded { task, outcome, wakers });
        }
    }

    /// Main ended before `close`; or a panic came by, which may have been its own.
    pub(crate) fn report_main_end(&self, main: &Task, polling: Option<TaskId>) {
        let how = match main.state {
            State::Finished => End::Finished,
            _ if polling == Some(main.id) => End::Panicked,
            _ => End::Cancelled,
        };
        if how == End::Panicked {
            let (task, outcome) = (main.id, Outcome::Panicked);
            self.report(|| Event::PollEnded { task, outcome, wakers: 0 });
        }
        self.report(|| Event::Ended { task: main.id, how });
    }
}
