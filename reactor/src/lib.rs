//! A reactor to learn from: it parks on readiness, and wakes.
//!
//! An operation that cannot go on leaves a [`Waker`](std::task::Waker) here and returns `Pending`.
//! When its executor has nothing left to poll, it calls [`Reactor::turn`]: the thread sleeps until
//! the operating system says that a socket is ready, or a timer is due, and wakes who waited.
//! This crate knows nothing of executors; any executor will do that calls `turn` when it is idle.
//!
//! ```text
//!   who parks?   io.rs        the future: WouldBlock becomes Pending
//!                reactor.rs   the thread: turn
//!   who wakes?   reactor.rs   turn: sources that are ready, timers that are due
//!                blocking.rs  a thread of the pool: a job that is done
//! ```
//!
//! Read in this order: [`Reactor`], `io.rs`, `source.rs`, `timers.rs`, [`time`], [`net`], [`blocking`],
//! [`fs`]. What touches the operating system's clock and readiness is in `os.rs`, and `replay.rs` is
//! how a run is recorded there, and repeated.

mod anchor;
pub mod blocking;
mod current;
mod farewell;
pub mod fs;
mod io;
pub mod net;
pub mod observe;
mod os;
mod pool;
mod reactor;
mod replay;
mod source;
pub mod time;
mod timers;

pub use current::Entered;
pub use io::{Async, Io};
pub use reactor::Reactor;
pub use source::Direction;

/// The program in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
