//! `JoinHandle`: the output, who gets it, and what becomes of it when nobody does.
#![allow(clippy::async_yields_async, reason = "a handle may leave its executor")]

mod common;

use std::future::{pending, ready};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use common::{Calls, Drops, Gate, Log, catch, on_drop, run, turns, within};
use executor::{Either, JoinError, JoinHandle, block_on, race, spawn};

/// Polls a handle once, with a waker of our choice.
fn poll_with<T: 'static>(handle: &mut JoinHandle<T>, waker: &Waker) -> Poll<Result<T, JoinError>> {
    Pin::new(handle).poll(&mut Context::from_waker(waker))
}

#[test]
fn a_handle_waits_for_the_output() {
    run(async || {
        let gate = Gate::new();
        let pass = gate.pass();
        let task = spawn(async move {
            pass.await;
            "a burger"
        });
        spawn(async move {
            turns(3).await;
            gate.open();
        });
        assert_eq!(task.await.unwrap(), "a burger");
    });
}

#[test]
fn a_handle_of_an_ended_task_gives_the_output_at_once() {
    run(async || {
        let mut task = spawn(ready(7));
        turns(1).await;
        let Poll::Ready(output) = poll_with(&mut task, Waker::noop()) else { panic!("it ended") };
        assert_eq!(output.unwrap(), 7);
    });
}

#[test]
fn the_output_is_moved_out_and_need_not_be_send() {
    run(async || {
        let burger = Rc::new(());
        let output = spawn(ready(burger.clone())).await.unwrap();
        assert!(Rc::ptr_eq(&burger, &output));
        assert_eq!(Rc::strong_count(&burger), 2, "no copy stayed behind");
    });
}

#[test]
fn dropping_a_handle_lets_the_task_run_on() {
    run(async || {
        let gate = Gate::new();
        let pass = gate.pass();
        let log = Log::new();
        let inside = log.clone();
        drop(spawn(async move {
            pass.await;
            inside.push("ended");
        }));
        turns(1).await;
        gate.open();
        turns(1).await;
        assert_eq!(log.take(), ["ended"]);
    });
}

#[test]
fn an_output_that_nobody_joins_is_dropped_exactly_once() {
    within(|| {
        let drops = Drops::new();
        block_on(async {
            drop(spawn(ready(drops.token())));
            turns(1).await;
            assert_eq!(drops.count(), 1, "the handle went before the end");

            let task = spawn(ready(drops.token()));
            turns(1).await;
            assert_eq!(drops.count(), 1, "it might still be joined");
            drop(task);
            assert_eq!(drops.count(), 2, "the handle went after the end");
        });
        assert_eq!(drops.count(), 2);
        let task = block_on(async {
            let task = spawn(ready(drops.token()));
            turns(1).await;
            task
        });
        assert_eq!(drops.count(), 2);
        drop(task);
        assert_eq!(drops.count(), 3, "the handle went after the executor");
    });
}

