//! What the tests share: a time limit for each, and futures and wakers that can be looked into.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::any::{Any, type_name};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use executor::{block_on, yield_now};

/// Far more than any test needs, so that a busy machine fails none of them. Tools that slow
/// everything down set TEST_TIME_FACTOR to more than 1; those that provoke hangs, to less.
fn limit() -> Duration {
    let factor = std::env::var("TEST_TIME_FACTOR").map_or(1.0, |factor| factor.parse().unwrap());
    Duration::from_secs(20).mul_f64(factor)
}

/// Runs the body of a test on a thread of its own. If it hangs, the test fails by its name.
pub(crate) fn within<R: Send + 'static, F: FnOnce() -> R + Send + 'static>(body: F) -> R {
    limited(test_name::<F>(), body)
}

/// The same, with the body as the main coroutine of an executor.
pub(crate) fn run<R: Send + 'static, F: AsyncFnOnce() -> R + Send + 'static>(body: F) -> R {
    limited(test_name::<F>(), || block_on(body()))
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

/// Runs `body` in a child process that is this very test. In the parent: what it wrote to stderr.
pub(crate) fn stderr_of<F: FnOnce()>(body: F) -> String {
    let name = test_name::<F>();
    if std::env::var("EXECUTOR_TEST_CHILD").is_ok_and(|child| child == name) {
        body();
        std::process::exit(0);
    }
    let child = child(name).output().expect("the test runs itself");
    let stderr = String::from_utf8_lossy(&child.stderr).into_owned();
    assert!(child.status.success(), "the child failed: {stderr}");
    stderr
}

/// The same, with nobody at the other end of stderr.
pub(crate) fn with_closed_stderr<F: FnOnce()>(body: F) {
    let name = test_name::<F>();
    if std::env::var("EXECUTOR_TEST_CHILD").is_ok_and(|child| child == name) {
        body();
        std::process::exit(0);
    }
    let mut child = child(name).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success(), "the child failed");
}

fn child(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env("EXECUTOR_TEST_CHILD", name);
    command
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

/// A place where one task waits until it is let through, with its waker for all to see.
#[derive(Clone, Default)]
pub(crate) struct Gate(Rc<Inside>);

#[derive(Default)]
struct Inside {
    open: Cell<bool>,
    polls: Cell<usize>,
    waker: RefCell<Option<Waker>>,
}

impl Gate {
    pub(crate) fn new() -> Gate {
        Gate::default()
    }

    pub(crate) fn pass(&self) -> Pass {
        Pass(self.clone())
    }

    pub(crate) fn polls(&self) -> usize {
        self.0.polls.get()
    }

    pub(crate) fn waker(&self) -> Waker {
        self.0.waker.borrow().clone().expect("somebody waits at the gate")
    }

    /// Whoever comes by now passes; nobody is woken.
    pub(crate) fn unlock(&self) {
        self.0.open.set(true);
    }

    pub(crate) fn open(&self) {
        self.unlock();
        self.waker().wake();
    }
}

pub(crate) struct Pass(Gate);

impl Future for Pass {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let inside = &*self.0.0;
        inside.polls.set(inside.polls.get() + 1);
        inside.waker.replace(Some(cx.waker().clone()));
        if inside.open.get() { Poll::Ready(()) } else { Poll::Pending }
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

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
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

/// A counter of drops, and values that count on it.
#[derive(Clone, Default)]
pub(crate) struct Drops(Rc<Cell<usize>>);

impl Drops {
    pub(crate) fn new() -> Drops {
        Drops::default()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.get()
    }

    pub(crate) fn token(&self) -> Token {
        Token(self.clone())
    }
}

pub(crate) struct Token(Drops);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.0.set(self.0.0.get() + 1);
    }
}

/// A waker of another make, which counts its calls.
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

/// Ends a park by a message, and counts how often it was asked to.
pub(crate) struct Interrupt {
    calls: AtomicUsize,
    bell: mpsc::Sender<()>,
}

impl Interrupt {
    pub(crate) fn new() -> (Arc<Interrupt>, mpsc::Receiver<()>) {
        let (bell, rung) = mpsc::channel();
        (Arc::new(Interrupt { calls: AtomicUsize::new(0), bell }), rung)
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }
}

impl Wake for Interrupt {
    fn wake(self: Arc<Self>) {
        self.calls.fetch_add(1, SeqCst);
        let _ = self.bell.send(());
    }
}
