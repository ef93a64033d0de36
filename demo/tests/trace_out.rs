//! `demo trace`, and the example for an own program.

mod common;

use std::fs;
use std::process::Command;

use common::{Folder, run};

#[test]
fn each_file_is_written_and_its_use_is_told() {
    let folder = Folder::new("trace");
    let path = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let files = ["run.html", "run.svg", "run.json", "run.txt"].map(path);
    let mut args = vec!["trace"];
    for file in &files {
        args.extend(["--out", file]);
    }
    let ended = run(&args);
    assert_eq!((ended.code, &*ended.errors), (Some(0), ""));
    assert_eq!(folder.list(""), ["run.html", "run.json", "run.svg", "run.txt"]);
    for (file, next) in files.iter().zip(["browser", "slide", "https://ui.perfetto.dev", "editor"])
    {
        let line = ended.said.lines().find(|line| line.contains(file.as_str())).unwrap();
        assert!(line.contains(next), "{line}");
    }
    assert_eq!(ended.left_behind, [""; 0], "the stand's folder is gone");
}

#[test]
fn without_a_file_it_is_printed() {
    let ended = run(&["trace"]);
    assert_eq!((ended.code, &*ended.errors), (Some(0), ""));
    for text in
        ["One request: ", "client", "connection", "kitchen", "the thread", "every event", "--out"]
    {
        assert!(ended.said.contains(text), "{text}: {}", ended.said);
    }
    let spawned = |line: &&str| line.contains('#') && line.contains(" spawned ");
    let first = ended.said.lines().find(spawned).unwrap();
    assert!(first.contains("client"), "it begins with the request, not with the stand: {first}");
}

#[test]
fn requests_are_made_at_once_or_one_after_another() {
    let polls = |args: &[&str]| {
        let said = run(&[&["trace", "--requests", "3"], args].concat()).said;
        let poll = |line: &&str| line.contains("spawned") || line.contains(" ended");
        let lines = said.lines().filter(|line| line.contains("client")).filter(poll);
        lines.map(|line| line.contains("spawned")).collect::<Vec<bool>>()
    };
    assert_eq!(polls(&[]), [true, true, true, false, false, false]);
    assert_eq!(polls(&["--one-after-another"]), [true, false, true, false, true, false]);
}

#[test]
fn a_wrong_name_is_refused_before_anything_runs() {
    let folder = Folder::new("wrong");
    let right = folder.0.join("run.svg");
    let ended = run(&["trace", "--out", right.to_str().unwrap(), "--out", "run.png"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.errors.contains(".html") && ended.errors.contains("run.png"), "{}", ended.errors);
    assert_eq!(folder.list(""), [""; 0]);
}

#[test]
fn a_folder_that_is_missing_is_told() {
    let folder = Folder::new("missing");
    let file = folder.0.join("nowhere/run.svg");
    let ended = run(&["trace", "--out", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.starts_with("demo: ") && ended.errors.contains("nowhere"));
}

#[test]
fn the_example_draws_an_own_program() {
    let folder = Folder::new("example");
    let Some(mut example) = example("own_program") else { return };
    let output = example.current_dir(&folder.0).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("3 burgers served"), "{output:?}");
    let page = fs::read_to_string(folder.0.join("run.html")).unwrap();
    for name in ["cook", "waiter"] {
        assert!(page.contains(&format!("\"name\":\"{name}\"")), "{name}");
    }
}

#[test]
fn the_example_with_the_mistakes_shows_each_diagnosis() {
    let Some(mut example) = example("mistakes") else { return };
    let output = example.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    for (mistake, words) in [
        ("a slow poll", "#2 grill (spawned at demo/examples/mistakes.rs:"),
        ("a slow poll", " held the executor for "),
        ("a lost wake-up", " is parked, and no waker of it is left"),
        ("a deadlock", "deadlock: everybody is parked"),
        ("a deadlock", "#3 cashier (spawned at demo/examples/mistakes.rs:"),
        ("busy polling", " has woken itself 1000 times in a row"),
        ("a panic", " panicked; the others go on"),
        ("dropped while awaited", " and #3 waiter (spawned at demo/examples/mistakes.rs:"),
    ] {
        let about = said.split("\n\n").find_map(|it| it.trim().strip_prefix(mistake)).unwrap();
        assert!(about.contains(words), "{mistake}: {words} in {about}");
    }
}

/// `cargo test` builds the examples, too. With `--test` alone they may be missing, or old.
fn example(name: &str) -> Option<Command> {
    let demo = std::path::Path::new(env!("CARGO_BIN_EXE_demo"));
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let example = demo.with_file_name("examples").join(file);
    if example.exists() {
        return Some(Command::new(example));
    }
    println!("skipped: there is no {}; run `cargo test`, or build the examples", example.display());
    None
}
