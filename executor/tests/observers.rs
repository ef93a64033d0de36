//! What an observer may do: spawn, wake, and even panic; and what it is told when others do.

mod common;

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, ready};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use common::{Drops, Gate, Log, catch, within};
use executor::observe::Event;
use executor::{Executor, block_on, current_task, spawn, yield_now};

#[test]
fn an_observer_may_spawn_and_wake_at_every_event() {
    within(|| {
        let gate = Gate::new();
        let busy = Rc::new(Cell::new(false));
        let spawned = Rc::new(RefCell::new(Vec::new()));
        let (inside, handles) = (gate.clone(), spawned.clone());
        let observer = move |_: &Event<'_>| {
            if !busy.replace(true) {
                // Each task brings events of its own, so this must end.
                if handles.borrow().len() < 1000 {
                    handles.borrow_mut().push(spawn(ready(())));
                }
                if inside.polls() > 0 {
                    inside.waker().wake();
                }
                busy.set(false);
            }
        };
        let executor = Executor::with_observer(Waker::noop().clone(), observer);
        let main = async {
            drop(spawn(gate.pass()));
            for _ in 0..3 {
                yield_now().await;
                spawn(ready(())).await.unwrap();
            }
        };
        executor.block_on(main, |_| ());
        assert!(gate.polls() > 1);
        assert!(spawned.take().iter().all(executor::JoinHandle::is_finished));
    });
}

#[test]
fn a_task_that_the_observer_makes_ready_just_before_the_park_is_not_slept_over() {
    within(|| {
        let gate = Gate::new();
        let inside = gate.clone();
        let observer = move |event: &Event<'_>| {
            if matches!(event, Event::Parking { .. }) && current_task().is_none() {
                inside.open();
            }
        };
        let executor = Executor::with_observer(Waker::noop().clone(), observer);
        executor.block_on(gate.pass(), |limit| {
            assert!(limit.is_some(), "main is ready: a park without a limit sleeps for ever");
        });
    });
}

#[test]
fn a_task_whose_wake_makes_the_observer_panic_is_polled_all_the_same() {
    within(|| {
        let panics = Rc::new(Cell::new(false));
        let armed = panics.clone();
        let observer = move |event: &Event<'_>| {
            let woken = matches!(event, Event::Woken { .. });
            assert!(!woken || !armed.replace(false), "the observer panics");
        };
        let executor = Executor::with_observer(Waker::noop().clone(), observer);
        let main = async {
            let gate = Gate::new();
            let waits = spawn(gate.pass());
            yield_now().await;
            panics.set(true);
            let waker = spawn(async move { gate.open() });
            assert!(waker.await.unwrap_err().is_panic());
            waits.await.unwrap();
        };
        executor.block_on(main, |limit| assert!(limit.is_some(), "who waits is forgotten"));
    });
}

#[test]
fn whom_the_observer_wakes_comes_behind_whom_it_was_told_of() {
    within(|| {
        let log = Log::new();
        let gates = [Gate::new(), Gate::new()];
        let (told, second) = (log.clone(), gates[1].clone());
        let observer = move |event: &Event<'_>| match event {
            Event::Woken { task, .. } if task.get() == 2 => second.open(),
            Event::PollStarted { task } => told.push(task.get()),
            _ => {}
        };
        let executor = Executor::with_observer(Waker::noop().clone(), observer);
        let main = async {
            let tasks = [spawn(gates[0].pass()), spawn(gates[1].pass())];
            yield_now().await;
            log.take();
            gates[0].open();
            for task in tasks {
                task.await.unwrap();
            }
        };
        executor.block_on(main, |_| ());
        assert_eq!(log.take()[..2], [2, 3]);
    });
}

#[test]
fn an_observer_that_panics_at_any_event_leaves_the_thread_usable() {
    /// So many events the run below has.
    const EVENTS: i32 = 27;
    within(|| {
        for at in 0..EVENTS {
            let left = Rc::new(Cell::new(at));
            let observer = move |event: &Event<'_>| {
                left.set(left.get() - 1);
                assert!(left.get() != -1, "the observer panics at {event:?}");
            };
            let executor = Executor::with_observer(Waker::noop().clone(), observer);
            let drops = Drops::new();
            let futures = Cell::new(0);
            let main = async {
                for _ in 0..3 {
                    let token = drops.token();
                    futures.set(futures.get() + 1);
                    drop(spawn(async move {
                        let _token = token;
                        pending::<()>().await;
                    }));
                }
                let _ = spawn(yield_now()).await;
            };
            let end = catch(|| executor.block_on(main, |_| panic!("nobody will wake main")));
            assert_eq!(catch(current_task), Ok(None), "event {at}: {end:?}");
            assert_eq!(catch(|| block_on(async { 7 })), Ok(7), "event {at}: {end:?}");
            // The same executor again: its observer panics no more.
            let again = async { spawn(ready(8)).await.unwrap() };
            let again = catch(|| executor.block_on(again, |_| panic!("the task is not polled")));
            assert_eq!(again, Ok(8), "event {at}: {end:?}");
            drop(executor);
            assert_eq!(drops.count(), futures.get(), "event {at}: {end:?}");
        }
    });
}

/// How the polls of main and main itself end, as an observer is told, when main or the park panics.
fn told_of_main<F: Future>(main: F, park: impl FnMut(Option<Duration>)) -> Vec<String> {
    let log = Log::new();
    let inside = log.clone();
    let observer = move |event: &Event<'_>| match event {
        Event::PollEnded { outcome, .. } => inside.push(format!("poll: {outcome:?}")),
        Event::Ended { how, .. } => inside.push(format!("end: {how:?}")),
        _ => {}
    };
    let executor = Executor::with_observer(Waker::noop().clone(), observer);
    assert!(catch(|| executor.block_on(main, park)).is_err());
    log.take()
}

#[test]
fn a_panic_of_main_is_told_as_its_end_and_a_panic_of_the_park_is_not_taken_for_one() {
    within(|| {
        let told = told_of_main(poll_fn(|_| -> Poll<()> { panic!("no buns") }), |_| ());
        assert_eq!(told, ["poll: Panicked", "end: Panicked"]);
        let told = told_of_main(pending::<()>(), |_| panic!("no reactor"));
        assert_eq!(told, ["poll: Pending", "end: Cancelled"]);
    });
}

#[test]
fn an_observer_that_panics_because_main_has_panicked_does_not_abort_the_process() {
    within(|| {
        let observer =
            |event: &Event<'_>| assert!(!matches!(event, Event::Ended { .. }), "I do, too");
        let executor = Executor::with_observer(Waker::noop().clone(), observer);
        let main = poll_fn(|_| -> Poll<()> { panic!("no buns") });
        assert_eq!(catch(|| executor.block_on(main, |_| ())), Err("no buns".to_owned()));
    });
}
