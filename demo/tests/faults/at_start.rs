//! What fails while the stand opens: then it says so, and what to do, and ends.

use std::process::Command;

use super::stand::{End, Stand, full};
use super::strace;
use crate::common::Folder;

/// Opens it under strace. The time limit is inside, since it outlives a strace that is killed.
fn open_while(calls: &str, error: &str, when: &str) -> End {
    open_in(&Folder::new("at-start"), calls, error, when, &[])
}

fn open_in(folder: &Folder, calls: &str, error: &str, when: &str, only: &[&str]) -> End {
    let log = folder.0.join("log");
    let (trace, inject) =
        (format!("trace={calls}"), format!("inject={calls}:error={error}:when={when}"));
    let strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", log.to_str().unwrap()];
    let faults = ["-e", &trace, "-e", &inject, "timeout", "-s", "KILL", "20"];
    let end = Stand::try_open(&[&strace[..], only, &faults].concat(), &folder.0, &[]);
    let end = end.err().unwrap_or_else(|| panic!("it opens in spite of {error} from {calls}"));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(strace::injected(&log) > 0, "nothing was tested: {calls} {error}");
    println!("{calls} {error}: {end:?}");
    assert_eq!(end.code, Some(1), "{calls} {error}: {}", end.errors);
    assert!(end.errors.starts_with("demo: "), "{calls} {error}: {}", end.errors);
    assert!(!end.errors.contains("panicked"), "{calls} {error}: {}", end.errors);
    end
}

#[test]
fn without_file_descriptors_it_says_what_to_do() {
    if strace::is_missing() {
        return;
    }
    for calls in ["epoll_create1", "eventfd2", "socket"] {
        let end = open_while(calls, "EMFILE", "1");
        assert!(end.errors.contains("ulimit -n"), "{calls}: {}", end.errors);
    }
}

#[test]
fn without_a_socket_it_says_so() {
    if strace::is_missing() {
        return;
    }
    for (calls, error) in [
        ("socket", "ENOBUFS"),
        ("bind", "EADDRNOTAVAIL"),
        ("listen", "EADDRINUSE"),
        ("epoll_ctl", "ENOSPC"),
    ] {
        open_while(calls, error, "1+");
    }
}

#[test]
fn without_threads_it_says_so() {
    if strace::is_missing() {
        return;
    }
    // Not `clone`: the shell's `timeout` needs that one to fork.
    open_while("?clone3", "EAGAIN", "2+"); // the first is for Ctrl-C
    open_while("?clone3", "EAGAIN", "1+");
}

#[test]
fn with_a_folder_that_cannot_be_used_it_says_what_to_do() {
    if strace::is_missing() {
        return;
    }
    for (call, error) in [("mkdir", "EROFS"), ("rename", "EIO"), ("fsync", "EIO")] {
        let end = open_while(call, error, "1+");
        assert!(end.errors.contains("--data"), "{call}: {}", end.errors);
    }
    for (call, error) in [("openat", "EACCES"), ("pread64", "EIO"), ("pwrite64", "ENOSPC")] {
        let folder = Folder::new("at-start");
        let database = folder.0.join("orders.db");
        let only = ["-P", database.to_str().unwrap()];
        let end = open_in(&folder, call, error, "1+", &only);
        assert!(end.errors.contains("--data"), "{call}: {}", end.errors);
    }
}

/// For real: with any number of file descriptors it opens, or says why not.
#[test]
fn with_few_file_descriptors_it_opens_or_says_why_not() {
    if Command::new("prlimit").arg("true").status().is_err() {
        super::stand::skip("there is no prlimit");
        return;
    }
    let limits = if full() { (5..=30).collect::<Vec<_>>() } else { vec![6, 9, 30] };
    for limit in limits {
        let folder = Folder::new("few");
        let wrapper = ["prlimit", &format!("--nofile={limit}")];
        match Stand::try_open(&wrapper, &folder.0, &[]) {
            Ok(stand) => stand.closes(),
            Err(end) => {
                println!("{limit}: {}", end.errors);
                assert_ne!(limit, 30, "enough to open: {}", end.errors);
                assert_eq!(end.code, Some(1), "{limit}: {}", end.errors);
                assert!(end.errors.contains("demo: "), "{limit}: {}", end.errors);
                assert!(!end.errors.contains("panicked"), "{limit}: {}", end.errors);
            }
        }
    }
}
