//! Any bytes at all, against the parser and the second opinion of the tests.

#![no_main]

#[path = "../../tests/bad_input/invariants.rs"]
mod invariants;
#[path = "../../tests/bad_input/parser.rs"]
mod parser;
#[path = "../../tests/bad_input/reference.rs"]
mod reference;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Most of them get the short look, which is five times faster.
    if bytes.len().is_multiple_of(8) {
        let cut = bytes.len() / 2 + bytes.first().copied().map_or(0, usize::from);
        invariants::check_closely(bytes, cut, b"\r\n\r\n");
    } else {
        let _ = invariants::check(bytes);
    }
});
