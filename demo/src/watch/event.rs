//! An event as it is kept: what executor and reactor report, in one list, on one clock.

use std::panic::Location;
use std::time::Duration;

use executor::observe::{End, Outcome};
use reactor::Direction;

use crate::diagnose::Kind;
use crate::wait::Wait;

/// Something that happened, and when.
#[derive(Clone, Debug)]
pub struct Event {
    /// Since the recorder was made.
    pub at: Duration,
    /// What happened.
    pub what: What,
}

/// What happened. Coroutines are named by their ids, sources by their slots.
#[derive(Clone, Debug)]
pub enum What {
    /// A coroutine was born, and enters the ready queue.
    Spawned {
        /// Its id; never used again.
        task: u64,
        /// Its slot in the executor's slab.
        slot: u32,
        /// The readable form of its type.
        name: String,
        /// Who spawned it; none for the main coroutine.
        parent: Option<u64>,
        /// The line with the `spawn`.
        at: &'static Location<'static>,
    },
    /// It was given a name.
    Named {
        /// Whose name.
        task: u64,
        /// The name.
        name: String,
    },
    /// It enters the ready queue.
    Woken {
        /// Who is woken.
        task: u64,
        /// By whom.
        by: By,
    },
    /// The executor starts to poll it.
    PollStarted {
        /// Who is polled.
        task: u64,
    },
    /// It cannot go on, and has left its waker with somebody.
    Waiting {
        /// Who waits.
        task: u64,
        /// For what.
        on: Wait,
    },
    /// The poll is over.
    PollEnded {
        /// Who was polled.
        task: u64,
        /// How the poll ended.
        outcome: Outcome,
        /// How many wakers of it are kept anywhere.
        wakers: usize,
        /// How long the poll took, without what it took to watch it.
        took: Duration,
    },
    /// Somebody asks for it to be dropped. It is, when its turn comes.
    Aborting {
        /// Who is to be dropped.
        task: u64,
        /// Who asks, if it is a coroutine.
        by: Option<u64>,
    },
    /// It has ended, and its future is dropped.
    Ended {
        /// Who.
        task: u64,
        /// How.
        how: End,
    },
    /// It is parked, and no waker of it is left anywhere.
    Lost {
        /// Who.
        task: u64,
    },
    /// The executor parks: it sleeps without a limit, or only looks.
    Parking {
        /// Nobody is ready, so it sleeps.
        sleeps: bool,
    },
    /// The park is over.
    Unparked,
    /// The reactor watches one more source.
    Registered {
        /// Its slot in the reactor's slab.
        source: u32,
        /// Which tenant of the slot it is.
        generation: u32,
        /// `TcpStream` and the like.
        kind: String,
        /// Its file descriptor, if it is known.
        fd: Option<i32>,
        /// The address of this side.
        local: Option<String>,
        /// The address of the other side.
        peer: Option<String>,
        /// The coroutine that made it.
        task: Option<u64>,
    },
    /// A source is gone.
    Deregistered {
        /// Its slot.
        source: u32,
    },
    /// A job was put in line for the blocking pool.
    JobQueued {
        /// Its number.
        job: u64,
        /// Who wants it done.
        task: Option<u64>,
        /// The line that made it.
        at: &'static Location<'static>,
    },
    /// The future of a job was dropped before it gave a result: nobody will have it.
    JobDropped {
        /// Its number.
        job: u64,
        /// Who dropped it.
        task: Option<u64>,
    },
    /// A coroutine has the result of its job.
    JobDone {
        /// Its number.
        job: u64,
        /// Who has it.
        task: Option<u64>,
        /// How long it waited for a thread.
        queued: Duration,
        /// How long it ran.
        ran: Duration,
    },
    /// Something is wrong.
    Diagnosis {
        /// What it is about.
        kind: Kind,
        /// The coroutine, if it is about one.
        task: Option<u64>,
        /// In plain words.
        text: String,
    },
}

/// Who wakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// It has just been spawned.
    Spawn,
    /// A coroutine.
    Task(u64),
    /// The reactor: a source is ready.
    Source(u32, Direction),
    /// The reactor: a timer is due.
    Timer,
    /// Another thread, with its name if it has one.
    Thread(Option<String>),
    /// Code that runs while the executor is parked, other than the reactor.
    Outside,
}

impl What {
    /// The line of source code that it comes from, if it is known.
    #[must_use]
    pub fn line(&self) -> Option<&'static Location<'static>> {
        match self {
            What::Spawned { at, .. } | What::JobQueued { at, .. } => Some(at),
            What::Waiting { on, .. } => on.line(),
            _ => None,
        }
    }

    /// The coroutine that it is about, if it is about one.
    #[must_use]
    pub fn task(&self) -> Option<u64> {
        match self {
            What::Spawned { task, .. }
            | What::Named { task, .. }
            | What::Woken { task, .. }
            | What::PollStarted { task }
            | What::Waiting { task, .. }
            | What::PollEnded { task, .. }
            | What::Aborting { task, .. }
            | What::Ended { task, .. }
            | What::Lost { task } => Some(*task),
            What::Registered { task, .. }
            | What::JobQueued { task, .. }
            | What::JobDone { task, .. }
            | What::JobDropped { task, .. }
            | What::Diagnosis { task, .. } => *task,
            What::Parking { .. } | What::Unparked | What::Deregistered { .. } => None,
        }
    }
}
