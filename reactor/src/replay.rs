//! Records what comes from outside, and plays it back: the same run, once more.
//!
//! ```text
//!            the world: sockets, clock, threads            coroutines, executor
//!            ----------------------------------            --------------------
//!   turn     who is ready, what time it is, which
//!            jobs are done                         ----->  who is polled, in which order
//!   a call   done, not yet, an error               <---->  which way a poll goes on
//!
//!   record:  both doors are open, and what comes through is written down
//!   replay:  the turn asks nobody, it says what is written; a call that was done is done again,
//!            as soon as the system can; one that had to wait is not even tried
//! ```
//!
//! On one thread that is enough. Between two answers from outside a program does what it did
//! before, since nothing else runs that could come between. So the file is short: a line for each
//! turn. What passes through a socket is not in it, because a replay really sends it again.
//!
//! Two things are different from an ordinary run, in both modes: the clock stands still between
//! two turns, and a blocking job tells its coroutine in a turn, not from its own thread.
//!
//! What comes in by another way is not recorded: wakes by threads of your own, signals, random
//! numbers, the order in which blocking jobs that run at once do their work, and a write to a
//! stream that is cut in two because the other side does not read.

mod line;
mod seam;
mod tape;

use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::task::Poll;

use crate::os::Clock;
use crate::reactor::Reactor;
pub(crate) use seam::{Seam, on_tape};
use tape::Tape;

impl Reactor {
    /// A reactor that writes to `to` what comes from outside, one line for each
    /// [`turn`](Reactor::turn). [`with_replay`](Reactor::with_replay) makes the same run of it.
    ///
    /// Each line is one call of `write_all`, so a run that crashes leaves what led to it.
    /// [`end_tape`](Reactor::end_tape) tells whether all of it could be written.
    ///
    /// # Errors
    /// As [`new`](Reactor::new) has, and those of `to` with the first lines.
    pub fn with_recording(to: impl Write + 'static) -> io::Result<Reactor> {
        Reactor::with_tape(Tape::record(to)?)
    }

    /// A reactor that plays back a recording: the same program does the same again on it, poll
    /// by poll, at the recorded time. It waits for nothing but what it needs: a job's result, bytes
    /// that are on their way.
    ///
    /// If the program does something else than it did, [`turn`](Reactor::turn) fails and says
    /// where; see [`diverged`](Reactor::diverged).
    ///
    /// ```
    /// # use std::{cell::RefCell, rc::Rc, time::Duration, io};
    /// # #[derive(Clone, Default)] struct Shared(Rc<RefCell<Vec<u8>>>);
    /// # impl io::Write for Shared {
    /// #     fn write(&mut self, b: &[u8]) -> io::Result<usize> { self.0.borrow_mut().write(b) }
    /// #     fn flush(&mut self) -> io::Result<()> { Ok(()) }
    /// # }
    /// use reactor::{Reactor, time};
    ///
    /// let run = |reactor: &Reactor| {
    ///     let _entered = reactor.enter();
    ///     let nap = async {
    ///         let start = time::now();
    ///         time::sleep(Duration::from_millis(5)).await;
    ///         time::now() - start
    ///     };
    ///     executor::Executor::new(reactor.waker()).block_on(nap, |limit| reactor.turn(limit).unwrap())
    /// };
    /// let file = Shared::default();
    /// let once = run(&Reactor::with_recording(file.clone())?);
    /// let recording = String::from_utf8(file.0.take()).unwrap();
    /// let again = run(&Reactor::with_replay(&recording)?);
    /// assert_eq!(once, again); // to the nanosecond
    /// # io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Reactor::new) has, and if `recording` is not one.
    pub fn with_replay(recording: &str) -> io::Result<Reactor> {
        let tape = Tape::replay(recording)
            .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
        Reactor::with_tape(tape)
    }

    fn with_tape(tape: Tape) -> io::Result<Reactor> {
        let clock = Clock::standing();
        let seam = Seam::new(tape, clock.now());
        Reactor::with(clock, Some(Box::new(seam)))
    }

    /// Waits until a replay does something else than what was recorded, and says what. Never, for
    /// any other reactor.
    ///
    /// Whoever waits here is woken instead of the [`turn`](Reactor::turn) failing.
    pub fn diverged(&self) -> impl Future<Output = io::Error> {
        let reactor = self.inner.clone();
        poll_fn(move |cx| {
            let Some(seam) = &reactor.seam else { return Poll::Pending };
            if let Some(why) = seam.tape.borrow().trouble() {
                return Poll::Ready(io::Error::other(why.to_owned()));
            }
            let _old = seam.watcher.replace(Some(cx.waker().clone()));
            Poll::Pending
        })
    }

    /// After a run: ends a recording, or says whether a replay has come to the end of its own.
    /// Gives the number of turns; none without a tape.
    ///
    /// # Errors
    /// Those of the writer, or where the replay differs from what was recorded.
    pub fn end_tape(&self) -> io::Result<u64> {
        let Some(seam) = &self.inner.seam else { return Ok(0) };
        seam.tape.borrow_mut().end().map_err(io::Error::other)
    }
}
