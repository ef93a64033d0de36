//! What the events add up to.

mod watching;

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use executor::channel::bounded;
use executor::{join_all, spawn, yield_now};
use reactor::Direction;
use reactor::blocking::spawn_blocking;
use reactor::net::{TcpListener, TcpStream};
use reactor::time::{sleep, timeout};
use watch::{By, Options, Phase, State, Wait, What, World};
use watching::{parked_at, print, record, record_in_real_time, record_with, woken_by_thread};

const MAIN: u64 = 1;

/// A little of everything: sockets, timers, jobs, channels, threads, panics, aborts.
async fn lively() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let echo = spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 64];
        while let Ok(n @ 1..) = stream.read(&mut bytes).await {
            stream.write_all(&bytes[..n]).await.unwrap();
        }
    });
    let (sender, receiver) = bounded(2);
    let guests = (0..3_u8).map(|n| {
        let sender = sender.clone();
        spawn(async move {
            sleep(Duration::from_millis(u64::from(n))).await;
            for turn in 0..5 {
                sender.send(n + turn).await.unwrap();
                yield_now().await;
            }
        })
        .named(format!("guest {n}"))
    });
    let guests: Vec<_> = guests.collect();
    drop(sender);
    let stream = TcpStream::connect(address).await.unwrap();
    while let Some(n) = receiver.recv().await {
        stream.write_all(&[n]).await.unwrap();
        stream.read(&mut [0; 1]).await.unwrap();
        spawn_blocking(move || n).await.unwrap();
    }
    join_all(guests).await;
    drop(stream);
    echo.await.unwrap();
    woken_by_thread("the cashier").await;
    assert!(spawn(async { panic!("no buns") }).await.is_err());
    let left: Vec<_> = (0..5).map(|_| spawn(sleep(Duration::MAX))).collect();
    left[2].abort();
    yield_now().await;
    left[3].abort(); // and main ends while it is in the queue
}

#[test]
fn the_events_add_up_to_what_is_so_now() {
    let seen = record_in_real_time(lively);
    let last = seen.worlds().last().unwrap().2;
    assert_eq!(print(&last), print(&seen.now));
    assert_eq!(last.events, seen.events.len() as u64);
}

#[test]
fn they_do_so_as_well_when_the_old_ones_are_not_kept() {
    let seen = record_with(Options { capacity: 50, ..Options::default() }, lively);
    assert!(seen.base.events > 0 && seen.events.len() == 50);
    let last = seen.worlds().last().unwrap().2;
    assert_eq!(print(&last), print(&seen.now));
}

/// The ready queue has each coroutine that is ready, once, and nobody else.
fn check_ready_queue(world: &World) {
    let is_ready = |state| matches!(state, State::Ready | State::PolledAndReady);
    let lives = world.coroutines.values().filter(|it| is_ready(it.state)).map(|it| it.id);
    let mut queue: Vec<u64> = world.ready.iter().copied().collect();
    queue.sort_unstable();
    assert_eq!(queue, lives.collect::<Vec<_>>(), "{world:#?}");
}

fn check_phase(world: &World) {
    let polled = |state| matches!(state, State::Polled | State::PolledAndReady);
    let polled: Vec<u64> =
        world.coroutines.values().filter(|it| polled(it.state)).map(|it| it.id).collect();
    match world.phase {
        Phase::Polling(task) => assert_eq!(polled, [task]),
        _ => assert_eq!(polled, [0; 0]),
    }
    if world.phase == Phase::Asleep && world.ready.is_empty() {
        let parked = |state| state == State::Parked;
        assert!(world.coroutines.values().all(|it| parked(it.state)), "{world:#?}");
    }
}

#[test]
fn it_is_consistent_after_every_event() {
    let seen = record_in_real_time(lively);
    for (_, event, world) in seen.worlds() {
        // A panic of the coroutine ends its poll before the end is told.
        if !matches!(event.what, What::PollEnded { .. }) {
            check_phase(&world);
        }
        check_ready_queue(&world);
    }
}

#[test]
fn the_first_of_the_ready_queue_is_polled_next() {
    let seen = record_in_real_time(lively);
    for (before, event, _) in seen.worlds() {
        if let What::PollStarted { task } = event.what {
            assert_eq!(before.ready.front(), Some(&task), "{before:#?}");
        }
    }
}

