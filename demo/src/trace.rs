//! Writes down what executor and reactor report, and draws it as lanes of text.
//!
//! ```text
//!   executor  --Event-->  +-------+
//!                         | Trace |  -->  lanes, one for each coroutine and one for the thread
//!   reactor   --Event-->  +-------+
//! ```

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use executor::observe::Event;
use executor::{Executor, TaskId};
use reactor::Reactor;
use reactor::observe::{Event as ReactorEvent, Wait};

/// Everything that happened, in order.
pub(crate) struct Trace {
    start: Instant,
    log: RefCell<Vec<(Duration, Entry)>>,
}

/// What is kept of an event.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Born(TaskId, String),
    Named(TaskId, String),
    Woken(TaskId),
    PollStarted(TaskId),
    PollEnded(TaskId),
    Ended(TaskId),
    /// The coroutine that is being polled left its waker with the reactor.
    Waiting(Wait),
    /// The thread goes to sleep.
    Parking,
    Unparked,
}

impl Trace {
    pub(crate) fn new() -> Rc<Trace> {
        Rc::new(Trace { start: Instant::now(), log: RefCell::default() })
    }

    /// A time on the trace's clock.
    pub(crate) fn when(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }

    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// `runtime::run`, watched.
    pub(crate) fn run<F: Future>(self: &Rc<Self>, main: F) -> io::Result<F::Output> {
        let reactor = Reactor::new()?;
        let _entered = reactor.enter();
        let trace = self.clone();
        reactor.observe(move |event: &ReactorEvent| trace.hear_reactor(event));
        let trace = self.clone();
        let observer = move |event: &Event<'_>| trace.hear_executor(event);
        let executor = Executor::with_observer(reactor.waker(), observer);
        Ok(executor.block_on(main, |limit| reactor.turn(limit).expect("the event queue works")))
    }

    fn hear_executor(&self, event: &Event<'_>) {
        let entry = match *event {
            Event::Spawned { task, name, .. } => Entry::Born(task, name.to_owned()),
            Event::Named { task, name } => Entry::Named(task, name.to_owned()),
            Event::Woken { task, .. } => Entry::Woken(task),
            Event::PollStarted { task } => Entry::PollStarted(task),
            Event::PollEnded { task, .. } => Entry::PollEnded(task),
            Event::Ended { task, .. } => Entry::Ended(task),
            Event::Parking { limit: None } => Entry::Parking,
            Event::Unparked => Entry::Unparked,
            _ => return,
        };
        self.log.borrow_mut().push((self.now(), entry));
    }

    fn hear_reactor(&self, event: &ReactorEvent) {
        if let ReactorEvent::Waiting { on } = event {
            self.log.borrow_mut().push((self.now(), Entry::Waiting(*on)));
        }
    }

    /// What has happened so far.
    pub(crate) fn log(&self) -> Vec<(Duration, Entry)> {
        self.log.borrow().clone()
    }
}
