//! The bare limit: what a row costs without any runtime.
//!
//! A queue of addresses, futures behind a `dyn` that are polled where they lie, one allocation for
//! a task and its output, wakers that are addresses, a binary heap for the timers. It does the same job as the others (a task may be joined; it is
//! queued once however often it is woken), and nothing else: it knows no names, catches no
//! panics, aborts nothing. Its wakers are good only on their own thread, and only while the loop
//! runs: they are what a waker would cost if nobody had to be careful. Not for use.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::ptr;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::thread;
use std::time::{Duration, Instant};

use slab::Slab;

use super::scoped::Scoped;
use super::{Runtime, Timers};

/// No runtime.
pub struct Bare;

thread_local! {
    static LOOP: Scoped<Loop> = const { Scoped::new() };
    static ALARMS: RefCell<Alarms> = const { RefCell::new(Alarms::new()) };
}

#[derive(Default)]
struct Loop {
    ready: Queue<VecDeque<*const Task>>,
    /// Where they lie, all of them, until the loop ends.
    #[expect(clippy::vec_box, reason = "so that they stay where they are")]
    tasks: Queue<Vec<Box<Task>>>,
    /// Those that are over and whose output nobody will ask for.
    free: Queue<Vec<*const Task>>,
}

struct Task {
    home: *const Loop,
    queued: Cell<bool>,
    ended: Cell<bool>,
    /// Nobody will ask for the output.
    detached: Cell<bool>,
    joiner: Cell<Option<Waker>>,
    /// None for a free task, and for the main future, which is in the frame of `run`.
    coroutine: UnsafeCell<Option<Box<dyn Coroutine>>>,
}

/// A future, then its output.
enum State<F: Future> {
    Running(F),
    Ended(Option<F::Output>),
}

trait Coroutine {
    /// Polls it; true: it has ended.
    fn run(&mut self, cx: &mut Context<'_>) -> bool;
    /// The address of its `Option<F::Output>`.
    fn output(&mut self) -> *mut ();
}

/// A collection of plain addresses: whatever is done to it calls no code that could come back.
#[derive(Default)]
struct Queue<T>(UnsafeCell<T>);

impl<T> Queue<T> {
    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: one thread (the type is not `Sync`), and all callers are in this file: none of
        // their closures uses the same queue again.
        f(unsafe { &mut *self.0.get() })
    }
}

impl Loop {
    fn spawn(&self, coroutine: Option<Box<dyn Coroutine>>, detached: bool) -> *const Task {
        let task = self.free.with(Vec::pop).unwrap_or_else(|| {
            let task = Box::new(Task {
                home: self,
                queued: Cell::new(false),
                ended: Cell::new(false),
                detached: Cell::new(false),
                joiner: Cell::new(None),
                coroutine: UnsafeCell::new(None),
            });
            let address = ptr::from_ref(&*task);
            self.tasks.with(|tasks| tasks.push(task));
            address
        });
        // SAFETY: tasks live as long as the loop. This one is new or free, so there is no other
        // reference to its coroutine, which is None.
        unsafe {
            (*task).ended.set(false);
            (*task).detached.set(detached);
            (*task).coroutine.get().write(coroutine);
        }
        wake(task.cast());
        task
    }

    /// Polls a task that is not the main one.
    #[inline]
    fn poll(&self, address: *const Task, cx: &mut Context<'_>) {
        // SAFETY: tasks live as long as the loop.
        let task = unsafe { &*address };
        if task.ended.get() {
            return;
        }
        // SAFETY: the coroutine is touched here; in `spawn` while the task is free; and by the
        // handle after its end. A wake during the poll only queues.
        let coroutine = unsafe { &mut *task.coroutine.get() };
        if let Some(coroutine) = coroutine
            && coroutine.run(cx)
        {
            task.ended.set(true);
            if let Some(joiner) = task.joiner.take() {
                joiner.wake();
            }
            if task.detached.get() {
                self.bury(address);
            }
        }
    }

