//! An exercise: one coroutine waits for ever. Which, and why?
//!
//! ```sh
//! cargo run -p demo --example lost_wake_up     # and in another terminal, with its number:
//! gdb -q -x executor/debugger/for_gdb.py -p 1234
//! (gdb) async tasks
//! (gdb) async wakers customer
//! ```
//!
//! The bell of a counter, written by hand. It rings, and still the customer is not served.
//! docs/debugging.md has the solution.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use executor::{Executor, spawn};
use reactor::Reactor;
use reactor::time::sleep;

fn main() -> std::io::Result<()> {
    println!("process {}", std::process::id());
    let reactor = Reactor::with_virtual_clock()?;
    let _entered = reactor.enter();
    let executor = Executor::new(reactor.waker());
    executor.block_on(counter(), |limit| reactor.turn(limit).expect("epoll works"));
    Ok(())
}

async fn counter() {
    let rung = Rc::new(Cell::new(false));
    let customer = spawn(customer(Rung(rung.clone()))).named("customer");
    sleep(Duration::from_secs(60)).await;
    rung.set(true);
    println!("the bell rings");
    customer.await.expect("the customer does not panic");
    println!("served");
}

async fn customer(bell: Rung) {
    let burgers = 2;
    bell.await;
    println!("{burgers} burgers");
}

/// Ready as soon as the bell has rung.
struct Rung(Rc<Cell<bool>>);

impl Future for Rung {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        if self.0.get() { Poll::Ready(()) } else { Poll::Pending }
    }
}
