//! What a task runs: first its future, then, in the same box, its output.
//!
//! ```text
//!   slab                    one allocation
//!   +--------+------+       +---------------------------+      +-------------------------+
//!   | state, | body | ----> | Root::Future(the future)  | ---> | Root::Output(its value) |
//!   | id ... |      |       +---------------------------+      +-------------------------+
//!   +--------+------+
//! ```
//!
//! Two things are bought with the `unsafe` in here, both measured (docs/performance.md): the future
//! is not kept twice, as an async block around it would; and a poll need not take the box out of
//! the slab and put it back.
#![expect(unsafe_code, reason = "see above")]

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use crate::join::JoinError;

/// What a task runs, with its types forgotten. The executor's hot path knows only this.
pub(crate) trait Coroutine {
    /// Goes on until the next `.await` that has to wait. `Ready`: the output is in place and the
    /// future has been dropped.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;
    /// Drops the future where it stands and puts the error in its place.
    fn fail(self: Pin<&mut Self>, error: JoinError);
    /// The `Option<Result<T, JoinError>>` that `poll` or `fail` has left.
    fn output(self: Pin<&mut Self>) -> &mut dyn Any;
    /// The error in it, if that is what it holds.
    fn error(&self) -> Option<&JoinError>;
}

/// The outermost frame of every spawned coroutine: first its future, then, in the same box, its
/// output.
enum Root<F: Future> {
    Future(F),
    Output(Option<Result<F::Output, JoinError>>),
}

enum Projected<'a, F: Future> {
    Future(Pin<&'a mut F>),
    Output(&'a mut Option<Result<F::Output, JoinError>>),
}

impl<F: Future> Root<F> {
    fn project(self: Pin<&mut Self>) -> Projected<'_, F> {
        // SAFETY: the future is pinned whenever `Root` is. It is only handed out behind `Pin`,
        // never moved, and dropped in place by `Pin::set`; `Root` has no `Drop` that could move
        // it, and is `Unpin` only if `F` is. The output is never pinned: it may be moved freely.
        match unsafe { self.get_unchecked_mut() } {
            Root::Future(future) => {
                // SAFETY: see above.
                Projected::Future(unsafe { Pin::new_unchecked(future) })
            }
            Root::Output(output) => Projected::Output(output),
        }
    }
}

impl<F> Coroutine for Root<F>
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Projected::Future(future) = self.as_mut().project() else { return Poll::Ready(()) };
        match future.poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(output) => {
                self.set(Root::Output(Some(Ok(output))));
                Poll::Ready(())
            }
        }
    }

    fn fail(mut self: Pin<&mut Self>, error: JoinError) {
        self.set(Root::Output(Some(Err(error))));
    }

    fn output(self: Pin<&mut Self>) -> &mut dyn Any {
        match self.project() {
            Projected::Output(output) => output,
            Projected::Future(_) => unreachable!("the output is asked for only after the end"),
        }
    }

    fn error(&self) -> Option<&JoinError> {
        match self {
            Root::Output(Some(Err(error))) => Some(error),
            _ => None,
        }
    }
}

/// A coroutine in its box, owned by its slot in the slab.
///
/// It is polled where it lies, without being taken out: whoever looks at the slab meanwhile, with
/// a debugger or otherwise, sees the whole task. The poll may spawn, and the slots then move to a
/// larger block; the box does not. This is a raw pointer because a `Box` may not be moved while
/// its content is in use.
pub(crate) struct Body(Place);

/// Where a body lies, to use it while the slab is not borrowed.
#[derive(Clone, Copy)]
pub(crate) struct Place(NonNull<dyn Coroutine>);

impl Body {
    pub(crate) fn new<F>(future: F) -> Body
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let coroutine: Box<dyn Coroutine> = Box::new(Root::Future(future));
        Body(Place(NonNull::from(Box::leak(coroutine))))
    }

    pub(crate) fn place(&self) -> Place {
        self.0
    }

    /// The `Option<Result<T, JoinError>>` of a task that has ended.
    pub(crate) fn output(&mut self) -> &mut dyn Any {
        // SAFETY: the task has ended, so no place of it is in use any more, and `self` is borrowed
        // uniquely.
        unsafe { self.0.pin() }.output()
    }

    /// The error of a task that has ended with one.
    pub(crate) fn error(&self) -> Option<&JoinError> {
        // SAFETY: as in `output`, for a shared borrow.
        unsafe { self.0.0.as_ref() }.error()
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // SAFETY: `new` leaked this box to us, its only owner.
        drop(unsafe { Box::from_raw(self.0.0.as_ptr()) });
    }
}

impl Place {
    /// # Safety
    /// As long as the result is used, the task stays in the slab, and nobody else polls it, fails it
    /// or takes its output.
    pub(crate) unsafe fn pin<'a>(mut self) -> Pin<&'a mut dyn Coroutine> {
        // SAFETY: the caller promises a unique borrow. The coroutine came out of a `Box`, is never
        // moved out of it, and is dropped in place: so it is pinned.
        unsafe { Pin::new_unchecked(self.0.as_mut()) }
    }
}
