//! What is so after an event: who lives, who is ready, who waits for what.
//!
//! It is a fold: [`World::apply`] makes the next state from the last one and an event. To go back in
//! a recording is to begin again from an earlier state.

use std::collections::{BTreeMap, VecDeque};
use std::panic::Location;
use std::time::Duration;

use executor::observe::Outcome;

use crate::event::{By, Event, Wait, What};

/// The state of a runtime that is watched.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// When the last event was.
    pub at: Duration,
    /// How many events it is made of.
    pub events: u64,
    /// Those that live, by id.
    pub coroutines: BTreeMap<u64, Coroutine>,
    /// Their ids, first in, first out.
    pub ready: VecDeque<u64>,
    /// The reactor's sources, by slot.
    pub sources: BTreeMap<u32, Source>,
    /// The blocking jobs whose results nobody has yet, by number.
    pub jobs: BTreeMap<u64, Job>,
    /// What the executor's thread does.
    pub phase: Phase,
    /// How many of the coroutines something outside of the executor can wake.
    pub(crate) reachable: usize,
}

/// What the executor's thread does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It is in its loop, between two polls.
    #[default]
    Between,
    /// It polls this coroutine.
    Polling(u64),
    /// It looks at the outside world: somebody is ready, so it does not sleep.
    Looking,
    /// It is parked: nobody is ready.
    Asleep,
}

/// A coroutine that lives.
#[derive(Clone, Debug)]
pub struct Coroutine {
    /// Never used again.
    pub id: u64,
    /// In the executor's slab.
    pub slot: u32,
    /// What it is called.
    pub name: String,
    /// Who spawned it.
    pub parent: Option<u64>,
    /// The line with the `spawn`.
    pub spawned_at: &'static Location<'static>,
    /// Where it is in its life.
    pub state: State,
    /// Since when it is there.
    pub since: Duration,
    /// What it said in its last poll that it waits for: every poll says all of it again. Empty while
    /// it is parked: its waker is with somebody who does not report to us.
    pub waits: Vec<Wait>,
    /// Who put it into the ready queue last.
    pub woken_by: By,
    /// How often it was polled.
    pub polls: u64,
    /// How long its polls took in all.
    pub busy: Duration,
    /// When it was born.
    pub born: Duration,
    /// No waker of it is left.
    pub lost: bool,
}

/// Where a coroutine is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In the ready queue.
    Ready,
    /// It is being polled.
    Polled,
    /// It is being polled, and was woken meanwhile: it is in the ready queue already.
    PolledAndReady,
    /// Until somebody wakes it.
    Parked,
    /// It has returned or panicked, and is about to be dropped.
    Over,
}

/// A source of the reactor.
#[derive(Clone, Debug)]
pub struct Source {
    /// Which tenant of its slot it is.
    pub generation: u32,
    /// `TcpStream` and the like.
    pub kind: String,
    /// Its file descriptor.
    pub fd: Option<i32>,
    /// The address of this side.
    pub local: Option<String>,
    /// The address of the other side.
    pub peer: Option<String>,
}

/// A blocking job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Who wants it done.
    pub task: Option<u64>,
    /// The line that made it.
    pub at: &'static Location<'static>,
    /// When it was put in line.
    pub since: Duration,
}

impl World {
    /// Goes on by one event.
    pub fn apply(&mut self, event: &Event) {
        self.at = event.at;
        self.events += 1;
        let at = event.at;
        match &event.what {
            What::Spawned { task, slot, name, parent, at: line } => {
                let coroutine = Coroutine::new(*task, *slot, name, *parent, line, at);
                self.coroutines.insert(*task, coroutine);
                self.ready.push_back(*task);
                self.reachable += 1;
            }
            What::Named { task, name } => {
                self.change(*task, |coroutine| coroutine.name.clone_from(name));
            }
            What::Woken { task, by } => {
                self.ready.push_back(*task);
                self.change(*task, |coroutine| coroutine.woken(by, at));
            }
            What::PollStarted { task } => {
                self.leave_queue(*task);
                self.phase = Phase::Polling(*task);
                self.change(*task, |coroutine| coroutine.poll_started(at));
            }
            What::Waiting { task, on } => {
                self.change(*task, |coroutine| coroutine.waits.push(on.clone()));
            }
            What::PollEnded { task, outcome, took } => {
                self.phase = Phase::Between;
                self.change(*task, |coroutine| coroutine.poll_ended(*outcome, *took, at));
            }
            What::Ended { task, .. } => self.end(*task),
            What::Lost { task } => self.change(*task, |coroutine| coroutine.lost = true),
            What::Parking { sleeps: true } => self.phase = Phase::Asleep,
            What::Parking { sleeps: false } => self.phase = Phase::Looking,
            What::Unparked => self.phase = Phase::Between,
            What::Registered { source, generation, kind, fd, local, peer, .. } => {
                let (generation, kind, fd) = (*generation, kind.clone(), *fd);
                let (local, peer) = (local.clone(), peer.clone());
                self.sources.insert(*source, Source { generation, kind, fd, local, peer });
            }
            What::Deregistered { source } => {
                self.sources.remove(source);
            }
            What::JobQueued { job, task, at: line } => {
                self.jobs.insert(*job, Job { task: *task, at: line, since: at });
            }
            What::JobDone { job, .. } => {
                self.jobs.remove(job);
            }
            What::Diagnosis { .. } => {}
        }
    }

