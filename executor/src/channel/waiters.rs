//! The tasks that wait at one end of a channel: first come, first served.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;

/// One end of a channel: how many handles there are, and who waits.
///
/// A future that must wait draws a ticket and stands in line. When there is something for it (a
/// value, or room for one), its entry leaves the line: it is *called*, and what it was called for
/// is kept for it until it comes. So nobody who comes later can overtake it, and if it is dropped
/// instead, the next one is called.
#[derive(Debug)]
pub(crate) struct Waiters {
    handles: Cell<usize>,
    next: Cell<Ticket>,
    line: RefCell<VecDeque<(Ticket, Waker)>>,
    /// How many were called and have not come yet.
    called: Cell<usize>,
}

pub(crate) type Ticket = u64;

impl Waiters {
    pub(crate) fn new() -> Waiters {
        let (handles, next, called) = (Cell::new(1), Cell::new(0), Cell::new(0));
        Waiters { handles, next, line: RefCell::default(), called }
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
        let place = ticket.and_then(|number| place_of(&line, number));
        let _old = match place {
            Some(place) => Some(std::mem::replace(&mut line[place].1, waker)),
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

    /// How much is kept for those who were called.
    pub(crate) fn called(&self) -> usize {
        self.called.get()
    }

    pub(crate) fn is_called(&self, ticket: Option<Ticket>) -> bool {
        // The line is in order, and those at its front are called first.
        let line = self.line.borrow();
        ticket.is_some_and(|number| line.front().is_none_or(|(first, _)| number < *first))
    }

    /// There is something for one more.
    pub(crate) fn call_one(&self) {
        let first = self.line.borrow_mut().pop_front();
        if let Some((_, waker)) = first {
            self.called.set(self.called.get() + 1);
            waker.wake();
        }
    }

    /// The other end is gone: nobody need wait any longer.
    pub(crate) fn call_all(&self) {
        let line = self.line.take();
        self.called.set(self.called.get() + line.len());
        for (_, waker) in line {
            waker.wake();
        }
    }

    /// The future has come, or is dropped. True if it had been called.
    pub(crate) fn leave_line(&self, ticket: &mut Option<Ticket>) -> bool {
        let Some(number) = ticket.take() else { return false };
        let mut line = self.line.borrow_mut();
        let entry = place_of(&line, number).and_then(|place| line.remove(place));
        drop(line);
        if entry.is_none() {
            self.called.set(self.called.get() - 1);
        }
        entry.is_none()
    }

    /// The future is dropped. If it had been called, what was kept for it goes to the next one.
    pub(crate) fn give_up(&self, ticket: &mut Option<Ticket>) {
        if self.leave_line(ticket) {
            self.call_one();
        }
    }
}

fn place_of(line: &VecDeque<(Ticket, Waker)>, number: Ticket) -> Option<usize> {
    line.binary_search_by_key(&number, |(other, _)| *other).ok()
}
