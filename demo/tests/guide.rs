//! docs/debugging.md tells the truth: each session in it is run, and answers what the page says.
//!
//! Needs gdb or lldb, in the version that the page names; what is missing is skipped, with the
//! reason printed (see debugger.rs). After a change of the program:
//!
//! ```sh
//! GUIDE=write cargo test -p demo --test guide      # the page is what was really answered
//! GUIDE_ONLY=back cargo test -p demo --test guide  # only the sessions of this name
//! cargo run -- tour --record demo/tests/guide/tour.run    # if a replay says that the run is another
//! ```
#![cfg(all(target_os = "linux", feature = "sqlite"))]

#[path = "debugger/common.rs"]
mod common;
#[path = "guide/page.rs"]
mod page;
#[path = "guide/pause.rs"]
mod pause;
#[path = "guide/session.rs"]
mod session;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use common::skip;
use page::{Session, agrees, masked, merged, with_answers};

fn path() -> PathBuf {
    PathBuf::from(page::folder_of_workspace()).join("docs/debugging.md")
}

/// Whoever writes the page has it for himself.
static PAGE: Mutex<()> = Mutex::new(());

fn writes() -> bool {
    std::env::var("GUIDE").is_ok_and(|guide| guide == "write")
}

/// The page was made with this version: `<!-- made with gdb 13 -->`.
fn has_version(debugger: &str, page: &str) -> bool {
    let lldb = ["lldb", "lldb-19", "lldb-18", "lldb-17", "lldb-16", "lldb-15", "lldb-14"];
    let names = if debugger == "gdb" { &["gdb"][..] } else { &lldb };
    let asked = |name: &&str| Command::new(name).arg("--version").output().ok();
    let Some(output) = names.iter().find_map(asked) else {
        skip(&format!("{debugger} is not installed"));
        return false;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number =
        text.split_whitespace().find_map(|word| word.split('.').next()?.parse::<u32>().ok());
    let wanted = format!("<!-- made with {debugger} {} -->", number.unwrap_or(0));
    if page.contains(&wanted) || writes() {
        return true;
    }
    skip(&format!("the page was made with another version of {debugger} than {number:?}"));
    false
}

fn check(debugger: &str) {
    if !cfg!(debug_assertions) {
        return skip("the sessions step through a build without optimisation");
    }
    let _page = PAGE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let text = std::fs::read_to_string(path()).unwrap();
    if !has_version(debugger, &text) {
        return;
    }
    let sessions = page::sessions(&text);
    let own = |session: &&Session| session.debugger == debugger;
    assert!(sessions.iter().any(|session| own(&session)), "there are sessions for {debugger}");
    let only = std::env::var("GUIDE_ONLY").ok();
    let (mut answers, mut wrong) = (Vec::new(), Vec::new());
    for session in sessions.iter().filter(own) {
        if only.as_ref().is_some_and(|only| *only != session.name) {
            continue;
        }
        let Some(real) = session.run() else { return };
        let folder = std::path::Path::new(env!("CARGO_BIN_EXE_demo")).parent().unwrap();
        for (step, real) in session.steps.iter().zip(real) {
            let real = masked(&real, folder.to_str().unwrap());
            if !agrees(&step.answer, &real) {
                wrong.push(difference(session, step, &real));
                let new = merged(&step.answer, &real).unwrap_or(real);
                answers.push((step.lines.clone(), new));
            }
        }
    }
    answers.sort_by_key(|(place, _)| place.start);
    if writes() {
        return std::fs::write(path(), with_answers(&text, &answers)).unwrap();
    }
    assert!(
        wrong.is_empty(),
        "{}\nto accept: GUIDE=write cargo test -p demo --test guide",
        wrong.join("\n")
    );
}

fn difference(session: &Session, step: &page::Step, real: &[String]) -> String {
    format!(
        "docs/debugging.md:{}: ({}) {}    (session {})\n--- the page\n{}\n--- the truth\n{}\n",
        step.lines.start,
        session.debugger,
        step.command,
        session.name,
        step.answer.join("\n"),
        real.join("\n")
    )
}

#[test]
fn each_session_with_gdb_answers_what_the_page_says() {
    check("gdb");
}

#[test]
fn each_session_with_lldb_answers_what_the_page_says() {
    check("lldb");
}

#[test]
fn dots_stand_for_anything_and_nothing_else_does() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let agree = |page: &str, real: &str| agrees(&lines(page), &lines(real));
    assert!(agree("a 0x... b", "a 0x12 b") && agree("a\n...\nz", "a\nb\nc\nz"));
    assert!(agree("...\nz", "z") && agree("in ...s", "in 1.5s") && agree("a...b...c", "a1b2c"));
    assert!(
        !agree("a", "b") && !agree("a", "a\nb") && !agree("a\nb", "a") && !agree("a ...z", "a")
    );
    let (page, real) = (lines("a 1\n...\nz 2"), lines("a 3\nb\nz 4"));
    assert_eq!(merged(&page, &real), Some(lines("a 3\n...\nz 4")));
    let port = masked("fd 7, 127.0.0.1:80 at 0x12ab\n[New Thread 1]\n", "/target");
    assert_eq!(port, ["fd ..., 127.0.0.1:... at 0x..."]);
    let pointers = masked("(cx=0x12 <drop<a>+8>, at=0x34 <b>) <c>", "/target");
    assert_eq!(pointers, ["(cx=0x..., at=0x...) <c>"]);
}
