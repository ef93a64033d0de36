//! Sends and receives that are given up, at every moment: nothing is lost, nobody is forgotten.

mod common;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use common::{Calls, Drops, catch, run, turns};
use executor::channel::{TryRecvError, bounded, oneshot, unbounded};
use executor::{Either, JoinHandle, race, spawn};

#[test]
fn a_receiver_that_is_called_and_dropped_passes_the_call_on() {
    run(async || {
        let (sender, receiver) = bounded(1);
        let (other, spare) = (receiver.clone(), receiver);
        let first = spawn(async move { spare.recv().await });
        let second = spawn(async move { other.recv().await });
        turns(2).await;
        sender.try_send("a burger").unwrap();
        first.abort();
        assert_eq!(second.await.unwrap(), Some("a burger"));
        assert!(first.await.unwrap_err().is_cancelled());
    });
}

/// One value is left, kept for a receiver that has been called, and the last sender is gone.
#[test]
fn a_value_that_is_kept_for_another_is_not_taken_for_the_end() {
    for gives_up in [true, false] {
        let (sender, receiver) = bounded(1);
        let ((calls, waker), mut cx) = (Calls::waker(), Context::from_waker(Waker::noop()));
        let mut called = Box::pin(receiver.recv());
        assert!(called.as_mut().poll(&mut cx).is_pending());
        sender.try_send("a burger").unwrap();
        drop(sender);
        let mut late = pin!(receiver.recv());
        let mut late_cx = Context::from_waker(&waker);
        assert!(late.as_mut().poll(&mut late_cx).is_pending(), "the burger is still there");
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        let left = if gives_up {
            drop(called);
            Some("a burger")
        } else {
            assert_eq!(called.as_mut().poll(&mut cx), Poll::Ready(Some("a burger")));
            None
        };
        assert_eq!(calls.count(), 1, "it waits for what the other one does");
        assert_eq!(late.as_mut().poll(&mut late_cx), Poll::Ready(left));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    }
}

#[test]
fn a_sender_that_is_called_and_dropped_passes_the_call_on() {
    run(async || {
        let (sender, receiver) = bounded(1);
        sender.try_send(0).unwrap();
        let [first, second] = [1, 2].map(|n| {
            let sender = sender.clone();
            spawn(async move { sender.send(n).await })
        });
        turns(2).await;
        assert_eq!(receiver.recv().await, Some(0));
        first.abort();
        assert_eq!(second.await.unwrap(), Ok(()));
        assert_eq!(receiver.recv().await, Some(2), "what was not sent does not arrive");
    });
}

