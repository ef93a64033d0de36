//! The burger stand of the page "Concurrency and async / await", on our own runtime.
//!
//! `runtime.rs` is the pairing of executor and reactor. `stand.rs` is the page itself.

mod app;
mod chart;
mod cli;
mod compare;
mod goroutines;
mod guard;
mod http;
mod kitchen;
mod latency;
mod loop_page;
mod pause;
mod ps;
mod replay;
mod runtime;
mod serve;
mod shutdown;
mod stand;
mod step;
mod store;
mod tour;
mod trace;
mod visit;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
