//! TCP: refused, reset, hung up, half closed.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;

use common::{half_std_pair, run, tcp_pair, turns, watch};
use executor::{join, spawn};
use reactor::net::{TcpListener, TcpStream};

/// Closing with unread data makes a reset of it.
fn reset(theirs: std::net::TcpStream) {
    theirs.peek(&mut [0; 1]).expect("there is unread data");
    drop(theirs);
}

#[test]
fn a_refused_connection_says_so() {
    watch(async |world| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(error.raw_os_error().is_some(), "the system's own error");
        let error = TcpStream::connect(("localhost", address.port())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(world.reactor.sources(), 0);
    });
}

#[test]
fn a_host_that_is_not_known_is_an_error() {
    run(async || {
        // A label of 64 letters is no host name: nobody is asked for it.
        let host = "x".repeat(64);
        assert!(TcpStream::connect((host.as_str(), 80)).await.is_err());
        assert!(TcpListener::bind((host.as_str(), 0)).await.is_err());
        let error = TcpStream::connect("no port").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn an_address_in_use_is_an_error() {
    watch(async |world| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let error = TcpListener::bind(listener.local_addr().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert_eq!(world.reactor.sources(), 1);
    });
}

#[test]
fn half_closed_the_other_direction_goes_on() {
    run(async || {
        let (ours, theirs) = tcp_pair().await;
        theirs.write_all(b"order").await.unwrap();
        theirs.shutdown(Shutdown::Write).unwrap();
        let mut buffer = [0; 64];
        assert_eq!(ours.read(&mut buffer).await.unwrap(), 5);
        assert_eq!(ours.read(&mut buffer).await.unwrap(), 0);
        for _ in 0..10 {
            ours.write_all(b"burger").await.unwrap();
            assert_eq!(theirs.read(&mut buffer).await.unwrap(), 6);
        }
    });
}

#[test]
fn data_and_end_that_arrive_together_are_both_read() {
    run(async || {
        for _ in 0..50 {
            let (ours, mut theirs) = half_std_pair().await;
            let reader = spawn(async move {
                let mut buffer = [0; 64];
                let first = ours.read(&mut buffer).await.unwrap();
                (first, ours.read(&mut buffer).await.unwrap())
            });
            // The reader is parked, or has not been polled at all: both happen to people.
            turns(1).await;
            theirs.write_all(b"goodbye").unwrap();
            drop(theirs);
            assert_eq!(reader.await.unwrap(), (7, 0));
        }
    });
}

#[test]
fn an_end_that_comes_after_a_short_read_wakes_the_reader() {
    run(async || {
        let (ours, mut theirs) = half_std_pair().await;
        theirs.write_all(b"goodbye").unwrap();
        assert_eq!(ours.read(&mut [0; 64]).await.unwrap(), 7);
        let reader = spawn(async move { ours.read(&mut [0; 64]).await.unwrap() });
        turns(100).await;
        assert!(!reader.is_finished());
        theirs.shutdown(Shutdown::Write).unwrap();
        assert_eq!(reader.await.unwrap(), 0);
    });
}

#[test]
fn an_end_that_comes_between_a_short_read_and_the_next_is_seen() {
    run(async || {
        let (ours, mut theirs) = half_std_pair().await;
        theirs.write_all(b"goodbye").unwrap();
        assert_eq!(ours.read(&mut [0; 64]).await.unwrap(), 7);
        drop(theirs);
        assert_eq!(ours.read(&mut [0; 64]).await.unwrap(), 0);
    });
}

#[test]
#[cfg_attr(windows, ignore = "wine tells a reset as the end of the stream")]
fn a_reset_wakes_the_reader_with_its_error() {
    run(async || {
        let (ours, theirs) = half_std_pair().await;
        ours.write_all(b"unread").await.unwrap();
        let ours = Rc::new(ours);
        let parked = spawn({
            let ours = ours.clone();
            async move { ours.read(&mut [0; 64]).await }
        });
        turns(10).await;
        reset(theirs);
        let error = parked.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        // From then on nothing hangs.
        assert_eq!(ours.read(&mut [0; 64]).await.unwrap_or(0), 0);
        assert!(ours.write(b"x").await.is_err());
    });
}

#[test]
fn a_hang_up_wakes_the_writer_with_an_error() {
    run(async || {
        let (ours, theirs) = half_std_pair().await;
        let writer = spawn(async move { ours.write_all(&vec![0; 20_000_000]).await });
        turns(100).await;
        assert!(!writer.is_finished(), "it waits for room");
        reset(theirs);
        let error = writer.await.unwrap().unwrap_err();
        let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
        assert!(kinds.contains(&error.kind()), "{error:?}");
    });
}

#[test]
fn a_hang_up_wakes_reader_and_writer() {
    run(async || {
        let (ours, theirs) = half_std_pair().await;
        let ours = Rc::new(ours);
        let reader = spawn({
            let ours = ours.clone();
            async move { ours.read(&mut [0; 64]).await }
        });
        let writer = spawn(async move { ours.write_all(&vec![0; 20_000_000]).await });
        turns(100).await;
        assert!(!reader.is_finished() && !writer.is_finished());
        reset(theirs);
        let (read, written) = join(reader, writer).await;
        assert!(read.unwrap().unwrap_or(0) == 0);
        assert!(written.unwrap().is_err());
    });
}

#[test]
fn a_connection_that_breaks_off_before_it_is_taken_does_not_harm_the_listener() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        for _ in 0..10 {
            drop(std::net::TcpStream::connect(address).unwrap());
        }
        let last = TcpStream::connect(address).await.unwrap();
        // The system may hand the broken ones out or not.
        while listener.accept().await.unwrap().1 != last.local_addr().unwrap() {}
    });
}

