//! `demo ps`: the coroutines of a stand that is open.

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use common::{Demo, run};
use serde_json::{Value, json};

fn ps(port: u16, more: &[&str]) -> common::Ended {
    run(&[&["ps", "--port", &port.to_string()], more].concat())
}

/// What it says of a stand that is open.
fn tree(port: u16) -> String {
    let ended = ps(port, &[]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{}", ended.said);
    ended.said
}

/// The line of this coroutine, and the ones below it.
fn block<'a>(said: &'a str, name: &str) -> Vec<&'a str> {
    let mut lines = said.lines().skip_while(|line| !line.contains(name));
    let first: Vec<&str> = lines.next().into_iter().collect();
    assert!(!first.is_empty(), "no {name} in {said}");
    first.into_iter().chain(lines.take_while(|line| !line.contains('#'))).collect()
}

#[test]
fn it_draws_who_has_spawned_whom_and_what_they_wait_for() {
    let stand = Demo::serve(&[]);
    let mut guest = stand.connect();
    guest.send(common::get("/orders"));
    guest.answer(); // it stays connected, and is waited for
    let guest_port = guest.stream.local_addr().unwrap().port();
    let said = tree(stand.address.port());
    let head = format!("{}: ", stand.address);
    assert!(said.starts_with(&head) && said.contains(" coroutines; the thread "), "{said}");
    let main = block(&said, "#1 main ");
    assert!(main[0].contains("parked") && main[0].contains("demo/src/serve.rs:"), "{said}");
    assert!(main[1].contains("waits for somebody else"), "Ctrl-C: {said}");
    let accept = said
        .split("-- #")
        .find(|part| part.contains(" accept ") && part.contains(&stand.address.to_string()))
        .unwrap_or_else(|| panic!("{said}"));
    assert!(accept.contains("waits for socket ") && accept.contains(" readable, "), "{said}");
    let waits = format!("{} -> 127.0.0.1:{guest_port}", stand.address);
    let connection = said.split("-- #").find(|part| part.contains(&waits));
    let connection = connection.unwrap_or_else(|| panic!("{waits}: {said}"));
    assert!(connection.contains(" connection ") && connection.contains("parked"), "{said}");
    assert!(connection.contains("demo/src/http/server.rs:"), "where it was spawned: {said}");
    assert!(connection.contains("or for a timer, due in "), "{said}");
    assert!(connection.contains("(demo/src/http/connection.rs:"), "the line that waits: {said}");
    assert!(said.contains("\n|-- #2 accept") && said.contains("\n`-- #3 accept"), "{said}");
}

#[test]
fn its_lines_are_not_wider_than_a_terminal_of_100_columns() {
    let stand = Demo::serve(&["--kitchen-delay-ms", "20000"]);
    let mut guest = stand.connect();
    guest.send(common::get("/"));
    let said = loop {
        let said = tree(stand.address.port());
        if said.contains(" kitchen ") {
            break said;
        }
    };
    for line in said.lines() {
        assert!(line.chars().count() <= 100 && line.trim_end() == line, "{line:?}");
    }
    let kitchen = block(&said, " kitchen ");
    assert!(kitchen[1].contains("waits for a timer, due in "), "{said}");
    assert!(!said.contains('\x1b'), "no colours into a pipe");
}

#[test]
fn as_json_it_is_what_the_page_says() {
    let stand = Demo::serve(&[]);
    let ended = ps(stand.address.port(), &["--json"]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    let state: Value = serde_json::from_str(&ended.said).unwrap();
    let coroutines = state["coroutines"].as_array().unwrap();
    let name = |it: &Value| it["name"].as_str().unwrap().to_owned();
    let names: Vec<String> = coroutines.iter().map(name).collect();
    assert_eq!(names[..3], ["main", "accept", "accept"]);
    assert!(state["sources"].is_object() && state["gate"]["state"] == "open", "{state}");
}

#[test]
fn nobody_there_is_told() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ended = ps(free, &[]);
    assert_eq!(ended.code, Some(1));
    let expected = format!("demo: nobody listens at http://127.0.0.1:{free}: start `demo serve`");
    assert!(ended.errors.starts_with(&expected), "{}", ended.errors);
    assert_eq!(ended.said, "");
}

#[test]
fn a_stand_that_nobody_watches_is_told() {
    let stand = Demo::serve(&["--no-watch"]);
    let ended = ps(stand.address.port(), &[]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.errors.contains("is not watched: start it without --no-watch"),
        "{}",
        ended.errors
    );
}

#[test]
fn somebody_else_is_told() {
    let kitchen = Demo::kitchen(&[]);
    let ended = ps(kitchen.address.port(), &[]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("is no `demo serve`; is --port right?"), "{}", ended.errors);
}

/// Answers each connection with this, whatever it asks for. Nothing: it does not answer at all.
fn answers_with(listener: TcpListener, answer: Option<String>) {
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if let Some(answer) = &answer {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
            } else {
                open.push(stream);
            }
        }
    });
}