    /// It is over, and its output is not wanted.
    fn bury(&self, task: *const Task) {
        // SAFETY: it is called once, after the end, by whoever comes last: the handle or the loop.
        unsafe { *(*task).coroutine.get() = None };
        self.free.with(|free| free.push(task));
    }
}

fn run<F: Future>(main: F, mut park: impl FnMut()) -> F::Output {
    let home = Loop::default();
    let main_task = home.spawn(None, false);
    let mut main = pin!(main);
    let run = || loop {
        let Some(task) = home.ready.with(VecDeque::pop_front) else {
            park();
            continue;
        };
        let waker = waker(task);
        let mut cx = Context::from_waker(&waker);
        // SAFETY: tasks live as long as the loop.
        unsafe { (*task).queued.set(false) };
        if task != main_task {
            home.poll(task, &mut cx);
        } else if let Poll::Ready(output) = main.as_mut().poll(&mut cx) {
            return output;
        }
    };
    LOOP.with(|scoped| scoped.set(&home, run))
}

impl<F: Future> Coroutine for State<F> {
    fn run(&mut self, cx: &mut Context<'_>) -> bool {
        let State::Running(future) = self else { return true };
        // SAFETY: it is in a box, and dropped in place.
        let future = unsafe { Pin::new_unchecked(future) };
        let Poll::Ready(output) = future.poll(cx) else { return false };
        *self = State::Ended(Some(output));
        true
    }

    fn output(&mut self) -> *mut () {
        match self {
            State::Running(_) => ptr::null_mut(),
            State::Ended(output) => ptr::from_mut(output).cast(),
        }
    }
}

impl Runtime for Bare {
    const NAME: &'static str = "bare";

    type Handle<T: 'static> = Handle<T>;

    fn block_on<F: Future<Output: 'static>>(main: F) -> F::Output {
        run(main, || panic!("nobody is left who could wake anybody"))
    }

    fn spawn<F>(future: F) -> Handle<F::Output>
    where
        F: Future<Output: 'static> + 'static,
    {
        let coroutine = Box::new(State::Running(future));
        let task = LOOP.with(|scoped| scoped.with(|home| home.spawn(Some(coroutine), false)));
        Handle { task, output: PhantomData }
    }

    fn spawn_detached(future: impl Future<Output = ()> + 'static) {
        let coroutine = Box::new(State::Running(future));
        LOOP.with(|scoped| scoped.with(|home| home.spawn(Some(coroutine), true)));
    }
}

/// Joins a task.
pub struct Handle<T> {
    task: *const Task,
    output: PhantomData<T>,
}

impl<T> Future for Handle<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // SAFETY: the loop lives, and so do its tasks.
        let task = unsafe { &*self.task };
        if !task.ended.get() {
            task.joiner.set(Some(cx.waker().clone()));
            return Poll::Pending;
        }
        // SAFETY: after the end the coroutine belongs to the handle, and `State` has put an
        // `Option<T>` where `output` points.
        let output = unsafe {
            let coroutine = (*task.coroutine.get()).as_mut().expect("a handle keeps it");
            (*coroutine.output().cast::<Option<T>>()).take()
        };
        Poll::Ready(output.expect("joined once"))
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        // SAFETY: the loop lives, and so do its tasks.
        let task = unsafe { &*self.task };
        if task.ended.get() {
            // SAFETY: as above.
            unsafe { (*task.home).bury(self.task) };
        } else {
            task.detached.set(true);
        }
    }
}

// Wake --------------------------------------------------------------------------------------------

static VTABLE: RawWakerVTable =
    RawWakerVTable::new(|task| RawWaker::new(task, &VTABLE), wake, wake, |_| {});

