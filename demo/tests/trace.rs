//! `demo tour --trace`: every event of the request, one line each.

mod common;

use common::run;

/// The lines of the log, from the one below its columns on.
fn log(said: &str) -> Vec<&str> {
    let lines = said.lines().skip_while(|line| !line.trim_start().starts_with("n        ms  who"));
    lines.skip(1).take_while(|line| !line.is_empty()).collect()
}

#[test]
fn each_event_is_one_aligned_line() {
    let ended = run(&["tour", "--trace"]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    let lines = log(&ended.said);
    assert!(lines.len() > 50, "{}", ended.said);
    let mut last = None;
    for line in &lines {
        let number: u64 = line[..5].trim().parse().expect("a number");
        assert!(last.is_none_or(|last| number == last + 1), "{line}");
        last = Some(number);
        let (time, rest) = line[6..].split_at(9);
        assert!(time.trim().parse::<f64>().is_ok() && time.contains('.'), "{line}");
        assert!(rest.starts_with("  #") || rest.starts_with("  the thread"), "{line}");
        assert!(line[33..].starts_with(' ') && line.as_bytes()[34] != b' ', "{line}");
        assert!(line.chars().count() <= 100, "{line}");
        assert_eq!(line.trim_end(), *line);
    }
    assert!(!ended.said.contains('\x1b'), "no colours into a pipe");
}

/// util-linux' `script` gives it a terminal; elsewhere there is another one, or none.
#[cfg(target_os = "linux")]
#[test]
fn in_a_narrow_terminal_the_line_of_source_has_a_line_of_its_own() {
    let demo = format!("{} tour --trace", env!("CARGO_BIN_EXE_demo"));
    let script = std::process::Command::new("script")
        .args(["-qec", &demo, "/dev/null"])
        .env("COLUMNS", "80")
        .env("TERM", "dumb")
        .stdin(std::process::Stdio::null())
        .output();
    let Ok(output) = script else { return println!("skipped: there is no `script` here") };
    let said = String::from_utf8(output.stdout).unwrap().replace('\r', "");
    let lines = log(&said);
    assert!(lines.len() > 50, "{said}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{said}");
    let source = |line: &&str| line.starts_with(&format!("{:45}demo/src/", ""));
    assert!(lines.iter().any(source), "{said}");
}

#[test]
fn the_log_tells_the_whole_request() {
    let ended = run(&["tour", "--trace"]);
    let lines = log(&ended.said);
    // Whatever else happens between: it depends on the machine.
    let client: &[&[&str]] = &[
        &["#4 ", "spawned", "by #1 main", "demo/src/visit.rs:"],
        &["#4 ", "named", "client"],
        &["#4 client", "poll"],
        &["#4 client", "opened", "socket ", ", fd ", "127.0.0.1:", " -> 127.0.0.1:"],
        &["#4 client", "waits for", "socket ", " readable", "demo/src/http/client.rs:"],
        &["#4 client", "waits for", "timer, due in ", "demo/src/http/client.rs:"],
        &["#4 client", "pending", "after ", " ms, parked"],
        &["the thread", "parks", "nobody is ready"],
        &["#4 client", "woken", "by socket ", " readable"],
        &["the thread", "unparked", " ready"],
        &["#4 client", "poll"],
        &["#4 client", "closed", "socket "],
        &["#4 client", "ready", "after "],
        &["#4 client", "ended"],
        &["#1 main", "woken", "by #4 client"],
    ];
    let connection: &[&[&str]] = &[
        &["#3 accept", "woken", "by socket 0 readable"],
        &["#3 accept", "opened", "socket "],
        &["#5 run", "spawned", "by #3 accept", "demo/src/http/server.rs:"],
        &["#5 connection", "queued", "job ", ".rs:"],
        &["#5 connection", "has", "result of job ", ": queued ", "ran "],
        &["#5 connection", "waits for", "socket ", "demo/src/http/client.rs:"],
        &["#5 connection", "woken", "by socket ", " readable"],
        &["#5 connection", "queued", "job ", "demo/src/store.rs:"],
    ];
    let kitchen: &[&[&str]] = &[
        &["spawned", "by #2 accept"],
        &["#6 kitchen", "poll"],
        &["#6 kitchen", "waits for", "timer, due in ", "demo/src/kitchen.rs:"],
        &["#6 kitchen", "woken", "by a timer"],
    ];
    for story in [client, connection, kitchen] {
        let mut rest = lines.iter();
        for parts in story {
            let found = rest.any(|line| parts.iter().all(|part| line.contains(part)));
            assert!(found, "no {parts:?} behind the one before it, in {}", ended.said);
        }
    }
}

#[test]
fn it_has_a_legend_and_says_how_many_events_it_was() {
    let ended = run(&["tour", "--trace"]);
    for word in ["spawned", "poll", "waits for", "pending", "ready", "woken", "parks"] {
        let line = ended.said.lines().find(|line| line.starts_with(&format!("  {word}  ")));
        assert!(line.is_some_and(|line| line.len() > 30), "{word}: {}", ended.said);
    }
    let footer = format!("\n{} events in ", log(&ended.said).len());
    assert!(ended.said.contains(&footer), "{footer:?} is not in {}", ended.said);
    assert!(ended.said.contains(" ms, none dropped\n"), "{}", ended.said);
}

#[test]
fn it_comes_behind_the_request_and_instead_of_the_rest() {
    let ended = run(&["tour", "--trace"]);
    let place = |text| ended.said.find(text).unwrap_or_else(|| panic!("{text}: {}", ended.said));
    assert!(place("1  burgers = get_burgers(2).await") < place("2  the same "));
    assert!(place("2  the same ") < place("3  the same, event by event"));
    assert!(!ended.said.contains("coroutines, 1 thread"), "{}", ended.said);
    assert_eq!(ended.left_behind, [""; 0]);
}
