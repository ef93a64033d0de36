//! The program of docs/debuggers-compared.md on our runtime. `on_tokio.rs` is the same on tokio.
//! It prints a line when all are parked, and stays so.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use executor::{Either, Executor, JoinHandle, join, race, spawn};
use reactor::Reactor;
use reactor::net::{TcpListener, TcpStream};
use reactor::time::sleep;

const HOUR: Duration = Duration::from_secs(3600);

fn main() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let _entered = reactor.enter();
    let executor = Executor::new(reactor.waker());
    executor.block_on(stand(), |limit| reactor.turn(limit).expect("epoll works"))
}

async fn stand() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let bar = TcpStream::connect(listener.local_addr()?).await?;
    let (stream, _) = listener.accept().await?;

    let customer = spawn(order(1, stream)).named("customer");
    let friend = spawn(friend(customer)).named("friend");
    spawn(forgetful()).named("forgetful");

    sleep(Duration::from_millis(100)).await;
    bar.write_all(b"!").await?; // wakes the customer, who wants more
    sleep(Duration::from_millis(100)).await;
    println!("all are parked");
    println!("total {}", friend.await.unwrap_or(0));
    Ok(())
}

async fn order(table: u32, bar: TcpStream) -> u32 {
    let (burgers, drink) = join(get_burgers(2), get_drink(bar)).await;
    println!("table {table}: {burgers} burgers, {drink} bytes of drink");
    burgers
}

async fn get_burgers(number: u32) -> u32 {
    let price = 10;
    match race(sleep(HOUR), grill(number)).await {
        Either::Left(()) => 0,
        Either::Right(grilled) => price * grilled,
    }
}

async fn grill(burgers: u32) -> u32 {
    let heat = 200;
    sleep(2 * HOUR).await;
    if heat > 100 { burgers } else { 0 }
}

fn get_drink(bar: TcpStream) -> Pin<Box<dyn Future<Output = usize>>> {
    Box::pin(async move {
        let mut buffer = [0; 8];
        let mut total = 0;
        while total < 1000 {
            total += bar.read(&mut buffer).await.unwrap_or(1000);
        }
        total
    })
}

/// Waits for the task of another.
async fn friend(customer: JoinHandle<u32>) -> u32 {
    customer.await.unwrap_or(0)
}

/// Nobody will ever wake it: it leaves its waker with nobody.
async fn forgetful() {
    let mut polls = 0;
    poll_fn(move |_| {
        polls += 1;
        println!("forgetful: poll {polls}");
        Poll::<()>::Pending
    })
    .await;
}
