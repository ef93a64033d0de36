//! Wakes from other threads: while the executor polls, parks, has ended, or is being dropped.

mod common;

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;

use common::{Gate, Interrupt, elsewhere, run, turns, within};
use executor::{Executor, block_on, spawn};

#[test]
fn a_waker_may_go_to_any_thread() {
    fn send_and_sync<T: Send + Sync>(value: T) -> T {
        value
    }
    run(async || {
        let gate = Gate::new();
        let task = spawn(gate.pass());
        turns(1).await;
        gate.unlock();
        let waker = send_and_sync(gate.waker());
        elsewhere(move || waker.wake());
        task.await.unwrap();
    });
}

#[test]
fn a_wake_from_a_thread_ends_the_park() {
    run(async || {
        let gate = Gate::new();
        let pass = gate.pass();
        let (wakers, woken) = mpsc::channel::<Waker>();
        let thread = thread::spawn(move || woken.recv().unwrap().wake());
        spawn(async move {
            turns(1).await;
            gate.unlock();
            wakers.send(gate.waker()).unwrap();
        });
        spawn(pass).await.unwrap();
        thread.join().unwrap();
    });
}

#[test]
fn many_wakes_while_it_is_parked_interrupt_it_once() {
    within(|| {
        let (interrupt, bell) = Interrupt::new();
        let executor = Executor::new(interrupt.clone().into());
        let gates: Vec<Gate> = (0..3).map(|_| Gate::new()).collect();
        let main = async {
            for task in gates.iter().map(|gate| spawn(gate.pass())).collect::<Vec<_>>() {
                task.await.unwrap();
            }
        };
        let mut parks = 0;
        executor.block_on(main, |limit| {
            assert_eq!(limit, None);
            parks += 1;
            let wakers: Vec<Waker> = gates.iter().map(Gate::waker).collect();
            gates.iter().for_each(Gate::unlock);
            elsewhere(move || (0..300).for_each(|n| wakers[n % 3].wake_by_ref()));
            bell.recv().unwrap();
        });
        assert_eq!((parks, interrupt.calls()), (1, 1));
        assert!(gates.iter().all(|gate| gate.polls() == 2), "however often each was woken");
    });
}

#[test]
fn wakes_while_it_is_awake_never_interrupt_it() {
    within(|| {
        let (interrupt, _bell) = Interrupt::new();
        let executor = Executor::new(interrupt.clone().into());
        let gate = Gate::new();
        let main = async {
            let task = spawn(gate.pass());
            turns(1).await;
            gate.unlock();
            for _ in 0..100 {
                let waker = gate.waker();
                elsewhere(move || waker.wake());
            }
            task.await.unwrap();
        };
        executor
            .block_on(main, |limit| assert!(limit.is_some(), "it was woken, so it may not sleep"));
        assert_eq!((gate.polls(), interrupt.calls()), (2, 0));
    });
}

#[test]
fn a_wake_between_the_last_poll_and_the_sleep_is_not_lost() {
    within(|| {
        let (interrupt, bell) = Interrupt::new();
        let executor = Executor::new(interrupt.clone().into());
        for _ in 0..200 {
            let gate = Gate::new();
            executor.block_on(gate.pass(), |limit| {
                // The executor has decided to sleep, but does not sleep yet.
                assert_eq!(limit, None);
                let waker = gate.waker();
                gate.unlock();
                elsewhere(move || waker.wake());
                bell.try_recv().expect("the wake has rung");
            });
        }
        assert_eq!(interrupt.calls(), 200);
    });
}

