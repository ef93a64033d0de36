//! `yield_now`, `join`, `join_all` and `race`.

mod common;

use std::future::{Future, pending, ready};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use common::{Drops, Gate, Log, catch, on_drop, run, turns, within};
use executor::{Either, join, join_all, race, spawn, yield_now};

#[test]
fn yield_now_lets_everybody_else_who_is_ready_go_first() {
    run(async || {
        let log = Log::new();
        for name in ["a", "b"] {
            let log = log.clone();
            spawn(async move {
                for n in 0..2 {
                    log.push((name, n));
                    yield_now().await;
                }
            });
        }
        log.push(("main", 0));
        yield_now().await;
        log.push(("main", 1));
        yield_now().await;
        assert_eq!(log.take(), [("main", 0), ("a", 0), ("b", 0), ("main", 1), ("a", 1), ("b", 1)]);
    });
}

#[test]
fn join_waits_for_both_in_any_order() {
    run(async || {
        for first in [0, 1] {
            let gates = [Gate::new(), Gate::new()];
            let (a, b) = (gates[0].pass(), gates[1].pass());
            let task = spawn(join(async { (a.await, 1).1 }, async { (b.await, "two").1 }));
            turns(1).await;
            gates[first].open();
            turns(2).await;
            assert!(!task.is_finished());
            gates[1 - first].open();
            assert_eq!(task.await.unwrap(), (1, "two"));
        }
    });
}

#[test]
fn join_does_not_poll_a_future_that_has_ended() {
    run(async || {
        let (early, late) = (Gate::new(), Gate::new());
        let task = spawn(join(early.pass(), late.pass()));
        turns(1).await;
        early.open();
        turns(1).await;
        late.open();
        task.await.unwrap();
        assert_eq!((early.polls(), late.polls()), (2, 3));
    });
}

#[test]
fn join_drops_each_future_as_soon_as_it_ends_and_both_when_it_is_given_up() {
    run(async || {
        let (drops, gate) = (Drops::new(), Gate::new());
        let (token, pass) = (drops.token(), gate.pass());
        let early = async move {
            let _token = token;
            pass.await;
        };
        let token = drops.token();
        let late = async move {
            let _token = token;
            pending::<()>().await;
        };
        let task = spawn(join(early, late));
        turns(1).await;
        gate.open();
        turns(1).await;
        assert_eq!(drops.count(), 1);
        task.abort();
        turns(1).await;
        assert_eq!(drops.count(), 2);
    });
}

#[test]
fn join_all_gives_the_outputs_in_the_order_of_the_futures() {
    run(async || {
        let outputs = join_all((0..10_usize).map(|n| async move {
            turns(10 - n).await;
            n
        }));
        assert_eq!(outputs.await, Vec::from_iter(0..10));
        assert_eq!(join_all(Vec::<std::future::Ready<()>>::new()).await, []);
    });
}

#[test]
fn join_all_takes_handles() {
    run(async || {
        let tasks = (0..5).map(|n| spawn(async move { n }));
        let outputs = join_all(tasks).await;
        assert!(outputs.into_iter().map(Result::unwrap).eq(0..5));
    });
}

#[test]
fn race_gives_the_output_of_the_first_to_end() {
    run(async || {
        assert_eq!(race(ready(1), pending::<()>()).await, Either::Left(1));
        assert_eq!(race(pending::<()>(), ready(2)).await, Either::Right(2));
        assert_eq!(race(ready(1), ready(2)).await, Either::Left(1), "a draw goes to the first");
        assert_eq!(race(turns(5), turns(3)).await, Either::Right(()));
        assert_eq!(race(ready(1), ready(2)).await.into_inner(), 1);
    });
}

#[test]
fn the_loser_of_a_race_is_dropped_before_the_output_is_given() {
    run(async || {
        let log = Log::new();
        let loser = |name| {
            let log = log.clone();
            async move {
                let _guard = on_drop(move || log.push(name));
                pending::<()>().await;
            }
        };
        // Kept in its place after its end, so that only `race` itself can drop the loser.
        let mut left = pin!(race(turns(1), loser("right")));
        left.as_mut().await;
        log.push("the left one won");
        let mut right = pin!(race(loser("left"), turns(1)));
        right.as_mut().await;
        log.push("the right one won");
        assert_eq!(log.take(), ["right", "the left one won", "left", "the right one won"]);
    });
}

#[test]
fn the_second_is_not_polled_when_the_first_is_ready() {
    run(async || {
        let gate = Gate::new();
        race(ready(()), gate.pass()).await;
        assert_eq!(gate.polls(), 0);
    });
}

#[test]
fn outputs_are_moved_and_not_copied() {
    run(async || {
        let burger = Rc::new(());
        let (a, b) = join(ready(burger.clone()), ready(burger.clone())).await;
        let Either::Left(c) = race(ready(burger.clone()), pending::<()>()).await else { panic!() };
        let d = join_all([ready(burger.clone())]).await;
        assert_eq!(Rc::strong_count(&burger), 5);
        drop((a, b, c, d));
        assert_eq!(Rc::strong_count(&burger), 1);
    });
}

#[test]
fn join_and_race_polled_after_completion_panic() {
    run(async || {
        let mut cx = Context::from_waker(Waker::noop());
        let mut both = pin!(join(ready(1), ready(2)));
        both.as_mut().await;
        let text = catch(|| both.as_mut().poll(&mut cx).is_ready()).unwrap_err();
        assert!(text.contains("polled after completion"), "{text}");
        let mut one = pin!(race(ready(1), ready(2)));
        one.as_mut().await;
        let text = catch(|| one.as_mut().poll(&mut cx).is_ready()).unwrap_err();
        assert!(text.contains("polled after completion"), "{text}");
    });
}

#[test]
fn a_panic_in_one_branch_is_the_panic_of_the_task_and_drops_the_other() {
    run(async || {
        let drops = Drops::new();
        let token = drops.token();
        let other = async move {
            let _token = token;
            pending::<()>().await;
        };
        let fails = async {
            yield_now().await;
            panic!("no buns")
        };
        let result: Result<((), ()), _> = spawn(join(other, fails)).await;
        assert_eq!(result.unwrap_err().to_string(), "the task panicked: no buns");
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn combinators_nest() {
    run(async || {
        let inner = race(pending::<()>(), join_all([ready(1), ready(2)]));
        let (a, b) = join(join(ready("a"), yield_now()), inner).await;
        assert_eq!((a.0, b), ("a", Either::Right(vec![1, 2])));
    });
}

#[test]
fn it_can_be_printed_how_far_each_of_the_two_is() {
    within(|| {
        // A poll by hand: nobody prints a future from inside.
        let mut both = pin!(join(yield_now(), ready(2)));
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(format!("{both:?}"), "Join { a: Running, b: Running }");
        assert!(both.as_mut().poll(&mut cx).is_pending());
        assert_eq!(format!("{both:?}"), "Join { a: Running, b: Ended }");
        assert!(both.as_mut().poll(&mut cx).is_ready());
        assert_eq!(format!("{both:?}"), "Join { a: Taken, b: Taken }");
    });
}
