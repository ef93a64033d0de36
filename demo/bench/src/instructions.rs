//! Instructions per operation, counted by valgrind's callgrind.
//!
//! A row is run twice under callgrind, once with twice as many rounds. What both runs have in
//! common (start-up, the runtime's birth, queues and slabs that grow to their size) cancels out
//! in the difference, and what is left is divided by the operations that it holds. The result is
//! the same on every machine with the same compiler, C library and runtimes; loaded machines
//! only take longer.

use std::env;
use std::process::{Command, Stdio};

use crate::rows::Row;

/// The instructions of one operation.
///
/// # Panics
/// If valgrind is not there or cannot run this program.
#[must_use]
pub fn per_operation(row: &Row, runtime: &str) -> f64 {
    let once = run(row, runtime, row.rounds);
    let twice = run(row, runtime, 2 * row.rounds);
    (twice - once) as f64 / (row.rounds * row.per_round) as f64
}

fn run(row: &Row, runtime: &str, rounds: usize) -> i64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().expect("a path to this program"))
        .args(["run", row.name, runtime, &rounds.to_string()])
        .env("BENCH_FAR", "1")
        .stdout(Stdio::null())
        .output()
        .expect("valgrind is installed");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "callgrind {} {runtime}: {report}", row.name);
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    collected.and_then(|(_, count)| count.trim().parse().ok()).expect("callgrind says how many")
}