#[test]
fn a_thread_can_wake_the_poll_that_is_running() {
    run(async || {
        let polls = Arc::new(AtomicUsize::new(0));
        let count = polls.clone();
        let task = spawn(poll_fn(move |cx| {
            if count.fetch_add(1, SeqCst) == 1 {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            elsewhere(move || waker.wake());
            Poll::Pending
        }));
        task.await.unwrap();
        assert_eq!(polls.load(SeqCst), 2);
    });
}

#[test]
fn no_wake_is_lost_in_a_long_exchange_with_a_thread() {
    const ROUNDS: usize = 3000;
    run(async || {
        let (ask, asked) = mpsc::channel::<Waker>();
        let answers = Arc::new(AtomicUsize::new(0));
        let answered = answers.clone();
        let thread = thread::spawn(move || {
            for waker in asked {
                answered.fetch_add(1, SeqCst);
                waker.wake();
            }
        });
        let task = spawn(async move {
            for round in 1..=ROUNDS {
                let mut waker_sent = false;
                poll_fn(|cx| {
                    if !waker_sent {
                        waker_sent = true;
                        ask.send(cx.waker().clone()).unwrap();
                    }
                    if answers.load(SeqCst) == round { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
            }
        });
        task.await.unwrap();
        thread.join().unwrap();
    });
}

#[test]
fn many_threads_wake_many_tasks_and_all_arrive() {
    const THREADS: usize = 4;
    const EACH: usize = 500;
    run(async || {
        let total = Arc::new(AtomicUsize::new(0));
        let (wakers, tasks): (Vec<mpsc::Sender<Waker>>, Vec<_>) = (0..THREADS)
            .map(|_| {
                let (send, receive) = mpsc::channel::<Waker>();
                let total = total.clone();
                let thread = thread::spawn(move || {
                    for waker in receive {
                        total.fetch_add(1, SeqCst);
                        waker.wake();
                    }
                });
                (send, thread)
            })
            .unzip();
        let handles: Vec<_> = (0..EACH)
            .map(|n| {
                let (sender, total) = (wakers[n % THREADS].clone(), total.clone());
                let mut sent = false;
                spawn(poll_fn(move |cx| {
                    if sent && total.load(SeqCst) > 0 {
                        return Poll::Ready(());
                    }
                    sent = true;
                    sender.send(cx.waker().clone()).unwrap();
                    Poll::Pending
                }))
            })
            .collect();
        drop(wakers);
        for handle in handles {
            handle.await.unwrap();
        }
        for task in tasks {
            task.join().unwrap();
        }
        assert_eq!(total.load(SeqCst), EACH);
    });
}

#[test]
fn a_waker_outlives_its_task_and_its_executor_on_another_thread() {
    within(|| {
        let gate = Gate::new();
        let (wakers, woken) = mpsc::channel::<(Waker, mpsc::Sender<()>)>();
        let thread = thread::spawn(move || {
            for (waker, done) in woken {
                waker.wake_by_ref();
                waker.wake();
                done.send(()).unwrap();
            }
        });
        let wake_there = |waker| {
            let (done, end) = mpsc::channel();
            wakers.send((waker, done)).unwrap();
            end.recv().unwrap();
        };
        block_on(async {
            let task = spawn(gate.pass());
            turns(1).await;
            gate.open();
            task.await.unwrap();
            wake_there(gate.waker());
            turns(200).await;
        });
        wake_there(gate.waker());
        gate.waker().wake();
        assert_eq!(gate.polls(), 2);
        drop(wakers);
        thread.join().unwrap();
    });
}

#[test]
fn threads_may_wake_while_executors_are_made_and_dropped() {
    within(|| {
        let shelf = Arc::new(Mutex::new(Vec::<Waker>::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let threads = [(); 2].map(|()| {
            let (shelf, stop) = (shelf.clone(), stop.clone());
            thread::spawn(move || {
                while !stop.load(SeqCst) {
                    let wakers = shelf.lock().unwrap().clone();
                    wakers.iter().for_each(Waker::wake_by_ref);
                    thread::yield_now();
                }
            })
        });
        for _ in 0..300 {
            block_on(async {
                let gates = [Gate::new(), Gate::new(), Gate::new()];
                for gate in &gates {
                    spawn(gate.pass());
                }
                turns(1).await;
                *shelf.lock().unwrap() = gates.iter().map(Gate::waker).collect();
                turns(3).await;
            });
        }
        stop.store(true, SeqCst);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_wake_on_its_own_thread_between_two_runs_is_harmless() {
    within(|| {
        let (interrupt, _bell) = Interrupt::new();
        let executor = Executor::new(interrupt.clone().into());
        let gate = Gate::new();
        let first = async {
            spawn(gate.pass());
            turns(1).await;
        };
        executor.block_on(first, |_| ());
        gate.waker().wake();
        assert_eq!(executor.block_on(async { 7 }, |_| ()), 7);
        assert_eq!((gate.polls(), interrupt.calls()), (1, 0));
    });
}
