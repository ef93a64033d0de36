//! What the tests share: the pairing of executor and reactor, a time limit for each test, and
//! wakers, logs and child processes to look at things with.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod child;
pub(crate) mod folder;

use std::any::{Any, type_name};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use executor::{Executor, yield_now};
use reactor::Reactor;
use reactor::net::{TcpListener, TcpStream};
use reactor::observe::{By, Event};

/// Far more than any test needs, so that a busy machine fails none of them. Tools that slow
/// everything down set TEST_TIME_FACTOR to more than 1; those that provoke hangs, to less.
fn limit() -> Duration {
    let factor = std::env::var("TEST_TIME_FACTOR").map_or(1.0, |factor| factor.parse().unwrap());
    Duration::from_secs(15).mul_f64(factor)
}

/// Runs the body of a test on a thread of its own. If it hangs, the test fails by its name.
pub(crate) fn within<R: Send + 'static, F: FnOnce() -> R + Send + 'static>(body: F) -> R {
    limited(test_name::<F>(), body)
}

/// The same, with the body as the main coroutine of an executor that parks on a reactor.
pub(crate) fn run<R: Send + 'static, F: AsyncFnOnce() -> R + Send + 'static>(body: F) -> R {
    limited(test_name::<F>(), || paired(&Reactor::new().unwrap(), body()))
}

/// The same, with the reactor, and all that happens in it, for the body to look at.
pub(crate) fn watch<R: Send + 'static, F: AsyncFnOnce(World) -> R + Send + 'static>(body: F) -> R {
    limited(test_name::<F>(), || {
        let world = World::new();
        paired(&world.reactor, body(world.clone()))
    })
}

/// Runs `main` on this thread.
pub(crate) fn paired<F: Future>(reactor: &Reactor, main: F) -> F::Output {
    let _entered = reactor.enter();
    let executor = Executor::new(reactor.waker());
    executor.block_on(main, |limit| reactor.turn(limit).unwrap())
}

fn limited<R: Send + 'static>(name: &str, body: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, end) = mpsc::channel();
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let result = body();
        let _ = done.send(());
        result
    });
    let thread = thread.expect("a thread for the test");
    let limit = limit();
    if let Err(mpsc::RecvTimeoutError::Timeout) = end.recv_timeout(limit) {
        panic!("`{name}` hangs: it is not done after {limit:?}");
    }
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// The test in which the closure `F` stands.
fn test_name<F>() -> &'static str {
    let name = type_name::<F>().trim_end_matches("::{{closure}}");
    name.split_once("::").map_or(name, |(_file, test)| test)
}

/// A reactor that is observed.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) reactor: Rc<Reactor>,
    events: Log<Event>,
}

impl World {
    pub(crate) fn new() -> World {
        let world = World { reactor: Rc::new(Reactor::new().unwrap()), events: Log::new() };
        let events = world.events.clone();
        world.reactor.observe(move |event: &Event| events.push(event.clone()));
        world
    }

    /// What happened since the last look.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.take()
    }

    /// How many wakers a source has called since the last look, and how many waited.
    pub(crate) fn wakes_and_waits(&self) -> (usize, usize) {
        let events = self.events();
        let count = |wanted: fn(&Event) -> bool| events.iter().filter(|e| wanted(e)).count();
        let wakes = count(|event| matches!(event, Event::Waking { by: By::Source { .. } }));
        (wakes, count(|event| matches!(event, Event::Waiting { .. })))
    }
}

/// Two ends of a TCP connection, both on this reactor.
pub(crate) async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (client, server)
}

/// The same, with the other end for blocking use.
pub(crate) async fn half_std_pair() -> (TcpStream, std::net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (ours, _) = listener.accept().await.unwrap();
    (ours, other)
}

/// Runs `f` on another thread and waits for its end.
pub(crate) fn elsewhere<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    thread::spawn(f).join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// The text of the panic, if `f` panics.
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(text_of)
}

pub(crate) fn text_of(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a panic with a text")).to_owned(),
    }
}

/// Everybody who is ready gets `n` turns.
pub(crate) async fn turns(n: usize) {
    for _ in 0..n {
        yield_now().await;
    }
}

/// What happened, in order.
#[derive(Debug)]
pub(crate) struct Log<T>(Rc<RefCell<Vec<T>>>);

impl<T> Log<T> {
    pub(crate) fn new() -> Log<T> {
        Log(Rc::default())
    }

    pub(crate) fn push(&self, entry: T) {
        self.0.borrow_mut().push(entry);
    }

    pub(crate) fn take(&self) -> Vec<T> {
        self.0.take()
    }
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Log<T> {
        Log(self.0.clone())
    }
}

/// A number that several coroutines of one thread count on.
#[derive(Clone, Default)]
pub(crate) struct Counter(Rc<Cell<usize>>);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.set(self.0.get() + 1);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.get()
    }
}

/// A waker that counts its calls.
#[derive(Default)]
pub(crate) struct Calls(AtomicUsize);

impl Calls {
    pub(crate) fn waker() -> (Arc<Calls>, Waker) {
        let calls = Arc::<Calls>::default();
        (calls.clone(), Waker::from(calls))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A waker that does as it is told.
pub(crate) fn waker_fn(f: impl Fn() + Send + Sync + 'static) -> Waker {
    struct Function<F>(F);

    impl<F: Fn() + Send + Sync> Wake for Function<F> {
        fn wake(self: Arc<Self>) {
            (self.0)();
        }
    }

    Waker::from(Arc::new(Function(f)))
}

/// Calls `f` when it is dropped.
pub(crate) fn on_drop<F: FnOnce()>(f: F) -> OnDrop<F> {
    OnDrop(Some(f))
}

pub(crate) struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}
