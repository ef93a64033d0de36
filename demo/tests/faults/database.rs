//! The files of SQLite: the log that orders are written to, and the database itself.

use super::stand::Stand;
use super::storm::{Notice, Storm, file, survives};

fn log(stand: &Stand) -> Vec<String> {
    file(stand, "orders.db-wal")
}

#[test]
fn an_order_that_cannot_be_written_is_500() {
    let notice = Notice::OneOrderEach(500);
    let errors = &["ENOSPC", "EIO", "EDQUOT"];
    survives(&[Storm { calls: "pwrite64", errors, when: "1+5", files: log, notice }]);
}

/// Not even EINTR, which a local disk never says, is tried again: that is for SQLite to decide.
#[test]
fn an_order_that_cannot_be_synced_is_never_a_success() {
    let notice = Notice::OneOrderEach(500);
    let errors = &["EIO", "ENOSPC", "EINTR"];
    survives(&[Storm { calls: "fsync", errors, when: "1+3", files: log, notice }]);
}

#[test]
fn a_write_to_the_database_that_is_interrupted_is_tried_again() {
    let notice = Notice::Nothing;
    survives(&[Storm { calls: "pwrite64", errors: &["EINTR"], when: "1+2", files: log, notice }]);
}
