//! Heap bytes, as they are asked for from the allocator: of a parked task, and of an idle
//! connection.
//!
//! The rows need [`Counting`] as the global allocator, so they run in a program of their own,
//! `bench-memory`. What the allocator adds to each block is not in the figures.
//!
//! A vector that grows by doubling has up to half of its room to spare. With 65,535 tasks and the
//! main one all such vectors are just full, and the figure is what a task needs. With 100,000 they
//! are three quarters full, as they are on average.

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::Future;
use std::io;
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::bodies::Countdown;
use crate::echo::MESSAGE;
use crate::runtime::{Bare, Futures, Monoio, Ours, Runtime, Smol, Sockets, Tokio};

/// The system's allocator, and how many bytes are in use.
#[derive(Debug)]
pub struct Counting;

static IN_USE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: all is done by the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`; the block came from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}

fn in_use() -> isize {
    IN_USE.load(Ordering::Relaxed)
}

/// How many tasks fill all vectors that double.
pub const FULL: usize = 65_535;

/// How many leave the usual slack.
pub const USUAL: usize = 100_000;

/// How many connections fill them. With the main task, or with the listener, it is 1,024.
pub const CONNECTIONS: usize = 1_023;

type Measure = fn(usize) -> f64;

/// Bytes of a parked task: who takes part.
pub static PARKED: &[(&str, Measure)] = &[
    (Bare::NAME, parked::<Bare>),
    (Ours::NAME, parked::<Ours>),
    (Monoio::NAME, parked::<Monoio>),
    (Tokio::NAME, parked::<Tokio>),
    (Smol::NAME, parked::<Smol>),
    (Futures::NAME, parked::<Futures>),
];

/// Bytes of an idle connection: who takes part.
pub static IDLE: &[(&str, Measure)] = &[
    (Ours::NAME, idle::<Ours>),
    (Monoio::NAME, idle::<Monoio>),
    (Tokio::NAME, idle::<Tokio>),
    (Smol::NAME, idle::<Smol>),
];

/// The bytes of one of so many parked tasks, whose future holds a pointer and a waker.
fn parked<R: Runtime>(tasks: usize) -> f64 {
    R::block_on(async move {
        let unparked: &'static Countdown = Box::leak(Box::new(Countdown::new(tasks)));
        let before = in_use();
        for _ in 0..tasks {
            R::spawn_detached(Parked { unparked, waker: None });
        }
        unparked.zero().await;
        (in_use() - before) as f64 / tasks as f64
    })
}

struct Parked {
    unparked: &'static Countdown,
    waker: Option<Waker>,
}

impl Future for Parked {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.waker = Some(cx.waker().clone());
        self.unparked.one_less();
        Poll::Pending
    }
}

/// The bytes of one of so many connections that wait for their next message: the socket's place in
/// the reactor, the task, and its buffer.
fn idle<R: Sockets>(connections: usize) -> f64 {
    R::block_on_io(async move {
        let (listener, address) = R::bind().await;
        let mut clients = Vec::with_capacity(connections);
        let before = in_use();
        for _ in 0..connections {
            clients.push(TcpStream::connect(address).expect("the listener's queue has room"));
            R::spawn_detached(R::echo::<MESSAGE>(R::accept(&listener).await));
        }
        // Long enough for all to be polled, and parked.
        R::sleep(Duration::from_millis(100)).await;
        (in_use() - before) as f64 / connections as f64
    })
}

/// Lets this process open as many files as it may: both ends of all connections are its own.
///
/// # Errors
/// Those of the system.
pub fn raise_file_limit() -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls read or write one `rlimit` that lives here.
    let done = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 && {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit) == 0
        }
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}
