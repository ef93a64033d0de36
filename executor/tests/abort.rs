//! `abort` of a task in every state of its life.

mod common;

use std::cell::RefCell;
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use common::{Drops, Gate, Log, on_drop, run, turns};
use executor::{JoinHandle, spawn, yield_now};

/// A place for a handle that the task itself can reach.
type Shelf = Rc<RefCell<Option<JoinHandle<&'static str>>>>;

#[test]
fn a_parked_task_is_dropped_at_its_turn_and_not_polled_again() {
    run(async || {
        let (gate, drops) = (Gate::new(), Drops::new());
        let (pass, token) = (gate.pass(), drops.token());
        let task = spawn(async move {
            let _token = token;
            pass.await;
        });
        turns(1).await;
        task.abort();
        assert_eq!(drops.count(), 0, "never inside the call");
        assert!(!task.is_finished());
        turns(1).await;
        assert_eq!((drops.count(), gate.polls()), (1, 1));
        assert!(task.is_finished());
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_task_that_was_never_polled_is_dropped_unpolled() {
    run(async || {
        let drops = Drops::new();
        let token = drops.token();
        let polled = Log::new();
        let inside = polled.clone();
        let task = spawn(async move {
            let _token = token;
            inside.push(());
        });
        task.abort();
        assert_eq!(drops.count(), 0);
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((drops.count(), polled.len()), (1, 0));
    });
}

#[test]
fn a_queued_task_keeps_its_place_and_is_dropped_there() {
    run(async || {
        let log = Log::new();
        let gates = [Gate::new(), Gate::new(), Gate::new()];
        let tasks = gates.each_ref().map(|gate| {
            let (log, pass) = (log.clone(), gate.pass());
            let id = log.len();
            spawn(async move {
                let dropped = log.clone();
                let _guard = on_drop(move || dropped.push("dropped"));
                pass.await;
                log.push("passed");
                id
            })
        });
        turns(1).await;
        gates.iter().for_each(Gate::open);
        tasks[1].abort();
        assert_eq!(log.len(), 0);
        turns(1).await;
        assert_eq!(log.take(), ["passed", "dropped", "dropped", "passed", "dropped"]);
        assert_eq!(gates[1].polls(), 1);
    });
}

#[test]
fn abort_of_an_ended_task_does_nothing() {
    run(async || {
        let task = spawn(ready(7));
        turns(1).await;
        task.abort();
        task.abort();
        turns(1).await;
        assert_eq!(task.await.unwrap(), 7, "the output is still there");
    });
}

#[test]
fn abort_of_an_ended_task_does_not_reach_the_next_tenant_of_its_slot() {
    run(async || {
        let mut task = spawn(ready(7));
        (&mut task).await.unwrap();
        let gate = Gate::new();
        let next = spawn(gate.pass());
        task.abort();
        turns(2).await;
        gate.open();
        next.await.unwrap();
    });
}

#[test]
fn a_task_that_aborts_itself_goes_on_to_its_next_wait() {
    run(async || {
        let (shelf, log) = (Shelf::default(), Log::new());
        let (own, inside) = (shelf.clone(), log.clone());
        let task = spawn(async move {
            own.borrow().as_ref().unwrap().abort();
            inside.push("aborted");
            ready(()).await;
            inside.push("did not have to wait");
            let dropped = inside.clone();
            let _guard = on_drop(move || dropped.push("dropped"));
            yield_now().await;
            inside.push("never");
            ""
        });
        shelf.replace(Some(task));
        turns(3).await;
        assert_eq!(log.take(), ["aborted", "did not have to wait", "dropped"]);
        let task = shelf.take().unwrap();
        assert!(task.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn a_task_that_aborts_itself_and_ends_has_an_output() {
    run(async || {
        let shelf = Shelf::default();
        let own = shelf.clone();
        let task = spawn(async move {
            own.borrow().as_ref().unwrap().abort();
            "done"
        });
        shelf.replace(Some(task));
        turns(3).await;
        let task = shelf.take().unwrap();
        assert_eq!(task.await.unwrap(), "done");
    });
}

#[test]
fn a_task_aborted_by_what_its_own_poll_calls_is_not_dropped_under_its_feet() {
    /// Calls code that knows nothing of this task, and aborts it.
    struct Calls<F: FnMut()>(F, Drops);
    impl<F: FnMut() + Unpin> Future for Calls<F> {
        type Output = &'static str;
        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<&'static str> {
            let before = self.1.count();
            (self.0)();
            assert_eq!(self.1.count(), before, "dropped while it was polled");
            Poll::Pending
        }
    }
    run(async || {
        let (shelf, drops) = (Shelf::default(), Drops::new());
        let (own, token) = (shelf.clone(), drops.token());
        let abort = move || {
            let _token = &token;
            own.borrow().as_ref().unwrap().abort();
        };
        shelf.replace(Some(spawn(Calls(abort, drops.clone()))));
        turns(1).await;
        assert_eq!(drops.count(), 0);
        turns(1).await;
        assert_eq!(drops.count(), 1);
        assert!(shelf.take().unwrap().await.unwrap_err().is_cancelled());
    });
}

#[test]
fn abort_twice_is_abort_once() {
    run(async || {
        let drops = Drops::new();
        let token = drops.token();
        let task = spawn(async move {
            let _token = token;
            pending::<()>().await;
        });
        turns(1).await;
        task.abort();
        task.abort();
        turns(1).await;
        task.abort();
        assert_eq!(drops.count(), 1);
        assert!(task.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn abort_and_let_go_still_drops_the_future() {
    run(async || {
        let drops = Drops::new();
        let token = drops.token();
        let task = spawn(async move {
            let _token = token;
            pending::<()>().await;
        });
        turns(1).await;
        task.abort();
        drop(task);
        assert_eq!(drops.count(), 0);
        turns(1).await;
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn abort_wakes_whoever_joins() {
    run(async || {
        let shelf = Rc::new(RefCell::new(Some(spawn(pending::<()>()))));
        let other = shelf.clone();
        let joins = spawn(std::future::poll_fn(move |cx| {
            Pin::new(shelf.borrow_mut().as_mut().unwrap()).poll(cx)
        }));
        turns(2).await;
        other.borrow().as_ref().unwrap().abort();
        assert!(joins.await.unwrap().unwrap_err().is_cancelled());
    });
}

#[test]
fn a_wake_after_abort_does_not_poll() {
    run(async || {
        let gate = Gate::new();
        let task = spawn(gate.pass());
        turns(1).await;
        task.abort();
        gate.open();
        turns(2).await;
        assert_eq!(gate.polls(), 1);
        gate.open();
        turns(2).await;
        assert_eq!(gate.polls(), 1);
        assert!(task.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn two_tasks_may_abort_each_other_while_they_are_dropped() {
    run(async || {
        let handles = Rc::new(RefCell::new(Vec::<JoinHandle<()>>::new()));
        for other in [1, 0] {
            let inside = handles.clone();
            let task = spawn(async move {
                let _guard = on_drop(|| inside.borrow()[other].abort());
                pending::<()>().await;
            });
            handles.borrow_mut().push(task);
        }
        turns(1).await;
        handles.borrow()[0].abort();
        turns(3).await;
        for task in handles.take() {
            assert!(task.await.unwrap_err().is_cancelled());
        }
    });
}
