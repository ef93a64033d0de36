//! The model: what an executor with a reactor does, as a plain loop over plain data. No future, no
//! waker, no reference count; a task is a number.

use std::collections::{BTreeMap, VecDeque};

use crate::channels::{Channel, Oneshot};
use crate::fibers::{Held, Turn};
use crate::program::{Ops, Program};
use crate::tasks::{Failure, State, Task, TaskId};
use crate::trace::{Entry, FiberId, What};

/// How often each operation had an effect.
pub(crate) type Effects = BTreeMap<&'static str, u64>;

/// By deadline, then by who came first.
pub(crate) type Timer = (u64, u64);

pub(crate) struct Model<'a> {
    effects: &'a mut Effects,
    trace: Vec<Entry>,
    pub(crate) now: u64,
    pub(crate) next_fiber: FiberId,
    pub(crate) next_value: u32,
    pub(crate) tasks: Vec<Task>,
    /// Who lives in which slot. Only the order matters in which tasks are dropped at the end.
    pub(crate) slots: Vec<Option<TaskId>>,
    /// The slot that became free last is used first.
    pub(crate) free: Vec<usize>,
    pub(crate) ready: VecDeque<TaskId>,
    /// Whom other threads have woken.
    pub(crate) inbox: Vec<TaskId>,
    pub(crate) timers: BTreeMap<Timer, TaskId>,
    pub(crate) next_timer: u64,
    pub(crate) next_ticket: u64,
    /// The task that is polled.
    pub(crate) current: TaskId,
    pub(crate) wakers: Vec<TaskId>,
    pub(crate) asleep: Vec<TaskId>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) oneshots: Vec<Oneshot>,
    /// What all may use; one table for each kind.
    pub(crate) tables: [Vec<Held>; 5],
}

pub(crate) fn run(program: &Program, effects: &mut Effects) -> Vec<Entry> {
    let mut model = Model {
        effects,
        trace: Vec::new(),
        now: 0,
        next_fiber: 0,
        next_value: 0,
        tasks: Vec::new(),
        slots: Vec::new(),
        free: Vec::new(),
        ready: VecDeque::new(),
        inbox: Vec::new(),
        timers: BTreeMap::new(),
        next_timer: 0,
        next_ticket: 0,
        current: 0,
        wakers: Vec::new(),
        asleep: Vec::new(),
        channels: Vec::new(),
        oneshots: Vec::new(),
        tables: Default::default(),
    };
    for main in &program.mains {
        if !model.block_on(main) {
            break;
        }
    }
    for kind in 0..model.tables.len() {
        for held in std::mem::take(&mut model.tables[kind]) {
            model.drop_held(held);
        }
    }
    model.trace
}

impl Model<'_> {
    pub(crate) fn log(&mut self, fiber: FiberId, what: What) {
        self.trace.push(Entry { at: self.now, fiber, what });
    }

    pub(crate) fn effect(&mut self, name: &'static str) {
        *self.effects.entry(name).or_default() += 1;
    }

    /// False: stuck.
    fn block_on(&mut self, ops: &Ops) -> bool {
        let id = self.next_fiber;
        let fiber = self.fiber(ops);
        let main = self.insert(fiber);
        let end = 'ended: loop {
            let mut polls = 0;
            while polls < executor::BUDGET
                && let Some(task) = self.ready.pop_front()
            {
                // A key of a task that woke itself and then ended.
                if self.tasks[task].state != State::Ready {
                    continue;
                }
                polls += 1;
                let turn = self.poll(task);
                match turn {
                    Turn::Done if task == main => break 'ended What::MainReturned,
                    Turn::Panic(by) if task == main => break 'ended What::MainPanicked(by),
                    Turn::Done => self.end(task, Ok(self.output_of(task))),
                    Turn::Panic(by) => self.end(task, Err(Failure::Panicked(by))),
                    Turn::Pending => {}
                }
            }
            if !self.park(polls) {
                break What::Stuck;
            }
        };
        self.close(main);
        self.log(id, end);
        if end == What::MainReturned {
            self.log(id, What::OutputDropped);
        }
        if end == What::Stuck {
            self.effect("stuck");
        }
        end != What::Stuck
    }

    fn poll(&mut self, task: TaskId) -> Turn {
        self.current = task;
        self.tasks[task].state = State::Idle;
        let mut fiber = self.tasks[task].fiber.take().expect("it has not ended");
        if self.tasks[task].aborted {
            self.effect("abort");
            self.drop_fiber(fiber);
            self.end(task, Err(Failure::Cancelled));
            return Turn::Pending;
        }
        self.log(fiber.id, What::Poll);
        let turn = self.poll_fiber(&mut fiber);
        self.tasks[task].fiber = Some(fiber);
        turn
    }

    /// False: nobody will ever be woken.
    fn park(&mut self, polls: usize) -> bool {
        let idle = self.ready.is_empty() && self.inbox.is_empty();
        self.log(0, What::Park(idle));
        if polls == executor::BUDGET && !self.ready.is_empty() {
            self.effect("budget used up");
        }
        if idle && !self.asleep.is_empty() {
            self.effect("wake while asleep");
            self.inbox.append(&mut self.asleep);
        } else if idle {
            let Some((&(deadline, _), _)) = self.timers.first_key_value() else { return false };
            self.now = self.now.max(deadline);
        }
        while let Some(timer) = self.timers.first_entry().filter(|t| t.key().0 <= self.now) {
            let task = timer.remove();
            self.effect("timer");
            self.wake(task);
        }
        for task in std::mem::take(&mut self.inbox) {
            self.wake(task);
        }
        true
    }

    /// Ends whoever is left, in order of their slots.
    fn close(&mut self, main: TaskId) {
        if let Some(fiber) = self.tasks[main].fiber.take().filter(|fiber| !fiber.gone) {
            self.drop_fiber(fiber);
        }
        self.tasks[main].state = State::Finished;
        self.vacate(main);
        self.ready.clear();
        for task in self.slots.clone().into_iter().flatten() {
            if let Some(fiber) = self.tasks[task].fiber.take() {
                self.effect("dropped at the end");
                self.drop_fiber(fiber);
                self.end(task, Err(Failure::Cancelled));
            }
        }
    }
}
