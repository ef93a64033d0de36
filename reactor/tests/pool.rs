//! The threads for blocking jobs: what they are called, and what becomes of a job without one.
#![cfg(unix)]

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};
use std::thread;

use common::child::as_child;
use common::{paired, run, watch};
use executor::join_all;
use reactor::Reactor;
use reactor::blocking::{JoinError, MAX_THREADS, spawn_blocking};
use reactor::observe::Event;

#[test]
fn its_threads_are_numbered_from_one() {
    run(async || {
        let all = Arc::new(Barrier::new(MAX_THREADS));
        let jobs = (0..MAX_THREADS).map(|_| {
            let all = all.clone();
            spawn_blocking(move || {
                all.wait(); // so that each job has a thread of its own
                thread::current().name().map(str::to_owned)
            })
        });
        let names: BTreeSet<_> =
            join_all(jobs).await.into_iter().map(|name| name.unwrap().unwrap()).collect();
        let expected: BTreeSet<_> = (1..=MAX_THREADS).map(|n| format!("blocking-{n}")).collect();
        assert_eq!(names, expected);
    });
}

#[test]
fn jobs_are_numbered_and_say_where_they_were_made() {
    watch(async |world| {
        for number in 1..=3 {
            let job = spawn_blocking(|| ());
            let text = format!("{job:?}");
            assert!(text.contains(&format!("job: {number},")), "{text}");
            assert!(text.contains(file!()), "{text}");
            job.await.unwrap();
        }
        let queued = world.events().into_iter().filter_map(|event| match event {
            Event::JobQueued { job, .. } => Some(job),
            _ => None,
        });
        assert_eq!(queued.collect::<Vec<_>>(), [1, 2, 3]);
    });
}

#[test]
fn errors_are_printed_without_what_a_panic_carries() {
    run(async || {
        let panicked: Result<(), _> = spawn_blocking(|| panic!("no buns")).await;
        assert_eq!(format!("{:?}", panicked.unwrap_err()), "Panicked(..)");
        assert_eq!(format!("{:?}", JoinError::Cancelled), "Cancelled");
    });
}

/// Sets how much memory this process may map; the system's tool does, or says that it cannot.
#[cfg(target_os = "linux")]
fn limit_memory(bytes: &str) -> bool {
    let me = std::process::id().to_string();
    let limit = format!("--as={bytes}");
    let mut prlimit = std::process::Command::new("prlimit");
    prlimit.args(["--pid", &me, &limit]).status().is_ok_and(|s| s.success())
}

/// How much it may map.
#[cfg(target_os = "linux")]
fn memory_limit() -> String {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max address space")).unwrap();
    line.split_whitespace().nth(3).unwrap().to_owned()
}

/// How much it has mapped, in bytes.
#[cfg(target_os = "linux")]
fn mapped() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').next().unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
#[cfg(target_os = "linux")]
fn a_job_for_which_no_thread_can_be_started_is_cancelled_and_the_next_one_is_not() {
    as_child("", || {
        paired(&Reactor::new().unwrap(), async {
            let (limit, mapped) = (memory_limit(), mapped());
            // A sanitizer has mapped terabytes, and may need more. Else: less than a stack.
            if mapped > 1 << 40 || !limit_memory(&format!("{}:", mapped + (1 << 20))) {
                println!("skipped: how much is mapped cannot be limited here");
                return;
            }
            assert!(thread::Builder::new().spawn(|| ()).is_err(), "no thread can be started");
            let error = spawn_blocking(|| ()).await.unwrap_err();
            assert!(error.is_cancelled(), "{error}");
            assert!(limit_memory(&format!("{limit}:")));
            assert_eq!(spawn_blocking(|| 7).await.unwrap(), 7);
        });
    });
}

#[test]
fn a_reactor_that_is_dropped_in_peace_says_nothing() {
    let stderr = as_child("", || {
        paired(&Reactor::new().unwrap(), async { spawn_blocking(|| ()).await.unwrap() });
    });
    assert_eq!(stderr.unwrap_or_default(), "");
}
