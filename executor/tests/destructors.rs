//! What a future may do while it is dropped, and that each one is dropped exactly once.

mod common;

use std::cell::RefCell;
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use common::{Drops, Gate, Log, catch, on_drop, run, turns, within};
use executor::{Executor, JoinHandle, block_on, current_task, spawn};

/// A future that waits for ever, and calls `f` when it is dropped.
async fn and_at_the_end(f: impl FnOnce()) {
    let _guard = on_drop(f);
    pending::<()>().await;
}

/// A future that ends at once, and calls the closure when it is dropped, which is after that.
struct EndThen<D>(D);

impl<D> Future for EndThen<D> {
    type Output = &'static str;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<&'static str> {
        Poll::Ready("the output")
    }
}

/// What destructors like to do: spawn, wake, abort, drop handles of waiting and of ended tasks,
/// and poll one.
struct Mischief {
    gate: Gate,
    aborted: JoinHandle<()>,
    waiting: JoinHandle<()>,
    ended: JoinHandle<()>,
    polled: JoinHandle<()>,
    log: Log<&'static str>,
}

impl Mischief {
    /// To be called where all tasks have a turn afterwards.
    fn new(log: &Log<&'static str>, drops: &Drops) -> Mischief {
        let (gate, token) = (Gate::new(), drops.token());
        let (pass, woken) = (gate.pass(), log.clone());
        spawn(async move {
            pass.await;
            woken.push("woken");
        });
        Mischief {
            gate,
            aborted: spawn(and_at_the_end(move || drop(token))),
            waiting: spawn(pending()),
            ended: spawn(ready(())),
            polled: spawn(pending()),
            log: log.clone(),
        }
    }

    fn happen(mut self) {
        self.gate.open();
        self.aborted.abort();
        drop((self.aborted, self.waiting, self.ended));
        let poll = Pin::new(&mut self.polled).poll(&mut Context::from_waker(Waker::noop()));
        self.log.push(if poll.is_pending() { "dropped" } else { "dropped at the very end" });
        let log = self.log;
        drop(spawn(async move { log.push("spawned") }));
    }
}

