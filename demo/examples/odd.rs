//! Coroutines that wait in unusual ways, and many of them: the debugger's commands must cope.
//!
//! It says when all of them are parked, and ends when it reads a line.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::future::{Future, pending, poll_fn};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use executor::{Executor, spawn, yield_now};
use reactor::Reactor;
use reactor::time::{Sleep, sleep};

/// More than the commands read of one executor.
const CROWD: usize = 2100;

fn main() -> io::Result<()> {
    let reactor = Reactor::with_virtual_clock()?;
    let _entered = reactor.enter();
    let executor = Executor::new(reactor.waker());
    executor.block_on(odd(), |limit| reactor.turn(limit).expect("epoll works"));
    Ok(())
}

async fn odd() {
    spawn(pending::<()>()).named("never");
    spawn(greets()).named("two\nlines");
    spawn(slice()).named("slice");
    spawn(pair()).named("pair");
    spawn(Linked { next: std::ptr::null(), here: hours(1) }).named("linked");
    spawn(collections()).named("collections");
    spawn(async { Grill { heat: 200 }.fry().await }).named("method");
    for n in 0..CROWD {
        spawn(pending::<()>()).named(format!("one of many {n}"));
    }
    yield_now().await;
    println!("all are parked");
    let _ = io::stdout().flush();
    let _ = reactor::blocking::spawn_blocking(|| io::stdin().read_line(&mut String::new())).await;
}

fn hours(n: u64) -> Sleep {
    sleep(Duration::from_secs(3600 * n))
}

async fn greets() {
    let greeting = "Ünïcödé\n\"quoted\"".to_owned();
    hours(1).await;
    drop(greeting);
}

/// What of std is written as a person would write it.
async fn collections() {
    let path = PathBuf::from("recipe.txt");
    let (name, system): (&Path, _) = (&path, OsString::from("a \"b\""));
    let shared: Rc<str> = Rc::from("sauce");
    let list = [1u32, 2, 3];
    let (slice, bytes): (&[u32], &[u8]) = (&list, b"bun, patty");
    let mut ring = VecDeque::from([0u8, 1, 2, 3]);
    ring.rotate_left(1);
    let map = HashMap::from([("bun", 1), ("patty", 2)]);
    let (set, tree) = (HashSet::from([1u8]), BTreeMap::from([(1u8, "one")]));
    hours(1).await;
    drop((name, system, shared, slice, bytes, ring, map, set, tree));
}

struct Grill {
    heat: u32,
}

trait Cook {
    async fn fry(&self);
}

impl Cook for Grill {
    async fn fry(&self) {
        hours(1).await;
        assert!(self.heat > 0);
    }
}

/// A boxed slice, as the `join_all` of the crate `futures` has it.
async fn slice() {
    let mut both: Box<[Sleep]> = Box::new([hours(1), hours(2)]);
    poll_fn(|cx| poll_all(both.iter_mut(), cx)).await;
}

/// Futures of which each is in a structure of its own.
async fn pair() {
    let (mut a, mut b) = (Fuse { inner: Some(hours(1)) }, Fuse { inner: Some(hours(2)) });
    poll_fn(|cx| poll_all([&mut a, &mut b].into_iter().filter_map(|one| one.inner.as_mut()), cx))
        .await;
}

struct Fuse {
    inner: Option<Sleep>,
}

/// A list by pointers that ends here.
struct Linked {
    next: *const Linked,
    here: Sleep,
}

impl Future for Linked {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        assert!(self.next.is_null());
        Pin::new(&mut self.here).poll(cx)
    }
}

fn poll_all<'a>(all: impl Iterator<Item = &'a mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    let pending = all.map(|one| Pin::new(one).poll(cx)).filter(Poll::is_pending).count();
    if pending == 0 { Poll::Ready(()) } else { Poll::Pending }
}
