//! Who is polled next, by whom a task is woken, and how it ends.
//!
//! Two rules keep this file honest:
//!
//! * A task is polled in one place, [`Scheduler::poll_task`]. Everything else only queues keys.
//! * User code (a poll, a destructor, a waker, an observer) never runs while `tasks` is borrowed.
//!   It may come back here and spawn, wake or join.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crossbeam_channel::Receiver;
use slab::Slab;

use crate::current::CURRENT;
use crate::join::{JoinError, JoinHandle};
use crate::key::Key;
use crate::observe::{End, Event, Observer, Outcome};
use crate::remote::{self, Remote};
use crate::task::{Cause, Coroutine, Root, State, Task, TaskId, readable, type_name_of};

/// A coroutine in its box; after its end, its output is in there.
pub(crate) type Boxed = Pin<Box<dyn Coroutine>>;

/// An executor without its loop.
pub(crate) struct Scheduler {
    id: u16,
    pub(crate) tasks: RefCell<Tasks>,
    /// The task whose poll is running.
    polling: Cell<Option<TaskId>>,
    /// Its coroutine is out of its slot for that time. The address stands here for a debugger to
    /// find; the program never follows it.
    polled: Cell<Option<*const dyn Coroutine>>,
    next_id: Cell<NonZeroU64>,
    /// `main` has ended: whoever is spawned now is cancelled at once.
    closing: Cell<bool>,
    inbox: Receiver<Key>,
    remote: Arc<Remote>,
    pub(crate) observer: Option<Box<dyn Observer>>,
}

pub(crate) struct Tasks {
    pub(crate) slab: Slab<Task>,
    /// Keys, not slots: a task that wakes itself and then ends leaves its key behind, which must
    /// not poll the next tenant of the slot.
    ready: VecDeque<Key>,
}

/// Whose turn it is.
pub(crate) enum Next {
    Task(Turn),
    Main(Key),
    Nobody,
}

/// A task off the ready queue, with its coroutine out of the slab.
pub(crate) struct Turn {
    key: Key,
    coroutine: Boxed,
    aborted: bool,
}

impl Scheduler {
    pub(crate) fn new(interrupt: Waker, observer: Option<Box<dyn Observer>>) -> Rc<Scheduler> {
        let (id, inbox, remote) = remote::register(interrupt);
        Rc::new(Scheduler {
            id,
            tasks: RefCell::new(Tasks { slab: Slab::new(), ready: VecDeque::new() }),
            polling: Cell::new(None),
            polled: Cell::new(None),
            next_id: Cell::new(NonZeroU64::MIN),
            closing: Cell::new(false),
            inbox,
            remote,
            observer,
        })
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
        let name = type_name_of(&future);
        let root = if self.closing.get() {
            drop(future);
            Root::<F>::Output(Some(Err(JoinError::Cancelled)))
        } else {
            Root::Future(future)
        };
        let (slot, id) = self.insert(Some(Box::pin(root)), name, at);
        JoinHandle::new(self.clone(), slot, id)
    }

    fn insert(
        &self,
        coroutine: Option<Boxed>,
        name: Cow<'static, str>,
        at: &'static Location<'static>,
    ) -> (u32, TaskId) {
        let id = TaskId(self.next_id.get());
        self.next_id.set(id.0.checked_add(1).expect("nobody spawns 2^64 tasks"));
        let parent = self.polling.get();
        self.report(|| Event::Spawned { task: id, name: readable(&name), parent, at });
        let closing = self.closing.get();
        let mut tasks = self.tasks.borrow_mut();
        let slot = u32::try_from(tasks.slab.vacant_key()).expect("fewer than 2^32 tasks at once");
        tasks.slab.insert(Task {
            state: if closing { State::Finished } else { State::Ready },
            id,
            name,
            spawned_at: at,
            parent,
            woken_by: Cause::Spawn,
            woken_by_task: None,
            polls: 0,
            detached: false,
            aborted: false,
            joiner: None,
            coroutine,
        });
        if !closing {
            tasks.ready.push_back(Key { executor: self.id, serial: id.serial(), slot });
        }
        (slot, id)
    }

