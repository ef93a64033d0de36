//! Ticks.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{catch, run, watch};
use reactor::time::{interval, timeout};

const PERIOD: Duration = Duration::from_millis(3);

#[test]
fn the_first_tick_is_at_once_and_the_others_keep_to_the_plan() {
    run(async || {
        let mut ticks = interval(PERIOD);
        let start = ticks.tick().await;
        assert!(Instant::now() >= start);
        let mut last = start;
        for _ in 0..5 {
            let planned = ticks.tick().await;
            assert!(Instant::now() >= planned, "never early");
            assert!(planned > last);
            let since = planned.duration_since(start).as_nanos();
            assert_eq!(since % PERIOD.as_nanos(), 0, "a multiple of the period");
            last = planned;
        }
    });
}

#[test]
fn missed_ticks_are_skipped() {
    run(async || {
        let mut ticks = interval(PERIOD);
        ticks.tick().await;
        let before = Instant::now();
        thread::sleep(PERIOD * 5); // a busy coroutine
        let after = Instant::now();
        let late = ticks.tick().await;
        assert!(late <= before + PERIOD, "it was planned long ago");
        let next = ticks.tick().await;
        assert!(next > after, "those in between are skipped");
        assert_eq!((next - late).as_nanos() % PERIOD.as_nanos(), 0);
    });
}

#[test]
fn a_tick_that_is_cancelled_comes_again() {
    watch(async |world| {
        let mut ticks = interval(Duration::from_millis(20));
        ticks.tick().await;
        let before = Instant::now();
        // On a very busy machine it may have come already.
        if timeout(Duration::from_micros(1), ticks.tick()).await.is_err() {
            assert_eq!(world.reactor.timers(), 0);
            let planned = ticks.tick().await;
            assert!(before < planned && planned <= before + Duration::from_millis(20));
        }
    });
}

#[test]
fn a_period_that_never_ends_ticks_once() {
    run(async || {
        let mut ticks = interval(Duration::MAX);
        ticks.tick().await;
        assert!(timeout(Duration::from_millis(1), ticks.tick()).await.is_err());
    });
}

#[test]
fn a_period_of_nothing_is_refused() {
    let text = catch(|| interval(Duration::ZERO)).unwrap_err();
    assert_eq!(text, "an interval has a period");
}

#[test]
#[ignore = "takes more than four seconds"]
fn however_many_ticks_were_missed_the_next_one_comes() {
    run(async || {
        let mut ticks = interval(Duration::from_nanos(1));
        ticks.tick().await;
        // More ticks than 32 bits can count.
        thread::sleep(Duration::from_millis(4400));
        for _ in 0..3 {
            timeout(Duration::from_secs(1), ticks.tick()).await.expect("it goes on ticking");
        }
    });
}
