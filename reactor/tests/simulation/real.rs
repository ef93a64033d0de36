//! The real run: the executor, the reactor on its virtual clock, and coroutines that do what the
//! program says.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use executor::channel::{OneshotReceiver, OneshotSender, Receiver, Sender};
use executor::{Executor, JoinHandle};
use reactor::Reactor;
use reactor::time::sleep;

use crate::program::{Kind, Ops, Program, place};
use crate::steps::step;
use crate::trace::{Entry, FiberId, What};

/// Runs the program, and gives up after so many parks.
pub(crate) fn run(program: &Program, parks: usize) -> Vec<Entry> {
    let reactor = Reactor::with_virtual_clock().expect("a reactor");
    let _entered = reactor.enter();
    let executor = Executor::new(reactor.waker());
    let world = Rc::new(World::new(parks));
    for main in &program.mains {
        let main = world.task(main.clone());
        let id = main.life;
        let park = |limit| world.park(&reactor, limit);
        match catch_unwind(AssertUnwindSafe(|| executor.block_on(main, park))) {
            Ok(_output) => world.log(id, What::MainReturned),
            Err(panic) if panic.is::<Stuck>() => {
                world.log(id, What::Stuck);
                break;
            }
            Err(panic) => match panic.downcast::<FiberId>() {
                Ok(by) => world.log(id, What::MainPanicked(*by)),
                Err(panic) => resume_unwind(panic),
            },
        }
    }
    world.clear();
    assert_eq!(reactor.timers(), 0, "a timer is left over");
    assert_eq!(Rc::strong_count(&world), 1, "a coroutine or an output was never dropped");
    world.trace.take()
}

/// All wait for each other.
struct Stuck;

/// What all coroutines of a program share.
pub(crate) struct World {
    start: Instant,
    parks_left: Cell<usize>,
    trace: RefCell<Vec<Entry>>,
    next_fiber: Cell<FiberId>,
    next_value: Cell<u32>,
    pub(crate) wakers: Table<Waker>,
    /// To be woken when the executor sleeps.
    pub(crate) asleep: Table<Waker>,
    pub(crate) handles: Table<JoinHandle<Output>>,
    pub(crate) senders: Table<Sender<u32>>,
    pub(crate) receivers: Table<Receiver<u32>>,
    pub(crate) oneshot_senders: Table<OneshotSender<u32>>,
    pub(crate) oneshot_receivers: Table<OneshotReceiver<u32>>,
}

impl World {
    fn new(parks: usize) -> World {
        World {
            start: now(),
            parks_left: Cell::new(parks),
            trace: RefCell::default(),
            next_fiber: Cell::new(0),
            next_value: Cell::new(0),
            wakers: Table::new(),
            asleep: Table::new(),
            handles: Table::new(),
            senders: Table::new(),
            receivers: Table::new(),
            oneshot_senders: Table::new(),
            oneshot_receivers: Table::new(),
        }
    }

    pub(crate) fn log(&self, fiber: FiberId, what: What) {
        let at = (now() - self.start).as_nanos() as u64;
        self.trace.borrow_mut().push(Entry { at, fiber, what });
    }

    pub(crate) fn value(&self) -> u32 {
        self.next_value.replace(self.next_value.get() + 1)
    }

    fn park(&self, reactor: &Reactor, limit: Option<Duration>) {
        let idle = limit.is_none();
        self.log(0, What::Park(idle));
        let left = self.parks_left.get().checked_sub(1).expect("the executor turns without end");
        self.parks_left.set(left);
        if !idle {
            return reactor.turn(limit).expect("a look");
        }
        let sleepers = self.asleep.0.take();
        if !sleepers.is_empty() {
            let waking = thread::spawn(|| sleepers.into_iter().for_each(Waker::wake));
            waking.join().expect("a wake does not panic");
        } else if reactor.timers() == 0 {
            resume_unwind(Box::new(Stuck));
        }
        // Without a limit a lost interrupt would hang; with timers the clock jumps.
        let limit = (reactor.timers() == 0).then_some(Duration::from_secs(5));
        reactor.turn(limit).expect("a turn");
    }

