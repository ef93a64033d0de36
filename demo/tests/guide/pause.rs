//! `demo tour --pause-at`: it waits for a debugger at the right place, in front of a real one.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use super::common::{installed, output, skip};

/// A demo that waits. Dropped, it is killed.
struct Paused {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    said: Vec<String>,
}

impl Paused {
    fn at(place: &str) -> Paused {
        let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
        command.args(["tour", "--pause-at", place]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut said: Vec<String> = Vec::new();
        while !said.last().is_some_and(|line| line.starts_with("waiting for it")) {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ends: {said:?}");
            said.push(line);
        }
        Paused { child, lines, said }
    }

    /// The line for this debugger, as it was printed, with these words at its end.
    fn attach(&self, debugger: &str, words: &str) -> Option<String> {
        let line = self.said.iter().find(|line| line.contains(&format!("{debugger} -p ")));
        let line = line.unwrap_or_else(|| panic!("{:?}", self.said));
        let mut shell = Command::new("sh");
        shell.env("LC_ALL", "C.UTF-8").arg("-c").arg(format!("{} {words}", line.trim()));
        let text = output(shell).0;
        if text.contains("not permitted") || text.contains("attach failed") {
            skip(&format!("{debugger} may not attach to a process here (ptrace)"));
            return None;
        }
        Some(text)
    }

    fn ends_well(mut self) {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success(), "{rest}");
        assert!(rest.contains("GET / -> 200"), "{rest}");
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Each place, and what is around it when the debugger stops there.
const PLACES: [(&str, &str, &[&str]); 4] = [
    ("poll", "before a poll of task 4 «client»", &["Scheduler::poll_task", "polling task 4"]),
    ("park", "before the thread parks", &["Scheduler::park", "executor 0, parked"]),
    ("wake", "in the wake of task", &["Scheduler::wake", "executor 0, parked"]),
    ("kitchen", "before the first poll of task 6 «kitchen»", &["poll_task", "polling task 6"]),
];

#[test]
fn it_waits_for_gdb_at_the_place_and_goes_on_afterwards() {
    if !cfg!(debug_assertions) || !installed("gdb", "--version") {
        return skip("gdb is not installed, or this is not a debug build");
    }
    for (place, words, around) in PLACES {
        let paused = Paused::at(place);
        assert!(paused.said[0].contains(words), "{place}: {:?}", paused.said);
        let Some(text) = paused.attach("gdb", "-batch -ex bt -ex 'async tasks' -ex detach") else {
            return;
        };
        for part in around.iter().chain(&["demo::pause::here"]) {
            assert!(text.contains(part), "{place}: no {part} in\n{text}");
        }
        paused.ends_well();
    }
}

#[test]
fn it_waits_for_lldb_too() {
    if !cfg!(debug_assertions) || !installed("lldb", "--version") {
        return skip("lldb is not installed, or this is not a debug build");
    }
    let paused = Paused::at("poll");
    let Some(text) = paused.attach("lldb", "--batch -o 'async tasks' -o detach") else { return };
    assert!(text.contains("polling task 4") && text.contains("demo`demo::pause::here"), "{text}");
    paused.ends_well();
}

#[test]
fn a_debugger_that_is_there_already_is_stopped_by_a_signal() {
    if !cfg!(debug_assertions) || !installed("gdb", "--version") {
        return skip("gdb is not installed, or this is not a debug build");
    }
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-q", "-batch", "-ex", "run", "-ex", "bt", "-ex", "continue", "--args"]);
    gdb.args([env!("CARGO_BIN_EXE_demo"), "tour", "--pause-at", "connection"]);
    let text = output(gdb).0;
    if text.contains("not permitted") {
        return skip("gdb may not trace a process here (ptrace)");
    }
    // The signal is for the process: on a busy machine the system may give it to another thread.
    for part in ["«connection»: SIGTRAP", "received signal SIGTRAP", "GET / -> 200"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
}

#[test]
fn a_place_that_there_is_not_is_an_error_that_names_those_there_are() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    demo.args(["tour", "--pause-at", "conection"]);
    let (text, succeeded) = output(demo);
    assert!(!succeeded, "{text}");
    let names = "poll, park, wake, accept, client, connection, kitchen, main";
    assert!(
        text.contains(&format!(
            "demo: --pause-at conection: it never came to that; there are {names}"
        )),
        "{text}"
    );
}
