//! Long lives: counters wrap, slots are used again and again, queues grow and are empty again.
//!
//! `cargo test` runs all of it a thousand times smaller; `.ci/long-life` in full, in release.

mod common;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use common::{Gate, run, turns, within};
use executor::{Executor, JoinHandle, spawn, yield_now};

fn many(full: usize) -> usize {
    if std::env::var_os("LONG_LIFE").is_some() { full } else { full / 1000 }
}

/// Executor ids belong to the process, and the machine has few cores: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many files this process has open, where the system tells.
fn open_files() -> usize {
    if cfg!(windows) {
        return 0; // wine shows those of the Linux process below it
    }
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[test]
fn a_hundred_million_tasks_one_after_the_other() {
    let _alone = alone();
    run(async || {
        let mut sum = 0;
        let tasks = many(100_000_000);
        for n in 0..tasks {
            sum += spawn(async move { n }).await.unwrap();
        }
        assert_eq!(sum, tasks * (tasks - 1) / 2);
    });
}

#[test]
fn ten_million_tasks_of_mixed_ages() {
    let _alone = alone();
    run(async || {
        // Up to 100 live at once, and they end in another order than they began.
        let mut alive: VecDeque<JoinHandle<usize>> = VecDeque::new();
        let (mut random, mut joined, mut sum) = (1_u64, 0, 0);
        let tasks = many(10_000_000);
        for n in 0..tasks {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let pauses = (random >> 62) as usize;
            alive.push_back(spawn(async move {
                turns(pauses).await;
                n
            }));
            while alive.len() > (random >> 40) as usize % 100 {
                let at = (random >> 20) as usize % alive.len();
                sum += alive.swap_remove_back(at).unwrap().await.unwrap();
                joined += 1;
            }
        }
        for task in alive {
            sum += task.await.unwrap();
            joined += 1;
        }
        assert_eq!((joined, sum), (tasks, tasks * (tasks - 1) / 2));
    });
}

/// The serial in a waker has 16 bits.
const SERIALS: usize = 65_536;

#[test]
fn the_serial_wraps_many_times_and_a_waker_of_65536_tasks_ago_costs_one_poll() {
    let _alone = alone();
    run(async || {
        // All of them live in the same slot, one after the other.
        let mut wakers: VecDeque<Waker> = VecDeque::new();
        let mut met = 0;
        for _ in 0..3 * SERIALS + many(100 * SERIALS) {
            let gate = Gate::new();
            let task = spawn(gate.pass());
            turns(1).await;
            assert_eq!(gate.polls(), 1);
            wakers.push_front(gate.waker());
            // Its neighbours, and one of the youngest, are not it.
            for stale in [1, 2, SERIALS - 1, SERIALS + 1] {
                wakers.get(stale).inspect(|waker| waker.wake_by_ref());
            }
            turns(1).await;
            assert_eq!(gate.polls(), 1, "a waker of another task");
            if let Some(same_number) = wakers.get(SERIALS) {
                assert!(same_number.will_wake(&gate.waker()), "the tasks share one slot");
                same_number.wake_by_ref();
                same_number.wake_by_ref();
                turns(1).await;
                assert_eq!(gate.polls(), 2, "one poll for nothing");
                met += 1;
            }
            gate.open();
            task.await.unwrap();
            wakers.truncate(SERIALS + 2);
        }
        assert!(met >= 2 * SERIALS - 1);
    });
}

#[test]
fn a_hundred_million_turns_in_the_ready_queue() {
    let _alone = alone();
    run(async || {
        // Each round is in the order of the first one.
        let (tasks, rounds) = (1000, many(100_000_000) / 1000);
        let next = Rc::new(Cell::new(0));
        let task = |n| {
            let next = next.clone();
            spawn(async move {
                for _ in 0..rounds {
                    assert_eq!(next.replace((n + 1) % tasks), n, "first in, first out");
                    yield_now().await;
                }
            })
        };
        for task in (0..tasks).map(task).collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
}

#[test]
fn the_ready_queue_grows_and_shrinks() {
    let _alone = alone();
    run(async || {
        let ended = Rc::new(Cell::new(0));
        let mut spawned = 0;
        for round in 0..20 {
            let crowd = if round % 2 == 0 { many(100_000) } else { 1 };
            for _ in 0..crowd {
                let ended = ended.clone();
                drop(spawn(async move {
                    yield_now().await;
                    ended.set(ended.get() + 1);
                }));
            }
            spawned += crowd;
            turns(2).await;
            assert_eq!(ended.get(), spawned);
        }
    });
}

#[test]
fn a_million_parked_tasks_are_woken_once_each_and_in_order() {
    let _alone = alone();
    run(async || {
        let tasks = many(1_000_000);
        let wakers = Rc::new(RefCell::new(Vec::with_capacity(tasks)));
        let polls = Rc::new(Cell::new(0));
        let order = Rc::new(Cell::new(0));
        for n in 0..tasks {
            let (wakers, polls, order) = (wakers.clone(), polls.clone(), order.clone());
            let mut parked = false;
            drop(spawn(poll_fn(move |cx| {
                polls.set(polls.get() + 1);
                if parked {
                    assert_eq!(order.replace(n + 1), n);
                    return Poll::Ready(());
                }
                parked = true;
                wakers.borrow_mut().push(cx.waker().clone());
                Poll::Pending
            })));
        }
        turns(1).await;
        assert_eq!(polls.get(), tasks);
        turns(3).await;
        assert_eq!(polls.get(), tasks, "nobody woke them");
        for waker in wakers.take() {
            waker.wake_by_ref();
            waker.wake();
        }
        turns(1).await;
        assert_eq!((polls.get(), order.get()), (2 * tasks, tasks));
    });
}

#[test]
fn ten_thousand_executors_one_after_the_other_use_one_id_and_leave_nothing_open() {
    let _alone = alone();
    within(|| {
        let new = || Executor::new(Waker::noop().clone());
        let name = format!("{:?}", new());
        let files = open_files();
        for n in 0..many(10_000) {
            let executor = new();
            assert_eq!(format!("{executor:?}"), name, "the id is used again");
            let kept = Gate::new();
            let pass = kept.pass();
            let main = async {
                let task = spawn(pass);
                let sum = spawn(async move { n + 1 }).await.unwrap();
                assert!(!task.is_finished());
                sum
            };
            assert_eq!(executor.block_on(main, |_| ()), n + 1);
            drop(executor);
            // Nobody is there, or the next one, who finds nothing to poll.
            kept.waker().wake();
        }
        assert_eq!(open_files(), files);
    });
}
