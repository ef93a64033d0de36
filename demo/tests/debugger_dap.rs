//! What an editor shows: lldb's adapter for the Debug Adapter Protocol, asked as VS Code asks it.
//! Every parked coroutine is a thread there, with frames and variables. See debugger.rs for what is
//! skipped where.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

#[path = "debugger/common.rs"]
mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use common::{example, folder, installed, line_of, skip};
use serde_json::{Value, json};

/// The adapter, and what it says.
struct Adapter {
    child: Child,
    input: ChildStdin,
    said: Receiver<Value>,
    number: u64,
}

impl Adapter {
    fn start() -> Option<Adapter> {
        let names = ["lldb-dap", "lldb-dap-19", "lldb-vscode", "lldb-vscode-14"];
        if !names.iter().any(|name| installed_at_all(name)) || !installed("python3", "--version") {
            skip("lldb-dap is not installed");
            return None;
        }
        let mut command = Command::new(folder().join("start"));
        command.arg("dap").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, said) = channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = message(&mut output) {
                let _ = sender.send(message);
            }
        });
        Some(Adapter { child, input, said, number: 0 })
    }

    fn send(&mut self, command: &str, arguments: &Value) {
        self.number += 1;
        let text = json!({
            "seq": self.number, "type": "request", "command": command, "arguments": arguments
        });
        let text = text.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }

    /// The next event or answer of this name.
    fn hear(&self, name: &str) -> Value {
        loop {
            let message = self.said.recv_timeout(Duration::from_secs(60));
            let message = message.unwrap_or_else(|_| panic!("the adapter never says {name}"));
            if message["event"] == name || message["command"] == name {
                assert_ne!(message["success"], false, "{message}");
                return message;
            }
        }
    }

    fn ask(&mut self, command: &str, arguments: &Value) -> Value {
        self.send(command, arguments);
        self.hear(command)["body"].clone()
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn message(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().strip_prefix("Content-Length: ") {
            Some(number) => length = number.parse().ok()?,
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut text = vec![0; length];
    output.read_exact(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn installed_at_all(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).exists())
}

#[test]
fn every_parked_coroutine_is_a_thread_with_frames_and_variables() {
    let Some(parked) = example("parked") else { return };
    if parked.to_str().unwrap().contains("release") {
        return skip("coroutines are threads only in programs without optimisation");
    }
    let Some(mut adapter) = Adapter::start() else { return };
    let root = folder().join("../..").canonicalize().unwrap();
    adapter.ask("initialize", &json!({"adapterID": "lldb", "linesStartAt1": true}));
    let import = format!("command script import {}/for_lldb.py", folder().display());
    let launch = json!({"program": parked, "cwd": root, "initCommands": [import]});
    adapter.send("launch", &launch);
    adapter.hear("initialized");
    let source = json!({"path": root.join("demo/examples/parked.rs")});
    let line = line_of("println!(\"all are parked");
    let breakpoints = json!({"source": source, "breakpoints": [{"line": line}]});
    adapter.ask("setBreakpoints", &breakpoints);
    adapter.send("configurationDone", &json!({}));
    adapter.hear("stopped");

    let threads = adapter.ask("threads", &json!({}));
    let threads = threads["threads"].as_array().unwrap().clone();
    let find = |part: &str| {
        let named = |thread: &&Value| thread["name"].as_str().unwrap().contains(part);
        threads.iter().find(named).unwrap_or_else(|| panic!("no {part} in {threads:#?}"))
    };
    for part in [
        "task 1 «main»: join of task 2 «cook»",
        "task 4 «connection»: socket readable",
        "task 5 «customer 1», a, a: timer, 90s left",
        "task 13 «forgetful»",
    ] {
        find(part);
    }

    let grill = &find("task 5 «customer 1», a, b, future: timer, 120s left")["id"];
    let stack = adapter.ask("stackTrace", &json!({"threadId": grill}));
    let frames = stack["stackFrames"].as_array().unwrap();
    let lines: Vec<_> =
        frames.iter().map(|frame| frame["line"].as_u64().unwrap() as usize).collect();
    let expected = [
        line_of("sleep(Duration::from_secs(120))"),
        line_of("match race(music"),
        line_of("join(get_burgers(&order)"),
    ];
    assert_eq!(lines, expected, "{stack:#}");

    for (frame, variable, value) in [(0, "heat", "200"), (1, "price", "10")] {
        let scopes = adapter.ask("scopes", &json!({"frameId": frames[frame]["id"]}));
        let locals = &scopes["scopes"][0]["variablesReference"];
        let variables = adapter.ask("variables", &json!({"variablesReference": locals}));
        let variables = variables["variables"].as_array().unwrap();
        let found = variables.iter().any(|one| {
            one["name"].as_str().unwrap().starts_with(variable) && one["value"] == value
        });
        assert!(found, "{variable} is {value} in {variables:#?}");
    }
    adapter.send("disconnect", &json!({"terminateDebuggee": true}));
    adapter.hear("disconnect");
}
