//! The only file that asks the operating system what time it is, and who is ready.
//!
//! Everything else in this crate goes through here. To run on a clock that stands still, or on a
//! list of events that was recorded, is to change this file.

use std::io;
use std::time::{Duration, Instant};

use mio::event::{Event, Source};
use mio::{Events, Interest, Poll, Registry, Token, Waker};

/// How many events one look may bring. More of them wait for the next look.
const EVENTS: usize = 1024;

/// The token of the interrupt. Sources have others: their slot fits into 32 bits.
const INTERRUPT: Token = Token(usize::MAX);

pub(crate) fn now() -> Instant {
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
