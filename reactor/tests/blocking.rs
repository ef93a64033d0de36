//! Work that blocks, on the pool of threads.

mod common;

use std::collections::HashSet;
use std::future::Future;
use std::panic;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Waker};
use std::thread::{self, ThreadId};

use common::{elsewhere, run, turns, waker_fn, within};
use executor::{block_on, join_all, spawn};
use reactor::Reactor;
use reactor::blocking::{Blocking, MAX_THREADS, spawn_blocking};

/// Keeps all threads busy until it is dropped.
struct Blocked {
    jobs: Vec<Blocking<()>>,
    _release: mpsc::Sender<()>,
}

impl Blocked {
    fn all() -> Blocked {
        let (release, wait) = mpsc::channel();
        let (wait, start) = (Arc::new(Mutex::new(wait)), Arc::new(Barrier::new(MAX_THREADS + 1)));
        let jobs = (0..MAX_THREADS).map(|_| {
            let (wait, start) = (wait.clone(), start.clone());
            spawn_blocking(move || {
                start.wait();
                let _ = wait.lock().unwrap().recv();
            })
        });
        let jobs = jobs.collect();
        start.wait();
        Blocked { jobs, _release: release }
    }

    async fn release(self) {
        drop(self._release);
        for job in self.jobs {
            job.await.unwrap();
        }
    }
}

#[test]
fn the_result_comes_back_from_another_thread() {
    run(async || {
        let here = thread::current().id();
        let (there, sum) = spawn_blocking(|| (thread::current().id(), 1 + 1)).await.unwrap();
        assert_eq!(sum, 2);
        assert_ne!(here, there);
    });
}

#[test]
fn others_run_while_a_job_blocks() {
    run(async || {
        let (sender, receiver) = mpsc::channel();
        let job = spawn_blocking(move || receiver.recv().unwrap());
        let other = spawn(async move {
            turns(10).await;
            sender.send("released by a coroutine").unwrap();
        });
        assert_eq!(job.await.unwrap(), "released by a coroutine");
        other.await.unwrap();
    });
}

#[test]
fn a_panic_reaches_whoever_waits_for_the_job() {
    run(async || {
        let error = spawn_blocking(|| panic::panic_any(42_u8)).await.unwrap_err();
        assert!(error.is_panic() && !error.is_cancelled());
        assert_eq!(error.to_string(), "the blocking job panicked");
        assert_eq!(*error.into_panic().downcast::<u8>().unwrap(), 42);
        assert_eq!(spawn_blocking(|| 2).await.unwrap(), 2, "the pool goes on");
    });
}

#[test]
fn a_panic_becomes_an_io_error_where_one_is_wanted() {
    run(async || {
        let failed: std::io::Result<()> = async {
            spawn_blocking(|| panic!("burnt")).await?;
            Ok(())
        }
        .await;
        assert!(failed.unwrap_err().to_string().contains("panicked"));
    });
}

#[test]
fn as_many_jobs_run_at_once_as_there_may_be_threads_and_no_more() {
    run(async || {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all = Arc::new(Barrier::new(MAX_THREADS));
        let jobs: Vec<_> = (0..10 * MAX_THREADS)
            .map(|_| {
                let (running, most, all) = (running.clone(), most.clone(), all.clone());
                spawn_blocking(move || {
                    most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                    all.wait(); // ends only if all threads are here
                    running.fetch_sub(1, SeqCst);
                    thread::current().id()
                })
            })
            .collect();
        let threads: HashSet<ThreadId> =
            join_all(jobs).await.into_iter().map(Result::unwrap).collect();
        assert_eq!((threads.len(), most.load(SeqCst)), (MAX_THREADS, MAX_THREADS));
    });
}

#[test]
fn a_thread_that_is_free_is_used_again() {
    run(async || {
        let mut threads = HashSet::new();
        for _ in 0..100 {
            threads.insert(spawn_blocking(|| thread::current().id()).await.unwrap());
        }
        assert!(threads.len() <= MAX_THREADS);
    });
}

#[test]
fn a_job_that_waits_for_a_second_one_does_not_keep_it_from_starting() {
    within(|| {
        for _ in 0..300 {
            let reactor = Reactor::new().unwrap();
            common::paired(&reactor, async {
                // One thread has been started, and may or may not be free again.
                spawn_blocking(|| ()).await.unwrap();
                let both = Arc::new(Barrier::new(2));
                let other = both.clone();
                let first = spawn_blocking(move || both.wait().is_leader());
                let second = spawn_blocking(move || other.wait().is_leader());
                assert!(first.await.unwrap() ^ second.await.unwrap());
            });
        }
    });
}

