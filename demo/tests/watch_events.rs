//! Each kind of event, with what it tells; and who woke whom.

mod watching;

use std::cell::RefCell;
use std::future::pending;
use std::panic::Location;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::Waker;
use std::time::Duration;

use executor::channel::bounded;
use executor::{join, race, spawn, yield_now};
use reactor::Direction;
use reactor::blocking::spawn_blocking;
use reactor::net::{TcpListener, TcpStream};
use reactor::time::{sleep, timeout};
use watch::{By, End, Outcome, Wait, What};
use watching::{compute, parked_at, record, record_in_real_time, woken_by_thread};

const MAIN: u64 = 1;

async fn flip_burgers() {
    yield_now().await;
}

#[test]
fn a_spawn_is_told_with_slot_name_parent_and_line() {
    let line = line!() + 2;
    let seen = record(async || {
        spawn(flip_burgers()).await.unwrap();
    });
    let spawns = seen.all(|what| match what {
        What::Spawned { task, slot, name, parent, at } => {
            Some((*task, *slot, name.as_str(), *parent, at.file(), at.line()))
        }
        _ => None,
    });
    let [(main, .., None, _, _), child] = spawns[..] else { panic!("{spawns:?}") };
    assert_eq!(main, MAIN);
    assert_eq!(child, (2, 1, "flip_burgers", Some(MAIN), file!(), line));
}

#[test]
fn main_is_told_with_the_line_that_runs_it() {
    let (at, line) = watching::within(|| {
        let recorder = watch::Recorder::new(watch::Options::default());
        let line = line!() + 1;
        recorder.run(async {}).unwrap();
        let seen = watching::see(&recorder, ());
        let at = seen.first(|what| match what {
            What::Spawned { at, .. } => Some((at.file(), at.line())),
            _ => None,
        });
        (at, line)
    });
    assert_eq!(at, (file!(), line));
}

#[test]
fn a_name_is_told_when_it_is_given() {
    let seen = record(async || {
        spawn(flip_burgers()).named("the grill").await.unwrap();
    });
    let named = seen.first(|what| match what {
        What::Named { task, name } => Some((*task, name.as_str())),
        _ => None,
    });
    assert_eq!(named, (2, "the grill"));
}

#[test]
fn each_poll_is_told_with_its_end_and_how_long_it_took() {
    let piece = Duration::from_millis(5);
    let seen = record(async move || {
        let computes = spawn(async move {
            compute(piece);
            yield_now().await;
        });
        computes.await.unwrap();
        assert!(spawn(async { panic!("no buns") }).await.is_err());
    });
    let polls = seen.all(|what| match what {
        What::PollStarted { task } => Some((*task, None)),
        What::PollEnded { task, outcome, took, .. } => Some((*task, Some((*outcome, *took)))),
        _ => None,
    });
    for pair in polls.chunks(2) {
        assert!(matches!(pair, [(a, None), (b, Some(_))] if a == b), "{pair:?} of {polls:?}");
    }
    let ends = |of: u64| polls.iter().filter(move |poll| poll.0 == of).filter_map(|poll| poll.1);
    let ends_of_computes: Vec<_> = ends(2).collect();
    let [(Outcome::Pending, took), (Outcome::Ready, _)] = ends_of_computes[..] else {
        panic!("{ends_of_computes:?}")
    };
    assert!(took >= piece, "{took:?}");
    assert!(matches!(ends(3).next(), Some((Outcome::Panicked, _))), "{polls:?}");
}

#[test]
fn each_end_is_told_with_how_it_came() {
    let seen = record(async || {
        let left = spawn(pending::<()>());
        let aborted = spawn(pending::<()>());
        assert!(spawn(async { panic!("no buns") }).await.is_err());
        aborted.abort();
        assert!(aborted.await.is_err());
        drop(left);
    });
    let mut ends = seen.all(|what| match what {
        What::Ended { task, how } => Some((*task, *how)),
        _ => None,
    });
    ends.sort_by_key(|(task, _)| *task);
    let expected =
        [(1, End::Finished), (2, End::Cancelled), (3, End::Cancelled), (4, End::Panicked)];
    assert_eq!(ends, expected);
}

/// Who woke it, each time.
fn wakes<T>(seen: &watching::Seen<T>, of: u64) -> Vec<By> {
    seen.all(|what| match what {
        What::Woken { task, by } if *task == of => Some(by.clone()),
        _ => None,
    })
}

