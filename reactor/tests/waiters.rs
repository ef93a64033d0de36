//! Several tasks may wait for one source; and only those that still do are woken.
#![cfg(unix)]

mod common;

use std::future::{Future, poll_fn};
use std::io::Write;
use std::pin::pin;
use std::rc::Rc;
use std::task::Context;
use std::time::Duration;

use common::{Calls, Counter, Log, elsewhere, run, tcp_pair, turns, watch};
use executor::{join_all, spawn};
use reactor::Async;
use reactor::net::{TcpStream, UdpSocket, UnixStream};
use reactor::time::timeout;

const MOMENT: Duration = Duration::from_micros(100);

#[test]
fn a_reader_and_a_writer_wait_on_the_same_socket() {
    run(async || {
        let (ours, theirs) = tcp_pair().await;
        let ours = Rc::new(ours);
        let reader = spawn({
            let ours = ours.clone();
            async move {
                let mut answer = [0; 6];
                let length = ours.read(&mut answer).await.unwrap();
                answer[..length].to_vec()
            }
        });
        let writer = spawn(async move {
            ours.write_all(&vec![1; 8_000_000]).await.unwrap();
        });
        turns(100).await;
        assert!(!writer.is_finished() && !reader.is_finished(), "both wait");
        theirs.write_all(b"hurry!").await.unwrap();
        assert_eq!(reader.await.unwrap(), b"hurry!");
        assert!(!writer.is_finished());
        let (mut buffer, mut total) = (vec![0; 100_000], 0);
        while total < 8_000_000 {
            total += theirs.read(&mut buffer).await.unwrap();
        }
        writer.await.unwrap();
    });
}

#[test]
fn several_readers_wait_on_one_socket_and_each_gets_a_datagram() {
    run(async || {
        let socket = Rc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let address = socket.local_addr().unwrap();
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let socket = socket.clone();
                spawn(async move {
                    let mut buffer = [0; 8];
                    socket.recv(&mut buffer).await.unwrap();
                    buffer[0]
                })
            })
            .collect();
        turns(10).await;
        for n in 1..=3 {
            socket.send_to(&[n], address).await.unwrap();
        }
        let mut got: Vec<_> = join_all(readers).await.into_iter().map(Result::unwrap).collect();
        got.sort_unstable();
        assert_eq!(got, [1, 2, 3]);
    });
}

