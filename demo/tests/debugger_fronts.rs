//! gdb and lldb say the same as `async-spy`, on the same process and on its core file; and their
//! steps stay with a coroutine. See debugger.rs for what is skipped where.
#![cfg(target_os = "linux")]

#[path = "debugger/common.rs"]
mod common;
#[path = "debugger/fronts.rs"]
mod fronts;

use common::{Parked, example, skip, spy};
use fronts::{Front, Gdb, Lldb};

/// All that only reads.
const COMMANDS: [&str; 9] = [
    "tasks",
    "bt all",
    "why 14",
    "why grill",
    "wakers forgetful",
    "wakers connection",
    "reactor",
    "timers",
    "queue",
];

fn says_the_same_as_spy(front: &dyn Front) {
    let Some(parked) = Parked::start() else { return };
    let ask = |command: &str| spy(&parked, &command.split(' ').collect::<Vec<_>>());
    if ask("queue").is_none() {
        return;
    }
    let Some(answers) = front.attached(&parked.id(), &COMMANDS) else { return };
    for (command, answer) in COMMANDS.iter().zip(answers) {
        assert_eq!(answer, ask(command).unwrap(), "async {command}");
    }
    parked.ends_well();
}

#[test]
fn gdb_says_the_same_as_spy() {
    if let Some(gdb) = Gdb::found() {
        says_the_same_as_spy(&gdb);
    }
}

#[test]
fn lldb_says_the_same_as_spy() {
    if let Some(lldb) = Lldb::found() {
        says_the_same_as_spy(&lldb);
    }
}

/// A core file knows all but the two ends of a socket, which are the system's.
#[test]
fn a_core_file_says_the_same() {
    let Some(gdb) = Gdb::found() else { return };
    let Some(parked) = Parked::start() else { return };
    let Some(live) = gdb.attached(&parked.id(), &COMMANDS) else { return };
    let Some(core) = gdb.core_of(&parked) else { return };
    let program = example("parked").unwrap();
    let dead = gdb.on_core(&program, &core.path, &COMMANDS);
    for ((command, live), dead) in COMMANDS.iter().zip(&live).zip(&dead) {
        assert_eq!(without_ends(live), without_ends(dead), "async {command}");
    }
    let steps = ["next", "step-wake 1", "watch 1", "break-poll 1", "goto 1", "back"];
    let refused = |text: &str| text.matches("a core file does not run: `async ").count();
    assert_eq!(refused(&gdb.text_on_core(&program, &core.path, &steps)), steps.len());
    if let Some(lldb) = Lldb::found() {
        assert_eq!(refused(&lldb.text_on_core(&program, &core.path, &steps)), steps.len());
        for ((command, gdb), lldb) in
            COMMANDS.iter().zip(&dead).zip(lldb.on_core(&program, &core.path, &COMMANDS))
        {
            assert_eq!(*gdb, lldb, "async {command}");
        }
    }
}

