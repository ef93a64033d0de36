//! Counts wakers, on an executor that is watched.
//!
//! A task that is parked while no waker of it is left, in no socket's list, no timer, no channel and
//! no other thread, can never be woken: its wake-up is lost. The number of its wakers proves it.
//!
//! The waker is the same number as ever; only its vtable is another one. Where nobody watches,
//! nothing is counted.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{RawWaker, RawWakerVTable};

use crate::key::{self, Key};
use crate::observe::{Event, Outcome};
use crate::scheduler::Scheduler;
use crate::task::{State, TaskId};

pub(crate) static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, key::wake, drop);

static COUNTS: Mutex<Option<Counts>> = Mutex::new(None);

/// Of the tasks of all executors that are watched.
#[derive(Default)]
struct Counts {
    /// How many wakers a task has; none is not listed. The one that lives as long as a poll does
    /// not count.
    wakers: HashMap<Key, usize>,
    /// Those whose last waker has gone, or who were parked without one.
    suspects: Vec<Key>,
}

fn clone(data: *const ()) -> RawWaker {
    with_counts(|counts| *counts.wakers.entry(Key::of(data)).or_default() += 1);
    RawWaker::new(data, &VTABLE)
}

fn wake(data: *const ()) {
    key::wake(data);
    drop(data);
}

fn drop(data: *const ()) {
    let key = Key::of(data);
    with_counts(|counts| {
        let Some(count) = counts.wakers.get_mut(&key) else { return };
        *count -= 1;
        if *count == 0 {
            counts.wakers.remove(&key);
            counts.suspects.push(key);
        }
    });
}

/// The executor's side. It is asked at the two moments that matter: after a poll, and before the
/// thread sleeps.
impl Scheduler {
    /// The task has been polled. How many wakers are kept? None, and it is `Pending`: suspicious.
    #[cold]
    pub(crate) fn count_wakers(&self, key: Key, outcome: Outcome) -> usize {
        with_counts(|counts| {
            let wakers = counts.wakers.get(&key).copied().unwrap_or_default();
            if wakers == 0 && outcome == Outcome::Pending {
                counts.suspects.push(key);
            }
            wakers
        })
    }

    /// Who has no waker now. Asked *before* the executor dozes off: if somebody has woken a task
    /// from another thread and then dropped its waker, he has rung by now, and the doze fails.
    pub(crate) fn take_suspects(&self) -> Vec<Key> {
        let own = |key: &mut Key| key.executor() == self.id();
        let mut suspects: Vec<Key> =
            with_counts(|counts| counts.suspects.extract_if(.., own).collect());
        let mut seen = HashSet::new();
        suspects.retain(|key| seen.insert(*key) && self.lost(*key).is_some());
        suspects
    }

    /// If the thread is going to sleep, whoever is not ready is parked; and the suspects will sleep
    /// for ever, since nobody can make a waker of nothing. If not, they are kept for another time.
    #[inline]
    pub(crate) fn judge(&self, mut suspects: Vec<Key>, sleeps: bool) {
        if suspects.is_empty() {
            return;
        }
        if !sleeps {
            with_counts(|counts| counts.suspects.append(&mut suspects));
        }
        for task in suspects.into_iter().filter_map(|key| self.lost(key)) {
            self.report(|| Event::Lost { task });
        }
    }

    /// Parked as far as we know, and without a waker.
    fn lost(&self, key: Key) -> Option<TaskId> {
        let tasks = self.tasks.borrow();
        let task = tasks.slab.get(key.slot())?;
        let parked = task.id.serial() == key.serial() && task.state == State::Idle;
        let has_waker = with_counts(|counts| counts.wakers.contains_key(&key));
        (parked && !has_waker).then_some(task.id)
    }
}

/// For a new executor, which is watched. Suspects with its id are of one that had it before.
pub(crate) fn vtable_for(executor: u16) -> &'static RawWakerVTable {
    with_counts(|counts| counts.suspects.retain(|key| key.executor() != executor));
    &VTABLE
}

/// No user code runs in here.
fn with_counts<R>(f: impl FnOnce(&mut Counts) -> R) -> R {
    let mut counts: MutexGuard<'_, _> = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    f(counts.get_or_insert_default())
}
