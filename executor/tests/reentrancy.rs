//! User code never runs under an internal borrow: wakers of another make that come back.

mod common;

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use common::{Gate, Log, on_drop, run, turns, within};
use executor::channel::{TryRecvError, bounded, oneshot, unbounded};
use executor::{block_on, spawn};

thread_local! {
    /// What `Meddler` does when it is woken, and when it is dropped.
    static MEDDLE: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
    static TIMES: Cell<usize> = const { Cell::new(0) };
}

/// A waker that does not just put something into a queue.
struct Meddler;

impl Meddler {
    fn waker() -> Waker {
        Waker::from(Arc::new(Meddler))
    }
}

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        meddle();
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        meddle();
    }
}

fn meddle() {
    let meddle = MEDDLE.with_borrow(Clone::clone);
    if let Some(meddle) = meddle {
        TIMES.set(TIMES.get() + 1);
        meddle();
    }
}

/// From now on each use and each drop of a `Meddler` does all that a task can do to others, and
/// `what` besides; until the guard is dropped.
async fn set_meddling(what: impl Fn() + 'static) -> impl Sized {
    let gate = Gate::new();
    drop(spawn(gate.pass()));
    let victims = RefCell::new(Vec::from_iter((0..10).map(|_| spawn(pending::<()>()))));
    turns(1).await;
    let all = move || {
        what();
        gate.waker().wake();
        drop(spawn(ready(())));
        let victim = victims.borrow_mut().pop();
        if let Some(mut victim) = victim {
            victim.abort();
            let _ = poll_with(&mut victim, Waker::noop());
            drop(victim.named("a victim"));
        }
    };
    MEDDLE.set(Some(Rc::new(all)));
    on_drop(|| drop(MEDDLE.take()))
}

/// How often the meddlers came since the last call.
fn times() -> usize {
    TIMES.replace(0)
}

fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

#[test]
fn the_waker_of_a_joiner_may_come_back_when_it_is_woken() {
    run(async || {
        let gate = Gate::new();
        let mut task = spawn(gate.pass());
        let _guard = set_meddling(|| ()).await;
        let waker = Meddler::waker();
        assert!(poll_with(&mut task, &waker).is_pending());
        gate.open();
        turns(2).await;
        assert_eq!(times(), 1);
        assert!(poll_with(&mut task, &waker).is_ready());
        drop(waker);
        assert_eq!(times(), 1);
    });
}

#[test]
fn the_waker_of_a_joiner_may_come_back_when_it_is_replaced_or_dropped() {
    run(async || {
        let mut task = spawn(pending::<()>());
        let _guard = set_meddling(|| ()).await;
        assert!(poll_with(&mut task, &Meddler::waker()).is_pending());
        assert_eq!(times(), 0, "the handle keeps it");
        assert!(poll_with(&mut task, &Meddler::waker()).is_pending());
        assert_eq!(times(), 1, "replaced");
        drop(task);
        assert_eq!(times(), 1, "dropped with the handle");
    });
}

#[test]
fn the_waker_of_a_joiner_may_come_back_when_the_executor_ends() {
    within(|| {
        let (mut task, _guard) = block_on(async {
            let mut task = spawn(pending::<()>());
            let guard = set_meddling(|| ()).await;
            assert!(poll_with(&mut task, &Meddler::waker()).is_pending());
            (task, guard)
        });
        assert_eq!(times(), 2, "woken and dropped");
        assert!(poll_with(&mut task, Waker::noop()).is_ready());
    });
}

#[test]
fn the_waker_of_a_receiver_may_come_back_at_every_moment() {
    run(async || {
        let (sender, receiver) = unbounded();
        let (sends, receives) = (sender.clone(), receiver.clone());
        let _guard = set_meddling(move || {
            let _ = sends.try_send(());
            let _ = receives.try_recv();
            let mut other = receives.recv();
            let _ = poll_with(&mut other, Waker::noop());
            drop(receives.clone());
        })
        .await;
        let mut waits = receiver.recv();
        assert!(poll_with(&mut waits, &Meddler::waker()).is_pending());
        assert!(poll_with(&mut waits, &Meddler::waker()).is_pending());
        assert!(times() >= 1, "replaced");
        drop(waits);
        while receiver.try_recv().is_ok() {}
        times();

        let mut waits = receiver.recv();
        assert!(poll_with(&mut waits, &Meddler::waker()).is_pending());
        assert_eq!(times(), 0, "the channel keeps it");
        sender.try_send(()).unwrap();
        assert!(times() >= 2, "woken and dropped");
        drop(waits);
        while receiver.try_recv().is_ok() {}
        times();

        let mut waits = receiver.recv();
        assert!(poll_with(&mut waits, &Meddler::waker()).is_pending());
        drop(waits);
        assert!(times() >= 1, "given up");
    });
}

