//! What is known of a coroutine that lives.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use executor::observe::Outcome;

use crate::event::By;
use crate::wait::Wait;

/// A coroutine that lives.
#[derive(Clone, Debug)]
pub struct Coroutine {
    /// Never used again.
    pub id: u64,
    /// In the executor's slab.
    pub slot: u32,
    /// What it is called.
    pub name: String,
    /// Who spawned it.
    pub parent: Option<u64>,
    /// The line with the `spawn`.
    pub spawned_at: &'static Location<'static>,
    /// Where it is in its life.
    pub state: State,
    /// Since when it is there.
    pub since: Duration,
    /// What it said in its last poll that it waits for: every poll says all of it again. Empty while
    /// it is parked: its waker is with somebody who does not report to us.
    pub waits: Vec<Wait>,
    /// Who put it into the ready queue last.
    pub woken_by: By,
    /// How often it was polled.
    pub polls: u64,
    /// How long its polls took in all.
    pub busy: Duration,
    /// When it was born.
    pub born: Duration,
    /// No waker of it is left.
    pub lost: bool,
    /// How many wakers of it were kept at the end of its last poll.
    pub(crate) kept: usize,
    /// While it is polled: what it said in the poll before, and may not say again.
    before: Vec<Wait>,
    /// What it said in its last poll may hold no longer: see `poll_ended`.
    doubtful: bool,
    /// With which event it came into its state.
    pub(crate) since_event: u64,
}

/// Where a coroutine is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In the ready queue.
    Ready,
    /// It is being polled.
    Polled,
    /// It is being polled, and was woken meanwhile: it is in the ready queue already.
    PolledAndReady,
    /// Until somebody wakes it.
    Parked,
    /// It has returned or panicked, and is about to be dropped.
    Over,
}

impl Coroutine {
    pub(crate) fn new(
        id: u64,
        slot: u32,
        name: &str,
        parent: Option<u64>,
        spawned_at: &'static Location<'static>,
        at: Duration,
    ) -> Coroutine {
        Coroutine {
            id,
            slot,
            name: name.to_owned(),
            parent,
            spawned_at,
            state: State::Ready,
            since: at,
            waits: Vec::new(),
            woken_by: By::Spawn,
            polls: 0,
            busy: Duration::ZERO,
            born: at,
            lost: false,
            kept: 0,
            before: Vec::new(),
            doubtful: false,
            since_event: 0,
        }
    }

    pub(crate) fn woken(&mut self, by: &By, at: Duration) {
        self.woken_by = by.clone();
        self.lost = false;
        if self.state == State::Polled {
            self.state = State::PolledAndReady;
        } else {
            self.state = State::Ready;
            self.since = at;
        }
    }

    pub(crate) fn poll_started(&mut self, at: Duration) {
        self.before = self.left().cloned().collect();
        self.state = State::Polled;
        self.since = at;
        self.polls += 1;
        self.waits.clear();
    }

    pub(crate) fn poll_ended(&mut self, outcome: Outcome, took: Duration, at: Duration) {
        self.state = match (outcome, self.state) {
            (Outcome::Pending, State::PolledAndReady) => State::Ready,
            (Outcome::Pending, _) => State::Parked,
            _ => State::Over,
        };
        self.since = at;
        self.busy += took;
        // It waited for a coroutine or a channel, was woken by something else, and said the same
        // again. Perhaps it has given that up meanwhile (a timeout does), and waits for a stranger.
        let inside = |wait: &Wait| wait.is_inside() && !wait.is_never();
        self.doubtful = self.before.iter().any(inside) && self.waits.iter().any(inside);
        self.before.clear();
    }

    /// With whom its waker is, as far as is known. While it is polled, those from the poll before
    /// count as well: a socket or a timer keeps a waker until it is used, or given up.
    pub fn wakers(&self) -> impl Iterator<Item = &Wait> {
        let again = |old: &&Wait| !self.waits.iter().any(|new| new.is_same(old));
        self.before.iter().filter(again).chain(self.left())
    }

    /// Those of its waits that the wake has not ended.
    fn left(&self) -> impl Iterator<Item = &Wait> {
        let woken = self.state == State::Ready;
        self.waits
            .iter()
            .filter(move |wait| !woken || !wait.is_ended_by(&self.woken_by, self.since))
    }

    /// Whether something other than a coroutine can make it go on.
    pub(crate) fn is_reachable(&self) -> bool {
        // More wakers than it has told of: somebody has one who does not report.
        let all_told = !self.waits.is_empty() && self.kept <= self.waits.len();
        let inside = all_told && self.waits.iter().all(Wait::is_inside);
        self.state != State::Parked || !(self.lost || (inside && !self.doubtful))
    }
}

impl fmt::Display for Coroutine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {}", self.id, self.name)
    }
}
