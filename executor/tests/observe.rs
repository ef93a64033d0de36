//! What an observer is told.

mod common;

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, ready};
use std::rc::Rc;
use std::task::{Poll, Waker};

use common::{Gate, Log, elsewhere, turns, within};
use executor::channel::bounded;
use executor::observe::{End, Event, Outcome, Wait};
use executor::{Executor, WokenBy, spawn, yield_now};

/// An executor whose observer writes down what `keep` picks.
fn watched<T: 'static>(keep: impl Fn(&Event<'_>) -> Option<T> + 'static) -> (Executor, Log<T>) {
    let log = Log::new();
    let inside = log.clone();
    let observer = move |event: &Event<'_>| {
        if let Some(entry) = keep(event) {
            inside.push(entry);
        }
    };
    (Executor::with_observer(Waker::noop().clone(), observer), log)
}

async fn flip_burgers() {
    yield_now().await;
}

fn short(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Spawned { task, name, parent, .. } => match parent {
            Some(parent) => format!("{task} {name} spawned by {parent}"),
            None => format!("{task} {name} spawned"),
        },
        Event::Named { task, name } => format!("{task} named {name}"),
        Event::Woken { task, by, .. } => format!("{task} woken by {by:?}"),
        Event::PollStarted { task } => format!("{task} poll"),
        Event::Waiting { on, .. } => format!("waits for {on:?}"),
        Event::PollEnded { task, outcome, .. } => format!("{task} {outcome:?}"),
        Event::Ended { task, how } => format!("{task} ended {how:?}"),
        Event::Parking { limit } => format!("parking {limit:?}"),
        Event::Unparked => "unparked".to_owned(),
        _ => return None,
    })
}

#[test]
fn an_observer_is_told_the_whole_life_of_a_task_in_order() {
    within(|| {
        let (executor, log) = watched(short);
        executor.block_on(async { spawn(flip_burgers()).await.unwrap() }, |_| ());
        let expected = "\
            #1 main spawned\n\
            #1 poll\n\
            #2 flip_burgers spawned by #1\n\
            waits for Join(#2)\n\
            #1 Pending\n\
            #2 poll\n\
            waits for Yield\n\
            #2 woken by Task(#2)\n\
            #2 Pending\n\
            #2 poll\n\
            #2 Ready\n\
            #2 ended Finished\n\
            #1 woken by Task(#2)\n\
            #1 poll\n\
            #1 Ready\n\
            #1 ended Finished";
        assert_eq!(log.take().join("\n"), expected);
    });
}

#[test]
fn each_poll_that_is_started_is_ended_and_none_is_ended_that_was_not_started() {
    within(|| {
        let (executor, log) = watched(|event| match event {
            Event::PollStarted { task } => Some((*task, None)),
            Event::PollEnded { task, outcome, .. } => Some((*task, Some(*outcome))),
            _ => None,
        });
        let main = async {
            let _waits = spawn(pending::<()>());
            let aborted = spawn(pending::<()>());
            let unpolled = spawn(pending::<()>());
            unpolled.abort();
            let panics = spawn(async { panic!("no buns") });
            turns(2).await;
            aborted.abort();
            turns(2).await;
            let result: Result<(), _> = panics.await;
            assert!(result.is_err());
        };
        executor.block_on(main, |_| ());
        let polls = log.take();
        for pair in polls.chunks(2) {
            assert!(matches!(pair, [(a, None), (b, Some(_))] if a == b), "{pair:?} of {polls:?}");
        }
        assert!(polls.iter().any(|(_, end)| *end == Some(Outcome::Panicked)));
    });
}

