//! Nobody keeps the thread to himself, however busy his socket is.

mod common;

use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use common::{Counter, half_std_pair, run};
use executor::{Either, race, spawn, yield_now};
use reactor::Direction;
use reactor::net::UdpSocket;
use reactor::time::sleep;

#[test]
fn a_socket_that_is_always_ready_lets_others_have_a_turn() {
    run(async || {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (operations, turns) = (Counter::default(), Counter::default());
        let busy = spawn({
            let operations = operations.clone();
            async move {
                loop {
                    socket.io(Direction::Write, |_| Ok(())).await.unwrap();
                    operations.add();
                }
            }
        });
        for _ in 0..100 {
            let before = operations.get();
            yield_now().await;
            turns.add();
            assert!(operations.get() - before <= 128);
        }
        assert!(operations.get() > 1000, "it was busy");
        busy.abort();
    });
}

#[test]
fn a_socket_that_is_always_ready_does_not_stop_the_clock() {
    run(async || {
        let socket = Rc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        for direction in [Direction::Write, Direction::Read] {
            let socket = socket.clone();
            spawn(async move {
                loop {
                    socket.io(direction, |_| Ok(())).await.unwrap();
                }
            });
        }
        // If it is always ready in one direction in this very task, too.
        let busy = async {
            loop {
                socket.io(Direction::Write, |_| Ok(())).await.unwrap();
            }
        };
        let winner: Either<(), ()> = race(busy, sleep(Duration::from_millis(2))).await;
        assert_eq!(winner, Either::Right(()));
    });
}

#[test]
fn a_peer_that_floods_does_not_starve_the_others() {
    run(async || {
        let (ours, mut theirs) = half_std_pair().await;
        let stop = Arc::new(AtomicBool::new(false));
        let flood = thread::spawn({
            let stop = stop.clone();
            move || {
                let block = vec![0; 1 << 16];
                while !stop.load(Relaxed) && theirs.write_all(&block).is_ok() {}
            }
        });
        let received = Counter::default();
        let reader = spawn({
            let received = received.clone();
            async move {
                // So small that the flood is never outrun.
                while ours.read(&mut [0; 1]).await.is_ok_and(|length| length > 0) {
                    received.add();
                }
            }
        });
        // From here on the reader always finds something.
        while received.get() == 0 {
            yield_now().await;
        }
        let (quiet, mut other) = half_std_pair().await;
        for _ in 0..5 {
            sleep(Duration::from_micros(500)).await;
            other.write_all(b"x").unwrap();
            assert_eq!(quiet.read(&mut [0; 8]).await.unwrap(), 1);
        }
        stop.store(true, Relaxed);
        reader.abort();
        let _ = reader.await;
        flood.join().unwrap();
    });
}
