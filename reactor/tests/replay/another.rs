//! A program that does something else than what was recorded is told where.

use executor::spawn;
use reactor::Reactor;
use reactor::time::sleep;

use crate::MS;
use crate::common::{catch, paired, tcp_pair, within};
use crate::tape::{echo, record, replay};

#[test]
fn a_program_that_does_less_is_told_so() {
    within(|| {
        let (_, recording) = record(echo(3));
        let why = replay(&recording, echo(2)).unwrap_err();
        assert!(why.starts_with("the replay differs in turn "), "{why}");
        assert!(why.contains("it ends here") || why.contains("it ends"), "{why}");
    });
}

#[test]
fn a_program_that_does_more_is_told_so() {
    within(|| {
        let (_, recording) = record(echo(2));
        let why = replay(&recording, echo(3)).unwrap_err();
        assert!(why.contains("the recorded run parked, and this one wrote to source"), "{why}");
    });
}

#[test]
fn a_program_that_leaves_out_a_call_is_told_so_when_it_parks_or_ends() {
    within(|| {
        let program = async |writes: bool, parks: bool| {
            let (client, _server) = tcp_pair().await;
            if writes {
                client.write_all(b"hello").await.unwrap();
            }
            if parks {
                sleep(MS).await;
            }
        };
        for (parks, does) in [(true, "it parks"), (false, "it ends")] {
            let ((), recording) = record(program(true, parks));
            let why = replay(&recording, program(false, parks)).unwrap_err();
            assert!(why.contains("the recorded run wrote to source"), "{why}");
            assert!(why.contains(&format!("here, and this one does not: {does}")), "{why}");
        }
    });
}

#[test]
fn a_program_that_waits_for_something_else_is_told_so() {
    within(|| {
        let (_, recording) = record(sleep(MS));
        let why = replay(&recording, async {
            let _other = spawn(sleep(MS * 5));
            sleep(MS).await;
        });
        let why = why.unwrap_err();
        assert!(why.contains("there were 1 timers when it parked, and now 2"), "{why}");
    });
}

#[test]
fn a_program_that_calls_somebody_else_is_told_so() {
    within(|| {
        let program = async |first: bool| {
            let (a, b) = tcp_pair().await;
            let (one, other) = if first { (&a, &b) } else { (&b, &a) };
            one.write_all(b"hello").await.unwrap();
            let _ = other.read(&mut [0; 8]).await.unwrap();
        };
        let (_, recording) = record(program(true));
        let why = replay(&recording, program(false)).unwrap_err();
        assert!(why.contains("the recorded run wrote to source"), "{why}");
        assert!(why.contains("and this one wrote to source"), "{why}");
    });
}

#[test]
fn without_a_watcher_the_turn_says_where() {
    within(|| {
        let (_, recording) = record(sleep(MS));
        let reactor = Reactor::with_replay(&recording).unwrap();
        let failed = catch(|| {
            paired(&reactor, async {
                sleep(MS).await;
                sleep(MS).await;
            });
        });
        let why = failed.unwrap_err();
        assert!(why.contains("differs in turn 2: the recorded run had ended here"), "{why}");
    });
}
