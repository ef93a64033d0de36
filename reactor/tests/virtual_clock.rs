//! On a virtual clock hours take no time, and the course is always the same.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use executor::{Executor, spawn};
use reactor::Reactor;
use reactor::blocking::spawn_blocking;
use reactor::time::{interval, sleep, timeout};

mod common;
use common::within;

const HOUR: Duration = Duration::from_secs(3600);

fn run_virtually<T>(main: impl Future<Output = T>) -> T {
    let reactor = Reactor::with_virtual_clock().unwrap();
    let _entered = reactor.enter();
    let executor = Executor::new(reactor.waker());
    executor.block_on(main, |limit| reactor.turn(limit).unwrap())
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
