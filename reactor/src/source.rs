//! What the reactor knows of a source: its entry in the slab.
//!
//! ```text
//!   slot   generation   read    write   waiters, first come first
//!   ----   ----------   -----   -----   ----------------------------------------
//!    0         17       -       ready   wakes task #3 when it can read
//!    1         42       ready   ready
//!    2         23       -       -       wakes #5 (read), wakes #6 (write)
//! ```
//!
//! mio's token for a source is its slot and its generation, in one number.

use std::io;
use std::num::NonZeroU64;
use std::task::Waker;

use mio::event;

use crate::farewell::Farewell;
use crate::observe::{By, Event};
use crate::os;
use crate::reactor::Inner;

/// Of so many operations in a row that need not wait, the last one lets others have a turn first: a
/// peer that sends without a pause cannot keep the thread to itself.
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
    pub(crate) reactor: u32,
    pub(crate) slot: u32,
    /// Slots are used again: an event for an earlier tenant must not reach the next one.
    pub(crate) generation: u32,
}

/// An entry of the slab.
pub(crate) struct Source {
    generation: u32,
    /// For debuggers: the file descriptor, or -1 if it is not known.
    #[expect(dead_code, reason = "read by people")]
    fd: i32,
    read: Readiness,
    write: Readiness,
    /// Who waits, first come first. Several tasks may wait for the same direction.
    waiters: Vec<Waiter>,
    next_ticket: Ticket,
}

pub(crate) struct Readiness {
    pub(crate) ready: Ready,
    /// The other side has hung up, or the like: what a short call says is not to be trusted.
    closed: bool,
    streak: u8,
}

/// Whether a call is worth a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    No,
    Yes,
    /// Yes, and what the call says is recorded or played back. An answer of its own, so that all
    /// others need not ask whether there is a tape.
    OnTape,
}

/// What an event says, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) slot: usize,
    pub(crate) generation: u32,
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) read_closed: bool,
    pub(crate) write_closed: bool,
}

struct Waiter {
    waker: Waker,
    direction: Direction,
    /// Of the future that waits; none if a `poll_` method was called by hand.
    ticket: Option<Ticket>,
}

pub(crate) type Ticket = NonZeroU64;

/// What to do with an operation.
pub(crate) enum Step {
    Try,
    TryOnTape,
    Wait,
    Yield,
}

impl Readiness {
    pub(crate) fn next_step(&mut self) -> Step {
        let step = match self.ready {
            Ready::Yes => Step::Try,
            Ready::OnTape => Step::TryOnTape,
            Ready::No => {
                self.streak = 0;
                return Step::Wait;
            }
        };
        self.streak = (self.streak + 1) % STREAK;
        if self.streak == 0 { Step::Yield } else { step }
    }

    pub(crate) fn drained(&mut self) {
        if !self.closed {
            self.ready = Ready::No;
        }
    }
}

impl Source {
    fn new(generation: u32, fd: i32, ready: Ready) -> Source {
        let fresh = || Readiness { ready, closed: false, streak: 0 };
        Source {
            generation,
            fd,
            read: fresh(),
            write: fresh(),
            waiters: Vec::new(),
            next_ticket: Ticket::MIN,
        }
    }

    pub(crate) fn side(&mut self, direction: Direction) -> &mut Readiness {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }

    /// Remembers who waits. A future has one entry, and a `poll_` method one for each waker.
    pub(crate) fn wait(
        &mut self,
        waker: Waker,
        direction: Direction,
        ticket: Option<&mut Option<Ticket>>,
    ) -> Option<Waker> {
        let own = ticket.as_ref().map(|ticket| **ticket);
        let known = self.waiters.iter_mut().find(|waiter| match own {
            Some(own) => own.is_some() && waiter.ticket == own,
            // Not one that a future holds: it would go with that future.
            None => {
                waiter.ticket.is_none()
                    && waiter.direction == direction
                    && waiter.waker.will_wake(&waker)
            }
        });
        if let Some(waiter) = known {
            return Some(std::mem::replace(&mut waiter.waker, waker));
        }
        let ticket = ticket.map(|ticket| *ticket.insert(self.next_ticket));
        self.next_ticket = self.next_ticket.checked_add(1).unwrap_or(Ticket::MIN);
        // Most sources only ever have one waiter; a growing Vec would start with room for four.
        if self.waiters.capacity() == 0 {
            self.waiters.reserve_exact(1);
        }
        self.waiters.push(Waiter { waker, direction, ticket });
        None
    }

