//! Try; and if it would block, park: the one place that makes `Pending` of `WouldBlock`.
//!
//! ```text
//!   ready?  --no-->  leave the waker, return Pending        (an event sets ready, and wakes)
//!     |yes
//!   system call  --WouldBlock-->  not ready, then as above
//!     |done
//!   return Ready
//! ```
//!
//! Readiness is *edge-triggered*: the system tells once when a socket becomes ready, and then not
//! again before a call on it has said `WouldBlock`. So we remember: a source is ready until a call
//! says otherwise. It starts as ready, and an operation that need not wait is one system call.
//!
//! A multi-threaded reactor must guard against an event that comes between `WouldBlock` and the
//! waker's arrival (tokio counts ticks for it). Here one thread does both, so it cannot happen.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use mio::event;

use crate::farewell::{self, Farewell};
use crate::observe::{By, Event, Wait};
use crate::os;
use crate::reactor::{self, Inner};

/// After so many operations in a row that did not wait, the task lets others have a turn: a peer
/// that sends without a pause cannot keep the thread to itself.
const STREAK: u8 = 128;

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards us: read, accept, receive.
    Read,
    /// Away from us: write, connect, send.
    Write,
}

/// A source's place in its reactor is a number, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SourceKey {
    reactor: u32,
    slot: u32,
    /// Slots are used again: an event for an earlier tenant must not reach the next one.
    generation: u32,
}

/// What the reactor knows of a source: its entry in the slab.
pub(crate) struct Source {
    generation: u32,
    read: Readiness,
    write: Readiness,
    /// Who waits, first come first. Several tasks may wait for the same direction.
    waiters: Vec<Waiter>,
    next_ticket: Ticket,
}

struct Readiness {
    ready: bool,
    /// The other side has hung up: this direction stays ready for ever.
    closed: bool,
    streak: u8,
}

struct Waiter {
    waker: Waker,
    direction: Direction,
    /// Of the future that waits; none if a `poll_` method was called by hand.
    ticket: Option<Ticket>,
}

type Ticket = u32;

/// Any `mio` source, made awaitable: the sockets in [`net`](crate::net) are of this type, and
/// pipes, or file descriptors in a `mio::unix::SourceFd`, can be.
///
/// It belongs to the reactor of the thread where it was made. It may be sent to another thread,
/// but used there it gives an error. Dropped, it leaves the reactor and closes.
pub struct Async<S: event::Source> {
    io: S,
    key: SourceKey,
}

impl<S: event::Source> Async<S> {
    /// Registers `io`, which must be in non-blocking mode, with the reactor of this thread.
    ///
    /// # Errors
    /// If there is no reactor, or the system refuses the registration.
    pub fn new(mut io: S) -> io::Result<Async<S>> {
        let reactor = reactor::current()?;
        let key = reactor.add_source(&mut io)?;
        reactor.report(|| Event::Registered { source: key.slot, kind: std::any::type_name::<S>() });
        Ok(Async { io, key })
    }

