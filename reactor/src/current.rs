//! The reactor of this thread, and how sockets, timers and files find it.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use crate::observe::Event;
use crate::os::Clock;
use crate::reactor::{Inner, Reactor};

thread_local! {
    static CURRENT: RefCell<Option<Rc<Inner>>> = const { RefCell::new(None) };
}

/// Does something with the reactor of this thread. `f` runs no user code: a borrow is held.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&Rc<Inner>) -> R) -> io::Result<R> {
    let result = CURRENT.try_with(|current| current.borrow().as_ref().map(f));
    result.ok().flatten().ok_or_else(|| {
        io::Error::other(
            "there is no reactor on this thread: make one with `Reactor::new()?`, and keep the \
             guard of `reactor.enter()` as long as its sockets, timers and files are used",
        )
    })
}

/// The same for what belongs to one reactor: a socket, a timer.
#[inline]
pub(crate) fn with_id<R>(id: u32, f: impl FnOnce(&Rc<Inner>) -> R) -> io::Result<R> {
    with(|reactor| (reactor.id == id).then(|| f(reactor)))?.ok_or_else(|| {
        io::Error::other(
            "this socket or timer belongs to another reactor, on another thread or from an \
             earlier time: use it on the thread where it was made, or make a new one here",
        )
    })
}

pub(crate) fn current() -> io::Result<Rc<Inner>> {
    with(Rc::clone)
}

/// Tells the observer, if there is one.
pub(crate) fn report(event: impl FnOnce() -> Event) {
    if let Ok(true) = with(|reactor| reactor.observer.get().is_some())
        && let Ok(reactor) = current()
    {
        reactor.report(event);
    }
}

/// What time it is on the clock of this thread's reactor.
pub(crate) fn now() -> Instant {
    with(|reactor| reactor.clock.now()).unwrap_or_else(|_| Clock::real().now())
}

/// While it lives, the sockets and timers of this thread find their reactor.
#[must_use = "the reactor is left at once when the guard is dropped"]
pub struct Entered<'a> {
    previous: Option<Rc<Inner>>,
    reactor: &'a Reactor,
}

impl<'a> Entered<'a> {
    pub(crate) fn new(reactor: &'a Reactor) -> Entered<'a> {
        let previous = CURRENT.replace(Some(reactor.inner.clone()));
        Entered { previous, reactor }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // The thread-local may be gone if the guard outlives it in another one's destructor.
        let _ = CURRENT.try_with(|current| current.replace(self.previous.take()));
    }
}

impl fmt::Debug for Entered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entered").field(self.reactor).finish()
    }
}
