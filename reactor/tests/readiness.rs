//! Try first, park only on `WouldBlock`: counted at the system calls themselves.
#![cfg(unix)]

mod common;

use std::cell::Cell;
use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::{Calls, run, turns, watch};
use executor::{join, spawn};
use mio::{Interest, Registry, Token, event};
use reactor::net::{Stream, UnixStream};
use reactor::time::timeout;
use reactor::{Async, Direction};

/// A stream that counts its system calls.
struct Counted {
    inner: mio::net::UnixStream,
    reads: Rc<Cell<usize>>,
    writes: Rc<Cell<usize>>,
}

impl Counted {
    fn pair() -> (Async<Counted>, UnixStream) {
        let (inner, other) = mio::net::UnixStream::pair().unwrap();
        let counted = Counted { inner, reads: Rc::default(), writes: Rc::default() };
        (Async::new(counted).unwrap(), Async::new(other).unwrap())
    }
}

impl Stream for Counted {
    const SHORT_READ_TAKES_ALL: bool = true;

    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads.set(self.reads.get() + 1);
        self.inner.try_read(buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.writes.set(self.writes.get() + 1);
        self.inner.try_write(bytes)
    }

    fn try_shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.inner.try_shutdown(how)
    }
}

impl event::Source for Counted {
    fn register(&mut self, to: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.inner.register(to, token, interest)
    }

    fn reregister(&mut self, to: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.inner.reregister(to, token, interest)
    }

    fn deregister(&mut self, from: &Registry) -> io::Result<()> {
        self.inner.deregister(from)
    }
}

/// Whether a stream may wait after a short read or write, without asking.
const TRUSTS_SHORT: bool =
    cfg!(any(target_os = "linux", target_os = "android", target_vendor = "apple"));

#[test]
fn an_operation_that_is_ready_is_one_system_call_and_no_wait() {
    watch(async |world| {
        let (ours, theirs) = Counted::pair();
        theirs.write_all(b"12").await.unwrap();
        world.events();
        for _ in 0..2 {
            assert_eq!(ours.read(&mut [0; 1]).await.unwrap(), 1);
            assert_eq!(ours.write(b"x").await.unwrap(), 1);
        }
        assert_eq!((ours.get_ref().reads.get(), ours.get_ref().writes.get()), (2, 2));
        assert!(world.events().is_empty());
    });
}

#[test]
fn an_operation_that_waits_has_asked_once_however_often_it_is_polled() {
    watch(async |world| {
        let (ours, theirs) = Counted::pair();
        let (calls, waker) = Calls::waker();
        let mut cx = Context::from_waker(&waker);
        world.events();
        for _ in 0..10 {
            assert!(ours.poll_read(&mut cx, &mut [0; 1]).is_pending());
        }
        assert_eq!(ours.get_ref().reads.get(), 1);
        theirs.write_all(b"x").await.unwrap();
        while calls.count() == 0 {
            executor::yield_now().await;
        }
        assert!(matches!(ours.poll_read(&mut cx, &mut [0; 1]), Poll::Ready(Ok(1))));
        assert_eq!((ours.get_ref().reads.get(), calls.count()), (2, 1));
        assert_eq!(world.wakes_and_waits(), (1, 10));
    });
}

#[test]
fn after_a_short_read_the_next_one_waits_without_asking() {
    run(async || {
        let (ours, theirs) = Counted::pair();
        for message in 1..=10 {
            let both = join(ours.read(&mut [0; 64]), theirs.write_all(b"hello")).await;
            assert_eq!((both.0.unwrap(), both.1.unwrap()), (5, ()));
            // The first read found nothing; from then on, one call for each message.
            if TRUSTS_SHORT {
                assert_eq!(ours.get_ref().reads.get(), 1 + message);
            }
        }
    });
}

#[test]
fn a_read_that_fills_the_buffer_leaves_the_source_ready() {
    watch(async |world| {
        let (ours, theirs) = Counted::pair();
        theirs.write_all(b"123456789").await.unwrap();
        world.events();
        for _ in 0..9 {
            ours.read(&mut [0; 1]).await.unwrap();
        }
        assert_eq!(ours.get_ref().reads.get(), 9);
        assert_eq!(world.wakes_and_waits(), (0, 0));
    });
}

