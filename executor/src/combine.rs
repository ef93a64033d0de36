//! Futures made of futures: ordinary library code. The executor knows none of them.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::current::report_wait;
use crate::observe::Wait;

/// Lets everybody else who is ready have a turn first.
///
/// The task wakes itself and goes to the end of the ready queue.
///
/// ```
/// # executor::block_on(async {
/// executor::yield_now().await;
/// # });
/// ```
#[track_caller]
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false, at: Location::caller() }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct YieldNow {
    yielded: bool,
    /// The line that waits.
    at: &'static Location<'static>,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        report_wait(Wait::Yield, Some(self.at));
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Runs two futures in one task and waits for both.
///
/// Whenever the task is polled, each of the two that has not ended is polled. Cancelling drops
/// both.
///
/// ```
/// # executor::block_on(async {
/// let (burgers, drinks) = executor::join(async { 2 }, async { "cola" }).await;
/// assert_eq!((burgers, drinks), (2, "cola"));
/// # });
/// ```
pub fn join<A: Future, B: Future>(a: A, b: B) -> Join<A, B> {
    Join { a: Branch::new(a), b: Branch::new(b) }
}

/// The future of [`join`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Join<A: Future, B: Future> {
    a: Branch<A>,
    b: Branch<B>,
}

impl<A: Future, B: Future> Future for Join<A, B> {
    type Output = (A::Output, B::Output);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (a, b) = (self.a.poll(cx), self.b.poll(cx));
        if !(a && b) {
            return Poll::Pending;
        }
        Poll::Ready((self.a.take(), self.b.take()))
    }
}

/// Runs any number of futures in one task and waits for all of them; the outputs come in the
/// order of the futures.
///
/// Every poll of the task polls all that have not ended: right for a handful. For hundreds,
/// [`spawn`](crate::spawn) each one, so that a wake polls only the one it is meant for. Cancelling
/// drops all.
///
/// ```
/// # executor::block_on(async {
/// let orders = executor::join_all((1..=3).map(|n| async move { n * 10 })).await;
/// assert_eq!(orders, [10, 20, 30]);
/// # });
/// ```
pub fn join_all<I>(futures: I) -> JoinAll<I::Item>
where
    I: IntoIterator<Item: Future>,
{
    JoinAll { branches: Some(futures.into_iter().map(Branch::new).collect()) }
}

/// The future of [`join_all`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct JoinAll<F: Future> {
    /// None once they have given their outputs.
    branches: Option<Vec<Branch<F>>>,
}

impl<F: Future> Future for JoinAll<F> {
    type Output = Vec<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let branches = self.branches.as_mut().expect("`JoinAll` polled after completion");
        let mut all = true;
        for branch in &mut *branches {
            all &= branch.poll(cx);
        }
        if !all {
            return Poll::Pending;
        }
        let outputs = branches.iter_mut().map(Branch::take).collect();
        self.branches = None;
        Poll::Ready(outputs)
    }
}

/// Runs two futures in one task until the first of them ends; the other one is dropped.
///
/// If both are ready in the same poll, `a` wins. The loser is dropped before the winner's output
/// is handed out, at the `.await` where it stood. Cancelling drops both.
///
/// ```
/// use executor::Either;
/// # executor::block_on(async {
/// match executor::race(async { "pickup" }, std::future::pending::<()>()).await {
///     Either::Left(how) => assert_eq!(how, "pickup"),
///     Either::Right(()) => unreachable!("`pending` never ends"),
/// }
/// # });
/// ```
pub fn race<A: Future, B: Future>(a: A, b: B) -> Race<A, B> {
    Race { a: Branch::new(a), b: Branch::new(b) }
}

/// The future of [`race`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Race<A: Future, B: Future> {
    a: Branch<A>,
    b: Branch<B>,
}

/// Which of two futures it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first one, with its output.
    Left(A),
    /// The second one, with its output.
    Right(B),
}

impl<T> Either<T, T> {
    /// The output, when it does not matter whose it is.
    pub fn into_inner(self) -> T {
        match self {
            Either::Left(output) | Either::Right(output) => output,
        }
    }
}

impl<A: Future, B: Future> Future for Race<A, B> {
    type Output = Either<A::Output, B::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.a.poll(cx) {
            self.b = Branch::Taken;
            return Poll::Ready(Either::Left(self.a.take()));
        }
        if self.b.poll(cx) {
            self.a = Branch::Taken;
            return Poll::Ready(Either::Right(self.b.take()));
        }
        Poll::Pending
    }
}

/// One future of several in the same task: it runs, then its output waits for the others.
///
/// The future is boxed, so that it can be polled in place and dropped early without `unsafe`.
/// tokio's and futures' macros keep it in the stack frame of the task instead and save the box.
enum Branch<F: Future> {
    Running(Pin<Box<F>>),
    Ended(F::Output),
    Taken,
}

impl<F: Future> Branch<F> {
    fn new(future: F) -> Branch<F> {
        Branch::Running(Box::pin(future))
    }

    /// Polls it unless it has ended; true once it has. The future is dropped as soon as it ends.
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        if let Branch::Running(future) = self
            && let Poll::Ready(output) = future.as_mut().poll(cx)
        {
            *self = Branch::Ended(output);
        }
        !matches!(self, Branch::Running(_))
    }

    fn take(&mut self) -> F::Output {
        match std::mem::replace(self, Branch::Taken) {
            Branch::Ended(output) => output,
            _ => panic!("a combinator was polled after completion"),
        }
    }
}

// Outputs are moved, never pinned; the futures are pinned by their boxes.
impl<F: Future> Unpin for Branch<F> {}

impl<F: Future> fmt::Debug for Branch<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Branch::Running(_) => "Running",
            Branch::Ended(_) => "Ended",
            Branch::Taken => "Taken",
        })
    }
}