#[test]
#[cfg(target_os = "linux")]
fn an_error_of_a_connection_that_was_to_be_taken_is_not_the_listeners() {
    use common::child::{as_child, limits_can_be_set};

    // Linux hardly ever says so by itself. (Nobody can look for leaks in what strace holds.)
    let refuse = "strace -f -qq -o /dev/null -e trace=accept4 -e inject=accept4:error=ECONNABORTED";
    if !limits_can_be_set(&format!("{refuse} true")) {
        return;
    }
    let setup = format!("export ASAN_OPTIONS=detect_leaks=0; set -- {refuse}:when=1+2 \"$@\"");
    as_child(&setup, || {
        common::paired(&reactor::Reactor::new().unwrap(), async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let connect = || std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let _clients = (connect(), connect());
            // The first and the third call fail; to see that, two are made by hand.
            listener.get_ref().accept().unwrap_err();
            listener.get_ref().accept().unwrap();
            listener.accept().await.unwrap();
        });
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_connection_that_is_not_there_yet_is_waited_for() {
    use reactor::time::timeout;
    use std::time::Duration;

    run(async || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // More than may wait to be accepted. Linux lets no further one in, and says nothing.
        let connect = |_| mio::net::TcpStream::connect(address).unwrap();
        let _line: Vec<_> = (0..200).map(connect).collect();
        let connected = timeout(Duration::from_millis(20), TcpStream::connect(address)).await;
        assert!(connected.is_err(), "it has neither connected nor failed: {connected:?}");
    });
}

#[test]
#[cfg(target_os = "linux")]
fn an_error_of_the_listener_itself_ends_the_accept() {
    use reactor::{Async, time::timeout};
    use std::{os::fd::OwnedFd, time::Duration};

    run(async || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        // Linux lets a listener be shut down: from then on `accept` is EINVAL.
        let same = std::net::TcpStream::from(OwnedFd::from(listener.try_clone().unwrap()));
        let listener = Async::new(mio::net::TcpListener::from_std(listener)).unwrap();
        same.shutdown(Shutdown::Both).unwrap();
        let error = timeout(Duration::from_secs(1), listener.accept()).await;
        let error = error.expect("it does not try again").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
#[cfg(unix)]
fn shutting_down_the_reading_side_wakes_the_own_reader() {
    run(async || {
        let (ours, _theirs) = half_std_pair().await;
        let ours = Rc::new(ours);
        let reader = spawn({
            let ours = ours.clone();
            async move { ours.read(&mut [0; 64]).await.unwrap() }
        });
        turns(10).await;
        ours.shutdown(Shutdown::Read).unwrap();
        assert_eq!(reader.await.unwrap(), 0);
    });
}

#[test]
fn what_a_peer_sent_before_it_left_is_read_to_the_end() {
    run(async || {
        let (ours, mut theirs) = half_std_pair().await;
        theirs.write_all(&vec![5; 100_000]).unwrap();
        drop(theirs);
        let (mut total, mut buffer) = (0, [0; 1000]);
        while let length @ 1.. = ours.read(&mut buffer).await.unwrap() {
            total += length;
        }
        assert_eq!(total, 100_000);
    });
}

#[test]
fn dropping_a_stream_ends_the_other_side() {
    run(async || {
        let (ours, mut theirs) = half_std_pair().await;
        ours.write_all(b"bye").await.unwrap();
        drop(ours);
        let mut text = String::new();
        theirs.read_to_string(&mut text).unwrap();
        assert_eq!(text, "bye");
    });
}
