//! Destructors that panic: caught wherever a task ends, and never in the way of the others.
#![allow(clippy::async_yields_async, reason = "a handle may leave its executor")]

mod common;

use std::future::{pending, ready};
use std::panic::panic_any;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use common::{Drops, catch, on_drop, run, text_of, turns, within};
use executor::{Executor, block_on, current_task, spawn};

fn bomb() -> impl Sized {
    on_drop(|| panic!("in the destructor"))
}

async fn carry_for_ever<T>(value: T) {
    let _value = value;
    pending::<()>().await;
}

/// Ends at once; its destructor comes after that.
struct EndThen<D>(D);

impl<D> Future for EndThen<D> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

#[test]
fn a_panic_in_the_destructor_at_the_end_reaches_whoever_joins() {
    run(async || {
        let error = spawn(EndThen(bomb())).await.unwrap_err();
        assert_eq!(text_of(error.into_panic()), "in the destructor");
        assert_eq!(spawn(ready(7)).await.unwrap(), 7);
    });
}

#[test]
fn the_output_is_dropped_once_if_the_destructor_of_its_future_panics() {
    struct Output<D>(D, Option<common::Token>);
    impl<D> Future for Output<D> {
        type Output = common::Token;
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<common::Token> {
            // Nothing in here is pinned.
            Poll::Ready(self.get_mut().1.take().unwrap())
        }
    }
    impl<D> Unpin for Output<D> {}
    run(async || {
        let drops = Drops::new();
        let task = spawn(Output(bomb(), Some(drops.token())));
        let Err(error) = task.await else { panic!("its destructor panicked") };
        assert!(error.is_panic());
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_panic_in_the_destructor_at_abort_reaches_whoever_joins() {
    run(async || {
        let task = spawn(carry_for_ever(bomb()));
        turns(1).await;
        task.abort();
        let error = task.await.unwrap_err();
        assert_eq!(text_of(error.into_panic()), "in the destructor");
    });
}

#[test]
fn a_panic_in_one_destructor_does_not_keep_the_executor_from_dropping_the_others() {
    within(|| {
        let drops = Drops::new();
        let task = block_on(async {
            spawn(carry_for_ever(drops.token()));
            let task = spawn(carry_for_ever(bomb()));
            spawn(carry_for_ever(bomb()));
            spawn(carry_for_ever(drops.token()));
            turns(1).await;
            task
        });
        assert_eq!(drops.count(), 2);
        let error = block_on(task).unwrap_err();
        assert_eq!(text_of(error.into_panic()), "in the destructor");
    });
}

#[test]
fn destructors_may_panic_while_the_panic_of_main_unwinds() {
    within(|| {
        let drops = Drops::new();
        let executor = Executor::new(Waker::noop().clone());
        let main = async {
            spawn(carry_for_ever(drops.token()));
            spawn(carry_for_ever(bomb()));
            spawn(carry_for_ever(drops.token()));
            turns(1).await;
            panic!("main is gone")
        };
        let text = catch(|| executor.block_on(main, |_| ())).unwrap_err();
        assert_eq!((text.as_str(), drops.count()), ("main is gone", 2));
        assert_eq!(current_task(), None);
        assert_eq!(executor.block_on(async { spawn(ready(7)).await.unwrap() }, |_| ()), 7);
    });
}

#[test]
fn a_panic_in_the_destructor_of_an_output_nobody_wants_hurts_nobody() {
    run(async || {
        drop(spawn(ready(bomb())));
        turns(3).await;
        assert_eq!(spawn(ready(7)).await.unwrap(), 7);
    });
}

#[test]
fn an_output_whose_handle_is_dropped_panics_where_the_handle_is_dropped() {
    run(async || {
        let task = spawn(ready(bomb()));
        turns(1).await;
        assert_eq!(catch(|| drop(task)).unwrap_err(), "in the destructor");
        assert_eq!(spawn(ready(7)).await.unwrap(), 7);
    });
}

#[test]
fn a_panic_payload_that_panics_in_its_destructor_hurts_nobody() {
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("in the destructor of the payload");
        }
    }
    run(async || {
        drop(spawn(async { panic_any(Payload) }));
        turns(2).await;
        let task = spawn(carry_for_ever(on_drop(|| panic_any(Payload))));
        turns(1).await;
        task.abort();
        drop(task);
        turns(2).await;
        assert_eq!(spawn(ready(7)).await.unwrap(), 7);
    });
}

#[test]
fn a_second_payload_that_panics_in_its_destructor_hurts_nobody() {
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("in the destructor of the payload");
        }
    }
    struct Twice;
    impl Future for Twice {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            panic!("in the poll")
        }
    }
    impl Drop for Twice {
        fn drop(&mut self) {
            panic_any(Payload)
        }
    }
    run(async || {
        let error = spawn(Twice).await.unwrap_err();
        assert_eq!(text_of(error.into_panic()), "in the poll");
        assert_eq!(spawn(ready(7)).await.unwrap(), 7);
    });
}
