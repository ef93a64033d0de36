//! Sleeping, and giving others so much time.

mod common;

use std::future::{Future, pending, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{Calls, Counter, Log, catch, on_drop, paired, run, turns, watch, within};
use executor::{join_all, spawn, yield_now};
use reactor::Reactor;
use reactor::time::{Elapsed, sleep, sleep_until, timeout};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_sleep_is_never_too_short() {
    run(async || {
        let sleeps = (0..2000).map(|n| {
            spawn(async move {
                let duration = Duration::from_nanos(n * 1777);
                let start = Instant::now();
                sleep(duration).await;
                assert!(start.elapsed() >= duration);
            })
        });
        for slept in join_all(sleeps.collect::<Vec<_>>()).await {
            slept.unwrap();
        }
        for micros in [1, 10, 100, 500, 999, 1000, 1001] {
            let (start, duration) = (Instant::now(), Duration::from_micros(micros));
            sleep(duration).await;
            assert!(start.elapsed() >= duration);
        }
    });
}

#[test]
fn an_early_poll_does_not_end_a_sleep() {
    watch(async |world| {
        let mut asleep = pin!(sleep(Duration::from_millis(5)));
        let start = Instant::now();
        let mut cx = Context::from_waker(Waker::noop());
        while asleep.as_mut().poll(&mut cx).is_pending() {
            assert_eq!(world.reactor.timers(), 1);
            world.reactor.turn(Some(Duration::ZERO)).unwrap();
        }
        assert!(start.elapsed() >= Duration::from_millis(5));
        assert_eq!(world.reactor.timers(), 0);
    });
}

#[test]
fn what_is_over_already_waits_only_for_a_look_of_the_reactor() {
    watch(async |world| {
        let mut cx = Context::from_waker(Waker::noop());
        let mut zero = pin!(sleep(Duration::ZERO));
        let mut past = pin!(sleep_until(Instant::now()));
        assert!(zero.as_mut().poll(&mut cx).is_pending(), "others have a turn first");
        assert!(past.as_mut().poll(&mut cx).is_pending());
        world.reactor.turn(Some(Duration::ZERO)).unwrap();
        assert!(zero.as_mut().poll(&mut cx).is_ready());
        assert!(past.as_mut().poll(&mut cx).is_ready());
    });
}

#[test]
fn for_ever_is_never_over_and_costs_nothing() {
    watch(async |world| {
        let mut cx = Context::from_waker(Waker::noop());
        let mut for_ever = pin!(sleep(Duration::MAX));
        assert!(for_ever.as_mut().poll(&mut cx).is_pending());
        assert_eq!(for_ever.deadline(), None);
        assert_eq!(world.reactor.timers(), 0);
        assert_eq!(timeout(Duration::MAX, ready(2)).await, Ok(2));
        // So long that the system could not count it, but not for ever.
        for seconds in [1 << 22, 1 << 40, 1 << 62] {
            let mut long = pin!(sleep(Duration::from_secs(seconds)));
            assert!(long.as_mut().poll(&mut cx).is_pending());
            world.reactor.turn(Some(Duration::ZERO)).unwrap();
            sleep(Duration::from_millis(1)).await;
            assert!(long.as_mut().poll(&mut cx).is_pending());
        }
    });
}

#[test]
fn a_wait_for_a_distant_time_does_not_spin() {
    within(|| {
        let reactor = Reactor::new().unwrap();
        let _entered = reactor.enter();
        let mut cx = Context::from_waker(Waker::noop());
        // The system counts in milliseconds with 32 bits.
        for millis in [1_u64 << 31, 1 << 32, (1 << 32) + 1, 1 << 33] {
            let mut distant = pin!(sleep(Duration::from_millis(millis)));
            assert!(distant.as_mut().poll(&mut cx).is_pending());
            let (start, interrupt) = (Instant::now(), reactor.waker());
            let alarm = thread::spawn(move || {
                thread::sleep(Duration::from_millis(3));
                interrupt.wake();
            });
            reactor.turn(None).unwrap();
            assert!(start.elapsed() >= Duration::from_millis(3));
            alarm.join().unwrap();
        }
    });
}

#[test]
fn a_sleep_that_is_dropped_takes_its_timer_with_it() {
    watch(async |world| {
        let mut cx = Context::from_waker(Waker::noop());
        let mut sleeps: Vec<_> = (0..100).map(|_| Box::pin(sleep(HOUR))).collect();
        assert_eq!(world.reactor.timers(), 0, "armed when it is first polled");
        for asleep in &mut sleeps {
            assert!(asleep.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!(world.reactor.timers(), 100);
        drop(sleeps);
        assert_eq!(world.reactor.timers(), 0);
        let task = spawn(sleep(HOUR));
        turns(2).await;
        assert_eq!(world.reactor.timers(), 1);
        task.abort();
        assert!(task.await.is_err());
        assert_eq!(world.reactor.timers(), 0);
    });
}

#[test]
fn a_sleep_that_is_polled_with_another_waker_wakes_that_one() {
    run(async || {
        let mut asleep = pin!(sleep(Duration::from_millis(30)));
        let ((early, first), (late, second)) = (Calls::waker(), Calls::waker());
        assert!(asleep.as_mut().poll(&mut Context::from_waker(&first)).is_pending());
        assert!(asleep.as_mut().poll(&mut Context::from_waker(&second)).is_pending());
        while late.count() == 0 {
            yield_now().await;
        }
        assert_eq!((early.count(), late.count()), (0, 1));
    });
}

#[test]
fn the_earlier_of_two_sleeps_ends_first_whichever_was_first() {
    run(async || {
        let order = Log::new();
        let now = Instant::now();
        let sleeps = [5, 3, 1, 4, 2].map(|millis| {
            let order = order.clone();
            spawn(async move {
                sleep_until(now + Duration::from_millis(millis)).await;
                order.push(millis);
            })
        });
        join_all(sleeps).await;
        assert_eq!(order.take(), [1, 2, 3, 4, 5]);
    });
}

#[test]
fn a_future_that_is_ready_wins_over_a_time_that_is_over() {
    run(async || {
        assert_eq!(timeout(Duration::ZERO, ready(2)).await, Ok(2));
        assert_eq!(timeout(Duration::ZERO, pending::<()>()).await, Err(Elapsed));
        let mut late = pin!(timeout(Duration::from_millis(1), ready(3)));
        sleep(Duration::from_millis(3)).await;
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(late.as_mut().poll(&mut cx), Poll::Ready(Ok(3)));
    });
}

async fn second_poll() -> &'static str {
    yield_now().await;
    "ready"
}

#[test]
fn who_loses_against_the_time_is_dropped_before_it_is_told() {
    watch(async |world| {
        let drops = Counter::default();
        let guard = on_drop({
            let drops = drops.clone();
            move || drops.add()
        });
        let slow = async move {
            let _guard = guard;
            pending::<()>().await;
        };
        let mut timed = pin!(timeout(Duration::from_millis(1), slow));
        let outcome = std::future::poll_fn(|cx| timed.as_mut().poll(cx)).await;
        assert_eq!((outcome, drops.get()), (Err(Elapsed), 1));
        assert_eq!(world.reactor.timers(), 0);
        assert_eq!(Elapsed.to_string(), "the time is over");
    });
}

#[test]
fn a_timeout_that_is_in_time_leaves_no_timer_behind() {
    watch(async |world| {
        for _ in 0..10 {
            assert_eq!(timeout(HOUR, second_poll()).await, Ok("ready"));
            assert_eq!(world.reactor.timers(), 0);
        }
        drop(timeout(HOUR, pending::<()>()));
        assert_eq!(world.reactor.timers(), 0);
    });
}

#[test]
fn a_timeout_counts_from_the_call_not_from_the_first_poll() {
    run(async || {
        let timed = timeout(Duration::from_millis(1), pending::<()>());
        sleep(Duration::from_millis(3)).await;
        let start = Instant::now();
        assert!(timed.await.is_err());
        assert!(start.elapsed() < Duration::from_secs(5));
    });
}

#[test]
fn a_timer_wakes_the_task_once() {
    run(async || {
        let (calls, waker) = Calls::waker();
        let mut asleep = pin!(sleep(Duration::from_millis(30)));
        assert!(asleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        sleep(Duration::from_millis(40)).await;
        assert_eq!(calls.count(), 1);
        for _ in 0..2 {
            assert!(asleep.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
        }
    });
}

#[test]
fn a_sleep_cannot_change_its_reactor() {
    within(|| {
        let (here, there) = (Reactor::new().unwrap(), Reactor::new().unwrap());
        let mut asleep = sleep(HOUR);
        let mut poll = |reactor: &Reactor| {
            let _entered = reactor.enter();
            let mut cx = Context::from_waker(Waker::noop());
            catch(|| Pin::new(&mut asleep).poll(&mut cx))
        };
        assert_eq!(poll(&here), Ok(Poll::Pending));
        let text = poll(&there).unwrap_err();
        assert!(text.contains("`Sleep` cannot wait") && text.contains("another reactor"), "{text}");
        assert_eq!(poll(&here), Ok(Poll::Pending), "where it belongs it goes on");
        drop(asleep);
        paired(&here, async { yield_now().await });
        here.turn(Some(Duration::ZERO)).unwrap();
        assert_eq!(here.timers(), 0);
    });
}
