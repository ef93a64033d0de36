//! The tasks that wait at one end of a channel, in the order in which they came.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;

/// One end of a channel: how many handles there are, and who waits.
///
/// A waiting future holds a ticket. When it is called, its entry leaves the list; the ticket stays
/// with the future. So a future that is dropped with a ticket that is no longer in the list was
/// called and never came: then the next one is called in its place, and no wake is lost.
pub(crate) struct Waiters {
    handles: Cell<usize>,
    next: Cell<Ticket>,
    line: RefCell<VecDeque<(Ticket, Waker)>>,
}

pub(crate) type Ticket = u64;

impl Waiters {
    pub(crate) fn new() -> Waiters {
        Waiters { handles: Cell::new(1), next: Cell::new(0), line: RefCell::new(VecDeque::new()) }
    }

    pub(crate) fn enter(&self) {
        self.handles.set(self.handles.get() + 1);
    }

    /// True if that was the last handle of this end.
    pub(crate) fn leave(&self) -> bool {
        self.handles.set(self.handles.get() - 1);
        self.nobody()
    }

    pub(crate) fn nobody(&self) -> bool {
        self.handles.get() == 0
    }

    /// Stands in line, or keeps the place with a fresh waker.
    pub(crate) fn wait(&self, ticket: &mut Option<Ticket>, waker: &Waker) {
        // Cloning and dropping a waker may be foreign code: not inside the borrow.
        let waker = waker.clone();
        let mut line = self.line.borrow_mut();
        let place = line.iter_mut().find(|(number, _)| Some(*number) == *ticket);
        let _old = match place {
            Some((_, old)) => Some(std::mem::replace(old, waker)),
            None => {
                let number = self.next.get();
                self.next.set(number + 1);
                *ticket = Some(number);
                line.push_back((number, waker));
                None
            }
        };
        drop(line);
    }

    pub(crate) fn wake_one(&self) {
        let first = self.line.borrow_mut().pop_front();
        if let Some((_, waker)) = first {
            waker.wake();
        }
    }

    pub(crate) fn wake_all(&self) {
        let line = self.line.take();
        for (_, waker) in line {
            waker.wake();
        }
    }

    /// The future got what it wanted. True if it was still in line.
    pub(crate) fn forget(&self, ticket: &mut Option<Ticket>) -> bool {
        let Some(number) = ticket.take() else { return true };
        let mut line = self.line.borrow_mut();
        let place = line.iter().position(|(other, _)| *other == number);
        let entry = place.and_then(|place| line.remove(place));
        drop(line);
        entry.is_some()
    }

    /// The future is dropped before it got what it wanted.
    pub(crate) fn give_up(&self, ticket: &mut Option<Ticket>) {
        if !self.forget(ticket) {
            self.wake_one();
        }
    }
}
