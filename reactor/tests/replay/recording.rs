//! What is in a recording, and what is none.

use std::future::Future;
use std::io::{self, Write};
use std::sync::mpsc;

use executor::{Executor, race, yield_now};
use reactor::Reactor;
use reactor::blocking::spawn_blocking;
use reactor::time::sleep;

use crate::MS;
use crate::common::{catch, paired, within};
use crate::tape::{Paper, echo, record, replay};

#[test]
fn a_recording_is_a_line_for_each_turn() {
    within(|| {
        let (_, recording) = record(echo(1));
        let turns: Vec<&str> = recording.lines().filter(|line| line.starts_with("turn=")).collect();
        assert!(turns[0].starts_with("turn=0 at=0.000000ms sources=0 timers=0"), "{recording}");
        assert!(turns[0].contains(":write:done"), "{recording}");
        assert!(turns.last().unwrap().contains(" timers=1"), "{recording}");
    });
}

#[cfg(target_os = "linux")] // each system reports in its own way
#[test]
fn letters_say_for_what_each_source_is_ready() {
    use reactor::net::{TcpListener, TcpStream, UdpSocket};

    within(|| {
        let program = async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let _idle = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let later = async {
                sleep(MS).await;
                let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
                sleep(MS).await;
                drop(client);
            };
            let reads = async {
                let (server, _) = listener.accept().await.unwrap();
                server.read(&mut [0; 16]).await.unwrap()
            };
            assert_eq!(executor::join(reads, later).await, (0, ()));
        };
        let ((), recording) = record(program);
        let lists = recording.split_whitespace().filter_map(|word| word.strip_prefix("ready="));
        assert!(recording.contains(" sources=2 timers=1 "), "{recording}");
        let ready: Vec<&str> = lists.flat_map(|list| list.split(',')).collect();
        assert!(ready.contains(&"0.0:r"), "the listener: {recording}");
        assert!(ready.contains(&"1.1:w"), "nothing has come, and there is room: {recording}");
        assert!(ready.iter().any(|it| it.ends_with(":Rw")), "the other side hung up: {recording}");
    });
}

#[test]
fn two_turns_may_be_at_the_same_time() {
    let title = record(async {}).1.lines().next().unwrap().to_owned();
    let turn = |n| format!("turn={n} at=0.000000ms sources=0 timers=0\n");
    let recording = format!("{title}\n{}{}end\n", turn(0), turn(1));
    assert!(Reactor::with_replay(&recording).is_ok(), "{recording}");
}

#[test]
fn a_run_that_panics_leaves_what_led_to_it() {
    within(|| {
        let program = async || {
            sleep(MS).await;
            sleep(MS).await;
            panic!("no buns");
        };
        let paper = Paper::default();
        let reactor = Reactor::with_recording(paper.clone()).unwrap();
        let died = catch(|| paired(&reactor, program()));
        assert_eq!(died.unwrap_err(), "no buns");
        // As if the process had died with it: nobody has ended the recording.
        let recording = paper.text();
        assert!(recording.contains("\nturn=1 "), "{recording}");
        // The last line comes with the turn after it, and there was none.
        let cut = replay(&recording, program()).unwrap_err();
        assert!(cut.contains("the recording breaks off here"), "{cut}");
        drop(reactor);
        let again = catch(|| replay(&paper.text(), program()));
        assert_eq!(again.map(|_| ()).unwrap_err(), "no buns");
    });
}

#[test]
fn a_recording_that_cannot_be_written_says_so_at_the_end() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    within(|| {
        assert!(Reactor::with_recording(Full(0)).is_err());
        let reactor = Reactor::with_recording(Full(2)).unwrap();
        paired(&reactor, echo(3));
        let why = reactor.end_tape().unwrap_err().to_string();
        assert!(why.starts_with("the recording cannot be written: "), "{why}");
    });
}

