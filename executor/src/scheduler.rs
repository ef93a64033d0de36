//! Who is polled next, by whom a task is woken, and how it ends.
//!
//! How it ends is in `scheduler/end.rs`. Two rules keep both files honest:
//!
//! * A task is polled in one place, [`Scheduler::poll_task`]. Everything else only queues keys.
//! * User code (a poll, a destructor, a waker, an observer) never runs while `tasks` is borrowed.
//!   It may come back here and spawn, wake or join.

mod end;

use std::any::type_name;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::mem::ManuallyDrop;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, RawWakerVTable, Waker};
use std::time::Duration;

use crossbeam_channel::Receiver;
use slab::Slab;

use crate::body::{Body, Place};
use crate::counted;
use crate::join::{JoinError, JoinHandle};
use crate::key::{self, Key};
use crate::observe::{End, Event, Observer, Outcome};
use crate::ready::ReadyQueue;
use crate::remote::{self, Remote, Wake};
use crate::task::{Cause, Name, State, Task, TaskId};

/// An executor without its loop.
pub(crate) struct Scheduler {
    id: u16,
    pub(crate) tasks: RefCell<Tasks>,
    /// The task whose poll is running, or was the last one; None while the executor is parked.
    polling: Cell<Option<TaskId>>,
    next_id: Cell<NonZeroU64>,
    /// `main` has ended: whoever is spawned now is cancelled at once.
    closing: Cell<bool>,
    inbox: Receiver<Wake>,
    remote: Arc<Remote>,
    pub(crate) observer: Option<Box<dyn Observer>>,
    /// Of all wakers that are made here.
    vtable: &'static RawWakerVTable,
    /// For debuggers: where `block_on` keeps a wide pointer to the main coroutine, or 0.
    pub(crate) main: Cell<usize>,
}

pub(crate) struct Tasks {
    pub(crate) slab: Slab<Task>,
    ready: ReadyQueue,
}

/// A task off the ready queue.
struct Next {
    key: Key,
    /// None is the main coroutine.
    body: Option<Place>,
    aborted: bool,
}

impl Scheduler {
    pub(crate) fn new(interrupt: Waker, observer: Option<Box<dyn Observer>>) -> Rc<Scheduler> {
        let (id, inbox, remote) = remote::register(interrupt, observer.is_some());
        let vtable = if observer.is_some() { counted::vtable_for(id) } else { &key::VTABLE };
        let scheduler = Rc::new(Scheduler {
            id,
            tasks: RefCell::new(Tasks { slab: Slab::new(), ready: ReadyQueue::default() }),
            polling: Cell::new(None),
            next_id: Cell::new(NonZeroU64::MIN),
            closing: Cell::new(false),
            inbox,
            remote,
            observer,
            vtable,
            main: Cell::new(0),
        });
        scheduler.remote.set_scheduler(Rc::as_ptr(&scheduler));
        #[cfg(debug_assertions)]
        crate::scratch::keep();
        scheduler
    }

    pub(crate) fn id(&self) -> u16 {
        self.id
    }

    pub(crate) fn polling(&self) -> Option<TaskId> {
        self.polling.get()
    }

    // A task is born ------------------------------------------------------------------------------

    pub(crate) fn spawn<F>(
        self: &Rc<Self>,
        future: F,
        at: &'static Location<'static>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let (key, id) = self.insert(Some(Body::new(future)), type_name::<F>(), at);
        if self.closing.get() {
            self.cancel(key);
        }
        JoinHandle::new(self.clone(), key.slot() as u32, id)
    }

    #[cfg_attr(not(debug_assertions), inline(always))] // a fifteenth of a spawn
    fn insert(
        &self,
        body: Option<Body>,
        name: &'static str,
        at: &'static Location<'static>,
    ) -> (Key, TaskId) {
        let id = TaskId(self.next_id.get());
        self.next_id.set(id.0.checked_add(1).expect("nobody spawns 2^64 tasks"));
        let parent = self.polling.get();
        let mut tasks = self.tasks.borrow_mut();
        let entry = tasks.slab.vacant_entry();
        let slot = u32::try_from(entry.key()).expect("fewer than 2^32 tasks at once");
        let key = Key::new(self.id, id.serial(), slot);
        entry.insert(Task {
            state: State::Ready,
            id,
            name: Name::Type(name),
            spawned_at: at,
            parent,
            woken_by: Cause::Spawn,
            woken_by_task: None,
            polls: 0,
            detached: false,
            aborted: false,
            joiner: None,
            body,
        });
        if self.observer.is_some() {
            drop(tasks);
            self.report_spawn(id, slot, name, parent, at);
            tasks = self.tasks.borrow_mut();
        }
        tasks.ready.push_back(key);
        (key, id)
    }

    // It is polled --------------------------------------------------------------------------------

    /// Polls those who are ready, first in, first out, until it is the main coroutine's turn. Its
    /// future is in the frame of `block_on`, which must poll it: here is its key. None: nobody is
    /// ready any more, or the budget is used up.
    pub(crate) fn poll_ready(&self, budget: &mut usize) -> Option<Key> {
        while *budget > 0 {
            *budget -= 1;
            let Some(next) = self.take_next() else { break };
            match next.body {
                Some(body) if next.aborted => self.fail_task(next.key, body, JoinError::Cancelled),
                Some(body) => self.poll_task(next.key, body),
                None => return Some(next.key),
            }
        }
        self.polling.set(None);
        None
    }

