//! Whatever is sent, it ends with a valid answer or with a closed connection, and costs little.
//!
//! ```text
//! BAD_INPUT_SEED=7 cargo test -p demo --test bad_input      repeats one case of each kind
//! BAD_INPUT_CASES=1000000 cargo test -p demo --test bad_input conversations --release
//! ```

mod common;
#[path = "bad_input/conversation.rs"]
mod conversation;
#[path = "bad_input/corpus.rs"]
mod corpus;
#[path = "bad_input/grammar.rs"]
mod grammar;
#[cfg(target_os = "linux")]
#[path = "bad_input/hostile.rs"]
mod hostile;
#[cfg(target_os = "linux")]
#[path = "bad_input/idle.rs"]
mod idle;
#[path = "bad_input/invariants.rs"]
mod invariants;
#[path = "bad_input/mutate.rs"]
mod mutate;
#[path = "bad_input/parser.rs"]
mod parser;
#[cfg(target_os = "linux")]
#[path = "bad_input/process.rs"]
mod process;
#[path = "bad_input/random.rs"]
mod random;
#[path = "bad_input/reference.rs"]
mod reference;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::{env, thread};

use common::Demo;
use mutate::mutate;
use random::Random;

fn number(name: &str) -> Option<u64> {
    Some(env::var(name).ok()?.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// The seeds to try: `usual` many, or as many as the environment says, or the one to repeat.
fn seeds(usual: u64) -> Range<u64> {
    match number("BAD_INPUT_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("BAD_INPUT_CASES").unwrap_or(usual),
    }
}

/// Tries each seed, on as many threads. The first failure is told with its seed.
fn each_seed(usual: u64, threads: u64, attempt: impl Fn(u64) + Sync) {
    let (seeds, attempt) = (&seeds(usual), &attempt);
    thread::scope(|scope| {
        for part in 0..threads {
            scope.spawn(move || {
                for seed in seeds.clone().filter(|seed| seed % threads == part) {
                    let result = catch_unwind(AssertUnwindSafe(|| attempt(seed)));
                    assert!(result.is_ok(), "repeat it with BAD_INPUT_SEED={seed}");
                }
            });
        }
    });
}

#[test]
fn the_corpus_is_understood_or_refused_wherever_it_is_cut() {
    for request in corpus::requests() {
        for cut in 0..=request.len() {
            invariants::check_closely(&request, cut, b"\r\n\r\n");
        }
    }
}

#[test]
fn a_million_mutated_requests_are_understood_or_refused() {
    let corpus = corpus::requests();
    each_seed(1_000_000, 2, |seed| {
        let mut random = Random::new(seed);
        let [one, other] = [0, 1].map(|_| &corpus[random.below(corpus.len())]);
        let mut bytes = one.clone();
        mutate(&mut random, &mut bytes, other);
        if random.one_in(64) {
            invariants::check_closely(&bytes, random.below(bytes.len() + 1), other);
        } else {
            let _ = invariants::check(&bytes);
        }
    });
}

/// Over a socket they come in pieces, so that a head too long is refused before its end is seen.
#[test]
fn a_head_in_one_piece_is_measured_before_it_is_understood() {
    let request = |length: usize| {
        let head = "GET / HTTP/1.1\r\nHost: a\r\nX: ".to_owned();
        let rest = length - head.len() - 4;
        format!("{head}{}\r\n\r\n", "x".repeat(rest)).into_bytes()
    };
    let most = parser::head::MAX_HEAD;
    for (length, accepted) in [(most - 1, true), (most, true), (most + 1, false), (9 * most, false)]
    {
        let request = request(length);
        assert_eq!(invariants::check(&request).is_ok(), accepted, "{length}");
        for cut in [0, most - 1, most, length - 1] {
            invariants::check_closely(&request, cut, &request);
        }
    }
}

#[test]
fn conversations_of_pipelined_requests_in_pieces_are_answered_in_order() {
    let demo = Demo::serve(&["--kitchen-delay-ms", "0"]);
    each_seed(3_000, 8, |seed| {
        let stream = grammar::stream(seed);
        conversation::hold(demo.address, &stream, seed).unwrap_or_else(|why| panic!("{why}"));
    });
    assert_eq!(demo.get("/").status, 200, "it still serves");
    ends_without_a_word(demo);
}

/// A panic would have been told on standard error.
#[cfg(unix)]
fn ends_without_a_word(demo: Demo) {
    demo.signal("-TERM");
    let ended = demo.wait();
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
}

#[cfg(not(unix))]
fn ends_without_a_word(_: Demo) {}

/// The fuzzer found it after seven seconds: the same `#` is refused wherever a path follows.
#[test]
fn a_fragment_in_the_host_is_refused_as_elsewhere() {
    for target in ["http://stand#top", "http://stand#?x", "http://#"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: stand\r\n\r\n");
        assert!(parser::head::parse(request.as_bytes()).is_err(), "{target}");
    }
}

/// Some clients end a body with a line break too many. It does not begin a request, so it is not
/// answered with one that breaks off.
#[test]
fn a_line_break_after_a_request_begins_nothing() {
    let demo = Demo::serve(&[]);
    let mut client = demo.connect();
    client.send(format!("{}\r\n", common::post("/orders", "{}")));
    assert_eq!(client.answer().status, 400);
    client.ends_sending();
    assert!(client.is_closed());
}

/// For cargo-fuzz: `BAD_INPUT_FOLDER=fuzz/corpus/head`, from `demo/`.
#[test]
#[ignore = "not a test: it copies the corpus to where the fuzzer looks"]
fn write_out_the_corpus() {
    corpus::write_out(Path::new(&env::var("BAD_INPUT_FOLDER").unwrap()));
}

/// The way back, for what the fuzzer found new. It rewrites `corpus/found.txt`.
#[test]
#[ignore = "not a test: it takes what the fuzzer has found into the corpus"]
fn take_in_the_corpus() {
    corpus::take_in(Path::new(&env::var("BAD_INPUT_FOLDER").unwrap()), 100);
}
