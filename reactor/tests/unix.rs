//! Unix domain sockets.
#![cfg(unix)]

mod common;

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::rc::Rc;

use common::folder::Folder;
use common::{run, turns, watch};
use executor::{join, join_all, spawn};
use reactor::net::{UnixDatagram, UnixListener, UnixStream};

#[test]
fn a_connection_at_a_path_carries_both_ways() {
    run(async || {
        let folder = Folder::new();
        let listener = UnixListener::bind(folder.join("socket")).unwrap();
        let connect = UnixStream::connect(folder.join("socket"));
        let (accepted, client) = join(listener.accept(), connect).await;
        let ((server, _), client) = (accepted.unwrap(), client.unwrap());
        let mut buffer = [0; 8];
        for _ in 0..10 {
            let (length, written) = join(server.read(&mut buffer), client.write_all(b"to")).await;
            assert_eq!((length.unwrap(), written.unwrap()), (2, ()));
            let (length, written) = join(client.read(&mut buffer), server.write_all(b"fro")).await;
            assert_eq!((length.unwrap(), written.unwrap()), (3, ()));
        }
    });
}

#[test]
fn several_tasks_accept_on_one_path() {
    run(async || {
        let folder = Folder::new();
        let listener = Rc::new(UnixListener::bind(folder.join("socket")).unwrap());
        let acceptors: Vec<_> = (0..4)
            .map(|_| {
                let listener = listener.clone();
                spawn(async move { listener.accept().await.map(drop) })
            })
            .collect();
        turns(10).await;
        for _ in 0..4 {
            UnixStream::connect(folder.join("socket")).await.unwrap();
        }
        for accepted in join_all(acceptors).await {
            accepted.unwrap().unwrap();
        }
    });
}

#[test]
#[cfg(target_os = "linux")]
fn where_too_many_wait_to_be_accepted_one_waits_to_be_let_in_line() {
    run(async || {
        let folder = Folder::new();
        let listener = UnixListener::bind(folder.join("socket")).unwrap();
        let connect = |_| mio::net::UnixStream::connect(folder.join("socket")).ok();
        let line: Vec<_> = (0..100_000).map_while(connect).collect();
        let accept_all = async {
            turns(10).await;
            for _ in 0..=line.len() {
                listener.accept().await.unwrap();
            }
        };
        join(UnixStream::connect(folder.join("socket")), accept_all).await.0.unwrap();
    });
}

#[test]
fn nobody_at_the_path_is_an_error() {
    watch(async |world| {
        let folder = Folder::new();
        let error = UnixStream::connect(folder.join("nothing")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let listener = UnixListener::bind(folder.join("socket")).unwrap();
        let error = UnixListener::bind(folder.join("socket")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        drop(listener);
        // The file stays, as the documentation says, but nobody listens.
        let error = UnixStream::connect(folder.join("socket")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(world.reactor.sources(), 0);
    });
}

#[test]
fn an_accept_by_hand_gives_the_connection() {
    run(async || {
        let folder = Folder::new();
        let listener = UnixListener::bind(folder.join("socket")).unwrap();
        let accept = poll_fn(|cx| listener.poll_accept(cx));
        let (accepted, client) = join(accept, UnixStream::connect(folder.join("socket"))).await;
        drop(client);
        assert_eq!(accepted.unwrap().0.read(&mut [0; 1]).await.unwrap(), 0);
    });
}

#[test]
fn megabytes_go_through_a_pair() {
    run(async || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let content: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
        let expected = content.clone();
        let writer = spawn(async move { ours.write_all(&content).await.unwrap() });
        let (mut received, mut buffer) = (Vec::new(), vec![0; 7777]);
        while let length @ 1.. = theirs.read(&mut buffer).await.unwrap() {
            received.extend_from_slice(&buffer[..length]);
        }
        writer.await.unwrap();
        assert!(received == expected);
    });
}

#[test]
fn the_halves_of_a_pair_end_one_by_one() {
    run(async || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (reader, writer) = ours.into_split();
        let parked = spawn(async move { reader.read(&mut [0; 8]).await.unwrap() });
        turns(10).await;
        drop(writer);
        assert_eq!(theirs.read(&mut [0; 8]).await.unwrap(), 0);
        assert!(!parked.is_finished());
        theirs.write_all(b"still here").await.unwrap();
        assert_eq!(parked.await.unwrap(), 8);
        assert_eq!(theirs.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_hang_up_wakes_reader_and_writer() {
    run(async || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let ours = Rc::new(ours);
        let reader = spawn({
            let ours = ours.clone();
            async move { ours.read(&mut [0; 8]).await }
        });
        let writer = spawn(async move { ours.write_all(&vec![0; 5_000_000]).await });
        turns(100).await;
        assert!(!reader.is_finished() && !writer.is_finished());
        drop(theirs);
        // With unread data in it, Linux reports a reset, others the end.
        assert_eq!(reader.await.unwrap().unwrap_or(0), 0);
        let error = writer.await.unwrap().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset));
    });
}

#[test]
fn a_stream_is_half_closed() {
    run(async || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.write_all(b"last").await.unwrap();
        ours.shutdown(Shutdown::Write).unwrap();
        let mut buffer = [0; 8];
        assert_eq!(theirs.read(&mut buffer).await.unwrap(), 4);
        assert_eq!(theirs.read(&mut buffer).await.unwrap(), 0);
        let (length, written) = join(ours.read(&mut buffer), theirs.write_all(b"on")).await;
        assert_eq!((length.unwrap(), written.unwrap()), (2, ()));
    });
}

#[test]
fn datagrams_go_from_path_to_path() {
    run(async || {
        let folder = Folder::new();
        let ours = UnixDatagram::bind(folder.join("ours")).unwrap();
        let theirs = UnixDatagram::bind(folder.join("theirs")).unwrap();
        let (path, mut buffer) = (folder.join("theirs"), [0; 8]);
        let (received, sent) =
            join(theirs.recv_from(&mut buffer), ours.send_to(b"note", &path)).await;
        let (length, from) = received.unwrap();
        assert_eq!((length, sent.unwrap()), (4, 4));
        assert_eq!(from.as_pathname(), Some(folder.join("ours").as_path()));
    });
}

#[test]
fn a_datagram_socket_without_a_name_can_be_connected() {
    run(async || {
        let folder = Folder::new();
        let theirs = UnixDatagram::bind(folder.join("theirs")).unwrap();
        let ours = UnixDatagram::unbound().unwrap();
        assert!(ours.connect(folder.join("nobody")).is_err());
        ours.connect(folder.join("theirs")).unwrap();
        ours.send(b"note").await.unwrap();
        let mut buffer = [0; 2];
        let (length, from) = theirs.recv_from(&mut buffer).await.unwrap();
        assert!(from.is_unnamed());
        assert_eq!((length, &buffer), (2, b"no"), "it is cut off");
        let error = ours.send_to(b"x", &folder.join("nobody")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_sender_of_datagrams_waits_for_room() {
    run(async || {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        let sender = spawn(async move {
            for n in 0..2000_u32 {
                ours.send(&n.to_ne_bytes()).await.unwrap();
            }
        });
        turns(100).await;
        assert!(!sender.is_finished(), "the queue has an end");
        for n in 0..2000_u32 {
            let mut buffer = [0; 4];
            assert_eq!(theirs.recv(&mut buffer).await.unwrap(), 4);
            assert_eq!(u32::from_ne_bytes(buffer), n);
        }
        sender.await.unwrap();
    });
}
