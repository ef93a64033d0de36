//! Two customers in the same async fn, at the same time: a program to step through.
//!
//! ```sh
//! cargo dbg --example turns
//! (gdb) break turns::eat::{async_fn#0}
//! (gdb) run
//! (gdb) async next
//! ```
//!
//! The clock is a virtual one: it jumps from timer to timer, so nobody has to wait for real.

use std::io;
use std::time::Duration;

use executor::channel::{Sender, bounded};
use executor::{Executor, spawn};
use reactor::Reactor;
use reactor::time::sleep;

fn main() -> io::Result<()> {
    let reactor = Reactor::with_virtual_clock()?;
    let _entered = reactor.enter();
    let executor = Executor::new(reactor.waker());
    let eaten = executor.block_on(table(), |limit| reactor.turn(limit).expect("epoll works"));
    println!("{eaten} bites");
    Ok(())
}

async fn table() -> u32 {
    let (plates, empty) = bounded(1);
    let first = spawn(eat(3, plates.clone())).named("customer 1");
    let second = spawn(eat(2, plates)).named("customer 2");
    let mut stack = 0;
    while let Some(bites) = empty.recv().await {
        stack += bites;
    }
    let (first, second) = (first.await, second.await);
    assert_eq!(stack, first.unwrap_or(0) + second.unwrap_or(0));
    stack
}

async fn eat(burgers: u32, plates: Sender<u32>) -> u32 {
    let mut bites = 0;
    for burger in 0..burgers {
        bites += bite(burger).await;
    }
    if plates.send(bites).await.is_err() {
        return 0; // nobody counts them
    }
    bites
}

async fn bite(burger: u32) -> u32 {
    let chews = 2 + burger;
    sleep(Duration::from_secs(u64::from(chews))).await;
    chews
}
