//! Each diagnosis when it is due, once, with names and lines; and silence where nothing is wrong.

mod watching;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use executor::channel::bounded;
use executor::{join, race, spawn, yield_now};
use reactor::blocking::spawn_blocking;
use reactor::time::{sleep, timeout};
use watch::{Event, Kind, Options, Recorder, What};
use watching::{
    Seen, compute, parked_at, record, record_itself, record_with, unhurried, woken_from_sleep,
};

/// Where in this file.
fn at(line: u32) -> String {
    format!("{}:{line}", file!())
}

/// Right behind the event that `is` finds.
fn comes_right_behind<T>(seen: &Seen<T>, is: impl Fn(&What) -> bool) {
    let place = seen.whats().position(|what| matches!(what, What::Diagnosis { .. })).unwrap();
    assert!(is(&seen.events[place - 1].what), "{:#?}", &seen.events[place - 1..=place]);
}

// A slow poll -------------------------------------------------------------------------------------

#[test]
fn a_slow_poll_is_told_with_name_line_and_time() {
    let line = line!() + 2;
    let seen = record_with(Options::default(), async || {
        let task = spawn(async { compute(Duration::from_millis(120)) });
        task.named("the grill").await.unwrap();
    });
    let (task, text) = seen.diagnosis(Kind::SlowPoll);
    assert_eq!(task, Some(2));
    assert!(text.starts_with(&format!("#2 the grill (spawned at {}) held", at(line))), "{text}");
    assert!(text.contains(" ms: nobody else could be polled") && text.contains("spawn_blocking"));
    comes_right_behind(&seen, |what| matches!(what, What::PollEnded { task: 2, .. }));
}

#[test]
fn what_counts_as_slow_can_be_chosen() {
    let options = Options { slow: Duration::from_millis(5), ..Options::default() };
    let seen = record_with(options, async || {
        compute(Duration::from_millis(6));
        yield_now().await;
    });
    assert!(seen.diagnoses().iter().any(|it| it.0 == Kind::SlowPoll && it.1 == Some(1)));
}

#[test]
fn a_long_wait_is_no_slow_poll() {
    let wait = Duration::from_millis(700);
    let options = Options { slow: wait, ..Options::default() };
    let seen = record_with(options, async move || {
        sleep(wait).await;
        spawn_blocking(move || compute(wait)).await.unwrap();
    });
    seen.assert_healthy();
}

#[test]
fn a_poll_that_panics_is_told_as_a_panic_only() {
    let seen = record_with(Options::default(), async || {
        let task = spawn(async {
            compute(Duration::from_millis(120)); // as long as printing a backtrace takes
            panic!("no buns");
        });
        let result: Result<(), _> = task.await;
        assert!(result.is_err());
    });
    seen.diagnosis(Kind::Panic);
}

// A lost wake-up ----------------------------------------------------------------------------------

#[test]
fn a_coroutine_that_leaves_no_waker_is_told_when_the_thread_goes_to_sleep() {
    let line = line!() + 2;
    let seen = record(async || {
        spawn(pending::<()>()).named("forgetful");
        sleep(Duration::from_secs(1)).await;
        sleep(Duration::from_secs(1)).await;
    });
    let (task, text) = seen.diagnosis(Kind::LostWakeUp);
    assert_eq!(task, Some(2));
    assert!(text.starts_with(&format!("#2 forgetful (spawned at {}) is parked", at(line))));
    assert!(text.contains("cx.waker()"), "{text}");
    comes_right_behind(&seen, |what| matches!(what, What::Lost { task: 2 }));
}

#[test]
fn a_waker_that_is_dropped_later_is_a_lost_wake_up_then() {
    let seen = record(async || {
        let place: Rc<RefCell<Option<Waker>>> = Rc::default();
        spawn(parked_at(&place));
        sleep(Duration::from_secs(1)).await;
        drop(place.take());
        sleep(Duration::from_secs(1)).await;
    });
    assert_eq!(seen.diagnosis(Kind::LostWakeUp).0, Some(2));
    let told = seen.events.iter().find(|it| matches!(it.what, What::Diagnosis { .. })).unwrap();
    let first_timer = seen.events.iter().find(|it| matches!(it.what, What::Woken { .. })).unwrap();
    assert!(told.at >= first_timer.at, "not before the waker was dropped");
}

