//! A reactor's threads for blocking work, fed by one channel.
//!
//! They start when they are first needed and stay until the reactor is dropped.

use std::cell::Cell;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    /// How many of them wait for a job.
    idle: Arc<AtomicUsize>,
    next_job: Cell<u64>,
    /// Each thread holds a clone of `alive` and never sends. When `gone` is disconnected, all
    /// threads have ended: a join with a time limit.
    alive: Option<Sender<()>>,
    gone: Receiver<()>,
}

impl Pool {
    pub(crate) fn new() -> Pool {
        let (jobs, line) = unbounded();
        let (alive, gone) = unbounded();
        Pool {
            jobs: Some(jobs),
            line,
            threads: Cell::new(0),
            idle: Arc::default(),
            next_job: Cell::new(1),
            alive: Some(alive),
            gone,
        }
    }

    /// Puts a job in line, and starts a thread if none is free. Gives the job's number.
    pub(crate) fn enqueue(&self, job: Job) -> u64 {
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(job);
        }
        let threads = self.threads.get();
        if threads < MAX_THREADS && self.idle.load(Ordering::Acquire) < self.line.len() {
            if self.start_thread(threads + 1).is_ok() {
                self.threads.set(threads + 1);
            } else if threads == 0 {
                // Nobody will ever take it from the line: cancel it.
                discard(self.line.try_recv());
            }
        }
        let number = self.next_job.get();
        self.next_job.set(number + 1);
        number
    }

    fn start_thread(&self, number: usize) -> io::Result<()> {
        let (line, idle, alive) = (self.line.clone(), self.idle.clone(), self.alive.clone());
        thread::Builder::new().name(format!("blocking-{number}")).spawn(move || {
            work(&line, &idle);
            drop(alive);
        })?;
        Ok(())
    }
}

/// What a thread does: the next job, until there will be no more.
fn work(line: &Receiver<Job>, idle: &AtomicUsize) {
    loop {
        idle.fetch_add(1, Ordering::AcqRel);
        let job = line.recv();
        idle.fetch_sub(1, Ordering::AcqRel);
        let Ok(job) = job else { break };
        // A job catches its own panics; what is left is the destructor of a cancelled closure.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.jobs = None;
        self.alive = None;
        self.line.try_iter().for_each(discard);
        if self.gone.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
            let busy = self.threads.get() - self.idle.load(Ordering::Acquire);
            let _ = writeln!(
                io::stderr(),
                "{busy} blocking jobs still run {GRACE:?} after their reactor was dropped; \
                 they are left behind"
            );
        }
    }
}

/// Drops user code's values, whose destructors may panic.
fn discard<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}
