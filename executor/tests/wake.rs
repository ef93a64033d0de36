//! Wakes on the executor's own thread: when they count, and when they are one too many.

mod common;

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use common::{Drops, Gate, Log, Token, run, turns, within};
use executor::{Executor, spawn};

#[test]
fn a_task_that_nobody_wakes_is_polled_once() {
    run(async || {
        let gate = Gate::new();
        spawn(gate.pass());
        turns(200).await;
        assert_eq!(gate.polls(), 1);
    });
}

#[test]
fn wakes_before_the_poll_become_one_poll() {
    run(async || {
        let gate = Gate::new();
        spawn(gate.pass());
        turns(1).await;
        for _ in 0..10 {
            gate.waker().wake();
        }
        turns(20).await;
        assert_eq!(gate.polls(), 2);
    });
}

#[test]
fn wakes_during_the_poll_become_one_more_poll() {
    run(async || {
        let polls = Log::new();
        let inside = polls.clone();
        let task = spawn(poll_fn(move |cx| {
            inside.push(());
            for _ in 0..10 {
                cx.waker().wake_by_ref();
            }
            if inside.len() < 3 { Poll::Pending } else { Poll::Ready(()) }
        }));
        turns(20).await;
        assert!(task.is_finished(), "each poll but the last has woken it");
        assert_eq!(polls.len(), 3);
    });
}

#[test]
fn each_wake_after_a_poll_brings_another_poll() {
    run(async || {
        let gate = Gate::new();
        spawn(gate.pass());
        for polls in 1..=5 {
            turns(2).await;
            assert_eq!(gate.polls(), polls);
            gate.waker().wake_by_ref();
        }
    });
}

#[test]
fn a_wake_does_not_poll_inside_the_call() {
    run(async || {
        let gate = Gate::new();
        let task = spawn(gate.pass());
        assert_eq!(gate.polls(), 0, "nor does `spawn`");
        turns(1).await;
        gate.open();
        assert_eq!(gate.polls(), 1);
        task.await.unwrap();
        assert_eq!(gate.polls(), 2);
    });
}

#[test]
fn wake_after_completion_is_harmless() {
    run(async || {
        let gate = Gate::new();
        let task = spawn(gate.pass());
        turns(1).await;
        gate.open();
        turns(2).await;
        assert!(task.is_finished());
        gate.waker().wake();
        turns(2).await;
        task.await.unwrap();
        gate.waker().wake();
        turns(2).await;
        assert_eq!(gate.polls(), 2);
    });
}

#[test]
fn an_old_waker_does_not_poll_the_next_tenant_of_the_slot() {
    run(async || {
        let first = Gate::new();
        let task = spawn(first.pass());
        turns(1).await;
        first.open();
        task.await.unwrap();

        let gates: Vec<Gate> = (0..4).map(|_| Gate::new()).collect();
        for gate in &gates {
            spawn(gate.pass());
        }
        turns(1).await;
        first.waker().wake();
        turns(5).await;
        assert!(gates.iter().all(|gate| gate.polls() == 1));
    });
}

#[test]
fn every_way_to_use_a_waker_or_its_clones_wakes() {
    run(async || {
        let gate = Gate::new();
        let task = spawn(gate.pass());
        turns(1).await;
        let waker = gate.waker();
        let clone = waker.clone();
        waker.wake_by_ref();
        turns(1).await;
        clone.wake_by_ref();
        turns(1).await;
        waker.wake();
        turns(1).await;
        assert_eq!(gate.polls(), 4);
        gate.unlock();
        clone.wake();
        task.await.unwrap();
    });
}

#[test]
fn forgotten_wakers_do_no_harm() {
    run(async || {
        let drops = Drops::new();
        let (gate, token) = (Gate::new(), drops.token());
        let pass = gate.pass();
        let task = spawn(async move {
            pass.await;
            drop(token);
        });
        turns(1).await;
        for _ in 0..1000 {
            mem::forget(gate.waker());
        }
        gate.open();
        task.await.unwrap();
        assert_eq!(drops.count(), 1, "no waker keeps a task alive");
    });
}

/// Keeps its own waker: with counted wakers this is a cycle that is never freed.
struct Selfish(Option<Waker>, #[expect(dead_code, reason = "counts its drop")] Token);

impl Future for Selfish {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0 = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[test]
fn a_future_that_keeps_its_own_waker_is_dropped_with_its_executor() {
    within(|| {
        let drops = Drops::new();
        let token = drops.token();
        executor::block_on(async {
            spawn(Selfish(None, token));
            turns(1).await;
        });
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn two_wakers_of_one_task_will_wake_the_same() {
    run(async || {
        let gates = [Gate::new(), Gate::new()];
        for gate in &gates {
            spawn(gate.pass());
        }
        turns(1).await;
        let [first, second] = gates.each_ref().map(Gate::waker);
        first.wake_by_ref();
        turns(1).await;
        assert!(first.will_wake(&gates[0].waker()), "the waker of each poll is the same");
        assert!(first.will_wake(&first.clone()));
        assert!(!first.will_wake(&second));
    });
}

#[test]
fn a_task_can_wake_the_main_coroutine() {
    run(async || {
        let gate = Gate::new();
        let inside = gate.clone();
        spawn(async move { inside.open() });
        gate.pass().await;
        assert_eq!(gate.polls(), 2);
    });
}

#[test]
fn a_waker_of_an_earlier_block_on_is_harmless_in_the_next() {
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        let (old, new) = (Gate::new(), Gate::new());
        executor.block_on(async { old.pass().await }, |_| old.open());
        let run = async {
            spawn(new.pass());
            turns(1).await;
            old.waker().wake();
            turns(5).await;
        };
        executor.block_on(run, |_| ());
        assert_eq!(new.polls(), 1);
    });
}
