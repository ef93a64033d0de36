//! A channel for exactly one value.

use std::cell::RefCell;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::channel::SendError;
use crate::current::report_wait;
use crate::observe::Wait;

/// A channel for one value, such as the answer to a request.
///
/// ```
/// # executor::block_on(async {
/// let (sender, receiver) = executor::channel::oneshot();
/// executor::spawn(async move { sender.send("a burger") });
/// assert_eq!(receiver.await, Some("a burger"));
/// # });
/// ```
#[track_caller]
pub fn oneshot<T>() -> (OneshotSender<T>, OneshotReceiver<T>) {
    let slot = Rc::new(RefCell::new(Slot { value: None, waker: None, closed: false }));
    (OneshotSender { slot: slot.clone() }, OneshotReceiver { slot, at: Location::caller() })
}

#[derive(Debug)]
struct Slot<T> {
    value: Option<T>,
    waker: Option<Waker>,
    /// One of the two ends is gone.
    closed: bool,
}

/// Sends the one value.
#[derive(Debug)]
pub struct OneshotSender<T> {
    slot: Rc<RefCell<Slot<T>>>,
}

/// Await it to receive the one value; None if the sender was dropped without sending.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct OneshotReceiver<T> {
    slot: Rc<RefCell<Slot<T>>>,
    /// The line that made it.
    at: &'static Location<'static>,
}

impl<T> OneshotSender<T> {
    /// Sends the value. Never waits.
    ///
    /// # Errors
    /// The value, if the receiver is gone.
    pub fn send(self, value: T) -> Result<(), SendError<T>> {
        let mut slot = self.slot.borrow_mut();
        if slot.closed {
            return Err(SendError(value));
        }
        slot.value = Some(value);
        Ok(())
    }

    /// Whether the receiver is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.slot.borrow().closed
    }
}

/// Wakes the receiver: it finds the value, or that none will come.
impl<T> Drop for OneshotSender<T> {
    fn drop(&mut self) {
        let mut slot = self.slot.borrow_mut();
        slot.closed = true;
        let waker = slot.waker.take();
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for OneshotReceiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let waker = cx.waker().clone();
        let mut slot = self.slot.borrow_mut();
        if slot.value.is_some() || slot.closed {
            return Poll::Ready(slot.value.take());
        }
        let _old = slot.waker.replace(waker);
        drop(slot);
        report_wait(Wait::Receive, Some(self.at));
        Poll::Pending
    }
}

impl<T> Drop for OneshotReceiver<T> {
    fn drop(&mut self) {
        let mut slot = self.slot.borrow_mut();
        slot.closed = true;
        let unread = (slot.value.take(), slot.waker.take());
        drop(slot);
        drop(unread);
    }
}