    /// The source itself, for calls that never wait.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.io
    }

    /// Does `attempt` as soon as the source is ready: at once if it is.
    ///
    /// `attempt` is one non-blocking system call. When it says `WouldBlock`, the task is parked,
    /// and it is called again when the system reports the direction as ready. Cancelling loses
    /// nothing: either `attempt` has succeeded, or it had no effect.
    ///
    /// # Errors
    /// Those of `attempt`, and if this is not the thread of its reactor.
    #[track_caller]
    pub fn io<R, F>(&self, direction: Direction, attempt: F) -> Io<'_, S, F>
    where
        F: FnMut(&Async<S>) -> io::Result<R>,
    {
        Io { source: self, direction, attempt, ticket: None, at: Location::caller() }
    }

    /// The same for hand-written futures and adapters. A waker that is left here stays until the
    /// next event in this direction, but never twice.
    ///
    /// # Errors
    /// As for [`io`](Async::io).
    pub fn poll_io<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        attempt: impl FnMut(&Async<S>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_with(direction, cx, None, attempt)
    }

    /// Says that a call did less than it could have: all that was there has been read, or there
    /// is no more room to write. The next attempt then waits for an event, without asking first.
    ///
    /// If the other side has hung up there will be no further event, so then this does nothing.
    pub fn drained(&self, direction: Direction) {
        // epoll and kqueue report new data even if it comes before the next read. Windows and
        // poll(2) do not: there the next attempt has to find out for itself.
        if cfg!(any(target_os = "linux", target_os = "android", target_vendor = "apple"))
            && let Ok(reactor) = reactor::current_is(self.key.reactor)
        {
            reactor.with_source(self.key, |source| source.side(direction).drained());
        }
    }

    #[inline]
    fn poll_with<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        ticket: Option<&mut Option<Ticket>>,
        mut attempt: impl FnMut(&Async<S>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let reactor = reactor::current_is(self.key.reactor)?;
        loop {
            match reactor.with_source(self.key, |source| source.side(direction).next_step()) {
                Some(Step::Try) => {}
                Some(Step::Wait) => break,
                Some(Step::Yield) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                None => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            }
            match attempt(self) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    reactor.with_source(self.key, |source| source.side(direction).ready = false);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
        // Cloning a waker may be foreign code, and so may be dropping the one it replaces.
        let waker = cx.waker().clone();
        let _old = reactor.with_source(self.key, |source| source.wait(waker, direction, ticket));
        reactor.report(|| Event::Waiting { on: Wait::Source { source: self.key.slot, direction } });
        Poll::Pending
    }
}

impl<S: event::Source> Drop for Async<S> {
    fn drop(&mut self) {
        match reactor::current_is(self.key.reactor) {
            Ok(reactor) => {
                // Before it closes: a duplicate of the file descriptor would keep it registered.
                let _ = self.io.deregister(&reactor.registry);
                reactor.forget(Farewell::Source(self.key));
                reactor.report(|| Event::Deregistered { source: self.key.slot });
            }
            Err(_) => farewell::leave(self.key.reactor, Farewell::Source(self.key)),
        }
    }
}

/// The future of [`Async::io`]: every wait for a socket, in this crate, is one of these.
#[must_use = "futures do nothing unless awaited"]
pub struct Io<'a, S: event::Source, F> {
    source: &'a Async<S>,
    direction: Direction,
    attempt: F,
    /// Its place among the waiters, if it has ever waited.
    ticket: Option<Ticket>,
    /// For debuggers: the line that made it.
    at: &'static Location<'static>,
}

impl<S, F, R> Future for Io<'_, S, F>
where
    S: event::Source,
    F: FnMut(&Async<S>) -> io::Result<R>,
{
    type Output = io::Result<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        let Io { source, direction, attempt, ticket, .. } = self.get_mut();
        source.poll_with(*direction, cx, Some(ticket), attempt)
    }
}

// Nothing in it is ever pinned.
impl<S: event::Source, F> Unpin for Io<'_, S, F> {}

impl<S: event::Source, F> Drop for Io<'_, S, F> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket
            && let Ok(reactor) = reactor::current_is(self.source.key.reactor)
        {
            let _waker = reactor.with_source(self.source.key, |source| source.leave(ticket));
        }
    }
}

enum Step {
    Try,
    Wait,
    Yield,
}

impl Readiness {
    fn next_step(&mut self) -> Step {
        if !self.ready {
            self.streak = 0;
            return Step::Wait;
        }
        self.streak = (self.streak + 1) % STREAK;
        if self.streak == 0 { Step::Yield } else { Step::Try }
    }

    fn drained(&mut self) {
        self.ready &= self.closed;
    }
}

impl Source {
    fn new(generation: u32) -> Source {
        let fresh = || Readiness { ready: true, closed: false, streak: 0 };
        Source { generation, read: fresh(), write: fresh(), waiters: Vec::new(), next_ticket: 0 }
    }

    fn side(&mut self, direction: Direction) -> &mut Readiness {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }

