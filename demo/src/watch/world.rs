//! What is so after an event: who lives, who is ready, who waits for what.
//!
//! It is a fold: [`World::apply`] makes the next state from the last one and an event. To go back in
//! a recording is to begin again from an earlier state.

use std::collections::{BTreeMap, VecDeque};
use std::panic::Location;
use std::time::Duration;

use executor::observe::Outcome;

pub(crate) use crate::coroutine::{Coroutine, State};
use crate::event::{Event, What};
use crate::wait::Wait;

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
    /// Who ended last. It still wakes whoever waited for its end.
    gone: Option<(u64, String)>,
}

/// The first coroutine of an executor: the one that `block_on` was given.
pub(crate) const MAIN: u64 = 1;

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
            What::PollEnded { task, outcome, wakers, took } => {
                self.phase = Phase::Between;
                if *outcome != Outcome::Pending && self.is(*task, State::PolledAndReady) {
                    self.leave_queue(*task); // it was woken meanwhile, for nothing
                }
                self.change(*task, |coroutine| {
                    coroutine.kept = *wakers;
                    coroutine.poll_ended(*outcome, *took, at);
                });
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
            What::JobDone { job, .. } | What::JobDropped { job, .. } => {
                self.jobs.remove(job);
            }
            What::Aborting { .. } | What::Diagnosis { .. } => {}
        }
    }

    /// `#4 connection`, or only `#4` of one who is gone.
    #[must_use]
    pub fn name(&self, task: u64) -> String {
        match (self.coroutines.get(&task), &self.gone) {
            (Some(coroutine), _) => coroutine.to_string(),
            (None, Some((gone, name))) if *gone == task => format!("#{task} {name}"),
            _ => format!("#{task}"),
        }
    }

    /// Whose waker is with a source, and for which direction.
    pub fn waiters(&self, source: u32) -> impl Iterator<Item = (u64, reactor::Direction)> {
        self.coroutines.values().flat_map(move |coroutine| {
            coroutine.wakers().filter_map(move |wait| match wait {
                Wait::Source { source: on, direction, .. } if *on == source => {
                    Some((coroutine.id, *direction))
                }
                _ => None,
            })
        })
    }

    fn is(&self, task: u64, state: State) -> bool {
        self.coroutines.get(&task).is_some_and(|coroutine| coroutine.state == state)
    }

    fn change(&mut self, task: u64, change: impl FnOnce(&mut Coroutine)) {
        if let Some(coroutine) = self.coroutines.get_mut(&task) {
            let (before, state) = (coroutine.is_reachable(), coroutine.state);
            change(coroutine);
            if coroutine.state != state {
                coroutine.since_event = self.events;
            }
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
        self.gone = Some((task, coroutine.name));
    }
}
