//! The channels of the model. Who must wait stands in a line; when there is something for the
//! first of it, that is kept for him until he comes.

use std::collections::VecDeque;

use crate::model::Model;
use crate::tasks::TaskId;

pub(crate) struct Channel {
    queue: VecDeque<u32>,
    /// Usually called the capacity; 0 is no limit.
    limit: usize,
    sides: [Side; 2],
}

#[derive(Clone, Copy)]
pub(crate) enum End {
    Send,
    Receive,
}

struct Side {
    handles: usize,
    line: VecDeque<(u64, TaskId)>,
    /// There is something for these.
    called: Vec<u64>,
}

/// Of one who waits.
pub(crate) type Ticket = Option<u64>;

#[derive(Default)]
pub(crate) struct Oneshot {
    value: Option<u32>,
    waiting: Option<TaskId>,
    closed: bool,
}

impl Channel {
    pub(crate) fn new(limit: usize) -> Channel {
        let side = || Side { handles: 1, line: VecDeque::new(), called: Vec::new() };
        Channel { queue: VecDeque::new(), limit, sides: [side(), side()] }
    }

    fn side(&mut self, end: End) -> &mut Side {
        &mut self.sides[end as usize]
    }

    fn is_closed(&self, end: End) -> bool {
        self.sides[end as usize].handles == 0
    }

    fn is_full(&self) -> bool {
        let kept = self.sides[End::Send as usize].called.len();
        self.limit > 0 && self.queue.len() + kept >= self.limit
    }

    fn has_one(&self) -> bool {
        self.queue.len() > self.sides[End::Receive as usize].called.len()
    }

    /// What is kept for somebody may still be for another.
    fn is_over(&self) -> bool {
        self.is_closed(End::Send) && self.queue.is_empty()
    }
}

impl Side {
    fn is_called(&self, ticket: Ticket) -> bool {
        ticket.is_some_and(|ticket| self.called.contains(&ticket))
    }

    /// True if there was something for him.
    fn leave(&mut self, ticket: Ticket) -> bool {
        let Some(ticket) = ticket else { return false };
        self.line.retain(|(other, _)| *other != ticket);
        let called = self.called.len();
        self.called.retain(|other| *other != ticket);
        self.called.len() < called
    }
}

