//! What is kept, what readers get, and how the world is stopped.

mod watching;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use executor::{spawn, yield_now};
use reactor::Reactor;
use reactor::time::sleep;
use watch::{Event, Gate, Kind, Options, Phase, Recorder, What};
use watching::{Run, compute, print, record_with, within};

const POLLS: usize = 100;

async fn yields() {
    for _ in 0..POLLS {
        yield_now().await;
    }
}

fn few(capacity: usize) -> Options {
    Options { capacity, ..Options::default() }
}

// The ring ----------------------------------------------------------------------------------------

#[test]
fn all_is_kept_while_there_is_room() {
    let seen = record_with(few(100_000), yields);
    assert_eq!((seen.base.events, seen.events.len() as u64), (0, seen.now.events));
    assert!(matches!(seen.events[0].what, What::Spawned { task: 1, .. }));
    assert!(matches!(seen.events.last().unwrap().what, What::Ended { task: 1, .. }));
}

/// It began to stand still before there was a recorder.
#[test]
fn times_are_those_of_the_reactors_clock() {
    let reactor = Reactor::with_virtual_clock().unwrap();
    let recorder = Recorder::new(few(100));
    let hour = Duration::from_secs(3600);
    recorder.run_on(&reactor, async move { sleep(hour).await });
    let (_, events) = recorder.recording();
    assert_eq!(events[0].at, Duration::ZERO);
    assert_eq!(events.last().unwrap().at, hour);
}

#[test]
fn only_the_last_events_are_kept_and_the_others_are_counted() {
    let all = record_with(few(100_000), yields).now.events;
    let seen = record_with(few(10), yields);
    assert_eq!((seen.events.len(), seen.base.events, seen.now.events), (10, all - 10, all));
}

#[test]
fn a_ring_for_nothing_keeps_one() {
    let seen = record_with(few(0), yields);
    assert_eq!((seen.events.len(), seen.base.events), (1, seen.now.events - 1));
}

// Readers -----------------------------------------------------------------------------------------

/// Reads what is there, in bites.
fn read_all(recorder: &Recorder, reader: &mut watch::Reader, bite: usize) -> (u64, Vec<Event>) {
    let (mut missed, mut events) = (0, Vec::new());
    loop {
        let batch = recorder.read(reader, bite);
        missed += batch.missed;
        if batch.events.is_empty() {
            assert_eq!(batch.left, 0);
            return (missed, events);
        }
        assert!(batch.events.len() <= bite);
        batch.events.iter().for_each(|event| reader.world.apply(event));
        events.extend(batch.events);
    }
}

#[test]
fn a_reader_gets_every_event_once_in_bites_of_its_size() {
    within(|| {
        let recorder = Recorder::new(Options::default());
        let mut reader = recorder.reader();
        assert_eq!(reader.next(), 1);
        recorder.run(yields()).unwrap();
        let (missed, events) = read_all(&recorder, &mut reader, 7);
        let (_, all) = recorder.recording();
        assert_eq!((missed, events.len()), (0, all.len()));
        assert_eq!(print(&reader.world), print(&recorder.now()));
        assert_eq!(reader.next(), recorder.now().events + 1);
    });
}

#[test]
fn a_reader_that_is_too_slow_goes_on_from_the_oldest_and_is_told_what_it_missed() {
    within(|| {
        let recorder = Recorder::new(few(10));
        let mut reader = recorder.reader();
        recorder.run(yields()).unwrap();
        let (missed, events) = read_all(&recorder, &mut reader, 4);
        assert_eq!((missed, events.len()), (recorder.now().events - 10, 10));
        assert_eq!(print(&reader.world), print(&recorder.now()), "nothing is wrong in its world");
    });
}

#[test]
fn a_reader_may_begin_with_what_comes_next() {
    within(|| {
        let recorder = Recorder::new(Options::default());
        let watched = recorder.clone();
        let late = recorder
            .run(async move {
                yields().await;
                let late = watched.latest();
                yield_now().await;
                late
            })
            .unwrap();
        let mut reader = late;
        let (missed, events) = read_all(&recorder, &mut reader, 100);
        assert_eq!(missed, 0);
        assert!((1..30).contains(&events.len()), "{events:#?}");
        assert_eq!(print(&reader.world), print(&recorder.now()));
    });
}

#[test]
fn a_reader_is_woken_by_news() {
    within(|| {
        let recorder = Recorder::new(Options::default());
        let run = Run::of(recorder.clone(), async || {
            for _ in 0..20 {
                sleep(Duration::from_millis(1)).await;
            }
        });
        let mut reader = recorder.reader();
        executor::block_on(async {
            let is_end = |event: &Event| matches!(event.what, What::Ended { task: 1, .. });
            loop {
                recorder.changed(&reader).await;
                let batch = recorder.read(&mut reader, 1000);
                batch.events.iter().for_each(|event| reader.world.apply(event));
                if batch.events.iter().any(is_end) {
                    return;
                }
            }
        });
        run.join();
    });
}

