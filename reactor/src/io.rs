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
use std::rc::Rc;
use std::task::{Context, Poll};

use mio::event::Source;

use crate::current;
use crate::farewell::{self, Farewell};
use crate::observe::{Event, Wait};
use crate::replay::on_tape;
use crate::source::{self, Direction, Ready, SourceKey, Step, Ticket};

/// Any `mio` source, made awaitable: the sockets in [`net`](crate::net) are of this type, and
/// pipes, or file descriptors in a `mio::unix::SourceFd`, can be.
///
/// It belongs to the reactor of the thread where it was made. It may be sent to another thread,
/// but used there it gives an error. Dropped, it leaves the reactor and closes.
pub struct Async<S: Source> {
    io: S,
    key: SourceKey,
}

impl<S: Source> Async<S> {
    /// Registers `io`, which must be in non-blocking mode, with the reactor of this thread.
    ///
    /// # Errors
    /// If there is no reactor, or the system refuses the registration.
    pub fn new(io: S) -> io::Result<Async<S>> {
        Async::register(io, None, |_| (None, None))
    }

    /// The same for one of which more is known: its file descriptor, and the addresses of its two
    /// ends, which are only asked for if somebody watches.
    pub(crate) fn register(
        mut io: S,
        fd: Option<i32>,
        ends: impl FnOnce(&S) -> (Option<String>, Option<String>),
    ) -> io::Result<Async<S>> {
        let key = current::current()?.add_source(&mut io, fd)?;
        current::report(|| {
            let (source, generation) = (key.slot, key.generation);
            let (kind, (local, peer)) = (std::any::type_name::<S>(), ends(&io));
            Event::Registered { source, generation, kind, fd, local, peer }
        });
        Ok(Async { io, key })
    }

    /// The source itself, for calls that never wait.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.io
    }

    /// Does `attempt` as soon as the source is ready: at once if it is.
    ///
    /// `attempt` is a non-blocking system call. When it says `WouldBlock`, the task is parked, and
    /// it is called again when the system reports the direction as ready. If it is one call only,
    /// cancelling loses nothing: either it has succeeded, or it had no effect.
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
        self.poll_with(direction, cx, None, None, attempt)
    }

    /// Says that a call did less than it could have: all that was there has been read, or there
    /// is no more room to write. The next attempt then waits for an event, without asking first.
    ///
    /// If the other side has hung up there will be no further event, so then this does nothing.
    pub fn drained(&self, direction: Direction) {
        // epoll reports new data even if it comes before the next read. Not every system does:
        // elsewhere the next attempt finds out for itself.
        if cfg!(any(target_os = "linux", target_os = "android")) {
            let _ = self.entry(|source| source.side(direction).drained());
        }
    }

    #[inline]
    fn poll_with<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        ticket: Option<&mut Option<Ticket>>,
        at: Option<&'static Location<'static>>,
        mut attempt: impl FnMut(&Async<S>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let tried = match self.entry(|source| source.side(direction).next_step())? {
                Step::Try => attempt(self),
                Step::TryOnTape => on_tape(self.key, direction, &mut || attempt(self)),
                Step::Wait => break,
                Step::Yield => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            };
            match tried {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.entry(|source| source.side(direction).ready = Ready::No)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
        // Cloning a waker may be foreign code, and so may be dropping the one it replaces.
        let waker = cx.waker().clone();
        let _old = self.entry(|source| source.wait(waker, direction, ticket))?;
        let on = Wait::Source { source: self.key.slot, direction, at };
        current::report(|| Event::Waiting { on });
        Poll::Pending
    }

    /// Its entry in the slab of this thread's reactor.
    #[inline]
    fn entry<R>(&self, f: impl FnOnce(&mut source::Source) -> R) -> io::Result<R> {
        let entry = current::with_id(self.key.reactor, |reactor| reactor.with_source(self.key, f))?;
        entry.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl<S: Source> Drop for Async<S> {
    fn drop(&mut self) {
        match current::with_id(self.key.reactor, Rc::clone) {
            Ok(reactor) => {
                // Before it closes: a duplicate of the file descriptor would keep it registered.
                let _ = self.io.deregister(&reactor.registry);
                reactor.forget(Farewell::Source(self.key));
            }
            Err(_) => farewell::leave(self.key.reactor, Farewell::Source(self.key)),
        }
    }
}

/// The future of [`Async::io`]: every wait for a socket, in this crate, is one of these.
#[must_use = "futures do nothing unless awaited"]
pub struct Io<'a, S: Source, F> {
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
    S: Source,
    F: FnMut(&Async<S>) -> io::Result<R>,
{
    type Output = io::Result<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        let Io { source, direction, attempt, ticket, at } = self.get_mut();
        source.poll_with(*direction, cx, Some(ticket), Some(at), attempt)
    }
}

// Nothing in it is ever pinned.
impl<S: Source, F> Unpin for Io<'_, S, F> {}

impl<S: Source, F> Drop for Io<'_, S, F> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let _waker = self.source.entry(|source| source.leave(ticket));
        }
    }
}

impl<S: Source> fmt::Debug for Async<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(std::any::type_name::<S>()).field("source", &self.key.slot).finish()
    }
}

impl<S: Source, F> fmt::Debug for Io<'_, S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io")
            .field("source", &self.source.key.slot)
            .field("direction", &self.direction)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