fn http(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Two ports, the second one behind the first.
fn two_ports() -> (TcpListener, TcpListener) {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let Some(next) = first.local_addr().unwrap().port().checked_add(1) else { continue };
        if let Ok(second) = TcpListener::bind(("127.0.0.1", next)) {
            return (first, second);
        }
    }
}

fn coroutine(task: u64, parent: Option<u64>, more: &Value) -> Value {
    let mut it = json!({
        "task": task, "name": format!("task {task}"), "parent": parent, "at": "src/main.rs:7",
        "state": "parked", "since": 10.0, "waits": [], "by": { "k": "spawn" }, "polls": 3,
        "busy": 1.5, "born": 1000.0, "lost": false,
    });
    for (name, value) in more.as_object().unwrap() {
        it[name] = value.clone();
    }
    it
}

#[test]
fn a_stand_that_stands_still_is_asked_behind_the_next_port() {
    let (stand, page) = two_ports();
    let port = stand.local_addr().unwrap().port();
    let state = json!({
        "n": 17, "t": 1000.0, "now": 6000.0, "ready": [2], "sources": {}, "jobs": {},
        "phase": { "k": "polling", "task": 1 }, "gate": { "state": "closed", "stands": true },
        "coroutines": [
            coroutine(1, None, &json!({ "state": "polled" })),
            coroutine(2, Some(1), &json!({ "state": "ready", "by": { "k": "timer" } })),
        ],
    });
    answers_with(stand, None);
    answers_with(page, Some(http(&state.to_string())));
    let said = tree(port);
    assert!(said.contains("does not answer within 2 s, since it is stopped"), "{said}");
    assert!(said.contains("2 coroutines; the thread polls #1 task 1"), "{said}");
    assert!(said.contains("stopped behind event 17"), "{said}");
    assert!(said.contains("ready queue: #2 task 2"), "{said}");
    assert!(block(&said, "`-- #2 task 2")[1].ends_with("woken by a timer"), "{said}");
    let line = block(&said, "`-- #2 task 2")[0];
    assert!(line.contains(" 5.0 s       3    1.5 ms  src/main.rs:7"), "{said}");
}

#[test]
fn each_wait_is_told_in_plain_words_and_orphans_are_roots() {
    let (page, _) = two_ports();
    let port = page.local_addr().unwrap().port();
    let waits = json!([
        { "k": "join", "task": 1 }, { "k": "send" }, { "k": "receive" },
        { "k": "job", "job": 8, "at": "src/fs.rs:3" },
        { "k": "timer", "deadline": null, "at": "src/main.rs:9" },
        { "k": "source", "source": 4, "direction": "write", "at": "src/main.rs:8" },
    ]);
    let state = json!({
        "n": 17, "t": 1000.0, "ready": [], "jobs": {}, "phase": { "k": "asleep" },
        "sources": { "4": { "local": "127.0.0.1:1", "peer": "127.0.0.1:2" } },
        "coroutines": [
            coroutine(1, None, &json!({})), coroutine(5, Some(3), &json!({ "waits": waits })),
            coroutine(6, Some(5), &json!({ "lost": true })), coroutine(7, Some(6), &json!({})),
            coroutine(8, Some(5), &json!({})),
        ],
    });
    answers_with(page, Some(http(&state.to_string())));
    let said = tree(port);
    for line in [
        "#5 task 5               parked  0.000 ms       3    1.5 ms  src/main.rs:7",
        "|   spawned by #3, which has ended",
        "|   waits for the end of #1 task 1",
        "|   or for room in a channel",
        "|   or for a value in a channel",
        "|   or for blocking job 8  (src/fs.rs:3)",
        "|   or for a timer that is never due  (src/main.rs:9)",
        "|   or for socket 4 writable, 127.0.0.1:1 -> 127.0.0.1:2  (src/main.rs:8)",
        "|   |   waits for nobody: no waker of it is left",
    ] {
        assert!(said.lines().any(|it| it == line), "{line:?} is not in\n{said}");
    }
    for branch in ["\n|-- #6 task 6", "\n|   `-- #7 task 7", "\n`-- #8 task 8"] {
        assert!(said.contains(branch), "{branch:?} is not in\n{said}");
    }
}

#[test]
fn a_chain_of_a_thousand_is_drawn() {
    let (page, _) = two_ports();
    let port = page.local_addr().unwrap().port();
    let chain = |n: u64| coroutine(n, (n > 1).then_some(n - 1), &json!({}));
    let state = json!({
        "ready": [], "sources": {}, "phase": {}, "coroutines": (1..=1000).map(chain).collect::<Vec<_>>(),
    });
    answers_with(page, Some(http(&state.to_string())));
    let said = tree(port);
    assert_eq!(said.matches("-- #").count(), 999);
}

#[test]
fn an_answer_that_is_no_state_is_told() {
    for answer in ["{}", "burgers", "[1, 2"] {
        let (page, _) = two_ports();
        let port = page.local_addr().unwrap().port();
        answers_with(page, Some(http(answer)));
        let ended = ps(port, &[]);
        assert_eq!((ended.code, ended.said.as_str()), (Some(1), ""));
        assert!(ended.errors.contains("is no `demo serve`"), "{}", ended.errors);
    }
}