// The gate ----------------------------------------------------------------------------------------

/// Counts its polls, for ever.
fn counting() -> (Arc<AtomicU64>, Run) {
    let (polls, recorder) = (Arc::new(AtomicU64::new(0)), Recorder::new(few(1000)));
    recorder.pause();
    let count = polls.clone();
    let run = Run::of(recorder, async move || {
        while count.fetch_add(1, SeqCst) < 1000 {
            yield_now().await;
        }
    });
    (polls, run)
}

#[test]
fn a_closed_gate_stops_the_thread_at_its_first_event() {
    within(|| {
        let (polls, run) = counting();
        assert!(run.stands() && run.recorder.is_paused());
        assert_eq!((run.recorder.now().events, polls.load(SeqCst)), (1, 0));
        assert_eq!(run.recorder.gate(), (Gate::Closed(0), true));
    });
}

#[test]
fn a_step_lets_exactly_so_many_events_pass() {
    within(|| {
        let (_, run) = counting();
        assert!(run.stands());
        for step in [1, 1, 5, 20] {
            let before = run.recorder.now().events;
            run.recorder.step(step);
            assert!(run.stands());
            assert_eq!(run.recorder.now().events, before + step);
        }
    });
}

#[test]
fn a_pause_stops_it_wherever_it_is_and_resume_lets_it_run_to_its_end() {
    within(|| {
        let (polls, run) = counting();
        run.recorder.resume();
        while polls.load(SeqCst) < 10 && !run.is_over() {
            std::thread::yield_now();
        }
        run.recorder.pause();
        let stood = run.stands();
        let (events, polled) = (run.recorder.now().events, polls.load(SeqCst));
        assert!(!stood || polled <= 1000);
        assert_eq!((run.recorder.now().events, polls.load(SeqCst)), (events, polled));
        run.recorder.resume();
        assert!(!run.stands(), "it is over");
        assert_eq!(run.recorder.now().phase, Phase::Between);
        run.join();
        assert_eq!(polls.load(SeqCst), 1001);
    });
}

#[test]
fn slow_motion_rests_after_each_event() {
    within(|| {
        let recorder = Recorder::new(Options::default());
        let rest = Duration::from_millis(2);
        recorder.slow_down(rest);
        let start = std::time::Instant::now();
        recorder.run(yield_now()).unwrap();
        let events = recorder.now().events as u32;
        assert!(start.elapsed() >= rest * events, "{:?} for {events}", start.elapsed());
        assert!(!recorder.is_paused());
    });
}

#[test]
fn slow_motion_can_be_left_in_the_middle_of_a_rest() {
    within(|| {
        let recorder = Recorder::new(Options::default());
        recorder.slow_down(Duration::from_secs(3600));
        let run = Run::of(recorder.clone(), yields);
        while recorder.now().events == 0 {
            std::thread::yield_now();
        }
        recorder.resume();
        run.join();
    });
}

#[test]
fn to_stand_before_the_gate_is_no_part_of_a_poll() {
    within(|| {
        let slow = Duration::from_millis(300);
        let recorder = Recorder::new(Options { slow, ..few(1000) });
        recorder.pause();
        let run = Run::of(recorder.clone(), async || {
            drop(spawn(async {})); // an event in the middle of a poll
            yield_now().await;
        });
        while run.stands() {
            if matches!(recorder.now().phase, Phase::Polling(1)) {
                compute(slow); // somebody thinks
            }
            recorder.step(1);
        }
        let seen = watching::see(&recorder, ());
        assert_eq!(seen.diagnoses(), []);
        let longest = seen.all(|what| match what {
            What::PollEnded { took, .. } => Some(*took),
            _ => None,
        });
        assert!(longest.iter().all(|took| *took < slow), "{longest:?}");
    });
}

#[test]
fn once_released_it_cannot_be_stopped_and_nothing_is_diagnosed() {
    within(|| {
        let (_, run) = counting();
        assert!(run.stands());
        run.recorder.release();
        run.recorder.pause();
        assert!(!run.stands(), "it runs to its end");
        assert_eq!(run.recorder.gate().0, Gate::Open);
    });
}

// Warnings ----------------------------------------------------------------------------------------

#[test]
fn each_diagnosis_is_given_to_who_wants_to_be_warned() {
    let (texts, seen) = within(|| {
        let texts = Arc::new(Mutex::new(Vec::new()));
        let list = texts.clone();
        let recorder = Recorder::with_warnings(Options::default(), move |text| {
            list.lock().unwrap().push(text.to_owned());
        });
        let main = async {
            let task = spawn(async { panic!("no buns") });
            let result: Result<(), _> = task.await;
            assert!(result.is_err());
        };
        recorder.run(main).unwrap();
        let texts = texts.lock().unwrap().clone();
        (texts, watching::see(&recorder, ()))
    });
    assert_eq!(texts, [seen.diagnosis(Kind::Panic).1]);
}

#[test]
fn a_recorder_can_be_shared_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Recorder>();
    is_shared::<watch::World>();
    is_shared::<Event>();
}
