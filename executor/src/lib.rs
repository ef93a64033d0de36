//! A single-threaded executor to learn from.
//!
//! An `async fn` is a coroutine: a value that starts, may pause at each `.await`, and ends. Somebody
//! has to *poll* it, somebody has to remember it while it is *parked*, and somebody has to *wake* it.
//! This crate polls. It knows nothing of sockets or timers; a reactor is plugged in by a closure.
//!
//! ```text
//!   who polls?   executor.rs    the loop        scheduler.rs   poll_task, the one place
//!   who parks?   the coroutine, by returning Pending; the thread, in the park closure
//!   who wakes?   key.rs         the waker, a number            current.rs    wake
//! ```
//!
//! Read in this order: [`Executor`] (the loop), `key.rs` (a waker is a number), `task.rs` (what is
//! known of a task), `body.rs` (what it runs), `scheduler.rs` (its life), `remote.rs` (other
//! threads), `join.rs`; then [`channel`] and the combinators, which are ordinary futures.
//! `counted.rs` and [`observe`] are for those who watch.
//!
//! ```
//! use executor::{block_on, channel, spawn};
//!
//! let sum = block_on(async {
//!     let (sender, receiver) = channel::bounded(1);
//!     spawn(async move {
//!         for n in 1..=3 {
//!             sender.send(n).await.unwrap(); // parks while the channel is full
//!         }
//!     });
//!     let mut sum = 0;
//!     while let Some(n) = receiver.recv().await {
//!         sum += n; // parks while it is empty, ends when the sender is gone
//!     }
//!     sum
//! });
//! assert_eq!(sum, 6);
//! ```

// For debuggers: it loads the commands of executor/debugger into gdb.
#![debugger_visualizer(gdb_script_file = "../debugger/embedded.py")]

mod bell;
mod body;
pub mod channel;
mod combine;
mod counted;
mod current;
mod executor;
mod join;
mod key;
pub mod observe;
mod ready;
mod remote;
mod scheduler;
#[cfg(debug_assertions)]
mod scratch;
mod task;

pub use combine::{Either, Join, JoinAll, Race, YieldNow, join, join_all, race, yield_now};
pub use current::{current_task, spawn};
pub use executor::{BUDGET, Executor, block_on};
pub use join::{JoinError, JoinHandle};
pub use task::{TaskId, WokenBy};
