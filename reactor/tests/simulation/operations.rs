//! What each operation is in the model.

use crate::channels::{Channel, End, Oneshot};
use crate::fibers::{Alarm, Held, Wait};
use crate::model::Model;
use crate::program::{Kind, Op, Ops, place};
use crate::tasks::{State, TaskId};
use crate::trace::{FiberId, What};

impl Model<'_> {
    /// What there is to wait for, if it is not done at once.
    pub(crate) fn start(&mut self, id: FiberId, op: &Op) -> Option<Wait> {
        match op {
            Op::Sleep(time) => return Some(Wait::Sleep(self.alarm(*time))),
            Op::Keep => self.wakers.push(self.current),
            Op::Wake(k) | Op::WakeClone(k) => {
                let task = self.waker(*k)?;
                self.wake(task);
            }
            Op::WakeFromThread(k) => {
                let task = self.waker(*k)?;
                self.wake_from_thread(task);
            }
            Op::WakeAsleep(k) => self.asleep.push(self.waker(*k)?),
            Op::Spawn(ops) => self.spawn(ops),
            Op::Crowd(n, ops) => (0..*n).for_each(|_| self.spawn(ops)),
            Op::Join(k) => {
                let task = self.take_thing(Kind::Handle, *k)?.number();
                return Some(Wait::Join(task));
            }
            Op::JoinFor(k, time) => {
                let task = self.take_thing(Kind::Handle, *k)?.number();
                return Some(Wait::JoinFor(task, self.alarm(*time)));
            }
            Op::IsFinished(k) => {
                let task = self.thing(Kind::Handle, *k)?;
                let finished = self.tasks[task].state == State::Finished;
                self.effect("is_finished");
                self.log(id, What::IsFinished(finished));
            }
            Op::Abort(k) => {
                let task = self.thing(Kind::Handle, *k)?;
                self.abort(task);
            }
            Op::Both(a, b) => return Some(Wait::Both([self.branch(a), self.branch(b)])),
            Op::Race(a, b) => return Some(Wait::Race([self.branch(a), self.branch(b)])),
            Op::Timeout(time, ops) => {
                return Some(Wait::Timeout(self.branch(ops), self.alarm(*time)));
            }
            Op::Drop(kind, k) => {
                let held = self.take_thing(*kind, *k)?;
                self.effect("drop of a handle or an end");
                self.drop_held(held);
            }
            _ => return self.start_channel(id, op),
        }
        None
    }

    fn start_channel(&mut self, id: FiberId, op: &Op) -> Option<Wait> {
        match op {
            Op::Open(limit) => {
                let channel = self.channels.len();
                self.channels.push(Channel::new(*limit));
                self.table(Kind::Sender).push(Held::Sender(channel));
                self.table(Kind::Receiver).push(Held::Receiver(channel));
            }
            Op::CloneSender(k) => {
                let channel = self.thing(Kind::Sender, *k)?;
                self.enter(channel, End::Send);
                self.table(Kind::Sender).push(Held::Sender(channel));
            }
            Op::CloneReceiver(k) => {
                let channel = self.thing(Kind::Receiver, *k)?;
                self.enter(channel, End::Receive);
                self.table(Kind::Receiver).push(Held::Receiver(channel));
            }
            Op::Send(k) => {
                let channel = self.thing(Kind::Sender, *k)?;
                self.enter(channel, End::Send);
                return Some(Wait::Send { channel, value: self.value(), ticket: None });
            }
            Op::TrySend(k) => {
                let channel = self.thing(Kind::Sender, *k)?;
                let value = self.value();
                let sent = self.try_send(channel, value);
                self.log(
                    id,
                    match sent {
                        Ok(()) => What::Sent,
                        Err(true) => What::Refused(value),
                        Err(false) => What::Full(value),
                    },
                );
            }
            Op::Recv(k) => {
                let channel = self.thing(Kind::Receiver, *k)?;
                self.enter(channel, End::Receive);
                return Some(Wait::Recv { channel, ticket: None });
            }
            Op::TryRecv(k) => {
                let channel = self.thing(Kind::Receiver, *k)?;
                let received = self.try_recv(channel);
                self.log(
                    id,
                    match received {
                        Ok(value) => What::Received(value),
                        Err(true) => What::Closed,
                        Err(false) => What::Empty,
                    },
                );
            }
            Op::Oneshot => {
                let oneshot = self.oneshots.len();
                self.oneshots.push(Oneshot::default());
                self.table(Kind::OneshotSender).push(Held::OneshotSender(oneshot));
                self.table(Kind::OneshotReceiver).push(Held::OneshotReceiver(oneshot));
            }
            Op::OneshotSend(k) => {
                let oneshot = self.take_thing(Kind::OneshotSender, *k)?.number();
                let value = self.value();
                let sent = self.oneshot_send(oneshot, Some(value));
                self.log(id, if sent { What::Sent } else { What::Refused(value) });
            }
            Op::OneshotRecv(k) => {
                let oneshot = self.take_thing(Kind::OneshotReceiver, *k)?.number();
                return Some(Wait::Oneshot(oneshot));
            }
            _ => unreachable!("{op:?} is done elsewhere"),
        }
        None
    }

    fn alarm(&self, time: u64) -> Alarm {
        Alarm { deadline: self.now + time, timer: None }
    }

    fn value(&mut self) -> u32 {
        self.next_value += 1;
        self.next_value - 1
    }

    fn waker(&self, k: usize) -> Option<TaskId> {
        place(self.wakers.len(), k).map(|place| self.wakers[place])
    }

    fn spawn(&mut self, ops: &Ops) {
        let fiber = self.fiber(ops);
        let task = self.insert(fiber);
        self.table(Kind::Handle).push(Held::Handle(task));
    }

    // What all may use ------------------------------------------------------------------------

    pub(crate) fn table(&mut self, kind: Kind) -> &mut Vec<Held> {
        &mut self.tables[kind as usize]
    }

    pub(crate) fn take_thing(&mut self, kind: Kind, k: usize) -> Option<Held> {
        let table = self.table(kind);
        place(table.len(), k).map(|place| table.remove(place))
    }

    /// The number of the task or the channel.
    pub(crate) fn thing(&mut self, kind: Kind, k: usize) -> Option<usize> {
        let table = self.table(kind);
        place(table.len(), k).map(|place| table[place].number())
    }
}
