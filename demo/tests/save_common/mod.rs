//! Recordings of real runs, to draw.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use executor::{channel, spawn, yield_now};
use reactor::blocking::spawn_blocking;
use reactor::time::sleep;
use watch::{Options, Recorder, Recording};

/// A name that would end a script, or a tag, if it were not escaped.
pub const HOSTILE: &str = "</script><!-- & \" ' \u{2028}";

pub fn record<F: Future>(capacity: usize, main: F) -> Recording {
    let recorder: Arc<Recorder> = Recorder::new(Options { capacity, ..Options::default() });
    recorder.run(main).unwrap();
    Recording::of(&recorder)
}

/// A channel, timers, blocking jobs, and somebody who waits for the end.
pub async fn peaceful() {
    let (sender, receiver) = channel::bounded(1);
    let cook = spawn(async move {
        for burger in 0..3 {
            spawn_blocking(|| ()).await.unwrap();
            sleep(Duration::from_millis(5)).await;
            sender.send(burger).await.unwrap();
        }
    });
    let waiter = spawn(async move { while receiver.recv().await.is_some() {} }).named("waiter");
    cook.named("cook").await.unwrap();
    waiter.await.unwrap();
}

/// All ways to wake and to end that are rare.
pub async fn wild() {
    let joined = spawn(std::future::pending::<()>()).named(HOSTILE);
    let waits = spawn(async move { joined.await.is_err() }).named("waits");
    sleep(Duration::from_millis(1)).await;
    let aborted = spawn(std::future::pending::<()>()).named("aborted");
    yield_now().await;
    aborted.abort();
    assert!(aborted.await.is_err());
    let panics: executor::JoinHandle<()> = spawn(async { resume_unwind(Box::new("ouch")) });
    assert!(panics.await.is_err());
    woken_by_a_thread().await;
    let many: Vec<_> = (0..8).map(|_| spawn(twice())).collect();
    for one in many {
        one.await.unwrap();
    }
    drop(waits); // it is parked until the executor ends
}

async fn twice() {
    let jobs = (spawn_blocking(|| ()), spawn_blocking(|| ()));
    yield_now().await;
    jobs.1.await.unwrap();
    jobs.0.await.unwrap();
}

async fn woken_by_a_thread() {
    let mut thread = None;
    poll_fn(|cx| match thread.take() {
        None => {
            let waker = cx.waker().clone();
            thread = Some(thread::spawn(move || waker.wake()));
            Poll::Pending
        }
        Some(thread) => {
            thread.join().unwrap();
            Poll::Ready(())
        }
    })
    .await;
}

/// Events of a long life, of which only the last ones are kept, cut at any place.
pub fn cut(capacity: usize) -> Recording {
    record(capacity, async {
        peaceful().await;
        wild().await;
    })
}