    // It is polled --------------------------------------------------------------------------------

    /// Takes the first task off the ready queue.
    #[inline]
    pub(crate) fn next(&self) -> Next {
        let Tasks { slab, ready } = &mut *self.tasks.borrow_mut();
        while let Some(key) = ready.pop_front() {
            let Some(task) = slab.get_mut(key.slot as usize) else { continue };
            if task.id.serial() != key.serial || task.state != State::Ready {
                continue;
            }
            // Before the poll, so that a wake during it queues the task again.
            task.state = State::Polling;
            task.polls = task.polls.wrapping_add(1);
            self.polling.set(Some(task.id));
            let Some(coroutine) = task.coroutine.take() else { return Next::Main(key) };
            self.polled.set(Some(ptr::from_ref(&*coroutine)));
            return Next::Task(Turn { key, coroutine, aborted: task.aborted });
        }
        Next::Nobody
    }

    /// The one place where a task is polled.
    pub(crate) fn poll_task(&self, turn: Turn) {
        let Turn { key, mut coroutine, aborted } = turn;
        if aborted {
            return self.fail_task(key.slot, coroutine, JoinError::Cancelled);
        }
        let waker = key.waker();
        let mut cx = Context::from_waker(&waker);
        let poll = catch_unwind(AssertUnwindSafe(|| {
            self.report_poll();
            coroutine.as_mut().poll(&mut cx)
        }));
        match poll {
            Ok(Poll::Pending) => self.park_task(key.slot, Some(coroutine)),
            Ok(Poll::Ready(())) => self.end_task(key.slot, coroutine, End::Finished),
            Err(panic) => self.fail_task(key.slot, coroutine, JoinError::Panicked(panic)),
        }
    }

    /// The main coroutine does not live in the slab, and its panics are the caller's.
    pub(crate) fn poll_main<F: Future>(&self, key: Key, main: Pin<&mut F>) -> Poll<F::Output> {
        let waker = key.waker();
        self.report_poll();
        let poll = main.poll(&mut Context::from_waker(&waker));
        if poll.is_pending() {
            self.park_task(key.slot, None);
        }
        poll
    }

    /// It returned `Pending`: somebody has its waker. If that was used already, it stays `Ready`.
    #[inline]
    fn park_task(&self, slot: u32, coroutine: Option<Boxed>) {
        let mut tasks = self.tasks.borrow_mut();
        let task = &mut tasks.slab[slot as usize];
        task.coroutine = coroutine;
        if task.state == State::Polling {
            task.state = State::Parked;
        }
        drop(tasks);
        self.report_poll_end(Outcome::Pending);
        self.polling.set(None);
        self.polled.set(None);
    }

    // It is woken ---------------------------------------------------------------------------------

    /// On the executor's own thread: look the key up, and put it into the ready queue.
    #[inline]
    pub(crate) fn wake(&self, key: Key, from_thread: bool) {
        let by = self.polling.get();
        let cause = match by {
            _ if from_thread => Cause::Thread,
            Some(_) => Cause::Task,
            None => Cause::Park,
        };
        if self.observer.is_some() {
            self.report_wake(key, cause.of(by));
        }
        let Tasks { slab, ready } = &mut *self.tasks.borrow_mut();
        // The task may have ended, and another one may live in its slot.
        let Some(task) = slab.get_mut(key.slot as usize) else { return };
        if task.id.serial() != key.serial {
            return;
        }
        // A task is in the queue at most once.
        if matches!(task.state, State::Parked | State::Polling) {
            task.state = State::Ready;
            task.woken_by = cause;
            task.woken_by_task = by;
            ready.push_back(key);
        }
    }

