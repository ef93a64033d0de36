//! A run that was recorded happens once more: the same polls at the same times, or a clear sentence.

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use executor::spawn;
use reactor::Reactor;
use reactor::blocking::spawn_blocking;
use reactor::net::{TcpListener, TcpStream, UdpSocket};
use reactor::observe::{By, Event};
use reactor::time::{now, sleep, timeout};

mod common;

#[path = "replay/another.rs"]
mod another;
#[path = "replay/recording.rs"]
mod recording;
#[path = "replay/tape.rs"]
mod tape;

use common::{Log, paired, within};
use tape::{Paper, record, replay};

const MS: Duration = Duration::from_millis(1);

/// A burger stand in small: sockets, timers and jobs, that come as they come.
async fn stand() -> String {
    let log = Log::<String>::new();
    let start = now();
    let note = {
        let log = log.clone();
        move |what: String| log.push(format!("{:?} {what}", now() - start))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = note.clone();
    let server = spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let note = serving.clone();
            spawn(async move {
                let mut order = [0; 64];
                while let Ok(length @ 1..) = stream.read(&mut order).await {
                    note(format!("serves {:?}", str::from_utf8(&order[..length]).unwrap()));
                    let cooked = spawn_blocking(|| (0..2000).sum::<u32>()).await.unwrap();
                    sleep(MS * (cooked % 3)).await;
                    stream.write_all(&order[..length]).await.unwrap();
                }
            });
        }
    });
    let guests = (0..6u8).map(|guest| {
        let note = note.clone();
        spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            for round in 0..3 {
                let order = format!("{guest}.{round}");
                stream.write_all(order.as_bytes()).await.unwrap();
                let mut answer = [0; 64];
                let eaten = timeout(MS * 2, stream.read(&mut answer)).await;
                note(format!("{order} in time: {}", eaten.is_ok()));
                if eaten.is_err() {
                    let _ = stream.read(&mut answer).await.unwrap();
                }
            }
        })
    });
    for guest in guests.collect::<Vec<_>>() {
        guest.await.unwrap();
    }
    server.abort();
    log.take().join("\n")
}

#[test]
fn a_replay_is_the_same_run_to_the_nanosecond() {
    within(|| {
        let (once, recording) = record(stand());
        assert!(recording.ends_with("\nend\n"), "{recording}");
        for _ in 0..10 {
            assert_eq!(replay(&recording, stand()).unwrap(), once);
        }
    });
}

#[test]
fn a_replay_on_a_busy_machine_is_the_same_as_well() {
    within(|| {
        let (once, recording) = record(stand());
        let over = Arc::new(AtomicBool::new(false));
        let busy = (0..4).map(|_| {
            let over = over.clone();
            thread::spawn(move || while !over.load(Relaxed) {})
        });
        let busy: Vec<_> = busy.collect();
        let again: Vec<_> = (0..3).map(|_| replay(&recording, stand())).collect();
        over.store(true, Relaxed);
        for thread in busy {
            thread.join().unwrap();
        }
        for again in again {
            assert_eq!(again.unwrap(), once);
        }
    });
}

/// A run that was recorded on a busy machine, where the answers come in another order.
#[test]
fn what_a_busy_machine_did_is_repeated_on_a_quiet_one() {
    within(|| {
        let over = Arc::new(AtomicBool::new(false));
        let busy: Vec<_> = (0..4)
            .map(|_| {
                let over = over.clone();
                thread::spawn(move || while !over.load(Relaxed) {})
            })
            .collect();
        let (once, recording) = record(stand());
        over.store(true, Relaxed);
        busy.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(replay(&recording, stand()).unwrap(), once);
    });
}