    /// `#4 connection`, also of one who is gone.
    #[must_use]
    pub fn name(&self, task: u64) -> String {
        match self.coroutines.get(&task) {
            Some(coroutine) => coroutine.to_string(),
            None => format!("#{task}"),
        }
    }

    /// Who waits for a source.
    pub fn waiters(&self, source: u32) -> impl Iterator<Item = (u64, reactor::Direction)> {
        self.coroutines.values().flat_map(move |coroutine| {
            coroutine.waits.iter().filter_map(move |wait| match wait {
                Wait::Source { source: on, direction, .. } if *on == source => {
                    Some((coroutine.id, *direction))
                }
                _ => None,
            })
        })
    }

    fn change(&mut self, task: u64, change: impl FnOnce(&mut Coroutine)) {
        if let Some(coroutine) = self.coroutines.get_mut(&task) {
            let before = coroutine.is_reachable();
            change(coroutine);
            let after = coroutine.is_reachable();
            self.reachable = self.reachable + usize::from(after) - usize::from(before);
        }
    }

    /// It is the first in the queue, unless it ends without a poll: then it may be anywhere.
    fn leave_queue(&mut self, task: u64) {
        if self.ready.front() == Some(&task) {
            self.ready.pop_front();
        } else {
            self.ready.retain(|other| *other != task);
        }
    }

    fn end(&mut self, task: u64) {
        let Some(coroutine) = self.coroutines.remove(&task) else { return };
        self.reachable -= usize::from(coroutine.is_reachable());
        if matches!(coroutine.state, State::Ready | State::PolledAndReady) {
            self.leave_queue(task);
        }
        // Jobs whose future is gone give their results to nobody.
        self.jobs.retain(|_, job| job.task != Some(task));
    }
}

impl Coroutine {
    fn new(
        id: u64,
        slot: u32,
        name: &str,
        parent: Option<u64>,
        spawned_at: &'static Location<'static>,
        at: Duration,
    ) -> Coroutine {
        Coroutine {
            id,
            slot,
            name: name.to_owned(),
            parent,
            spawned_at,
            state: State::Ready,
            since: at,
            waits: Vec::new(),
            woken_by: By::Spawn,
            polls: 0,
            busy: Duration::ZERO,
            born: at,
            lost: false,
        }
    }

    fn woken(&mut self, by: &By, at: Duration) {
        self.woken_by = by.clone();
        self.lost = false;
        if self.state == State::Polled {
            self.state = State::PolledAndReady;
        } else {
            self.state = State::Ready;
            self.since = at;
        }
    }

    fn poll_started(&mut self, at: Duration) {
        self.state = State::Polled;
        self.since = at;
        self.polls += 1;
        self.waits.clear();
    }

    fn poll_ended(&mut self, outcome: Outcome, took: Duration, at: Duration) {
        self.state = match (outcome, self.state) {
            (Outcome::Pending, State::PolledAndReady) => State::Ready,
            (Outcome::Pending, _) => State::Parked,
            _ => State::Over,
        };
        self.since = at;
        self.busy += took;
    }

    /// Whether something other than a coroutine can make it go on.
    fn is_reachable(&self) -> bool {
        let inside = !self.waits.is_empty() && self.waits.iter().all(Wait::is_inside);
        self.state != State::Parked || !(self.lost || inside)
    }
}

impl std::fmt::Display for Coroutine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{} {}", self.id, self.name)
    }
}
