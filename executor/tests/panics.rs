//! Panics of tasks, of main and of the park closure: who hears of them, and what goes on.
#![allow(clippy::async_yields_async, reason = "a handle may leave its executor")]

mod common;

use std::cell::Cell;
use std::future::{Future, pending, ready};
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use common::{
    Drops, Gate, Log, catch, on_drop, run, stderr_of, text_of, turns, with_closed_stderr, within,
};
use executor::{Executor, JoinError, block_on, current_task, spawn};

/// Panics in its first poll, and once more when it is dropped.
struct Twice;

impl Future for Twice {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        panic!("in the poll")
    }
}

impl Drop for Twice {
    fn drop(&mut self) {
        panic!("in the destructor")
    }
}

#[test]
fn a_panic_reaches_whoever_joins() {
    run(async || {
        let error = spawn(async { panic!("no buns") }).await.unwrap_err();
        assert_eq!(text_of(error.into_panic()), "no buns");
        let error = spawn(async { panic_any(42) }).await.unwrap_err();
        assert_eq!(error.into_panic().downcast_ref(), Some(&42), "the payload as it was");
    });
}

#[test]
fn a_panic_after_an_await_reaches_whoever_waits_already() {
    run(async || {
        let gate = Gate::new();
        let pass = gate.pass();
        let drops = Drops::new();
        let token = drops.token();
        let task = spawn(async move {
            let _token = token;
            pass.await;
            panic!("after the wait")
        });
        spawn(async move {
            turns(2).await;
            gate.open();
        });
        let error: JoinError = task.await.unwrap_err();
        assert_eq!(text_of(error.into_panic()), "after the wait");
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn the_executor_goes_on_after_a_panic() {
    run(async || {
        let before = spawn(turns(5));
        for _ in 0..10 {
            assert!(spawn(async { panic!("again") }).await.unwrap_err().is_panic());
        }
        before.await.unwrap();
        assert_eq!(spawn(ready(7)).await.unwrap(), 7);
        assert!(current_task().is_some());
    });
}

#[test]
fn a_panic_in_the_poll_counts_more_than_one_in_the_destructor() {
    run(async || {
        let error = spawn(Twice).await.unwrap_err();
        assert_eq!(text_of(error.into_panic()), "in the poll");
    });
}

#[test]
fn a_panic_that_nobody_joins_is_reported_with_the_name_of_the_task() {
    let stderr = stderr_of(|| {
        block_on(async {
            drop(spawn(async { panic!("no buns") }).named("burger 7"));
            turns(1).await;
        });
    });
    let line = reports(&stderr)[0];
    assert!(line.contains("burger 7") && line.contains("no buns"), "{line}");
    assert!(line.contains("panics.rs"), "with the line of the `spawn`: {line}");
}

#[test]
fn a_panic_is_reported_when_the_handle_goes_after_the_task() {
    let stderr = stderr_of(|| {
        let late = block_on(async {
            let task = spawn(async { panic!("no buns") }).named("dropped at once");
            let late = spawn(async { panic!("no cola") }).named("dropped after the executor");
            turns(1).await;
            drop(task);
            late
        });
        drop(late);
    });
    let lines = reports(&stderr);
    assert!(lines[0].contains("dropped at once"), "{stderr}");
    assert!(lines[1].contains("dropped after the executor"), "{stderr}");
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_panic_that_is_joined_is_not_reported_nor_is_a_cancelled_task() {
    let stderr = stderr_of(|| {
        block_on(async {
            assert!(spawn(async { panic!("no buns") }).await.is_err());
            drop(spawn(pending::<()>()));
            spawn(pending::<()>()).abort();
            turns(2).await;
            drop(spawn(pending::<()>()));
        });
    });
    assert_eq!(reports(&stderr), Vec::<&str>::new());
}

#[test]
fn a_name_is_reported_as_it_was_given() {
    let stderr = stderr_of(|| {
        block_on(async {
            drop(spawn(async { panic!("no buns") }).named("client [::1]:80 <admin>"));
            turns(1).await;
        });
    });
    let line = reports(&stderr)[0];
    assert!(line.contains("client [::1]:80 <admin>"), "{line}");
}

#[test]
fn a_report_to_a_closed_stderr_hurts_nobody() {
    with_closed_stderr(|| {
        // The hook of the standard library copes; ours must, too.
        block_on(async {
            drop(spawn(async { panic!("no buns") }));
            turns(1).await;
            assert_eq!(spawn(ready(7)).await.unwrap(), 7);
        });
    });
}

/// The lines which the executor wrote, and not the panic hook.
fn reports(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|line| line.contains("nobody joined")).collect()
}

#[test]
fn a_panic_of_main_drops_all_tasks_and_leaves_the_thread_usable() {
    within(|| {
        let (drops, log) = (Drops::new(), Log::new());
        let executor = Executor::new(Waker::noop().clone());
        let (token, inside) = (drops.token(), log.clone());
        let main = async {
            spawn(async move {
                let _guard = on_drop(move || inside.push(std::thread::panicking()));
                let _token = token;
                pending::<()>().await;
            });
            turns(1).await;
            panic!("main is gone")
        };
        assert_eq!(catch(|| executor.block_on(main, |_| ())).unwrap_err(), "main is gone");
        assert_eq!((drops.count(), log.take()), (1, vec![true]));
        assert_eq!(current_task(), None);
        assert!(catch(|| spawn(async {})).is_err(), "no executor runs now");
        let again = async { spawn(ready(7)).await.unwrap() };
        assert_eq!(executor.block_on(again, |_| ()), 7);
        assert_eq!(block_on(async { 8 }), 8);
    });
}

#[test]
fn a_panic_of_the_park_closure_drops_all_tasks_and_leaves_the_thread_usable() {
    within(|| {
        let drops = Drops::new();
        let executor = Executor::new(Waker::noop().clone());
        let token = drops.token();
        let main = async {
            spawn(async move {
                let _token = token;
                pending::<()>().await;
            });
            pending::<()>().await;
        };
        let text = catch(|| executor.block_on(main, |_| panic!("no epoll"))).unwrap_err();
        assert_eq!((text.as_str(), drops.count()), ("no epoll", 1));
        let again = async { spawn(ready(7)).await.unwrap() };
        assert_eq!(executor.block_on(again, |_| ()), 7);
    });
}

#[test]
fn a_handle_kept_from_a_run_that_panicked_says_cancelled() {
    within(|| {
        let shelf = Cell::new(None);
        let main = async {
            shelf.set(Some(spawn(pending::<()>())));
            panic!("main is gone")
        };
        assert!(catch(|| block_on(main)).is_err());
        let task = shelf.take().unwrap();
        assert!(task.is_finished());
        assert!(block_on(task).unwrap_err().is_cancelled());
    });
}

#[test]
fn the_payload_of_a_main_panic_comes_out_as_it_was() {
    within(|| {
        let main = async { panic_any(42) };
        let panic = std::panic::catch_unwind(|| block_on(main)).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&42));
    });
}

/// A waker of another make, with a bug.
struct Broken;

impl Wake for Broken {
    fn wake(self: Arc<Self>) {
        panic!("the waker is broken");
    }
}

#[test]
fn a_waker_that_panics_leaves_the_thread_usable() {
    for joined_task_ends in [true, false] {
        within(move || {
            let drops = Drops::new();
            let executor = Executor::new(Waker::noop().clone());
            let gate = Gate::new();
            let main = async {
                let mut task = spawn(gate.pass());
                let token = drops.token();
                drop(spawn(async move {
                    let _token = token;
                    pending::<()>().await;
                }));
                let broken = Waker::from(Arc::new(Broken));
                let poll = Pin::new(&mut task).poll(&mut Context::from_waker(&broken));
                assert!(poll.is_pending());
                turns(1).await;
                if joined_task_ends {
                    gate.open();
                    turns(1).await;
                }
                task
            };
            // While the executor runs, or while it ends.
            assert!(catch(|| executor.block_on(main, |_| ())).is_err());
            assert_eq!(catch(current_task), Ok(None));
            assert_eq!(catch(|| block_on(async { 7 })), Ok(7));
            let again = async { spawn(ready(8)).await.unwrap() };
            assert_eq!(executor.block_on(again, |_| ()), 8);
            drop(executor);
            assert_eq!(drops.count(), 1);
        });
    }
}
