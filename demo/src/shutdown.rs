//! Ctrl-C, as a coroutine that is woken from another thread.
//!
//! ```text
//!   the thread of the `ctrlc` crate              the executor's thread
//!   -------------------------------              ---------------------
//!   waits for the signal                         ctrl_c().await: leaves its waker, parks
//!   pressed = true, takes the waker
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

struct Key {
    pressed: bool,
    /// Who waits for it.
    waker: Option<Waker>,
}

static KEY: Mutex<Key> = Mutex::new(Key { pressed: false, waker: None });

/// Ready when somebody has pressed Ctrl-C.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct CtrlC(());

/// From now on the first Ctrl-C wakes whoever awaits this, and the second one ends the process.
pub(crate) fn ctrl_c() -> Result<CtrlC, Failure> {
    ctrlc::set_handler(press)?;
    Ok(CtrlC(()))
}

fn press() {
    let mut key = key();
    if key.pressed {
        process::exit(INTERRUPTED);
    }
    key.pressed = true;
    let waker = key.waker.take();
    drop(key);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Future for CtrlC {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut key = key();
        if key.pressed {
            return Poll::Ready(());
        }
        key.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn key() -> MutexGuard<'static, Key> {
    KEY.lock().unwrap_or_else(PoisonError::into_inner)
}
