//! TCP: what works when nobody breaks anything.

mod common;

use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::thread;

use common::{half_std_pair, run, tcp_pair, turns, watch};
use executor::{join, join_all, race, spawn};
use reactor::net::{Address, TcpListener, TcpStream};

#[test]
fn an_echo_comes_back_over_many_connections_at_once() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                spawn(async move {
                    let mut buffer = [0; 64];
                    while let length @ 1.. = stream.read(&mut buffer).await.unwrap() {
                        stream.write_all(&buffer[..length]).await.unwrap();
                    }
                });
            }
        });
        let clients = (0..50_u8).map(|n| {
            spawn(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                for round in 0..20 {
                    stream.write_all(&[n, round]).await.unwrap();
                    let mut answer = [0; 2];
                    assert_eq!(stream.read(&mut answer).await.unwrap(), 2);
                    assert_eq!(answer, [n, round]);
                }
            })
        });
        for client in join_all(clients.collect::<Vec<_>>()).await {
            client.unwrap();
        }
    });
}

#[test]
fn several_tasks_accept_on_one_listener() {
    run(async || {
        let listener = Rc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        let acceptors: Vec<_> = (0..4)
            .map(|_| {
                let listener = listener.clone();
                spawn(async move { listener.accept().await.unwrap().1 })
            })
            .collect();
        turns(10).await;
        let mut clients = Vec::new();
        for _ in 0..4 {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        let peers: Vec<_> = join_all(acceptors).await.into_iter().map(Result::unwrap).collect();
        for client in &clients {
            assert!(peers.contains(&client.local_addr().unwrap()));
        }
    });
}

#[test]
fn connections_that_wait_together_are_taken_one_after_the_other() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let clients: Vec<_> =
            (0..10).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
        for client in &clients {
            assert_eq!(listener.accept().await.unwrap().1, client.local_addr().unwrap());
        }
        let mut cx = Context::from_waker(Waker::noop());
        assert!(listener.poll_accept(&mut cx).is_pending());
    });
}

#[test]
fn an_accept_that_is_cancelled_loses_no_connection() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        {
            let accept = pin!(listener.accept());
            let mut cx = Context::from_waker(Waker::noop());
            assert!(Future::poll(accept, &mut cx).is_pending());
        }
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        assert_eq!(listener.accept().await.unwrap().1, client.local_addr().unwrap());
    });
}

#[test]
fn peeking_takes_nothing() {
    run(async || {
        let (ours, theirs) = tcp_pair().await;
        let mut seen = [0; 8];
        // It waits for the first byte like a read does.
        let (length, written) = join(ours.peek(&mut seen), theirs.write_all(b"burger")).await;
        assert_eq!((length.unwrap(), written.unwrap()), (6, ()));
        assert_eq!(&seen[..6], b"burger");
        let mut read = [0; 8];
        assert_eq!(ours.peek(&mut read).await.unwrap(), 6);
        assert_eq!(ours.read(&mut read).await.unwrap(), 6);
        assert_eq!(&read[..6], b"burger");
        let mut cx = Context::from_waker(Waker::noop());
        assert!(ours.poll_peek(&mut cx, &mut read).is_pending());
    });
}

#[test]
fn nodelay_and_addresses_are_those_of_the_socket() {
    run(async || {
        let (ours, theirs) = tcp_pair().await;
        for nodelay in [true, false] {
            ours.set_nodelay(nodelay).unwrap();
            assert_eq!(ours.nodelay().unwrap(), nodelay);
        }
        assert_eq!(ours.local_addr().unwrap(), theirs.peer_addr().unwrap());
        assert_eq!(ours.peer_addr().unwrap(), theirs.local_addr().unwrap());
    });
}

#[test]
fn megabytes_arrive_whole_at_a_slow_reader() {
    run(async || {
        let (ours, mut theirs) = half_std_pair().await;
        let content: Vec<u8> = (0..6_000_000_u32).map(|n| (n % 251) as u8).collect();
        let reader = thread::spawn(move || {
            let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
            while let length @ 1.. = theirs.read(&mut buffer).unwrap() {
                received.extend_from_slice(&buffer[..length]);
                thread::yield_now();
            }
            received
        });
        ours.write_all(&content).await.unwrap();
        drop(ours);
        assert!(reader.join().unwrap() == content);
    });
}