    /// Nobody is ready, or the budget is used up: let the outside world have its turn.
    pub(crate) fn park(&self, park: &mut dyn FnMut(Option<Duration>)) {
        let nobody_ready = self.tasks.borrow().ready.is_empty();
        // A wake from another thread that comes after this line interrupts the park.
        let limit = if nobody_ready && self.remote.doze() { None } else { Some(Duration::ZERO) };
        self.report(|| Event::Parking { limit });
        park(limit);
        self.report(|| Event::Unparked);
    }

    /// Wakes whom other threads have woken. Only as many as are there now: a thread that wakes
    /// without end cannot keep the executor from its tasks.
    pub(crate) fn open_inbox(&self) {
        if self.remote.rouse() {
            for _ in 0..self.inbox.len() {
                let Ok(key) = self.inbox.try_recv() else { break };
                self.wake(key, true);
            }
        }
    }

    // It ends -------------------------------------------------------------------------------------

    /// Drops the future where it stands and leaves the error in its place.
    fn fail_task(&self, slot: u32, mut coroutine: Boxed, error: JoinError) {
        let cancelled = error.is_cancelled();
        let failed = catch_unwind(AssertUnwindSafe(|| coroutine.as_mut().fail(error)));
        match failed {
            Ok(()) if cancelled => self.end_task(slot, coroutine, End::Cancelled),
            Ok(()) => self.end_task(slot, coroutine, End::Panicked),
            // Its destructor panicked. It is gone all the same, so this ends here.
            Err(panic) => {
                if cancelled {
                    coroutine.as_mut().fail(JoinError::Panicked(panic));
                }
                self.end_task(slot, coroutine, End::Panicked);
            }
        }
    }

    /// The future is gone, its output is in the box. Tell whoever waits for it.
    fn end_task(&self, slot: u32, coroutine: Boxed, how: End) {
        let mut tasks = self.tasks.borrow_mut();
        let task = &mut tasks.slab[slot as usize];
        let (id, joiner) = (task.id, task.joiner.take());
        task.state = State::Finished;
        task.coroutine = Some(coroutine);
        let unwanted = if task.detached { Some(tasks.slab.remove(slot as usize)) } else { None };
        drop(tasks);
        self.polled.set(None);
        self.report_end(id, how);
        if let Some(joiner) = joiner {
            joiner.wake();
        }
        if let Some(task) = unwanted {
            // The output's destructor is user code too. Its panic has been printed; no one else
            // can be told.
            let _ = catch_unwind(AssertUnwindSafe(|| task.drop_unjoined()));
        }
        self.polling.set(None);
    }

    // The beginning and the end of all ------------------------------------------------------------

    /// Makes this the scheduler of the thread, with a main coroutine that is ready to be polled.
    pub(crate) fn enter<'a>(self: &'a Rc<Self>, at: &'static Location<'static>) -> Entered<'a> {
        assert!(
            CURRENT.get().is_null(),
            "`block_on` inside `block_on`: this thread runs an executor already, and would wait \
             here for ever while its other tasks starve; `.await` the future instead, or `spawn` it"
        );
        CURRENT.set(self);
        let (main, _) = self.insert(None, Cow::Borrowed("main"), at);
        Entered { scheduler: self, main }
    }

    /// Ends whoever is still there.
    fn close(&self, main: u32) {
        self.closing.set(true);
        self.polling.set(None);
        let mut tasks = self.tasks.borrow_mut();
        let main = tasks.slab.remove(main as usize);
        tasks.ready.clear();
        let slots: Vec<usize> = tasks.slab.iter().map(|(slot, _)| slot).collect();
        drop(tasks);
        self.report_end(main.id, End::Finished);
        for slot in slots {
            let coroutine = self.tasks.borrow_mut().slab.get_mut(slot).and_then(Task::unfinished);
            if let Some(coroutine) = coroutine {
                self.fail_task(slot as u32, coroutine, JoinError::Cancelled);
            }
        }
        self.closing.set(false);
    }
}

/// While this lives, the thread belongs to one executor.
pub(crate) struct Entered<'a> {
    scheduler: &'a Rc<Scheduler>,
    main: u32,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.scheduler.close(self.main);
        CURRENT.set(ptr::null());
    }
}
