//! For the tests of the debugger commands: nothing is wrong here, though it looks like it.
//!
//! A thread has woken *rung*, and nobody has a waker of it any more; but the executor has not read that
//! yet. *waiting* had the sender of the channel on which it waits, and has moved it on.

use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use executor::channel::{Receiver, Sender, bounded};
use executor::{Executor, spawn, yield_now};
use reactor::Reactor;
use reactor::time::sleep;

fn main() -> io::Result<()> {
    let reactor = Reactor::with_virtual_clock()?;
    let _entered = reactor.enter();
    let executor = Executor::new(reactor.waker());
    executor.block_on(stand(), |limit| reactor.turn(limit).expect("epoll works"))
}

async fn stand() -> io::Result<()> {
    let (sender, receiver) = bounded(1);
    spawn(waiting(sender, receiver)).named("waiting");
    let bell = Bell::default();
    let rung = spawn(bell.clone()).named("rung");
    yield_now().await;
    yield_now().await;

    let (say, hear) = mpsc::channel();
    thread::spawn(move || {
        ring(&bell);
        let _ = say.send(());
        thread::park(); // with a stack on which a waker was
    });
    let _ = hear.recv();
    println!("all are parked");
    io::stdout().flush()?;
    io::stdin().read_line(&mut String::new())?; // the executor has no time meanwhile
    let _ = rung.await;
    Ok(())
}

async fn waiting(sender: Sender<u32>, receiver: Receiver<u32>) -> Option<u32> {
    spawn(later(Rc::new(sender))).named("later");
    receiver.recv().await
}

async fn later(sender: Rc<Sender<u32>>) {
    sleep(Duration::from_secs(3600)).await;
    let _ = sender.send(1).await;
}

/// Whether it has been rung, and who waits for that.
#[derive(Clone, Default)]
struct Bell(Arc<Mutex<(bool, Option<Waker>)>>);

impl Future for Bell {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut bell = self.0.lock().unwrap();
        if bell.0 {
            return Poll::Ready(());
        }
        bell.1 = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn ring(bell: &Bell) {
    let waker = {
        let mut bell = bell.0.lock().unwrap();
        bell.0 = true;
        bell.1.take()
    };
    waker.expect("it waits").wake();
}
