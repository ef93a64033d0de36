//! Who waits for what time: a binary heap whose entries know their place.
//!
//! ```text
//!   slab                                    heap: the earliest deadline on top
//!   +------+----------------+-------+
//!   | slot | waker          | place |               [0]  10 ms, slot 2
//!   +------+----------------+-------+              /                 \
//!   |   0  | wakes task #7  |   2   |      [1] 20 ms, slot 1    [2] 15 ms, slot 0
//!   |   1  | wakes task #3  |   1   |
//!   |   2  | wakes task #9  |   0   |     arm, cancel and fire: O(log n), and no entry
//!   +------+----------------+-------+     stays behind when a sleep is dropped
//! ```

use std::task::Waker;
use std::time::{Duration, Instant};

use slab::Slab;

pub(crate) struct Timers {
    slab: Slab<Timer>,
    heap: Vec<Entry>,
    next_serial: u64,
    /// Deadlines are counted from here, in nanoseconds: one number is cheaper to compare than an
    /// `Instant`.
    epoch: Instant,
}

struct Timer {
    waker: Waker,
    serial: u64,
    place: u32,
}

/// Ordered by deadline, and among equals by who came first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    deadline: u64,
    serial: u64,
    slot: u32,
}

/// A timer's place in the slab, and its number there: slots are used again, serials are not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerKey {
    slot: u32,
    serial: u64,
}

impl Timers {
    pub(crate) fn new(epoch: Instant) -> Timers {
        Timers { slab: Slab::new(), heap: Vec::new(), next_serial: 0, epoch }
    }

    pub(crate) fn arm(&mut self, deadline: Instant, waker: Waker) -> TimerKey {
        let since = deadline.saturating_duration_since(self.epoch);
        // 2^64 nanoseconds are 584 years.
        let deadline = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        let serial = self.next_serial;
        self.next_serial += 1;
        let place = self.heap.len();
        let slot = self.slab.insert(Timer { waker, serial, place: place as u32 }) as u32;
        self.heap.push(Entry { deadline, serial, slot });
        self.rise(place);
        TimerKey { slot, serial }
    }

    /// The waker of a timer that has not fired, to look at or to replace.
    pub(crate) fn waker(&mut self, key: TimerKey) -> Option<&mut Waker> {
        let timer = self.slab.get_mut(key.slot as usize)?;
        (timer.serial == key.serial).then_some(&mut timer.waker)
    }

    /// The waker is given back to be dropped outside of any borrow.
    pub(crate) fn cancel(&mut self, key: TimerKey) -> Option<Waker> {
        self.waker(key)?;
        let timer = self.slab.remove(key.slot as usize);
        self.take_out(timer.place as usize);
        Some(timer.waker)
    }

    pub(crate) fn first(&self) -> Option<Instant> {
        let first = self.heap.first()?;
        // A time that no clock can show will never be due.
        self.epoch.checked_add(Duration::from_nanos(first.deadline))
    }

    /// Takes out the earliest timer if its time has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Waker> {
        let since = now.saturating_duration_since(self.epoch).as_nanos();
        let first = self.heap.first().filter(|first| u128::from(first.deadline) <= since)?;
        let timer = self.slab.remove(first.slot as usize);
        self.take_out(0);
        Some(timer.waker)
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// The last entry takes the place that becomes free, and finds its own from there.
    fn take_out(&mut self, place: usize) {
        self.heap.swap_remove(place);
        if place < self.heap.len() {
            self.sink(place);
            self.rise(place);
        }
    }

    fn rise(&mut self, mut place: usize) {
        let entry = self.heap[place];
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.heap[parent] < entry {
                break;
            }
            self.put(self.heap[parent], place);
            place = parent;
        }
        self.put(entry, place);
    }

    fn sink(&mut self, mut place: usize) {
        let entry = self.heap[place];
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let Some(mut least) = self.heap.get(left).map(|_| left) else { break };
            if self.heap.get(right).is_some_and(|right| *right < self.heap[left]) {
                least = right;
            }
            if entry < self.heap[least] {
                break;
            }
            self.put(self.heap[least], place);
            place = least;
        }
        self.put(entry, place);
    }

    fn put(&mut self, entry: Entry, place: usize) {
        self.heap[place] = entry;
        self.slab[entry.slot as usize].place = place as u32;
    }
}
