//! The observer sees what happens, in order, and may do as it likes.

mod common;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use common::{World, catch, elsewhere, paired, turns, watch, within};
use executor::{join, spawn};
use reactor::blocking::{JoinError, spawn_blocking};
use reactor::net::{TcpListener, TcpStream, UdpSocket};
use reactor::observe::{By, Event, Wait};
use reactor::time::sleep;
use reactor::{Direction, Reactor};

#[test]
fn a_life_of_a_socket_is_told_from_birth_to_end() {
    watch(async |world| {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = socket.local_addr().unwrap();
        let (received, sent) = join(socket.recv(&mut [0; 8]), socket.send_to(b"x", to)).await;
        assert_eq!((received.unwrap(), sent.unwrap()), (1, 1));
        #[cfg(unix)]
        let number = Some(std::os::fd::AsRawFd::as_raw_fd(socket.get_ref()));
        #[cfg(not(unix))]
        let number = None;
        drop(socket);
        let [
            Event::Registered { source, kind, fd, ref local, peer: None, .. },
            Event::Waiting { on: Wait::Source { source: waits, direction: Direction::Read, at } },
            Event::Waking { by: By::Source { source: woken, direction: Direction::Read } },
            Event::Deregistered { source: gone },
        ] = world.events()[..]
        else {
            panic!("something else happened")
        };
        assert_eq!([waits, woken, gone], [source; 3]);
        assert!(kind.contains("UdpSocket"));
        assert_eq!(fd, number);
        assert_eq!(local.as_deref(), Some(&*to.to_string()));
        assert!(at.is_some_and(|at| at.file().ends_with("observe.rs")));
    });
}

/// What is told of sockets since the last look: descriptor, own address, the other side's.
#[cfg(unix)]
fn registered(world: &World) -> Vec<(i32, Option<String>, Option<String>)> {
    let registered = |event| match event {
        Event::Registered { fd, local, peer, .. } => Some((fd?, local, peer)),
        _ => None,
    };
    world.events().into_iter().filter_map(registered).collect()
}

#[test]
#[cfg(unix)]
fn each_kind_of_socket_tells_its_descriptor_and_its_two_ends() {
    use reactor::net::{TcpListener, UnixDatagram, UnixListener, UnixStream};
    use std::os::fd::AsRawFd;

    watch(async |world| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).await.unwrap();
        let (server, from) = listener.accept().await.unwrap();
        let (to, from) = (Some(address.to_string()), Some(from.to_string()));
        let fds = (listener.get_ref().as_raw_fd(), server.get_ref().as_raw_fd());
        let expected = [
            (fds.0, to.clone(), None),
            (client.get_ref().as_raw_fd(), from.clone(), to.clone()),
            (fds.1, to, from),
        ];
        assert_eq!(registered(&world), expected);

        let folder = common::folder::Folder::new();
        let listener = UnixListener::bind(folder.join("stream")).unwrap();
        let client = UnixStream::connect(folder.join("stream")).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let datagrams = UnixDatagram::bind(folder.join("datagrams")).unwrap();
        let name = |name| Some(folder.join(name).display().to_string());
        let expected = [
            (listener.get_ref().as_raw_fd(), name("stream"), None),
            (client.get_ref().as_raw_fd(), None, name("stream")),
            (server.get_ref().as_raw_fd(), name("stream"), None),
            (datagrams.get_ref().as_raw_fd(), name("datagrams"), None),
        ];
        assert_eq!(registered(&world), expected);
    });
}

#[test]
fn a_timer_is_told_with_its_deadline_and_the_line_that_made_it() {
    watch(async |world| {
        let asleep = sleep(Duration::from_millis(30));
        let (planned, line) = (asleep.deadline(), line!() - 1);
        asleep.await;
        let [Event::Waiting { on: Wait::Timer { deadline, at } }, Event::Waking { by: By::Timer }] =
            world.events()[..]
        else {
            panic!("something else happened")
        };
        assert_eq!(deadline, planned);
        assert!(at.file().ends_with("observe.rs") && at.line() == line);
    });
}

