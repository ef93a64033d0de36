//! Idle is idle: nobody has anything to do, so no thread wakes up. Counted, not timed.

#![cfg(target_os = "linux")]

mod common;

#[allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
mod faults {
    pub mod stand;
}

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::{Client, Folder, LIMIT, get};
use faults::stand::{Stand, full};

const CONNECTIONS: usize = 1000;

/// How often each thread has gone to sleep: each wake-up ends in one more.
fn sleeps(stand: &Stand) -> BTreeMap<String, u64> {
    let tasks = fs::read_dir(format!("/proc/{}/task", stand.id())).unwrap();
    let count = |task: fs::DirEntry| {
        let status = fs::read_to_string(task.path().join("status")).unwrap();
        let field = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
        let thread = format!("{} {}", field("Name:"), field("Pid:"));
        (thread, field("voluntary_ctxt_switches:").parse().unwrap())
    };
    tasks.map(|task| count(task.unwrap())).collect()
}

#[test]
fn with_1000_idle_connections_no_thread_wakes_up() {
    // Both sides need more than the usual 1,024 file descriptors. If that fails, so does connecting.
    let own = std::process::id().to_string();
    let _ = Command::new("prlimit").args(["--pid", &own, "--nofile=4096:"]).status();
    let how_long = Duration::from_secs(if full() { 10 } else { 1 });

    let folder = Folder::new("idle");
    // Nobody is sent away meanwhile. That is a timer, but one that is not due.
    let stand = Stand::open_with(&[], &folder.0, &["--idle-timeout-ms", "60000"]);
    let mut clients = Vec::new();
    for number in 1..=CONNECTIONS {
        let mut client = Client::connect(stand.address);
        // The line at its door has 128 places: now and then we wait until we are inside.
        if number % 50 == 0 {
            client.send(get("/orders"));
            assert_eq!(client.answer().status, 200);
        }
        clients.push(client);
    }
    let descriptors = fs::read_dir(format!("/proc/{}/fd", stand.id())).unwrap().count();
    assert!(descriptors > CONNECTIONS, "only {descriptors}: not all of them were accepted");

    let before = settled(&stand);
    let cpu = stand.cpu();
    thread::sleep(how_long);
    let after = sleeps(&stand);
    println!("{} threads in {how_long:?}: {after:?}", after.len());
    assert_eq!(after, before, "a thread woke up in {how_long:?}");
    assert_eq!(stand.cpu(), cpu);

    for client in clients.iter_mut().step_by(100) {
        client.send(get("/orders"));
        assert_eq!(client.answer().status, 200, "and they are still connected");
    }
    assert_ne!(sleeps(&stand), after, "the count counts");
    stand.closes();
}

/// The counts, when what was begun is done.
fn settled(stand: &Stand) -> BTreeMap<String, u64> {
    let start = Instant::now();
    loop {
        let before = sleeps(stand);
        thread::sleep(Duration::from_millis(100));
        if sleeps(stand) == before {
            return before;
        }
        assert!(start.elapsed() < LIMIT, "it never comes to rest");
    }
}
