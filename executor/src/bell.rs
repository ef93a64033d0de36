//! Whether an executor sleeps, and whether anybody rang for it. `remote.rs` tells how it is used.
//!
//! Right or wrong here depends on how two threads interleave, which no ordinary test can try out.
//! `bell/model.rs` tries out all of it, on loom's atomics (`.ci/loom`).

#[cfg(all(test, loom))]
mod model;

#[cfg(all(test, loom))]
use loom::sync::atomic::AtomicU8;
#[cfg(not(all(test, loom)))]
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

/// Only read-modify-write operations, so that each one takes part in one order that both
/// threads agree on.
#[derive(Debug)]
pub(crate) struct Bell(AtomicU8);

const AWAKE: u8 = 0;
const ASLEEP: u8 = 1;
const RUNG: u8 = 2;

impl Bell {
    pub(crate) fn new() -> Bell {
        Bell(AtomicU8::new(AWAKE))
    }

    /// Any thread, after it has sent. `true`: the executor sleeps, interrupt it.
    pub(crate) fn ring(&self) -> bool {
        self.0.swap(RUNG, AcqRel) == ASLEEP
    }

    /// The executor wants to sleep. `false`: somebody rang, look into the inbox instead.
    pub(crate) fn doze(&self) -> bool {
        self.0.compare_exchange(AWAKE, ASLEEP, AcqRel, Acquire).is_ok()
    }

    /// The executor is up again. `true`: somebody rang, there may be keys in the inbox.
    pub(crate) fn rouse(&self) -> bool {
        self.0.swap(AWAKE, AcqRel) == RUNG
    }
}
