//! What stands between the reactor and the world when there is a tape.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::task::Waker;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, SendError, Sender, unbounded};

use super::tape::{Answer, Call, Plan, Record, Tape, Turn};
use crate::current;
use crate::observe::By;
use crate::os::Os;
use crate::pool::guarded;
use crate::reactor::Inner;
use crate::source::{Direction, News, Ready, SourceKey};

/// How long a replay waits for what has happened before, longer than it took then. It is waited
/// for in pieces, and pieces are counted: who stops at a breakpoint uses up one of them.
const PATIENCE: u32 = 100;
const PIECE: Duration = Duration::from_millis(100);
/// And never longer than this.
const HOUR: Duration = Duration::from_secs(3600);

/// A job's end: puts the result where the future finds it. None: that is gone; else whom to wake.
pub(crate) type Finish = Box<dyn FnOnce() -> Option<Option<Waker>> + Send>;

/// A job, and its end.
type Finished = (u64, Finish);

/// The two doors, with somebody who writes down or reads out.
pub(crate) struct Seam {
    pub(super) tape: RefCell<Tape>,
    start: Instant,
    /// Where the pool's threads hand in the jobs that are done.
    hand_in: Sender<Finished>,
    finished: Receiver<Finished>,
    /// Those whose turn has not come.
    early: RefCell<BTreeMap<u64, Finish>>,
    /// Who wants to know when the replay leaves the tape.
    pub(super) watcher: RefCell<Option<Waker>>,
}

impl Seam {
    pub(super) fn new(tape: Tape, start: Instant) -> Seam {
        let (hand_in, finished) = unbounded();
        let (early, watcher) = (RefCell::default(), RefCell::default());
        Seam { tape: RefCell::new(tape), start, hand_in, finished, early, watcher }
    }

    /// For the thread that does a job: where it tells that it is done.
    pub(crate) fn ending(&self, job: u64, interrupt: Waker) -> impl FnOnce(Finish) + use<> {
        let hand_in = self.hand_in.clone();
        move |finish| {
            // If the reactor is gone there will be no turn.
            if let Err(SendError((_, finish))) = hand_in.send((job, finish)) {
                outside_of_turns(finish);
            }
            interrupt.wake();
        }
    }

    /// From here on the run is another one. Says so to whoever waits for that; if nobody does, to
    /// the caller.
    fn diverge(&self, why: &str) -> io::Result<()> {
        let why = self.tape.borrow_mut().leave(why);
        match self.watcher.take() {
            Some(watcher) => watcher.wake(),
            None => return Err(io::Error::other(why)),
        }
        Ok(())
    }

    /// Waits for a job that was done by now, the last time.
    fn await_job(&self, job: u64, took: Duration) -> Option<Finish> {
        let mut early = self.early.borrow_mut();
        let took = (took.min(HOUR).as_millis() / PIECE.as_millis()) as u32;
        for _ in 0..PATIENCE + took {
            early.extend(self.finished.try_iter());
            if let Some(finish) = early.remove(&job) {
                return Some(finish);
            }
            early.extend(self.finished.recv_timeout(PIECE));
        }
        early.remove(&job)
    }
}

/// What a reactor does that has a tape.
impl Inner {
    /// Steps 1 to 3 of a turn.
    #[cold]
    pub(crate) fn turn_on_tape(
        &self,
        seam: &Seam,
        limit: Option<Duration>,
        woken: &mut Vec<(By, Waker)>,
    ) -> io::Result<()> {
        let (sources, timers) = (self.sources.borrow().len(), self.timers.borrow().len());
        let turn = Turn { sources, timers, ..Turn::default() };
        let recording = seam.tape.borrow().is_recording();
        if recording {
            self.record(seam, limit, turn, woken)
        } else {
            self.replay(seam, &turn, woken)
        }
    }

    fn record(
        &self,
        seam: &Seam,
        limit: Option<Duration>,
        mut turn: Turn,
        woken: &mut Vec<(By, Waker)>,
    ) -> io::Result<()> {
        self.clock.set(Instant::now()); // the time that the polls took counts for the timers
        self.wait(limit)?;
        self.clock.set(Instant::now());
        turn.at = self.clock.now() - seam.start;
        for (job, finish) in seam.finished.try_iter() {
            if let Some(waker) = finish() {
                woken.extend(waker.map(|waker| (By::Job { job }, waker)));
                turn.jobs.push(job);
            }
        }
        for event in self.os.borrow().events() {
            let news = News::of(event);
            if self.mark_ready(&news, Ready::OnTape, woken) {
                turn.ready.push(news);
            }
        }
        seam.tape.borrow_mut().next(turn);
        Ok(())
    }

    fn replay(&self, seam: &Seam, found: &Turn, woken: &mut Vec<(By, Waker)>) -> io::Result<()> {
        let next = seam.tape.borrow_mut().read(found);
        let Record { turn, took } = match next {
            Ok(next) => next,
            Err(why) => return seam.diverge(&why),
        };
        if let Some(at) = seam.start.checked_add(turn.at) {
            self.clock.set(at);
        }
        for job in turn.jobs {
            let Some(finish) = seam.await_job(job, took) else {
                return seam.diverge(&format!("job {job} was done here, and now it is not"));
            };
            woken.extend(finish().flatten().map(|waker| (By::Job { job }, waker)));
        }
        for news in turn.ready {
            if !self.mark_ready(&news, Ready::OnTape, woken) {
                let slot = news.slot;
                return seam.diverge(&format!("source {slot} was ready here, and is not there"));
            }
        }
        Ok(())
    }
}

/// The other door: a call that is worth a try. Whoever does something else than the last time is
/// parked; the next turn says what it was.
#[cold]
#[inline(never)]
pub(crate) fn on_tape<R>(
    key: SourceKey,
    direction: Direction,
    attempt: &mut dyn FnMut() -> io::Result<R>,
) -> io::Result<R> {
    let reactor = current::current()?;
    let Some(seam) = &reactor.seam else { return attempt() };
    let plan = seam.tape.borrow_mut().plan(key.slot, direction);
    let result = match plan {
        Plan::Free => insist(attempt),
        Plan::Repeat => insist_patiently(&reactor.os, attempt),
        Plan::Park => Err(io::ErrorKind::WouldBlock.into()),
    };
    let call = Call { slot: key.slot, direction, answer: Answer::of(&result) };
    let same = seam.tape.borrow_mut().answered(call);
    if same { result } else { Err(io::ErrorKind::WouldBlock.into()) }
}

/// What could be done at once the last time may take a moment now.
fn insist_patiently<R>(
    os: &RefCell<Os>,
    attempt: &mut dyn FnMut() -> io::Result<R>,
) -> io::Result<R> {
    for _ in 0..PATIENCE {
        match insist(attempt) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // There will be an event, since the system has just said that it is not ready.
                os.borrow_mut().wait(Some(PIECE))?;
            }
            result => return result,
        }
    }
    insist(attempt)
}

/// A signal is no answer.
fn insist<R>(attempt: &mut dyn FnMut() -> io::Result<R>) -> io::Result<R> {
    loop {
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl Drop for Seam {
    fn drop(&mut self) {
        let _ = self.tape.get_mut().end();
        // No turn will come for them, but somebody may still hold their futures.
        self.early.get_mut().extend(self.finished.try_iter());
        for finish in std::mem::take(self.early.get_mut()).into_values() {
            outside_of_turns(finish);
        }
    }
}

/// As it would be without a tape.
fn outside_of_turns(finish: Finish) {
    if let Some(Some(waker)) = finish() {
        guarded(|| waker.wake());
    }
}
