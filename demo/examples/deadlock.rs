//! An exercise: everybody waits, and nobody moves. Who waits for whom?
//!
//! ```sh
//! cargo run -p demo --example deadlock         # and in another terminal, with its number:
//! gdb -q -x executor/debugger/for_gdb.py -p 1234
//! (gdb) async tasks
//! (gdb) async why cook
//! ```
//!
//! The cook hands out a burger when the cashier has a payment; the cashier takes a payment when the
//! cook has a burger. docs/debugging.md has the solution.

use executor::channel::{Receiver, Sender, bounded};
use executor::{Executor, spawn};
use reactor::Reactor;

fn main() -> std::io::Result<()> {
    println!("process {}", std::process::id());
    let reactor = Reactor::with_virtual_clock()?;
    let _entered = reactor.enter();
    let executor = Executor::new(reactor.waker());
    executor.block_on(stand(), |limit| reactor.turn(limit).expect("epoll works"));
    Ok(())
}

async fn stand() {
    let (pay, payments) = bounded::<u32>(1);
    let (hand_out, burgers) = bounded::<&str>(1);
    let cook = spawn(cook(payments, hand_out)).named("cook");
    let cashier = spawn(cashier(burgers, pay)).named("cashier");
    let _ = (cook.await, cashier.await);
    println!("one burger sold");
}

async fn cook(payments: Receiver<u32>, hand_out: Sender<&str>) {
    if payments.recv().await.is_some() {
        let _ = hand_out.send("burger").await;
    }
}

async fn cashier(burgers: Receiver<&str>, pay: Sender<u32>) {
    let price = 10;
    if burgers.recv().await.is_some() {
        let _ = pay.send(price).await;
    }
}
