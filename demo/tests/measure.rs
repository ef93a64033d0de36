//! `demo compare`, `demo latency` and `demo goroutines`, as a person runs them.

use std::io::Read;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);
/// The three commands, small enough for a test.
const SMALL: [&[&str]; 3] = [
    &["compare", "--waits", "10", "--wait-ms", "20", "--jobs", "2"],
    &["latency"],
    &["goroutines", "2000"],
];

fn start(args: &[&str], environment: &[(&str, &str)]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(args)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Waits for the end; a program that does not come to it is stopped, and fails the test.
fn finish(mut child: Child) -> Output {
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().expect("it is our child");
            panic!("still not at its end after {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(5));
    };
    let text = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        reader.map(|reader| reader.join().expect("it only reads")).unwrap_or_default()
    };
    Output { status, stdout: text(stdout), stderr: text(stderr) }
}

fn collect(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("a pipe can be read");
        bytes
    })
}

fn demo(args: &[&str]) -> Output {
    finish(start(args, &[]))
}

/// What it prints, if it ends well and says nothing on stderr.
fn printed(args: &[&str]) -> String {
    let output = demo(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {} {stderr}", output.status);
    assert_eq!(stderr, "", "{args:?}");
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}

/// The variables that name the temporary folder, here and on Windows.
fn temporary(folder: &str) -> [(&'static str, &str); 3] {
    ["TMPDIR", "TEMP", "TMP"].map(|name| (name, folder))
}

/// The milliseconds in the first line that starts so, and those of the lines after it.
fn millis(text: &str, label: &str) -> Vec<f64> {
    let rows = text.lines().filter(|line| line.trim_start().starts_with(label));
    let number = |row: &str| row.split(" ms").next()?.split_whitespace().last()?.parse().ok();
    rows.map(|row| number(row).expect(row)).collect()
}

#[test]
fn compare_shows_that_concurrency_beats_waiting_one_after_another() {
    let text = printed(&["compare", "--waits", "20", "--wait-ms", "50", "--jobs", "2"]);
    let (one_by_one, concurrently) = (millis(&text, "one after"), millis(&text, "concurrently"));
    let parallel = millis(&text, "in parallel");
    assert_eq!([one_by_one.len(), concurrently.len(), parallel.len()], [2, 2, 2], "{text}");
    assert!(one_by_one[0] >= 1000.0, "{text}");
    assert!(concurrently[0] >= 50.0 && parallel[0] >= 50.0, "{text}");
    assert!(concurrently[0] * 3.0 < one_by_one[0], "{text}");
    assert!(text.contains("20 coroutines, 1 thread"), "{text}");
    assert!(text.contains("concurrency wins"), "{text}");
}

#[test]
fn compare_finds_no_winner_where_there_is_nothing_to_share_out() {
    let text = printed(&["compare", "--waits", "1", "--wait-ms", "10", "--jobs", "1"]);
    assert!(text.contains("waiting: 1 wait of"), "{text}");
    assert!(text.contains("a single wait takes its time"), "{text}");
    assert!(text.contains("1 coroutine, 1 thread"), "{text}");
}

#[test]
fn latency_has_a_row_for_each_wait_of_the_page() {
    let text = printed(&["latency"]);
    for row in [
        "an addition",
        "a memory access",
        "data from the client",
        "data to the client",
        "a file read",
        "a file written: ",
        "a file written and synced",
        "a remote API",
    ] {
        let line = text.lines().find(|line| line.trim_start().starts_with(row));
        let line = line.unwrap_or_else(|| panic!("no row `{row}` in:\n{text}"));
        assert!(line.ends_with('#'), "a bar ends `{line}`");
        assert!([" ns ", " µs ", " ms ", " s "].iter().any(|unit| line.contains(unit)), "{line}");
    }
    let database = ["a database operation", "a database query"];
    let expected = if cfg!(feature = "sqlite") { 2 } else { 0 };
    assert_eq!(database.iter().filter(|row| text.contains(*row)).count(), expected, "{text}");
    assert_eq!(text.contains("no database"), expected == 0, "{text}");
}

#[test]
fn latency_leaves_no_file_behind_even_if_nobody_listens() {
    let folder = std::env::temp_dir().join(format!("demo-test-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("the temporary folder can be written");
    let inside = temporary(folder.to_str().expect("it is UTF-8"));
    assert!(finish(start(&["latency"], &inside)).status.success());
    let mut deaf = start(&["latency"], &inside);
    drop(deaf.stdout.take());
    assert!(finish(deaf).status.success());
    // Not removed with what is in it: it must be empty.
    std::fs::remove_dir(&folder).expect("nothing is left in the folder");
}

#[test]
fn latency_without_a_temporary_folder_says_what_to_do() {
    let output = finish(start(&["latency"], &temporary("/nowhere/at/all")));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("/nowhere/at/all") && stderr.contains("TMPDIR"), "{stderr}");
}

#[test]
fn goroutines_start_wake_and_weigh_them() {
    let text = printed(&["goroutines", "5000"]);
    for part in ["5,000 coroutines", "1,000 threads", "start, until", "wake all", "memory while"] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
    let memory = text.lines().find(|line| line.contains("memory while")).expect("as asserted");
    assert_eq!(memory.contains(" MiB"), cfg!(target_os = "linux"), "{memory}");
}

#[test]
fn one_goroutine_is_enough() {
    let text = printed(&["goroutines", "1"]);
    assert!(text.contains("1 coroutine ") && text.contains("1 thread\n"), "{text}");
}

#[test]
fn no_line_is_longer_than_80_columns_or_ends_in_a_space() {
    for args in SMALL {
        for line in printed(args).lines() {
            assert!(line.chars().count() <= 80, "{args:?}: {line}");
            assert_eq!(line.trim_end(), line, "{args:?}");
        }
    }
}

#[test]
fn colours_only_where_they_are_wanted() {
    for args in SMALL {
        assert!(!printed(args).contains('\x1b'), "{args:?} into a pipe");
        let always = printed(&[args, &["--color", "always"]].concat());
        assert!(always.contains("\x1b[1m") && always.contains("\x1b[0m"), "{args:?}");
    }
    assert!(!printed(&["goroutines", "9", "--color", "never"]).contains('\x1b'));
    let coloured = |environment: &[_]| {
        finish(start(&["goroutines", "9"], environment)).stdout.contains(&b'\x1b')
    };
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

#[test]
fn bad_arguments_exit_with_2_and_say_what_is_allowed() {
    for (args, hint) in [
        (&["goroutines", "0"][..], "1..=2000000"),
        (&["goroutines", "3000000000"], "1..=2000000"),
        (&["goroutines", "many"], "invalid"),
        (&["compare", "--waits", "0"], "1..=1000"),
        (&["compare", "--wait-ms", "1001"], "1..=1000"),
        (&["compare", "--jobs", "65"], "1..=64"),
        (&["latency", "fast"], "unexpected"),
    ] {
        let output = demo(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(hint), "{args:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn help_shows_what_there_is() {
    for (command, part) in [
        ("compare", "--wait-ms <MS>"),
        ("latency", "temporary folder"),
        ("goroutines", "demo goroutines 1000000"),
    ] {
        let text = printed(&[command, "--help"]);
        assert!(text.contains(part), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

#[test]
fn a_reader_that_has_enough_ends_it_quietly() {
    for args in SMALL {
        let mut child = start(args, &[]);
        drop(child.stdout.take());
        let output = finish(child);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*stderr), (Some(0), ""), "{args:?}");
    }
}