#[test]
fn jobs_start_in_the_order_in_which_they_come() {
    run(async || {
        let blocked = Blocked::all();
        let order = Arc::new(Mutex::new(Vec::new()));
        let jobs: Vec<_> = (0..100)
            .map(|n| {
                let order = order.clone();
                spawn_blocking(move || order.lock().unwrap().push(n))
            })
            .collect();
        // One thread alone works the line off.
        let (one, rest) = mpsc::channel();
        let last = spawn_blocking(move || one.send(()).unwrap());
        blocked._release.send(()).unwrap();
        rest.recv().unwrap();
        assert!(order.lock().unwrap().is_sorted());
        for job in jobs {
            job.await.unwrap();
        }
        last.await.unwrap();
        blocked.release().await;
    });
}

#[test]
fn a_job_that_is_dropped_before_it_starts_never_runs() {
    run(async || {
        let blocked = Blocked::all();
        let ran = Arc::new(AtomicUsize::new(0));
        let jobs: Vec<_> = (0..10)
            .map(|_| {
                let ran = ran.clone();
                spawn_blocking(move || ran.fetch_add(1, SeqCst))
            })
            .collect();
        let kept = spawn_blocking(|| "kept");
        drop(jobs);
        blocked.release().await;
        assert_eq!(kept.await.unwrap(), "kept");
        assert_eq!((ran.load(SeqCst), Arc::strong_count(&ran)), (0, 1));
    });
}

#[test]
fn a_job_that_runs_is_not_stopped_when_its_future_is_dropped() {
    run(async || {
        let (started, starts) = mpsc::channel();
        let (go_on, waits) = mpsc::channel();
        let (done, ends) = mpsc::channel();
        let job = spawn_blocking(move || {
            started.send(()).unwrap();
            waits.recv().unwrap();
            done.send("finished").unwrap();
        });
        starts.recv().unwrap();
        drop(job);
        go_on.send(()).unwrap();
        assert_eq!(ends.recv().unwrap(), "finished");
    });
}

#[test]
fn neither_wakers_nor_destructors_that_panic_cost_a_thread() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a destructor that panics");
        }
    }

    run(async || {
        for _ in 0..2 * MAX_THREADS {
            let waker = waker_fn(|| panic!("a waker that panics"));
            let (go_on, waits) = mpsc::channel::<()>();
            let (done, end) = mpsc::channel::<()>();
            let mut job = Box::pin(spawn_blocking(move || {
                let _done = done;
                let _ = waits.recv();
            }));
            assert!(job.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            drop(go_on);
            end.recv().unwrap_err();
            job.await.unwrap();
            // An output that nobody takes explodes there.
            let (started, start) = mpsc::channel();
            let (go_on, waits) = mpsc::channel::<()>();
            let job = spawn_blocking(move || {
                started.send(()).unwrap();
                let _ = waits.recv();
                Bomb
            });
            start.recv().unwrap();
            drop(job);
            drop(go_on);
        }
        // All threads are still there, and each one is needed.
        Blocked::all().release().await;
    });
}

#[test]
fn a_job_can_be_awaited_on_another_executor_and_thread() {
    run(async || {
        let job = spawn_blocking(|| 2);
        assert_eq!(elsewhere(move || block_on(job)).unwrap(), 2);
        let job = spawn_blocking(|| 3);
        assert_eq!(elsewhere(move || common::paired(&Reactor::new().unwrap(), job)).unwrap(), 3);
    });
}

#[test]
fn without_a_reactor_there_is_nowhere_to_run() {
    within(|| {
        let text = common::catch(|| drop(spawn_blocking(|| ()))).unwrap_err();
        assert!(text.contains("`spawn_blocking`") && text.contains("no reactor"), "{text}");
        assert!(text.contains("Reactor::new()"), "it says how to mend it: {text}");
    });
}

#[test]
fn a_job_that_gave_its_result_has_no_second_one() {
    run(async || {
        let mut job = pin!(spawn_blocking(|| ()));
        std::future::poll_fn(|cx| job.as_mut().poll(cx)).await.unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        let text = common::catch(|| job.as_mut().poll(&mut cx).map(drop)).unwrap_err();
        assert_eq!(text, "`Blocking` polled after completion");
    });
}
