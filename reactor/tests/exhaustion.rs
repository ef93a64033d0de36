//! No file descriptors left: a listener waits for better times, and does not spin.
#![cfg(unix)]

mod common;

use std::cell::Cell;
use std::fs::File;
use std::rc::Rc;
use std::time::Duration;

use common::child::{as_child, limits_can_be_set};
use common::{World, paired};
use executor::{Executor, spawn};
use reactor::Reactor;
use reactor::net::{TcpListener, UnixListener, UnixStream};
use reactor::time::{sleep, timeout};

const FEW: &str = "ulimit -n 24";

/// Takes all file descriptors that are left.
fn hoard() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

#[test]
fn accept_survives_without_file_descriptors_and_does_not_spin() {
    if !limits_can_be_set(FEW) {
        return;
    }
    as_child(FEW, || {
        let reactor = Reactor::new().unwrap();
        let _entered = reactor.enter();
        let parks = Rc::new(Cell::new(0));
        let seen = parks.clone();
        let main = async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut hoarded = hoard();
            hoarded.pop();
            let _client = std::net::TcpStream::connect(address).unwrap();
            assert!(File::open("/dev/null").is_err(), "nothing is left");
            let accepted = spawn(async move { listener.accept().await.map(drop) });
            sleep(Duration::from_millis(250)).await;
            assert!(!accepted.is_finished());
            // Two or three tries and this timer: a loop that spins parks thousands of times.
            assert!(seen.get() < 20, "it looked at the world {} times", seen.get());
            drop(hoarded);
            accepted.await.unwrap().unwrap();
        };
        Executor::new(reactor.waker()).block_on(main, |limit| {
            parks.set(parks.get() + 1);
            reactor.turn(limit).unwrap();
        });
        let ours = cpu_time().unwrap_or_default();
        assert!(ours < Duration::from_millis(200), "it computed for {ours:?}");
    });
}

/// What this process has computed so far, where it can be read.
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<_> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

#[test]
fn a_unix_listener_survives_without_file_descriptors_too() {
    if !limits_can_be_set(FEW) {
        return;
    }
    as_child(FEW, || {
        let world = World::new();
        paired(&world.reactor, async {
            let folder = common::folder::Folder::new();
            let listener = UnixListener::bind(folder.join("socket")).unwrap();
            let mut hoarded = hoard();
            hoarded.pop();
            let _client = UnixStream::connect(folder.join("socket")).await.unwrap();
            let accepted = spawn(async move { listener.accept().await.map(drop) });
            sleep(Duration::from_millis(50)).await;
            assert!(!accepted.is_finished());
            drop(hoarded);
            accepted.await.unwrap().unwrap();
        });
    });
}

#[test]
fn the_others_go_on_while_a_listener_waits_for_file_descriptors() {
    if !limits_can_be_set(FEW) {
        return;
    }
    as_child(FEW, || {
        let world = World::new();
        paired(&world.reactor, async {
            let (a, b) = UnixStream::pair().unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut hoarded = hoard();
            hoarded.pop();
            let _client = std::net::TcpStream::connect(address).unwrap();
            let accepted = spawn(async move { listener.accept().await.map(drop) });
            for _ in 0..100 {
                a.write_all(b"x").await.unwrap();
                assert_eq!(b.read(&mut [0; 8]).await.unwrap(), 1);
            }
            let waits = timeout(Duration::from_millis(150), accepted).await;
            assert!(waits.is_err(), "it waits, and can be given up");
        });
    });
}

#[test]
fn with_no_file_descriptors_new_sockets_and_reactors_are_errors() {
    if !limits_can_be_set(FEW) {
        return;
    }
    as_child(FEW, || {
        let world = World::new();
        paired(&world.reactor, async {
            let hoarded = hoard();
            assert!(Reactor::new().is_err());
            assert!(TcpListener::bind("127.0.0.1:0").await.is_err());
            assert!(UnixStream::pair().is_err());
            assert_eq!(world.reactor.sources(), 0);
            drop(hoarded);
            assert!(UnixStream::pair().is_ok());
        });
    });
}