    /// Remembers who waits. A future has one entry, and a `poll_` method one for each waker.
    fn wait(
        &mut self,
        waker: Waker,
        direction: Direction,
        ticket: Option<&mut Option<Ticket>>,
    ) -> Option<Waker> {
        let own = ticket.as_ref().map(|ticket| **ticket);
        let known = self.waiters.iter_mut().find(|waiter| match own {
            Some(own) => own.is_some() && waiter.ticket == own,
            None => waiter.direction == direction && waiter.waker.will_wake(&waker),
        });
        if let Some(waiter) = known {
            return Some(std::mem::replace(&mut waiter.waker, waker));
        }
        let ticket = ticket.map(|ticket| *ticket.insert(self.next_ticket));
        self.next_ticket = self.next_ticket.wrapping_add(1);
        // Most sources only ever have one waiter; a growing Vec would start with room for four.
        if self.waiters.capacity() == 0 {
            self.waiters.reserve_exact(1);
        }
        self.waiters.push(Waiter { waker, direction, ticket });
        None
    }

    fn leave(&mut self, ticket: Ticket) -> Option<Waker> {
        let place = self.waiters.iter().position(|waiter| waiter.ticket == Some(ticket))?;
        Some(self.waiters.remove(place).waker)
    }

    fn mark(&mut self, event: &event::Event) {
        // An error or a hang-up is news for both sides: the next call on the socket reports it.
        let (error, read) = (event.is_error(), event.is_read_closed());
        let write = event.is_write_closed();
        self.read.closed |= read || error;
        self.read.ready |= event.is_readable() || read || error;
        self.write.closed |= write || error;
        self.write.ready |= event.is_writable() || write || error;
    }
}

/// What a reactor does with its slab of sources.
impl Inner {
    fn add_source(&self, io: &mut impl event::Source) -> io::Result<SourceKey> {
        let generation = self.next_generation.get();
        self.next_generation.set(generation.wrapping_add(1));
        let slot = self.sources.borrow_mut().insert(Source::new(generation));
        let key = SourceKey { reactor: self.id, slot: slot as u32, generation };
        if let Err(error) = os::register(&self.registry, io, pack(slot, generation)) {
            self.sources.borrow_mut().remove(slot);
            return Err(error);
        }
        Ok(key)
    }

    #[inline]
    fn with_source<R>(&self, key: SourceKey, f: impl FnOnce(&mut Source) -> R) -> Option<R> {
        let mut sources = self.sources.borrow_mut();
        let source = sources.get_mut(key.slot as usize)?;
        (source.generation == key.generation).then(|| f(source))
    }

    /// Clears the place of what has been dropped.
    pub(crate) fn forget(&self, farewell: Farewell) {
        match farewell {
            Farewell::Source(key) if self.with_source(key, |_| ()).is_some() => {
                let _wakers = self.sources.borrow_mut().remove(key.slot as usize);
            }
            Farewell::Source(_) => {}
            Farewell::Timer(key) => {
                let _waker = self.timers.borrow_mut().cancel(key);
            }
        }
    }

    /// An event: the source is ready, and its waiters will be woken. If it was for an earlier
    /// tenant of the slot, nothing.
    pub(crate) fn mark_ready(&self, event: &event::Event, woken: &mut Vec<(By, Waker)>) {
        let mut sources = self.sources.borrow_mut();
        let token = event.token().0;
        let slot = token & (usize::MAX >> HALF);
        let Some(source) = sources.get_mut(slot) else { return };
        if pack(slot, source.generation) != token {
            return;
        }
        source.mark(event);
        let (read, write) = (source.read.ready, source.write.ready);
        let ready = source.waiters.extract_if(.., |waiter| match waiter.direction {
            Direction::Read => read,
            Direction::Write => write,
        });
        woken.extend(ready.map(|waiter| {
            (By::Source { source: slot as u32, direction: waiter.direction }, waiter.waker)
        }));
    }
}

/// What mio calls a token: the slot below, the generation above. On 32-bit systems 16 bits each.
fn pack(slot: usize, generation: u32) -> usize {
    ((generation as usize) << HALF) + slot
}

const HALF: u32 = usize::BITS / 2;

impl<S: event::Source> fmt::Debug for Async<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(std::any::type_name::<S>()).field("source", &self.key.slot).finish()
    }
}

impl<S: event::Source, F> fmt::Debug for Io<'_, S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io")
            .field("source", &self.source.key.slot)
            .field("direction", &self.direction)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