    /// A task, not yet spawned.
    pub(crate) fn task(self: &Rc<Self>, ops: Ops) -> Task {
        let life = self.next_fiber.get();
        Task { world: self.clone(), life, fiber: self.fiber(ops) }
    }

    pub(crate) fn fiber(self: &Rc<Self>, ops: Ops) -> Fiber {
        let id = self.next_fiber.replace(self.next_fiber.get() + 1);
        Box::pin(fiber(Life { world: self.clone(), id }, ops))
    }

    pub(crate) fn take(&self, kind: Kind, k: usize) -> Option<Held> {
        Some(match kind {
            Kind::Handle => Held::Handle(self.handles.take(k)?),
            Kind::Sender => Held::Sender(self.senders.take(k)?),
            Kind::Receiver => Held::Receiver(self.receivers.take(k)?),
            Kind::OneshotSender => Held::OneshotSender(self.oneshot_senders.take(k)?),
            Kind::OneshotReceiver => Held::OneshotReceiver(self.oneshot_receivers.take(k)?),
        })
    }

    /// Handles hold the executor's tasks, and their outputs hold the world.
    fn clear(&self) {
        drop(self.handles.0.take());
        drop(self.senders.0.take());
        drop(self.receivers.0.take());
        drop(self.oneshot_senders.0.take());
        drop(self.oneshot_receivers.0.take());
    }
}

/// The virtual time, for those outside of the reactor.
fn now() -> Instant {
    sleep(Duration::ZERO).deadline().expect("now is a time")
}

/// The coroutine itself. What it owns is dropped in this order: what it waits for, what it holds,
/// its life.
async fn fiber(life: Life, ops: Ops) -> Output {
    let mut held = Vec::new();
    for (pc, op) in ops.iter().enumerate() {
        life.log(What::Step(pc));
        step(&life, op, &mut held).await;
    }
    Output { world: life.world.clone(), id: life.id }
}

pub(crate) type Fiber = Pin<Box<dyn Future<Output = Output>>>;

/// Belongs to a coroutine, also before its first poll, and tells of its end.
pub(crate) struct Life {
    pub(crate) world: Rc<World>,
    pub(crate) id: FiberId,
}

impl Life {
    pub(crate) fn log(&self, what: What) {
        self.world.log(self.id, what);
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.log(What::FutureDropped);
    }
}

/// The output of a coroutine; tells when it is dropped.
pub(crate) struct Output {
    world: Rc<World>,
    pub(crate) id: FiberId,
}

impl Drop for Output {
    fn drop(&mut self) {
        self.world.log(self.id, What::OutputDropped);
    }
}

/// What a coroutine holds on to, only to drop it in the end.
#[expect(dead_code, reason = "held to be dropped")]
pub(crate) enum Held {
    Handle(JoinHandle<Output>),
    Sender(Sender<u32>),
    Receiver(Receiver<u32>),
    OneshotSender(OneshotSender<u32>),
    OneshotReceiver(OneshotReceiver<u32>),
}

/// The outermost coroutine, which tells of each poll.
pub(crate) struct Task {
    world: Rc<World>,
    life: FiberId,
    fiber: Fiber,
}

impl Future for Task {
    type Output = Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Output> {
        self.world.log(self.life, What::Poll);
        self.fiber.as_mut().poll(cx)
    }
}

/// Things that all may use.
pub(crate) struct Table<T>(RefCell<Vec<T>>);

impl<T> Table<T> {
    fn new() -> Table<T> {
        Table(RefCell::default())
    }

    pub(crate) fn add(&self, thing: T) {
        self.0.borrow_mut().push(thing);
    }

    pub(crate) fn take(&self, k: usize) -> Option<T> {
        let mut all = self.0.borrow_mut();
        place(all.len(), k).map(|place| all.remove(place))
    }

    pub(crate) fn get(&self, k: usize) -> Option<T>
    where
        T: Clone,
    {
        self.with(k, T::clone)
    }

    pub(crate) fn with<R>(&self, k: usize, f: impl FnOnce(&T) -> R) -> Option<R> {
        let all = self.0.borrow();
        place(all.len(), k).map(|place| f(&all[place]))
    }
}