#[test]
fn a_job_reports_that_it_is_waited_for_and_that_it_is_done() {
    watch(async |world| {
        let (go_on, waits) = mpsc::channel::<()>();
        let job = spawn_blocking(move || waits.recv().is_err());
        let waiting = spawn(job);
        turns(2).await;
        let number = match world.events()[..] {
            [
                Event::JobQueued { job: queued, .. },
                Event::Waiting { on: Wait::Job { job, at } },
            ] => {
                assert!(at.file().ends_with("observe.rs"));
                assert_eq!(queued, job);
                job
            }
            ref other => panic!("{other:?}"),
        };
        drop(go_on);
        let result: Result<bool, JoinError> = waiting.await.unwrap();
        assert!(result.unwrap());
        match world.events()[..] {
            [Event::JobDone { job, .. }] => assert_eq!(job, number),
            ref other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_socket_that_is_dropped_elsewhere_is_told_at_the_next_turn() {
    watch(async |world| {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        elsewhere(move || drop(socket));
        world.reactor.turn(Some(Duration::ZERO)).unwrap();
        let events = world.events();
        assert!(
            matches!(events[..], [Event::Registered { .. }, Event::Deregistered { source: 0 }]),
            "{events:?}"
        );
    });
}

#[test]
fn there_is_one_observer() {
    within(|| {
        let world = World::new();
        let text = catch(|| world.reactor.observe(|_: &Event| ())).unwrap_err();
        assert_eq!(text, "a reactor has one observer");
    });
}

#[test]
fn an_observer_may_use_the_reactor_that_it_observes() {
    within(|| {
        let reactor = Rc::new(Reactor::new().unwrap());
        let kept = Rc::new(RefCell::new(Vec::new()));
        let (inner, sleeps) = (Rc::downgrade(&reactor), kept.clone());
        reactor.observe(move |event: &Event| {
            let Some(reactor) = inner.upgrade() else { return };
            let _counts = (reactor.sources(), reactor.timers());
            if let Event::Waking { .. } = event {
                reactor.turn(Some(Duration::ZERO)).unwrap();
                sleeps.borrow_mut().push(sleep(Duration::ZERO));
            }
        });
        paired(&reactor, async {
            let reader = spawn(async {
                let (ours, theirs) = common::tcp_pair().await;
                let (length, written) = join(ours.read(&mut [0; 8]), theirs.write_all(b"x")).await;
                written.unwrap();
                length.unwrap()
            });
            sleep(Duration::from_millis(1)).await;
            assert_eq!(reader.await.unwrap(), 1);
        });
        assert!(!kept.borrow().is_empty());
    });
}

#[test]
fn the_panic_of_an_observer_comes_out_of_the_turn() {
    within(|| {
        let reactor = Reactor::new().unwrap();
        reactor.observe(|event: &Event| {
            assert!(!matches!(event, Event::Waking { .. }), "the observer fails");
        });
        let text = catch(|| paired(&reactor, sleep(Duration::from_millis(1)))).unwrap_err();
        assert_eq!(text, "the observer fails");
        // The reactor has kept its feet.
        reactor.turn(Some(Duration::ZERO)).unwrap();
        assert_eq!(reactor.timers(), 0);
    });
}

#[test]
fn sockets_and_futures_show_where_they_stand() {
    watch(async |_| {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        assert!(format!("{socket:?}").contains("UdpSocket { source: 0"));
        let text = format!("{:?}", socket.recv(&mut [0; 1]));
        assert!(text.contains("direction: Read") && text.contains("observe.rs"), "{text}");
        turns(1).await;
        let error = TcpStream::connect("no port").await.unwrap_err();
        assert!(!error.to_string().is_empty());
    });
}

#[test]
fn a_connection_is_told_with_both_its_ends() {
    watch(async |world| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = join(TcpStream::connect(address), listener.accept()).await;
        let (client, (server, _)) = (client.unwrap(), server.unwrap());
        let ends = |event| match event {
            Event::Registered { local, peer, .. } => Some((local, peer)),
            _ => None,
        };
        let told: Vec<_> = world.events().into_iter().filter_map(ends).collect();
        let of = |stream: &TcpStream| {
            let (local, peer) = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
            (Some(local.to_string()), Some(peer.to_string()))
        };
        assert_eq!(told, [(Some(address.to_string()), None), of(&client), of(&server)]);
    });
}
