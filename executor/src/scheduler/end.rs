//! How a task ends, and how all of them end with their executor.

use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::ptr;
use std::rc::Rc;
use std::thread;

use super::Scheduler;
use crate::body::Place;
use crate::current::CURRENT;
use crate::join::JoinError;
use crate::key::Key;
use crate::observe::{End, Event};
use crate::task::{State, Task};

impl Scheduler {
    /// Drops the future where it lies and leaves the error in its place.
    #[expect(unsafe_code, reason = "see body.rs: the coroutine stays in its slot meanwhile")]
    #[cold]
    pub(super) fn fail_task(&self, key: Key, body: Place, error: JoinError) {
        let cancelled = error.is_cancelled();
        // SAFETY: as in `poll_task`: the task has not ended, so it stays in the slab, and nobody
        // but the loop, or `close` after it, comes here.
        let fail = |error| catch_unwind(AssertUnwindSafe(|| unsafe { body.pin() }.fail(error)));
        let mut how = if cancelled { End::Cancelled } else { End::Panicked };
        // If its destructor panics it is gone all the same, and the first panic counts.
        if let Err(panic) = fail(error) {
            if cancelled {
                how = End::Panicked;
                let _ = fail(JoinError::Panicked(panic));
            } else {
                drop_quietly(panic);
            }
        }
        self.end_task(key, how);
    }

    /// The future is gone, its output is in the body. Tell whoever waits for it.
    #[inline]
    pub(super) fn end_task(&self, key: Key, how: End) {
        let mut tasks = self.tasks.borrow_mut();
        let task = &mut tasks.slab[key.slot()];
        task.state = State::Finished;
        let (id, detached, joiner) = (task.id, task.detached, task.joiner.take());
        drop(tasks);
        self.report(|| Event::Ended { task: id, how });
        if let Some(joiner) = joiner {
            joiner.wake();
        }
        if detached {
            self.discard(key);
        }
    }

    /// Nobody will ask for the output.
    fn discard(&self, key: Key) {
        let task = self.tasks.borrow_mut().slab.remove(key.slot());
        task.report_unjoined();
        // The output's destructor is user code, too.
        drop_quietly(task);
    }

    /// Ends a task that runs when nobody will poll it any more.
    #[cold]
    pub(super) fn cancel(&self, key: Key) {
        // A statement of its own, so that the borrow ends before the future is dropped.
        let unfinished = self.tasks.borrow().slab.get(key.slot()).and_then(Task::unfinished);
        if let Some(body) = unfinished {
            self.fail_task(key, body, JoinError::Cancelled);
        }
    }

    /// Makes this the scheduler of the thread, with a main coroutine that is ready to be polled.
    pub(crate) fn enter<'a>(self: &'a Rc<Self>, at: &'static Location<'static>) -> Entered<'a> {
        assert!(
            CURRENT.get().is_null(),
            "`block_on` inside `block_on`: this thread runs an executor already, and would wait \
             here for ever while its other tasks starve; `.await` the future instead, or `spawn` it"
        );
        CURRENT.set(self);
        let leave = Leave(self);
        let (main, _) = self.insert(None, "main", at);
        Entered { leave, main: main.slot() }
    }

    /// Ends whoever is still there.
    fn close(&self, main: usize) {
        self.closing.set(true);
        let polling = self.polling.take();
        let mut tasks = self.tasks.borrow_mut();
        let main = tasks.slab.remove(main);
        tasks.ready.clear();
        let key = |(slot, task): (usize, &Task)| Key::new(self.id, task.id.serial(), slot as u32);
        let keys: Vec<Key> = tasks.slab.iter().map(key).collect();
        drop(tasks);
        // Whatever panics on the way, an observer or a foreign waker: all futures are dropped, and
        // the first panic goes on afterwards, unless one is on its way already.
        let mut first = catch_unwind(AssertUnwindSafe(|| self.report_main_end(&main, polling)));
        for key in keys {
            let cancelled = catch_unwind(AssertUnwindSafe(|| self.cancel(key)));
            match (&first, cancelled) {
                (Ok(()), Err(panic)) => first = Err(panic),
                (_, cancelled) => drop_quietly(cancelled),
            }
        }
        match first {
            Err(panic) if !thread::panicking() => resume_unwind(panic),
            other => drop_quietly(other),
        }
    }
}

/// While this lives, the thread belongs to one executor.
pub(crate) struct Entered<'a> {
    leave: Leave<'a>,
    main: usize,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.leave.0.close(self.main);
    }
}

/// Dropped last, and even if an observer or a foreign waker panics in `enter` or `close`.
struct Leave<'a>(&'a Rc<Scheduler>);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.closing.set(false);
        self.0.main.set(0);
        CURRENT.set(ptr::null());
    }
}

/// Drops what may panic when it is dropped. That panic has been printed by its hook; nobody is
/// left who could be told. Its payload may panic in its turn, and so on: somewhere this must end.
fn drop_quietly<T>(value: T) {
    let Err(mut panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) else { return };
    for _ in 0..8 {
        let Err(next) = catch_unwind(AssertUnwindSafe(|| drop(panic))) else { return };
        panic = next;
    }
    mem::forget(panic);
}