#[test]
fn whoever_gives_up_while_in_line_leaves_the_line() {
    run(async || {
        let (sender, receiver) = bounded(1);
        let ((gone, gone_waker), (calls, waker)) = (Calls::waker(), Calls::waker());
        {
            let mut given_up = Box::pin(receiver.recv());
            let mut waits = pin!(receiver.recv());
            assert!(given_up.as_mut().poll(&mut Context::from_waker(&gone_waker)).is_pending());
            assert!(waits.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            drop(given_up);
            sender.try_send(()).unwrap();
            assert_eq!((gone.count(), calls.count()), (0, 1));
        }
        assert_eq!(receiver.len(), 1, "nobody came for it");
    });
}

#[test]
fn a_race_against_a_send_or_a_receive_loses_nothing() {
    run(async || {
        let (sender, receiver) = bounded(1);
        for n in 0..10 {
            let Either::Right(()) = race(receiver.recv(), turns(2)).await else { panic!() };
            sender.send(n).await.unwrap();
            let Either::Right(()) = race(sender.send(99), turns(2)).await else { panic!() };
            assert_eq!(receiver.recv().await, Some(n));
            assert!(receiver.is_empty());
        }
    });
}

#[test]
fn a_race_that_a_receive_wins_at_the_same_moment_gives_the_value() {
    run(async || {
        let (sender, receiver) = bounded(1);
        spawn(async move { sender.send(7).await.unwrap() });
        // Both sides become ready in the same turn; the first of the two wins.
        assert_eq!(race(receiver.recv(), turns(1)).await, Either::Left(Some(7)));
    });
}

#[test]
fn a_send_that_is_given_up_drops_its_value_once() {
    run(async || {
        let drops = Drops::new();
        let (sender, receiver) = bounded(1);
        sender.try_send(drops.token()).unwrap();
        let Either::Right(()) = race(sender.send(drops.token()), turns(2)).await else { panic!() };
        assert_eq!(drops.count(), 1);
        drop(sender.send(drops.token()));
        assert_eq!(drops.count(), 2, "nor does it arrive if it was never polled");
        assert_eq!(receiver.len(), 1);
    });
}

#[test]
fn a_spurious_poll_keeps_the_place_in_line_and_takes_the_new_waker() {
    run(async || {
        let (sender, receiver) = unbounded();
        let ((old, old_waker), (new, new_waker), (next, next_waker)) =
            (Calls::waker(), Calls::waker(), Calls::waker());
        let (mut first, mut second) = (pin!(receiver.recv()), pin!(receiver.recv()));
        assert!(first.as_mut().poll(&mut Context::from_waker(&old_waker)).is_pending());
        assert!(second.as_mut().poll(&mut Context::from_waker(&next_waker)).is_pending());
        assert!(first.as_mut().poll(&mut Context::from_waker(&new_waker)).is_pending());
        sender.try_send(()).unwrap();
        assert_eq!((old.count(), new.count(), next.count()), (0, 1, 0));
    });
}

#[test]
fn a_send_that_was_sent_panics_when_it_is_polled_again() {
    run(async || {
        let (sender, _receiver) = unbounded();
        let mut send = pin!(sender.send(()));
        send.as_mut().await.unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        let text = catch(|| send.as_mut().poll(&mut cx).is_ready()).unwrap_err();
        assert!(text.contains("polled after completion"), "{text}");
    });
}

/// Whoever waits at a channel must have a reason: full for senders, empty for receivers.
#[test]
fn whatever_is_aborted_nobody_waits_without_a_reason() {
    const CAPACITY: usize = 3;
    run(async || {
        for seed in 1..=40_u64 {
            let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut pick = move |n: usize| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                (random % n as u64) as usize
            };
            let (sender, receiver) = bounded(CAPACITY);
            let (mut sends, mut receives) = (Vec::new(), Vec::new());
            for step in 0..150 {
                match pick(8) {
                    0..=2 => {
                        let sender = sender.clone();
                        sends.push(spawn(async move { _ = sender.send(step).await }));
                    }
                    3..=5 => {
                        let receiver = receiver.clone();
                        receives.push(spawn(async move { _ = receiver.recv().await }));
                    }
                    side => {
                        let tasks = if side == 6 { &sends } else { &receives };
                        if !tasks.is_empty() {
                            tasks[pick(tasks.len())].abort();
                        }
                    }
                }
                // Mostly in the middle of things, sometimes when all have come to rest.
                if pick(3) == 0 {
                    turns(20).await;
                    let waits = |tasks: &[JoinHandle<()>]| tasks.iter().any(|t| !t.is_finished());
                    let full = receiver.len() == CAPACITY;
                    assert!(!waits(&sends) || full, "seed {seed}, step {step}: there is room");
                    let empty = receiver.is_empty();
                    assert!(
                        !waits(&receives) || empty,
                        "seed {seed}, step {step}: it is not empty"
                    );
                }
            }
        }
    });
}

#[test]
fn a_oneshot_gives_its_value_whether_it_comes_before_or_after_the_await() {
    run(async || {
        let (sender, receiver) = oneshot();
        sender.send(1).unwrap();
        assert_eq!(receiver.await, Some(1));
        let (sender, receiver) = oneshot();
        spawn(async move {
            turns(3).await;
            sender.send(2).unwrap();
        });
        assert_eq!(receiver.await, Some(2));
    });
}

#[test]
fn a_oneshot_without_its_sender_gives_none() {
    run(async || {
        let (sender, receiver) = oneshot::<()>();
        drop(sender);
        assert_eq!(receiver.await, None);
        let (sender, receiver) = oneshot::<()>();
        let waits = spawn(receiver);
        turns(2).await;
        drop(sender);
        assert_eq!(waits.await.unwrap(), None);
    });
}

#[test]
fn a_oneshot_without_its_receiver_gives_the_value_back() {
    run(async || {
        let (sender, receiver) = oneshot();
        assert!(!sender.is_closed());
        drop(receiver);
        assert!(sender.is_closed());
        assert_eq!(sender.send(7).unwrap_err().0, 7);
    });
}

#[test]
fn a_oneshot_that_nobody_reads_drops_its_value_with_the_receiver() {
    run(async || {
        let drops = Drops::new();
        let (sender, receiver) = oneshot();
        sender.send(drops.token()).unwrap();
        assert_eq!(drops.count(), 0);
        drop(receiver);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_oneshot_calls_the_waker_of_the_last_poll_once() {
    run(async || {
        let (sender, receiver) = oneshot();
        let mut receiver = pin!(receiver);
        let ((old, old_waker), (new, new_waker)) = (Calls::waker(), Calls::waker());
        assert!(receiver.as_mut().poll(&mut Context::from_waker(&old_waker)).is_pending());
        assert!(receiver.as_mut().poll(&mut Context::from_waker(&new_waker)).is_pending());
        sender.send(7).unwrap();
        assert_eq!((old.count(), new.count()), (0, 1));
        assert_eq!(receiver.as_mut().await, Some(7));
        assert_eq!(receiver.await, None, "there is no second value");
    });
}
