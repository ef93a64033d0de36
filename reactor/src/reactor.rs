//! The reactor: it sleeps in the operating system, and wakes those who wait.
//!
//! ```text
//!   a coroutine tries to read: the socket says WouldBlock
//!     -> leaves its waker in the slab of sources, and returns Pending        (io.rs)
//!   nobody is ready: the executor parks, which is to call turn()
//!     1. how long may I sleep?  until the next timer                         (timers.rs)
//!     2. wait                                                                (os.rs)
//!     3. mark the sources that are ready, and collect the wakers that wait for them
//!     4. collect the wakers of the timers that are due
//!     5. wake them all: the executor's ready queue fills
//! ```
//!
//! It knows nothing of executors or tasks: a waker is all it is given, and to wake is all it does.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use mio::Registry;
use slab::Slab;

use crate::anchor;
use crate::current::Entered;
use crate::farewell::Farewells;
use crate::observe::{By, Event, Observer};
use crate::os::{Clock, Os};
use crate::pool::Pool;
use crate::replay::Seam;
use crate::source::{News, Ready, Source};
use crate::timers::Timers;

/// Parks this thread until something is ready.
///
/// ```
/// use executor::Executor;
/// use reactor::{Reactor, time::sleep};
/// use std::time::Duration;
///
/// # fn main() -> std::io::Result<()> {
/// let reactor = Reactor::new()?;
/// let _entered = reactor.enter(); // sockets and timers on this thread find it
/// let executor = Executor::new(reactor.waker()); // other threads interrupt the park through it
/// executor.block_on(
///     async { sleep(Duration::from_millis(1)).await },
///     |limit| reactor.turn(limit).expect("epoll works"), // nobody is ready: park here
/// );
/// # Ok(())
/// # }
/// ```
pub struct Reactor {
    pub(crate) inner: Rc<Inner>,
}

pub(crate) struct Inner {
    /// Never used again in this process: a socket of a dropped reactor finds no other one.
    pub(crate) id: u32,
    pub(crate) os: RefCell<Os>,
    pub(crate) clock: Clock,
    pub(crate) registry: Registry,
    pub(crate) sources: RefCell<Slab<Source>>,
    pub(crate) next_generation: Cell<u32>,
    pub(crate) timers: RefCell<Timers>,
    /// The wakers that one turn collects. Kept for its capacity.
    woken: RefCell<Vec<(By, Waker)>>,
    /// What was dropped on other threads.
    farewells: Farewells,
    pub(crate) pool: Pool,
    pub(crate) interrupt: Waker,
    pub(crate) observer: OnceCell<Box<dyn Observer>>,
    /// Records what comes from outside, or plays it back.
    pub(crate) seam: Option<Box<Seam>>,
}

impl Reactor {
    /// Opens the operating system's readiness queue.
    ///
    /// # Errors
    /// If the process has too many files open already (`ulimit -n`).
    pub fn new() -> io::Result<Reactor> {
        Reactor::with(Clock::real(), None)
    }

    /// The same on a clock that stands still as long as anybody has something to do. When all are
    /// waiting, it jumps to the next timer. So a test of an hour takes no time, and always the same
    /// course, as long as it waits for timers only. While a blocking job runs the clock waits for
    /// it; what comes over sockets takes as long as it takes.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// let reactor = reactor::Reactor::with_virtual_clock()?;
    /// let _entered = reactor.enter();
    /// let start = Instant::now();
    /// executor::Executor::new(reactor.waker()).block_on(
    ///     reactor::time::sleep(Duration::from_secs(86_400)),
    ///     |limit| reactor.turn(limit).unwrap(),
    /// );
    /// assert!(start.elapsed() < Duration::from_secs(60));
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Reactor::new) has.
    pub fn with_virtual_clock() -> io::Result<Reactor> {
        Reactor::with(Clock::jumping(), None)
    }

    pub(crate) fn with(clock: Clock, seam: Option<Box<Seam>>) -> io::Result<Reactor> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (os, registry, interrupt) = Os::new()?;
        let interrupt = Waker::from(Arc::new(Interrupt(interrupt)));
        // A virtual clock that waited for the last job goes on when that is done.
        let idle = clock.jumps().then(|| interrupt.clone());
        let inner = Inner {
            id,
            os: RefCell::new(os),
            registry,
            sources: RefCell::new(Slab::new()),
            next_generation: Cell::new(0),
            timers: RefCell::new(Timers::new()),
            clock,
            woken: RefCell::new(Vec::new()),
            farewells: Farewells::register(id),
            pool: Pool::new(idle),
            interrupt,
            observer: OnceCell::new(),
            seam,
        };
        let inner = Rc::new(inner);
        anchor::add(Rc::as_ptr(&inner));
        Ok(Reactor { inner })
    }

    /// Makes this the reactor of the thread, as long as the guard lives.
    ///
    /// Guards nest: the one before counts again afterwards. So drop them in reverse order.
    pub fn enter(&self) -> Entered<'_> {
        Entered::new(self)
    }

    /// Wakes the reactor itself: ends a [`turn`](Reactor::turn) that sleeps, from any thread.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.inner.interrupt.clone()
    }

    /// Tells `observer` of all that happens from now on.
    ///
    /// # Panics
    /// If there is an observer already.
    pub fn observe(&self, observer: impl Observer + 'static) {
        let taken = self.inner.observer.set(Box::new(observer));
        assert!(taken.is_ok(), "a reactor has one observer");
    }

    /// Waits until a source is ready, a timer is due, the waker is called or `limit` is over, and
    /// wakes all who wait for what has happened. None waits without a limit, zero only looks.
    ///
    /// It may return early, and with nobody woken. A signal (a debugger that attaches, SIGCONT)
    /// is no error.
    ///
    /// # Errors
    /// Only what cannot be mended: the queue itself is broken.
    pub fn turn(&self, limit: Option<Duration>) -> io::Result<()> {
        self.inner.turn(limit)
    }

    /// How many sources are registered.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.inner.sources.borrow().len()
    }

    /// How many timers are armed.
    #[must_use]
    pub fn timers(&self) -> usize {
        self.inner.timers.borrow().len()
    }
}

