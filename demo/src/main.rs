//! The burger stand of the page "Concurrency and async / await", on our own runtime.
//!
//! `runtime.rs` is the pairing of executor and reactor. `stand.rs` is the page itself.

mod cli;
mod compare;
mod goroutines;
mod latency;
mod runtime;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