#[test]
fn a_reader_that_gives_up_does_not_take_the_news_with_it() {
    watch(async |world| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let ours = Rc::new(ours);
        let (first, second) = (ours.clone(), ours.clone());
        let gives_up = spawn(async move { first.read(&mut [0; 1]).await });
        let stays = spawn(async move { second.read(&mut [0; 1]).await });
        turns(10).await;
        theirs.write_all(b"x").await.unwrap();
        world.events();
        world.reactor.turn(Some(Duration::ZERO)).unwrap();
        assert_eq!(world.wakes_and_waits().0, 2, "the news is for both");
        gives_up.abort();
        assert_eq!(stays.await.unwrap().unwrap(), 1);
        assert!(gives_up.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn waiters_are_woken_first_come_first_served() {
    run(async || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (ours, order) = (Rc::new(ours), Log::new());
        let readers: Vec<_> = (0..5)
            .map(|n| {
                let (ours, order) = (ours.clone(), order.clone());
                spawn(async move {
                    ours.read(&mut [0; 1]).await.unwrap();
                    order.push(n);
                })
            })
            .collect();
        turns(10).await;
        theirs.write_all(b"12345").await.unwrap();
        join_all(readers).await;
        assert_eq!(order.take(), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn a_task_that_waits_with_a_timeout_in_a_loop_leaves_nothing_behind() {
    watch(async |world| {
        let (ours, theirs) = tcp_pair().await;
        for _ in 0..100 {
            assert!(timeout(MOMENT, ours.read(&mut [0; 1])).await.is_err());
        }
        assert_eq!(world.reactor.timers(), 0);
        world.events();
        theirs.write_all(b"x").await.unwrap();
        ours.read(&mut [0; 1]).await.unwrap();
        assert!(world.wakes_and_waits().0 <= 1, "only the living waiter is woken");
    });
}

#[test]
fn ever_new_tasks_that_give_up_leave_nothing_behind() {
    watch(async |world| {
        let (ours, theirs) = tcp_pair().await;
        let ours = Rc::new(ours);
        for _ in 0..100 {
            let tasks = (0..10).map(|_| {
                let ours = ours.clone();
                spawn(async move { timeout(MOMENT, ours.read(&mut [0; 1])).await.is_err() })
            });
            let gave_up = join_all(tasks.collect::<Vec<_>>()).await;
            assert!(gave_up.into_iter().all(Result::unwrap));
        }
        let last = spawn(async move { ours.read(&mut [0; 1]).await.unwrap() });
        turns(10).await;
        world.events();
        theirs.write_all(b"x").await.unwrap();
        assert_eq!(last.await.unwrap(), 1);
        assert_eq!(world.wakes_and_waits().0, 1, "only the living waiter is woken");
    });
}

#[test]
fn a_future_that_is_polled_with_another_waker_wakes_that_one() {
    run(async || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let ((early, first), (late, second)) = (Calls::waker(), Calls::waker());
        let (before, other) = Calls::waker();
        let (mut buffer, mut another) = ([0; 1], [0; 1]);
        // Who waits before it in line keeps its own waker.
        let mut in_front = pin!(ours.read(&mut another));
        assert!(in_front.as_mut().poll(&mut Context::from_waker(&other)).is_pending());
        let mut read = pin!(ours.read(&mut buffer));
        for waker in [&first, &second, &second] {
            assert!(read.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        }
        theirs.write_all(b"x").await.unwrap();
        while late.count() == 0 {
            turns(1).await;
        }
        assert_eq!((before.count(), early.count(), late.count()), (1, 0, 1));
    });
}

#[test]
fn polling_by_hand_leaves_each_waker_once() {
    run(async || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let ((one, first), (other, second)) = (Calls::waker(), Calls::waker());
        for waker in [&first, &second, &first, &second] {
            let mut cx = Context::from_waker(waker);
            assert!(ours.poll_read(&mut cx, &mut [0; 1]).is_pending());
        }
        theirs.write_all(b"x").await.unwrap();
        while other.count() == 0 {
            turns(1).await;
        }
        assert_eq!((one.count(), other.count()), (1, 1));
    });
}

#[test]
fn a_future_that_is_dropped_takes_back_its_own_place_only() {
    run(async || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (calls, waker) = Calls::waker();
        let mut cx = Context::from_waker(&waker);
        // A task that both awaits a read and polls one by hand has one waker, but waits twice.
        let mut buffer = [0; 1];
        let mut read = Box::pin(ours.read(&mut buffer));
        assert!(read.as_mut().poll(&mut cx).is_pending());
        assert!(ours.poll_read(&mut cx, &mut [0; 1]).is_pending());
        drop(read);
        theirs.write_all(b"x").await.unwrap();
        timeout(Duration::from_secs(1), async {
            while calls.count() == 0 {
                turns(1).await;
            }
        })
        .await
        .expect("it is woken for what it polled by hand");
    });
}

#[test]
fn one_task_waits_for_both_directions_with_one_waker() {
    run(async || {
        let (ours, theirs) = tcp_pair().await;
        let block = vec![0; 1_000_000];
        let (mut polls, mut buffer) = (0, [0; 1]);
        poll_fn(|cx| {
            polls += 1;
            while ours.poll_write(cx, &block).is_ready() {}
            let answer = ours.poll_read(cx, &mut buffer);
            if polls == 1 {
                assert!(theirs.poll_write(cx, b"x").is_ready());
            }
            answer.map(Result::unwrap)
        })
        .await;
        assert_eq!(buffer, *b"x");
    });
}

#[test]
fn an_event_for_a_socket_that_is_gone_does_not_reach_the_next_one_in_its_place() {
    watch(async |world| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let old = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        old.set_nonblocking(true).unwrap();
        // A duplicate keeps the old registration alive: dropped elsewhere, the socket is closed,
        // but nobody takes it out of the queue.
        let duplicate = old.try_clone().unwrap();
        let old: TcpStream = Async::new(mio::net::TcpStream::from_std(old)).unwrap();
        let slot = format!("{old:?}");
        elsewhere(move || drop(old));
        world.reactor.turn(Some(Duration::ZERO)).unwrap();
        assert_eq!(world.reactor.sources(), 0);

        let tenant = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        tenant.set_nonblocking(true).unwrap();
        let tenant: UdpSocket = Async::new(mio::net::UdpSocket::from_std(tenant)).unwrap();
        let number = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        assert_eq!(number(&slot), number(&format!("{tenant:?}")), "the slot is used again");
        let (calls, waker) = Calls::waker();
        assert!(tenant.poll_recv_from(&mut Context::from_waker(&waker), &mut [0; 1]).is_pending());
        world.reactor.turn(Some(Duration::ZERO)).unwrap();
        peer.write_all(b"for somebody who has left").unwrap();
        for _ in 0..10 {
            world.reactor.turn(Some(Duration::from_millis(1))).unwrap();
        }
        assert_eq!((calls.count(), world.wakes_and_waits().0), (0, 0));
        drop(duplicate);
    });
}

#[test]
fn more_sources_than_one_look_can_tell_of_are_all_woken() {
    run(async || {
        let woken = Counter::default();
        let mut pairs = Vec::new();
        while pairs.len() < 1500 {
            let Ok(pair) = UnixStream::pair() else { break };
            pairs.push(pair);
        }
        // If the limit of file descriptors is low, fewer have to do.
        drop(pairs.split_off(pairs.len() - pairs.len() / 10));
        let count = pairs.len();
        let (readers, writers): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let tasks: Vec<_> = readers
            .into_iter()
            .map(|reader| {
                let woken = woken.clone();
                spawn(async move {
                    reader.read(&mut [0; 8]).await.unwrap();
                    woken.add();
                })
            })
            .collect();
        turns(2).await;
        for writer in &writers {
            writer.write_all(b"x").await.unwrap();
        }
        join_all(tasks).await;
        assert_eq!(woken.get(), count);
    });
}