#[test]
fn no_time_passes_at_a_breakpoint() {
    within(|| {
        let patient = async |stop: bool| {
            let start = now();
            let work = async {
                sleep(MS).await;
                if stop {
                    thread::sleep(MS * 60); // somebody looks at this with a debugger
                }
                sleep(MS).await;
            };
            (timeout(MS * 50, work).await.is_ok(), now() - start)
        };
        let (once, recording) = record(patient(false));
        let again = replay(&recording, patient(true)).unwrap();
        assert_eq!(again, once);
    });
}

#[test]
fn a_replay_does_not_wait_for_times_that_have_passed() {
    within(|| {
        let second = "reactor recording, version 1\n\
                      turn=0 at=0.000000ms sources=0 timers=0\n\
                      turn=1 at=3600000.000000ms sources=0 timers=1\n\
                      end\n";
        let start = std::time::Instant::now();
        replay(second, sleep(Duration::from_secs(3600))).unwrap();
        assert!(start.elapsed() < Duration::from_secs(3600));
    });
}

#[test]
fn a_job_that_is_done_is_not_seen_before_its_turn() {
    within(|| {
        let program = async || {
            let (done, wait) = mpsc::channel::<()>();
            let mut job = spawn_blocking(move || drop(done));
            let _ = wait.recv(); // it is as good as done
            let mut polls = 0;
            std::future::poll_fn(|cx| {
                polls += 1;
                std::pin::Pin::new(&mut job).poll(cx)
            })
            .await
            .unwrap();
            polls
        };
        let (once, recording) = record(program());
        assert_eq!(once, 2);
        assert!(recording.contains(" jobs=1"), "{recording}");
        assert_eq!(replay(&recording, program()).unwrap(), once);
    });
}

#[test]
fn on_tape_it_is_the_reactor_that_wakes_whoever_waits_for_a_job() {
    within(|| {
        let log = Log::new();
        let reactor = Reactor::with_recording(Paper::default()).unwrap();
        let waking = log.clone();
        reactor.observe(move |event: &Event| {
            if let Event::Waking { by } = event {
                waking.push(*by);
            }
        });
        paired(&reactor, async { spawn_blocking(|| ()).await.unwrap() });
        assert_eq!(log.take(), [By::Job { job: 1 }]);
    });
}

#[test]
fn jobs_end_in_the_recorded_order_however_long_they_take_now() {
    within(|| {
        // The first one waits for the second one, or the other way round.
        let program = async |first_waits: bool| {
            let (tell, told) = mpsc::channel::<()>();
            let log = Log::<u8>::new();
            let (tell, told) = (Cell::new(Some(tell)), Cell::new(Some(told)));
            let job = |waits: bool| {
                let (tell, told) = match waits {
                    true => (None, told.take()),
                    false => (tell.take(), None),
                };
                spawn_blocking(move || {
                    if let Some(told) = told {
                        let _ = told.recv();
                    }
                    drop(tell);
                })
            };
            let tasks = [(1, job(first_waits)), (2, job(!first_waits))].map(|(n, job)| {
                let log = log.clone();
                spawn(async move {
                    job.await.unwrap();
                    log.push(n);
                })
            });
            for task in tasks {
                task.await.unwrap();
            }
            log.take()
        };
        let (once, recording) = record(program(true));
        assert_eq!(once.len(), 2);
        assert_eq!(replay(&recording, program(false)).unwrap(), once);
    });
}

#[test]
fn a_call_that_failed_fails_again() {
    within(|| {
        let program = async || {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let address = gone.local_addr().unwrap();
            drop(gone);
            socket.get_ref().connect(address).unwrap();
            let mut answers = String::new();
            for _ in 0..2 {
                let sent = socket.send(b"hello?").await.map_err(|error| error.kind());
                let mut buffer = [0; 8];
                let read = timeout(MS * 20, socket.recv(&mut buffer)).await;
                let read = read.map(|read| read.map_err(|error| error.kind()));
                write!(answers, "{sent:?} {read:?};").unwrap();
            }
            answers
        };
        let (once, recording) = record(program());
        assert_eq!(replay(&recording, program()).unwrap(), once);
    });
}
