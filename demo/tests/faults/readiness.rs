//! epoll and its eventfd: what parks the executor, and what wakes it from other threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::books::{Books, Outcome};
use super::stand::Stand;
use super::storm::{Notice, Storm, everywhere, recovers, survives};
use super::strace::{self, Strace, inject, injected};
use crate::common::{Folder, get};

const EPOLL_WAIT: &str = "?epoll_wait,epoll_pwait";

fn eventfd(_: &Stand) -> Vec<String> {
    vec!["anon_inode:[eventfd]".to_owned()]
}

#[test]
fn a_park_that_is_interrupted_is_a_park_without_events() {
    let (calls, notice) = (EPOLL_WAIT, Notice::Nothing);
    survives(&[Storm { calls, errors: &["EINTR"], when: "1+2", files: everywhere, notice }]);
}

#[test]
fn a_readiness_queue_that_is_broken_ends_the_process_with_a_message() {
    if strace::is_missing() {
        return;
    }
    let folder = Folder::new("broken-queue");
    let stand = Stand::open(&folder.0);
    let mut idle = crate::common::Client::connect(stand.address);
    let strace = Strace::attach(stand.id(), &inject(EPOLL_WAIT, "EBADF", "1+", &[]));
    idle.send(get("/orders")); // the wait that is under way when strace comes must end first
    let end = stand.wait();
    assert!(injected(&strace.detach()) > 0);
    assert_eq!(end.code, Some(101), "{}", end.errors);
    assert!(end.errors.contains("the system's event queue works"), "{}", end.errors);
    while !idle.is_closed() {} // perhaps after an answer
}

#[test]
fn a_wake_that_the_system_refuses_once_is_tried_again() {
    let (calls, notice) = ("write", Notice::Nothing);
    let errors = &["EIO", "ENOSPC", "EAGAIN", "EINTR"];
    survives(&[Storm { calls, errors, when: "1+3", files: eventfd, notice }]);
}

/// The woken task is in the executor's inbox, which is looked at after each park.
#[test]
fn a_wake_that_the_system_always_refuses_is_made_good_by_the_next_event() {
    if strace::is_missing() {
        return;
    }
    let folder = Folder::new("no-wake");
    let stand = Stand::open(&folder.0);
    let books = Books::default();
    let over = AtomicBool::new(false);
    let strace = Strace::attach(stand.id(), &inject("write", "EIO", "1+", &eventfd(&stand)));
    let outcomes = thread::scope(|scope| {
        // Somebody who comes and goes: each time that is an event. Not so often that the executor,
        // slowed down by strace, never sleeps: then nobody would have to wake it.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                drop(crate::common::Client::connect(stand.address));
                thread::sleep(Duration::from_millis(20));
            }
        });
        let outcomes = books.crowd(stand.address, 2, 5);
        over.store(true, Ordering::Relaxed);
        outcomes
    });
    stand.does_not_spin(Duration::from_millis(200));
    assert!(injected(&strace.detach()) > 0);
    assert_eq!(outcomes, [Outcome::Placed; 10]);
    recovers(&stand, &books, "no wake");
    stand.closes();
}

#[test]
fn a_source_that_cannot_be_registered_costs_its_connection_only() {
    let (calls, notice) = ("epoll_ctl", Notice::SomeOrders);
    let errors = &["ENOSPC", "ENOMEM"];
    survives(&[Storm { calls, errors, when: "2+11", files: everywhere, notice }]);
}
