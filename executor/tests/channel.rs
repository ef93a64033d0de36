//! Channels: what goes in comes out, full ones wait, closed ones say so.

mod common;

use std::rc::Rc;
use std::task::{Context, Waker};

use common::{Drops, Log, catch, run, turns, within};
use executor::channel::{SendError, TryRecvError, TrySendError, bounded, unbounded};
use executor::{block_on, join, spawn, yield_now};

#[test]
fn values_come_out_in_the_order_in_which_they_went_in() {
    run(async || {
        for (sender, receiver) in [bounded(1), bounded(3), unbounded()] {
            let sends = spawn(async move {
                for n in 0..20 {
                    sender.send(n).await.unwrap();
                }
            });
            for n in 0..20 {
                assert_eq!(receiver.recv().await, Some(n));
            }
            assert_eq!(receiver.recv().await, None);
            sends.await.unwrap();
        }
    });
}

#[test]
fn a_sender_waits_while_the_channel_is_full() {
    run(async || {
        let (sender, receiver) = bounded(2);
        let log = Log::new();
        let inside = log.clone();
        spawn(async move {
            for n in 0..5 {
                sender.send(n).await.unwrap();
                inside.push(n);
            }
        });
        turns(10).await;
        assert_eq!((log.take(), receiver.len()), (vec![0, 1], 2));
        assert_eq!(receiver.recv().await, Some(0));
        turns(10).await;
        assert_eq!((log.take(), receiver.len()), (vec![2], 2));
    });
}

#[test]
fn an_unbounded_channel_never_waits() {
    run(async || {
        let (sender, receiver) = unbounded();
        for n in 0..1000 {
            let mut send = std::pin::pin!(sender.send(n));
            assert!(send.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        }
        assert_eq!(receiver.len(), 1000);
    });
}

#[test]
fn a_receiver_waits_while_the_channel_is_empty() {
    run(async || {
        let (sender, receiver) = bounded(1);
        let task = spawn(async move { receiver.recv().await });
        turns(5).await;
        assert!(!task.is_finished());
        sender.try_send("a burger").unwrap();
        assert_eq!(task.await.unwrap(), Some("a burger"));
    });
}

#[test]
fn several_senders_share_a_channel_and_are_served_in_line() {
    run(async || {
        let (sender, receiver) = bounded(1);
        sender.try_send(0).unwrap();
        for n in 1..=5 {
            let sender = sender.clone();
            spawn(async move { sender.send(n).await.unwrap() });
        }
        drop(sender);
        turns(3).await;
        for n in 0..=5 {
            assert_eq!(receiver.recv().await, Some(n));
            turns(3).await;
        }
        assert_eq!(receiver.recv().await, None);
    });
}

#[test]
fn several_receivers_share_the_values_and_are_served_in_line() {
    run(async || {
        let (sender, receiver) = bounded(4);
        let log = Log::new();
        for name in ["a", "b", "c"] {
            let (receiver, log) = (receiver.clone(), log.clone());
            spawn(async move {
                let n = receiver.recv().await;
                log.push((name, n.unwrap()));
            });
        }
        turns(2).await;
        for n in 0..3 {
            sender.try_send(n).unwrap();
        }
        turns(2).await;
        assert_eq!(log.take(), [("a", 0), ("b", 1), ("c", 2)]);
    });
}

#[test]
fn the_channel_closes_with_its_last_sender() {
    run(async || {
        let (sender, receiver) = bounded(2);
        let (first, second) = (sender.clone(), sender);
        first.try_send(1).unwrap();
        drop(first);
        assert_eq!(receiver.recv().await, Some(1));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty), "there is another sender");
        second.try_send(2).unwrap();
        drop(second);
        assert_eq!(receiver.recv().await, Some(2), "what was sent still arrives");
        assert_eq!(receiver.recv().await, None);
        assert_eq!(receiver.recv().await, None, "and so on");
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    });
}

#[test]
fn the_last_sender_wakes_all_receivers_that_wait() {
    run(async || {
        let (sender, receiver) = bounded::<()>(1);
        let tasks = [(); 3].map(|()| {
            let receiver = receiver.clone();
            spawn(async move { receiver.recv().await })
        });
        turns(2).await;
        drop(sender);
        for task in tasks {
            assert_eq!(task.await.unwrap(), None);
        }
    });
}

