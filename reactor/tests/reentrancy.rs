//! Wakers are foreign code: they may call back into the reactor when they are called or dropped.

mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, RawWaker, RawWakerVTable, Wake, Waker};
use std::time::Duration;

use common::{tcp_pair, turns, waker_fn, watch};
use reactor::blocking::spawn_blocking;
use reactor::net::TcpStream;
use reactor::time::{Sleep, sleep};

const HOUR: Duration = Duration::from_secs(3600);

/// A waker that owns a socket and a sleep, and drops them with itself.
struct Owner(Mutex<Option<(TcpStream, Sleep)>>);

impl Wake for Owner {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().take();
    }
}

async fn owner() -> Waker {
    let (ours, _) = tcp_pair().await;
    let mut asleep = sleep(HOUR);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(std::pin::Pin::new(&mut asleep).poll(&mut cx).is_pending());
    Waker::from(Arc::new(Owner(Mutex::new(Some((ours, asleep))))))
}

#[test]
fn a_waker_may_drop_sockets_and_timers_when_it_is_called() {
    watch(async |world| {
        let (ours, theirs) = tcp_pair().await;
        for _ in 0..3 {
            let waker = owner().await;
            let _ = ours.poll_read(&mut Context::from_waker(&waker), &mut [0; 8]);
        }
        assert_eq!((world.reactor.sources(), world.reactor.timers()), (5, 3));
        theirs.write_all(b"x").await.unwrap();
        while world.reactor.timers() > 0 {
            turns(1).await;
        }
        assert_eq!(world.reactor.sources(), 2);
    });
}

#[test]
fn a_waker_of_a_socket_may_do_so_when_it_is_dropped() {
    watch(async |world| {
        let (ours, _theirs) = tcp_pair().await;
        {
            // Replaced by another one, and then taken back by the future that waited.
            let mut buffer = [0; 8];
            let mut read = pin!(ours.read(&mut buffer));
            for _ in 0..2 {
                let waker = owner().await;
                assert!(read.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            }
            assert_eq!(world.reactor.timers(), 1);
        }
        assert_eq!(world.reactor.timers(), 0);
        let waker = owner().await;
        assert!(ours.poll_read(&mut Context::from_waker(&waker), &mut [0; 8]).is_pending());
        drop(waker);
        drop(ours);
        assert_eq!((world.reactor.sources(), world.reactor.timers()), (1, 0));
    });
}

#[test]
fn a_waker_of_a_timer_may_do_so_when_it_is_dropped() {
    watch(async |world| {
        let mut asleep = Box::pin(sleep(HOUR));
        for _ in 0..2 {
            let waker = owner().await;
            assert!(asleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!(world.reactor.timers(), 2);
        drop(asleep);
        assert_eq!((world.reactor.sources(), world.reactor.timers()), (0, 0));
    });
}

#[test]
#[expect(unsafe_code, reason = "only a waker by hand notices that a copy of it is dropped")]
fn a_waker_that_a_sleep_does_not_need_may_do_so_when_it_is_dropped() {
    static VTABLE: RawWakerVTable = RawWakerVTable::new(copy, nothing, nothing, arm);
    fn copy(data: *const ()) -> RawWaker {
        RawWaker::new(data, &VTABLE)
    }
    fn nothing(_: *const ()) {}
    fn arm(_: *const ()) {
        assert!(pin!(sleep(HOUR)).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    watch(async |world| {
        // SAFETY: the waker owns nothing, and its functions ignore what they are given.
        let waker = unsafe { Waker::new(std::ptr::null(), &VTABLE) };
        let mut cx = Context::from_waker(&waker);
        let mut asleep = Box::pin(sleep(Duration::ZERO));
        assert!(asleep.as_mut().poll(&mut cx).is_pending());
        while world.reactor.timers() > 0 {
            turns(1).await;
        }
        assert!(asleep.as_mut().poll(&mut cx).is_ready(), "the copy for this poll is dropped");
    });
}

#[test]
fn a_waker_of_a_job_may_do_so_when_it_is_dropped() {
    watch(async |world| {
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let mut job = Box::pin(spawn_blocking(move || wait.recv().is_err()));
        for _ in 0..2 {
            let waker = owner().await;
            assert!(job.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!(world.reactor.timers(), 1);
        drop(job);
        assert_eq!((world.reactor.sources(), world.reactor.timers()), (0, 0));
        drop(release);
    });
}

#[test]
fn a_reactor_may_be_dropped_with_such_wakers_in_it() {
    common::within(|| {
        let reactor = reactor::Reactor::new().unwrap();
        let left = common::paired(&reactor, async {
            let (ours, theirs) = tcp_pair().await;
            let waker = owner().await;
            let mut cx = Context::from_waker(&waker);
            assert!(ours.poll_read(&mut cx, &mut [0; 8]).is_pending());
            let mut asleep = Box::pin(sleep(HOUR));
            assert!(asleep.as_mut().poll(&mut cx).is_pending());
            (ours, theirs, asleep)
        });
        drop(reactor);
        drop(left);
    });
}

#[test]
fn a_waker_may_wake_and_arm_what_it_likes() {
    watch(async |world| {
        let (ours, theirs) = tcp_pair().await;
        let armed = Arc::new(Mutex::new(Vec::new()));
        let there = armed.clone();
        let waker = waker_fn(move || {
            let mut asleep = Box::pin(sleep(HOUR));
            assert!(asleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            there.lock().unwrap().push(asleep);
        });
        assert!(ours.poll_read(&mut Context::from_waker(&waker), &mut [0; 8]).is_pending());
        theirs.write_all(b"x").await.unwrap();
        while world.reactor.timers() == 0 {
            turns(1).await;
        }
        armed.lock().unwrap().clear();
        assert_eq!(world.reactor.timers(), 0);
    });
}
