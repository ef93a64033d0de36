//! The gate: how the world is stopped, let go on one event, slowed down.
//!
//! The thread that is watched passes the gate after each of its events, inside its observer. So
//! when the gate is closed, everything on that thread stands still, in the middle of whatever it
//! was doing. Sockets, timers and other threads do not stand still: their news wait for it.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use crate::recorder::{History, Recorder};

/// Whether the thread that is watched may go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gate {
    /// It runs.
    #[default]
    Open,
    /// It rests so long after each event.
    Slow(Duration),
    /// Only so many events more.
    Closed(u64),
}

impl Recorder {
    /// The thread that is watched stands still at its next event.
    pub fn pause(&self) {
        self.set_gate(Gate::Closed(0));
    }

    /// Lets `events` more events happen, and pauses again.
    pub fn step(&self, events: u64) {
        self.set_gate(Gate::Closed(events));
    }

    /// Lets it run on.
    pub fn resume(&self) {
        self.set_gate(Gate::Open);
    }

    /// Lets it run on, with a rest after each event.
    pub fn slow_down(&self, rest: Duration) {
        self.set_gate(Gate::Slow(rest));
    }

    /// The end begins: the gate is opened for good, so that nobody can be held up any more, and
    /// what is dropped from now on is dropped on purpose, and needs no diagnosis.
    pub fn release(&self) {
        let mut history = self.lock();
        (history.gate, history.released) = (Gate::Open, true);
        drop(self.told(history));
    }

    /// The gate, and whether the thread stands before it. A closed gate stops nobody who sleeps:
    /// they come to it when they wake up.
    #[must_use]
    pub fn gate(&self) -> (Gate, bool) {
        let history = self.lock();
        (history.gate, history.stands)
    }

    /// Whether it is paused, or only lets a few events pass.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        matches!(self.lock().gate, Gate::Closed(_))
    }

    /// Waits, on this thread, until the one that is watched stands still, or until `over` says
    /// that it never will. That is asked each time something moves, and every few milliseconds.
    pub fn wait_until_it_stands(&self, over: impl Fn() -> bool) -> bool {
        let mut history = self.lock();
        while !history.stands || history.gate != Gate::Closed(0) {
            if over() {
                return false;
            }
            let waited = self.moved.wait_timeout(history, Duration::from_millis(10));
            history = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn set_gate(&self, gate: Gate) {
        let mut history = self.lock();
        if !history.released {
            history.gate = gate;
        }
        drop(self.told(history));
    }

    /// Stands before the gate as long as it is closed.
    pub(crate) fn pass<'a>(&'a self, mut history: MutexGuard<'a, History>) {
        loop {
            match &mut history.gate {
                Gate::Open => break,
                Gate::Slow(rest) => {
                    let rest = *rest;
                    let gate = self.moved.wait_timeout_while(history, rest, |history| {
                        history.gate == Gate::Slow(rest)
                    });
                    let (guard, over) = gate.unwrap_or_else(PoisonError::into_inner);
                    history = guard;
                    if over.timed_out() {
                        break;
                    }
                }
                Gate::Closed(0) => {
                    history.stands = true;
                    history = self.told(history); // somebody may wait for exactly this
                    let closed = |history: &mut History| history.gate == Gate::Closed(0);
                    let gate = self.moved.wait_while(history, closed);
                    history = gate.unwrap_or_else(PoisonError::into_inner);
                    history.stands = false;
                }
                Gate::Closed(more) => {
                    *more -= 1;
                    break;
                }
            }
        }
    }
}