#[test]
fn the_last_receiver_gives_all_waiting_senders_their_values_back() {
    run(async || {
        let (sender, receiver) = bounded(1);
        let other = receiver.clone();
        sender.try_send(0).unwrap();
        let tasks = [1, 2, 3].map(|n| {
            let sender = sender.clone();
            spawn(async move { sender.send(n).await })
        });
        turns(2).await;
        drop(receiver);
        turns(2).await;
        assert!(!sender.is_closed() && !tasks[0].is_finished(), "there is another receiver");
        drop(other);
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), Err(SendError(n + 1)));
        }
        assert!(sender.is_closed());
        assert_eq!(sender.send(4).await, Err(SendError(4)));
        assert_eq!(sender.try_send(5), Err(TrySendError::Closed(5)));
    });
}

#[test]
fn what_can_be_done_at_once_needs_no_executor() {
    within(|| {
        let (sender, receiver) = bounded(1);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert!(receiver.is_empty());
        assert_eq!(sender.try_send(1), Ok(()));
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
        assert_eq!(receiver.len(), 1);
        assert_eq!(receiver.try_recv(), Ok(1));
    });
}

#[test]
fn try_send_and_try_recv_wake_who_waits() {
    run(async || {
        let (sender, receiver) = bounded(1);
        sender.try_send(1).unwrap();
        let waiting = sender.clone();
        let sends = spawn(async move { waiting.send(2).await });
        turns(2).await;
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(sends.await.unwrap(), Ok(()));
        assert_eq!(receiver.try_recv(), Ok(2));
    });
}

#[test]
fn unread_values_go_with_the_last_receiver() {
    run(async || {
        let drops = Drops::new();
        let (sender, receiver) = unbounded();
        for _ in 0..3 {
            sender.send(drops.token()).await.unwrap();
        }
        drop(receiver.recv().await);
        assert_eq!(drops.count(), 1);
        drop(receiver);
        assert_eq!(drops.count(), 3, "and not only with the last sender");
    });
}

#[test]
fn a_bounded_channel_needs_a_capacity() {
    within(|| {
        let text = catch(|| bounded::<()>(0)).map(|_| ()).unwrap_err();
        assert!(text.contains("at least one value"), "{text}");
    });
}

#[test]
fn channels_connect_futures_of_one_task_too() {
    run(async || {
        let (sender, receiver) = bounded(1);
        let produce = async move {
            for n in 0..10 {
                sender.send(n).await.unwrap();
            }
        };
        let consume = async move {
            let mut sum = 0;
            while let Some(n) = receiver.recv().await {
                sum += n;
            }
            sum
        };
        assert_eq!(join(produce, consume).await.1, 45);
    });
}

#[test]
fn a_ring_of_tasks_passes_a_token_round() {
    run(async || {
        let (first, mut last) = bounded(1);
        for _ in 0..100 {
            let (sender, receiver) = bounded(1);
            spawn(async move {
                while let Some(n) = last.recv().await {
                    sender.send(n + 1).await.unwrap();
                }
            });
            last = receiver;
        }
        for round in 0..5 {
            first.send(round).await.unwrap();
            assert_eq!(last.recv().await, Some(round + 100));
        }
    });
}

#[test]
fn a_channel_holds_values_that_are_not_send_and_outlives_its_executor() {
    within(|| {
        let (sender, receiver) = unbounded();
        block_on(async {
            spawn(async move {
                sender.send(Rc::new(7)).await.unwrap();
                loop {
                    yield_now().await;
                }
            });
            turns(1).await;
        });
        assert_eq!(receiver.try_recv(), Ok(Rc::new(7)));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed), "its task was dropped");
    });
}

#[test]
fn errors_say_what_happened() {
    within(|| {
        assert!(SendError(()).to_string().contains("closed"));
        assert!(TrySendError::Full(()).to_string().contains("full"));
        assert!(TrySendError::Closed(()).to_string().contains("closed"));
        assert!(TryRecvError::Empty.to_string().contains("empty"));
        assert!(TryRecvError::Closed.to_string().contains("closed"));
        // `unwrap` wants to print them, whatever is sent.
        struct Burger;
        assert_eq!(format!("{:?}", SendError(Burger)), "SendError(..)");
        let both = (TrySendError::Full(Burger), TrySendError::Closed(Burger));
        assert_eq!(format!("{both:?}"), "(Full(..), Closed(..))");
    });
}
