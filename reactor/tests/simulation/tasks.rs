//! The tasks of the model, and its timers: numbers that wait for numbers.

use crate::fibers::Fiber;
use crate::model::{Model, Timer};
use crate::program::Ops;
use crate::trace::{FiberId, What};

/// Never used again.
pub(crate) type TaskId = usize;

pub(crate) struct Task {
    pub(crate) fiber: Option<Fiber>,
    pub(crate) state: State,
    slot: usize,
    pub(crate) aborted: bool,
    detached: bool,
    joiner: Option<TaskId>,
    result: Option<Result<FiberId, Failure>>,
}

#[derive(Clone, Copy)]
pub(crate) enum Failure {
    Cancelled,
    Panicked(FiberId),
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum State {
    Ready,
    Idle,
    Finished,
}

impl Model<'_> {
    pub(crate) fn fiber(&mut self, ops: &Ops) -> Fiber {
        self.next_fiber += 1;
        Fiber::new(self.next_fiber - 1, ops.clone())
    }

    pub(crate) fn insert(&mut self, fiber: Fiber) -> TaskId {
        let task = self.tasks.len();
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(task);
        self.tasks.push(Task {
            fiber: Some(fiber),
            state: State::Ready,
            slot,
            aborted: false,
            detached: false,
            joiner: None,
            result: None,
        });
        self.ready.push_back(task);
        task
    }

    pub(crate) fn vacate(&mut self, task: TaskId) {
        let slot = self.tasks[task].slot;
        self.slots[slot] = None;
        self.free.push(slot);
    }

    pub(crate) fn output_of(&self, task: TaskId) -> FiberId {
        self.tasks[task].fiber.as_ref().expect("it has just been polled").id
    }

    pub(crate) fn wake(&mut self, task: TaskId) {
        match self.tasks[task].state {
            State::Idle if task == self.current => self.effect("wake of itself"),
            State::Idle => self.effect("wake"),
            State::Ready => self.effect("wake of one who is ready"),
            State::Finished if self.slots[self.tasks[task].slot].is_some() => {
                self.effect("wake of one whose slot has a new tenant");
            }
            State::Finished => self.effect("wake of one who has ended"),
        }
        if self.tasks[task].state == State::Idle {
            self.tasks[task].state = State::Ready;
            self.ready.push_back(task);
        }
    }

    pub(crate) fn wake_from_thread(&mut self, task: TaskId) {
        self.effect("wake from a thread");
        self.inbox.push(task);
    }

    pub(crate) fn end(&mut self, task: TaskId, result: Result<FiberId, Failure>) {
        self.tasks[task].fiber = None;
        self.tasks[task].state = State::Finished;
        self.tasks[task].result = Some(result);
        if let Err(Failure::Panicked(_)) = result {
            self.effect("panic");
        }
        if self.tasks[task].detached {
            self.effect("end of a detached task");
            self.vacate(task);
            self.drop_result(task);
        } else if let Some(joiner) = self.tasks[task].joiner.take() {
            self.wake(joiner);
        }
    }

    fn drop_result(&mut self, task: TaskId) {
        if let Some(Ok(output)) = self.tasks[task].result {
            self.log(output, What::OutputDropped);
        }
    }

    pub(crate) fn abort(&mut self, task: TaskId) {
        self.tasks[task].aborted = true;
        self.wake(task);
    }

    pub(crate) fn detach(&mut self, task: TaskId) {
        self.tasks[task].detached = true;
        self.tasks[task].joiner = None;
        if self.tasks[task].state == State::Finished {
            self.vacate(task);
            self.drop_result(task);
        }
    }

    /// The result of a task that has ended; else it will wake the one who asks.
    pub(crate) fn join(&mut self, task: TaskId) -> Option<Result<FiberId, Failure>> {
        if self.tasks[task].state == State::Finished {
            self.vacate(task);
            return self.tasks[task].result;
        }
        self.tasks[task].joiner = Some(self.current);
        None
    }

    /// The timer is over, or will wake the one who asks. Even one whose time has come waits for the
    /// reactor's next look.
    pub(crate) fn poll_timer(&mut self, deadline: u64, timer: &mut Option<Timer>) -> bool {
        let key = match *timer {
            None => {
                self.next_timer += 1;
                *timer.insert((deadline, self.next_timer))
            }
            Some(key) if !self.timers.contains_key(&key) => return true,
            Some(key) => key,
        };
        self.timers.insert(key, self.current);
        false
    }
}