#[test]
fn each_task_that_is_spawned_ends_once_and_it_is_told_how() {
    within(|| {
        let (executor, log) = watched(|event| match event {
            Event::Spawned { task, .. } => Some((*task, None)),
            Event::Ended { task, how } => Some((*task, Some(*how))),
            _ => None,
        });
        let main = async {
            let _left = spawn(pending::<()>());
            let aborted = spawn(pending::<()>());
            let result: Result<(), _> = spawn(async { panic!("no buns") }).await;
            assert!(result.is_err());
            spawn(ready(())).await.unwrap();
            aborted.abort();
            turns(2).await;
        };
        executor.block_on(main, |_| ());
        let mut entries = log.take();
        entries.sort_by_key(|(task, how)| (*task, how.is_some()));
        let ends: Vec<Option<End>> = entries.iter().map(|(_, how)| *how).collect();
        let expected =
            [End::Finished, End::Cancelled, End::Cancelled, End::Panicked, End::Finished];
        assert_eq!(ends, expected.map(|how| [None, Some(how)]).concat());
    });
}

#[test]
fn a_task_has_a_readable_name_until_it_is_given_one() {
    within(|| {
        let (executor, log) = watched(|event| match event {
            Event::Spawned { name, .. } | Event::Named { name, .. } => Some((*name).to_owned()),
            _ => None,
        });
        let main = async {
            drop(spawn(flip_burgers()));
            drop(spawn(async {}));
            drop(spawn(pending::<Vec<Cell<i32>>>()));
            drop(spawn(flip_burgers()).named("the grill"));
            drop(spawn(flip_burgers()).named(format!("grill {}", 2)));
            drop(spawn(flip_burgers()).named("[::1]:80 <admin>"));
        };
        executor.block_on(main, |_| ());
        let names = log.take();
        let test = "a_task_has_a_readable_name_until_it_is_given_one";
        assert_eq!(names[..4], ["main", "flip_burgers", test, "Pending<Vec<Cell<i32>>>"]);
        assert_eq!(names[4..6], ["flip_burgers", "the grill"]);
        assert_eq!(names[6..8], ["flip_burgers", "grill 2"]);
        assert_eq!(names[8..], ["flip_burgers", "[::1]:80 <admin>"], "as it was given");
    });
}

#[test]
fn a_task_is_reported_with_the_line_of_its_spawn_and_its_parent() {
    within(|| {
        let (executor, log) = watched(|event| match event {
            Event::Spawned { task, parent, at, .. } => Some((*task, *parent, *at)),
            _ => None,
        });
        let main_line = line!() + 7;
        let main = async {
            let outer = spawn(async { spawn(ready(())).id() });
            (outer.id(), line!() - 1, outer.await.unwrap())
        };
        let from_park = Gate::new();
        let main = async { (main.await, from_park.pass().await).0 };
        let (outer, line, inner) = executor.block_on(main, |_| {
            drop(spawn(ready(())));
            from_park.open();
        });
        let entries = log.take();
        let [(main, no_parent, at), (a, of_a, at_a), (b, of_b, at_b), (_, parked, _)] = entries[..]
        else {
            panic!("{entries:?}")
        };
        assert_eq!((no_parent, at.line(), at.file()), (None, main_line, file!()));
        assert_eq!((a, of_a, at_a.line(), at_a.file()), (outer, Some(main), line, file!()));
        assert_eq!((b, of_b, at_b.line()), (inner, Some(outer), line));
        assert_eq!(parked, None, "nobody is polled during a park");
    });
}

#[test]
fn each_wake_is_reported_with_its_cause_and_only_if_it_has_an_effect() {
    within(|| {
        let (executor, log) = watched(|event| match event {
            Event::Woken { by, .. } => Some(*by),
            _ => None,
        });
        let gate = Gate::new();
        let step = Cell::new(0);
        let main = async {
            gate.pass().await;
            let inside = gate.clone();
            let task = spawn(async move {
                inside.waker().wake();
                inside.waker().wake();
            });
            std::future::poll_fn(|_| match task.is_finished() {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            })
            .await;
            task.id()
        };
        let id = executor.block_on(main, |_| {
            let waker = gate.waker();
            step.set(step.get() + 1);
            if step.get() == 1 {
                elsewhere(move || waker.wake());
            } else {
                gate.open();
                gate.open();
            }
        });
        assert_eq!(log.take(), [WokenBy::Thread, WokenBy::Park, WokenBy::Task(id)]);
    });
}

