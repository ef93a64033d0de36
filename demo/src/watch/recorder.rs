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
//! the writer wait, and the ring does not grow with readers. Only the gate (`gate.rs`) stops the
//! writer: it stands still inside its observer, and with it everything on its thread.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::diagnose::Diagnoser;
use crate::event::{Event, What};
use crate::gate::Gate;
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
    /// On the clock of the reactor that is watched, which may stand still.
    pub(crate) start: OnceLock<Instant>,
    options: Options,
    history: Mutex<History>,
    /// The gate has moved, or there is a new event.
    pub(crate) moved: Condvar,
    /// Called with each diagnosis, on the thread that is watched.
    warn: Option<Warn>,
    /// Called with each event, on the thread that is watched, before it is kept.
    hook: Option<Hook>,
}

type Warn = Box<dyn Fn(&str) + Send + Sync>;
type Hook = Box<dyn Fn(&What) + Send + Sync>;

pub(crate) struct History {
    base: World,
    ring: VecDeque<Event>,
    now: World,
    diagnoser: Diagnoser,
    pub(crate) gate: Gate,
    /// The writer stands before the gate.
    pub(crate) stands: bool,
    /// The gate stays open, and nothing is diagnosed any more.
    pub(crate) released: bool,
    /// How often there was news: an event, or the gate has moved.
    news: u64,
    /// Readers that want to be told of the next one.
    readers: Vec<Waker>,
}

/// A place in the recording. Each reader has its own.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// What is so before the next event.
    pub world: World,
    /// How much news there was when it read last.
    news: u64,
}

/// What a reader gets.
#[derive(Debug)]
pub struct Batch {
    /// So many events were too old already. The reader's world says what they added up to.
    pub missed: u64,
    /// The events, in order. Apply them to the reader's world one by one.
    pub events: Vec<Event>,
    /// So many more are there already.
    pub left: usize,
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

    /// `hook` is called with each event, on the thread that is watched, before it is kept: in the
    /// middle of what happens.
    #[must_use]
    pub fn with_hook(
        options: Options,
        hook: impl Fn(&What) + Send + Sync + 'static,
    ) -> Arc<Recorder> {
        Arc::new(Recorder { hook: Some(Box::new(hook)), ..Recorder::silent(options) })
    }

    fn silent(options: Options) -> Recorder {
        let history = History {
            base: World::default(),
            ring: VecDeque::new(),
            now: World::default(),
            diagnoser: Diagnoser::new(options.slow),
            gate: Gate::Open,
            stands: false,
            released: false,
            news: 0,
            readers: Vec::new(),
        };
        let (start, history) = (OnceLock::new(), Mutex::new(history));
        Recorder { start, options, history, moved: Condvar::new(), warn: None, hook: None }
    }

    /// A time on the recorder's clock.
    #[must_use]
    pub fn when(&self, at: Instant) -> Duration {
        at.saturating_duration_since(*self.start.get_or_init(|| at))
    }

    /// What is so now.
    #[must_use]
    pub fn now(&self) -> World {
        self.lock().now.clone()
    }

    // Writing -------------------------------------------------------------------------------------

    pub(crate) fn push(&self, at: Instant, what: What) {
        if let Some(hook) = &self.hook {
            hook(&what);
        }
        let event = Event { at: self.when(at), what };
        let mut history = self.lock();
        let diagnosis = match self.options.diagnose && !history.released {
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
    pub(crate) fn told<'a>(
        &'a self,
        mut history: MutexGuard<'a, History>,
    ) -> MutexGuard<'a, History> {
        history.news += 1;
        self.moved.notify_all();
        if history.readers.is_empty() {
            return history;
        }
        let readers = std::mem::take(&mut history.readers);
        drop(history);
        readers.into_iter().for_each(Waker::wake);
        self.lock()
    }

    /// All readers have a look: whoever reads tells them something that is not an event.
    pub fn nudge(&self) {
        drop(self.told(self.lock()));
    }

    // Reading -------------------------------------------------------------------------------------

    /// A reader that begins with the oldest event that is kept.
    #[must_use]
    pub fn reader(&self) -> Reader {
        let history = self.lock();
        Reader { world: history.base.clone(), news: history.news }
    }

    /// A reader that begins with the next event.
    #[must_use]
    pub fn latest(&self) -> Reader {
        let history = self.lock();
        Reader { world: history.now.clone(), news: history.news }
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
        reader.news = history.news;
        let from = (reader.world.events - history.base.events) as usize;
        let from = from.min(history.ring.len());
        let events = history.ring.range(from..).take(limit).cloned().collect();
        Batch {
            missed,
            events,
            left: history.ring.len().saturating_sub(from.saturating_add(limit)),
        }
    }

    /// Waits until there is an event that `reader` has not read, or other news since it read last:
    /// the gate has moved, or the writer stands before it.
    ///
    /// Cancelling loses nothing.
    pub async fn changed(&self, reader: &Reader) {
        poll_fn(|cx| {
            let mut history = self.lock();
            if history.now.events > reader.world.events || history.news != reader.news {
                return Poll::Ready(());
            }
            if !history.readers.iter().any(|waker| waker.will_wake(cx.waker())) {
                history.readers.push(cx.waker().clone());
            }
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

    pub(crate) fn lock(&self) -> MutexGuard<'_, History> {
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