#[test]
fn the_waker_of_a_receiver_may_come_back_when_the_channel_closes() {
    run(async || {
        let (sender, receiver) = unbounded::<()>();
        let inside = receiver.clone();
        let _guard = set_meddling(move || {
            assert_eq!(inside.try_recv(), Err(TryRecvError::Closed));
            drop(inside.clone());
        })
        .await;
        let mut waits = receiver.recv();
        assert!(poll_with(&mut waits, &Meddler::waker()).is_pending());
        drop(sender);
        assert_eq!(times(), 2, "woken and dropped");
        assert_eq!(poll_with(&mut waits, Waker::noop()), Poll::Ready(None));
    });
}

#[test]
fn the_waker_of_a_sender_may_come_back_at_every_moment() {
    run(async || {
        let (sender, receiver) = bounded(1);
        sender.try_send(0).unwrap();
        let (sends, receives) = (sender.clone(), receiver.clone());
        let shared = RefCell::new(Some(receives));
        let _guard = set_meddling(move || {
            let _ = sends.try_send(1);
            let mut other = sends.send(2);
            let _ = poll_with(&mut other, Waker::noop());
            // The last time that is the end of the channel.
            if TIMES.get() == 5 {
                drop(shared.take());
            }
        })
        .await;
        let mut waits = sender.send(3);
        assert!(poll_with(&mut waits, &Meddler::waker()).is_pending());
        assert!(poll_with(&mut waits, &Meddler::waker()).is_pending());
        assert_eq!(TIMES.get(), 1, "replaced");
        receiver.try_recv().unwrap();
        assert_eq!(TIMES.get(), 3, "woken and dropped");
        drop(waits);
        let mut waits = sender.send(4);
        let _ = receiver.try_recv();
        let _ = sender.try_send(5);
        assert!(poll_with(&mut waits, &Meddler::waker()).is_pending());
        drop(receiver);
        drop(waits);
        assert_eq!(TIMES.get(), 4, "given up");
    });
}

#[test]
fn the_last_receiver_may_be_dropped_by_the_waker_that_its_drop_calls() {
    run(async || {
        let (sender, receiver) = bounded(1);
        sender.try_send(0).unwrap();
        let inside = sender.clone();
        let _guard =
            set_meddling(move || assert!(inside.is_closed() && inside.try_send(1).is_err())).await;
        let mut waits = sender.send(2);
        assert!(poll_with(&mut waits, &Meddler::waker()).is_pending());
        drop(receiver);
        assert_eq!(times(), 2, "woken and dropped");
        let Poll::Ready(result) = poll_with(&mut waits, Waker::noop()) else { panic!() };
        assert_eq!(result.unwrap_err().0, 2);
    });
}

#[test]
fn the_waker_of_a_oneshot_may_come_back_at_every_moment() {
    run(async || {
        let (sender, mut receiver) = oneshot();
        let _guard = set_meddling(|| ()).await;
        assert!(poll_with(&mut receiver, &Meddler::waker()).is_pending());
        assert!(poll_with(&mut receiver, &Meddler::waker()).is_pending());
        assert_eq!(times(), 1, "replaced");
        sender.send(7).unwrap();
        assert_eq!(times(), 2, "woken and dropped");
        assert_eq!(poll_with(&mut receiver, Waker::noop()), Poll::Ready(Some(7)));
        let (sender, mut receiver) = oneshot::<()>();
        assert!(poll_with(&mut receiver, &Meddler::waker()).is_pending());
        drop(receiver);
        assert_eq!(times(), 1, "dropped");
        assert!(sender.is_closed());
    });
}

#[test]
fn values_in_a_channel_may_use_it_while_they_are_dropped() {
    run(async || {
        let log = Log::new();
        let (sender, receiver) = unbounded::<Box<dyn std::any::Any>>();
        for _ in 0..3 {
            let (inside, log) = (sender.clone(), log.clone());
            let value = on_drop(move || {
                log.push((inside.is_closed(), inside.try_send(Box::new(())).is_err()));
                drop(spawn(ready(())));
            });
            sender.try_send(Box::new(value)).unwrap();
        }
        drop(receiver);
        assert_eq!(log.take(), [(true, true); 3]);
    });
}

#[test]
fn a_waker_may_be_used_while_another_one_is_called() {
    run(async || {
        let (gate, log) = (Gate::new(), Log::new());
        let mut task = spawn(gate.pass());
        let (waits, woken) = (Gate::new(), log.clone());
        let pass = waits.pass();
        let mut other = pin!(spawn(async move {
            pass.await;
            woken.push("woken");
        }));
        turns(1).await;
        let _guard = set_meddling(move || waits.open()).await;
        assert!(poll_with(&mut task, &Meddler::waker()).is_pending());
        gate.open();
        other.as_mut().await.unwrap();
        assert_eq!(log.take(), ["woken"]);
    });
}
