//! What becomes of blocking jobs when their reactor is dropped.

mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{Calls, on_drop, paired, within};
use executor::block_on;
use reactor::Reactor;
use reactor::blocking::{Blocking, GRACE, MAX_THREADS, spawn_blocking};

/// Fills all threads with jobs that end when the sender is dropped.
fn fill() -> (Vec<Blocking<()>>, mpsc::Sender<()>) {
    let (release, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let start = Arc::new(Barrier::new(MAX_THREADS + 1));
    let jobs = (0..MAX_THREADS).map(|_| {
        let (wait, start) = (wait.clone(), start.clone());
        spawn_blocking(move || {
            start.wait();
            let _ = wait.lock().unwrap().recv();
        })
    });
    let jobs = jobs.collect();
    start.wait();
    (jobs, release)
}

#[test]
#[ignore = "takes ten seconds"]
fn a_job_that_runs_on_and_on_is_left_behind() {
    let (end, wait) = mpsc::channel::<()>();
    let reactor = Reactor::new().unwrap();
    let entered = reactor.enter();
    let (starts, started) = mpsc::channel();
    let job = spawn_blocking(move || {
        starts.send(()).unwrap();
        wait.recv().unwrap_err()
    });
    started.recv().unwrap();
    drop(entered);
    let begin = Instant::now();
    drop(reactor); // and says so on stderr
    assert!((GRACE..GRACE * 3).contains(&begin.elapsed()));
    drop(end);
    drop(job);
}

#[test]
fn jobs_in_line_are_cancelled_and_running_ones_are_waited_for() {
    within(|| {
        let reactor = Reactor::new().unwrap();
        let entered = reactor.enter();
        let (running, release) = fill();
        let ran = Arc::new(AtomicUsize::new(0));
        let mut in_line: Vec<_> = (0..20)
            .map(|_| {
                let ran = ran.clone();
                Box::pin(spawn_blocking(move || ran.fetch_add(1, SeqCst)))
            })
            .collect();
        let (calls, waker) = Calls::waker();
        for job in &mut in_line {
            assert!(job.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        // When the jobs in line have been cancelled, the running ones may end.
        let watcher = thread::spawn(move || {
            while calls.count() < 20 {
                thread::yield_now();
            }
            drop(release);
        });
        drop(entered);
        drop(reactor);
        watcher.join().unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        for job in running {
            assert!(matches!(pin!(job).poll(&mut cx), Poll::Ready(Ok(()))), "it was waited for");
        }
        for job in in_line {
            let error = block_on(job).unwrap_err();
            assert!(error.is_cancelled() && !error.is_panic());
            assert_eq!(error.to_string(), "the blocking job was cancelled before it ran");
        }
        assert_eq!((ran.load(SeqCst), Arc::strong_count(&ran)), (0, 1));
    });
}

#[test]
fn a_job_nobody_waits_for_still_ends_before_the_reactor_is_gone() {
    within(|| {
        let finished = Arc::new(AtomicBool::new(false));
        let reactor = Reactor::new().unwrap();
        let (started, start) = mpsc::channel();
        let there = finished.clone();
        paired(&reactor, async move {
            drop(spawn_blocking(|| ())); // may run or not
            let job = spawn_blocking(move || {
                started.send(()).unwrap();
                // It has half written something, say.
                thread::sleep(Duration::from_millis(30));
                there.store(true, SeqCst);
            });
            start.recv().unwrap();
            drop(job);
        });
        drop(reactor);
        assert!(finished.load(SeqCst));
    });
}

#[test]
fn a_job_in_line_whose_destructor_panics_does_not_stop_the_drop() {
    within(|| {
        let reactor = Reactor::new().unwrap();
        let entered = reactor.enter();
        let (running, release) = fill();
        let bombs: Vec<_> = (0..3)
            .map(|_| {
                let bomb = on_drop(|| panic!("a destructor that panics"));
                spawn_blocking(move || drop(bomb))
            })
            .collect();
        let last = spawn_blocking(|| ());
        drop(release);
        drop(running);
        drop(entered);
        drop(reactor);
        for bomb in bombs {
            // It ran and panicked, or was cancelled and panicked there.
            assert!(block_on(bomb).is_err());
        }
        drop(last);
    });
}

#[test]
fn a_reactor_that_never_ran_a_job_has_nothing_to_wait_for() {
    within(|| {
        for _ in 0..100 {
            drop(Reactor::new().unwrap());
        }
    });
}

#[test]
fn reactors_come_and_go_with_their_threads() {
    within(|| {
        for round in 0..50 {
            let reactor = Reactor::new().unwrap();
            let doubled = paired(&reactor, async { spawn_blocking(move || 2 * round).await });
            assert_eq!(doubled.unwrap(), 2 * round);
        }
    });
}

#[test]
fn a_runtime_that_ends_in_a_panic_still_waits_for_its_jobs() {
    within(|| {
        let finished = Arc::new(AtomicBool::new(false));
        let there = finished.clone();
        let text = common::catch(|| {
            let reactor = Reactor::new().unwrap();
            let (started, start) = mpsc::channel();
            paired(&reactor, async move {
                let _job = spawn_blocking(move || {
                    started.send(()).unwrap();
                    thread::sleep(Duration::from_millis(20));
                    there.store(true, SeqCst);
                });
                start.recv().unwrap();
                panic!("main fails");
            })
        });
        assert_eq!(text.unwrap_err(), "main fails");
        assert!(finished.load(SeqCst));
    });
}
