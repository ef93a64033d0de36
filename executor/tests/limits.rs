//! The numbers in a waker come to an end: executor ids and serials are used again.

mod common;

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use common::{Gate, catch, elsewhere, run, turns, within};
use executor::{Executor, block_on, spawn};

/// Executor ids belong to the process, so these tests run one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn executor() -> Executor {
    Executor::new(Waker::noop().clone())
}

#[test]
fn a_waker_of_a_dropped_executor_costs_the_next_one_with_its_id_at_most_one_poll() {
    let _alone = alone();
    within(|| {
        let old = Gate::new();
        let first = executor();
        let name = format!("{first:?}");
        let wait_at = async |gate: &Gate| {
            drop(spawn(gate.pass()));
            turns(1).await;
        };
        first.block_on(wait_at(&old), |_| ());
        drop(first);
        let second = executor();
        assert_eq!(format!("{second:?}"), name, "the id is used again");
        let new = Gate::new();
        let main = async {
            wait_at(&new).await;
            old.waker().wake();
            let waker = old.waker();
            elsewhere(move || waker.wake());
            turns(200).await;
            assert!(new.polls() <= 1 + 2, "one for each of the two wakes");
            new.open();
            turns(2).await;
        };
        second.block_on(main, |_| ());
        assert_eq!(old.polls(), 1);
    });
}

#[test]
fn a_waker_meets_its_number_again_after_65536_tasks_and_costs_one_poll() {
    let _alone = alone();
    run(async || {
        let first = Gate::new();
        let task = spawn(first.pass());
        turns(1).await;
        first.open();
        task.await.unwrap();
        let old = first.waker();
        // One after the other, so that all of them live in the same slot.
        let mut tasks = 1;
        loop {
            let candidate = Gate::new();
            let task = spawn(candidate.pass());
            tasks += 1;
            turns(1).await;
            if candidate.waker().will_wake(&old) {
                old.wake_by_ref();
                turns(3).await;
                assert_eq!(candidate.polls(), 2, "one for nothing");
                candidate.open();
                break task.await.unwrap();
            }
            old.wake_by_ref();
            candidate.open();
            task.await.unwrap();
            assert_eq!(candidate.polls(), 2);
        }
        assert_eq!(tasks, 65_537);
    });
}

#[test]
fn there_can_be_65536_executors_and_one_more_is_refused() {
    let _alone = alone();
    within(|| {
        let mut all: Vec<Executor> = (0..65_536).map(|_| executor()).collect();
        let text = catch(executor).map(|_| ()).unwrap_err();
        assert!(text.contains("65,536 executors"), "{text}");
        assert_eq!(all[65_535].block_on(async { spawn(async { 7 }).await.unwrap() }, |_| ()), 7);
        all.pop();
        assert_eq!(block_on(poll_fn(|_| Poll::Ready(8))), 8, "there is room for one again");
    });
}
