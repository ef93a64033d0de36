//! Long lives: many timers, sockets and reactors one after the other, and times at the end of all
//! times.
//!
//! `cargo test` runs all of it a thousand times smaller; `.ci/long-life` in full, in release.

mod common;

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use common::{Log, elsewhere, paired, run, within};
use executor::{Either, race, spawn, yield_now};
use reactor::Reactor;
use reactor::net::UdpSocket;
use reactor::time::{Interval, interval, sleep, sleep_until, timeout};

fn many(full: usize) -> usize {
    if std::env::var_os("LONG_LIFE").is_some() { full } else { full / 1000 }
}

/// Open files belong to the process, and the machine has few cores: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many files this process has open, where the system tells.
fn open_files() -> usize {
    if cfg!(windows) {
        return 0; // wine shows those of the Linux process below it
    }
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Runs `main` on a virtual clock.
fn virtually<T>(main: impl Future<Output = T>) -> T {
    let reactor = Reactor::with_virtual_clock().unwrap();
    let output = paired(&reactor, main);
    assert_eq!(reactor.timers(), 0);
    output
}

/// What time it is on the clock of this thread's reactor.
fn now() -> Instant {
    sleep(Duration::ZERO).deadline().unwrap()
}

/// How many were too late to wait, which is a busy machine's fault.
async fn many_at_one_instant(deadline: Instant) -> usize {
    let timers = many(100_000);
    let woken = Log::new();
    let late = Log::new();
    let sleeper = |n| {
        let (woken, late) = (woken.clone(), late.clone());
        spawn(async move {
            let log = if now() < deadline { woken } else { late };
            sleep_until(deadline).await;
            assert!(now() >= deadline);
            log.push(n);
        })
    };
    for task in (0..timers).map(sleeper).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let (woken, late) = (woken.take(), late.take().len());
    assert_eq!(woken.len() + late, timers);
    assert!(woken.is_sorted(), "among equals, first come, first woken");
    late
}

#[test]
fn a_hundred_thousand_timers_at_one_instant_fire_in_order() {
    let _alone = alone();
    run(async || {
        let late = many_at_one_instant(Instant::now() + Duration::from_millis(500)).await;
        println!("{late} were late");
    });
}

#[test]
fn a_hundred_thousand_timers_at_one_virtual_instant_fire_in_order() {
    let _alone = alone();
    within(|| {
        let late = virtually(async { many_at_one_instant(now() + CENTURY).await });
        assert_eq!(late, 0);
    });
}

#[test]
fn a_million_timers_of_all_lengths_fire_in_order_and_half_of_them_are_taken_back() {
    let _alone = alone();
    within(|| {
        virtually(async {
            let start = now();
            let timers = many(1_000_000) as u64;
            let woken = Rc::new(RefCell::new(Vec::new()));
            let mut tasks = Vec::new();
            for n in 0..timers {
                let woken = woken.clone();
                // Each length below `timers` once, in a mixed order.
                let length = n * 7_368_787 % timers;
                tasks.push(spawn(async move {
                    let due = Duration::from_nanos(1 + length);
                    let sleep = sleep(due);
                    if length.is_multiple_of(2) {
                        sleep.await;
                        assert_eq!(now(), start + due);
                        woken.borrow_mut().push(length);
                    } else {
                        let mut sleep = Some(Box::pin(sleep));
                        race(sleep.as_mut().unwrap(), yield_now()).await;
                        drop(sleep.take());
                    }
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            let expected = (0..timers).filter(|length| length.is_multiple_of(2));
            assert!(woken.take().into_iter().eq(expected));
        });
    });
}

#[test]
fn ten_million_timers_are_taken_back() {
    let _alone = alone();
    within(|| {
        virtually(async {
            for n in 0..many(10_000_000) as u64 {
                let in_time = timeout(Duration::from_nanos(1 + n % 1000), yield_now()).await;
                assert!(in_time.is_ok());
            }
        });
    });
}

const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

#[test]
fn durations_of_all_sizes() {
    let _alone = alone();
    within(|| {
        virtually(async {
            let start = now();
            // In u64 nanoseconds there is room for 584 years.
            for length in [Duration::from_nanos(1), Duration::from_secs(1), CENTURY, 4 * CENTURY] {
                let before = now();
                sleep(length).await;
                assert_eq!(now() - before, length);
            }
            assert!(now() - start > 5 * CENTURY);
            for never in [Duration::MAX, Duration::MAX - Duration::from_nanos(1)] {
                let slept = timeout(Duration::from_secs(1), sleep(never)).await;
                assert!(slept.is_err(), "{never:?}");
                assert!(timeout(never, yield_now()).await.is_ok());
            }
        });
    });
}

#[test]
fn a_sleep_of_a_thousand_years_is_not_over_before() {
    let _alone = alone();
    within(|| {
        virtually(async {
            let (start, length) = (now(), 10 * CENTURY);
            // It may well be over never: that is for this thread to end.
            match race(sleep(length), in_real_time(Duration::from_millis(50))).await {
                Either::Left(()) => assert!(now() - start >= length, "{:?}", now() - start),
                Either::Right(()) => assert_eq!(now(), start),
            }
        });
    });
}

/// A pause by another thread's clock.
async fn in_real_time(pause: Duration) {
    let over = Arc::new(AtomicBool::new(false));
    let set = over.clone();
    let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    thread::spawn(move || {
        thread::sleep(pause);
        set.store(true, SeqCst);
        waker.wake();
    });
    poll_fn(|_| if over.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending }).await;
}

#[test]
fn instants_of_the_past_and_of_a_far_future() {
    let _alone = alone();
    run(async || {
        let now = Instant::now();
        // The first and the last that there are, to the second.
        let (mut past, mut far) = (now, now);
        for step in (0..63).rev().map(|bit| Duration::from_secs(1 << bit)) {
            past = past.checked_sub(step).unwrap_or(past);
            far = far.checked_add(step).unwrap_or(far);
        }
        sleep_until(past).await;
        for far in [far, far - Duration::from_secs(1), now + CENTURY, now + 10 * CENTURY] {
            let short = sleep(Duration::from_millis(1));
            assert!(matches!(race(sleep_until(far), short).await, Either::Right(())));
        }
        for period in [Duration::from_nanos(1), CENTURY, Duration::MAX] {
            let mut ticks: Interval = interval(period);
            ticks.tick().await;
        }
    });
}

#[test]
fn a_thousand_reactors_one_after_the_other_leave_nothing_open() {
    let _alone = alone();
    within(|| {
        // The first one may open what stays open.
        one_reactor();
        let files = open_files();
        for _ in 0..many(1_000).max(20) {
            one_reactor();
        }
        assert_eq!(open_files(), files);
    });
}

fn one_reactor() {
    let reactor = Reactor::new().unwrap();
    let main = async {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let echo = spawn(async move { socket.recv_from(&mut [0; 1]).await.unwrap().0 });
        let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        sleep(Duration::from_nanos(1)).await;
        other.send_to(&[1], address).await.unwrap();
        assert_eq!(echo.await.unwrap(), 1);
        // Left to be dropped with the executor, half-way.
        drop(spawn(async move { other.recv_from(&mut [0; 1]).await }));
        drop(spawn(sleep(CENTURY)));
        let task = spawn(reactor::blocking::spawn_blocking(|| 2));
        assert_eq!(task.await.unwrap().unwrap(), 2);
    };
    paired(&reactor, main);
    assert_eq!((reactor.sources(), reactor.timers()), (0, 0));
    // A reactor may be dropped on any thread where it was made; its waker on any other one.
    let waker = reactor.waker();
    drop(reactor);
    elsewhere(move || waker.wake());
}

#[test]
fn a_million_sockets_one_after_the_other_in_one_slot() {
    let _alone = alone();
    within(|| {
        let reactor = Reactor::new().unwrap();
        let files = open_files();
        paired(&reactor, async {
            let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            for n in 0..many(1_000_000) {
                let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                if n % 256 == 0 {
                    // One waits for what an earlier tenant of the slot was sent and did not read.
                    let mut buffer = [0; 1];
                    let wait = timeout(Duration::from_nanos(1), socket.recv_from(&mut buffer));
                    assert!(wait.await.is_err());
                }
                sender.send_to(&[1], socket.local_addr().unwrap()).unwrap();
                if n % 256 == 1 {
                    assert_eq!(socket.recv_from(&mut [0; 1]).await.unwrap().0, 1);
                }
                assert_eq!(reactor.sources(), 1);
            }
        });
        assert_eq!(reactor.sources(), 0);
        assert_eq!(open_files(), files);
    });
}
