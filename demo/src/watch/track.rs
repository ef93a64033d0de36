//! What is known of one coroutine, one poll, one wake, one job: see `tracks.rs`.

use std::panic::Location;
use std::time::Duration;

use executor::observe::{End, Outcome};

use crate::event::By;
use crate::wait::Wait;

/// From when to when. What is not over yet lasts to the end of the recording.
pub(crate) type Span = (Duration, Duration);

/// A coroutine.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) task: u64,
    pub(crate) name: String,
    pub(crate) spawned_at: &'static Location<'static>,
    /// None: before the recording began.
    pub(crate) born: Option<Duration>,
    /// None: it lives on.
    pub(crate) ended: Option<(Duration, End)>,
    pub(crate) ready: Vec<Span>,
    pub(crate) parked: Vec<(Span, Vec<Wait>)>,
    /// Their places in the list of all polls.
    pub(crate) polls: Vec<usize>,
    /// The wake that its next poll follows.
    pub(crate) last_wake: Option<usize>,
    pub(crate) is_ready: bool,
}

#[derive(Debug)]
pub(crate) struct Poll {
    pub(crate) task: u64,
    pub(crate) span: Span,
    /// None: it is not over.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) woken_by: By,
    pub(crate) woken_at: Duration,
    pub(crate) waits: Vec<Wait>,
    /// Jobs whose results it has got.
    pub(crate) jobs: Vec<u64>,
}

/// A wake, or a birth.
#[derive(Debug)]
pub(crate) struct Wake {
    pub(crate) task: u64,
    pub(crate) by: By,
    pub(crate) at: Duration,
    /// The coroutine that did it, if one did.
    pub(crate) waker: Option<u64>,
    /// The poll that follows.
    pub(crate) poll: Option<usize>,
}

/// A job of the blocking pool.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) job: u64,
    pub(crate) task: Option<u64>,
    pub(crate) at: Option<&'static Location<'static>>,
    /// When it ran.
    pub(crate) span: Span,
    /// Whether its result has been fetched: only then it is known when it ran.
    pub(crate) done: bool,
}

impl Poll {
    pub(crate) fn is_woken_by_thread(&self) -> bool {
        matches!(self.woken_by, By::Thread(_))
    }
}

impl Track {
    pub(crate) fn new(task: u64, name: String, spawned_at: &'static Location<'static>) -> Track {
        Track {
            task,
            name,
            spawned_at,
            born: None,
            ended: None,
            ready: Vec::new(),
            parked: Vec::new(),
            polls: Vec::new(),
            last_wake: None,
            is_ready: false,
        }
    }

    pub(crate) fn enter_queue(&mut self, at: Duration, to: Duration) {
        self.ready.push((at, to));
        self.is_ready = true;
    }

    /// It is no longer parked, or ready: whatever it was ends here.
    pub(crate) fn leave(&mut self, at: Duration) {
        self.is_ready = false;
        if let Some((parked, _)) = self.parked.last_mut() {
            parked.1 = parked.1.min(at);
        }
        if let Some(ready) = self.ready.last_mut() {
            ready.1 = ready.1.min(at);
        }
    }

    pub(crate) fn end(&mut self, at: Duration, how: End) {
        self.leave(at);
        self.ended = Some((at, how));
    }
}

impl std::fmt::Display for Track {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{} {}", self.task, self.name)
    }
}