#[test]
fn nothing_is_left_at_the_end() {
    let seen = record_in_real_time(lively);
    let World { coroutines, ready, sources, jobs, phase, .. } = &seen.now;
    assert!(coroutines.is_empty() && ready.is_empty() && sources.is_empty() && jobs.is_empty());
    assert_eq!(*phase, Phase::Between);
}

/// The states that a coroutine has gone through.
fn states<T>(seen: &watching::Seen<T>, of: u64) -> Vec<State> {
    let mut states: Vec<State> = Vec::new();
    for (.., world) in seen.worlds() {
        states.extend(world.coroutines.get(&of).map(|it| it.state));
    }
    states.dedup();
    states
}

#[test]
fn a_coroutine_goes_from_ready_to_over() {
    use State::{Over, Parked, Polled, PolledAndReady, Ready};
    let seen = record(async || {
        let task = spawn(async {
            yield_now().await;
            sleep(Duration::from_secs(1)).await;
        });
        task.await.unwrap();
    });
    let expected = [Ready, Polled, PolledAndReady, Ready, Polled, Parked, Ready, Polled, Over];
    assert_eq!(states(&seen, 2), expected);
}

#[test]
fn a_coroutine_that_wakes_itself_and_ends_leaves_the_ready_queue() {
    let seen = record(async || {
        let task = spawn(std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            std::task::Poll::Ready(())
        }));
        task.await.unwrap();
        yield_now().await;
    });
    seen.worlds().for_each(|(.., world)| check_ready_queue(&world));
}

#[test]
fn polls_and_busy_time_and_the_last_waker_are_counted() {
    let seen = record(async || {
        let task = spawn(async {
            for _ in 0..4 {
                yield_now().await;
            }
        });
        task.await.unwrap();
    });
    let before_its_end = seen.worlds().find_map(|(before, event, _)| match event.what {
        What::Ended { task: 2, .. } => before.coroutines.get(&2).cloned(),
        _ => None,
    });
    let task = before_its_end.unwrap();
    let took = seen.all(|what| match what {
        What::PollEnded { task: 2, took, .. } => Some(*took),
        _ => None,
    });
    assert_eq!((task.polls, task.busy), (5, took.iter().sum()));
    assert_eq!((task.woken_by, task.parent), (By::Task(2), Some(MAIN)));
}

#[test]
fn it_says_whose_waker_a_socket_has() {
    let seen = record_in_real_time(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let guest = spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            timeout(Duration::from_secs(9), stream.read(&mut [0; 8])).await.unwrap().unwrap();
        });
        let (stream, _) = listener.accept().await.unwrap();
        yield_now().await;
        stream.write_all(b"burger").await.unwrap();
        guest.await.unwrap();
    });
    let mut waited = None;
    for (before, event, after) in seen.worlds() {
        let waiters = |world: &World, source| world.waiters(source).collect::<Vec<_>>();
        match &event.what {
            What::Waiting { task: 2, on: Wait::Source { source, direction, .. } } => {
                assert_eq!(waiters(&after, *source), [(2, *direction)]);
                waited = Some(*source);
            }
            What::Woken { task: 2, by: By::Source(source, Direction::Read) } => {
                assert_eq!(waiters(&before, *source), [(2, Direction::Read)]);
                assert_eq!(waiters(&after, *source), [], "the wake has used it");
                let timer = |wait: &&Wait| matches!(wait, Wait::Timer { .. });
                let wakers = after.coroutines[&2].wakers().filter(timer).count();
                assert_eq!(wakers, after.coroutines[&2].waits.iter().filter(timer).count());
            }
            _ => {}
        }
    }
    assert!(waited.is_some());
}

#[test]
fn a_socket_keeps_its_waker_while_the_coroutine_is_polled_for_another_reason() {
    let seen = record(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let accept = Rc::new(listener);
        let waits = spawn(async move {
            let _ = executor::race(accept.accept(), async {
                sleep(Duration::from_secs(1)).await;
                yield_now().await;
            })
            .await;
        });
        waits.await.unwrap();
    });
    let polls = seen.worlds().filter(|(_, event, after)| {
        let polled = matches!(event.what, What::PollStarted { task: 2 });
        polled && after.waiters(0).eq([(2, Direction::Read)])
    });
    assert_eq!(polls.count(), 2, "after the timer, and after the yield");
}

