//! No diagnosis where nothing is wrong: a false alarm is worse than none. And the switch.

mod watching;

use std::future::{pending, poll_fn};
use std::sync::Mutex;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use executor::channel::bounded;
use executor::{race, spawn, yield_now};
use reactor::net::{TcpListener, TcpStream};
use reactor::time::sleep;
use watch::{Kind, Options, What};
use watching::{record, record_in_real_time, record_with};

#[test]
fn wakers_that_a_static_keeps_are_all_right() {
    static PLACE: Mutex<Option<Waker>> = Mutex::new(None);
    let seen = record_in_real_time(async || {
        let mut parked = false;
        let pressed = poll_fn(move |cx| {
            if std::mem::replace(&mut parked, true) {
                return Poll::Ready(());
            }
            *PLACE.lock().unwrap() = Some(cx.waker().clone());
            Poll::Pending
        });
        let waits = spawn(pressed);
        sleep(Duration::from_millis(5)).await;
        let waker = PLACE.lock().unwrap().take().unwrap();
        thread::spawn(move || waker.wake()).join().unwrap();
        waits.await.unwrap();
    });
    seen.assert_healthy();
}

#[test]
fn ten_thousand_idle_coroutines_are_all_right() {
    let seen = record(async || {
        let (_sender, receiver) = bounded::<()>(1);
        for n in 0..10_000_u64 {
            let receiver = receiver.clone();
            spawn(async move {
                match n % 2 {
                    0 => sleep(Duration::from_secs(n)).await,
                    _ => drop(receiver.recv().await),
                }
            });
        }
        sleep(Duration::from_secs(20_000)).await;
    });
    seen.assert_healthy();
}

#[test]
fn channels_that_a_socket_feeds_are_all_right() {
    let seen = record_in_real_time(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, receiver) = bounded(1);
        let reads = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut bytes = [0; 16];
            while let Ok(n @ 1..) = stream.read(&mut bytes).await {
                sender.send(n).await.unwrap();
            }
        });
        let counts = spawn(async move {
            let mut sum = 0;
            while let Some(n) = receiver.recv().await {
                sum += n;
            }
            sum
        });
        let stream = TcpStream::connect(address).await.unwrap();
        for _ in 0..50 {
            stream.write_all(b"burger").await.unwrap();
            yield_now().await;
        }
        drop(stream);
        reads.await.unwrap();
        assert_eq!(counts.await.unwrap(), 300);
    });
    seen.assert_healthy();
}

#[test]
fn a_socket_that_is_never_dry_is_no_circle() {
    let seen = record_in_real_time(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let writes = thread::spawn(move || {
            use std::io::Write;
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(&vec![1; 8 << 20]).unwrap();
        });
        let (stream, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 32];
        while let Ok(1..) = stream.read(&mut bytes).await {}
        writes.join().unwrap();
    });
    assert!(!seen.diagnoses().iter().any(|it| it.0 == Kind::BusyPolling));
}

#[test]
fn it_can_be_switched_off() {
    let options = Options { diagnose: false, slow: Duration::ZERO, ..Options::default() };
    let seen = record_with(options, async || {
        spawn(pending::<()>());
        sleep(Duration::from_secs(1)).await;
    });
    seen.assert_healthy();
    let lost = seen.whats().any(|what| matches!(what, What::Lost { .. }));
    assert!(lost, "the events are there all the same");
}

#[test]
fn a_wait_for_a_stranger_beside_a_channel_is_no_deadlock() {
    static PLACE: Mutex<Option<Waker>> = Mutex::new(None);
    let seen = record_in_real_time(async || {
        let (_sender, receiver) = bounded::<()>(1);
        let mut parked = false;
        let stranger = poll_fn(move |cx| {
            if parked {
                return Poll::Ready(());
            }
            parked = true;
            *PLACE.lock().unwrap() = Some(cx.waker().clone());
            thread::spawn(|| {
                let waker = PLACE.lock().unwrap().take();
                waker.unwrap().wake();
            });
            Poll::Pending
        });
        race(receiver.recv(), stranger).await;
    });
    seen.assert_healthy();
}
