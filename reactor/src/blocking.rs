//! What has no readiness runs on threads: files, SQLite, host names.
//!
//! ```text
//!   executor's thread                         one of the pool's threads
//!   -----------------                         -------------------------
//!   spawn_blocking(closure) --- channel --->  takes the next job, runs the closure
//!   await: leaves its waker, Pending
//!     ... polls others, parks ...             puts the result where the future finds it
//!   the task is woken  <------- wake() -----  and wakes the coroutine
//! ```
//!
//! The operating system never says that a file is ready: it always is, and reading it blocks. So
//! the thread that must not block hands the work to one that may. tokio does the same.

mod error;

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::current;
use crate::observe::{Event, Wait};
use crate::os;
use crate::pool::guarded;
pub use crate::pool::{GRACE, MAX_THREADS};
pub use error::JoinError;

/// Runs `job` on one of the reactor's threads for blocking work.
///
/// Jobs start in the order in which they come, at most [`MAX_THREADS`] at a time. Dropping the
/// future before the job has started cancels it; once started, it runs to its end.
///
/// When the reactor is dropped, jobs in line are cancelled. It waits for those that run, at most
/// [`GRACE`]; if some run even longer it says so on stderr and leaves them behind.
///
/// # Panics
/// If there is no reactor on this thread.
///
/// ```
/// # let reactor = reactor::Reactor::new().unwrap();
/// # let _entered = reactor.enter();
/// # executor::Executor::new(reactor.waker()).block_on(async {
/// let sum = reactor::blocking::spawn_blocking(|| (1..=100).sum::<u32>()).await;
/// assert_eq!(sum.unwrap(), 5050);
/// # }, |limit| reactor.turn(limit).unwrap());
/// ```
#[track_caller]
pub fn spawn_blocking<T, F>(job: F) -> Blocking<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let at = Location::caller();
    match current::current() {
        Ok(reactor) => {
            let (desk, promise) = Desk::new();
            let number = reactor.pool.next_number();
            reactor.pool.enqueue(match &reactor.seam {
                None => Box::new(move || promise.keep(job)),
                Some(seam) => {
                    // Who waits is not told at once, but in a turn.
                    let ending = seam.ending(number, reactor.interrupt.clone());
                    Box::new(move || {
                        if let Some((desk, result)) = promise.work(job) {
                            ending(Box::new(move || desk.hand_over(result)));
                        }
                    })
                }
            });
            reactor.report(|| Event::JobQueued { job: number, at });
            Blocking { desk, job: number, at }
        }
        Err(error) => panic!("`spawn_blocking` has nowhere to run: {error}"),
    }
}

/// The future of [`spawn_blocking`].
///
/// # Panics
/// If it is polled again after it gave its output.
#[must_use = "dropping it cancels the job, unless that has started"]
pub struct Blocking<T> {
    desk: Arc<Desk<T>>,
    job: u64,
    /// For debuggers: the line that made it.
    at: &'static Location<'static>,
}

/// Where the job and the future meet.
struct Desk<T>(Mutex<Meeting<T>>);

struct Meeting<T> {
    stage: Stage<T>,
    waker: Option<Waker>,
    asked: Instant,
    started: Instant,
    ended: Instant,
}

enum Stage<T> {
    Queued,
    Running,
    Done(Result<T, JoinError>),
    /// The result has been taken, or the future is gone.
    Over,
}

impl<T> Desk<T> {
    fn new() -> (Arc<Desk<T>>, Promise<T>) {
        let (stage, now) = (Stage::Queued, os::stopwatch());
        let meeting = Meeting { stage, waker: None, asked: now, started: now, ended: now };
        let desk = Arc::new(Desk(Mutex::new(meeting)));
        (desk.clone(), Promise(Some(desk)))
    }

    fn lock(&self) -> MutexGuard<'_, Meeting<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False if nobody waits for the job any more.
    fn start(&self) -> bool {
        let mut meeting = self.lock();
        let wanted = matches!(meeting.stage, Stage::Queued);
        if wanted {
            meeting.stage = Stage::Running;
            meeting.started = os::stopwatch();
        }
        wanted
    }

    fn finish(&self, result: Result<T, JoinError>) {
        // Neither a waker nor a destructor may end this thread.
        if let Some(Some(waker)) = self.hand_over(result) {
            guarded(|| waker.wake());
        }
    }

    /// None if nobody waits for the result any more; else who is to be woken, if somebody is.
    fn hand_over(&self, result: Result<T, JoinError>) -> Option<Option<Waker>> {
        let mut meeting = self.lock();
        meeting.ended = os::stopwatch();
        // If the future is gone, its result goes as well, after the lock.
        let unwanted = match meeting.stage {
            Stage::Over => Some(result),
            _ => {
                meeting.stage = Stage::Done(result);
                None
            }
        };
        let told = unwanted.is_none().then(|| meeting.waker.take());
        drop(meeting);
        guarded(|| drop(unwanted));
        told
    }
}

impl<T> Future for Blocking<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = cx.waker().clone();
        let reactor = current::current().ok();
        let mut meeting = self.desk.lock();
        match std::mem::replace(&mut meeting.stage, Stage::Over) {
            Stage::Done(result) => {
                let queued = meeting.started - meeting.asked;
                let ran = meeting.ended.saturating_duration_since(meeting.started);
                drop(meeting);
                if let Some(reactor) = reactor {
                    reactor.report(|| Event::JobDone { job: self.job, queued, ran });
                }
                Poll::Ready(result)
            }
            Stage::Over => panic!("`Blocking` polled after completion"),
            stage => {
                meeting.stage = stage;
                let _old = meeting.waker.replace(waker);
                drop(meeting);
                if let Some(reactor) = reactor {
                    let on = Wait::Job { job: self.job, at: self.at };
                    reactor.report(|| Event::Waiting { on });
                }
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Blocking<T> {
    fn drop(&mut self) {
        let mut meeting = self.desk.lock();
        let stage = std::mem::replace(&mut meeting.stage, Stage::Over);
        let waker = meeting.waker.take();
        drop(meeting);
        if !matches!(stage, Stage::Over) {
            current::report(|| Event::JobDropped { job: self.job });
        }
        drop((stage, waker));
    }
}

/// The job's end of the desk. If it is dropped with the job undone, that is the result.
struct Promise<T>(Option<Arc<Desk<T>>>);

/// What a job gave, and where it belongs.
type Ended<T> = (Arc<Desk<T>>, Result<T, JoinError>);

impl<T> Promise<T> {
    fn keep(self, job: impl FnOnce() -> T) {
        if let Some((desk, result)) = self.work(job) {
            desk.finish(result);
        }
    }

    /// Does the job, if somebody waits for it. What is left is to tell.
    fn work(mut self, job: impl FnOnce() -> T) -> Option<Ended<T>> {
        let desk = self.0.take().filter(|desk| desk.start())?;
        let result = catch_unwind(AssertUnwindSafe(job)).map_err(JoinError::Panicked);
        Some((desk, result))
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        if let Some(desk) = self.0.take().filter(|desk| desk.start()) {
            desk.finish(Err(JoinError::Cancelled));
        }
    }
}

impl<T> fmt::Debug for Blocking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking")
            .field("job", &self.job)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
