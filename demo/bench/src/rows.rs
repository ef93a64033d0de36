//! The rows of the benchmark: what is measured, written once for all runtimes.

use std::time::Duration;

use crate::bodies::*;
use crate::runtime::{Bare, Futures, Monoio, Ours, Runtime, Smol, Tokio};

/// One row.
#[derive(Debug)]
pub struct Row {
    /// The name on the command line and in the table.
    pub name: &'static str,
    /// What one operation is.
    pub operation: &'static str,
    /// How many operations one round has.
    pub per_round: usize,
    /// How many rounds make a measurement.
    pub rounds: usize,
    /// Whether other threads take part, so that instructions say nothing.
    pub threads: bool,
    /// How much more than the bare limit it may cost, by the project's own aim.
    pub target: Option<f64>,
    /// The body for each runtime that takes part: runs so many rounds, and says how long they
    /// took, without the preparations.
    pub bodies: &'static [(&'static str, Body)],
}

/// Runs a row so many rounds, and says how long they took.
pub type Body = fn(usize) -> Duration;

macro_rules! on {
    ($body:ident: $($runtime:ident)*) => { &[$(($runtime::NAME, $body::<$runtime>)),*] };
    ($body:ident) => { on!($body: Ours Tokio Smol Futures Monoio Bare) };
}

/// All rows, in the order of the table.
pub static ROWS: &[Row] = &[
    Row {
        name: "spawn-join-one",
        operation: "spawn a task, await it, repeat",
        per_round: 1,
        rounds: 10_000,
        threads: false,
        target: Some(1.4),
        bodies: on!(spawn_join_one),
    },
    Row {
        name: "spawn-join-batch",
        operation: "spawn 1,000 tasks, then await them all; per task",
        per_round: BATCH,
        rounds: 20,
        threads: false,
        target: Some(1.45),
        bodies: on!(spawn_join_batch),
    },
    Row {
        name: "spawn-detached",
        operation: "spawn 1,000 tasks that nobody joins; per task",
        per_round: BATCH,
        rounds: 20,
        threads: false,
        target: None,
        bodies: on!(spawn_detached),
    },
    Row {
        name: "yield-1",
        operation: "the only task yields",
        per_round: 1,
        rounds: 20_000,
        threads: false,
        target: Some(1.9),
        bodies: on!(yield_1),
    },
    Row {
        name: "yield-1000",
        operation: "each of 1,000 tasks yields; per yield",
        per_round: BATCH,
        rounds: 20,
        threads: false,
        target: Some(1.9),
        bodies: on!(yield_1000),
    },
    Row {
        name: "ping-pong",
        operation: "two tasks wake each other; per switch",
        per_round: 2,
        rounds: 10_000,
        threads: false,
        target: Some(1.7),
        bodies: on!(ping_pong),
    },
    Row {
        name: "wake-storm",
        operation: "10,000 parked tasks, each woken once; per task",
        per_round: STORM,
        rounds: 4,
        threads: false,
        target: Some(1.5),
        bodies: on!(wake_storm),
    },
    Row {
        name: "wake-storm-5",
        operation: "10,000 parked tasks, each woken five times; per task",
        per_round: STORM,
        rounds: 4,
        threads: false,
        target: Some(1.8),
        bodies: on!(wake_storm_5),
    },
    Row {
        name: "waker-clone-drop",
        operation: "clone a waker and drop the clone",
        per_round: 1,
        rounds: 50_000,
        threads: false,
        target: Some(1.0),
        bodies: on!(waker_clone_drop),
    },
    Row {
        name: "timer-cancel",
        operation: "100,000 timers armed, then cancelled; per timer",
        per_round: TIMERS,
        rounds: 1,
        threads: false,
        target: Some(1.25),
        bodies: on!(timer_cancel: Ours Tokio Smol Monoio Bare),
    },
    Row {
        name: "timer-fire",
        operation: "100,000 timers armed, and all of them fire; per timer",
        per_round: TIMERS,
        rounds: 1,
        threads: false,
        target: None,
        bodies: on!(timer_fire: Ours Tokio Smol Monoio Bare),
    },
    Row {
        name: "thread-wake",
        operation: "another thread wakes the only task; from the wake to its poll",
        per_round: 1,
        rounds: 1_000,
        threads: true,
        target: None,
        bodies: on!(thread_wake: Ours Tokio Smol Futures Monoio),
    },
    Row {
        name: "thread-wake-burst",
        operation: "another thread wakes 1,000 tasks; per task",
        per_round: BATCH,
        rounds: 20,
        threads: true,
        target: None,
        bodies: on!(thread_wake_burst: Ours Tokio Smol Futures Monoio),
    },
];

/// The row of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

impl Row {
    /// Its body for the runtime of this name.
    #[must_use]
    pub fn body(&self, runtime: &str) -> Option<Body> {
        self.bodies.iter().find(|(name, _)| *name == runtime).map(|(_, body)| *body)
    }
}
