//! Who waits at a channel is served in the order of coming, and nobody who comes later overtakes.

use std::cell::RefCell;
use std::rc::Rc;

use executor::channel::{self, TryRecvError, TrySendError};
use executor::{block_on, spawn, yield_now};

mod common;
use common::within;

#[test]
fn a_busy_sender_does_not_overtake_one_that_waits() {
    within(|| {
        block_on(async {
            let (sender, receiver) = channel::bounded(1);
            sender.send("first").await.unwrap();
            let waiting = sender.clone();
            let waits = spawn(async move { waiting.send("waited").await });
            yield_now().await;
            // Each receive makes room, which is for the one who waits.
            assert_eq!(receiver.recv().await, Some("first"));
            assert_eq!(sender.try_send("overtakes"), Err(TrySendError::Full("overtakes")));
            let later = spawn(async move { sender.send("came later").await });
            yield_now().await;
            assert_eq!(receiver.recv().await, Some("waited"));
            assert_eq!(receiver.recv().await, Some("came later"));
            waits.await.unwrap().unwrap();
            later.await.unwrap().unwrap();
        });
    });
}

#[test]
fn values_go_to_receivers_in_the_order_in_which_they_came() {
    within(|| {
        block_on(async {
            let (sender, receiver) = channel::unbounded();
            let got = Rc::new(RefCell::new(Vec::new()));
            let receivers: Vec<_> = ["a", "b", "c"]
                .map(|name| {
                    let (receiver, got) = (receiver.clone(), got.clone());
                    spawn(async move {
                        while let Some(value) = receiver.recv().await {
                            got.borrow_mut().push((name, value));
                        }
                    })
                })
                .into();
            yield_now().await;
            for value in 1..=3 {
                sender.send(value).await.unwrap();
                // The value is kept for the receiver that was called.
                assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
            }
            drop(sender);
            for receiver in receivers {
                receiver.await.unwrap();
            }
            let got = got.take();
            assert_eq!(got, [("a", 1), ("b", 2), ("c", 3)]);
        });
    });
}
