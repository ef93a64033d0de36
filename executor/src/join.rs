//! The other end of `spawn`: wait for a task, stop it, or let it go.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::body::Body;
use crate::key::Key;
use crate::observe::{Event, Wait};
use crate::scheduler::Scheduler;
use crate::task::{Name, State, TaskId};

/// Owns the right to a task's output. Await it to join the task.
///
/// Dropping it *detaches* the task: it runs on, and its output is dropped when it ends. This
/// is what `std::thread` and tokio do. (smol cancels.)
///
/// If the task has ended already, its output is dropped here, with what its destructor may do.
///
/// Cancelling the await (dropping the handle half-way) is therefore also a detach. To give up
/// waiting and keep the handle, await `&mut handle`.
///
/// ```
/// executor::block_on(async {
///     let handle = executor::spawn(async { 6 * 7 }).named("the question");
///     assert_eq!(handle.await.unwrap(), 42);
/// });
/// ```
pub struct JoinHandle<T> {
    /// None once the output has been given away.
    scheduler: Option<Rc<Scheduler>>,
    slot: u32,
    id: TaskId,
    output: PhantomData<T>,
}

/// Why a task has no output.
pub enum JoinError {
    /// It was aborted, or its executor ended before it did.
    Cancelled,
    /// It panicked with this payload, while it was polled or dropped.
    Panicked(Box<dyn Any + Send>),
}

impl<T: 'static> JoinHandle<T> {
    pub(crate) fn new(scheduler: Rc<Scheduler>, slot: u32, id: TaskId) -> JoinHandle<T> {
        JoinHandle { scheduler: Some(scheduler), slot, id, output: PhantomData }
    }
}

impl<T> JoinHandle<T> {
    /// Gives the task a name for people: traces, panic messages and debuggers show it.
    ///
    /// Without one they show the type of its future.
    pub fn named(self, name: impl Into<Cow<'static, str>>) -> JoinHandle<T> {
        if let Some(scheduler) = &self.scheduler {
            scheduler.name(self.slot, self.id, name.into());
        }
        self
    }

    /// The id of the task: a counter, never used again.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Whether the task has ended: with an output, by a panic, or cancelled.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.scheduler.as_ref().is_none_or(|scheduler| scheduler.is_finished(self.slot))
    }

    /// Asks the executor to drop the task's future.
    ///
    /// The future is never dropped inside this call. The task is queued, and dropped when its
    /// turn comes; joining it then gives [`JoinError::Cancelled`]. A task that aborts itself
    /// goes on to its next `.await` that has to wait; if it ends before that, it has an output.
    /// Aborting a task that has ended does nothing.
    pub fn abort(&self) {
        if let Some(scheduler) = &self.scheduler {
            scheduler.abort(self.slot);
        }
    }
}

/// # Panics
/// If it is polled again after it gave its output.
impl<T: 'static> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let scheduler = this.scheduler.as_ref().expect("`JoinHandle` polled after completion");
        let Some(mut body) = scheduler.join(this.slot, cx.waker()) else {
            scheduler.report(|| Event::Waiting { on: Wait::Join(this.id), at: None });
            return Poll::Pending;
        };
        this.scheduler = None;
        let output = body.output().downcast_mut::<Option<Result<T, JoinError>>>();
        Poll::Ready(output.and_then(Option::take).expect("a task that has ended has an output"))
    }
}

impl<T> Unpin for JoinHandle<T> {}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(scheduler) = self.scheduler.take() {
            scheduler.detach(self.slot);
        }
    }
}

/// What a handle asks of its scheduler. The slot cannot have another tenant: it is kept until the
/// handle has the output, or is gone.
impl Scheduler {
    /// The body of a task that has ended, which leaves the slab; or `waker` is called when it ends.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn join(&self, slot: u32, waker: &Waker) -> Option<Body> {
        let slot = slot as usize;
        let mut tasks = self.tasks.borrow_mut();
        let task = &mut tasks.slab[slot];
        if task.state == State::Finished {
            let task = tasks.slab.remove(slot);
            drop(tasks);
            return task.body;
        }
        drop(tasks);
        self.wait_for(slot, waker.clone());
        None
    }

    /// Cloning and dropping a waker may be foreign code, so both happen outside the borrow.
    fn wait_for(&self, slot: usize, waker: Waker) {
        let _old = self.tasks.borrow_mut().slab[slot].joiner.replace(waker);
    }

    fn detach(&self, slot: u32) {
        let slot = slot as usize;
        let mut tasks = self.tasks.borrow_mut();
        let task = &mut tasks.slab[slot];
        task.detached = true;
        let joiner = task.joiner.take();
        let ended = (task.state == State::Finished).then(|| tasks.slab.remove(slot));
        drop(tasks);
        drop(joiner);
        if let Some(task) = ended {
            task.report_unjoined();
        }
    }

    fn abort(&self, slot: u32) {
        let mut tasks = self.tasks.borrow_mut();
        let task = &mut tasks.slab[slot as usize];
        let ended = task.state == State::Finished;
        task.aborted = true;
        let (task, key) = (task.id, Key::new(self.id(), task.id.serial(), slot));
        drop(tasks);
        if !ended {
            self.report(|| Event::Aborting { task, by: self.polling() });
        }
        self.wake(key);
    }

    fn is_finished(&self, slot: u32) -> bool {
        self.tasks.borrow().slab[slot as usize].state == State::Finished
    }

    fn name(&self, slot: u32, id: TaskId, name: Cow<'static, str>) {
        self.report(|| Event::Named { task: id, name: &name });
        self.tasks.borrow_mut().slab[slot as usize].name = Name::Given(name);
    }
}

impl JoinError {
    /// Whether the task was aborted, or ended with its executor.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, JoinError::Cancelled)
    }

    /// Whether the task panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self, JoinError::Panicked(_))
    }

    /// The payload of the panic, for [`std::panic::resume_unwind`].
    ///
    /// # Panics
    /// If the task was cancelled instead.
    #[must_use]
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        match self {
            JoinError::Panicked(payload) => payload,
            JoinError::Cancelled => panic!("`into_panic` on a task that was cancelled"),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Cancelled => f.write_str("the task was cancelled"),
            JoinError::Panicked(payload) => {
                write!(f, "the task panicked: {}", panic_message(payload.as_ref()))
            }
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Cancelled => f.write_str("Cancelled"),
            JoinError::Panicked(payload) => {
                write!(f, "Panicked({:?})", panic_message(payload.as_ref()))
            }
        }
    }
}

impl std::error::Error for JoinError {}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The text of a panic, if it was an ordinary one.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "a payload that is no text"
    }
}