impl Model<'_> {
    pub(crate) fn enter(&mut self, channel: usize, end: End) {
        self.channels[channel].side(end).handles += 1;
    }

    /// One handle less. When it was the last one, those at the other end need not wait any more;
    /// but receivers only when nothing is left.
    pub(crate) fn leave(&mut self, channel: usize, end: End) {
        let here = &mut self.channels[channel];
        here.side(end).handles -= 1;
        match end {
            End::Send => self.call_if_over(channel),
            End::Receive if here.is_closed(end) => {
                here.queue.clear();
                self.call_all(channel, End::Send);
            }
            End::Receive => {}
        }
    }

    fn call_if_over(&mut self, channel: usize) {
        if self.channels[channel].is_over() {
            self.call_all(channel, End::Receive);
        }
    }

    fn call_all(&mut self, channel: usize, end: End) {
        while self.call_one(channel, end) {
            self.effect("channel closed for one who waits");
        }
    }

    /// There is something for one more.
    fn call_one(&mut self, channel: usize, end: End) -> bool {
        let side = self.channels[channel].side(end);
        let Some((ticket, task)) = side.line.pop_front() else { return false };
        side.called.push(ticket);
        self.wake(task);
        true
    }

    fn stand_in_line(&mut self, channel: usize, end: End, ticket: &mut Ticket) {
        let task = self.current;
        let side = self.channels[channel].side(end);
        let number = match *ticket {
            Some(number) => number,
            None => {
                self.next_ticket += 1;
                *ticket.insert(self.next_ticket)
            }
        };
        match side.line.iter_mut().find(|(other, _)| *other == number) {
            Some(place) => place.1 = task,
            None => side.line.push_back((number, task)),
        }
    }

    /// He who waits has gone; what was kept for him is for the next one.
    pub(crate) fn give_up(&mut self, channel: usize, end: End, ticket: Ticket) {
        if self.channels[channel].side(end).leave(ticket) {
            self.effect("channel: one who was called has gone");
            self.call_one(channel, end);
        }
    }

    /// None: he must wait.
    pub(crate) fn poll_send(
        &mut self,
        channel: usize,
        value: u32,
        ticket: &mut Ticket,
    ) -> Option<Result<(), u32>> {
        let here = &mut self.channels[channel];
        let called = here.side(End::Send).is_called(*ticket);
        let closed = here.is_closed(End::Receive);
        if !closed && !called && here.is_full() {
            self.effect("send that waits");
            self.stand_in_line(channel, End::Send, ticket);
            return None;
        }
        here.side(End::Send).leave(ticket.take());
        if closed {
            self.effect("send to nobody");
            return Some(Err(value));
        }
        self.effect("send");
        self.channels[channel].queue.push_back(value);
        self.call_one(channel, End::Receive);
        Some(Ok(()))
    }

    /// `Err(true)`: closed. `Err(false)`: full.
    pub(crate) fn try_send(&mut self, channel: usize, value: u32) -> Result<(), bool> {
        if self.channels[channel].is_closed(End::Receive) {
            return Err(true);
        }
        if self.channels[channel].is_full() {
            return Err(false);
        }
        self.effect("try_send");
        self.channels[channel].queue.push_back(value);
        self.call_one(channel, End::Receive);
        Ok(())
    }

    fn take(&mut self, channel: usize) -> Option<u32> {
        let value = self.channels[channel].queue.pop_front()?;
        self.call_one(channel, End::Send);
        self.call_if_over(channel);
        Some(value)
    }

    /// None: he must wait. `Some(None)`: the channel is closed.
    pub(crate) fn poll_recv(&mut self, channel: usize, ticket: &mut Ticket) -> Option<Option<u32>> {
        let here = &mut self.channels[channel];
        let may_take = here.side(End::Receive).is_called(*ticket) || here.has_one();
        let value = if may_take { self.take(channel) } else { None };
        if value.is_none() && !self.channels[channel].is_over() {
            self.effect("recv that waits");
            self.stand_in_line(channel, End::Receive, ticket);
            return None;
        }
        self.effect(if value.is_some() { "recv" } else { "recv of the end" });
        self.channels[channel].side(End::Receive).leave(ticket.take());
        Some(value)
    }

    /// `Err(true)`: closed. `Err(false)`: empty.
    pub(crate) fn try_recv(&mut self, channel: usize) -> Result<u32, bool> {
        let here = &self.channels[channel];
        if here.is_over() {
            return Err(true);
        }
        if !here.has_one() {
            return Err(false);
        }
        self.effect("try_recv");
        self.take(channel).ok_or(false)
    }

    // Oneshot ---------------------------------------------------------------------------------

    /// With a value, or without one: then the sender was dropped.
    pub(crate) fn oneshot_send(&mut self, oneshot: usize, value: Option<u32>) -> bool {
        let here = &mut self.oneshots[oneshot];
        let was_closed = here.closed;
        if !was_closed {
            here.value = value;
        }
        here.closed = true;
        if let Some(task) = here.waiting.take() {
            self.effect("oneshot that ends a wait");
            self.wake(task);
        }
        !was_closed
    }

    pub(crate) fn poll_oneshot(&mut self, oneshot: usize) -> Option<Option<u32>> {
        let here = &mut self.oneshots[oneshot];
        if here.value.is_some() || here.closed {
            return Some(here.value.take());
        }
        here.waiting = Some(self.current);
        None
    }

    pub(crate) fn close_oneshot(&mut self, oneshot: usize) {
        let here = &mut self.oneshots[oneshot];
        (here.closed, here.waiting) = (true, None);
    }
}
