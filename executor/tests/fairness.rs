//! Nobody starves: not the outside world behind busy tasks, not the tasks behind busy threads.

mod common;

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{Gate, Interrupt, Log, elsewhere, run, turns, within};
use executor::observe::Event;
use executor::{BUDGET, Executor, WokenBy, spawn, yield_now};

/// Counts its polls, and is ready again at once, for ever.
async fn busy(polls: Rc<Cell<usize>>) {
    loop {
        polls.set(polls.get() + 1);
        yield_now().await;
    }
}

#[test]
fn busy_tasks_leave_the_park_closure_its_turn_every_budget_polls() {
    for tasks in [1, 3, 200] {
        within(move || {
            let executor = Executor::new(Waker::noop().clone());
            let polls = Rc::new(Cell::new(0));
            let gate = Gate::new();
            let mut looks = 0;
            let main = async {
                for _ in 0..tasks {
                    spawn(busy(polls.clone()));
                }
                gate.pass().await;
            };
            executor.block_on(main, |limit| {
                assert_eq!(limit, Some(Duration::ZERO), "it may look, not wait");
                // The polls of main are not counted here, so there may be two less.
                let since = polls.replace(0);
                assert!(
                    (BUDGET - 2..=BUDGET).contains(&since),
                    "{since} polls since the last look"
                );
                looks += 1;
                if looks == 10 {
                    gate.open();
                }
            });
            assert!(looks >= 10);
        });
    }
}

#[test]
fn busy_tasks_do_not_starve_a_wake_from_another_thread() {
    run(async || {
        let polls = Rc::new(Cell::new(0));
        spawn(busy(polls.clone()));
        let gate = Gate::new();
        let task = spawn(gate.pass());
        turns(1).await;
        gate.unlock();
        let waker = gate.waker();
        elsewhere(move || waker.wake());
        let before = polls.get();
        task.await.unwrap();
        assert!(polls.get() - before <= 2 * BUDGET);
    });
}

#[test]
fn busy_tasks_do_not_starve_one_another() {
    run(async || {
        let all: Vec<_> = (0..10).map(|_| Rc::new(Cell::new(0))).collect();
        for polls in &all {
            spawn(busy(polls.clone()));
        }
        turns(1000).await;
        assert!(all.iter().all(|polls| polls.get() == 1000));
    });
}

#[test]
fn tasks_that_spawn_without_end_starve_nobody() {
    fn spawn_the_next() {
        drop(spawn(async { spawn_the_next() }));
        drop(spawn(async { spawn_the_next() }));
    }
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        let gate = Gate::new();
        let main = async {
            spawn_the_next();
            gate.pass().await;
        };
        let mut looks = 0;
        executor.block_on(main, |_| {
            looks += 1;
            if looks == 5 {
                gate.open();
            }
        });
        assert_eq!(gate.polls(), 2);
    });
}

#[test]
fn a_task_that_the_park_closure_wakes_each_time_starves_nobody() {
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        let (always, once) = (Gate::new(), Gate::new());
        let main = async {
            spawn(always.pass());
            let task = spawn(once.pass());
            turns(1).await;
            once.open();
            task.await.unwrap();
        };
        executor.block_on(main, |_| always.waker().wake());
    });
}

#[test]
fn a_thread_that_wakes_without_end_does_not_starve_the_tasks() {
    run(async || {
        let gate = Gate::new();
        spawn(gate.pass());
        turns(1).await;
        let stop = Arc::new(AtomicBool::new(false));
        let (waker, stopped) = (gate.waker(), stop.clone());
        let (started, start) = mpsc::channel();
        let thread = thread::spawn(move || {
            let _ = started.send(());
            while !stopped.load(SeqCst) {
                waker.wake_by_ref();
            }
        });
        start.recv().unwrap();
        // Each turn lets in what the thread has sent meanwhile.
        for _ in 0..50 {
            turns(BUDGET).await;
        }
        stop.store(true, SeqCst);
        thread.join().unwrap();
    });
}

#[test]
fn wakes_from_threads_and_from_tasks_share_one_queue() {
    within(|| {
        let (interrupt, bell) = Interrupt::new();
        let executor = Executor::new(interrupt.into());
        let log = Log::new();
        let gates = [Gate::new(), Gate::new(), Gate::new()];
        let main = async {
            for (n, gate) in gates.iter().enumerate() {
                let (log, pass) = (log.clone(), gate.pass());
                spawn(async move {
                    pass.await;
                    log.push(n);
                });
            }
            poll_fn(|_| if log.len() == 3 { Poll::Ready(()) } else { Poll::Pending }).await;
        };
        // Main is woken last by the park closure.
        let main_gate = Gate::new();
        let main = async {
            executor::race(main, main_gate.pass()).await;
        };
        executor.block_on(main, |_| {
            let wakers = gates.each_ref().map(Gate::waker);
            gates.iter().for_each(Gate::unlock);
            if log.len() < 3 {
                elsewhere(move || [2, 0, 1].map(|n: usize| wakers[n].wake_by_ref()));
                let _ = bell.try_recv();
            } else {
                main_gate.waker().wake();
            }
        });
        assert_eq!(log.take(), [2, 0, 1], "in the order in which they were sent");
    });
}

#[test]
fn an_idle_executor_polls_nobody() {
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        let (gate, idle) = (Gate::new(), Gate::new());
        let main = async {
            spawn(idle.pass());
            spawn(pending::<()>());
            gate.pass().await;
        };
        let mut parks = 0;
        executor.block_on(main, |_| {
            parks += 1;
            if parks == 100 {
                gate.open();
            }
        });
        assert_eq!((idle.polls(), gate.polls()), (1, 2));
    });
}

#[test]
fn what_threads_send_while_the_inbox_is_read_waits_until_the_tasks_had_their_turn() {
    within(|| {
        let gates = Rc::new((0..20).map(|_| Gate::new()).collect::<Vec<_>>());
        let (next, log) = (Cell::new(1), Log::new());
        let (inside, entries) = (gates.clone(), log.clone());
        // Each wake that is let in brings the next one from another thread.
        let observer = move |event: &Event<'_>| match event {
            Event::Woken { by: WokenBy::Thread, .. } => {
                entries.push("woken");
                let gate = inside.get(next.replace(next.get() + 1));
                if let Some(waker) = gate.map(Gate::waker) {
                    elsewhere(move || waker.wake());
                }
            }
            Event::PollStarted { .. } => entries.push("poll"),
            _ => {}
        };
        let executor = Executor::with_observer(Waker::noop().clone(), observer);
        let main = async {
            for gate in gates.iter() {
                spawn(gate.pass());
            }
            turns(1).await;
            log.take();
            let waker = gates[0].waker();
            elsewhere(move || waker.wake());
            turns(40 * BUDGET).await;
            log.take()
        };
        let entries = executor.block_on(main, |_| ());
        assert_eq!(entries.iter().filter(|entry| **entry == "woken").count(), 20);
        assert!(!entries.windows(2).any(|pair| pair == ["woken", "woken"]), "{entries:?}");
    });
}