#[test]
fn waits_for_channels_are_reported() {
    within(|| {
        let (executor, log) = watched(|event| match event {
            Event::Waiting { on, at } => {
                let here = at.is_none_or(|at| at.file().ends_with("observe.rs"));
                assert!(here && at.is_none() == matches!(on, Wait::Join(_)), "{on:?} {at:?}");
                Some(*on)
            }
            _ => None,
        });
        let main = async {
            let (sender, receiver) = bounded(1);
            spawn(async move {
                for n in 0..3 {
                    sender.send(n).await.unwrap();
                }
            });
            while receiver.recv().await.is_some() {}
        };
        executor.block_on(main, |_| ());
        let waits = log.take();
        assert!(waits.contains(&Wait::Send) && waits.contains(&Wait::Receive), "{waits:?}");
    });
}

/// Leaves its waker in a place of ours, once.
fn leave_waker(place: &Rc<RefCell<Option<Waker>>>) -> impl Future<Output = ()> + use<> {
    let place = place.clone();
    poll_fn(move |cx| {
        *place.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    })
}

/// Those that are reported lost while `main` runs and `at_park` is called instead of sleeping.
fn lost_in<F: Future>(main: F, at_park: impl FnMut(Option<std::time::Duration>)) -> Vec<u64> {
    let lost = |event: &Event<'_>| match event {
        Event::Lost { task } => Some(task.get()),
        _ => None,
    };
    let (executor, log) = watched(lost);
    executor.block_on(main, at_park);
    log.take()
}

#[test]
fn a_task_that_leaves_no_waker_is_told_lost_when_the_thread_goes_to_sleep() {
    within(|| {
        let waker = Rc::new(RefCell::new(None));
        let main = async {
            spawn(pending::<()>());
            leave_waker_once(&waker).await;
        };
        let lost = lost_in(main, |_| wake(&waker));
        assert_eq!(lost, [2], "not main, whose waker is with us");
    });
}

#[test]
fn another_executor_that_begins_meanwhile_makes_no_suspect_forgotten() {
    within(|| {
        let waker = Rc::new(RefCell::new(None));
        let main = async {
            spawn(pending::<()>());
            yield_now().await; // now it is a suspect
            drop(Executor::with_observer(Waker::noop().clone(), |_: &Event<'_>| ()));
            leave_waker_once(&waker).await;
        };
        assert_eq!(lost_in(main, |_| wake(&waker)), [2]);
    });
}

#[test]
fn a_task_whose_last_waker_is_dropped_without_a_wake_is_told_lost() {
    within(|| {
        let (kept, main_waker) = <(Rc<RefCell<Option<Waker>>>, Rc<_>)>::default();
        let main = async {
            spawn(leave_waker(&kept));
            leave_waker_once(&main_waker).await;
            assert!(kept.take().is_some());
            leave_waker_once(&main_waker).await;
        };
        let mut parks = 0;
        let lost = lost_in(main, |_| {
            parks += 1;
            wake(&main_waker);
        });
        assert_eq!((lost, parks), (vec![2], 2));
    });
}

#[test]
fn a_task_that_is_woken_from_a_thread_that_then_drops_its_waker_is_not_lost() {
    within(|| {
        let waker = Rc::new(RefCell::new(None));
        let lost = lost_in(leave_waker_once(&waker), |_| {
            let waker: Option<Waker> = waker.take();
            elsewhere(move || {
                if let Some(waker) = waker {
                    waker.wake_by_ref();
                }
            });
        });
        assert_eq!(lost, []);
    });
}

#[test]
fn a_task_that_has_ended_is_not_lost_with_its_last_waker() {
    within(|| {
        let main_waker = Rc::new(RefCell::new(None));
        let main = async {
            let gate = Gate::new();
            let task = spawn(gate.pass());
            turns(1).await;
            gate.open();
            turns(1).await;
            assert!(task.is_finished());
            drop(gate); // and its waker; the task is still in its slot, for the handle
            leave_waker_once(&main_waker).await;
        };
        assert_eq!(lost_in(main, |_| wake(&main_waker)), []);
    });
}

#[test]
fn a_thread_that_wakes_is_named() {
    within(|| {
        let names = |event: &Event<'_>| match event {
            Event::Woken { thread, .. } => Some(thread.map(str::to_owned)),
            _ => None,
        };
        let (executor, log) = watched(names);
        let waker = Rc::new(RefCell::new(None));
        executor.block_on(leave_waker_once(&waker), |_| {
            let waker: Waker = waker.take().expect("main is parked");
            let thread = std::thread::Builder::new().name("the grill".to_owned());
            thread.spawn(move || waker.wake()).unwrap().join().unwrap();
        });
        assert_eq!(log.take(), [Some("the grill".to_owned())]);
    });
}

#[test]
fn a_task_is_told_with_its_slot_which_the_next_one_gets_again() {
    within(|| {
        let slots = |event: &Event<'_>| match event {
            Event::Spawned { task, slot, .. } => Some((task.get(), *slot)),
            _ => None,
        };
        let (executor, log) = watched(slots);
        let main = async {
            spawn(ready(())).await.unwrap();
            spawn(ready(())).await.unwrap();
        };
        executor.block_on(main, |_| ());
        assert_eq!(log.take(), [(1, 0), (2, 1), (3, 1)]);
    });
}

