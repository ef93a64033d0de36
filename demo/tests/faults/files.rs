//! The recipe that is read and the receipts that are written: what has no readiness.

use super::stand::Stand;
use super::storm::{Notice, Storm, everywhere, file, new_receipts, survives};

const COSTS_THE_ORDER: Notice = Notice::OneOrderEach(500);

fn recipe(stand: &Stand) -> Vec<String> {
    file(stand, "recipe.txt")
}

fn receipts_folder(stand: &Stand) -> Vec<String> {
    file(stand, "receipts")
}

fn storm<'a>(
    calls: &'a str,
    errors: &'a [&str],
    files: fn(&Stand) -> Vec<String>,
    notice: Notice,
) -> Storm<'a> {
    Storm { calls, errors, when: "1+3", files, notice }
}

#[test]
fn a_recipe_that_cannot_be_read_is_500() {
    survives(&[
        storm("openat", &["EMFILE", "ENFILE", "EACCES"], recipe, COSTS_THE_ORDER),
        storm("read", &["EIO", "EISDIR"], recipe, COSTS_THE_ORDER),
    ]);
}

#[test]
fn a_receipt_that_cannot_be_made_is_500() {
    survives(&[storm(
        "openat",
        &["EMFILE", "ENOSPC", "EROFS", "EDQUOT"],
        new_receipts,
        COSTS_THE_ORDER,
    )]);
}

#[test]
fn a_receipt_that_cannot_be_written_is_500_and_no_half_of_it_stays() {
    survives(&[storm("write", &["ENOSPC", "EIO", "EDQUOT"], new_receipts, COSTS_THE_ORDER)]);
}

#[test]
fn a_receipt_that_cannot_be_synced_is_never_a_success() {
    survives(&[storm("fsync", &["EIO", "ENOSPC"], new_receipts, COSTS_THE_ORDER)]);
}

#[test]
fn a_receipt_that_cannot_be_renamed_is_500_and_does_not_stay() {
    survives(&[storm("rename", &["EIO", "ENOSPC"], new_receipts, COSTS_THE_ORDER)]);
}

#[test]
fn a_folder_that_cannot_be_synced_is_never_a_success() {
    survives(&[
        storm("fsync", &["EIO"], receipts_folder, COSTS_THE_ORDER),
        storm("openat", &["EMFILE"], receipts_folder, COSTS_THE_ORDER),
    ]);
}

#[test]
fn file_operations_that_are_interrupted_are_tried_again() {
    survives(&[
        storm("openat,read", &["EINTR"], recipe, Notice::Nothing),
        storm("openat,write", &["EINTR"], new_receipts, Notice::Nothing),
        storm("fsync", &["EINTR"], new_receipts, Notice::Nothing),
        storm("openat,fsync", &["EINTR"], receipts_folder, Notice::Nothing),
    ]);
}

#[test]
fn a_pool_that_cannot_grow_works_with_the_threads_it_has() {
    let (calls, errors) = ("?clone3,?clone", &["EAGAIN"]);
    survives(&[Storm { calls, errors, when: "1+", files: everywhere, notice: Notice::Nothing }]);
}