fn without_ends(text: &str) -> String {
    let words = text.replace(", listens on 127.0.0.1:PORT", "");
    let words = words.replace(", 127.0.0.1:PORT <-> 127.0.0.1:PORT", "");
    words.replace(", 127.0.0.1:PORT", "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Steps through `eat` of one customer, while another one is in the same function.
fn steps_stay_with_a_coroutine(front: &dyn Front) {
    let Some(turns) = example("turns") else { return };
    if !fronts::is_unoptimised(&turns) {
        return skip("steps are for programs without optimisation");
    }
    let text = front.started(
        &turns,
        "turns.rs:43",
        &[
            "next",
            "next",
            "next",
            "next",
            "into",
            "next",
            "next",
            "into",
            "next",
            "out",
            "bt",
            "step-wake 1",
        ],
    );
    let Some(text) = text else { return };
    let wanted = [
        "turns.rs:44",
        "turns.rs:45",
        "eat is suspended at demo/examples/turns.rs:45; on, until it is resumed",
        "resumed: task 2 «customer 1», poll 2, woken by the reactor",
        "turns.rs:44",
        "turns.rs:45",
        "turns.rs:5", // into `bite`
        "turns.rs:5",
        "bite is suspended at demo/examples/turns.rs:5",
        "resumed: task 2 «customer 1», poll 3, woken by the reactor",
        "bite has returned",
        "turns.rs:45",
        "task 2 «customer 1», running; polled 3 times",
        "turns::eat::{async_fn#0}  at demo/examples/turns.rs:45",
        "task 1 «main» is being woken, on thread 1 (turns); its executor: polling task 3",
        "executor::key::wake  at executor/src/key.rs:",
        "turns::eat::{async_fn#0}  at demo/examples/turns.rs:47",
    ];
    fronts::in_order(&text, &wanted);
}

#[test]
fn steps_stay_with_a_coroutine_in_gdb() {
    if let Some(gdb) = Gdb::found() {
        steps_stay_with_a_coroutine(&gdb);
    }
}

#[test]
fn steps_stay_with_a_coroutine_in_lldb() {
    if let Some(lldb) = Lldb::found() {
        steps_stay_with_a_coroutine(&lldb);
    }
}

/// Steps through async fns whose frame or result is large, that are dropped, or have just been entered.
fn steps_do_not_stumble(front: &dyn Front) {
    let Some(stumble) = example("stumble") else { return };
    if !fronts::is_unoptimised(&stumble) {
        return skip("steps are for programs without optimisation");
    }
    let line = |what: &str| {
        let text = include_str!("../examples/stumble.rs");
        let line = text.lines().position(|line| line.contains(what)).expect("it is there") + 1;
        format!("stumble.rs:{line}")
    };
    for name in ["told", "wide"] {
        let at = line(&format!("{name} begins"));
        let Some(text) = front.started(&stumble, &at, &["next", "next"]) else { return };
        let (gone, on) = (format!("{name} is suspended at"), line(&format!("{name} goes on")));
        fronts::in_order(&text, &[&gone, "woken by itself", &on]);
    }
    let Some(text) = front.started(&stumble, &line("slow begins"), &["next", "next"]) else {
        return;
    };
    let dropped = "slow is dropped where it was suspended: it will never go on";
    fronts::in_order(&text, &["slow is suspended at", dropped, "stumble::all::{async_fn#0}"]);

    let commands = ["next", "next", "next", "next"];
    let Some(text) = front.started(&stumble, &line("burns begins"), &commands) else { return };
    fronts::in_order(
        &text,
        &["burns is suspended at", "a panic, on thread 1", &line("burns panics")],
    );

    let commands = ["goto 2", "goto 3"];
    let Some(text) = front.started(&stumble, &line("told begins"), &commands) else { return };
    fronts::in_order(&text, &["nothing repeats this run", "before poll 2 of", "before poll 3 of"]);
    assert_eq!(text.matches("nothing repeats this run").count(), 1, "{text}");

    let commands = ["break-poll main", "- continue", "next"];
    let Some(text) = front.started(&stumble, &line("told begins"), &commands) else { return };
    let on = line("told().await");
    fronts::in_order(&text, &["whenever task 1 «main» is polled", &on]);
    assert!(!text.contains("has returned"), "{text}");
}

#[test]
fn steps_do_not_stumble_in_gdb() {
    if let Some(gdb) = Gdb::found() {
        steps_do_not_stumble(&gdb);
    }
}

#[test]
fn steps_do_not_stumble_in_lldb() {
    if let Some(lldb) = Lldb::found() {
        steps_do_not_stumble(&lldb);
    }
}

/// `watch` tells and goes on; `break-poll` stops, also where the program is optimised.
fn watch_and_break_poll(front: &dyn Front) {
    let Some(turns) = example("turns") else { return };
    let commands = ["watch main", "break-poll main", "- continue", "bt main", "- continue"];
    let Some(text) = front.started(&turns, "executor::key::wake", &commands) else { return };
    let wanted = [
        "task 1 «main» is watched",
        "whenever task 1 «main» is polled",
        "poll  task 1 «main», its poll 2; woken by task 3 «customer 2»",
        "task 1 «main», running; polled 2 times",
    ];
    fronts::in_order(&text, &wanted);
}

#[test]
fn watch_and_break_poll_in_gdb() {
    if let Some(gdb) = Gdb::found() {
        watch_and_break_poll(&gdb);
    }
}

#[test]
fn watch_and_break_poll_in_lldb() {
    if let Some(lldb) = Lldb::found() {
        watch_and_break_poll(&lldb);
    }
}

/// The debugger's own `print` and `frame variable`.
fn prints_in_words(front: &dyn Front, print: &str) {
    let Some(turns) = example("turns") else { return };
    if !fronts::is_unoptimised(&turns) {
        return skip("variables are for programs without optimisation");
    }
    let print = format!("- {print}");
    let text = include_str!("../../executor/src/channel/waiters.rs");
    let line =
        text.lines().position(|line| line.contains("let waker = waker.clone();")).unwrap() + 1;
    let at = format!("waiters.rs:{line}");
    let Some(text) = front.started(&turns, &at, &[&print]) else { return };
    fronts::in_order(&text, &["wakes task 1 «main»"]);
}

#[test]
fn gdb_prints_a_waker_in_words() {
    if let Some(gdb) = Gdb::found() {
        prints_in_words(&gdb, "print *waker");
    }
}

#[test]
fn lldb_prints_a_waker_in_words() {
    if let Some(lldb) = Lldb::found() {
        prints_in_words(&lldb, "frame variable *waker");
        prints_in_words(&lldb, "frame variable waker"); // and a reference to it
    }
}

/// Before the program runs, and with wrong words: a sentence, never a traceback.
#[test]
fn failures_are_sentences_in_both() {
    let Some(turns) = example("turns") else { return };
    let commands = ["tasks", "dance", "bt 99", "next", "into", "watch", "step-wake 99", "help"];
    let fronts: [Option<Box<dyn Front>>; 2] =
        [Gdb::found().map(|gdb| Box::new(gdb) as _), Lldb::found().map(|lldb| Box::new(lldb) as _)];
    for front in fronts.into_iter().flatten() {
        let text = front.not_started(&turns, &commands);
        assert!(!text.contains("Traceback") && !text.contains("rror: name"), "{text}");
        for part in ["the program does not run: ", "no command `async dance`", "async step-wake ID"]
        {
            assert!(text.contains(part), "{part}:\n{text}");
        }
        let text = front.not_started(&turns, &["- run </dev/null", "next"]);
        fronts::in_order(&text, &["bites"]);
        assert!(text.contains("the program does not run: "), "{text}");
    }
}