#[test]
fn a_coroutine_that_sleeps_for_ever_has_lost_nothing() {
    let seen = record(async || {
        spawn(sleep(Duration::MAX));
        sleep(Duration::from_secs(1)).await;
    });
    seen.assert_healthy();
}

// A deadlock --------------------------------------------------------------------------------------

/// What was seen of a program that never ends, when it has come to a standstill. Its thread stays.
fn stuck<F>(main: F) -> Seen<()>
where
    F: AsyncFnOnce() + Send + 'static,
{
    watching::within(move || {
        let recorder = Recorder::new(unhurried());
        let (watched, mut reader) = (recorder.clone(), recorder.reader());
        thread::spawn(move || watched.run(main()).unwrap());
        executor::block_on(async {
            let is_deadlock =
                |event: &Event| matches!(event.what, What::Diagnosis { kind: Kind::Deadlock, .. });
            loop {
                recorder.changed(&reader).await;
                let batch = recorder.read(&mut reader, usize::MAX);
                batch.events.iter().for_each(|event| reader.world.apply(event));
                if batch.events.iter().any(is_deadlock) {
                    return;
                }
            }
        });
        watching::see(&recorder, ())
    })
}

#[test]
fn a_deadlock_names_everybody_with_what_they_wait_for_and_the_lines() {
    let line = line!() + 4;
    let seen = stuck(async || {
        let (to_cook, at_cook) = bounded::<()>(1);
        let (to_cashier, at_cashier) = bounded::<()>(1);
        let cashier = spawn(async move {
            at_cashier.recv().await;
            drop(to_cook);
        });
        let cook = spawn(async move {
            at_cook.recv().await;
            drop(to_cashier);
        });
        let (cashier, _cook) = (cashier.named("cashier"), cook.named("cook"));
        cashier.await.unwrap();
    });
    let (task, text) = seen.diagnosis(Kind::Deadlock);
    assert_eq!(task, None);
    for part in [
        "deadlock: everybody is parked".to_owned(),
        "#1 main (spawned at ".to_owned(),
        "waits for the end of #2 cashier".to_owned(),
        format!("#2 cashier (spawned at {}) waits for a value in a channel", at(line)),
        format!("#3 cook (spawned at {}) waits for a value in a channel", at(line + 4)),
    ] {
        assert!(text.contains(&part), "{part:?} is not in {text}");
    }
    comes_right_behind(&seen, |what| matches!(what, What::Parking { sleeps: true }));
}

#[test]
fn a_deadlock_gives_the_line_that_waits() {
    let line = line!() + 4;
    let seen = stuck(async || {
        let (_sender, receiver) = bounded::<()>(1);
        let never = async {
            sleep(Duration::MAX).await;
        };
        race(receiver.recv(), never).await;
    });
    let text = seen.diagnosis(Kind::Deadlock).1;
    let (recv, never) = (at(line + 2), at(line));
    let part = format!(
        "waits for a value in a channel (at {recv}), or a timer that is never due (at {never})"
    );
    assert!(text.contains(&part), "{part:?} is not in {text}");
}

#[test]
fn a_channel_that_nobody_empties_is_a_deadlock() {
    let seen = stuck(async || {
        let (sender, _receiver) = bounded(1);
        sender.send(1).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        sender.send(2).await.unwrap();
    });
    let text = seen.diagnosis(Kind::Deadlock).1;
    assert!(text.contains("#1 main") && text.contains("waits for room in a channel"), "{text}");
}

#[test]
fn a_lost_wake_up_may_bring_everybody_to_a_standstill() {
    let seen = stuck(async || spawn(pending::<()>()).named("forgetful").await.unwrap());
    let kinds: Vec<Kind> = seen.diagnoses().iter().map(|it| it.0).collect();
    assert_eq!(kinds, [Kind::LostWakeUp, Kind::Deadlock]);
    let text = seen.diagnoses()[1].2;
    assert!(text.contains("waits for the end of #2 forgetful"), "{text}");
    assert!(text.contains("waits for nobody: no waker of it is left"), "{text}");
}

