//! How other threads reach an executor.
//!
//! ```text
//!  other thread                              executor's thread
//!  ------------                              -----------------
//!  wake(key)                                 ready queue empty?
//!    inbox.send(key)                         bell.doze()    nobody rang: go to sleep
//!    bell.ring()   was it asleep? -------->  park           ... interrupted
//!      then interrupt its park               bell.rouse()   somebody rang: read the inbox
//! ```
//!
//! The rule: *send first, ring second*. The executor reads its inbox only when the bell has been
//! rung since it last looked, and it goes to sleep only if the bell has not. However the two
//! threads interleave, a key that was sent is either read now or rings the executor awake.
//! Ringing for an executor that is awake, or already rung for, costs one atomic swap and no
//! system call.

use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::Waker;
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use slab::Slab;

use crate::bell::Bell;
use crate::key::Key;
use crate::scheduler::Scheduler;

/// The part of an executor that other threads may touch.
#[derive(Debug)]
pub(crate) struct Remote {
    inbox: Sender<Wake>,
    bell: Bell,
    /// Given by whoever made the executor; ends its park from any thread.
    interrupt: Waker,
    /// Somebody wants to know which thread wakes.
    watched: bool,
    /// For debuggers: where the rest of the executor is. They start at the registry below.
    scheduler: AtomicPtr<Scheduler>,
}

/// What another thread sends.
#[derive(Debug)]
pub(crate) struct Wake {
    pub(crate) key: Key,
    /// The name of the thread, if it has one and somebody watches.
    pub(crate) thread: Option<Box<str>>,
}

/// Who can be reached, by executor id. An id is free again when its executor is dropped.
static REGISTRY: RwLock<Slab<Arc<Remote>>> = RwLock::new(Slab::new());

/// Opens an inbox: the executor's id, its end of the channel, and what the others see of it.
pub(crate) fn register(interrupt: Waker, watched: bool) -> (u16, Receiver<Wake>, Arc<Remote>) {
    let (inbox, wakes) = unbounded();
    let scheduler = AtomicPtr::default();
    let remote = Arc::new(Remote { inbox, bell: Bell::new(), interrupt, watched, scheduler });
    let slot = write_registry().insert(remote.clone());
    let Ok(id) = u16::try_from(slot) else {
        write_registry().remove(slot);
        panic!("there are 65,536 executors alive already: a waker's key has no room for more");
    };
    (id, wakes, remote)
}

/// From now on the wakers of this executor find nothing.
pub(crate) fn unregister(id: u16) {
    // The entry is dropped after the lock: it holds a waker, and that is foreign code.
    let _entry = write_registry().remove(usize::from(id));
}

/// Wakes a task of an executor that is not running on this thread.
#[inline(never)] // keeps the local wake, which is the common one, short
pub(crate) fn wake(key: Key) {
    let registry = read_registry();
    let Some(remote) = registry.get(usize::from(key.executor())) else { return };
    let thread = remote.watched.then(|| thread::current().name().map(Box::from)).flatten();
    // Fails only if the executor is being dropped right now: then there is nobody to wake.
    let _ = remote.inbox.send(Wake { key, thread });
    if remote.bell.ring() {
        let remote = remote.clone();
        // Foreign code runs after the lock: it may be a waker of ours and come back here.
        drop(registry);
        remote.interrupt.wake_by_ref();
    }
}

impl Remote {
    /// The executor wants to sleep. `false`: somebody rang, look into the inbox instead.
    pub(crate) fn doze(&self) -> bool {
        self.bell.doze()
    }

    pub(crate) fn set_scheduler(&self, scheduler: *const Scheduler) {
        self.scheduler.store(scheduler.cast_mut(), Ordering::Relaxed);
    }

    /// The executor is up again. `true`: somebody rang, there may be keys in the inbox.
    pub(crate) fn rouse(&self) -> bool {
        self.bell.rouse()
    }
}

// Nothing that runs under the lock can leave the registry half changed, so poison means nothing.
fn read_registry() -> RwLockReadGuard<'static, Slab<Arc<Remote>>> {
    REGISTRY.read().unwrap_or_else(PoisonError::into_inner)
}

fn write_registry() -> RwLockWriteGuard<'static, Slab<Arc<Remote>>> {
    REGISTRY.write().unwrap_or_else(PoisonError::into_inner)
}