    pub(crate) fn leave(&mut self, ticket: Ticket) -> Option<Waker> {
        let place = self.waiters.iter().position(|waiter| waiter.ticket == Some(ticket))?;
        Some(self.waiters.remove(place).waker)
    }

    fn mark(&mut self, news: &News, ready: Ready) {
        self.read.closed |= news.read_closed;
        self.write.closed |= news.write_closed;
        if news.read {
            self.read.ready = ready;
        }
        if news.write {
            self.write.ready = ready;
        }
    }
}

impl News {
    pub(crate) fn of(event: &event::Event) -> News {
        let (slot, generation) = unpack(event.token().0);
        // An error or a hang-up is news for both sides: the next call on the socket reports it.
        let (error, read) = (event.is_error(), event.is_read_closed());
        let write = event.is_write_closed();
        News {
            slot,
            generation,
            read: event.is_readable() || read || error,
            write: event.is_writable() || write || error,
            // Urgent data counts as well: a read stops short before it, with more to come behind.
            read_closed: read || error || event.is_priority(),
            write_closed: write || error,
        }
    }
}

/// What a reactor does with its slab of sources.
impl Inner {
    pub(crate) fn add_source(
        &self,
        io: &mut impl event::Source,
        fd: Option<i32>,
    ) -> io::Result<SourceKey> {
        let generation = self.next_generation.get();
        self.next_generation.set(generation.wrapping_add(1));
        let ready = if self.seam.is_some() { Ready::OnTape } else { Ready::Yes };
        let source = Source::new(generation, fd.unwrap_or(-1), ready);
        let slot = self.sources.borrow_mut().insert(source);
        let key = SourceKey { reactor: self.id, slot: slot as u32, generation };
        if let Err(error) = os::register(&self.registry, io, pack(slot, generation)) {
            self.sources.borrow_mut().remove(slot);
            return Err(error);
        }
        Ok(key)
    }

    #[inline]
    pub(crate) fn with_source<R>(
        &self,
        key: SourceKey,
        f: impl FnOnce(&mut Source) -> R,
    ) -> Option<R> {
        let mut sources = self.sources.borrow_mut();
        let source = sources.get_mut(key.slot as usize)?;
        (source.generation == key.generation).then(|| f(source))
    }

    /// Clears the place of what has been dropped.
    pub(crate) fn forget(&self, farewell: Farewell) {
        match farewell {
            Farewell::Source(key) if self.with_source(key, |_| ()).is_some() => {
                let _wakers = self.sources.borrow_mut().remove(key.slot as usize);
                self.report(|| Event::Deregistered { source: key.slot });
            }
            Farewell::Source(_) => {}
            Farewell::Timer(key) => {
                let _waker = self.timers.borrow_mut().cancel(key);
            }
        }
    }

    /// An event: the source is ready, and its waiters will be woken. If it was for an earlier
    /// tenant of the slot, nothing, and it says `false`.
    #[cfg_attr(not(debug_assertions), inline(always))] // a fiftieth of a round trip
    pub(crate) fn mark_ready(
        &self,
        news: &News,
        ready: Ready,
        woken: &mut Vec<(By, Waker)>,
    ) -> bool {
        let mut sources = self.sources.borrow_mut();
        let Some(source) = sources.get_mut(news.slot) else { return false };
        if source.generation & MAX_GENERATION != news.generation {
            return false;
        }
        source.mark(news, ready);
        let read = source.read.ready != Ready::No;
        let write = source.write.ready != Ready::No;
        let waiters = source.waiters.extract_if(.., |waiter| match waiter.direction {
            Direction::Read => read,
            Direction::Write => write,
        });
        for Waiter { waker, direction, .. } in waiters {
            woken.push((By::Source { source: news.slot as u32, direction }, waker));
        }
        true
    }

    /// Whether somebody waits for any of them.
    pub(crate) fn anybody_waits(&self) -> bool {
        self.sources.borrow().iter().any(|(_, source)| !source.waiters.is_empty())
    }
}

/// What mio calls a token: the slot below, the generation above. On 32-bit systems 16 bits each.
fn pack(slot: usize, generation: u32) -> usize {
    ((generation as usize) << HALF) + slot
}

fn unpack(token: usize) -> (usize, u32) {
    (token & (usize::MAX >> HALF), (token >> HALF) as u32)
}

const HALF: u32 = usize::BITS / 2;
/// What is left of a generation in a token.
const MAX_GENERATION: u32 = (usize::MAX >> HALF) as u32;
