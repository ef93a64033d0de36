//! Sockets and sleeps may be sent to other threads, but belong to the reactor where they were made.

mod common;

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{catch, elsewhere, paired, run, tcp_pair, turns, watch, within};
use executor::spawn;
use reactor::blocking::{Blocking, spawn_blocking};
use reactor::net::{TcpListener, TcpStream, UdpSocket};
use reactor::time::{Interval, Sleep, Timeout, interval, sleep, timeout};
use reactor::{Async, Direction, Reactor, fs};

const HOUR: Duration = Duration::from_secs(3600);

fn send<T: Send>(value: T) -> T {
    value
}

fn send_and_sync<T: Send + Sync>() {}

#[test]
fn everything_that_waits_is_send() {
    send_and_sync::<Async<mio::net::TcpStream>>();
    send_and_sync::<TcpListener>();
    send_and_sync::<UdpSocket>();
    send_and_sync::<Sleep>();
    send_and_sync::<Interval>();
    send_and_sync::<fs::File>();
    send_and_sync::<Timeout<Sleep>>();
    #[cfg(unix)]
    {
        use reactor::net::{UnixDatagram, UnixListener, UnixStream};
        send_and_sync::<UnixListener>();
        send_and_sync::<UnixStream>();
        send_and_sync::<UnixDatagram>();
    }
    let _: fn(Blocking<String>) -> Blocking<String> = send;
    run(async || {
        let (ours, theirs) = send(tcp_pair().await);
        let to: std::net::SocketAddr = "127.0.0.1:9".parse().unwrap();
        let udp = send(UdpSocket::bind("127.0.0.1:0")).await.unwrap();
        let listener = send(TcpListener::bind("localhost:0")).await.unwrap();
        drop(send(TcpStream::connect("localhost:80")));
        drop(send(udp.send_to(b"", to)));
        drop(send(udp.connect(to)));
        drop(send(udp.recv(&mut [0])));
        drop(send(listener.accept()));
        drop(send(ours.read(&mut [0])));
        drop(send(ours.peek(&mut [0])));
        drop(send(ours.write_all(b"")));
        drop(send(ours.io(Direction::Read, |_| Ok(()))));
        drop(send(timeout(HOUR, ours.read(&mut [0]))));
        drop(send(fs::read("")));
        drop(send(fs::write("", "")));
        drop(send(spawn_blocking(|| ())));
        drop(send(interval(HOUR).tick()));
        let (reader, writer) = theirs.into_split();
        send((reader, writer));
    });
}

#[test]
fn code_that_wants_send_futures_can_await_sockets() {
    fn boxed<'a, T>(
        f: impl Future<Output = T> + Send + 'a,
    ) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
        Box::pin(f)
    }

    run(async || {
        let answer = boxed(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let client = TcpStream::connect(listener.local_addr()?).await?;
            let (server, _) = listener.accept().await?;
            server.write_all(b"send").await?;
            sleep(Duration::from_micros(1)).await;
            let mut buffer = [0; 4];
            client.read(&mut buffer).await?;
            io::Result::Ok(buffer)
        });
        assert_eq!(&answer.await.unwrap(), b"send");
    });
}

/// The text of the error of a first poll.
fn error_of<T>(future: impl Future<Output = io::Result<T>>) -> String {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Err(error)) => error.to_string(),
        Poll::Ready(Ok(_)) => panic!("it worked"),
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn without_a_reactor_there_is_an_error_that_says_how_to_mend_it() {
    within(|| {
        let texts = [
            error_of(TcpListener::bind("127.0.0.1:0")),
            error_of(TcpStream::connect("127.0.0.1:9")),
            error_of(TcpStream::connect("localhost:9")),
            error_of(UdpSocket::bind("127.0.0.1:0")),
            error_of(fs::read("file")),
            error_of(fs::write("file", "")),
            catch(|| pin!(sleep(HOUR)).poll(&mut Context::from_waker(Waker::noop()))).unwrap_err(),
        ];
        for text in texts {
            assert!(text.contains("there is no reactor on this thread"), "{text}");
            assert!(text.contains("Reactor::new()") && text.contains("reactor.enter()"), "{text}");
        }
    });
}

