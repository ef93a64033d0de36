//! On a virtual clock hours take no time, and the course is always the same.

use std::cell::RefCell;
use std::io::Write;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use executor::{Executor, spawn};
use reactor::Reactor;
use reactor::blocking::spawn_blocking;
use reactor::time::{interval, now, sleep, timeout};

mod common;
use common::{half_std_pair, within};

const ROUNDS: u32 = 40;
const HOUR: Duration = Duration::from_secs(3600);

fn run_virtually<T>(main: impl Future<Output = T>) -> T {
    let reactor = Reactor::with_virtual_clock().unwrap();
    let _entered = reactor.enter();
    let executor = Executor::new(reactor.waker());
    executor.block_on(main, |limit| reactor.turn(limit).unwrap())
}

#[test]
fn a_turn_with_a_limit_lets_no_more_time_pass() {
    within(|| {
        let reactor = Reactor::with_virtual_clock().unwrap();
        let _entered = reactor.enter();
        let mut sleep = pin!(sleep(HOUR));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        let start = now();
        reactor.turn(Some(HOUR / 4)).unwrap();
        assert_eq!(now() - start, HOUR / 4);
        reactor.turn(Some(HOUR * 4)).unwrap();
        assert_eq!(now() - start, HOUR);
        assert!(sleep.as_mut().poll(&mut cx).is_ready());
    });
}

#[test]
fn hours_pass_at_once_and_in_order() {
    within(|| {
        let start = Instant::now();
        let woken = run_virtually(async {
            let woken = Rc::new(RefCell::new(Vec::new()));
            let tasks: Vec<_> = [3, 1, 2, 1]
                .into_iter()
                .enumerate()
                .map(|(n, hours)| {
                    let woken = woken.clone();
                    spawn(async move {
                        sleep(HOUR * hours).await;
                        woken.borrow_mut().push(n);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            woken.take()
        });
        assert_eq!(woken, [1, 3, 2, 0]);
        assert!(start.elapsed() < HOUR);
    });
}

#[test]
fn a_timeout_of_an_hour_runs_out_at_once_and_an_interval_ticks() {
    within(|| {
        run_virtually(async {
            assert!(timeout(HOUR, std::future::pending::<()>()).await.is_err());
            let mut ticks = interval(HOUR);
            let first = ticks.tick().await;
            assert_eq!(ticks.tick().await - first, HOUR);
        });
    });
}

/// What is on its way to a socket arrives before an hour is over, though the clock could jump there.
#[test]
fn the_clock_gives_bytes_that_are_on_their_way_a_moment() {
    within(|| {
        let mut in_time = 0;
        for _ in 0..ROUNDS {
            in_time += u32::from(run_virtually(async {
                let (stream, mut other) = half_std_pair().await;
                let (go, gone) = std::sync::mpsc::channel::<()>();
                let sender = std::thread::spawn(move || {
                    let _ = gone.recv();
                    other.write_all(b"burger").unwrap();
                    other // open to the end
                });
                let mut go = Some(go);
                let mut buffer = [0; 8];
                let mut read = std::pin::pin!(stream.read(&mut buffer));
                let read = std::future::poll_fn(|cx| {
                    let poll = read.as_mut().poll(cx);
                    drop(go.take()); // it is sent when the thread parks, or a little later
                    poll
                });
                let read = timeout(HOUR, read).await;
                let _other = sender.join().unwrap();
                read.is_ok()
            }));
        }
        // On a busy machine a thread may take longer than a moment to start.
        assert!(in_time > ROUNDS / 2, "only {in_time} of {ROUNDS}");
    });
}

#[test]
fn the_clock_waits_for_a_blocking_job() {
    within(|| {
        let result = run_virtually(async {
            let (go, gone) = std::sync::mpsc::channel::<()>();
            let job = spawn_blocking(move || gone.recv().is_err());
            drop(go);
            timeout(Duration::from_nanos(1), job).await
        });
        assert!(result.expect("no time has passed").unwrap());
    });
}

#[test]
fn the_clock_goes_on_when_a_job_is_done() {
    within(|| {
        run_virtually(async {
            // The pool counts a job as done a moment after it has woken whoever awaits it. The
            // clock must not be asked in between and then sleep for a real hour.
            for _ in 0..1000 {
                spawn_blocking(|| ()).await.unwrap();
                sleep(HOUR).await;
            }
        });
    });
}

#[test]
fn the_clock_waits_for_a_job_that_nobody_awaits_and_no_longer() {
    within(|| {
        run_virtually(async {
            let (started, start) = std::sync::mpsc::channel();
            let (end, ended) = std::sync::mpsc::channel::<()>();
            let job = spawn_blocking(move || {
                started.send(()).unwrap();
                // Until the clock waits for it; nobody is woken at its end.
                let _ = ended.recv_timeout(Duration::from_millis(20));
            });
            start.recv().unwrap();
            drop(job);
            sleep(HOUR).await;
            drop(end);
        });
    });
}