#[test]
fn a_job_whose_coroutine_is_gone_is_gone_too() {
    let seen = record_in_real_time(async || {
        let (done, waits) = std::sync::mpsc::channel::<()>();
        let task = spawn(async move { spawn_blocking(move || waits.recv()).await.unwrap() });
        yield_now().await;
        task.abort();
        assert!(task.await.is_err());
        drop(done);
    });
    let jobs = |world: &World| world.jobs.values().map(|job| job.task).collect::<Vec<_>>();
    assert!(seen.worlds().any(|(.., world)| jobs(&world) == [Some(2)]));
    let main_ends =
        seen.worlds().find(|(_, event, _)| matches!(event.what, What::Ended { task: MAIN, .. }));
    assert_eq!(jobs(&main_ends.unwrap().0), []);
}

#[test]
fn one_who_is_lost_is_not_lost_any_more_when_it_is_woken() {
    let seen = record(async || {
        let place: Rc<RefCell<Option<Waker>>> = Rc::default();
        let task = spawn(parked_at(&place));
        yield_now().await;
        drop(place.take());
        sleep(Duration::from_secs(1)).await;
        task.abort();
        let _ = task.await;
    });
    let lost: Vec<bool> =
        seen.worlds().filter_map(|(.., world)| Some(world.coroutines.get(&2)?.lost)).collect();
    assert!(lost.contains(&true) && lost.last() == Some(&false), "{lost:?}");
}

// In words ----------------------------------------------------------------------------------------

#[test]
fn every_event_is_one_plain_sentence() {
    let seen = record_in_real_time(lively);
    for (before, event, _) in seen.worlds() {
        let sentence = before.tell(&event.what);
        let begins = sentence.starts_with(|c: char| c.is_uppercase() || c == '#');
        assert!(begins && sentence.ends_with('.'), "{sentence}");
        assert!(sentence.len() < 160 && !sentence.contains('\n'), "{sentence}");
        assert!(!sentence.contains("  ") && !sentence.contains("Some("), "{sentence}");
    }
}

#[test]
fn the_sentences_say_who_and_why() {
    let seen = record(async || {
        let kitchen = spawn(async {
            sleep(Duration::from_millis(60)).await;
            yield_now().await;
        });
        kitchen.named("kitchen").await.unwrap();
        let left = spawn(pending::<()>());
        left.abort();
        let _ = left.await;
        woken_by_thread("the cashier").await;
    });
    let told: Vec<String> =
        seen.worlds().map(|(before, event, _)| before.tell(&event.what)).collect();
    for sentence in [
        "The executor begins with #1 main.",
        "The executor polls #1 main.",
        "#2 is called kitchen from now on.",
        "#1 main cannot go on yet: it leaves its waker with #2 kitchen, to be woken at its end.",
        "#2 kitchen cannot go on yet: it leaves its waker with the reactor (a timer, due in 60.0 ms).",
        "A timer is due. The reactor wakes #2 kitchen: it goes to the end of the ready queue.",
        "#2 kitchen lets the others have a turn first.",
        "#2 kitchen wakes itself, to have another turn: it goes to the end of the ready queue.",
        "#2 kitchen has ended.",
        "#2 kitchen wakes #1 main: it goes to the end of the ready queue.",
        "The thread the cashier wakes #1 main: it goes to the end of the ready queue.",
        "#1 main has ended. Whoever is left is dropped.",
    ] {
        assert!(told.iter().any(|it| it == sentence), "{sentence:?} is not in {told:#?}");
    }
    assert!(told.iter().any(|it| it.ends_with("is dropped before its end: it was cancelled.")));
    let why = |it: &String| it.starts_with("The reactor has woken nobody") && it.contains("thread");
    assert!(told.iter().any(why), "a park that another thread has ended says why: {told:#?}");
}

#[test]
fn what_a_coroutine_waits_for_is_told_in_a_few_words() {
    let seen = record(async || {
        let (_sender, receiver) = bounded::<()>(1);
        let _ = timeout(Duration::from_millis(60), receiver.recv()).await;
        yield_now().await; // what is given up within a poll is only forgotten at the next one
        woken_by_thread("the cashier").await;
    });
    let mut waits: Vec<String> = Vec::new();
    for (.., world) in seen.worlds() {
        let main = world.coroutines.get(&MAIN).filter(|it| it.state == State::Parked);
        waits.extend(main.map(|main| world.waits_of(main)));
    }
    waits.dedup();
    let expected =
        ["a value in a channel, or timer in 60.0 ms", "somebody else, perhaps another thread"];
    assert_eq!(waits, expected);
}
