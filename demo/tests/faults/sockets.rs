//! The sockets of the stand, of its kitchen, and of the stand as the kitchen's client.

use std::time::Duration;

use super::books::Books;
use super::stand::Stand;
use super::storm::{Notice, Storm, everywhere, recovers, survives};
use super::strace::{self, Strace, inject, injected};
use crate::common::{Client, Folder, get};

fn storm<'a>(calls: &'a str, errors: &'a [&str], when: &'a str, notice: Notice) -> Storm<'a> {
    Storm { calls, errors, when, files: everywhere, notice }
}

#[test]
fn a_connection_that_breaks_off_before_it_is_accepted_is_nobodys_trouble() {
    survives(&[storm("accept4", &["ECONNABORTED", "EINTR"], "1+3", Notice::Nothing)]);
}

#[test]
fn without_file_descriptors_or_memory_accepting_goes_on_a_little_later() {
    let errors = &["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"];
    survives(&[storm("accept4", errors, "2+29", Notice::Nothing)]);
}

#[test]
fn an_error_of_accept_that_nobody_foresaw_is_told_and_accepting_goes_on() {
    survives(&[storm("accept4", &["EPERM", "EPROTO", "ENETDOWN"], "2+29", Notice::Nothing)]);
}

#[test]
fn while_nothing_can_be_accepted_nothing_spins_and_whoever_waits_is_served_later() {
    if strace::is_missing() {
        return;
    }
    let folder = Folder::new("no-accept");
    let stand = Stand::open(&folder.0);
    for error in ["EMFILE", "EPERM"] {
        let strace = Strace::attach(stand.id(), &inject("accept4", error, "1+", &[]));
        let mut client = Client::connect(stand.address);
        client.send(get("/orders"));
        stand.does_not_spin(Duration::from_millis(500));
        let tries = injected(&strace.detach());
        assert!((1..=10).contains(&tries), "{tries} times {error} in half a second");
        assert_eq!(client.answer().status, 200);
    }
    recovers(&stand, &Books::default(), "accepting nothing");
    stand.closes();
}

#[test]
fn a_connection_that_cannot_be_read_ends_and_the_others_go_on() {
    survives(&[storm("recvfrom", &["ECONNRESET", "ENOBUFS", "ENOMEM"], "2+7", Notice::SomeOrders)]);
}

#[test]
fn a_connection_that_cannot_be_written_ends_and_the_others_go_on() {
    survives(&[storm("sendto", &["EPIPE", "ENOBUFS", "ECONNRESET"], "2+5", Notice::SomeOrders)]);
}

#[test]
fn reading_and_writing_that_is_interrupted_is_tried_again() {
    survives(&[
        storm("recvfrom", &["EINTR"], "1+2", Notice::Nothing),
        storm("sendto", &["EINTR"], "1+2", Notice::Nothing),
    ]);
}

#[test]
fn a_kitchen_that_cannot_be_reached_is_502() {
    survives(&[
        storm("socket", &["EMFILE", "ENOBUFS"], "1+3", Notice::OneOrderEach(502)),
        storm(
            "connect",
            &["ECONNREFUSED", "ENETUNREACH", "ETIMEDOUT"],
            "1+3",
            Notice::OneOrderEach(502),
        ),
        storm("getsockopt,getpeername", &["ENOBUFS"], "1+3", Notice::OneOrderEach(502)),
    ]);
}

#[test]
fn an_option_that_cannot_be_set_and_a_half_that_cannot_be_closed_change_nothing() {
    survives(&[
        storm("setsockopt", &["EINVAL"], "1+2", Notice::Nothing),
        storm("shutdown", &["ENOTCONN"], "1+2", Notice::Nothing),
    ]);
}
