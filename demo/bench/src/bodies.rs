//! What the rows do: each body is written once, for all runtimes.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::runtime::{Runtime, Timers};

pub(crate) const BATCH: usize = 1_000;
pub(crate) const STORM: usize = 10_000;
pub(crate) const TIMERS: usize = 100_000;

// Spawn -------------------------------------------------------------------------------------------

pub(crate) fn spawn_join_one<R: Runtime>(rounds: usize) -> Duration {
    R::block_on(async move {
        let start = Instant::now();
        for round in 0..rounds {
            black_box(R::spawn(async move { black_box(round) }).await);
        }
        start.elapsed()
    })
}

pub(crate) fn spawn_join_batch<R: Runtime>(rounds: usize) -> Duration {
    R::block_on(async move {
        let mut handles = Vec::with_capacity(BATCH);
        let start = Instant::now();
        for _ in 0..rounds {
            handles.extend((0..BATCH).map(|n| R::spawn(async move { black_box(n) })));
            for handle in handles.drain(..) {
                black_box(handle.await);
            }
        }
        start.elapsed()
    })
}

pub(crate) fn spawn_detached<R: Runtime>(rounds: usize) -> Duration {
    R::block_on(async move {
        let countdown = Rc::new(Countdown::new(0));
        let start = Instant::now();
        for _ in 0..rounds {
            countdown.left.set(BATCH);
            for _ in 0..BATCH {
                let countdown = countdown.clone();
                R::spawn_detached(async move { countdown.one_less() });
            }
            countdown.zero().await;
        }
        start.elapsed()
    })
}

// Yield and switch --------------------------------------------------------------------------------

pub(crate) fn yield_1<R: Runtime>(rounds: usize) -> Duration {
    R::block_on(async move {
        let start = Instant::now();
        R::spawn(yields(rounds)).await;
        start.elapsed()
    })
}

pub(crate) fn yield_1000<R: Runtime>(rounds: usize) -> Duration {
    R::block_on(async move {
        let start = Instant::now();
        let handles: Vec<_> = (0..BATCH).map(|_| R::spawn(yields(rounds))).collect();
        for handle in handles {
            handle.await;
        }
        start.elapsed()
    })
}

