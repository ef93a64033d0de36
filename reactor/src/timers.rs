//! Who waits for what time.
//!
//! ```text
//!   heap: the earliest on top                slab: who is armed
//!
//!            10 ms, slot 2                   slot 0   serial 7   wakes task #7
//!           /             \                  slot 1   -
//!   20 ms, slot 1      15 ms, slot 0         slot 2   serial 9   wakes task #9
//!    (cancelled)
//! ```
//!
//! To arm a timer is to push it on a heap, O(log n). To cancel it is to clear its slot, O(1): the
//! entry in the heap is dead then, and is thrown away when it comes to the top, or when more than
//! half of all entries are dead. That is how Python's asyncio does it. tokio has a wheel of slots
//! instead, where both are O(1), and which needs ten times the code.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;
use std::time::Instant;

use slab::Slab;

pub(crate) struct Timers {
    armed: Slab<Timer>,
    heap: BinaryHeap<Reverse<Entry>>,
    next_serial: u64,
}

struct Timer {
    waker: Waker,
    serial: u64,
}

/// Ordered by deadline, and among equals by who came first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    deadline: Instant,
    key: TimerKey,
}

/// A timer's number, and its place in the slab: slots are used again, serials are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerKey {
    serial: u64,
    slot: usize,
}

impl Timers {
    pub(crate) fn new() -> Timers {
        Timers { armed: Slab::new(), heap: BinaryHeap::new(), next_serial: 0 }
    }

    pub(crate) fn arm(&mut self, deadline: Instant, waker: Waker) -> TimerKey {
        let serial = self.next_serial;
        self.next_serial += 1;
        let slot = self.armed.insert(Timer { waker, serial });
        let key = TimerKey { serial, slot };
        self.heap.push(Reverse(Entry { deadline, key }));
        key
    }

    /// The waker of a timer that has not fired, to look at or to replace.
    pub(crate) fn waker(&mut self, key: TimerKey) -> Option<&mut Waker> {
        let timer = self.armed.get_mut(key.slot)?;
        (timer.serial == key.serial).then_some(&mut timer.waker)
    }

    /// The waker is given back to be dropped outside of any borrow.
    pub(crate) fn cancel(&mut self, key: TimerKey) -> Option<Waker> {
        self.waker(key)?;
        let timer = self.armed.remove(key.slot);
        if self.heap.len() > 2 * self.armed.len() + 64 {
            let armed = &self.armed;
            self.heap.retain(|Reverse(entry)| is_armed(armed, entry.key));
        }
        Some(timer.waker)
    }

    /// The next time at which somebody is to be woken.
    pub(crate) fn first(&mut self) -> Option<Instant> {
        loop {
            let Reverse(first) = self.heap.peek()?;
            if is_armed(&self.armed, first.key) {
                return Some(first.deadline);
            }
            self.heap.pop();
        }
    }

    /// Takes out the earliest timer if its time has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Waker> {
        loop {
            let Reverse(first) = self.heap.peek()?;
            let armed = is_armed(&self.armed, first.key);
            if armed && first.deadline > now {
                return None;
            }
            let slot = first.key.slot;
            self.heap.pop();
            if armed {
                return Some(self.armed.remove(slot).waker);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.armed.len()
    }
}

fn is_armed(armed: &Slab<Timer>, key: TimerKey) -> bool {
    armed.get(key.slot).is_some_and(|timer| timer.serial == key.serial)
}
