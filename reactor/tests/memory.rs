//! What is over leaves nothing in memory: counted by an allocator, in a process of its own.
#![expect(unsafe_code, reason = "an allocator is unsafe to write; this one only counts")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use common::within;
use reactor::Reactor;
use reactor::time::{Sleep, sleep};

/// How many bytes are allocated now.
static BYTES: AtomicIsize = AtomicIsize::new(0);

struct Counting;

// SAFETY: `System` keeps the contract; the numbers beside it change nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size().cast_signed(), Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is passed on as it is.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size().cast_signed(), Relaxed);
        // SAFETY: `place` comes from `alloc` above, so from `System`, with this layout.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The memory belongs to the process: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many bytes more are allocated after `round` has run 100 times than after it ran once.
fn growth(mut round: impl FnMut()) -> isize {
    round();
    let before = BYTES.load(Relaxed);
    for _ in 0..100 {
        round();
    }
    BYTES.load(Relaxed) - before
}

#[test]
fn reactors_that_are_dropped_leave_nothing() {
    let _alone = alone();
    within(|| {
        let grown = growth(|| drop(Reactor::new().unwrap()));
        // A kilobyte or two may be the test harness's.
        assert!(grown < 10_000, "{grown} bytes");
    });
}

#[test]
fn timers_that_are_taken_back_leave_nothing_long_before_their_time() {
    let _alone = alone();
    within(|| {
        const HOUR: Duration = Duration::from_secs(3600);
        let reactor = Reactor::new().unwrap();
        let _entered = reactor.enter();
        let arm = |length| {
            let mut asleep: Pin<Box<Sleep>> = Box::pin(sleep(length));
            assert!(asleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            asleep
        };
        // These are due before them, so none of them comes to the front.
        let first: Vec<_> = (0..1000).map(|_| arm(HOUR)).collect();
        let mut many = 2001; // an odd number, then even ones: no sum is hit by chance
        let grown = growth(|| {
            drop((0..many).map(|_| arm(2 * HOUR)).collect::<Vec<_>>());
            many = 2000;
        });
        assert_eq!(reactor.timers(), first.len());
        // Some stay for a while, but not the 200,000 there have been: those would be 6 MB.
        assert!(grown < 500_000, "{grown} bytes");
    });
}