#[test]
fn a_coroutine_is_woken_by_another_one_and_by_itself() {
    let seen = record(async || {
        let task = spawn(flip_burgers());
        task.await.unwrap();
    });
    assert_eq!(wakes(&seen, 2), [By::Task(2)], "yield_now");
    assert_eq!(wakes(&seen, MAIN), [By::Task(2)], "its end");
}

#[test]
fn a_coroutine_is_woken_by_a_timer() {
    let seen = record(async || sleep(Duration::from_secs(60)).await);
    assert_eq!(wakes(&seen, MAIN), [By::Timer]);
}

#[test]
fn a_coroutine_is_woken_by_the_thread_whose_name_is_told() {
    let seen = record(async || woken_by_thread("the cashier").await);
    assert_eq!(wakes(&seen, MAIN), [By::Thread(Some("the cashier".to_owned()))]);
}

#[test]
fn a_wake_is_told_before_the_coroutine_is_in_the_ready_queue() {
    let seen = record(async || {
        spawn(flip_burgers()).await.unwrap();
    });
    for (before, event, after) in seen.worlds() {
        if let What::Woken { task, .. } = event.what {
            assert!(!before.ready.contains(&task) && after.ready.back() == Some(&task));
        }
    }
}

#[test]
fn a_socket_is_told_with_both_ends_and_wakes_who_waits_for_it() {
    let line = line!() + 6;
    let seen = record_in_real_time(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let guest = spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.read(&mut [0; 8]).await.unwrap();
            stream.get_ref().local_addr().unwrap()
        });
        let (stream, _) = listener.accept().await.unwrap();
        yield_now().await; // the guest reads first, and has to wait
        stream.write_all(b"burger").await.unwrap();
        (address, guest.await.unwrap())
    });
    let (host, guest) = seen.output;
    let (listener, kind) = seen.first(|what| match what {
        What::Registered { source, kind, local, peer: None, task, .. } => {
            assert_eq!((local.as_deref(), *task), (Some(host.to_string().as_str()), Some(MAIN)));
            Some((*source, kind.as_str()))
        }
        _ => None,
    });
    assert_eq!(kind, "TcpListener");
    let (socket, fd) = seen.first(|what| match what {
        What::Registered { source, fd, local, peer: Some(peer), task: Some(2), .. } => {
            assert_eq!(peer, &host.to_string());
            assert!(local.is_none() || local == &Some(guest.to_string()), "{local:?}");
            Some((*source, *fd))
        }
        _ => None,
    });
    assert!(!cfg!(unix) || fd.is_some());
    let waits = seen.first(|what| match what {
        What::Waiting { task: 2, on: Wait::Source { source, direction, at: Some(at) } } => {
            Some((*source, *direction, at.file(), at.line()))
        }
        _ => None,
    });
    assert_eq!(waits, (socket, Direction::Read, file!(), line));
    assert!(wakes(&seen, 2).contains(&By::Source(socket, Direction::Read)));
    let mut closed = seen.all(|what| match what {
        What::Deregistered { source } => Some(*source),
        _ => None,
    });
    closed.sort_unstable();
    closed.dedup();
    assert!(closed.contains(&listener) && closed.contains(&socket), "{closed:?}");
}

#[test]
fn a_timer_is_told_with_its_deadline_and_line() {
    let line = line!() + 1;
    let seen = record(async || sleep(Duration::from_secs(60)).await);
    let (at, deadline, source) = seen
        .events
        .iter()
        .find_map(|event| match &event.what {
            What::Waiting { task: MAIN, on: Wait::Timer { deadline, at } } => {
                Some((event.at, deadline.unwrap(), *at))
            }
            _ => None,
        })
        .unwrap();
    assert_eq!(deadline - at, Duration::from_secs(60), "on one clock");
    assert_eq!((source.file(), source.line()), (file!(), line));
    let woken = seen.events.iter().find(|event| matches!(event.what, What::Woken { .. })).unwrap();
    assert_eq!(woken.at, deadline);
}

#[test]
fn a_timer_that_is_never_due_says_so() {
    let seen = record(async || {
        let never = sleep(Duration::MAX);
        assert!(timeout(Duration::from_secs(1), never).await.is_err());
    });
    seen.first(|what| match what {
        What::Waiting { on: Wait::Timer { deadline: None, .. }, .. } => Some(()),
        _ => None,
    });
}