/// Yields in the plainest way, the same for all. (tokio's own `yield_now` goes round its driver
/// first; the executor's own also tells an observer.)
///
/// With monoio nobody else has a turn in between: it puts a task that wakes itself to the front
/// of its queue, so there the row with 1,000 tasks never goes from one to the next.
async fn yields(rounds: usize) {
    for _ in 0..rounds {
        let mut yielded = false;
        poll_fn(|cx| {
            if yielded {
                return Poll::Ready(());
            }
            yielded = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

pub(crate) fn ping_pong<R: Runtime>(rounds: usize) -> Duration {
    R::block_on(async move {
        let table = Rc::new(Table::default());
        let start = Instant::now();
        let one = R::spawn(play(table.clone(), 0, rounds));
        let two = R::spawn(play(table, 1, rounds));
        one.await;
        two.await;
        start.elapsed()
    })
}

#[derive(Default)]
struct Table {
    /// Whose turn it is.
    turn: Cell<usize>,
    waiting: [Cell<Option<Waker>>; 2],
}

async fn play(table: Rc<Table>, me: usize, rounds: usize) {
    let other = 1 - me;
    for _ in 0..rounds {
        poll_fn(|cx| {
            if table.turn.get() == me {
                return Poll::Ready(());
            }
            table.waiting[me].set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
        table.turn.set(other);
        if let Some(waker) = table.waiting[other].take() {
            waker.wake();
        }
    }
}

// Wake --------------------------------------------------------------------------------------------

pub(crate) fn wake_storm<R: Runtime>(rounds: usize) -> Duration {
    storm::<R, 1>(rounds)
}

pub(crate) fn wake_storm_5<R: Runtime>(rounds: usize) -> Duration {
    storm::<R, 5>(rounds)
}

/// Many tasks are parked, as if each had a socket of its own. A round wakes all of them,
/// each `WAKES` times, and waits until each has been polled and is parked again.
fn storm<R: Runtime, const WAKES: usize>(rounds: usize) -> Duration {
    R::block_on(async move {
        let storm = Rc::new(Storm::new(STORM));
        let handles: Vec<_> = (0..STORM).map(|n| R::spawn(parked(storm.clone(), n))).collect();
        storm.parked.zero().await;
        let start = Instant::now();
        for _ in 0..rounds {
            storm.next_round();
            for waker in &storm.wakers {
                let waker = waker.take().expect("it is parked");
                for _ in 1..WAKES {
                    waker.wake_by_ref();
                }
                waker.wake();
            }
            storm.parked.zero().await;
        }
        let elapsed = start.elapsed();
        storm.over.set(true);
        for (waker, handle) in storm.wakers.iter().zip(handles) {
            waker.take().expect("it is parked").wake();
            handle.await;
        }
        elapsed
    })
}

struct Storm {
    round: Cell<usize>,
    over: Cell<bool>,
    /// Counts those that are not parked yet.
    parked: Countdown,
    wakers: Vec<Cell<Option<Waker>>>,
}

impl Storm {
    fn new(tasks: usize) -> Storm {
        let parked = Countdown::new(tasks);
        let wakers = (0..tasks).map(|_| Cell::new(None)).collect();
        Storm { round: Cell::new(0), over: Cell::new(false), parked, wakers }
    }

    fn next_round(&self) {
        self.round.set(self.round.get() + 1);
        self.parked.left.set(self.wakers.len());
    }
}

async fn parked(storm: Rc<Storm>, me: usize) {
    let mut round = usize::MAX;
    poll_fn(|cx| {
        if storm.over.get() {
            return Poll::Ready(());
        }
        if round != storm.round.get() {
            round = storm.round.get();
            storm.wakers[me].set(Some(cx.waker().clone()));
            storm.parked.one_less();
        }
        Poll::Pending
    })
    .await;
}

pub(crate) fn waker_clone_drop<R: Runtime>(rounds: usize) -> Duration {
    R::block_on(async move {
        let clones = poll_fn(move |cx| {
            let start = Instant::now();
            for _ in 0..rounds {
                drop(black_box(black_box(cx.waker()).clone()));
            }
            Poll::Ready(start.elapsed())
        });
        R::spawn(clones).await
    })
}

/// Wakes one task when it comes to zero.
pub(crate) struct Countdown {
    left: Cell<usize>,
    waker: Cell<Option<Waker>>,
}

impl Countdown {
    pub(crate) fn new(left: usize) -> Countdown {
        Countdown { left: Cell::new(left), waker: Cell::new(None) }
    }

    pub(crate) fn one_less(&self) {
        self.left.set(self.left.get() - 1);
        if self.left.get() == 0
            && let Some(waker) = self.waker.take()
        {
            waker.wake();
        }
    }

    pub(crate) async fn zero(&self) {
        poll_fn(|cx| {
            if self.left.get() == 0 {
                return Poll::Ready(());
            }
            self.waker.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

// Timers ------------------------------------------------------------------------------------------

pub(crate) fn timer_cancel<R: Timers>(rounds: usize) -> Duration {
    R::block_on_io(async move {
        let mut elapsed = Duration::ZERO;
        for _ in 0..rounds {
            let start = Instant::now();
            let mut sleeps = Sleeps::<R>::new(Duration::from_secs(30), Duration::from_secs(30));
            sleeps.arm().await;
            drop(sleeps);
            elapsed += start.elapsed();
        }
        elapsed
    })
}

/// The deadlines are far enough away that all are armed before the first is due. The thread
/// sleeps until the last of them has passed, and that time is not counted.
pub(crate) fn timer_fire<R: Timers>(rounds: usize) -> Duration {
    R::block_on_io(async move {
        let mut elapsed = Duration::ZERO;
        for _ in 0..rounds {
            let start = Instant::now();
            let mut sleeps = Sleeps::<R>::new(far(), far() / 4);
            sleeps.arm().await;
            elapsed += start.elapsed();
            thread::sleep(
                (far() * 5 / 4 + Duration::from_millis(2)).saturating_sub(start.elapsed()),
            );
            let start = Instant::now();
            sleeps.all().await;
            elapsed += start.elapsed();
        }
        elapsed
    })
}

/// How far away a timer is that is to fire. Valgrind is slow, so it is more there.
fn far() -> Duration {
    let under_valgrind = std::env::var_os("BENCH_FAR").is_some();
    Duration::from_millis(if under_valgrind { 8_000 } else { 250 })
}

/// Many sleeps in one task, in one allocation. Their deadlines are `far` away and up to `spread`
/// more, in no order, but in the same one every time.
struct Sleeps<R: Timers> {
    /// Boxed and never touched but through `Pin`.
    sleeps: Box<[R::Sleep]>,
}

impl<R: Timers> Sleeps<R> {
    fn new(far: Duration, spread: Duration) -> Sleeps<R> {
        let mut random: u32 = 1;
        let mut next = || {
            // A linear congruential generator; the high bits are the good ones.
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            far + spread.mul_f32(random as f32 / u32::MAX as f32)
        };
        Sleeps { sleeps: (0..TIMERS).map(|_| R::sleep(next())).collect() }
    }

    fn pinned(&mut self) -> impl Iterator<Item = Pin<&mut R::Sleep>> {
        // SAFETY: the sleeps are in a box of their own that is private and lent to nobody, so
        // they are dropped where they are.
        self.sleeps.iter_mut().map(|sleep| unsafe { Pin::new_unchecked(sleep) })
    }

    async fn arm(&mut self) {
        poll_fn(|cx| {
            for sleep in self.pinned() {
                assert!(sleep.poll(cx).is_pending(), "the machine is too slow for this deadline");
            }
            Poll::Ready(())
        })
        .await;
    }

    async fn all(&mut self) {
        for mut sleep in self.pinned() {
            sleep.as_mut().await;
        }
    }
}

// Threads -----------------------------------------------------------------------------------------

/// The other thread waits 30 µs before it wakes, so that the executor sleeps. The time is taken
/// from just before the wake to the poll.
pub(crate) fn thread_wake<R: Runtime>(rounds: usize) -> Duration {
    let (sender, receiver) = mpsc::channel::<(Waker, Arc<Alarm>)>();
    let epoch = Instant::now();
    let other = thread::spawn(move || {
        for (waker, alarm) in receiver {
            let asleep = Instant::now() + Duration::from_micros(30);
            while Instant::now() < asleep {
                std::hint::spin_loop();
            }
            alarm.at.store(epoch.elapsed().as_nanos() as u64, Ordering::Relaxed);
            alarm.rung.store(true, Ordering::Release);
            waker.wake();
        }
    });
    let elapsed = R::block_on(async move {
        let mut nanos = 0;
        for _ in 0..rounds {
            let alarm = Arc::new(Alarm::default());
            let mut sent = false;
            poll_fn(|cx| {
                if alarm.rung.load(Ordering::Acquire) {
                    return Poll::Ready(());
                }
                if !sent {
                    sent = true;
                    sender.send((cx.waker().clone(), alarm.clone())).expect("the thread lives");
                }
                Poll::Pending
            })
            .await;
            nanos += epoch.elapsed().as_nanos() as u64 - alarm.at.load(Ordering::Relaxed);
        }
        Duration::from_nanos(nanos)
    });
    other.join().expect("it ended well");
    elapsed
}

#[derive(Default)]
struct Alarm {
    rung: AtomicBool,
    /// When, in nanoseconds.
    at: AtomicU64,
}

/// Tasks are parked. Another thread gets all their wakers and wakes one after the other; the time
/// is taken from handing them over until each task has been polled.
pub(crate) fn thread_wake_burst<R: Runtime>(rounds: usize) -> Duration {
    let (sender, receiver) = mpsc::channel::<(Vec<Waker>, Arc<AtomicBool>)>();
    let other = thread::spawn(move || {
        for (wakers, woken) in receiver {
            woken.store(true, Ordering::Release);
            wakers.into_iter().for_each(Waker::wake);
        }
    });
    let elapsed = R::block_on(async move {
        let mut elapsed = Duration::ZERO;
        for _ in 0..rounds {
            let storm = Rc::new(Storm::new(BATCH));
            let woken = Arc::new(AtomicBool::new(false));
            let handles: Vec<_> = (0..BATCH)
                .map(|n| R::spawn(woken_by_thread(storm.clone(), n, woken.clone())))
                .collect();
            storm.parked.zero().await;
            let wakers = storm.wakers.iter().filter_map(Cell::take).collect();
            let start = Instant::now();
            sender.send((wakers, woken)).expect("the thread lives");
            for handle in handles {
                handle.await;
            }
            elapsed += start.elapsed();
        }
        elapsed
    });
    other.join().expect("it ended well");
    elapsed
}

async fn woken_by_thread(storm: Rc<Storm>, me: usize, woken: Arc<AtomicBool>) {
    poll_fn(|cx| {
        if woken.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        storm.wakers[me].set(Some(cx.waker().clone()));
        storm.parked.one_less();
        Poll::Pending
    })
    .await;
}
