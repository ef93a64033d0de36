//! What a coroutine waits for, and what ends a wait.

use std::panic::Location;
use std::time::Duration;

use reactor::Direction;

use crate::event::By;

/// What a coroutine waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    /// A socket or the like.
    Source {
        /// Its slot.
        source: u32,
        /// In this direction.
        direction: Direction,
        /// The line that waits, if it is known.
        at: Option<&'static Location<'static>>,
    },
    /// A time.
    Timer {
        /// On the recorder's clock. None is never.
        deadline: Option<Duration>,
        /// The line that made it.
        at: &'static Location<'static>,
    },
    /// A blocking job.
    Job {
        /// Its number.
        job: u64,
        /// The line that made it.
        at: &'static Location<'static>,
    },
    /// The end of another coroutine.
    Join(u64),
    /// Room in a channel.
    Send {
        /// The line that waits, if it is known.
        at: Option<&'static Location<'static>>,
    },
    /// Something in a channel.
    Receive {
        /// The line that waits, if it is known.
        at: Option<&'static Location<'static>>,
    },
    /// Only its next turn.
    Yield {
        /// The line that waits, if it is known.
        at: Option<&'static Location<'static>>,
    },
}

impl Wait {
    /// The line that waits, if it is known.
    #[must_use]
    pub fn line(&self) -> Option<&'static Location<'static>> {
        match self {
            Wait::Source { at, .. }
            | Wait::Send { at }
            | Wait::Receive { at }
            | Wait::Yield { at } => *at,
            Wait::Timer { at, .. } | Wait::Job { at, .. } => Some(at),
            Wait::Join(_) => None,
        }
    }

    /// Whether it is the same, said again. It may be said by another line.
    pub(crate) fn is_same(&self, other: &Wait) -> bool {
        match (self, other) {
            (
                Wait::Source { source, direction, .. },
                Wait::Source { source: b, direction: d, .. },
            ) => (source, direction) == (b, d),
            (Wait::Send { .. }, Wait::Send { .. })
            | (Wait::Receive { .. }, Wait::Receive { .. })
            | (Wait::Yield { .. }, Wait::Yield { .. }) => true,
            _ => self == other,
        }
    }

    /// Whether this wake has ended it, by now.
    pub(crate) fn is_ended_by(&self, by: &By, now: Duration) -> bool {
        match self {
            Wait::Source { source, direction, .. } => *by == By::Source(*source, *direction),
            Wait::Timer { deadline, .. } => {
                *by == By::Timer && deadline.is_some_and(|deadline| deadline <= now)
            }
            Wait::Job { .. } => matches!(by, By::Thread(_)),
            Wait::Join(_) | Wait::Send { .. } | Wait::Receive { .. } | Wait::Yield { .. } => {
                matches!(by, By::Task(_) | By::Outside)
            }
        }
    }

    /// A timer that is never due.
    pub(crate) fn is_never(&self) -> bool {
        matches!(self, Wait::Timer { deadline: None, .. })
    }

    /// Whether only other coroutines of the same executor can end this wait.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        matches!(self, Wait::Join(_) | Wait::Send { .. } | Wait::Receive { .. }) || self.is_never()
    }
}
