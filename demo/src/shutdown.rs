//! Ctrl-C, as a coroutine that is woken from another thread.
//!
//! ```text
//!   the thread of the `ctrlc` crate              the executor's thread
//!   -------------------------------              ---------------------
//!   waits for the signal                         ctrl_c().await: leaves its waker, parks
//!   raises the flag, takes the waker
//!   waker.wake()  -- sends a number -->          the park is interrupted, the task is polled
//! ```
//!
//! The first one asks us to close; a second one does not ask. SIGTERM is the same to us.

use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::{future::Future, pin::Pin};

use crate::cli::Failure;

/// What a shell reports for a program that was ended by Ctrl-C: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

static CTRL_C: Flag = Flag::new();

/// From now on the first Ctrl-C wakes whoever awaits this, and the second one ends the process.
pub(crate) fn ctrl_c() -> Result<Raised<'static>, Failure> {
    ctrlc::set_handler(|| {
        if !CTRL_C.raise() {
            process::exit(INTERRUPTED);
        }
    })?;
    Ok(also_ctrl_c())
}

/// For another thread that wants to know of it. Somebody must have called [`ctrl_c`].
pub(crate) fn also_ctrl_c() -> Raised<'static> {
    CTRL_C.raised()
}

/// Is raised once. Coroutines of any executor, on any thread, may wait for that.
#[derive(Debug)]
pub(crate) struct Flag(Mutex<State>);

#[derive(Debug)]
struct State {
    raised: bool,
    /// Who waits for it.
    wakers: Vec<Waker>,
}

/// Ready when the flag is raised.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Raised<'a>(&'a Flag);

impl Flag {
    pub(crate) const fn new() -> Flag {
        Flag(Mutex::new(State { raised: false, wakers: Vec::new() }))
    }

    /// False: it was raised before.
    pub(crate) fn raise(&self) -> bool {
        let mut state = self.lock();
        let first = !std::mem::replace(&mut state.raised, true);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state); // wakers are foreign code
        wakers.into_iter().for_each(Waker::wake);
        first
    }

    pub(crate) fn raised(&self) -> Raised<'_> {
        Raised(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Raised<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.raised {
            return Poll::Ready(());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}
