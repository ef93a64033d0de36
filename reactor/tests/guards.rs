//! Which reactor a thread has, and how long it sleeps.

mod common;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{Calls, catch, within};
use reactor::Reactor;
use reactor::time::{Sleep, sleep};

const HOUR: Duration = Duration::from_secs(3600);

/// Arms a timer in the reactor of this thread, for ever.
fn arm() {
    let mut asleep = Box::pin(sleep(HOUR));
    assert!(asleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    ARMED.with_borrow_mut(|armed| armed.push(asleep));
}

thread_local! {
    /// They stay armed to the end of the test.
    static ARMED: RefCell<Vec<Pin<Box<Sleep>>>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn the_innermost_guard_counts_and_the_outer_one_comes_back() {
    within(|| {
        let (outer, inner) = (Reactor::new().unwrap(), Reactor::new().unwrap());
        let _outer = outer.enter();
        arm();
        {
            let _inner = inner.enter();
            arm();
            let _again = outer.enter();
            arm();
        }
        arm();
        assert_eq!((outer.timers(), inner.timers()), (3, 1));
    });
}

#[test]
fn when_the_guard_is_gone_so_is_the_reactor() {
    within(|| {
        let reactor = Reactor::new().unwrap();
        drop(reactor.enter());
        assert!(catch(arm).unwrap_err().contains("there is no reactor on this thread"));
        let _entered = reactor.enter();
        arm();
    });
}

#[test]
fn a_guard_that_a_panic_unwinds_is_gone_too() {
    within(|| {
        let reactor = Reactor::new().unwrap();
        let text = catch(|| {
            let _entered = reactor.enter();
            panic!("away");
        });
        assert_eq!(text, Err::<(), _>("away".to_owned()));
        assert!(catch(arm).is_err());
    });
}

#[test]
fn a_limit_of_zero_only_looks() {
    within(|| {
        let reactor = Reactor::new().unwrap();
        let _entered = reactor.enter();
        arm();
        for _ in 0..1000 {
            reactor.turn(Some(Duration::ZERO)).unwrap();
        }
    });
}

#[test]
fn a_limit_ends_the_sleep_but_a_timer_may_end_it_first() {
    within(|| {
        let reactor = Reactor::new().unwrap();
        let _entered = reactor.enter();
        arm();
        let start = Instant::now();
        reactor.turn(Some(Duration::from_millis(3))).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(3));
        let mut asleep = pin!(sleep(Duration::from_millis(20)));
        let (calls, waker) = Calls::waker();
        assert!(asleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        reactor.turn(Some(HOUR)).unwrap();
        assert_eq!(calls.count(), 1);
    });
}

#[test]
fn the_waker_ends_a_sleep_without_a_limit() {
    within(|| {
        let reactor = Reactor::new().unwrap();
        for round in 0..200 {
            let waker = reactor.waker();
            let other =
                thread::spawn(
                    move || if round % 2 == 0 { waker.wake_by_ref() } else { waker.wake() },
                );
            reactor.turn(None).unwrap();
            other.join().unwrap();
        }
    });
}

#[test]
fn a_wake_that_comes_before_the_sleep_is_not_lost() {
    within(|| {
        let reactor = Reactor::new().unwrap();
        for _ in 0..100 {
            let waker = reactor.waker();
            waker.wake_by_ref();
            waker.wake_by_ref();
            reactor.turn(None).unwrap();
        }
    });
}

#[test]
fn a_waker_may_outlive_its_reactor() {
    within(|| {
        let reactor = Reactor::new().unwrap();
        let waker = reactor.waker();
        drop(reactor);
        waker.wake_by_ref();
        thread::spawn(move || waker.wake()).join().unwrap();
    });
}

#[test]
fn reactors_and_guards_show_themselves() {
    let reactor = Reactor::new().unwrap();
    assert!(format!("{reactor:?}").starts_with("Reactor { id: "));
    assert!(format!("{:?}", reactor.enter()).starts_with("Entered(Reactor"));
}
