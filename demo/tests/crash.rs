//! `kill -9` in the middle of it, again and again; and what a power cut would find.
//!
//! A crash must lose no order that was answered with 201, and no half of a receipt may be there.
//! `FAULTS=full` kills 100 times; `CRASH_SEED=n` repeats a run's moments.

#![cfg(all(target_os = "linux", feature = "sqlite"))]

mod common;

#[allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
mod faults {
    pub mod books;
    pub mod stand;
    pub mod strace;
}

use std::fs;
use std::thread;
use std::time::{Duration, SystemTime};

use common::Folder;
use faults::books::{Books, Outcome};
use faults::stand::{Stand, full, temporaries};
use faults::strace::{self, Strace};

/// How many threads write receipts at once, and more writers than that.
const POOL: usize = 8;
const WRITERS: usize = 12;

/// Random numbers, the same ones for the same seed.
struct Dice(u64);

impl Dice {
    fn thrown() -> Dice {
        let now = || SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into();
        let seed = std::env::var("CRASH_SEED").map_or_else(|_| now(), |seed| seed.parse().unwrap());
        println!("again with: CRASH_SEED={seed}");
        Dice(seed)
    }

    /// Up to so many microseconds.
    fn moment(&mut self, limit: u64) -> Duration {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        Duration::from_micros((self.0 >> 33) % limit)
    }
}

#[test]
fn kill_9_at_any_moment_loses_no_order_and_leaves_no_half_a_receipt() {
    let kills = if full() { 100 } else { 8 };
    let mut dice = Dice::thrown();
    let folder = Folder::new("crash");
    let books = Books::default();
    let mut last = 0;
    for _ in 0..kills {
        let stand = Stand::open(&folder.0);
        last = books.check(&folder.0, last);
        let (address, moment) = (stand.address, dice.moment(150_000));
        thread::scope(|scope| {
            let writer = || while books.order(address) == Outcome::Placed {};
            (0..WRITERS).for_each(|_| _ = scope.spawn(writer));
            thread::sleep(moment);
            stand.kill();
        });
    }
    let stand = Stand::open(&folder.0);
    let (orders, promised) = (books.check(&folder.0, 0), books.promised());
    let left = temporaries(&folder.0).len();
    println!("{kills} kills, {promised} orders promised of {orders}, {left} temporary files left");
    assert!(promised > kills, "hardly anything was written between the kills");
    assert!(left <= kills * POOL, "more than the receipts that were being written");
    stand.closes();
}

#[test]
fn kill_9_while_it_opens_leaves_a_folder_that_opens() {
    let kills = if full() { 100 } else { 10 };
    let mut dice = Dice::thrown();
    let mut folder = Folder::new("crash-open");
    for kill in 0..kills {
        if kill % 5 == 0 {
            folder = Folder::new("crash-open"); // in an empty one there is more to do
        }
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_demo"))
            .args(["serve", "--port", "0", "--data", folder.text()])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(dice.moment(60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        if kill % 5 == 4 {
            let stand = Stand::open(&folder.0);
            let books = Books::default();
            assert_eq!(books.order(stand.address), Outcome::Placed);
            books.check(&folder.0, 0);
            stand.closes();
        }
    }
}

/// Crashes must not fill the disk with what they leave.
#[test]
fn what_a_crash_left_half_written_is_gone_after_the_next_start() {
    let folder = Folder::new("leftovers");
    Stand::open(&folder.0).closes();
    for name in [".999999-0.tmp", "receipts/.999999-1.tmp", "receipts/.999999-2.tmp"] {
        fs::write(folder.0.join(name), "{\"half").unwrap();
    }
    fs::write(folder.0.join("receipts/notes.tmp"), "the user's").unwrap();
    Stand::open(&folder.0).closes();
    assert_eq!(temporaries(&folder.0), ["notes.tmp"]);
}

/// A call in a log of strace: from where to where, and what.
struct Call {
    begins: usize,
    ends: usize,
    text: String,
}

/// The page cache survives `kill -9`, so only the order of the calls shows what a power cut finds.
#[test]
fn order_receipt_and_folder_are_on_the_disk_before_the_answer_is_sent() {
    if strace::is_missing() {
        return;
    }
    let folder = Folder::new("order-of-calls");
    let stand = Stand::open(&folder.0);
    let trace = "trace=openat,write,pwrite64,fsync,fdatasync,?rename,?renameat,?renameat2,sendto";
    let strace = Strace::attach(stand.id(), &["-e".to_owned(), trace.to_owned()]);
    assert_eq!(Books::default().order(stand.address), Outcome::Placed);
    let log = strace.detach();
    let calls = calls(&log);
    let at = |name: &str, parts: &[&str]| {
        let is_it = |call: &&Call| {
            call.text.starts_with(name) && parts.iter().all(|part| call.text.contains(part))
        };
        calls.iter().rfind(is_it).unwrap_or_else(|| panic!("no {name} {parts:?} in\n{log}"))
    };
    let new = format!("receipts/.{}-", stand.id());
    let in_order = [
        at("pwrite64(", &["orders.db-wal"]),
        at("fsync(", &["orders.db-wal"]),
        at("openat(", &[&new, "O_CREAT|O_EXCL"]),
        at("write(", &[&new]),
        at("fsync(", &[&new]),
        at("rename", &[&new, "receipts/1.json"]),
        at("fsync(", &["/receipts>)"]),
        at("sendto(", &["HTTP/1.1 201 Created"]),
    ];
    for pair in in_order.windows(2) {
        let (first, second) = (&pair[0], &pair[1]);
        assert!(first.ends < second.begins, "{} before {}:\n{log}", first.text, second.text);
    }
    stand.closes();
}

/// A call that another thread's call came between is on two lines.
fn calls(log: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut open = std::collections::HashMap::new();
    for (number, line) in log.lines().enumerate() {
        let (thread, text) = line.split_once(' ').unwrap();
        let text = text.trim_start();
        if let Some(begun) = text.strip_suffix(" <unfinished ...>") {
            open.insert(thread, (number, begun));
        } else if text.starts_with("<... ") {
            // What was under way when strace came has no beginning.
            let Some((begins, begun)) = open.remove(thread) else { continue };
            let rest = text.split_once("resumed>").unwrap().1;
            calls.push(Call { begins, ends: number, text: format!("{begun}{rest}") });
        } else {
            calls.push(Call { begins: number, ends: number, text: text.to_owned() });
        }
    }
    assert!(calls.iter().all(|call| !call.text.contains(") = -1")), "a call failed:\n{log}");
    calls
}
