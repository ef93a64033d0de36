//! The example that is looked at, and how the three fronts are asked.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// No test waits longer for anything.
fn limit() -> Duration {
    let factor = std::env::var("TEST_TIME_FACTOR").map_or(1.0, |factor| factor.parse().unwrap());
    Duration::from_secs(60).mul_f64(factor)
}

/// The line of the example in which this stands.
pub fn line_of(what: &str) -> usize {
    let text = include_str!("../../examples/parked.rs");
    text.lines().position(|line| line.contains(what)).expect("it is in the example") + 1
}

/// Says why something is not tested here. Where it must be, that is a failure.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("DEBUGGERS_REQUIRED").is_none(), "not skipped here: {reason}");
    eprintln!("skipped: {reason}");
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../executor/debugger").canonicalize().unwrap()
}

pub fn spy_program() -> PathBuf {
    folder().join("async-spy")
}

/// An example that `cargo test` has built. With `--test` it has not: then it is built here.
pub fn example(name: &str) -> Option<PathBuf> {
    static BUILT: OnceLock<()> = OnceLock::new();
    if let Some(folder) = std::env::var_os("DEBUGGER_EXAMPLES") {
        return Some(Path::new(&folder).join(name));
    }
    if !cfg!(debug_assertions) {
        skip("the release profile has no debug information (see .ci/debugger)");
        return None;
    }
    let path = Path::new(env!("CARGO_BIN_EXE_demo")).with_file_name("examples").join(name);
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{name}.rs"));
        let changed = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
        if changed(&path) < changed(&source) {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["build", "--quiet", "-p", "demo", "--examples"]);
            if let Some(target) = path.ancestors().nth(3) {
                cargo.env("CARGO_TARGET_DIR", target);
            }
            assert!(cargo.status().unwrap().success(), "the examples are built");
        }
    });
    Some(path)
}

/// Whether this program is installed.
pub fn installed(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What it says, on both streams, and whether it succeeded.
pub fn run(program: &Path, words: &[&str]) -> (String, bool) {
    let mut command = Command::new(program);
    command.args(words);
    output(command)
}

pub fn output(mut command: Command) -> (String, bool) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} starts: {error}"));
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (sender, ended) = channel();
    let id = child.id().to_string();
    thread::spawn(move || {
        let errors = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = err.read_to_end(&mut bytes);
            bytes
        });
        let mut bytes = Vec::new();
        let _ = out.read_to_end(&mut bytes);
        bytes.extend(errors.join().unwrap());
        let _ = sender.send((bytes, child.wait().is_ok_and(|status| status.success())));
    });
    let Ok((bytes, succeeded)) = ended.recv_timeout(limit()) else {
        let _ = Command::new("kill").args(["-KILL", &id]).status();
        panic!("{command:?} does not end");
    };
    (String::from_utf8_lossy(&bytes).into_owned(), succeeded)
}

/// A folder for one test. Dropped, it is removed.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let name = format!("debugger-{name}-{process}-{number}");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The example with a coroutine parked on each kind of thing.
pub struct Parked {
    child: Child,
}

impl Parked {
    /// Returns when all of them are parked.
    pub fn start() -> Option<Parked> {
        Parked::of("parked")
    }

    /// The same of another example that says when it is so far.
    pub fn of(name: &str) -> Option<Parked> {
        if !installed("python3", "--version") {
            skip("python3 is not installed");
            return None;
        }
        let mut command = Command::new(example(name)?);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut parked = Parked { child: child.expect("the example starts") };
        let mut lines = BufReader::new(parked.child.stdout.take().unwrap()).lines();
        let (sender, said) = channel();
        thread::spawn(move || {
            let _ = sender.send(lines.next());
        });
        let line = said.recv_timeout(limit()).ok().flatten();
        let line = line.expect("it says something").unwrap();
        assert!(line.starts_with("all are parked"), "{line}");
        Some(parked)
    }

    pub fn id(&self) -> String {
        self.child.id().to_string()
    }

    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.id()]).status().unwrap().success());
    }

    /// It reads a line, and ends.
    pub fn ends_well(mut self) {
        self.child.stdin.take().unwrap().write_all(b"\n").unwrap();
        let id = self.id();
        let (sender, ended) = channel::<()>();
        let guard = thread::spawn(move || {
            if ended.recv_timeout(limit()).is_err() {
                let _ = Command::new("kill").args(["-KILL", &id]).status();
            }
        });
        let status = self.child.wait().unwrap();
        let _ = sender.send(());
        guard.join().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `async-spy` says; None if this system does not let it look.
pub fn spy(parked: &Parked, words: &[&str]) -> Option<String> {
    let id = parked.id();
    let (text, succeeded) = run(&spy_program(), &[&[id.as_str()], words].concat());
    if text.contains("is not allowed") {
        skip(&text);
        return None;
    }
    assert!(succeeded, "async-spy {words:?}: {text}");
    Some(plain(&text))
}

/// Ports and addresses are others in each run.
pub fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("127.0.0.1:") {
        let (before, port) = rest.split_at(at + "127.0.0.1:".len());
        plain += before;
        let digits = port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len());
        plain += if digits > 0 { "PORT" } else { "" };
        rest = &port[digits..];
    }
    plain + rest
}