fn waker(task: *const Task) -> Waker {
    // SAFETY: this waker is good only on its own thread and as long as its loop. The rows that
    // this runtime takes part in use it neither elsewhere nor later.
    unsafe { Waker::new(task.cast(), &VTABLE) }
}

#[inline]
fn wake(task: *const ()) {
    let task = task.cast::<Task>();
    // SAFETY: see `waker`: the loop lives, and so do its tasks.
    let (home, queued) = unsafe { (&*(*task).home, &(*task).queued) };
    if !queued.replace(true) {
        home.ready.with(|ready| ready.push_back(task));
    }
}

// Timers ------------------------------------------------------------------------------------------

/// asyncio's way: a heap whose cancelled entries stay until they come up, or until there are more
/// of them than living ones.
struct Alarms {
    heap: BinaryHeap<Reverse<(Instant, AlarmKey)>>,
    armed: Slab<(u32, Waker)>,
    serial: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct AlarmKey {
    slot: u32,
    serial: u32,
}

impl Alarms {
    const fn new() -> Alarms {
        Alarms { heap: BinaryHeap::new(), armed: Slab::new(), serial: 0 }
    }

    fn arm(&mut self, deadline: Instant, waker: Waker) -> AlarmKey {
        self.serial = self.serial.wrapping_add(1);
        let slot = self.armed.insert((self.serial, waker)) as u32;
        let key = AlarmKey { slot, serial: self.serial };
        self.heap.push(Reverse((deadline, key)));
        key
    }

    fn is_armed(armed: &Slab<(u32, Waker)>, key: AlarmKey) -> bool {
        armed.get(key.slot as usize).is_some_and(|(serial, _)| *serial == key.serial)
    }

    fn cancel(&mut self, key: AlarmKey) {
        if !Self::is_armed(&self.armed, key) {
            return;
        }
        self.armed.remove(key.slot as usize);
        if self.heap.len() > 64 && self.heap.len() > 2 * self.armed.len() {
            let armed = &self.armed;
            self.heap.retain(|Reverse((_, key))| Self::is_armed(armed, *key));
        }
    }

    /// Takes out a timer that is due, or says how long it is to the next one.
    fn fire(&mut self, now: Instant) -> Result<Waker, Option<Duration>> {
        loop {
            let Some(&Reverse((deadline, key))) = self.heap.peek() else { return Err(None) };
            if !Self::is_armed(&self.armed, key) {
                self.heap.pop();
            } else if deadline > now {
                return Err(Some(deadline - now));
            } else {
                self.heap.pop();
                return Ok(self.armed.remove(key.slot as usize).1);
            }
        }
    }
}

impl Timers for Bare {
    type Sleep = Sleep;

    fn block_on_io<F: Future<Output: 'static>>(main: F) -> F::Output {
        run(main, || {
            let now = Instant::now();
            let mut woken = false;
            loop {
                match ALARMS.with(|alarms| alarms.borrow_mut().fire(now)) {
                    Ok(waker) => waker.wake(),
                    Err(Some(duration)) if !woken => return thread::sleep(duration),
                    Err(_) => return,
                }
                woken = true;
            }
        })
    }

    fn sleep(duration: Duration) -> Sleep {
        Sleep { deadline: Instant::now() + duration, key: None }
    }
}

/// Waits for its deadline.
pub struct Sleep {
    deadline: Instant,
    key: Option<AlarmKey>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        ALARMS.with(|alarms| {
            let alarms = &mut *alarms.borrow_mut();
            match self.key {
                None => self.key = Some(alarms.arm(self.deadline, cx.waker().clone())),
                Some(key) if !Alarms::is_armed(&alarms.armed, key) => return Poll::Ready(()),
                Some(key) => {
                    let (_, waker) = &mut alarms.armed[key.slot as usize];
                    waker.clone_from(cx.waker());
                }
            }
            Poll::Pending
        })
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            ALARMS.with(|alarms| alarms.borrow_mut().cancel(key));
        }
    }
}
