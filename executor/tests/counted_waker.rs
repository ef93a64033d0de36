//! Wakers of another make, which count their clones by hand: whoever keeps one must clone it and
//! drop it exactly as often, or the memory is freed too early or never.
//!
//! The balance is what these tests assert. They are also the bait for the sanitizers and memcheck:
//! with `COUNTED_WAKER=no-count` a clone is not counted, with `no-release` a drop is not, with
//! `no-atomic` two threads count in one place at once, and the tool must notice (`.ci/sanitizers`).
#![expect(unsafe_code, reason = "a RawWaker that owns something, unlike ours")]

mod common;

use std::cell::UnsafeCell;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use common::{elsewhere, run, turns, within};
use executor::{channel, spawn};

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, |_| (), release);

// Read once: to ask the environment takes a lock, which would put the threads below in order.
static FAULT: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("COUNTED_WAKER").ok());

fn fault(name: &str) -> bool {
    FAULT.as_deref() == Some(name)
}

/// How often a waker was cloned, badly.
struct Tally(UnsafeCell<usize>);

// SAFETY: it is not, if two threads clone at once. That is the fault.
unsafe impl Sync for Tally {}

static TALLY: Tally = Tally(UnsafeCell::new(0));

/// The waker, and its count beside it.
fn counted() -> (Arc<()>, Waker) {
    let count = Arc::new(());
    let data = Arc::into_raw(count.clone()).cast();
    // SAFETY: VTABLE keeps the contract (unless a fault is asked for): the data is an `Arc`, of
    // which each waker owns one count.
    (count, unsafe { Waker::new(data, &VTABLE) })
}

fn clone(data: *const ()) -> RawWaker {
    if !fault("no-count") {
        // SAFETY: `data` came out of `Arc::into_raw`, and the caller's waker holds a count of it.
        unsafe { Arc::increment_strong_count(data) };
    }
    if fault("no-atomic") {
        // SAFETY: see `Tally`.
        unsafe { *TALLY.0.get() += 1 };
    }
    RawWaker::new(data, &VTABLE)
}

fn wake(data: *const ()) {
    release(data);
}

fn release(data: *const ()) {
    if !fault("no-release") {
        // SAFETY: as in `clone`, and this waker gives its count away.
        unsafe { Arc::decrement_strong_count(data) };
    }
}

fn poll_once<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

fn with_a_fault() -> bool {
    fault("no-count") || fault("no-release")
}

#[test]
fn a_channel_keeps_the_balance() {
    within(|| {
        let (count, waker) = counted();
        let (sender, receiver) = channel::bounded(1);
        for n in 0..3 {
            let mut received = pin!(receiver.recv());
            assert!(poll_once(received.as_mut(), &waker).is_pending());
            assert!(pin!(sender.send(n)).poll(&mut Context::from_waker(&waker)).is_ready());
            assert!(poll_once(received, &waker).is_ready());
            assert!(poll_once(pin!(receiver.recv()), &waker).is_pending());
        }
        drop(waker);
        assert!(with_a_fault() || Arc::strong_count(&count) == 1);
    });
}

#[test]
fn a_join_handle_keeps_the_balance() {
    run(async || {
        let (count, waker) = counted();
        let mut handle = spawn(turns(2));
        assert!(poll_once(Pin::new(&mut handle), &waker).is_pending());
        assert!(poll_once(Pin::new(&mut handle), &waker).is_pending());
        turns(4).await;
        assert!(poll_once(Pin::new(&mut handle), &waker).is_ready());
        drop(waker);
        assert!(with_a_fault() || Arc::strong_count(&count) == 1);
    });
}

#[test]
fn an_executor_keeps_the_balance_of_its_interrupt() {
    within(|| {
        let (count, interrupt) = counted();
        let executor = executor::Executor::new(interrupt);
        let main = async {
            let task = spawn(std::future::pending::<()>());
            turns(1).await;
            task.abort();
            drop(task.await);
            yield_to_a_thread().await;
        };
        executor.block_on(main, |_| ());
        drop(executor);
        assert!(with_a_fault() || Arc::strong_count(&count) == 1);
    });
}

/// Parks, and lets another thread interrupt the park.
async fn yield_to_a_thread() {
    let mut woken = false;
    std::future::poll_fn(|cx| {
        if woken {
            return Poll::Ready(());
        }
        woken = true;
        let waker = cx.waker().clone();
        elsewhere(move || ManuallyDrop::new(waker).wake_by_ref());
        Poll::Pending
    })
    .await;
}

#[test]
fn two_threads_keep_the_balance() {
    within(|| {
        let (count, waker) = counted();
        let threads = [waker.clone(), waker].map(|waker| {
            std::thread::spawn(move || {
                for _ in 0..100 {
                    let copy = waker.clone();
                    copy.wake();
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(with_a_fault() || Arc::strong_count(&count) == 1);
    });
}
