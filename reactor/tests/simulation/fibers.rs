//! The coroutines of the model: a list of operations, how far it has come, and what it waits for.

use crate::channels::{End, Ticket};
use crate::model::{Model, Timer};
use crate::program::{Kind, Op, Ops};
use crate::tasks::{Failure, TaskId};
use crate::trace::{FiberId, What};

pub(crate) struct Fiber {
    pub(crate) id: FiberId,
    ops: Ops,
    pc: usize,
    pub(crate) wait: Option<Wait>,
    pub(crate) held: Vec<Held>,
    /// It has ended, and all that it owned is dropped.
    pub(crate) gone: bool,
}

/// What can be owned: a task, or an end of the channel with this number.
#[derive(Clone, Copy)]
pub(crate) enum Held {
    Handle(TaskId),
    Sender(usize),
    Receiver(usize),
    OneshotSender(usize),
    OneshotReceiver(usize),
}

pub(crate) enum Turn {
    Pending,
    Done,
    Panic(FiberId),
}

pub(crate) enum Wait {
    /// For the next poll, whatever it is for.
    Poll,
    Sleep(Alarm),
    Join(TaskId),
    JoinFor(TaskId, Alarm),
    Send {
        channel: usize,
        value: u32,
        ticket: Ticket,
    },
    Recv {
        channel: usize,
        ticket: Ticket,
    },
    Oneshot(usize),
    Both([Branch; 2]),
    Race([Branch; 2]),
    Timeout(Branch, Alarm),
}

pub(crate) struct Alarm {
    pub(crate) deadline: u64,
    pub(crate) timer: Option<Timer>,
}

pub(crate) enum Branch {
    Running(Box<Fiber>),
    Ended(FiberId),
    Gone,
}

impl Fiber {
    pub(crate) fn new(id: FiberId, ops: Ops) -> Fiber {
        Fiber { id, ops, pc: 0, wait: None, held: Vec::new(), gone: false }
    }
}

impl Held {
    pub(crate) fn number(self) -> usize {
        match self {
            Held::Handle(number)
            | Held::Sender(number)
            | Held::Receiver(number)
            | Held::OneshotSender(number)
            | Held::OneshotReceiver(number) => number,
        }
    }
}

impl Model<'_> {
    pub(crate) fn poll_fiber(&mut self, fiber: &mut Fiber) -> Turn {
        loop {
            if let Some(mut wait) = fiber.wait.take() {
                match self.poll_wait(fiber.id, &mut wait) {
                    Turn::Done => {}
                    Turn::Pending => {
                        fiber.wait = Some(wait);
                        return Turn::Pending;
                    }
                    Turn::Panic(by) => {
                        self.drop_wait(wait);
                        self.finish(fiber);
                        return Turn::Panic(by);
                    }
                }
            }
            let Some(op) = fiber.ops.get(fiber.pc).cloned() else {
                self.finish(fiber);
                return Turn::Done;
            };
            self.log(fiber.id, What::Step(fiber.pc));
            fiber.pc += 1;
            if let Op::Panic = op {
                self.finish(fiber);
                return Turn::Panic(fiber.id);
            }
            match op {
                // These begin with a pause.
                Op::Yield | Op::Park => {
                    let task = self.current;
                    if let Op::Yield = op {
                        self.wake(task);
                    } else {
                        self.wakers.push(task);
                    }
                    fiber.wait = Some(Wait::Poll);
                    return Turn::Pending;
                }
                Op::Hold(kind, k) => {
                    let held = self.take_thing(kind, k);
                    fiber.held.extend(held);
                }
                _ => fiber.wait = self.start(fiber.id, &op),
            }
        }
    }

    fn poll_wait(&mut self, id: FiberId, wait: &mut Wait) -> Turn {
        match wait {
            Wait::Poll => {}
            Wait::Sleep(alarm) => {
                if !self.poll_timer(alarm.deadline, &mut alarm.timer) {
                    return Turn::Pending;
                }
            }
            Wait::Join(task) => {
                let Some(result) = self.join(*task) else { return Turn::Pending };
                self.joined(id, result);
            }
            Wait::JoinFor(task, alarm) => {
                if let Some(result) = self.join(*task) {
                    self.stop(alarm);
                    self.joined(id, result);
                } else if self.poll_timer(alarm.deadline, &mut alarm.timer) {
                    self.effect("join that takes too long");
                    self.log(id, What::Elapsed);
                    self.table(Kind::Handle).push(Held::Handle(*task));
                } else {
                    return Turn::Pending;
                }
            }
            Wait::Send { channel, value, ticket } => {
                let Some(sent) = self.poll_send(*channel, *value, ticket) else {
                    return Turn::Pending;
                };
                self.log(id, sent.map_or_else(What::Refused, |()| What::Sent));
                self.leave(*channel, End::Send);
            }
            Wait::Recv { channel, ticket } => {
                let Some(received) = self.poll_recv(*channel, ticket) else {
                    return Turn::Pending;
                };
                self.log(id, received.map_or(What::Closed, What::Received));
                self.leave(*channel, End::Receive);
            }
            Wait::Oneshot(oneshot) => {
                let Some(received) = self.poll_oneshot(*oneshot) else { return Turn::Pending };
                self.effect("oneshot");
                self.close_oneshot(*oneshot);
                self.log(id, received.map_or(What::Closed, What::Received));
            }
            Wait::Both(branches) => return self.poll_both(id, branches),
            Wait::Race(branches) => return self.poll_race(id, branches),
            Wait::Timeout(..) => return self.poll_timeout(id, wait),
        }
        Turn::Done
    }

    fn joined(&mut self, id: FiberId, result: Result<FiberId, Failure>) {
        match result {
            Ok(output) => {
                self.effect("join");
                self.log(id, What::Joined(output));
                self.log(output, What::OutputDropped);
            }
            Err(Failure::Cancelled) => {
                self.effect("join of one who was aborted");
                self.log(id, What::JoinedCancelled);
            }
            Err(Failure::Panicked(by)) => {
                self.effect("join of one who panicked");
                self.log(id, What::JoinedPanicked(by));
            }
        }
    }

    pub(crate) fn stop(&mut self, alarm: &Alarm) {
        if let Some(timer) = alarm.timer {
            self.timers.remove(&timer);
        }
    }
}