impl Inner {
    /// (A landmark for debuggers.)
    #[cfg_attr(debug_assertions, inline(never))]
    fn turn(&self, limit: Option<Duration>) -> io::Result<()> {
        for farewell in self.farewells.take() {
            self.forget(farewell);
        }
        let mut woken = self.woken.take();
        match &self.seam {
            None => self.wait_and_mark(limit, &mut woken)?,
            Some(seam) => self.turn_on_tape(seam, limit, &mut woken)?,
        }
        self.collect_due(&mut woken);
        // Wakers are foreign code: they run when no borrow is held any more.
        for (by, waker) in woken.drain(..) {
            self.report(|| Event::Waking { by });
            waker.wake();
        }
        self.woken.replace(woken);
        Ok(())
    }

    fn wait_and_mark(
        &self,
        limit: Option<Duration>,
        woken: &mut Vec<(By, Waker)>,
    ) -> io::Result<()> {
        self.wait(limit)?;
        for event in self.os.borrow().events() {
            self.mark_ready(&News::of(event), Ready::Yes, woken);
        }
        Ok(())
    }

    #[cfg_attr(not(debug_assertions), inline(always))] // a hundredth of a round trip
    pub(crate) fn wait(&self, limit: Option<Duration>) -> io::Result<()> {
        let mut os = self.os.borrow_mut();
        // The clock is only asked when somebody waits for a time.
        let Some(deadline) = self.timers.borrow_mut().first() else { return os.wait(limit) };
        if self.clock.jumps() && limit != Some(Duration::ZERO) && !self.pool.is_busy() {
            return os.wait_or_jump(&self.clock, limit, deadline, self.anybody_waits());
        }
        let rest = deadline.saturating_duration_since(self.clock.now());
        os.wait(Some(limit.map_or(rest, |limit| limit.min(rest))))
    }

    fn collect_due(&self, woken: &mut Vec<(By, Waker)>) {
        if self.timers.borrow().len() > 0 {
            let now = self.clock.now();
            while let Some(waker) = self.timers.borrow_mut().pop_due(now) {
                woken.push((By::Timer, waker));
            }
        }
    }

    #[inline]
    pub(crate) fn report(&self, event: impl FnOnce() -> Event) {
        if let Some(observer) = self.observer.get() {
            observer.event(&event());
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        anchor::remove(self);
    }
}

/// mio's waker as a `std::task::Waker`.
struct Interrupt(mio::Waker);

impl Wake for Interrupt {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // A wake must not panic: it would end the thread of whoever wakes. If the system refuses
        // twice, the woken task stays in the executor's inbox until the next turn ends by itself.
        if self.0.wake().is_err() {
            let _ = self.0.wake();
        }
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor").field("id", &self.inner.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::UdpSocket;

    #[test]
    fn the_generation_of_sources_wraps() {
        let reactor = Reactor::new().unwrap();
        let _entered = reactor.enter();
        reactor.inner.next_generation.set(u32::MAX);
        let open = || mio::net::UdpSocket::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let (a, b) = (UdpSocket::new(open()).unwrap(), UdpSocket::new(open()).unwrap());
        assert_eq!(reactor.inner.next_generation.get(), 1);
        let hello = async |from: &UdpSocket, to: &UdpSocket| {
            from.send_to(b"hello", to.local_addr().unwrap()).await.unwrap();
            to.recv_from(&mut [0; 8]).await.unwrap().0
        };
        let main = async { hello(&a, &b).await + hello(&b, &a).await };
        let executor = executor::Executor::new(reactor.waker());
        assert_eq!(executor.block_on(main, |limit| reactor.turn(limit).unwrap()), 10);
    }
}