#[test]
fn a_blocking_job_is_told_from_line_to_result() {
    let line = line!() + 3;
    let seen = record(async || {
        let (parks, parked) = std::sync::mpsc::channel();
        let job = spawn_blocking(move || (parked.recv(), compute(Duration::from_millis(5))));
        spawn(async move { parks.send(()) }); // polled when main is parked
        job.await.unwrap().0.unwrap();
    });
    let (queued, at) = seen.first(|what| match what {
        What::JobQueued { job, task: Some(MAIN), at } => Some((*job, (at.file(), at.line()))),
        _ => None,
    });
    assert_eq!(at, (file!(), line));
    seen.first(|what| match what {
        What::Waiting { task: MAIN, on: Wait::Job { job, .. } } if *job == queued => Some(()),
        _ => None,
    });
    let ran = seen.first(|what| match what {
        What::JobDone { job, task: Some(MAIN), ran, .. } if *job == queued => Some(*ran),
        _ => None,
    });
    assert!(ran >= Duration::from_millis(5), "{ran:?}");
    let by = wakes(&seen, MAIN);
    assert!(matches!(&by[..], [By::Thread(Some(name))] if name.starts_with("blocking")), "{by:?}");
}

#[test]
fn waits_for_coroutines_channels_and_turns_are_told() {
    let seen = record(async || {
        let (sender, receiver) = bounded(1);
        let cook = spawn(async move {
            for burger in 0..3 {
                sender.send(burger).await.unwrap();
            }
        });
        while receiver.recv().await.is_some() {}
        yield_now().await;
        cook.await.unwrap();
        spawn(flip_burgers()).await.unwrap();
    });
    let waits = seen.all(|what| match what {
        What::Waiting { task, on } => Some((*task, on.clone())),
        _ => None,
    });
    let here = |at: Option<&Location<'_>>| at.is_some_and(|at| at.file().ends_with("events.rs"));
    let has = |task, kind: &dyn Fn(&Wait) -> bool| {
        assert!(waits.iter().any(|(who, on)| *who == task && kind(on)), "{waits:?}");
    };
    has(MAIN, &|on| matches!(on, Wait::Receive { at } if here(*at)));
    has(2, &|on| matches!(on, Wait::Send { at } if here(*at)));
    has(MAIN, &|on| matches!(on, Wait::Yield { at } if here(*at)));
    has(MAIN, &|on| *on == Wait::Join(3));
}

#[test]
fn parks_are_told_with_whether_the_thread_sleeps() {
    let seen = record(async || {
        for _ in 0..200 {
            yield_now().await; // somebody is always ready: it only looks
        }
        sleep(Duration::from_secs(1)).await;
    });
    let parks = seen.all(|what| match what {
        What::Parking { sleeps } => Some(Some(*sleeps)),
        What::Unparked => Some(None),
        _ => None,
    });
    for pair in parks.chunks(2) {
        assert!(matches!(pair, [Some(_), None]), "{parks:?}");
    }
    assert!(parks.contains(&Some(true)) && parks.contains(&Some(false)), "{parks:?}");
}

#[test]
fn a_coroutine_whose_last_waker_is_gone_is_told() {
    let seen = record(async || {
        let place: Rc<RefCell<Option<Waker>>> = Rc::default();
        let task = spawn(parked_at(&place));
        yield_now().await;
        drop(place.take());
        sleep(Duration::from_secs(1)).await;
        task.id().get()
    });
    let lost = seen.all(|what| match what {
        What::Lost { task } => Some(*task),
        _ => None,
    });
    assert!(!lost.is_empty() && lost.iter().all(|task| *task == seen.output), "{lost:?}");
}

#[test]
fn times_never_run_backwards() {
    let seen = record_in_real_time(async || {
        let pause = || async { sleep(Duration::from_millis(1)).await };
        join(pause(), async { spawn(pause()).await.unwrap() }).await;
        spawn_blocking(|| ()).await.unwrap();
    });
    let times: Vec<Duration> = seen.events.iter().map(|event| event.at).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn an_abort_is_told_with_who_asked_for_it() {
    let seen = record(async || {
        let parked = spawn(pending::<()>());
        yield_now().await;
        parked.abort();
        assert!(parked.await.unwrap_err().is_cancelled());
    });
    seen.first(|what| matches!(what, What::Aborting { task: 2, by: Some(MAIN) }).then_some(()));
    seen.first(|what| matches!(what, What::Ended { task: 2, how: End::Cancelled }).then_some(()));
}

#[test]
fn a_job_whose_future_is_dropped_is_told_and_leaves_the_world() {
    let seen = record(async || {
        let (go_on, waits) = mpsc::channel::<()>();
        let job = spawn_blocking(move || waits.recv());
        race(job, async {
            yield_now().await;
            drop(go_on);
        })
        .await;
    });
    seen.first(|what| matches!(what, What::JobDropped { job: 1, task: Some(MAIN) }).then_some(()));
    assert!(seen.now.jobs.is_empty());
}
