//! For the tests of the debugger commands: async fns over which a step could stumble.

use std::io;
use std::time::Duration;

use executor::{Executor, race, spawn, yield_now};
use reactor::Reactor;
use reactor::time::sleep;

fn main() -> io::Result<()> {
    let reactor = Reactor::new()?; // nothing repeats a run by the system's clock
    let _entered = reactor.enter();
    let executor = Executor::new(reactor.waker());
    executor.block_on(all(), |limit| reactor.turn(limit).expect("epoll works"));
    Ok(())
}

async fn all() {
    let told = told().await.unwrap_or(0);
    let wide = wide().await;
    race(slow(), sleep(Duration::from_millis(20))).await;
    let burnt = spawn(burns()).await.is_err();
    println!("{told} {wide} {burnt}");
}

/// Its result has 16 bytes, and does not fit into registers nevertheless.
async fn told() -> Result<u32, io::Error> {
    let number = 1; // told begins
    yield_now().await;
    let next = number + 1; // told goes on
    Ok(next)
}

/// Its frame has several pages: it begins by touching each of them.
async fn wide() -> u32 {
    let plates = [1u8; 12_000]; // wide begins
    yield_now().await;
    let copy = plates; // wide goes on
    yield_now().await;
    copy.iter().map(|&plate| u32::from(plate)).sum()
}

/// It loses its race.
async fn slow() {
    let heat = 200; // slow begins
    sleep(Duration::from_secs(3600)).await;
    println!("{heat}");
}

/// It panics.
async fn burns() -> u8 {
    let plates = [1u8, 2, 3]; // burns begins
    yield_now().await;
    let last = plates.len();
    plates[last] // burns panics
}