#[test]
fn a_socket_that_is_used_on_a_thread_without_its_reactor_fails() {
    run(async || {
        let (ours, theirs) = tcp_pair().await;
        ours.write_all(b"x").await.unwrap();
        let theirs = elsewhere(move || {
            let text = error_of(theirs.read(&mut [0]));
            assert!(text.contains("there is no reactor on this thread"), "{text}");
            paired(&Reactor::new().unwrap(), async {
                let text = error_of(theirs.read(&mut [0]));
                assert!(text.contains("belongs to another reactor"), "{text}");
                assert_eq!(error_of(theirs.write(b"x")), text);
            });
            theirs
        });
        assert_eq!(theirs.read(&mut [0; 8]).await.unwrap(), 1, "back home it works");
    });
}

#[test]
fn a_wait_that_is_moved_to_another_thread_fails_there_and_is_dropped_there() {
    run(async || {
        let (ours, theirs) = tcp_pair().await;
        let mut read = Box::pin(async move { ours.read(&mut [0; 8]).await.map(drop) });
        assert!(read.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        elsewhere(move || assert!(error_of(read).contains("no reactor")));
        assert_eq!(theirs.read(&mut [0; 8]).await.unwrap(), 0, "it is closed");
    });
}

#[test]
fn what_is_dropped_elsewhere_is_forgotten_at_the_next_turn() {
    watch(async |world| {
        let pair = tcp_pair().await;
        let mut asleep = Box::pin(sleep(HOUR));
        assert!(asleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let other = tcp_pair().await;
        assert_eq!((world.reactor.sources(), world.reactor.timers()), (4, 1));
        elsewhere(move || drop((pair, asleep)));
        elsewhere(move || paired(&Reactor::new().unwrap(), async { drop(other) }));
        world.reactor.turn(Some(Duration::ZERO)).unwrap();
        assert_eq!((world.reactor.sources(), world.reactor.timers()), (0, 0));
    });
}

#[test]
fn two_runtimes_on_two_threads_talk_to_each_other() {
    within(|| {
        let (tell, address) = mpsc::channel();
        let server = thread::spawn(move || {
            paired(&Reactor::new().unwrap(), async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                for _ in 0..20 {
                    let (stream, _) = listener.accept().await.unwrap();
                    spawn(async move {
                        let mut buffer = [0; 64];
                        while let length @ 1.. = stream.read(&mut buffer).await.unwrap() {
                            stream.write_all(&buffer[..length]).await.unwrap();
                        }
                    });
                }
                sleep(Duration::ZERO).await;
            });
        });
        let address = address.recv().unwrap();
        paired(&Reactor::new().unwrap(), async {
            for n in 0..20_u8 {
                let stream = TcpStream::connect(address).await.unwrap();
                if n == 19 {
                    break; // after the last one the server goes home
                }
                for round in 0..20 {
                    stream.write_all(&[n, round]).await.unwrap();
                    let mut answer = [0; 2];
                    assert_eq!(stream.read(&mut answer).await.unwrap(), 2);
                    assert_eq!(answer, [n, round]);
                }
            }
        });
        server.join().unwrap();
    });
}

#[test]
fn a_reactor_may_be_gone_before_its_sockets() {
    within(|| {
        let mut asleep = sleep(HOUR);
        let first = Reactor::new().unwrap();
        let (ours, theirs) = paired(&first, async {
            let pair = tcp_pair().await;
            let mut cx = Context::from_waker(Waker::noop());
            assert!(Pin::new(&mut asleep).poll(&mut cx).is_pending());
            assert!(pair.0.poll_read(&mut cx, &mut [0]).is_pending());
            pair
        });
        drop(first);
        assert!(error_of(ours.read(&mut [0])).contains("no reactor"));
        let second = Reactor::new().unwrap();
        paired(&second, async {
            assert!(error_of(ours.read(&mut [0])).contains("an earlier time"));
            let text =
                catch(|| Pin::new(&mut asleep).poll(&mut Context::from_waker(Waker::noop())));
            assert!(text.unwrap_err().contains("another reactor"));
            drop((ours, asleep));
            turns(2).await;
        });
        drop(theirs);
        assert_eq!((second.sources(), second.timers()), (0, 0));
    });
}
