//! How deep a coroutine stands in a debug build: a person has to read that stack.
#![cfg(debug_assertions)]

mod common;

use std::backtrace::Backtrace;

use common::within;
use executor::{block_on, join, spawn, yield_now};

/// Between the coroutine and whoever called `block_on`, neither of them counted.
const AT_MOST: usize = 12;

async fn coroutine_that_looks_down() -> String {
    yield_now().await;
    Backtrace::force_capture().to_string()
}

#[inline(never)]
fn caller_of_block_on<F: Future<Output = String>>(main: impl FnOnce() -> F) -> String {
    block_on(main())
}

fn frames_between(stack: &str) -> Vec<&str> {
    let names: Vec<&str> = stack
        .lines()
        .filter_map(|line| line.trim_start().split_once(": "))
        .filter_map(|(number, name)| number.parse::<u32>().is_ok().then_some(name))
        .collect();
    let find = |what: &str| names.iter().position(|name| name.contains(what));
    let top = find("coroutine_that_looks_down").expect("the coroutine is on its own stack");
    let bottom = find("frames::caller_of_block_on").expect("and so is the caller");
    names[top + 1..bottom].to_vec()
}

#[test]
fn a_task_stands_at_most_twelve_frames_above_the_caller_of_block_on() {
    within(|| {
        let main = || async { spawn(coroutine_that_looks_down()).await.unwrap() };
        let stack = caller_of_block_on(main);
        let frames = frames_between(&stack);
        assert!((2..=AT_MOST).contains(&frames.len()), "{}: {frames:#?}", frames.len());
        assert!(frames.iter().any(|name| name.contains("poll_task")), "{frames:#?}");
    });
}

#[test]
fn the_main_coroutine_stands_at_most_four_frames_above_the_caller_of_block_on() {
    within(|| {
        let stack = caller_of_block_on(coroutine_that_looks_down);
        let frames = frames_between(&stack);
        assert!((1..=4).contains(&frames.len()), "{}: {frames:#?}", frames.len());
    });
}

#[test]
fn join_adds_at_most_two_frames() {
    within(|| {
        let plain = caller_of_block_on(coroutine_that_looks_down);
        let joined =
            caller_of_block_on(|| async { join(coroutine_that_looks_down(), async {}).await.0 });
        // And one for the `async` block around it.
        let added = frames_between(&joined).len() - frames_between(&plain).len();
        assert!(added <= 3, "{added}: {:#?}", frames_between(&joined));
    });
}