#[test]
fn a_deadlock_of_many_names_the_first_and_counts_the_others() {
    let seen = stuck(async || {
        let (_sender, receiver) = bounded::<()>(1);
        for _ in 0..49 {
            let receiver = receiver.clone();
            spawn(async move { receiver.recv().await });
        }
        receiver.recv().await;
    });
    let text = seen.diagnosis(Kind::Deadlock).1;
    assert_eq!(text.matches(" (spawned at ").count(), 20, "{text}");
    assert!(text.ends_with("; and 30 more"), "{text}");
}

#[test]
fn whoever_waits_for_another_thread_is_in_no_deadlock() {
    let seen = record_itself(async |recorder| {
        let (sender, receiver) = bounded::<()>(1);
        let waits = spawn(async move { receiver.recv().await });
        woken_from_sleep(recorder).await;
        sender.send(()).await.unwrap();
        waits.await.unwrap();
    });
    seen.assert_healthy();
}

#[test]
fn a_wait_that_was_given_up_makes_no_deadlock() {
    let seen = record_itself(async |recorder| {
        let (_sender, receiver) = bounded::<()>(1);
        assert!(timeout(Duration::from_millis(1), receiver.recv()).await.is_err());
        woken_from_sleep(recorder).await; // in the same poll
    });
    seen.assert_healthy();
}

#[test]
fn who_only_sleeps_for_ever_is_in_no_deadlock() {
    let seen = watching::within(|| {
        let recorder = Recorder::new(unhurried());
        let watched = recorder.clone();
        thread::spawn(move || watched.run(sleep(Duration::MAX)).unwrap());
        executor::block_on(async {
            let mut reader = recorder.reader();
            while reader.world.phase != watch::Phase::Asleep {
                recorder.changed(&reader).await;
                let batch = recorder.read(&mut reader, usize::MAX);
                batch.events.iter().for_each(|event| reader.world.apply(event));
            }
        });
        watching::see(&recorder, ())
    });
    seen.assert_healthy();
}

// Busy polling ------------------------------------------------------------------------------------

