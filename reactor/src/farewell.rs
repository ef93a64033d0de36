//! Sockets and timers that are dropped where their reactor is not at hand.
//!
//! They are `Send`, so that may be on another thread, or on their own after the reactor's guard
//! is gone. Then they leave a note, and the reactor clears their place at its next turn.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::source::SourceKey;
use crate::timers::TimerKey;

/// What was dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Farewell {
    Source(SourceKey),
    Timer(TimerKey),
}

/// The notes for one reactor.
pub(crate) struct Farewells {
    reactor: u32,
    notes: Receiver<Farewell>,
}

/// Where to leave a note, by reactor.
static BOXES: Mutex<BTreeMap<u32, Sender<Farewell>>> = Mutex::new(BTreeMap::new());

impl Farewells {
    pub(crate) fn register(reactor: u32) -> Farewells {
        let (sender, notes) = unbounded();
        boxes().insert(reactor, sender);
        Farewells { reactor, notes }
    }

    pub(crate) fn take(&self) -> impl Iterator<Item = Farewell> {
        self.notes.try_iter()
    }
}

impl Drop for Farewells {
    fn drop(&mut self) {
        boxes().remove(&self.reactor);
    }
}

/// Leaves a note. If the reactor is gone, so is all that it knew.
pub(crate) fn leave(reactor: u32, farewell: Farewell) {
    if let Some(notes) = boxes().get(&reactor) {
        let _ = notes.send(farewell);
    }
}

fn boxes() -> MutexGuard<'static, BTreeMap<u32, Sender<Farewell>>> {
    BOXES.lock().unwrap_or_else(PoisonError::into_inner)
}
