//! Several executors: on several threads, one after the other, and reached by one another.
#![allow(clippy::async_yields_async, reason = "a handle may leave its executor")]

mod common;

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;

use common::{Gate, Interrupt, elsewhere, run, turns, within};
use executor::{Executor, block_on, current_task, spawn, yield_now};

#[test]
fn several_executors_run_on_several_threads() {
    within(|| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                thread::spawn(move || {
                    block_on(async move {
                        let tasks: Vec<_> = (0..20)
                            .map(|i| {
                                spawn(async move {
                                    turns(i).await;
                                    n * 100 + i
                                })
                            })
                            .collect();
                        for (i, task) in tasks.into_iter().enumerate() {
                            assert_eq!(task.await.unwrap(), n * 100 + i);
                        }
                    });
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Whose turn it is, and how to reach both sides.
#[derive(Default)]
struct Table {
    turn: AtomicUsize,
    players: [Mutex<Option<Waker>>; 2],
}

impl Table {
    async fn play(&self, me: usize, rounds: usize) {
        for _ in 0..rounds {
            poll_fn(|cx| {
                *self.players[me].lock().unwrap() = Some(cx.waker().clone());
                if self.turn.load(SeqCst) % 2 == me { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            self.turn.fetch_add(1, SeqCst);
            let other = self.players[1 - me].lock().unwrap().clone();
            if let Some(other) = other {
                other.wake();
            }
        }
    }
}

#[test]
fn two_executors_wake_each_other() {
    within(|| {
        let table = Arc::<Table>::default();
        let threads = [0, 1].map(|me| {
            let table = table.clone();
            thread::spawn(move || {
                block_on(async { spawn(async move { table.play(me, 1000).await }).await.unwrap() });
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(table.turn.load(SeqCst), 2000);
    });
}

#[test]
fn one_executor_after_the_other_on_one_thread() {
    within(|| {
        for n in 0..50 {
            assert_eq!(block_on(async move { spawn(async move { n }).await.unwrap() }), n);
            assert_eq!(current_task(), None);
        }
    });
}

#[test]
fn two_executors_take_turns_on_one_thread() {
    within(|| {
        let (a, b) = (Executor::new(Waker::noop().clone()), Executor::new(Waker::noop().clone()));
        for n in 0..10 {
            for executor in [&a, &b] {
                let main = async { spawn(async move { n }).await.unwrap() };
                assert_eq!(executor.block_on(main, |_| ()), n);
            }
        }
    });
}

#[test]
fn one_executor_runs_several_times_and_its_ids_go_on() {
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        let mut last = 0;
        for _ in 0..5 {
            let main = async {
                let main = current_task().unwrap().get();
                (main, spawn(async { current_task().unwrap().get() }).await.unwrap())
            };
            let (main, task) = executor.block_on(main, |_| ());
            assert!(last < main && main < task);
            last = task;
        }
    });
}

#[test]
fn a_task_wakes_a_task_of_an_executor_that_ran_before_on_its_thread() {
    within(|| {
        let (first, second) =
            (Executor::new(Waker::noop().clone()), Executor::new(Waker::noop().clone()));
        let old = Gate::new();
        let main = async {
            spawn(old.pass());
            turns(1).await;
        };
        first.block_on(main, |_| ());
        let main = async {
            old.waker().wake();
            turns(5).await;
        };
        second.block_on(main, |_| ());
        assert_eq!(old.polls(), 1, "it was dropped with its run");
    });
}

#[test]
fn one_executors_waker_can_be_the_interrupt_of_another() {
    within(|| {
        let gate = Gate::new();
        let (wakers, to_inner) = mpsc::channel::<Waker>();
        let (inner_wakers, to_third) = mpsc::channel::<Waker>();
        let (go_on, inner_bell) = mpsc::channel::<()>();
        // The inner one sleeps until the outer one's task says so; that task is its interrupt.
        let inner = thread::spawn(move || {
            let executor = Executor::new(to_inner.recv().unwrap());
            let gate = Gate::new();
            executor.block_on(gate.pass(), |_| {
                gate.unlock();
                inner_wakers.send(gate.waker()).unwrap();
                inner_bell.recv().unwrap();
            });
        });
        let third = thread::spawn(move || to_third.recv().unwrap().wake());
        block_on(async {
            let task = spawn(gate.pass());
            turns(1).await;
            gate.unlock();
            wakers.send(gate.waker()).unwrap();
            task.await.unwrap();
            go_on.send(()).unwrap();
        });
        inner.join().unwrap();
        third.join().unwrap();
        assert_eq!(gate.polls(), 2);
    });
}

#[test]
fn an_executor_drops_its_interrupt_waker_when_it_goes() {
    within(|| {
        let (interrupt, _bell) = Interrupt::new();
        let executor = Executor::new(interrupt.clone().into());
        let handle = executor.block_on(async { spawn(async {}) }, |_| ());
        drop(executor);
        drop(handle);
        assert_eq!(Arc::strong_count(&interrupt), 1);
    });
}

#[test]
fn tasks_need_not_be_send() {
    run(async || {
        let shared = Rc::new(Cell::new(0));
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let shared = shared.clone();
                spawn(async move {
                    let before = shared.get();
                    yield_now().await;
                    shared.set(shared.get() + 1);
                    (before, shared)
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().0, 0);
        }
        assert_eq!(shared.get(), 10);
    });
}

#[test]
fn a_task_may_be_large() {
    run(async || {
        let task = spawn(async {
            let burgers = [7_u8; 100_000];
            yield_now().await;
            burgers
        });
        assert!(task.await.unwrap().iter().all(|burger| *burger == 7));
    });
}

#[test]
fn there_may_be_many_tasks() {
    run(async || {
        let gates: Vec<Gate> = (0..20_000).map(|_| Gate::new()).collect();
        let tasks: Vec<_> = gates.iter().map(|gate| spawn(gate.pass())).collect();
        turns(1).await;
        gates.iter().for_each(Gate::open);
        for task in tasks {
            task.await.unwrap();
        }
        assert!(gates.iter().all(|gate| gate.polls() == 2));
    });
}

#[test]
fn a_thread_inside_a_task_may_run_an_executor_of_its_own() {
    run(async || {
        let inner = || block_on(async { spawn(async { 2 }).await.unwrap() });
        let task = spawn(async move { elsewhere(inner) });
        assert_eq!(task.await.unwrap(), 2);
    });
}
