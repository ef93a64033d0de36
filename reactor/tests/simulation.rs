//! Random programs on the real executor and reactor under a virtual clock, against a model.
//!
//! ```text
//!                     program.rs   what each task does: spawn, wake, sleep, join, send, abort ...
//!                    /          \
//!   real.rs, steps.rs            model.rs, tasks.rs, fibers.rs, operations.rs, branches.rs,
//!   coroutines, polled           channels.rs: the same as a plain loop over plain data
//!                    \          /
//!                      trace.rs    who did what at which virtual time: must be the same
//! ```
//!
//! `cargo test` runs 10,000 programs. Other numbers, and one program alone:
//!
//! ```text
//! SIM_PROGRAMS=10000000 cargo test --release -p reactor --test simulation
//! SIM_SEED=582 cargo test -p reactor --test simulation -- --nocapture
//! SIM_STATS=1 cargo test -p reactor --test simulation -- --nocapture     (effects of operations)
//! ```

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

#[path = "simulation/branches.rs"]
mod branches;
#[path = "simulation/channels.rs"]
mod channels;
#[path = "simulation/fibers.rs"]
mod fibers;
#[path = "simulation/model.rs"]
mod model;
#[path = "simulation/operations.rs"]
mod operations;
#[path = "simulation/program.rs"]
mod program;
#[path = "simulation/real.rs"]
mod real;
#[path = "simulation/steps.rs"]
mod steps;
#[path = "simulation/tasks.rs"]
mod tasks;
#[path = "simulation/trace.rs"]
mod trace;

use model::Effects;
use program::Program;

const PROGRAMS: u64 = 10_000;
const COMMAND: &str = "cargo test -p reactor --test simulation -- --nocapture";

/// Every effect that the model counts. A generator that brings one of them no longer is no good.
const EFFECTS: [&str; 40] = [
    "abort",
    "branch dropped half-way",
    "budget used up",
    "channel closed for one who waits",
    "channel: one who was called has gone",
    "drop of a handle or an end",
    "dropped at the end",
    "end of a detached task",
    "held to the end",
    "is_finished",
    "join",
    "join of one who panicked",
    "join of one who was aborted",
    "join of two",
    "join that takes too long",
    "oneshot",
    "oneshot that ends a wait",
    "panic",
    "race won by the first",
    "race won by the second",
    "recv",
    "recv of the end",
    "recv that waits",
    "send",
    "send that waits",
    "send to nobody",
    "sleep dropped half-way",
    "stuck",
    "timeout: in time",
    "timeout: too late",
    "timer",
    "try_recv",
    "try_send",
    "wake",
    "wake from a thread",
    "wake of itself",
    "wake of one who has ended",
    "wake of one who is ready",
    "wake of one whose slot has a new tenant",
    "wake while asleep",
];

#[test]
fn random_programs_do_what_the_model_says() {
    if let Some(seed) = number("SIM_SEED") {
        return simulate(seed..seed + 1);
    }
    // In a process of its own, whose stderr is nobody's: unjoined panics are told there.
    const CHILD: &str = "SIM_CHILD";
    if std::env::var_os(CHILD).is_some() {
        return simulate(0..number("SIM_PROGRAMS").unwrap_or(PROGRAMS));
    }
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "random_programs_do_what_the_model_says", "--show-output"])
        .env(CHILD, "1")
        .stderr(Stdio::null())
        .output()
        .expect("the test runs itself");
    let stdout = String::from_utf8_lossy(&child.stdout);
    println!("{stdout}");
    assert!(child.status.success() && stdout.contains("programs agree"), "see above");
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

fn simulate(seeds: std::ops::Range<u64>) {
    watch_for_hangs();
    let mut effects = Effects::new();
    let mut entries = 0;
    for seed in seeds.clone() {
        SEED.store(seed, Relaxed);
        let replay = Replay(seed);
        let program = Program::random(seed);
        let model = model::run(&program, &mut effects);
        let real = real::run(&program, 2 * model.len() + 100);
        if let Some(difference) = trace::difference(&real, &model) {
            for main in &program.mains {
                println!("main {main:?}");
            }
            println!("{difference}");
            panic!("the real run is not what the model says");
        }
        entries += model.len();
        std::mem::forget(replay);
    }
    if std::env::var_os("SIM_STATS").is_some() {
        for (effect, count) in &effects {
            println!("{count:>12}  {effect}");
        }
    }
    if seeds.end >= PROGRAMS {
        for effect in EFFECTS {
            let count = effects.get(effect).copied().unwrap_or(0);
            assert!(count >= 20, "the programs do too little of this: {effect} ({count})");
        }
    }
    let programs = seeds.end - seeds.start;
    println!("{programs} programs agree with the model in {entries} entries of their traces");
}

/// Says how to run this program again, if it fails.
struct Replay(u64);

impl Drop for Replay {
    fn drop(&mut self) {
        println!("replay: SIM_SEED={} {COMMAND}", self.0);
    }
}

static SEED: AtomicU64 = AtomicU64::new(0);

/// A program takes microseconds. One that takes ten seconds fails by its number; TEST_TIME_FACTOR
/// makes it more, or less.
fn watch_for_hangs() {
    let factor = std::env::var("TEST_TIME_FACTOR").map_or(1.0, |factor| factor.parse().unwrap());
    thread::spawn(move || {
        let mut last = u64::MAX;
        loop {
            thread::sleep(Duration::from_secs(10).mul_f64(factor));
            let seed = SEED.load(Relaxed);
            if seed == last {
                // Past the capture, which would keep it.
                let line = format!("program {seed} hangs\nreplay: SIM_SEED={seed} {COMMAND}\n");
                let _ = std::io::stdout().write_all(line.as_bytes());
                std::process::exit(101);
            }
            last = seed;
        }
    });
}
