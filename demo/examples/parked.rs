//! One coroutine parked on each kind of thing there is, to look at with a debugger.
//!
//! ```sh
//! cargo dbg -p demo --example parked        # then: run, Ctrl-C, async tasks
//! cargo run --example parked                # and in another terminal: executor/debugger/async-spy PID
//! ```
//!
//! It says when all of them are parked, and ends when it reads a line. The clock is a virtual one,
//! which stands still as long as a blocking job runs: so it shows the same times whenever you look.

use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Barrier;
use std::task::Poll;
use std::time::Duration;

use executor::channel::{OneshotReceiver, bounded, oneshot};
use executor::{Either, Executor, JoinHandle, join, join_all, race, spawn};
use reactor::Reactor;
use reactor::blocking::spawn_blocking;
use reactor::net::{TcpListener, TcpStream, UdpSocket};
use reactor::time::{sleep, timeout};

/// The blocking job runs, and is not in line any more.
static COOKING: Barrier = Barrier::new(2);

fn main() -> io::Result<()> {
    let reactor = Reactor::with_virtual_clock()?;
    let _entered = reactor.enter();
    let executor = Executor::new(reactor.waker());
    let mut said = false;
    executor.block_on(stand(), |limit| {
        if limit.is_none() && !said {
            said = true;
            COOKING.wait();
            println!("all are parked; a line ends it");
            let _ = io::stdout().flush();
        }
        reactor.turn(limit).expect("epoll works");
    })
}

async fn stand() -> io::Result<()> {
    let cook = spawn(cook()).named("cook");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    spawn(door(listener)).named("door");
    spawn(connection(server)).named("connection");

    let order = Order { table: 1, burgers: 2 };
    let customer = spawn(read_results(order)).named("customer 1");
    spawn(friend(customer)).named("friend");
    spawn(radio()).named("radio");
    spawn(boxes()).named("boxes");
    spawn(many()).named("many");

    // Both ends are held by tasks: one waits for the other's word.
    let (orders, tickets) = bounded::<u32>(1);
    spawn(async move { while tickets.recv().await.is_some() {} }).named("grill");
    let (full, _nobody_reads) = bounded(1);
    spawn(async move {
        for n in 0.. {
            full.send(n).await.unwrap();
        }
    })
    .named("till");
    let (bell, rung) = oneshot::<()>();
    spawn(rings(rung)).named("waiter");

    spawn(forgetful()).named("forgetful");
    deadlock();

    let cooked = cook.await;
    drop((client, orders, bell));
    cooked.map_err(|error| io::Error::other(error.to_string()))
}

#[derive(Debug)]
struct Order {
    table: u32,
    burgers: u32,
}

/// A blocking job: it waits for a line, or the end, of the standard input.
async fn cook() {
    let line = spawn_blocking(|| {
        COOKING.wait();
        io::stdin().read_line(&mut String::new())
    });
    let _ = line.await;
}

async fn door(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        drop(stream);
    }
}

/// The one word that a oneshot channel is for.
async fn rings(bell: OneshotReceiver<()>) {
    bell.await;
}

/// A socket that nobody writes to.
async fn connection(stream: TcpStream) -> io::Result<usize> {
    let stream = Rc::new(stream);
    let mut buffer = [0; 64];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(total),
            length => total += length,
        }
    }
}

async fn radio() -> io::Result<usize> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let mut buffer = [0; 64];
    let (length, _) = socket.recv_from(&mut buffer).await?;
    Ok(length)
}

/// A tree: two things at once, of which one is a race, of which one has a time limit.
async fn read_results(order: Order) -> u32 {
    let clerk = async {
        sleep(Duration::from_secs(60)).await;
        "a receipt"
    };
    let (burgers, receipt) = join(get_burgers(&order), clerk).await;
    println!("table {}: {burgers} burgers and {receipt}", order.table);
    burgers
}

async fn get_burgers(order: &Order) -> u32 {
    let price = 10;
    let music = sleep(Duration::from_secs(90));
    match race(music, timeout(Duration::from_secs(180), grill(order.burgers))).await {
        Either::Left(()) => 0,
        Either::Right(grilled) => price * grilled.unwrap_or(0),
    }
}

async fn grill(burgers: u32) -> u32 {
    let heat = 200;
    sleep(Duration::from_secs(120)).await;
    if heat > 100 { burgers } else { 0 }
}

/// Waits for the task of another.
async fn friend(customer: JoinHandle<u32>) -> u32 {
    customer.await.unwrap_or(0)
}

/// Boxes, `dyn`, recursion, and a future made by hand.
async fn boxes() {
    let mut several: Vec<Pin<Box<dyn Future<Output = u32>>>> =
        vec![Box::pin(countdown(2)), Box::pin(grill(7))];
    poll_fn(|cx| {
        let pending =
            several.iter_mut().map(|one| one.as_mut().poll(cx)).filter(Poll::is_pending).count();
        if pending == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

fn countdown(n: u32) -> Pin<Box<dyn Future<Output = u32>>> {
    Box::pin(async move {
        if n == 0 {
            sleep(Duration::from_secs(3600)).await;
            return 0;
        }
        countdown(n - 1).await + 1
    })
}

async fn many() -> usize {
    join_all((1..=3).map(grill)).await.len()
}

/// Nobody will ever wake it: it returns `Pending` and has left its waker with nobody.
async fn forgetful() {
    poll_fn(|_| Poll::<()>::Pending).await;
}

/// Two tasks, each of which waits for the other one to end.
fn deadlock() {
    let (give, take) = oneshot::<JoinHandle<()>>();
    let after_you = spawn(async move {
        if let Some(other) = take.await {
            let _ = other.await;
        }
    })
    .named("after you");
    let no_after_you = spawn(async move {
        let _ = after_you.await;
    })
    .named("no, after you");
    let _ = give.send(no_after_you);
}