#[test]
fn a_job_that_outlives_its_reactor_gives_its_result_all_the_same() {
    within(|| {
        let (go, gone) = mpsc::channel::<()>();
        let (started, start) = mpsc::channel();
        let reactor = Reactor::with_recording(Paper::default()).unwrap();
        let entered = reactor.enter();
        let job = spawn_blocking(move || {
            started.send(()).unwrap();
            gone.recv().is_err()
        });
        drop(entered);
        start.recv().unwrap();
        drop(go);
        drop(reactor); // waits for the job
        assert!(paired(&Reactor::new().unwrap(), job).unwrap());
    });
}

#[test]
fn what_is_no_recording_is_refused() {
    within(|| {
        let refused = |text: &str| Reactor::with_replay(text).unwrap_err().to_string();
        assert!(refused("").starts_with("this is no recording: it begins with \"\""));
        assert!(refused("\u{7f}ELF\0\0").starts_with("this is no recording"));
        let title = "reactor recording, version 1\n";
        assert_eq!(refused(title), "the recording is empty");
        for (line, why) in [
            ("turn=0 at=0.000000ms sources=0", "it is cut off"),
            ("turn=0\n", "a turn has at least turn=, at=, sources= and timers="),
            ("turn=1 at=0.000000ms sources=0 timers=0\n", "this is turn 0, and not \"turn=1\""),
            ("turn=0 at=0.0ms sources=0 timers=0\n", "\"at=0.0ms\" is not at=1.234567ms"),
            ("turn=0 at=0.000000ms sources=-1 timers=0\n", "is not sources= and a number"),
            ("turn=0 at=0.000000ms sources=0 timers=0 ready=1:r\n", "is not a source such as"),
            ("turn=0 at=0.000000ms sources=0 timers=0 ready=1.1:x\n", "is not a source such as"),
            ("turn=0 at=0.000000ms sources=0 timers=0 jobs=\n", "is not the number of a job"),
            ("turn=0 at=0.000000ms sources=0 timers=0 calls=1:look:done\n", "is not a call such"),
            ("turn=0 at=0.000000ms sources=0 timers=0 calls=1:read:a-b\n", "is not a call such"),
            ("turn=0 at=0.000000ms sources=0 timers=0 burgers=2\n", "is not ready=, jobs= or"),
            ("end\nend\n", "nothing may come after \"end\""),
        ] {
            let refused = refused(&format!("{title}{line}"));
            assert!(refused.starts_with("line "), "{line}: {refused}");
            assert!(refused.contains(why), "{line}: {refused}");
        }
        let back = "turn=0 at=2.000000ms sources=0 timers=0\nturn=1 at=1.000000ms sources=0 \
                    timers=0\n";
        assert!(refused(&format!("{title}{back}")).contains("line 3 of the recording: time runs"));
    });
}

/// Whatever is in the file: an error, another run, or the same one. No panic, and no hang.
#[test]
fn a_damaged_recording_is_an_error_and_never_a_panic() {
    within(|| {
        let program = || async {
            let job = spawn_blocking(|| ());
            echo(2).await;
            job.await.unwrap();
            yield_now().await;
        };
        let (_, recording) = record(program());
        let mut random = 0x1234_5678_9abc_def0_u64;
        let mut next = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as usize % below
        };
        let title = recording.find("\nturn=0").unwrap();
        for round in 0..400 {
            let mut bytes = recording.clone().into_bytes();
            if round % 4 == 0 {
                bytes.truncate(next(bytes.len()));
            }
            for _ in 0..next(3) {
                let letters = b"0123456789,.:= rwRW\nmsjobsdonewait";
                if bytes.len() > title {
                    let at = title + next(bytes.len() - title);
                    bytes[at] = letters[next(letters.len())];
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            // A job of another number would be waited for, and that takes its time.
            if text.matches("jobs=1").count() == recording.matches("jobs=1").count() {
                replay_quietly(&text, program());
            }
        }
    });
}

fn replay_quietly<F: Future<Output = ()>>(text: &str, main: F) {
    let Ok(reactor) = Reactor::with_replay(text) else { return };
    let diverged = reactor.diverged();
    let main = race(main, diverged);
    let _entered = reactor.enter();
    Executor::new(reactor.waker()).block_on(main, |limit| {
        let _ = reactor.turn(limit);
    });
    let _ = reactor.end_tape();
}