#[test]
fn an_output_that_is_joined_is_dropped_by_its_new_owner() {
    run(async || {
        let drops = Drops::new();
        let output = spawn(ready(drops.token())).await;
        turns(3).await;
        assert_eq!(drops.count(), 0);
        drop(output);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_handle_polled_after_it_gave_its_output_panics() {
    run(async || {
        let mut task = spawn(ready(()));
        (&mut task).await.unwrap();
        let text = catch(|| poll_with(&mut task, Waker::noop()).is_ready()).unwrap_err();
        assert!(text.contains("`JoinHandle` polled after completion"), "{text}");
        assert!(task.is_finished());
        task.abort();
        let task = task.named("gone");
        assert_eq!(spawn(ready(7)).await.unwrap(), 7, "all of which hurts nobody");
        drop(task);
    });
}

#[test]
fn is_finished_turns_true_at_the_end() {
    run(async || {
        let gate = Gate::new();
        let mut task = spawn(gate.pass());
        assert!(!task.is_finished());
        turns(1).await;
        assert!(!task.is_finished());
        gate.open();
        assert!(!task.is_finished(), "a wake is not a poll");
        turns(1).await;
        assert!(task.is_finished());
        (&mut task).await.unwrap();
        assert!(task.is_finished());
    });
}

#[test]
fn a_handle_that_outlives_its_executor_has_the_output_or_says_cancelled() {
    within(|| {
        let (ended, unended, mut unpolled) = block_on(async {
            let (ended, unended) = (spawn(ready(7)), spawn(pending::<i32>()));
            turns(2).await;
            (ended, unended, spawn(ready(8)))
        });
        assert!(ended.is_finished() && unended.is_finished() && unpolled.is_finished());
        let Poll::Ready(output) = poll_with(&mut unpolled, Waker::noop()) else { panic!() };
        assert!(output.unwrap_err().is_cancelled());
        // They are ordinary futures: the next executor can await them.
        block_on(async {
            assert_eq!(ended.await.unwrap(), 7);
            assert!(unended.await.unwrap_err().is_cancelled());
        });
    });
}

#[test]
fn whoever_joins_sees_the_future_dropped() {
    run(async || {
        let log = Log::new();
        let inside = log.clone();
        struct Slow<D>(D);
        impl<D> Future for Slow<D> {
            type Output = ();
            fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
                Poll::Ready(())
            }
        }
        let task = spawn(Slow(on_drop(move || inside.push("dropped"))));
        task.await.unwrap();
        log.push("joined");
        assert_eq!(log.take(), ["dropped", "joined"]);
    });
}

#[test]
fn a_handle_survives_an_await_that_is_given_up() {
    run(async || {
        let gate = Gate::new();
        let pass = gate.pass();
        let mut task = spawn(async move {
            pass.await;
            7
        });
        let Either::Right(()) = race(&mut task, turns(3)).await else { panic!("it waits") };
        gate.open();
        assert_eq!(task.await.unwrap(), 7);
    });
}

#[test]
fn the_last_waker_that_polled_the_handle_is_called_once() {
    run(async || {
        let gate = Gate::new();
        let mut task = spawn(gate.pass());
        let [(first, a), (second, b)] = [Calls::waker(), Calls::waker()];
        assert!(poll_with(&mut task, &a).is_pending());
        assert!(poll_with(&mut task, &b).is_pending());
        turns(1).await;
        gate.open();
        turns(3).await;
        assert_eq!((first.count(), second.count()), (0, 1));
        assert!(poll_with(&mut task, &a).is_ready());
        assert_eq!((first.count(), second.count()), (0, 1));
    });
}

#[test]
fn a_dropped_handle_calls_nobody_and_keeps_no_waker() {
    run(async || {
        let gate = Gate::new();
        let mut task = spawn(gate.pass());
        let (calls, waker) = Calls::waker();
        assert!(poll_with(&mut task, &waker).is_pending());
        drop((task, waker));
        assert_eq!(std::sync::Arc::strong_count(&calls), 1);
        turns(1).await;
        gate.open();
        turns(3).await;
        assert_eq!(calls.count(), 0);
    });
}

#[test]
fn tasks_can_be_joined_in_a_chain() {
    run(async || {
        let mut last = spawn(async { 0 });
        for _ in 0..1000 {
            let before = last;
            last = spawn(async move { before.await.unwrap() + 1 });
        }
        assert_eq!(last.await.unwrap(), 1000);
    });
}

#[test]
fn a_task_may_join_a_task_that_it_was_given() {
    run(async || {
        let gate = Gate::new();
        let waits = spawn(gate.pass());
        let joins = spawn(async move { pin!(waits).await.is_ok() });
        turns(2).await;
        gate.open();
        assert!(joins.await.unwrap());
    });
}

#[test]
fn join_errors_say_what_happened() {
    run(async || {
        let task = spawn(pending::<()>());
        task.abort();
        let error = task.await.unwrap_err();
        assert!(error.is_cancelled() && !error.is_panic());
        assert_eq!(format!("{error} {error:?}"), "the task was cancelled Cancelled");
        let text = catch(|| error.into_panic()).unwrap_err();
        assert!(text.contains("cancelled"), "{text}");

        let error = spawn(async { panic!("no {}", "buns") }).await.unwrap_err();
        assert!(error.is_panic() && !error.is_cancelled());
        assert_eq!(error.to_string(), "the task panicked: no buns");
        assert_eq!(format!("{error:?}"), "Panicked(\"no buns\")");
        assert_eq!(common::text_of(error.into_panic()), "no buns");
    });
}
