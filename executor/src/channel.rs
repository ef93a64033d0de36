//! Channels between the tasks of one executor, for those who come from Go.
//!
//! ```text
//!   sender.send(x).await  --->  [ queue, at most `capacity` ]  --->  receiver.recv().await
//!        parks while it is full                          parks while it is empty
//! ```
//!
//! They are local: everything is in one `Rc`, nothing is atomic, and both ends stay on their
//! thread. Between threads use another crate's channel; any async channel runs on this executor.

mod error;
mod oneshot;
mod waiters;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

pub use error::{SendError, TryRecvError, TrySendError};
pub use oneshot::{OneshotReceiver, OneshotSender, oneshot};
use waiters::{Ticket, Waiters};

use crate::current::report_wait;
use crate::observe::Wait;

/// A channel that holds at most `capacity` values. A sender waits while it is full.
///
/// # Panics
/// If `capacity` is 0: there is no rendezvous channel here.
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a bounded channel holds at least one value");
    new(capacity)
}

/// A channel without a limit. Sending never waits, so a receiver that is too slow lets it grow.
#[must_use]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    new(usize::MAX)
}

#[derive(Debug)]
struct Channel<T> {
    queue: RefCell<VecDeque<T>>,
    capacity: usize,
    senders: Waiters,
    receivers: Waiters,
}

impl<T> Channel<T> {
    /// Takes the next value, unless all that are there are kept for others. The room it leaves is
    /// for the sender that has waited longest.
    fn take(&self, called: bool) -> Option<T> {
        let mut queue = self.queue.borrow_mut();
        if !called && queue.len() <= self.receivers.called() {
            return None;
        }
        let value = queue.pop_front();
        drop(queue);
        if value.is_some() {
            self.senders.call_one();
            self.call_if_over();
        }
        value
    }

    /// Nothing is left, and nothing can come. While a value is kept for somebody it is not over:
    /// he may give up, and then it is for the next one.
    fn is_over(&self) -> bool {
        self.senders.nobody() && self.queue.borrow().is_empty()
    }

    fn call_if_over(&self) {
        if self.is_over() {
            self.receivers.call_all();
        }
    }
}

fn new<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let channel = Rc::new(Channel {
        queue: RefCell::new(VecDeque::new()),
        capacity,
        senders: Waiters::new(),
        receivers: Waiters::new(),
    });
    (Sender { channel: channel.clone() }, Receiver { channel })
}

/// The sending end. Clone it for more senders; the channel closes when the last one is dropped.
#[derive(Debug)]
pub struct Sender<T> {
    channel: Rc<Channel<T>>,
}

/// The receiving end. It may be cloned: each value goes to one of the receivers.
#[derive(Debug)]
pub struct Receiver<T> {
    channel: Rc<Channel<T>>,
}

impl<T> Sender<T> {
    /// Sends a value, and waits for room if the channel is full.
    ///
    /// Gives the value back as an error when all receivers are gone. Cancelling the await drops
    /// the value unsent.
    #[track_caller]
    pub fn send(&self, value: T) -> Send<'_, T> {
        Send { channel: &self.channel, value: Some(value), ticket: None, at: Location::caller() }
    }

    /// Sends a value if there is room now.
    ///
    /// # Errors
    /// [`TrySendError::Full`] or [`TrySendError::Closed`], with the value.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let channel = &self.channel;
        if channel.receivers.nobody() {
            return Err(TrySendError::Closed(value));
        }
        let mut queue = channel.queue.borrow_mut();
        if queue.len() + channel.senders.called() >= channel.capacity {
            return Err(TrySendError::Full(value));
        }
        queue.push_back(value);
        drop(queue);
        channel.receivers.call_one();
        Ok(())
    }

    /// Whether all receivers are gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.channel.receivers.nobody()
    }
}

impl<T> Receiver<T> {
    /// The next value; None when nothing is left and all senders are gone.
    ///
    /// Cancelling the await loses nothing.
    #[track_caller]
    pub fn recv(&self) -> Recv<'_, T> {
        Recv { channel: &self.channel, ticket: None, at: Location::caller() }
    }

    /// The next value, if there is one now.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`], or [`TryRecvError::Closed`] when none can come any more.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let channel = &self.channel;
        if channel.is_over() {
            return Err(TryRecvError::Closed);
        }
        channel.take(false).ok_or(TryRecvError::Empty)
    }

    /// How many values wait to be received.
    #[must_use]
    pub fn len(&self) -> usize {
        self.channel.queue.borrow().len()
    }

    /// Whether no value waits to be received.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The future of [`Sender::send`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Send<'a, T> {
    channel: &'a Channel<T>,
    /// None once it is sent.
    value: Option<T>,
    ticket: Option<Ticket>,
    /// The line that waits.
    at: &'static Location<'static>,
}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (channel, senders) = (this.channel, &this.channel.senders);
        let value = this.value.take().expect("`Send` polled after completion");
        let called = senders.is_called(this.ticket);
        if channel.receivers.nobody() {
            senders.leave_line(&mut this.ticket);
            return Poll::Ready(Err(SendError(value)));
        }
        if !called && channel.queue.borrow().len() + senders.called() >= channel.capacity {
            this.value = Some(value);
            senders.wait(&mut this.ticket, cx.waker());
            report_wait(Wait::Send, Some(this.at));
            return Poll::Pending;
        }
        senders.leave_line(&mut this.ticket);
        channel.queue.borrow_mut().push_back(value);
        channel.receivers.call_one();
        Poll::Ready(Ok(()))
    }
}

impl<T> Drop for Send<'_, T> {
    fn drop(&mut self) {
        self.channel.senders.give_up(&mut self.ticket);
    }
}

/// The future of [`Receiver::recv`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Recv<'a, T> {
    channel: &'a Channel<T>,
    ticket: Option<Ticket>,
    /// The line that waits.
    at: &'static Location<'static>,
}

impl<T> Future for Recv<'_, T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (channel, receivers) = (this.channel, &this.channel.receivers);
        let value = channel.take(receivers.is_called(this.ticket));
        if value.is_none() && !channel.is_over() {
            receivers.wait(&mut this.ticket, cx.waker());
            report_wait(Wait::Receive, Some(this.at));
            return Poll::Pending;
        }
        receivers.leave_line(&mut this.ticket);
        Poll::Ready(value)
    }
}

impl<T> Drop for Recv<'_, T> {
    fn drop(&mut self) {
        self.channel.receivers.give_up(&mut self.ticket);
    }
}

// The futures are never pinned in any part: the value in `Send` is only moved.
impl<T> Unpin for Send<'_, T> {}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.channel.senders.enter();
        Sender { channel: self.channel.clone() }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.channel.receivers.enter();
        Receiver { channel: self.channel.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.channel.senders.leave() {
            self.channel.call_if_over();
        }
    }
}

/// The last receiver takes what is still in the channel with it.
impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if self.channel.receivers.leave() {
            let unread = self.channel.queue.take();
            self.channel.senders.call_all();
            drop(unread);
        }
    }
}
