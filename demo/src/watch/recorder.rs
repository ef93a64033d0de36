//! Keeps the last events, says what they add up to, and can stop the world.
//!
//! ```text
//!      too old            base         kept, in a ring                      now
//!   - - - - - - - - -  | World |  event event event event event event  | World |
//!                          ^                   ^
//!                          |                   a reader's place: its own World, and a number
//!                          a reader who is too slow goes on from here, and is told what it missed
//! ```
//!
//! Events are written by the thread that is watched, and read by any other. A reader never makes
//! the writer wait, and the ring does not grow with readers. Only the gate stops the writer: it
//! stands still inside its observer, and with it everything on its thread.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::diagnose::Diagnoser;
use crate::event::{Event, What};
use crate::world::World;

/// How to record.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many events are kept. Older ones are only counted.
    pub capacity: usize,
    /// Whether to look for what is wrong.
    pub diagnose: bool,
    /// A poll that holds up the executor for so long is worth a diagnosis.
    pub slow: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options { capacity: 100_000, diagnose: true, slow: Duration::from_millis(100) }
    }
}

/// Records one runtime.
pub struct Recorder {
    start: Instant,
    options: Options,
    history: Mutex<History>,
    /// The gate has moved, or there is a new event.
    moved: Condvar,
    /// Called with each diagnosis, on the thread that is watched.
    warn: Option<Warn>,
}

type Warn = Box<dyn Fn(&str) + Send + Sync>;

struct History {
    base: World,
    ring: VecDeque<Event>,
    now: World,
    diagnoser: Diagnoser,
    gate: Gate,
    /// The writer stands before the gate.
    stands: bool,
    /// Readers that want to be told of the next event.
    readers: Vec<Waker>,
}

/// Whether the writer may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    Open,
    /// It rests so long after each event.
    Slow(Duration),
    /// Only so many events more.
    Closed(u64),
}

/// A place in the recording. Each reader has its own.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// What is so before the next event.
    pub world: World,
}

/// What a reader gets.
#[derive(Debug)]
pub struct Batch {
    /// So many events were too old already. The reader's world says what they added up to.
    pub missed: u64,
    /// The events, in order. Apply them to the reader's world one by one.
    pub events: Vec<Event>,
}

impl Recorder {
    /// Records nothing yet.
    #[must_use]
    pub fn new(options: Options) -> Arc<Recorder> {
        Arc::new(Recorder::silent(options))
    }

    /// `warn` is called with each diagnosis, on the thread that is watched.
    #[must_use]
    pub fn with_warnings(
        options: Options,
        warn: impl Fn(&str) + Send + Sync + 'static,
    ) -> Arc<Recorder> {
        Arc::new(Recorder { warn: Some(Box::new(warn)), ..Recorder::silent(options) })
    }

    fn silent(options: Options) -> Recorder {
        let history = History {
            base: World::default(),
            ring: VecDeque::new(),
            now: World::default(),
            diagnoser: Diagnoser::new(options.slow),
            gate: Gate::Open,
            stands: false,
            readers: Vec::new(),
        };
        let (start, history) = (Instant::now(), Mutex::new(history));
        Recorder { start, options, history, moved: Condvar::new(), warn: None }
    }

    /// A time on the recorder's clock.
    #[must_use]
    pub fn when(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }

    /// What is so now.
    #[must_use]
    pub fn now(&self) -> World {
        self.lock().now.clone()
    }

    // Writing -------------------------------------------------------------------------------------

    pub(crate) fn push(&self, at: Instant, what: What) {
        let event = Event { at: self.when(at), what };
        let mut history = self.lock();
        let diagnosis = match self.options.diagnose {
            true => history.diagnose(&event),
            false => None,
        };
        history.keep(event, self.options.capacity);
        if let Some(diagnosis) = diagnosis {
            if let (Some(warn), What::Diagnosis { text, .. }) = (&self.warn, &diagnosis.what) {
                warn(text);
            }
            history.keep(diagnosis, self.options.capacity);
        }
        self.pass(self.told(history));
    }

    /// Everybody who waits for news is told, with the lock open: a waker is foreign code.
    fn told<'a>(&'a self, mut history: MutexGuard<'a, History>) -> MutexGuard<'a, History> {
        self.moved.notify_all();
        if history.readers.is_empty() {
            return history;
        }
        let readers = std::mem::take(&mut history.readers);
        drop(history);
        readers.into_iter().for_each(Waker::wake);
        self.lock()
    }

