//! What the reactor reports to whoever wants to watch it.
//!
//! An [`Observer`] is given to [`Reactor::observe`](crate::Reactor::observe). It is called on the
//! reactor's thread, at the moment the thing happens, with no internal borrow held. When there is
//! none, each event costs one comparison.
//!
//! Sources are named by their slot in the reactor's slab. It is used again when a source is gone.

use std::panic::Location;
use std::time::{Duration, Instant};

use crate::source::Direction;

/// Something that happened to a source, a timer or a blocking job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A source was registered with the operating system.
    Registered {
        /// Its slot.
        source: u32,
        /// Of the tenants that the slot has had. Slot and generation together are the token that
        /// the operating system gives back with an event.
        generation: u32,
        /// The type of the source.
        kind: &'static str,
        /// Its file descriptor, if it is a socket of [`net`](crate::net) and this is Unix.
        fd: Option<i32>,
        /// The address of this side, if it is a socket of `net` and has one.
        local: Option<String>,
        /// The address of the other side, if there is one.
        peer: Option<String>,
    },
    /// A source was dropped.
    Deregistered {
        /// Its slot.
        source: u32,
    },
    /// The coroutine that is being polled has left its waker here.
    Waiting {
        /// What it waits for.
        on: Wait,
    },
    /// A waker is called right after this.
    Waking {
        /// Because of what.
        by: By,
    },
    /// A blocking job was put in line.
    JobQueued {
        /// Its number, counted from 1.
        job: u64,
        /// The line that made it.
        at: &'static Location<'static>,
    },
    /// The future of a job was dropped before it gave a result: nobody will have it.
    JobDropped {
        /// Its number.
        job: u64,
    },
    /// A coroutine has the result of its blocking job.
    JobDone {
        /// The number of the job, as in [`Wait::Job`].
        job: u64,
        /// How long it waited for a free thread.
        queued: Duration,
        /// How long it ran there.
        ran: Duration,
    },
}

/// What a coroutine waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// A socket or the like.
    Source {
        /// Its slot.
        source: u32,
        /// To become ready in this direction.
        direction: Direction,
        /// The line that waits; none if a `poll_` method was called by hand.
        at: Option<&'static Location<'static>>,
    },
    /// A time; None is never.
    Timer {
        /// When.
        deadline: Option<Instant>,
        /// The line that made the timer.
        at: &'static Location<'static>,
    },
    /// A job on the blocking pool.
    Job {
        /// Its number, counted from 1.
        job: u64,
        /// The line that made it.
        at: &'static Location<'static>,
    },
}

/// Why the reactor wakes somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum By {
    /// A source has become ready.
    Source {
        /// Its slot.
        source: u32,
        /// In which direction.
        direction: Direction,
    },
    /// A timer is due.
    Timer,
    /// A blocking job is done. Only when a run is recorded or played back; else the job's own
    /// thread wakes, and the reactor has no part in it.
    Job {
        /// Its number, as in [`Wait::Job`].
        job: u64,
    },
}

/// Watches a reactor. Any `Fn(&Event)` is one.
///
/// If it panics inside [`turn`](crate::Reactor::turn), the panic comes out there.
pub trait Observer {
    /// Called for each event, in order.
    fn event(&self, event: &Event);
}

impl<F: Fn(&Event)> Observer for F {
    fn event(&self, event: &Event) {
        self(event);
    }
}