/// Parks once; when it is woken it is over.
async fn leave_waker_once(place: &Rc<RefCell<Option<Waker>>>) {
    let mut parked = false;
    poll_fn(|cx| {
        if parked {
            return Poll::Ready(());
        }
        parked = true;
        *place.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

fn wake(place: &Rc<RefCell<Option<Waker>>>) {
    if let Some(waker) = place.take() {
        waker.wake();
    }
}

#[test]
fn an_abort_is_told_with_who_asked_for_it_and_one_of_an_ended_task_is_not() {
    within(|| {
        let aborts = |event: &Event<'_>| match event {
            Event::Aborting { task, by } => Some((task.get(), by.map(executor::TaskId::get))),
            _ => None,
        };
        let (executor, log) = watched(aborts);
        let main = async {
            let parked = spawn(pending::<()>());
            parked.abort();
            assert!(parked.await.unwrap_err().is_cancelled());
            let ended = spawn(ready(()));
            yield_now().await;
            ended.abort();
        };
        executor.block_on(main, |_| ());
        assert_eq!(log.take(), [(2, Some(1))]);
    });
}

#[test]
fn the_end_of_a_poll_tells_how_many_wakers_are_kept() {
    within(|| {
        let counts = |event: &Event<'_>| match event {
            Event::PollEnded { wakers, .. } => Some(*wakers),
            _ => None,
        };
        let (executor, log) = watched(counts);
        let (here, there) = <(Rc<RefCell<Option<Waker>>>, Rc<_>)>::default();
        let main = executor::join(leave_waker_once(&here), leave_waker_once(&there));
        executor.block_on(main, |_| {
            wake(&here);
            wake(&there);
        });
        assert_eq!(log.take(), [2, 0]);
    });
}

#[test]
fn a_task_that_threads_wake_again_and_again_is_never_lost() {
    within(|| {
        let (wakers, woken) = std::sync::mpsc::channel::<Waker>();
        let waking = std::thread::spawn(move || woken.into_iter().for_each(Waker::wake));
        let lost = |event: &Event<'_>| matches!(event, Event::Lost { .. }).then_some(());
        let log = Log::new();
        let inside = log.clone();
        let main_thread = std::thread::current();
        let interrupt = Waker::from(std::sync::Arc::new(Unpark(main_thread)));
        let observer =
            move |event: &Event<'_>| lost(event).into_iter().for_each(|()| inside.push(()));
        let executor = Executor::with_observer(interrupt, observer);
        executor.block_on(
            async {
                for _ in 0..20_000 {
                    let mut sent = false;
                    poll_fn(|cx| {
                        if std::mem::replace(&mut sent, true) {
                            return Poll::Ready(());
                        }
                        wakers.send(cx.waker().clone()).unwrap();
                        Poll::Pending
                    })
                    .await;
                }
                drop(wakers);
            },
            |limit| {
                if limit.is_none() {
                    std::thread::park();
                }
            },
        );
        waking.join().unwrap();
        assert_eq!(log.len(), 0);
    });
}

struct Unpark(std::thread::Thread);

impl std::task::Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}
