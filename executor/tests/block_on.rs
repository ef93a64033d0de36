//! `block_on`: what it runs, when it parks, and that there is only one on a thread.

mod common;

use std::cell::Cell;
use std::future::{pending, ready};
use std::task::Waker;
use std::time::Duration;

use common::{Gate, Log, catch, run, turns, within};
use executor::{Executor, block_on, current_task, spawn, yield_now};

#[test]
fn block_on_gives_the_output_of_main() {
    within(|| assert_eq!(block_on(async { 6 * 7 }), 42));
}

#[test]
fn main_may_borrow_from_the_stack() {
    within(|| {
        let mut orders = vec!["burger"];
        block_on(async {
            yield_now().await;
            orders.push("cola");
        });
        assert_eq!(orders, ["burger", "cola"]);
    });
}

#[test]
fn it_ends_with_main_and_not_with_the_tasks() {
    within(|| {
        let log = Log::new();
        let inside = log.clone();
        block_on(async {
            spawn(async move { inside.push("polled") });
            drop(spawn(pending::<()>()));
        });
        assert_eq!(log.len(), 0, "main was first in the queue, and has ended");
    });
}

#[test]
fn it_does_not_park_while_somebody_is_ready() {
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        let main = async {
            let task = spawn(turns(5));
            turns(5).await;
            task.await.unwrap();
        };
        executor.block_on(main, |_| panic!("far from the budget, and always somebody ready"));
    });
}

#[test]
fn it_parks_without_a_limit_when_nobody_is_ready() {
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        let gate = Gate::new();
        let limits = Log::new();
        executor.block_on(gate.pass(), |limit| {
            limits.push(limit);
            if limits.len() == 4 {
                gate.open();
            }
        });
        // It came back early three times, which is allowed, and nobody was polled for that.
        assert_eq!((limits.take(), gate.polls()), (vec![None::<Duration>; 4], 2));
    });
}

#[test]
fn the_park_closure_may_spawn() {
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        let gate = Gate::new();
        executor.block_on(gate.pass(), |_| {
            let gate = gate.clone();
            spawn(async move { gate.open() });
        });
        assert_eq!(gate.polls(), 2);
    });
}

#[test]
fn block_on_inside_a_task_panics_and_the_outer_one_goes_on() {
    run(async || {
        let task = spawn(async {
            let text = catch(|| block_on(async { 7 })).unwrap_err();
            assert!(text.contains("`block_on` inside `block_on`"), "{text}");
            assert!(text.contains(".await"), "it says what to do instead: {text}");
            // This one still runs under the outer executor.
            spawn(async { yield_now().await }).await.unwrap();
            current_task()
        });
        let id = task.id();
        assert_eq!(task.await.unwrap(), Some(id));
        assert!(catch(|| block_on(async {})).is_err(), "in main, too");
        assert_eq!(spawn(ready(7)).await.unwrap(), 7);
    });
}

#[test]
fn the_block_on_of_another_executor_inside_a_task_panics_too() {
    run(async || {
        let other = Executor::new(Waker::noop().clone());
        let task = spawn(async move {
            let text = catch(|| other.block_on(async { 7 }, |_| ())).unwrap_err();
            assert!(text.contains("`block_on` inside `block_on`"), "{text}");
            yield_now().await;
            other
        });
        let other = task.await.unwrap();
        drop(other);
        assert_eq!(spawn(ready(7)).await.unwrap(), 7);
    });
}

#[test]
fn an_executor_that_was_refused_works_afterwards() {
    within(|| {
        let refused = Executor::new(Waker::noop().clone());
        block_on(async { assert!(catch(|| refused.block_on(async {}, |_| ())).is_err()) });
        assert_eq!(refused.block_on(async { spawn(ready(7)).await.unwrap() }, |_| ()), 7);
    });
}

#[test]
fn block_on_of_the_executor_that_runs_already_panics() {
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        let main = async {
            assert!(catch(|| executor.block_on(async {}, |_| ())).is_err());
            spawn(ready(7)).await.unwrap()
        };
        assert_eq!(executor.block_on(main, |_| ()), 7);
    });
}

#[test]
fn an_uncaught_nested_block_on_is_the_panic_of_its_task() {
    run(async || {
        let error = spawn(async { block_on(async {}) }).await.unwrap_err();
        assert!(error.to_string().contains("`block_on` inside `block_on`"));
        assert_eq!(spawn(ready(7)).await.unwrap(), 7);
    });
}

#[test]
fn block_on_inside_the_park_closure_panics() {
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        let gate = Gate::new();
        let refused = Cell::new(false);
        executor.block_on(gate.pass(), |_| {
            refused.set(catch(|| block_on(async {})).is_err());
            gate.open();
        });
        assert!(refused.get());
    });
}

#[test]
fn spawn_outside_of_an_executor_panics_and_says_what_to_do() {
    within(|| {
        let text = catch(|| spawn(async {})).map(|_| ()).unwrap_err();
        assert!(text.contains("`spawn`") && text.contains("block_on"), "{text}");
        block_on(async {});
        assert!(catch(|| spawn(async {})).is_err(), "nor after one has ended");
        let executor = Executor::new(Waker::noop().clone());
        assert!(catch(|| spawn(async {})).is_err(), "nor beside one that does not run");
        drop(executor);
    });
}

#[test]
fn outside_of_an_executor_no_task_is_current() {
    within(|| {
        assert_eq!(current_task(), None);
        let main = block_on(async { current_task() });
        assert!(main.is_some(), "main is a task, too");
        assert_eq!(current_task(), None);
        let executor = Executor::new(Waker::noop().clone());
        let gate = Gate::new();
        let parked = Cell::new(main);
        executor.block_on(gate.pass(), |_| {
            parked.set(current_task());
            gate.open();
        });
        assert_eq!(parked.get(), None, "nobody is polled during a park");
    });
}

#[test]
fn executors_and_handles_can_be_printed() {
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        assert!(format!("{executor:?}").starts_with("Executor"));
        executor.block_on(
            async {
                let task = spawn(async {});
                assert!(format!("{task:?}").contains(&task.id().to_string()));
            },
            |_| (),
        );
    });
}