    /// Stands before the gate as long as it is closed.
    fn pass<'a>(&'a self, mut history: MutexGuard<'a, History>) {
        loop {
            match &mut history.gate {
                Gate::Open => break,
                Gate::Slow(rest) => {
                    let rest = *rest;
                    let gate = self.moved.wait_timeout_while(history, rest, |history| {
                        history.gate == Gate::Slow(rest)
                    });
                    let (guard, over) = gate.unwrap_or_else(PoisonError::into_inner);
                    history = guard;
                    if over.timed_out() {
                        break;
                    }
                }
                Gate::Closed(0) => {
                    history.stands = true;
                    history = self.told(history); // somebody may wait for exactly this
                    let closed = |history: &mut History| history.gate == Gate::Closed(0);
                    let gate = self.moved.wait_while(history, closed);
                    history = gate.unwrap_or_else(PoisonError::into_inner);
                    history.stands = false;
                }
                Gate::Closed(more) => {
                    *more -= 1;
                    break;
                }
            }
        }
    }

    // Stopping the world --------------------------------------------------------------------------

    /// The thread that is watched stands still at its next event.
    pub fn pause(&self) {
        self.set_gate(Gate::Closed(0));
    }

    /// Lets `events` more events happen, and pauses again.
    pub fn step(&self, events: u64) {
        self.set_gate(Gate::Closed(events));
    }

    /// Lets it run on.
    pub fn resume(&self) {
        self.set_gate(Gate::Open);
    }

    /// Lets it run on, with a rest after each event.
    pub fn slow_down(&self, rest: Duration) {
        self.set_gate(Gate::Slow(rest));
    }

    /// Whether it is paused, or only lets a few events pass.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        matches!(self.lock().gate, Gate::Closed(_))
    }

    /// Waits, on this thread, until the one that is watched stands still, or until `over` says
    /// that it never will. That is asked each time something moves, and every few milliseconds.
    pub fn wait_until_it_stands(&self, over: impl Fn() -> bool) -> bool {
        let mut history = self.lock();
        while !history.stands || history.gate != Gate::Closed(0) {
            if over() {
                return false;
            }
            let waited = self.moved.wait_timeout(history, Duration::from_millis(10));
            history = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn set_gate(&self, gate: Gate) {
        self.lock().gate = gate;
        self.moved.notify_all();
    }

    // Reading -------------------------------------------------------------------------------------

    /// A reader that begins with the oldest event that is kept.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { world: self.lock().base.clone() }
    }

    /// The next events, at most `limit` of them.
    #[must_use]
    pub fn read(&self, reader: &mut Reader, limit: usize) -> Batch {
        let history = self.lock();
        let mut missed = 0;
        if reader.world.events < history.base.events {
            missed = history.base.events - reader.world.events;
            reader.world = history.base.clone();
        }
        let from = (reader.world.events - history.base.events) as usize;
        let events = history.ring.iter().skip(from).take(limit).cloned().collect();
        Batch { missed, events }
    }

    /// Waits until there is an event that `reader` has not read, or the writer stands still.
    ///
    /// Cancelling loses nothing.
    pub async fn changed(&self, reader: &Reader) {
        let mut asked = false;
        poll_fn(|cx| {
            let mut history = self.lock();
            if history.now.events > reader.world.events || asked {
                return Poll::Ready(());
            }
            asked = true;
            history.readers.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// All events that are kept, and what was so before them.
    #[must_use]
    pub fn recording(&self) -> (World, Vec<Event>) {
        let history = self.lock();
        (history.base.clone(), history.ring.iter().cloned().collect())
    }

    fn lock(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History {
    fn diagnose(&mut self, event: &Event) -> Option<Event> {
        let what = self.diagnoser.examine(event, &self.now)?;
        Some(Event { at: event.at, what })
    }

    fn keep(&mut self, event: Event, capacity: usize) {
        self.now.apply(&event);
        if self.ring.len() >= capacity.max(1)
            && let Some(old) = self.ring.pop_front()
        {
            self.base.apply(&old);
        }
        self.ring.push_back(event);
    }
}

impl Reader {
    /// The number of the next event: the first one has number 1.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.world.events + 1
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("options", &self.options).finish_non_exhaustive()
    }
}
