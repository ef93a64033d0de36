//! UDP.

mod common;

use std::future::poll_fn;
use std::io::ErrorKind;

use common::{run, turns, watch};
use executor::{join, spawn};
use reactor::net::UdpSocket;

async fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

#[test]
fn a_datagram_arrives_with_the_address_it_came_from() {
    run(async || {
        let (ours, theirs) = (socket().await, socket().await);
        let to = theirs.local_addr().unwrap();
        let mut buffer = [0; 16];
        let (received, sent) = join(theirs.recv_from(&mut buffer), ours.send_to(b"hi", to)).await;
        assert_eq!(received.unwrap(), (2, ours.local_addr().unwrap()));
        assert_eq!((sent.unwrap(), &buffer[..2]), (2, &b"hi"[..]));
    });
}

#[test]
fn a_connected_socket_sends_and_receives_without_addresses() {
    run(async || {
        let (ours, theirs, other) = (socket().await, socket().await, socket().await);
        ours.connect(theirs.local_addr().unwrap()).await.unwrap();
        theirs.connect(("127.0.0.1", ours.local_addr().unwrap().port())).await.unwrap();
        // Whoever it is not connected to is not heard.
        other.send_to(b"noise", ours.local_addr().unwrap()).await.unwrap();
        let mut buffer = [0; 16];
        let (length, sent) = join(ours.recv(&mut buffer), theirs.send(b"hello")).await;
        assert_eq!((length.unwrap(), sent.unwrap()), (5, 5));
        assert_eq!(&buffer[..5], b"hello");
        assert_eq!(ours.send(b"answer").await.unwrap(), 6);
        assert_eq!(theirs.recv(&mut buffer).await.unwrap(), 6);
    });
}

#[test]
#[cfg(unix)]
fn a_datagram_that_is_longer_than_the_buffer_is_cut_off() {
    run(async || {
        let (ours, theirs) = (socket().await, socket().await);
        let to = theirs.local_addr().unwrap();
        ours.send_to(b"a long story", to).await.unwrap();
        ours.send_to(b"end", to).await.unwrap();
        let mut buffer = [0; 6];
        assert_eq!(theirs.recv_from(&mut buffer).await.unwrap().0, 6);
        assert_eq!(&buffer, b"a long");
        assert_eq!(theirs.recv_from(&mut buffer).await.unwrap().0, 3);
        assert_eq!(&buffer[..3], b"end");
    });
}

#[test]
fn an_empty_datagram_is_a_datagram() {
    run(async || {
        let (ours, theirs) = (socket().await, socket().await);
        ours.send_to(b"", theirs.local_addr().unwrap()).await.unwrap();
        assert_eq!(theirs.recv(&mut [0; 4]).await.unwrap(), 0);
    });
}

#[test]
fn after_a_short_datagram_the_next_one_is_read_without_a_wait() {
    watch(async |world| {
        let (ours, theirs) = (socket().await, socket().await);
        let to = theirs.local_addr().unwrap();
        for _ in 0..10 {
            ours.send_to(b"short", to).await.unwrap();
        }
        let mut buffer = [0; 64];
        theirs.recv(&mut buffer).await.unwrap();
        world.events();
        for _ in 0..9 {
            theirs.recv(&mut buffer).await.unwrap();
        }
        assert_eq!(world.wakes_and_waits(), (0, 0));
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_refusal_wakes_the_receiver_and_harms_nothing_that_comes_later() {
    run(async || {
        let (ours, gone) = (socket().await, socket().await);
        let address = gone.local_addr().unwrap();
        ours.connect(address).await.unwrap();
        drop(gone);
        let (received, sent) = join(ours.recv(&mut [0; 4]), ours.send(b"anybody?")).await;
        assert_eq!(sent.unwrap(), 8);
        assert_eq!(received.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        // Somebody moves in there: the socket still works, in both directions.
        let theirs = UdpSocket::bind(address).await.unwrap();
        theirs.connect(ours.local_addr().unwrap()).await.unwrap();
        let mut buffer = [0; 8];
        for _ in 0..10 {
            let (length, sent) = join(theirs.recv(&mut buffer), ours.send(b"ping")).await;
            assert_eq!((length.unwrap(), sent.unwrap()), (4, 4));
            let (length, sent) = join(ours.recv(&mut buffer), theirs.send(b"pong")).await;
            assert_eq!((length.unwrap(), sent.unwrap()), (4, 4));
        }
    });
}

#[test]
fn a_socket_is_polled_by_hand() {
    run(async || {
        let (ours, theirs) = (socket().await, socket().await);
        let to = theirs.local_addr().unwrap();
        let mut buffer = [0; 4];
        let receive = poll_fn(|cx| theirs.poll_recv_from(cx, &mut buffer));
        let send = poll_fn(|cx| ours.poll_send_to(cx, b"hand", to));
        let (received, sent) = join(receive, send).await;
        assert_eq!((received.unwrap().0, sent.unwrap()), (4, 4));
        ours.connect(to).await.unwrap();
        let receive = poll_fn(|cx| theirs.poll_recv(cx, &mut buffer));
        let send = poll_fn(|cx| ours.poll_send(cx, b"two"));
        let (received, sent) = join(receive, send).await;
        assert_eq!((received.unwrap(), sent.unwrap(), &buffer), (3, 3, b"twod"));
    });
}

#[test]
fn two_tasks_send_and_receive_on_one_socket() {
    run(async || {
        let (ours, theirs) = (std::rc::Rc::new(socket().await), socket().await);
        let (to, from) = (theirs.local_addr().unwrap(), ours.local_addr().unwrap());
        let receiver = spawn({
            let ours = ours.clone();
            async move {
                for n in 0..100 {
                    let mut buffer = [0; 1];
                    ours.recv(&mut buffer).await.unwrap();
                    assert_eq!(buffer[0], n);
                }
            }
        });
        for n in 0..100 {
            ours.send_to(&[n], to).await.unwrap();
            let mut buffer = [0; 1];
            theirs.recv(&mut buffer).await.unwrap();
            theirs.send_to(&buffer, from).await.unwrap();
        }
        receiver.await.unwrap();
    });
}

#[test]
fn a_receive_that_is_cancelled_loses_no_datagram() {
    run(async || {
        let (ours, theirs) = (socket().await, std::rc::Rc::new(socket().await));
        let cancelled = spawn({
            let theirs = theirs.clone();
            async move { theirs.recv(&mut [0; 4]).await }
        });
        turns(10).await;
        ours.send_to(b"mine", theirs.local_addr().unwrap()).await.unwrap();
        cancelled.abort();
        assert!(cancelled.await.is_err());
        assert_eq!(theirs.recv(&mut [0; 4]).await.unwrap(), 4);
    });
}

#[test]
fn a_host_name_is_looked_up() {
    run(async || {
        let ours = UdpSocket::bind("localhost:0").await.unwrap();
        let port = ours.local_addr().unwrap().port();
        ours.connect(("localhost", port)).await.unwrap();
        let error = ours.connect("no port").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}
