//! A process that is stopped and goes on, as by a debugger, has had no accident.
#![cfg(unix)]

mod common;

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use common::child::as_child;
use common::{paired, tcp_pair, turns};
use executor::spawn;
use reactor::Reactor;
use reactor::time::sleep;

/// Stops this process, and lets it go on, `times` times.
fn stop_and_go(times: u32) -> Child {
    let me = std::process::id();
    let script = format!(
        "for n in $(seq {times}); do kill -STOP {me}; sleep 0.02; kill -CONT {me}; sleep 0.02; done"
    );
    Command::new("sh").args(["-c", &script]).spawn().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_ends_a_turn_early_and_is_no_error() {
    as_child("", || {
        let reactor = Reactor::new().unwrap();
        let _entered = reactor.enter();
        let start = Instant::now();
        // The first stop may come before the turn has begun.
        let mut stops = stop_and_go(5);
        reactor.turn(Some(Duration::from_secs(10))).unwrap();
        assert!(start.elapsed() < Duration::from_secs(10), "it was interrupted");
        assert!(stops.wait().unwrap().success());
    });
}

#[test]
fn sockets_and_timers_do_not_notice() {
    as_child("", || {
        let mut stops = stop_and_go(5);
        paired(&Reactor::new().unwrap(), async {
            let (ours, theirs) = tcp_pair().await;
            let echo = spawn(async move {
                let mut buffer = [0; 8];
                while let length @ 1.. = theirs.read(&mut buffer).await.unwrap() {
                    theirs.write_all(&buffer[..length]).await.unwrap();
                }
            });
            let start = Instant::now();
            for n in 0..30 {
                sleep(Duration::from_millis(10)).await;
                ours.write_all(&[n]).await.unwrap();
                let mut buffer = [0; 8];
                assert_eq!(ours.read(&mut buffer).await.unwrap(), 1);
                assert_eq!(buffer[0], n);
            }
            assert!(start.elapsed() >= Duration::from_millis(300));
            drop(ours);
            echo.await.unwrap();
            turns(1).await;
        });
        assert!(stops.wait().unwrap().success());
    });
}