/// Is ready when it has been asked so often, and wakes itself each time.
async fn polls_in_a_circle(times: u32) {
    let mut left = times;
    poll_fn(|cx| {
        left -= 1;
        cx.waker().wake_by_ref();
        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[test]
fn a_coroutine_that_wakes_itself_in_a_circle_is_told_once() {
    let line = line!() + 2;
    let seen = record(async || {
        let task = spawn(polls_in_a_circle(20_000));
        task.named("impatient").await.unwrap();
    });
    let (task, text) = seen.diagnosis(Kind::BusyPolling);
    assert_eq!(task, Some(2));
    let begins = format!("#2 impatient (spawned at {}) has woken itself 1000 times", at(line));
    assert!(text.starts_with(&begins), "{text}");
    let mut polls = 0;
    for what in seen.whats() {
        match what {
            What::PollEnded { task: 2, .. } => polls += 1,
            What::Diagnosis { .. } => break,
            _ => {}
        }
    }
    assert_eq!(polls % 1000, 0, "a slow machine may need some thousands more");
}

#[test]
fn a_loop_of_yields_is_a_circle_after_a_while() {
    let seen = record(async || {
        let ready = Rc::new(Cell::new(false));
        let waits = ready.clone();
        let task = spawn(async move {
            while !waits.get() {
                yield_now().await;
            }
        });
        for _ in 0..12_000 {
            yield_now().await;
        }
        ready.set(true);
        task.await.unwrap();
    });
    let told = seen.diagnoses();
    let of =
        |task| told.iter().filter(|it| it.0 == Kind::BusyPolling && it.1 == Some(task)).count();
    assert_eq!((of(1), of(2), told.len()), (1, 1, 2), "{told:#?}");
    assert!(told[0].2.contains("10000 times") && told[0].2.contains("between two yields"));
}

#[test]
fn to_compute_in_pieces_is_fair() {
    let seen = record(async || {
        for _ in 0..11_000 {
            compute(Duration::from_micros(50));
            yield_now().await;
        }
    });
    seen.assert_healthy();
}

#[test]
fn a_few_yields_are_no_circle() {
    let seen = record(async || {
        for _ in 0..5000 {
            yield_now().await;
        }
    });
    seen.assert_healthy();
}

#[test]
fn two_halves_of_a_coroutine_that_feed_each_other_are_no_circle() {
    let seen = record(async || {
        let (sender, receiver) = bounded(1);
        let sends = async move {
            for burger in 0..5000 {
                sender.send(burger).await.unwrap();
            }
        };
        let receives = async { while receiver.recv().await.is_some() {} };
        join(sends, receives).await;
    });
    seen.assert_healthy();
}

// A panic -----------------------------------------------------------------------------------------

#[test]
fn a_panic_is_told_with_name_and_line() {
    let line = line!() + 2;
    let seen = record(async || {
        let task = spawn(async { panic!("no buns") }).named("cook");
        let result: Result<(), _> = task.await;
        assert!(result.is_err());
    });
    let (task, text) = seen.diagnosis(Kind::Panic);
    let expected = format!("#2 cook (spawned at {}) panicked; the others go on", at(line));
    assert_eq!((task, text), (Some(2), expected.as_str()));
    comes_right_behind(&seen, |what| matches!(what, What::Ended { task: 2, .. }));
}

#[test]
fn a_panic_of_main_ends_all() {
    let seen = watching::within(|| {
        let recorder = Recorder::new(unhurried());
        let watched = recorder.clone();
        let run = thread::spawn(move || watched.run(async { panic!("no buns") }).unwrap());
        let result: Result<(), _> = run.join();
        assert!(result.is_err());
        watching::see(&recorder, ())
    });
    let text = seen.diagnosis(Kind::Panic).1;
    assert!(text.ends_with("panicked; so the whole run ends"), "{text}");
}

// Dropped while somebody waits --------------------------------------------------------------------

#[test]
fn a_coroutine_that_is_aborted_by_a_third_one_is_told_to_who_waits() {
    let line = line!() + 4;
    let seen = record(async || {
        let place: Rc<RefCell<Option<Waker>>> = Rc::default();
        // Only who has the handle can abort it: here two share it.
        let cook = Rc::new(RefCell::new(spawn(parked_at(&place)).named("cook")));
        let waits = cook.clone();
        let guest = spawn(async move {
            let ended = poll_fn(|cx| {
                let mut cook = waits.borrow_mut();
                Future::poll(std::pin::Pin::new(&mut *cook), cx)
            });
            assert!(ended.await.is_err());
        });
        let guest = guest.named("guest");
        sleep(Duration::from_secs(1)).await;
        cook.borrow().abort();
        guest.await.unwrap();
    });
    let (task, text) = seen.diagnosis(Kind::DroppedWhileAwaited);
    assert_eq!(task, Some(2));
    let begins = format!("#2 cook (spawned at {}) was dropped before it had ended", at(line));
    assert!(text.starts_with(&begins) && text.contains("and #3 guest (spawned at "), "{text}");
    comes_right_behind(&seen, |what| matches!(what, What::Ended { task: 2, .. }));
}

#[test]
fn who_aborts_a_coroutine_may_wait_until_it_is_gone() {
    let seen = record(async || {
        let parked = spawn(sleep(Duration::from_secs(9)));
        let queued = spawn(sleep(Duration::from_secs(9)));
        yield_now().await;
        parked.abort();
        assert!(parked.await.is_err());
        queued.abort();
        yield_now().await;
        assert!(queued.await.is_err());
        let unpolled = spawn(sleep(Duration::from_secs(9)));
        unpolled.abort();
        assert!(unpolled.await.is_err());
    });
    seen.assert_healthy();
}

#[test]
fn who_aborts_a_coroutine_that_was_just_woken_may_wait_as_well() {
    let seen = record(async || {
        let (sender, receiver) = bounded(1);
        let task = spawn(async move { while receiver.recv().await.is_some() {} });
        yield_now().await;
        sender.send(()).await.unwrap();
        task.abort();
        assert!(task.await.is_err());
    });
    seen.assert_healthy();
}

#[test]
fn at_the_end_of_main_everybody_is_dropped_and_that_is_no_surprise() {
    let seen = record(async || {
        let inner = spawn(async {
            loop {
                sleep(Duration::from_millis(100)).await;
            }
        });
        spawn(async move {
            let _: Result<(), _> = inner.await;
        });
        sleep(Duration::from_secs(1)).await;
    });
    seen.assert_healthy();
}

#[test]
fn a_detached_coroutine_may_be_aborted() {
    let seen = record(async || {
        let task = spawn(sleep(Duration::from_secs(9)));
        yield_now().await;
        task.abort();
        drop(task);
        sleep(Duration::from_secs(1)).await;
    });
    seen.assert_healthy();
}
