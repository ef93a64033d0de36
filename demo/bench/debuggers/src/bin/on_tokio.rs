//! The program of docs/debuggers-compared.md on tokio. `on_ours.rs` is the same on our runtime.
//! It prints a line when all are parked, and stays so.
//!
//!     on-tokio            one thread
//!     on-tokio threads    tokio's runtime of several threads, here two
//!     on-tokio dump       tokio's own task dump is printed, too (needs the feature `taskdump`)

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::spawn;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(3600);

fn main() -> io::Result<()> {
    let runtime = if is_asked_for("threads") {
        Builder::new_multi_thread().worker_threads(2).enable_all().build()?
    } else {
        Builder::new_current_thread().enable_all().build()?
    };
    runtime.block_on(stand())
}

fn is_asked_for(word: &str) -> bool {
    std::env::args().any(|argument| argument == word)
}

async fn stand() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut bar = TcpStream::connect(listener.local_addr()?).await?;
    let (stream, _) = listener.accept().await?;

    let customer = spawn(order(1, stream));
    let friend = spawn(friend(customer));
    spawn(forgetful());

    sleep(Duration::from_millis(100)).await;
    bar.write_all(b"!").await?; // wakes the customer, who wants more
    sleep(Duration::from_millis(100)).await;
    println!("all are parked");
    #[cfg(feature = "taskdump")]
    if is_asked_for("dump") {
        dump().await;
    }
    println!("total {}", friend.await.unwrap_or(0));
    Ok(())
}

#[cfg(feature = "taskdump")]
async fn dump() {
    let dump = tokio::runtime::Handle::current().dump().await;
    for task in dump.tasks().iter() {
        println!("task {}:\n{}", task.id(), task.trace());
    }
    println!("that was the dump");
}

async fn order(table: u32, bar: TcpStream) -> u32 {
    let (burgers, drink) = tokio::join!(get_burgers(2), get_drink(bar));
    println!("table {table}: {burgers} burgers, {drink} bytes of drink");
    burgers
}

async fn get_burgers(number: u32) -> u32 {
    let price = 10;
    tokio::select! {
        () = sleep(HOUR) => 0,
        grilled = grill(number) => price * grilled,
    }
}

async fn grill(burgers: u32) -> u32 {
    let heat = 200;
    sleep(2 * HOUR).await;
    if heat > 100 { burgers } else { 0 }
}

fn get_drink(mut bar: TcpStream) -> Pin<Box<dyn Future<Output = usize> + Send>> {
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