#[test]
fn a_future_may_do_anything_while_it_is_dropped_at_its_end() {
    run(async || {
        let (log, drops) = (Log::new(), Drops::new());
        let mischief = Mischief::new(&log, &drops);
        turns(1).await;
        let task = spawn(EndThen(on_drop(|| mischief.happen())));
        assert_eq!(task.await.unwrap(), "the output");
        turns(1).await;
        assert_eq!(log.take(), ["dropped", "woken", "spawned"]);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_future_may_do_anything_while_it_is_aborted() {
    run(async || {
        let (log, drops) = (Log::new(), Drops::new());
        let mischief = Mischief::new(&log, &drops);
        let task = spawn(and_at_the_end(|| mischief.happen()));
        turns(1).await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        turns(1).await;
        assert_eq!(log.take(), ["dropped", "woken", "spawned"]);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn an_output_may_do_anything_while_it_is_dropped() {
    run(async || {
        let (log, drops) = (Log::new(), Drops::new());
        let [now, later] = [(), ()].map(|()| Mischief::new(&log, &drops));
        turns(1).await;
        drop(spawn(ready(on_drop(|| now.happen()))));
        turns(2).await;
        assert_eq!(log.take(), ["dropped", "woken", "spawned"], "the handle went first");

        let task = spawn(ready(on_drop(|| later.happen())));
        turns(1).await;
        drop(task);
        turns(1).await;
        assert_eq!(log.take(), ["dropped", "woken", "spawned"], "the task ended first");
        assert_eq!(drops.count(), 2);
    });
}

#[test]
fn a_future_may_do_anything_while_its_executor_ends() {
    within(|| {
        let (log, drops) = (Log::new(), Drops::new());
        block_on(async {
            // Among the others, so that some are gone before it and some after it.
            let [first, second] = [(), ()].map(|()| Mischief::new(&log, &drops));
            spawn(and_at_the_end(|| first.happen()));
            let third = Mischief::new(&log, &drops);
            spawn(and_at_the_end(|| second.happen()));
            spawn(and_at_the_end(|| third.happen()));
            turns(2).await;
        });
        let log = log.take();
        assert_eq!(log.len(), 3, "{log:?}");
        assert!(log.iter().all(|entry| entry.starts_with("dropped")), "{log:?}");
        assert_eq!(drops.count(), 3, "each future exactly once");
    });
}

#[test]
fn when_an_executor_ends_all_futures_are_dropped_exactly_once() {
    within(|| {
        let (drops, unpolled) = (Drops::new(), Drops::new());
        let executor = Executor::new(Waker::noop().clone());
        let handles = executor.block_on(
            async {
                let mut handles = Vec::new();
                for n in 0..100 {
                    let token = drops.token();
                    let task = spawn(and_at_the_end(move || drop(token)));
                    if n % 2 == 0 {
                        handles.push(task);
                    }
                }
                turns(1).await;
                let token = unpolled.token();
                drop(spawn(async move { drop(token) }));
                handles
            },
            |_| (),
        );
        assert_eq!((drops.count(), unpolled.count()), (100, 1), "at the end of `block_on`");
        drop(executor);
        assert!(handles.iter().all(JoinHandle::is_finished));
        drop(handles);
        assert_eq!((drops.count(), unpolled.count()), (100, 1));
    });
}

#[test]
fn the_main_coroutine_is_dropped_before_the_tasks() {
    within(|| {
        let log = Log::new();
        let (of_main, of_task) = (log.clone(), log.clone());
        block_on(async {
            let _guard = on_drop(|| of_main.push("main"));
            spawn(and_at_the_end(move || of_task.push("task")));
            turns(1).await;
        });
        assert_eq!(log.take(), ["main", "task"]);
    });
}

#[test]
fn a_task_spawned_while_the_executor_ends_is_cancelled_at_once() {
    within(|| {
        let drops = Drops::new();
        let shelf = Rc::new(RefCell::new(None));
        let (inside, token, counter) = (shelf.clone(), drops.token(), drops.clone());
        block_on(async {
            spawn(and_at_the_end(move || {
                let task = spawn(async move {
                    let _token = token;
                    7
                });
                assert_eq!(counter.count(), 1, "dropped inside `spawn`");
                assert!(task.is_finished());
                inside.replace(Some(task.named("too late")));
            }));
            turns(1).await;
        });
        let task = shelf.take().expect("the destructor ran");
        block_on(async { assert!(task.await.unwrap_err().is_cancelled()) });
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn destructors_that_spawn_while_they_are_dropped_by_spawn_come_to_an_end() {
    fn spawn_another(left: u32, drops: Drops) {
        let token = drops.token();
        let last = on_drop(move || {
            drop(token);
            if left > 0 {
                spawn_another(left - 1, drops);
            }
        });
        drop(spawn(EndThen(last)));
    }
    within(|| {
        let drops = Drops::new();
        let inside = drops.clone();
        block_on(async {
            spawn(and_at_the_end(move || spawn_another(9, inside)));
            turns(1).await;
        });
        assert_eq!(drops.count(), 10);
    });
}

#[test]
fn the_executor_is_as_good_as_new_after_such_an_end() {
    within(|| {
        let executor = Executor::new(Waker::noop().clone());
        for _ in 0..5 {
            let log = Log::new();
            let main = async {
                let mischief = Mischief::new(&log, &Drops::new());
                spawn(and_at_the_end(|| mischief.happen()));
                turns(1).await;
                spawn(async { 7 }).await.unwrap()
            };
            assert_eq!(executor.block_on(main, |_| ()), 7);
            assert_eq!(log.len(), 1);
        }
    });
}

#[test]
fn a_destructor_knows_whose_it_is() {
    run(async || {
        let log = Log::new();
        let inside = log.clone();
        let task = spawn(and_at_the_end(move || inside.push(current_task())));
        let id = task.id();
        turns(1).await;
        task.abort();
        assert!(task.await.is_err());
        assert_eq!(log.take(), [Some(id)]);
    });
}

#[test]
fn block_on_in_a_destructor_panics_like_everywhere_else() {
    run(async || {
        let log = Log::new();
        let inside = log.clone();
        let task = spawn(and_at_the_end(move || inside.push(catch(|| block_on(async {})))));
        turns(1).await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        let entries = log.take();
        assert!(matches!(&entries[..], [Err(text)] if text.contains("`block_on` inside")));
    });
}
