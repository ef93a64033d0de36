//! What the tests of the library `watch` share: runs with a time limit, and what was seen of them.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use reactor::Reactor;
use watch::{Event, Kind, Options, Phase, Recorder, What, World};

/// Far more than any test needs. Tools that slow everything down set TEST_TIME_FACTOR.
pub fn limit() -> Duration {
    let factor = std::env::var("TEST_TIME_FACTOR").map_or(1.0, |factor| factor.parse().unwrap());
    Duration::from_secs(20).mul_f64(factor)
}

/// Runs it on a thread of its own, for a limited time.
pub fn within<R: Send + 'static>(body: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, end) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = body();
        let _ = done.send(());
        result
    });
    if let Err(mpsc::RecvTimeoutError::Timeout) = end.recv_timeout(limit()) {
        panic!("it hangs: it is not done after {:?}", limit());
    }
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// What was seen of a run.
pub struct Seen<T> {
    pub output: T,
    pub base: World,
    pub events: Vec<Event>,
    pub now: World,
}

/// Runs `main` with a recorder, on a clock that jumps when all are waiting.
pub fn record<T, F>(main: F) -> Seen<T>
where
    T: Send + 'static,
    F: AsyncFnOnce() -> T + Send + 'static,
{
    record_with(unhurried(), main)
}

/// On a busy machine any poll may take long.
pub fn unhurried() -> Options {
    Options { slow: limit(), ..Options::default() }
}

pub fn record_with<T, F>(options: Options, main: F) -> Seen<T>
where
    T: Send + 'static,
    F: AsyncFnOnce() -> T + Send + 'static,
{
    within(move || {
        let recorder = Recorder::new(options);
        let reactor = Reactor::with_virtual_clock().unwrap();
        let output = recorder.run_on(&reactor, main());
        see(&recorder, output)
    })
}

/// The same on the system's clock.
pub fn record_in_real_time<T, F>(main: F) -> Seen<T>
where
    T: Send + 'static,
    F: AsyncFnOnce() -> T + Send + 'static,
{
    within(move || {
        let recorder = Recorder::new(unhurried());
        let output = recorder.run(main()).unwrap();
        see(&recorder, output)
    })
}

/// The same, and `main` gets the recorder.
pub fn record_itself<F>(main: F) -> Seen<()>
where
    F: AsyncFnOnce(Arc<Recorder>) + Send + 'static,
{
    within(move || {
        let recorder = Recorder::new(unhurried());
        recorder.run(main(recorder.clone())).unwrap();
        see(&recorder, ())
    })
}

pub fn see<T>(recorder: &Recorder, output: T) -> Seen<T> {
    let (base, events) = recorder.recording();
    Seen { output, base, events, now: recorder.now() }
}

impl<T> Seen<T> {
    pub fn whats(&self) -> impl Iterator<Item = &What> {
        self.events.iter().map(|event| &event.what)
    }

    /// What `pick` finds something in.
    pub fn all<'a, R>(&'a self, pick: impl FnMut(&'a What) -> Option<R>) -> Vec<R> {
        self.events.iter().map(|event| &event.what).filter_map(pick).collect()
    }

    pub fn first<'a, R>(&'a self, pick: impl FnMut(&'a What) -> Option<R>) -> R {
        let all = self.all(pick);
        all.into_iter().next().unwrap_or_else(|| panic!("it did not happen: {:#?}", self.events))
    }

    pub fn assert_healthy(&self) {
        assert_eq!(self.diagnoses(), []);
    }

    pub fn diagnoses(&self) -> Vec<(Kind, Option<u64>, &str)> {
        self.all(|what| match what {
            What::Diagnosis { kind, task, text } => Some((*kind, *task, text.as_str())),
            _ => None,
        })
    }

    /// The only diagnosis, which is of this kind.
    pub fn diagnosis(&self, kind: Kind) -> (Option<u64>, &str) {
        match self.diagnoses()[..] {
            [(it, task, text)] if it == kind => (task, text),
            ref others => panic!("not one of {kind:?}, but {others:#?}"),
        }
    }

    /// What was so before and after each event.
    pub fn worlds(&self) -> impl Iterator<Item = (World, &Event, World)> {
        let mut world = self.base.clone();
        self.events.iter().map(move |event| {
            let before = world.clone();
            world.apply(event);
            (before, event, world.clone())
        })
    }
}

/// A world that can be compared.
pub fn print(world: &World) -> String {
    format!("{world:#?}")
}

/// Leaves its waker in a place of ours, and is parked until it is woken once.
pub fn parked_at(place: &Rc<RefCell<Option<Waker>>>) -> impl Future<Output = ()> + use<> {
    let (place, mut parked) = (place.clone(), false);
    poll_fn(move |cx| {
        if parked {
            return Poll::Ready(());
        }
        parked = true;
        *place.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    })
}

/// Is woken by a thread of this name, a moment later.
pub async fn woken_by_thread(name: &str) {
    woken_by_thread_when(name, || true).await;
}

/// The same when everybody sleeps.
pub async fn woken_from_sleep(recorder: Arc<Recorder>) {
    let asleep = move || recorder.now().phase == Phase::Asleep;
    woken_by_thread_when("the cashier", asleep).await;
}

async fn woken_by_thread_when(name: &str, ready: impl Fn() -> bool + Send + 'static) {
    let mut ready = Some(ready);
    let place = Rc::default();
    let (mut future, mut thread) = (Box::pin(parked_at(&place)), None);
    poll_fn(|cx| {
        let poll = future.as_mut().poll(cx);
        if let Some(waker) = place.take() {
            let builder = thread::Builder::new().name(name.to_owned());
            let ready = ready.take().expect("it is parked once");
            let wake = move || {
                while !ready() {
                    thread::yield_now();
                }
                waker.wake();
            };
            thread = Some(builder.spawn(wake).unwrap());
        }
        poll
    })
    .await;
    thread.expect("it was parked").join().unwrap();
}

/// Keeps the thread busy.
pub fn compute(time: Duration) {
    let start = std::time::Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// A recorder, and a run of `main` on a thread of its own. Dropped, it runs to its end.
pub struct Run {
    pub recorder: Arc<Recorder>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Run {
    pub fn of<F>(recorder: Arc<Recorder>, main: F) -> Run
    where
        F: AsyncFnOnce() + Send + 'static,
    {
        let watched = recorder.clone();
        let thread = thread::spawn(move || watched.run(main()).unwrap());
        Run { recorder, thread: Some(thread) }
    }

    pub fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(thread::JoinHandle::is_finished)
    }

    /// Waits until it stands; false if it is over.
    pub fn stands(&self) -> bool {
        self.recorder.wait_until_it_stands(|| self.is_over())
    }

    pub fn join(mut self) {
        self.thread.take().expect("it is joined once").join().unwrap();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.recorder.resume();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
