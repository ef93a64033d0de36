//! The stand under load: every customer who was told so has an order, and nobody else has.
//!
//! ```text
//!   this test  --starts-->  demo kitchen --fail-percent 20
//!              --starts-->  demo serve --kitchen ..., its orders in a folder
//!              --starts-->  the crowd: itself once more, as a process of its own (load/crowd.rs)
//!   ... and then compares what the crowd was told with what is in the folder (load/ledger.rs).
//!
//!   LOAD_SECONDS=60 LOAD_SEED=7 cargo test -p demo --test load -- --nocapture
//! ```

#![cfg(target_os = "linux")]

mod common;
#[path = "load/crowd.rs"]
mod crowd;
#[path = "load/ledger.rs"]
mod ledger;
#[path = "bad_input/process.rs"]
mod process;
#[path = "bad_input/random.rs"]
mod random;

use std::env;
use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Demo, Folder, LIMIT};
use ledger::Ledger;
use process::Process;

fn number(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// How long the crowd comes.
fn duration() -> Duration {
    Duration::from_secs(number("LOAD_SECONDS", 3))
}

/// The test binary again, as the crowd. Dropped, it is killed.
struct Crowd(Child);

impl Crowd {
    fn start(demo: &Demo, says: File) -> Crowd {
        let crowd = Command::new(env::current_exe().unwrap())
            .args(["--exact", "crowd::comes", "--ignored", "--nocapture"])
            .env("LOAD_ADDRESS", demo.address.to_string())
            .stdin(Stdio::null())
            .stdout(says)
            .spawn();
        Crowd(crowd.unwrap())
    }

    /// Waits until it has gone; meanwhile `looks` looks after the stand.
    fn wait(&mut self, mut looks: impl FnMut()) {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(begin.elapsed() < duration() + LIMIT, "the crowd does not go");
            looks();
            thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "the crowd has failed");
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_crowd_that_cuts_and_resets_gets_exactly_what_it_was_told() {
    println!("seed {} (LOAD_SEED), {:?} (LOAD_SECONDS)", number("LOAD_SEED", 1), duration());
    let folder = Folder::new("load");
    let kitchen = Demo::kitchen(&["--delay-ms", "5", "--fail-percent", "20"]);
    let demo = Demo::serve(&["--no-watch", "--kitchen", &kitchen.url(), "--data", folder.text()]);
    while demo.get("/").status != 200 {} // until everything is there that is made on demand
    let both = [&demo, &kitchen].map(Process::of);
    let at_start = both.each_ref().map(Process::descriptors_at_rest);

    let says = folder.0.join("crowd.txt");
    let mut crowd = Crowd::start(&demo, File::create(&says).unwrap());
    let (begin, mut warm, mut most) = (Instant::now(), 0, 0);
    crowd.wait(|| {
        let memory = both[0].memory();
        // The first third is for it to get as big as it needs to be.
        if begin.elapsed() < duration() / 3 {
            warm = warm.max(memory);
        }
        most = most.max(memory);
    });
    println!("memory: {warm} KiB after a third of the time, {most} KiB at the most");
    assert!(most < warm + warm / 4 + 2048, "it grows");
    for (process, start) in both.iter().zip(at_start) {
        process.descriptors_return_to(start);
    }

    let told = fs::read_to_string(&says).unwrap();
    let ledger = Ledger::read(&told);
    println!("{}", ledger.summary);
    ledger.agrees_with(&folder);
    assert_eq!(demo.get("/orders").status, 200);
    for open in [demo, kitchen] {
        open.signal("-TERM");
        let ended = open.wait();
        assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    }
}
