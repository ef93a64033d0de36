//! Very many timers.

mod common;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use common::{run, waker_fn, watch};
use executor::spawn;
use reactor::time::{Sleep, sleep, sleep_until};

const MANY: u64 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

/// The same numbers in every run, in no order.
fn shuffled() -> impl FnMut() -> u64 {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

fn armed(mut asleep: Sleep, waker: &Waker) -> Sleep {
    assert!(Pin::new(&mut asleep).poll(&mut Context::from_waker(waker)).is_pending());
    asleep
}

#[test]
fn very_many_are_armed_and_cancelled() {
    watch(async |world| {
        let mut random = shuffled();
        let sleeps: Vec<_> = (0..MANY)
            .map(|_| sleep(Duration::from_millis(3_600_000 + random() % 1_000_000)))
            .map(|asleep| armed(asleep, Waker::noop()))
            .collect();
        assert_eq!(world.reactor.timers() as u64, MANY);
        world.reactor.turn(Some(Duration::ZERO)).unwrap();
        drop(sleeps);
        assert_eq!(world.reactor.timers(), 0);
    });
}

#[test]
fn very_many_are_due_at_once() {
    run(async || {
        let deadline = Instant::now() + Duration::from_millis(1);
        let tasks: Vec<_> = (0..MANY / 10).map(|_| spawn(sleep_until(deadline))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// Arms timers, cancels those that `unwanted` says, and gives the order in which the rest fires.
fn order_of(millis: &[u64], unwanted: fn(usize) -> bool) -> Vec<usize> {
    let world = common::World::new();
    let _entered = world.reactor.enter();
    let fired = Arc::new(Mutex::new(Vec::new()));
    let start = Instant::now();
    let mut sleeps: Vec<Option<Sleep>> = Vec::new();
    for (index, millis) in millis.iter().enumerate() {
        let fired = fired.clone();
        let waker = waker_fn(move || fired.lock().unwrap().push(index));
        let asleep = sleep_until(start + Duration::from_millis(*millis));
        sleeps.push(Some(armed(asleep, &waker)));
    }
    for (index, asleep) in sleeps.iter_mut().enumerate() {
        if unwanted(index) {
            asleep.take();
        }
    }
    while world.reactor.timers() > 0 {
        world.reactor.turn(None).unwrap();
    }
    std::mem::take(&mut *fired.lock().unwrap())
}

#[test]
fn they_fire_in_the_order_of_their_deadlines_and_the_cancelled_ones_do_not() {
    common::within(|| {
        let mut random = shuffled();
        let millis: Vec<u64> = (0..2000).map(|_| 500 + random() % 20).collect();
        let unwanted = |index| index % 3 == 1 || index % 7 == 2;
        let fired = order_of(&millis, unwanted);
        let mut expected: Vec<usize> = (0..2000).filter(|&index| !unwanted(index)).collect();
        expected.sort_by_key(|&index| millis[index]); // it is stable
        assert_eq!(fired, expected);
    });
}

#[test]
fn equal_deadlines_fire_in_the_order_of_arming() {
    common::within(|| {
        let fired = order_of(&[300; 1000], |index| index % 10 == 5);
        assert!(fired.is_sorted());
        assert_eq!(fired.len(), 900);
    });
}

#[test]
fn a_slot_that_is_used_again_does_not_confuse_an_old_sleep() {
    watch(async |world| {
        let mut old = armed(sleep(Duration::from_millis(30)), Waker::noop());
        while world.reactor.timers() > 0 {
            world.reactor.turn(None).unwrap();
        }
        let new = armed(sleep(Duration::from_secs(3600)), Waker::noop());
        // The old one has fired, though its slot is armed again; and it cancels nothing.
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut old).poll(&mut cx).is_ready());
        drop(old);
        assert_eq!(world.reactor.timers(), 1);
        drop(new);
        assert_eq!(world.reactor.timers(), 0);
    });
}
