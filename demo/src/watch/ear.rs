//! Listens to both observers on the thread that is watched, and merges what they say.
//!
//! The reactor does not know tasks, and the executor does not know sockets. What the reactor says is
//! put together with whoever is being polled, or is woken next.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use executor::observe::{Event as ExecutorEvent, Wait as ExecutorWait};
use executor::{Executor, WokenBy};
use reactor::observe::{By as ReactorBy, Event as ReactorEvent, Wait as ReactorWait};
use reactor::{Reactor, time};

use crate::event::{By, What};
use crate::recorder::Recorder;
use crate::wait::Wait;

struct Ear {
    recorder: Arc<Recorder>,
    polling: Cell<Option<u64>>,
    /// When the poll began, on the system's clock: it tells how long a poll really takes.
    poll_began: Cell<Instant>,
    /// How long we have listened since then, or stood before the gate.
    listened: Cell<Duration>,
    /// The reactor is about to call a waker, because of this.
    waking: RefCell<Option<By>>,
}

impl Recorder {
    /// Runs `main`, and all that it spawns, on this thread, and records it.
    ///
    /// # Errors
    /// If the system has no event queue left.
    #[track_caller]
    pub fn run<F: Future>(self: &Arc<Self>, main: F) -> io::Result<F::Output> {
        Ok(self.run_on(&Reactor::new()?, main))
    }

    /// The same on a reactor that nobody watches yet.
    #[track_caller]
    pub fn run_on<F: Future>(self: &Arc<Self>, reactor: &Reactor, main: F) -> F::Output {
        let _entered = reactor.enter();
        self.start.get_or_init(time::now);
        let ear = Rc::new(Ear {
            recorder: self.clone(),
            polling: Cell::default(),
            poll_began: Cell::new(Instant::now()),
            listened: Cell::default(),
            waking: RefCell::default(),
        });
        let other = ear.clone();
        reactor.observe(move |event: &ReactorEvent| other.hear_reactor(event));
        let hear = move |event: &ExecutorEvent<'_>| ear.hear_executor(event);
        let executor = Executor::with_observer(reactor.waker(), hear);
        let park = |limit| reactor.turn(limit).expect("the system's event queue works");
        executor.block_on(main, park)
    }
}

impl Ear {
    fn hear(&self, what: What) {
        let began = Instant::now();
        self.recorder.push(time::now(), what);
        self.listened.set(self.listened.get() + began.elapsed());
    }

    /// How long the poll has taken until now, by itself.
    fn took(&self) -> Duration {
        self.poll_began.get().elapsed().saturating_sub(self.listened.get())
    }

    fn hear_executor(&self, event: &ExecutorEvent<'_>) {
        match *event {
            ExecutorEvent::Spawned { task, slot, name, parent, at } => {
                let (task, parent) = (task.get(), parent.map(executor::TaskId::get));
                self.hear(What::Spawned { task, slot, name: name.to_owned(), parent, at });
            }
            ExecutorEvent::Named { task, name } => {
                self.hear(What::Named { task: task.get(), name: name.to_owned() });
            }
            ExecutorEvent::Woken { task, by, thread } => {
                let by = match by {
                    WokenBy::Spawn => By::Spawn,
                    WokenBy::Task(task) => By::Task(task.get()),
                    WokenBy::Park => self.waking.take().unwrap_or(By::Outside),
                    WokenBy::Thread => By::Thread(thread.map(str::to_owned)),
                };
                self.hear(What::Woken { task: task.get(), by });
            }
            ExecutorEvent::PollStarted { task } => {
                self.polling.set(Some(task.get()));
                self.hear(What::PollStarted { task: task.get() });
                self.listened.set(Duration::ZERO);
                self.poll_began.set(Instant::now());
            }
            ExecutorEvent::Waiting { on, at } => self.wait(match on {
                ExecutorWait::Join(task) => Wait::Join(task.get()),
                ExecutorWait::Send => Wait::Send { at },
                ExecutorWait::Receive => Wait::Receive { at },
                _ => Wait::Yield { at },
            }),
            ExecutorEvent::PollEnded { task, outcome, wakers } => {
                let (task, took) = (task.get(), self.took());
                self.hear(What::PollEnded { task, outcome, wakers, took });
                self.polling.set(None);
            }
            ExecutorEvent::Aborting { task, by } => {
                let by = by.map(executor::TaskId::get);
                self.hear(What::Aborting { task: task.get(), by });
            }
            ExecutorEvent::Ended { task, how } => {
                self.hear(What::Ended { task: task.get(), how });
            }
            ExecutorEvent::Lost { task } => self.hear(What::Lost { task: task.get() }),
            ExecutorEvent::Parking { limit } => {
                self.hear(What::Parking { sleeps: limit.is_none() });
            }
            ExecutorEvent::Unparked => {
                self.waking.take();
                self.hear(What::Unparked);
            }
            _ => {}
        }
    }

    fn hear_reactor(&self, event: &ReactorEvent) {
        let task = self.polling.get();
        match event {
            ReactorEvent::Registered { source, generation, kind, fd, local, peer } => {
                let (source, generation, fd) = (*source, *generation, *fd);
                let kind = kind.rsplit("::").next().unwrap_or(kind).to_owned();
                let (local, peer) = (local.clone(), peer.clone());
                self.hear(What::Registered { source, generation, kind, fd, local, peer, task });
            }
            ReactorEvent::Deregistered { source } => {
                self.hear(What::Deregistered { source: *source });
            }
            ReactorEvent::Waiting { on } => self.wait(match *on {
                ReactorWait::Source { source, direction, at } => {
                    Wait::Source { source, direction, at }
                }
                ReactorWait::Timer { deadline, at } => {
                    Wait::Timer { deadline: deadline.map(|at| self.recorder.when(at)), at }
                }
                ReactorWait::Job { job, at } => Wait::Job { job, at },
                _ => return,
            }),
            ReactorEvent::Waking { by } => {
                self.waking.replace(Some(match *by {
                    ReactorBy::Source { source, direction } => By::Source(source, direction),
                    ReactorBy::Job { .. } => By::Thread(Some("blocking".to_owned())),
                    _ => By::Timer,
                }));
            }
            ReactorEvent::JobQueued { job, at } => {
                self.hear(What::JobQueued { job: *job, task, at });
            }
            ReactorEvent::JobDropped { job } => {
                self.hear(What::JobDropped { job: *job, task });
            }
            ReactorEvent::JobDone { job, queued, ran } => {
                let (job, queued, ran) = (*job, *queued, *ran);
                self.hear(What::JobDone { job, task, queued, ran });
            }
            _ => {}
        }
    }

    fn wait(&self, on: Wait) {
        if let Some(task) = self.polling.get() {
            self.hear(What::Waiting { task, on });
        }
    }
}
