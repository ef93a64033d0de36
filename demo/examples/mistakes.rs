//! Six mistakes, made on purpose, and what is said about each while it runs.
//!
//! ```sh
//! cargo run -p demo --example mistakes
//! ```
//!
//! Each run has a recorder and a thread of its own, for some of them never end: they are left behind
//! as soon as there is a diagnosis. docs/watching.md says how each is known.

use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use executor::channel::{Receiver, Sender, bounded};
use executor::spawn;
use reactor::time::sleep;

type Run = fn() -> Pin<Box<dyn Future<Output = ()>>>;

const MISTAKES: [(&str, Run); 6] = [
    ("a slow poll", || Box::pin(grill())),
    ("a lost wake-up", || Box::pin(forget())),
    ("a deadlock", || Box::pin(deadlock())),
    ("busy polling", || Box::pin(impatient())),
    ("a panic", || Box::pin(panic())),
    ("dropped while awaited", || Box::pin(dropped())),
];

fn main() {
    for (mistake, run) in MISTAKES {
        println!("{mistake}\n  {}\n", diagnosis_of(run));
    }
}

/// Runs it, and returns the first thing that is said about it.
fn diagnosis_of(run: Run) -> String {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let warn = move |diagnosis: &str| drop(tell.send(diagnosis.to_owned()));
        watch::Recorder::with_warnings(watch::Options::default(), warn).run(run())
    });
    told.recv().unwrap_or_else(|_| "nothing is said".to_owned())
}

/// Computes where it should wait, or give way: meanwhile nobody else is polled.
async fn grill() {
    let grill = spawn(async { thread::sleep(Duration::from_millis(150)) }).named("grill");
    let _ = grill.await;
}

/// `pending` gives its waker to nobody.
async fn forget() {
    spawn(pending::<()>()).named("forgetful");
    sleep(Duration::from_millis(10)).await;
}

/// The cook wants a payment first, the cashier a burger.
async fn deadlock() {
    let (pay, payments) = bounded(1);
    let (hand_out, burgers) = bounded(1);
    let cook = spawn(gives(payments, hand_out)).named("cook");
    let cashier = spawn(gives(burgers, pay)).named("cashier");
    let _ = (cook.await, cashier.await);
}

async fn gives(first: Receiver<()>, then: Sender<()>) {
    if first.recv().await.is_some() {
        let _ = then.send(()).await;
    }
}

/// Asks again and again, where it should leave its waker with somebody.
async fn impatient() {
    let mut asked = 0;
    let are_we_there_yet = poll_fn(move |cx| {
        asked += 1;
        cx.waker().wake_by_ref();
        if asked < 5000 { Poll::Pending } else { Poll::Ready(()) }
    });
    let _ = spawn(are_we_there_yet).named("impatient").await;
}

/// Nobody else ends with it. What the panic itself prints is on standard error.
async fn panic() {
    let cook = spawn(async { panic!("the buns are burnt") }).named("cook");
    let burger: Result<(), _> = cook.await;
    burger.expect_err("it has panicked");
}

/// Two share the handle of the cook: one waits, and the other one aborts.
async fn dropped() {
    let cook = spawn(sleep(Duration::from_secs(60))).named("cook");
    let cook = Rc::new(RefCell::new(cook));
    let shared = cook.clone();
    let waiter = poll_fn(move |cx| Pin::new(&mut *shared.borrow_mut()).poll(cx));
    let waiter = spawn(waiter).named("waiter");
    sleep(Duration::from_millis(10)).await;
    cook.borrow().abort();
    let _ = waiter.await;
}