#[test]
fn a_stream_is_read_and_written_by_hand() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accept = poll_fn(|cx| listener.poll_accept(cx));
        let (accepted, client) = join(accept, TcpStream::connect(address)).await;
        let ((server, peer), client) = (accepted.unwrap(), client.unwrap());
        assert_eq!(peer, client.local_addr().unwrap());
        let mut buffer = [0; 8];
        let read = poll_fn(|cx| server.poll_read(cx, &mut buffer));
        let (length, written) = join(read, poll_fn(|cx| client.poll_write(cx, b"tea"))).await;
        assert_eq!((length.unwrap(), written.unwrap()), (3, 3));
        assert_eq!(&buffer[..3], b"tea");
    });
}

#[test]
fn the_halves_of_a_stream_work_for_two_tasks() {
    watch(async |world| {
        let (ours, theirs) = tcp_pair().await;
        let before = world.reactor.sources();
        let (reader, writer) = ours.into_split();
        let reads = spawn(async move {
            let mut buffer = [0; 8];
            let length = reader.read(&mut buffer).await.unwrap();
            buffer[..length].to_vec()
        });
        let writes = spawn(async move { writer.write_all(b"ping").await.unwrap() });
        let mut buffer = [0; 8];
        assert_eq!(theirs.read(&mut buffer).await.unwrap(), 4);
        writes.await.unwrap();
        // The writing half is gone: here is the end. The other direction still works.
        assert_eq!(theirs.read(&mut buffer).await.unwrap(), 0);
        assert_eq!(world.reactor.sources(), before);
        theirs.write_all(b"pong").await.unwrap();
        assert_eq!(reads.await.unwrap(), b"pong");
        assert_eq!(world.reactor.sources(), before - 1);
    });
}

#[test]
fn a_host_name_is_looked_up_by_both_sides() {
    run(async || {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (client, server) =
            join(TcpStream::connect(("localhost", port)), listener.accept()).await;
        assert_eq!(client.unwrap().local_addr().unwrap(), server.unwrap().1);
        let text = format!("localhost:{port}");
        let (client, server) = join(TcpStream::connect(&text), listener.accept()).await;
        assert!(client.is_ok() && server.is_ok());
    });
}

#[test]
fn the_addresses_of_a_host_are_tried_until_one_answers() {
    run(async || {
        // On 127.0.0.1 only: if the system names ::1 first, that one refuses.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect(("localhost", port)).await.unwrap();
        assert_eq!(client.peer_addr().unwrap(), listener.local_addr().unwrap());
    });
}

#[test]
fn an_address_is_given_in_many_ways() {
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let socket = Address::Socket(SocketAddr::new(ip, 80));
    assert_eq!(Address::from("127.0.0.1:80"), socket);
    assert_eq!(Address::from(String::from("127.0.0.1:80")), socket);
    assert_eq!(Address::from(("127.0.0.1", 80)), socket);
    assert_eq!(Address::from((ip, 80)), socket);
    assert_eq!(Address::from(SocketAddr::new(ip, 80)), socket);
    let host = Address::Host("stand.example:80".to_owned());
    assert_eq!(Address::from(("stand.example", 80)), host);
    assert_eq!(Address::from(&"stand.example:80".to_owned()), host);
    let six = Address::Socket("[::1]:80".parse().unwrap());
    assert_eq!([Address::from("[::1]:80"), Address::from(("::1", 80))], [six.clone(), six]);
}

#[test]
fn a_socket_address_resolves_to_itself_and_needs_no_thread() {
    watch(async |world| {
        let address: SocketAddr = "127.0.0.1:80".parse().unwrap();
        assert_eq!(Address::from(address).resolve().await.unwrap(), [address]);
        assert!(world.events().is_empty());
    });
}

#[test]
fn shutting_down_both_ways_ends_both_directions() {
    run(async || {
        let (ours, mut theirs) = half_std_pair().await;
        ours.shutdown(Shutdown::Both).unwrap();
        assert_eq!(theirs.read(&mut [0; 1]).unwrap(), 0);
        assert_eq!(ours.read(&mut [0; 1]).await.unwrap(), 0);
        let error = ours.write(b"x").await.unwrap_err();
        // Windows has an error of its own for this, for which std has no kind.
        assert!(cfg!(windows) || error.kind() == ErrorKind::BrokenPipe);
        let _ = theirs.flush();
    });
}

#[test]
fn a_connect_that_loses_a_race_leaves_no_socket_behind() {
    watch(async |world| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connect = async { TcpStream::connect(address).await.map(drop) };
        race(std::future::ready(()), connect).await;
        {
            let mut connect = pin!(TcpStream::connect("localhost:1"));
            let mut cx = Context::from_waker(Waker::noop());
            // The lookup, or the attempt, is given up at some point of its way.
            let _ = Future::poll(connect.as_mut(), &mut cx);
        }
        assert_eq!(world.reactor.sources(), 1, "the listener");
    });
}