    /// Takes the first task off the ready queue.
    #[inline]
    fn take_next(&self) -> Option<Next> {
        let Tasks { slab, ready } = &mut *self.tasks.borrow_mut();
        while let Some(key) = ready.pop_front() {
            let Some(task) = slab.get_mut(key.slot()) else { continue };
            if task.id.serial() != key.serial() || task.state != State::Ready {
                continue;
            }
            // Before the poll, so that a wake during it queues the task again.
            task.state = State::Idle;
            task.polls = task.polls.wrapping_add(1);
            self.polling.set(Some(task.id));
            let body = task.body.as_ref().map(Body::place);
            return Some(Next { key, body, aborted: task.aborted });
        }
        None
    }

    /// The one place where a task is polled. (A landmark: `break` on it, it is there in any debug build.)
    #[cfg_attr(debug_assertions, inline(never))]
    #[expect(unsafe_code, reason = "see body.rs: the coroutine stays in its slot meanwhile")]
    fn poll_task(&self, key: Key, body: Place) {
        // Our wakers own nothing, so there is nothing to drop either.
        let waker = ManuallyDrop::new(key.waker(self.vtable));
        let mut cx = Context::from_waker(&waker);
        let poll = catch_unwind(AssertUnwindSafe(|| {
            self.report_poll();
            // SAFETY: the task is in the slab: `take_next` has just seen it, and until this poll
            // is over nobody takes it out, since that is done to finished tasks only. Nobody else
            // polls it: only the loop of `block_on` comes here, and there is no second loop.
            unsafe { body.pin() }.poll(&mut cx)
        }));
        match poll {
            Ok(Poll::Pending) => self.report_poll_end(key, Outcome::Pending),
            Ok(Poll::Ready(())) => {
                self.report_poll_end(key, Outcome::Ready);
                self.end_task(key, End::Finished);
            }
            Err(panic) => {
                self.report_poll_end(key, Outcome::Panicked);
                self.fail_task(key, body, JoinError::Panicked(panic));
            }
        }
    }

    /// The main coroutine does not live in the slab, and its panics are the caller's.
    pub(crate) fn poll_main<F: Future>(&self, key: Key, main: Pin<&mut F>) -> Poll<F::Output> {
        let waker = ManuallyDrop::new(key.waker(self.vtable));
        self.report_poll();
        let poll = main.poll(&mut Context::from_waker(&waker));
        if poll.is_ready() {
            self.tasks.borrow_mut().slab[key.slot()].state = State::Finished;
        }
        self.report_poll_end(key, if poll.is_ready() { Outcome::Ready } else { Outcome::Pending });
        poll
    }

    // It is woken ---------------------------------------------------------------------------------

    /// A wake on the executor's own thread: by the task that is being polled, or by the reactor.
    #[inline]
    pub(crate) fn wake(&self, key: Key) {
        let by = self.polling.get();
        self.wake_by(key, if by.is_some() { Cause::Task } else { Cause::Park }, by, None);
    }

    /// Looks the key up, and puts it into the ready queue.
    #[inline]
    fn wake_by(&self, key: Key, cause: Cause, by: Option<TaskId>, thread: Option<&str>) {
        let mut tasks = self.tasks.borrow_mut();
        // The task may have ended, and another one may live in its slot.
        let Some(task) = tasks.slab.get_mut(key.slot()) else { return };
        // A task is in the queue at most once.
        if task.id.serial() != key.serial() || task.state != State::Idle {
            return;
        }
        task.state = State::Ready;
        task.woken_by = cause;
        task.woken_by_task = by;
        let task = task.id;
        tasks.ready.push_back(key);
        if self.observer.is_some() {
            // It is in the queue by now: an observer that panics costs no wake-up.
            drop(tasks);
            self.report(|| Event::Woken { task, by: cause.of(by), thread });
        }
    }

    /// Nobody is ready, or the budget is used up: let the outside world have its turn. (A landmark.)
    #[cfg_attr(debug_assertions, inline(never))]
    pub(crate) fn park(&self, park: &mut dyn FnMut(Option<Duration>)) {
        let suspects = if self.observer.is_some() { self.take_suspects() } else { Vec::new() };
        let nobody_ready = self.tasks.borrow().ready.is_empty();
        // A wake from another thread that comes after this line interrupts the park.
        let limit = if nobody_ready && self.remote.doze() { None } else { Some(Duration::ZERO) };
        self.judge(suspects, limit.is_none());
        self.report(|| Event::Parking { limit });
        // The observer may have woken somebody.
        let limit = if self.tasks.borrow().ready.is_empty() { limit } else { Some(Duration::ZERO) };
        park(limit);
        self.report(|| Event::Unparked);
    }

    /// Wakes whom other threads have woken. Only as many as are there now: a thread that wakes
    /// without end cannot keep the executor from its tasks.
    pub(crate) fn open_inbox(&self) {
        if self.remote.rouse() {
            for _ in 0..self.inbox.len() {
                let Ok(Wake { key, thread }) = self.inbox.try_recv() else { break };
                self.wake_by(key, Cause::Thread, None, thread.as_deref());
            }
        }
    }
}
