//! The commands of executor/debugger, on a real process: without a debugger, in gdb and in lldb.
//!
//! Needs python3, and for most of it gdb or lldb. What is missing is skipped, with the reason
//! printed; `.ci/debugger` installs all of it, and sets DEBUGGERS_REQUIRED so that nothing is.
//! DEBUGGER_EXAMPLES names a folder with examples from another profile.
#![cfg(target_os = "linux")]

#[path = "debugger/common.rs"]
mod common;

use std::process::Command;

use common::{Parked, line_of, spy};

/// What `async-spy` prints for the example; None if it cannot be run here.
fn ask(words: &[&str]) -> Option<String> {
    let parked = Parked::start()?;
    spy(&parked, words)
}

fn row(table: &str, name: &str) -> String {
    let row = table.lines().find(|line| line.contains(&format!("  {name}  ")));
    row.unwrap_or_else(|| panic!("no {name} in\n{table}"))
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn tasks_says_of_each_coroutine_what_it_waits_for() {
    let Some(table) = ask(&["tasks"]) else { return };
    assert!(table.starts_with("executor 0, parked: 15 parked\n"), "{table}");
    let spawned = |what: &str| format!("demo/examples/parked.rs:{}:5", line_of(what));
    for (name, waits, at) in [
        ("cook", "blocking job 1, running", ""),
        ("door", "socket readable, fd 6, listens on 127.0.0.1:PORT", "named(\"door\")"),
        ("connection", "socket readable, fd 8, 127.0.0.1:PORT <-> 127.0.0.1:PORT", ""),
        ("customer 1", "timer, 90s left; timer, 120s left; timer, 180s left; 1 more", ""),
        ("friend", "join of task 5 «customer 1»", "named(\"friend\")"),
        ("radio", "socket readable, fd 9, 127.0.0.1:PORT", ""),
        ("boxes", "timer, 3600s left; timer, 120s left", "named(\"boxes\")"),
        ("many", "timer, 120s left", ""),
        ("grill", "channel: to receive (empty; 1 sender)", ""),
        ("till", "channel: to send (1 of 1 in it; 1 receiver)", ""),
        ("waiter", "channel: to receive its one value", ""),
        ("forgetful", "something else (PollFn)", "named(\"forgetful\")"),
        ("after you", "join of task 15 «no, after you»", ""),
    ] {
        let row = row(&table, name);
        assert!(row.contains(waits), "{name} waits for {waits}:\n{table}");
        assert!(at.is_empty() || row.ends_with(&spawned(at)), "{name}:\n{table}");
    }
}

#[test]
fn bt_shows_a_tree_of_awaits_with_lines_and_variables() {
    let Some(text) = ask(&["bt", "friend"]) else { return };
    let at = |what| format!("demo/examples/parked.rs:{}", line_of(what));
    let wanted = [
        format!("#0  friend  at {}", at("customer.await.unwrap_or")),
        "#1  JoinHandle: join of task 5 «customer 1»".to_owned(),
        format!("#2  read_results  at {}", at("join(get_burgers(&order)")),
        "order = Order {table: 1, burgers: 2}".to_owned(),
        "#3  join".to_owned(),
        format!("|- a: #4  get_burgers  at {}", at("match race(music")),
        "price = 10".to_owned(),
        "|- a: #6  Sleep: timer, 90s left".to_owned(),
        "`- b: #7  timeout".to_owned(),
        format!("|- #8  grill  at {}", at("sleep(Duration::from_secs(120))")),
        "heat = 200".to_owned(),
        "`- limit: #10  Sleep: timer, 180s left".to_owned(),
        format!(
            "`- b: #11  read_results::{{async block}}  at {}",
            at("sleep(Duration::from_secs(60))")
        ),
    ];
    let mut rest = text.as_str();
    for part in wanted {
        let place = rest.find(&part).unwrap_or_else(|| panic!("{part} is not there:\n{text}"));
        rest = &rest[place + part.len()..];
    }
}

#[test]
fn bt_goes_through_boxes_recursion_and_futures_made_by_hand() {
    let Some(text) = ask(&["bt", "boxes"]) else { return };
    let frames: Vec<_> = text.lines().filter_map(|line| line.split("  at ").next()).collect();
    let frames = frames.join("\n");
    for part in [
        "#1  PollFn<boxes::{closure}>",
        "|- several[0]: #2  countdown::{async block}",
        "`- several[1]: #6  grill",
    ] {
        assert!(frames.contains(part), "{part}:\n{text}");
    }
    assert!(text.contains("n = 2") && text.contains("n = 1") && text.contains("n = 0"), "{text}");
}

#[test]
fn why_follows_whoever_is_waited_for_and_names_a_deadlock() {
    let Some(parked) = Parked::start() else { return };
    let Some(text) = spy(&parked, &["why", "14"]) else { return };
    let circle =
        "a deadlock: task 14 «after you» -> task 15 «no, after you» -> task 14 «after you»";
    assert!(text.contains(circle), "{text}");
    let text = spy(&parked, &["why", "grill"]).unwrap();
    let chain = [
        "task 10 «grill» waits for channel: to receive (empty; 1 sender): task 1 «main» has a sender (`orders`)",
        "task 1 «main» waits for the end of task 2 «cook»",
        "task 2 «cook» waits for blocking job 1, running",
    ];
    assert_eq!(text, chain.join("\n") + "\n");
    assert!(!spy(&parked, &["why", "friend"]).unwrap().contains("deadlock"));
}

#[test]
fn wakers_proves_that_a_wake_up_is_lost() {
    let Some(parked) = Parked::start() else { return };
    let Some(text) = spy(&parked, &["wakers", "forgetful"]) else { return };
    assert!(text.starts_with("task 13 «forgetful», parked: no wakers\n"), "{text}");
    assert!(text.contains("its wake-up is lost"), "{text}");
    for (task, place) in [
        ("1", "with task 2 «cook», to be woken when that ends"),
        ("cook", "with blocking job 1"),
        ("connection", "with the reactor: socket in slot 2, when it is readable"),
        ("grill", "in a channel, in the line of its receivers"),
        ("till", "in a channel, in the line of its senders"),
        ("waiter", "in a oneshot channel"),
        ("many", "with the reactor: timer in slot"),
    ] {
        let text = spy(&parked, &["wakers", task]).unwrap();
        assert!(text.contains(place) && !text.contains("lost"), "{task}: {text}");
    }
}

#[test]
fn reactor_timers_and_queue_show_what_is_there() {
    let Some(parked) = Parked::start() else { return };
    let Some(text) = spy(&parked, &["reactor"]) else { return };
    assert!(
        text.starts_with("reactor 0: 4 sockets, 9 timers, 1 blocking job, a virtual clock\n"),
        "{text}"
    );
    assert!(text.contains("task 4 «connection», to read"), "{text}");
    let text = spy(&parked, &["timers"]).unwrap();
    assert!(
        text.starts_with("reactor 0: 9 timers\n  in 60s: wakes task 5 «customer 1»\n"),
        "{text}"
    );
    assert!(text.ends_with("  in 3600s: wakes task 8 «boxes»\n"), "{text}");
    assert_eq!(spy(&parked, &["queue"]).unwrap(), "executor 0: nobody is ready\n");
}

#[test]
fn what_cannot_be_done_is_said_in_a_sentence() {
    let Some(parked) = Parked::start() else { return };
    if spy(&parked, &["tasks"]).is_none() {
        return;
    }
    let id = parked.id();
    let own = std::process::id().to_string();
    let mut other = Command::new("sleep").arg("600").spawn().expect("it starts");
    let foreign = other.id().to_string();
    for (words, sentence) in [
        (vec!["nobody"], "nobody is no process id"),
        (vec!["4194305"], "there is no process 4194305"),
        (vec![id.as_str(), "next"], "that needs gdb or lldb"),
        (vec![id.as_str(), "dance"], "there is no command `async dance`"),
        (vec![id.as_str(), "bt", "99"], "there is no task 99"),
        (vec![id.as_str(), "bt", "after"], "after may be any of 0.14, 0.15"),
        (vec![id.as_str(), "bt"], "no task is being polled"),
        (vec![id.as_str(), "why"], "`async why` takes other words"),
        (vec![own.as_str()], "no executor of ours in it, or was stripped of its symbols: is it"),
        (vec![foreign.as_str()], "no debug information: build with `debug = 2`"),
    ] {
        let (text, succeeded) = common::run(&common::spy_program(), &words);
        assert!(text.contains(sentence), "{words:?}: {text}");
        assert!(!text.contains("Traceback") && text.lines().count() == 1, "{words:?}: {text}");
        assert!(text.starts_with("async-spy: ") && !succeeded, "{words:?}: {text}");
    }
    let _ = other.kill();
    let _ = other.wait();
}

/// SIGSTOP and SIGCONT interrupt the wait for events: nothing may break or hang.
#[test]
fn a_program_that_is_stopped_and_goes_on_is_as_before() {
    let Some(parked) = Parked::start() else { return };
    let Some(before) = spy(&parked, &["bt", "all"]) else { return };
    for _ in 0..3 {
        parked.signal("-STOP");
        assert_eq!(spy(&parked, &["bt", "all"]).unwrap(), before);
        parked.signal("-CONT");
    }
    assert_eq!(spy(&parked, &["bt", "all"]).unwrap(), before);
    parked.ends_well();
}

#[test]
fn unusual_coroutines_are_read_as_well() {
    let Some(odd) = Parked::of("odd") else { return };
    let Some(table) = spy(&odd, &["tasks"]) else { return };
    assert!(table.contains("  two\\nlines  "), "{}", &table[..800]);
    for (words, parts) in [
        ("bt lines", vec!["greeting = \"Ünïcödé\\n\\\"quoted\\\"\"", "timer, 3600s left"]),
        ("bt slice", vec!["both[0]: #2  Sleep: timer, 3600s", "both[1]: #3  Sleep: timer, 7200s"]),
        ("bt pair", vec!["|- a: #2  Sleep: timer, 3600s", "`- b: #3  Sleep: timer, 7200s"]),
        ("bt linked", vec!["#0  Linked", "#1  Sleep: timer, 3600s"]),
        ("bt 2005", vec!["task 2005 «one of many 1996»"]),
        ("why 0.2100", vec!["task 2100 «one of many 2091» waits for ever: `pending` never ends"]),
        ("bt method", vec!["#1  Grill::fry  at ", "self = &Grill {heat: 200}"]),
        ("wakers never", vec!["no wakers\nit never waits for anything"]),
    ] {
        let text = spy(&odd, &words.split(' ').collect::<Vec<_>>()).unwrap();
        for part in parts {
            assert!(text.contains(part), "{words}: {part}:\n{text}");
        }
    }
}

#[test]
fn bt_writes_what_is_of_std_as_a_person_would() {
    let Some(odd) = Parked::of("odd") else { return };
    let Some(text) = spy(&odd, &["bt", "collections"]) else { return };
    for line in [
        r#"path = "recipe.txt""#,
        r#"name = "recipe.txt""#,
        r#"system = "a \"b\"""#,
        r#"shared = Rc("sauce")"#,
        "slice = &[1, 2, 3]",
        "bytes = &[10 bytes]",
        "ring = [1, 2, 3, 0]",
        "map = HashMap of 2",
        "set = HashSet of 1",
        "tree = BTreeMap of 1",
    ] {
        assert!(text.contains(&format!("      {line}\n")), "{line}:\n{text}");
    }
}

#[test]
fn a_label_that_was_copied_is_an_id() {
    let Some(parked) = Parked::start() else { return };
    let Some(wanted) = spy(&parked, &["bt", "5"]) else { return };
    for id in ["task 5", "task 5 «customer 1»", "0.5", "«customer 1»", "task 0.5 \"customer 1\""]
    {
        assert_eq!(spy(&parked, &["bt", id]).unwrap(), wanted, "{id}");
    }
    assert_eq!(spy(&parked, &["bt", "task", "5", "«customer", "1»"]).unwrap(), wanted);
}

/// What is claimed to be a proof must be one.
#[test]
fn healthy_tasks_are_not_called_lost_or_in_a_deadlock() {
    let Some(healthy) = Parked::of("healthy") else { return };
    let Some(text) = spy(&healthy, &["wakers", "rung"]) else { return };
    assert!(text.contains("1 waker\n  on its way: another thread has woken it"), "{text}");
    let text = spy(&healthy, &["why", "rung"]).unwrap();
    assert!(!text.contains("lost"), "{text}");
    let text = spy(&healthy, &["why", "waiting"]).unwrap();
    assert!(text.contains("«later» has a sender (`sender`)\n"), "{text}");
    assert!(text.contains("«later» waits for timer, 3600s left"), "{text}");
    assert!(!text.contains("deadlock"), "{text}");
}