#[test]
fn a_write_that_found_no_room_goes_on_when_there_is_some() {
    run(async || {
        let (ours, theirs) = Counted::pair();
        let content = vec![7; 3_000_000];
        let reader = spawn(async move {
            let (mut total, mut buffer) = (0, vec![0; 50_000]);
            while let length @ 1.. = theirs.read(&mut buffer).await.unwrap() {
                total += length;
            }
            total
        });
        ours.write_all(&content).await.unwrap();
        ours.shutdown(Shutdown::Write).unwrap();
        assert_eq!(reader.await.unwrap(), 3_000_000);
        assert!(ours.get_ref().writes.get() > 1, "it all went in one write: nothing was tested");
    });
}

#[test]
fn an_interrupted_call_is_made_again_at_once() {
    watch(async |world| {
        let (ours, _theirs) = Counted::pair();
        let mut attempts = 0;
        world.events();
        let third = ours.io(Direction::Read, |_| {
            attempts += 1;
            if attempts < 3 { Err(io::ErrorKind::Interrupted.into()) } else { Ok(attempts) }
        });
        assert_eq!(third.await.unwrap(), 3);
        assert_eq!(world.wakes_and_waits(), (0, 0));
    });
}

#[test]
fn an_error_comes_out_and_is_no_reason_to_wait() {
    watch(async |world| {
        let (ours, theirs) = Counted::pair();
        world.events();
        let failed = ours.io(Direction::Write, |_| Err::<(), _>(io::ErrorKind::StorageFull.into()));
        assert_eq!(failed.await.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(ours.write(b"still open").await.unwrap(), 10);
        assert_eq!(theirs.read(&mut [0; 64]).await.unwrap(), 10);
        assert_eq!(world.wakes_and_waits(), (0, 0));
    });
}

#[test]
fn reading_waits_though_the_source_is_ready_to_be_written() {
    watch(async |world| {
        let (ours, _theirs) = Counted::pair();
        let (calls, waker) = Calls::waker();
        assert!(ours.poll_read(&mut Context::from_waker(&waker), &mut [0; 1]).is_pending());
        // The socket is writable, and the system says so: the reader sleeps on.
        world.reactor.turn(Some(Duration::ZERO)).unwrap();
        assert_eq!(ours.write(b"x").await.unwrap(), 1);
        assert_eq!((calls.count(), ours.get_ref().reads.get()), (0, 1));
    });
}

#[test]
fn after_the_end_of_the_stream_a_short_read_is_not_taken_for_its_middle() {
    run(async || {
        let (ours, theirs) = Counted::pair();
        // Data and end are both there before the first look: no further event will come.
        theirs.write_all(b"last words").await.unwrap();
        drop(theirs);
        assert_eq!(ours.read(&mut [0; 64]).await.unwrap(), 10);
        for _ in 0..3 {
            assert_eq!(ours.read(&mut [0; 64]).await.unwrap(), 0);
        }
    });
}

#[test]
fn after_a_short_write_the_next_one_waits_without_asking() {
    run(async || {
        let (ours, _theirs) = Counted::pair();
        let mut cx = Context::from_waker(Waker::noop());
        let block = vec![0; 10_000_000];
        let Poll::Ready(Ok(length)) = ours.poll_write(&mut cx, &block) else { panic!("no room") };
        assert!(length < block.len(), "a socket has an end");
        assert!(ours.poll_write(&mut cx, &block).is_pending());
        if TRUSTS_SHORT {
            assert_eq!(ours.get_ref().writes.get(), 1);
        }
    });
}

#[test]
fn the_end_of_a_stream_is_told_whenever_it_is_asked_for() {
    run(async || {
        let (ours, theirs) = Counted::pair();
        drop(theirs);
        // No event has come yet: the end is no short read after which one may wait for it.
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert!(matches!(ours.poll_read(&mut cx, &mut [0; 1]), Poll::Ready(Ok(0))));
        }
    });
}

#[test]
fn after_a_hang_up_a_drained_side_is_asked_again_since_no_event_will_follow() {
    run(async || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut buffer = [0; 1];
        let hang_up = async {
            turns(10).await;
            drop(theirs);
        };
        // The reader waits, so the event has come when it is done.
        assert_eq!(join(ours.read(&mut buffer), hang_up).await.0.unwrap(), 0);
        ours.drained(Direction::Write);
        let error = timeout(Duration::from_secs(1), ours.write(b"x")).await;
        let error = error.expect("it does not wait").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    });
}
