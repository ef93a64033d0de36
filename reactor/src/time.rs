//! Waiting for a time.
//!
//! A timer never fires early. It fires up to a millisecond late, since that is what the operating
//! system counts in, and later if the executor is busy.

use std::error;
use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::current;
use crate::farewell::{self, Farewell};
use crate::observe::{Event, Wait};
use crate::timers::TimerKey;

/// What time it is on the clock that the timers of this thread go by: the system's, or the virtual
/// one of the reactor.
///
/// ```
/// # use std::time::Duration;
/// let reactor = reactor::Reactor::with_virtual_clock().unwrap();
/// let _entered = reactor.enter();
/// # executor::Executor::new(reactor.waker()).block_on(async {
/// let start = reactor::time::now();
/// reactor::time::sleep(Duration::from_secs(3600)).await;
/// assert_eq!(reactor::time::now() - start, Duration::from_secs(3600));
/// # }, |limit| reactor.turn(limit).unwrap());
/// ```
#[must_use]
pub fn now() -> Instant {
    current::now()
}

/// Waits until `duration` has passed since this call.
///
/// Even a zero duration is a pause: the reactor has a look first, and everybody who is ready has a
/// turn. [`Duration::MAX`] is never over.
///
/// ```
/// # use std::time::{Duration, Instant};
/// # let reactor = reactor::Reactor::new().unwrap();
/// # let _entered = reactor.enter();
/// # executor::Executor::new(reactor.waker()).block_on(async {
/// let start = Instant::now();
/// reactor::time::sleep(Duration::from_micros(1500)).await;
/// assert!(start.elapsed() >= Duration::from_micros(1500));
/// # }, |limit| reactor.turn(limit).unwrap());
/// ```
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    Sleep { deadline: current::now().checked_add(duration), timer: None, at: Location::caller() }
}

/// Waits until `deadline`. One that has passed is over when the reactor has had a look.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline: Some(deadline), timer: None, at: Location::caller() }
}

/// The future of [`sleep`] and [`sleep_until`].
///
/// It is armed in the reactor of the thread where it is first polled, and taken out when it is
/// dropped.
///
/// # Panics
/// When it is polled where there is no reactor, or after it was armed in another one.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    /// None is never.
    deadline: Option<Instant>,
    /// Which reactor it is armed in, and its place there.
    timer: Option<(u32, TimerKey)>,
    /// For debuggers: the line that made it.
    at: &'static Location<'static>,
}

impl Sleep {
    /// When it is over; None is never.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Cloning a waker may be foreign code, and so may be dropping it, or the one it replaces.
        let mut waker = cx.waker().clone();
        if let Some((id, key)) = self.timer {
            let replaced = current::with_id(id, |reactor| {
                reactor.timers.borrow_mut().waker(key).map(|old| mem::swap(old, &mut waker))
            });
            if replaced.expect(CANNOT_WAIT).is_none() {
                return Poll::Ready(());
            }
        } else if let Some(deadline) = self.deadline {
            let armed = current::with(|reactor| {
                (reactor.id, reactor.timers.borrow_mut().arm(deadline, waker))
            });
            self.timer = Some(armed.expect(CANNOT_WAIT));
        }
        let on = Wait::Timer { deadline: self.deadline, at: self.at };
        current::report(|| Event::Waiting { on });
        Poll::Pending
    }
}

const CANNOT_WAIT: &str = "`Sleep` cannot wait";

impl Drop for Sleep {
    fn drop(&mut self) {
        let Some((id, key)) = self.timer else { return };
        let cancelled = current::with_id(id, |reactor| reactor.timers.borrow_mut().cancel(key));
        if cancelled.is_err() {
            farewell::leave(id, Farewell::Timer(key));
        }
    }
}

/// Gives `future` so much time, counted from this call.
///
/// The future is polled before the clock is looked at: if both are ready, it wins. When the time
/// is over it is dropped before [`Elapsed`] is handed out. Cancelling drops it, too.
///
/// ```
/// # use std::time::Duration;
/// # let reactor = reactor::Reactor::new().unwrap();
/// # let _entered = reactor.enter();
/// # executor::Executor::new(reactor.waker()).block_on(async {
/// use reactor::time::timeout;
///
/// assert_eq!(timeout(Duration::from_secs(1), async { 2 }).await, Ok(2));
/// assert!(timeout(Duration::from_millis(1), std::future::pending::<()>()).await.is_err());
/// # }, |limit| reactor.turn(limit).unwrap());
/// ```
#[track_caller]
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    Timeout { future: Some(Box::pin(future)), sleep: sleep(duration) }
}

/// The future of [`timeout`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Timeout<F> {
    /// In a box, so that it can be pinned without `unsafe`. None once it is over.
    future: Option<Pin<Box<F>>>,
    sleep: Sleep,
}

/// The time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.future.as_mut().expect("`Timeout` polled after completion");
        let output = match future.as_mut().poll(cx) {
            Poll::Ready(output) => Ok(output),
            Poll::Pending => match Pin::new(&mut self.sleep).poll(cx) {
                Poll::Ready(()) => Err(Elapsed),
                Poll::Pending => return Poll::Pending,
            },
        };
        self.future = None;
        Poll::Ready(output)
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time is over")
    }
}

impl error::Error for Elapsed {}

/// Ticks every `period`; the first tick is due now.
///
/// Ticks that were missed because nobody asked in time are skipped, not made up for: the next one
/// is the next multiple of `period` from the start.
///
/// # Panics
/// If `period` is zero.
pub fn interval(period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval has a period");
    Interval { next: Some(current::now()), period }
}

/// See [`interval`].
#[derive(Debug)]
pub struct Interval {
    /// None is never.
    next: Option<Instant>,
    period: Duration,
}

impl Interval {
    /// Waits for the next tick, and gives the time for which it was planned.
    ///
    /// Cancelling loses nothing: the same tick is waited for again.
    pub async fn tick(&mut self) -> Instant {
        let Some(planned) = self.next else { return std::future::pending().await };
        sleep_until(planned).await;
        let late = current::now().saturating_duration_since(planned);
        let since_last_tick = late.as_nanos() % self.period.as_nanos();
        let last_tick = planned + (late - Duration::from_nanos(since_last_tick as u64));
        self.next = last_tick.checked_add(self.period);
        planned
    }
}
