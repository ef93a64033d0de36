//! The operating system says no: each system call of the stand fails, one after the other.
//!
//! While it does nobody hangs and nothing spins, whoever gets a 201 has an order and a receipt, and
//! afterwards all is as before. `FAULTS=full cargo test -p demo --test faults` tries every error
//! of every call; without it each call has one.

#![cfg(all(target_os = "linux", feature = "sqlite"))]

mod common;

#[allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
mod faults {
    pub mod books;
    pub mod stand;
    pub mod storm;
    pub mod strace;

    mod at_start;
    mod database;
    mod files;
    mod for_real;
    mod readiness;
    mod signals;
    mod sockets;
}
