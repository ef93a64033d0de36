//! A reactor's threads for blocking work, fed by one channel.
//!
//! They start when they are first needed and stay until the reactor is dropped.

use std::cell::Cell;
use std::io::{self, Write};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

/// The most threads a reactor starts for blocking jobs. Further jobs wait in line.
pub const MAX_THREADS: usize = 8;

/// How long a reactor that is dropped waits for the jobs that are running.
pub const GRACE: Duration = Duration::from_secs(10);

/// To run it is to do the job; to drop it, to cancel.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

pub(crate) struct Pool {
    /// None when the reactor is being dropped.
    jobs: Option<Sender<Job>>,
    line: Receiver<Job>,
    threads: Cell<usize>,
    /// How many jobs are in line or running. More than there are threads: one more is needed.
    /// (To count idle threads instead would count those that have just taken a job.)
    open: Arc<AtomicUsize>,
    /// Wants to know when no job is open any more.
    idle: Option<Waker>,
    next_job: Cell<u64>,
    /// Each thread holds a clone of `alive` and never sends. When `gone` is disconnected, all
    /// threads have ended: a join with a time limit.
    alive: Option<Sender<()>>,
    gone: Receiver<()>,
}

impl Pool {
    pub(crate) fn new(idle: Option<Waker>) -> Pool {
        let (jobs, line) = unbounded();
        let (alive, gone) = unbounded();
        Pool {
            jobs: Some(jobs),
            line,
            threads: Cell::new(0),
            open: Arc::default(),
            idle,
            next_job: Cell::new(1),
            alive: Some(alive),
            gone,
        }
    }

    /// For the next job.
    pub(crate) fn next_number(&self) -> u64 {
        let number = self.next_job.get();
        self.next_job.set(number + 1);
        number
    }

    /// Puts a job in line, and starts a thread if none is free.
    pub(crate) fn enqueue(&self, job: Job) {
        let open = self.open.fetch_add(1, Ordering::AcqRel) + 1;
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(job);
        }
        let threads = self.threads.get();
        if threads < MAX_THREADS && threads < open {
            if self.start_thread(threads + 1).is_ok() {
                self.threads.set(threads + 1);
            } else if threads == 0 {
                // Nobody will ever take it from the line: cancel it.
                self.cancel_line();
            }
        }
    }

    /// Whether a job is in line or running.
    pub(crate) fn is_busy(&self) -> bool {
        self.open.load(Ordering::Acquire) > 0
    }

    fn start_thread(&self, number: usize) -> io::Result<()> {
        let (line, open, alive) = (self.line.clone(), self.open.clone(), self.alive.clone());
        let idle = self.idle.clone();
        thread::Builder::new().name(format!("blocking-{number}")).spawn(move || {
            work(&line, &open, idle.as_ref());
            drop(alive);
        })?;
        Ok(())
    }

    fn cancel_line(&self) {
        for job in self.line.try_iter() {
            guarded(|| drop(job));
            self.open.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// What a thread does: the next job, until there will be no more.
fn work(line: &Receiver<Job>, open: &AtomicUsize, idle: Option<&Waker>) {
    for job in line {
        // A job catches its own panics; what is left is the destructor of a cancelled closure.
        guarded(job);
        // Not before: whoever the job has woken may have asked `is_busy` already, and sleep.
        if open.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(idle) = idle
        {
            idle.wake_by_ref();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.jobs = None;
        self.alive = None;
        self.cancel_line();
        if self.gone.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
            let busy = self.open.load(Ordering::Acquire);
            let _ = writeln!(
                io::stderr(),
                "blocking jobs that still run {GRACE:?} after their reactor was dropped: {busy}; \
                 they are left behind"
            );
        }
    }
}

/// Runs or drops user code's values. Neither a panic nor what a panic carries may end the thread.
pub(crate) fn guarded(run: impl FnOnce()) {
    let mut panic = catch_unwind(AssertUnwindSafe(run)).err();
    // What it carries may panic when it is dropped, and so on: somewhere this must end.
    for _ in 0..8 {
        let Some(carried) = panic else { return };
        panic = catch_unwind(AssertUnwindSafe(|| drop(carried))).err();
    }
    mem::forget(panic);
}
