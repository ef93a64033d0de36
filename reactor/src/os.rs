//! The only file that asks the operating system what time it is, and who is ready.
//!
//! Everything else in this crate goes through here. That makes it the seam where a run can be
//! simulated: on a [virtual clock](crate::Reactor::with_virtual_clock) nobody waits for a time;
//! when all are waiting, it jumps. And where it is recorded, and played back: `replay.rs`.

use std::cell::Cell;
use std::io;
use std::time::{Duration, Instant};

use mio::event::{Event, Source};
use mio::{Events, Interest, Poll, Registry, Token, Waker};

/// How many events one look may bring. More of them wait for the next look.
const EVENTS: usize = 1024;

/// How long bytes may take from one socket of this machine to another: mostly no time at all, but
/// the kernel's thread that carries them may have to wait for a processor.
const ON_ITS_WAY: Duration = Duration::from_millis(5);

/// The token of the interrupt. Sources have others: their slot fits into half of it.
const INTERRUPT: Token = Token(usize::MAX);

/// What time it is.
pub(crate) struct Clock {
    /// None is the system's clock; else it stands still until somebody moves it.
    stands_at: Cell<Option<Instant>>,
    /// When all are waiting, it is moved to the next timer.
    jumps: bool,
}

impl Clock {
    pub(crate) fn real() -> Clock {
        Clock { stands_at: Cell::new(None), jumps: false }
    }

    pub(crate) fn jumping() -> Clock {
        Clock { jumps: true, ..Clock::standing() }
    }

    /// It stands until it is [`set`](Clock::set).
    pub(crate) fn standing() -> Clock {
        Clock { stands_at: Cell::new(Some(Instant::now())), jumps: false }
    }

    pub(crate) fn now(&self) -> Instant {
        self.stands_at.get().unwrap_or_else(Instant::now)
    }

    pub(crate) fn jumps(&self) -> bool {
        self.jumps
    }

    /// Never back.
    pub(crate) fn set(&self, to: Instant) {
        self.stands_at.set(Some(to.max(self.now())));
    }
}

/// How long something takes that really happens: never on a virtual clock.
pub(crate) fn stopwatch() -> Instant {
    Instant::now()
}

/// The operating system's readiness queue: epoll on Linux, kqueue on macOS and the BSDs.
pub(crate) struct Os {
    poll: Poll,
    events: Events,
}

impl Os {
    pub(crate) fn new() -> io::Result<(Os, Registry, Waker)> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let interrupt = Waker::new(&registry, INTERRUPT)?;
        Ok((Os { poll, events: Events::with_capacity(EVENTS) }, registry, interrupt))
    }

    /// Sleeps until something is ready, or it is interrupted, or the time is up. Never wakes
    /// before its time for a timeout: mio rounds up to the millisecond that epoll counts in.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            // A signal, or a debugger that attaches or goes on: that is "no events", not an error.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            result => result,
        }
    }

    /// The same on a virtual clock: if nothing is ready it is `deadline` at once, or the end of the
    /// timeout if that comes first. Or, if somebody waits for a source, a moment later: what was sent
    /// may still be on its way through the system, and a time limit of seconds must not be over
    /// before it has arrived.
    pub(crate) fn wait_or_jump(
        &mut self,
        clock: &Clock,
        timeout: Option<Duration>,
        deadline: Instant,
        for_sources: bool,
    ) -> io::Result<()> {
        self.wait(Some(if for_sources { ON_ITS_WAY } else { Duration::ZERO }))?;
        if self.events.is_empty() {
            let end = timeout.and_then(|timeout| clock.now().checked_add(timeout));
            clock.set(end.map_or(deadline, |end| end.min(deadline)));
        }
        Ok(())
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| event.token() != INTERRUPT)
    }
}

/// Asks for both directions, once: with edge-triggered readiness there is nothing to change later.
pub(crate) fn register(
    registry: &Registry,
    source: &mut impl Source,
    token: usize,
) -> io::Result<()> {
    // Some sources have one direction only (the two ends of a pipe). They take both.
    let both = Interest::READABLE | Interest::WRITABLE;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let both = both | Interest::PRIORITY;
    registry.register(source, Token(token), both)
}
