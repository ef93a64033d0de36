//! The ready queue: first in, first out, in rounds.
//!
//! ```text
//!   round   [ #3  #1  #7 ]      polled from left to right
//!                 ^ at
//!   next    [ #3  #9 ]          whoever is woken meanwhile has a turn in the next round
//! ```
//!
//! Two vectors that change places do what a ring buffer does, with half its instructions: there is
//! no end to wrap around.

use std::mem;

use crate::key::Key;

/// Keys, not slots: a task that wakes itself and then ends leaves its key behind, which must not
/// poll the next tenant of the slot.
#[derive(Default)]
pub(crate) struct ReadyQueue {
    round: Vec<Key>,
    at: usize,
    next: Vec<Key>,
}

impl ReadyQueue {
    #[inline]
    pub(crate) fn push_back(&mut self, key: Key) {
        self.next.push(key);
    }

    #[inline]
    pub(crate) fn pop_front(&mut self) -> Option<Key> {
        if self.at == self.round.len() {
            self.round.clear();
            self.at = 0;
            mem::swap(&mut self.round, &mut self.next);
        }
        let key = *self.round.get(self.at)?;
        self.at += 1;
        Some(key)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.round.len() && self.next.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        *self = ReadyQueue::default();
    }
}
