//! A `demo serve` with a folder that stays, perhaps under a wrapper such as `prlimit`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Folder, LIMIT};

/// `FAULTS=full`: everything, and what cannot run here is an error instead of a remark.
pub fn full() -> bool {
    std::env::var("FAULTS").is_ok_and(|value| value == "full")
}

/// Says past the test's capture why a test has tested nothing. True, for `return`.
pub fn skip(reason: &str) -> bool {
    assert!(!full(), "FAULTS=full, but {reason}");
    let name = thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(std::io::stderr(), "skipped: {name}: {reason}");
    true
}

/// Dropped, it is killed.
pub struct Stand {
    child: Child,
    pub address: SocketAddr,
    /// Where its orders are, as seen from here.
    pub folder: PathBuf,
    lines: Receiver<String>,
    errors: PathBuf,
    _own: Folder,
}

/// How it ended.
#[derive(Debug)]
pub struct End {
    pub code: Option<i32>,
    pub errors: String,
}

impl Stand {
    /// Opens in `folder`; gives how it ended if it does not open.
    pub fn try_open(wrapper: &[&str], folder: &Path, args: &[&str]) -> Result<Stand, End> {
        let own = Folder::new("stand");
        let errors = own.0.join("errors");
        let program = [wrapper, &[env!("CARGO_BIN_EXE_demo"), "serve", "--port", "0"]].concat();
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).args(["--kitchen-delay-ms", "0"]).args(args);
        command.arg("--data").arg(folder).env("TMPDIR", &own.0).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(fs::File::create(&errors).unwrap());
        let mut child = command.spawn().unwrap();
        let lines = listen(child.stdout.take().unwrap());
        let address = ([127, 0, 0, 1], 0).into();
        let folder = folder.to_owned();
        let mut stand = Stand { child, address, folder, lines, errors, _own: own };
        match stand.lines.recv_timeout(LIMIT) {
            Ok(line) => {
                let url = line.split("http://").nth(1).and_then(|rest| rest.split(' ').next());
                stand.address = url.unwrap().parse().unwrap();
                Ok(stand)
            }
            Err(RecvTimeoutError::Disconnected) => Err(stand.wait()),
            Err(RecvTimeoutError::Timeout) => panic!("it neither opens nor ends"),
        }
    }

    pub fn open(folder: &Path) -> Stand {
        Stand::open_with(&[], folder, &[])
    }

    pub fn open_with(wrapper: &[&str], folder: &Path, args: &[&str]) -> Stand {
        Stand::try_open(wrapper, folder, args).unwrap_or_else(|end| panic!("{end:?}"))
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    pub fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap()
    }

    /// What it says next; None once its output is closed.
    pub fn next_line(&self) -> Option<String> {
        match self.lines.recv_timeout(LIMIT) {
            Err(RecvTimeoutError::Timeout) => panic!("it says nothing"),
            line => line.ok(),
        }
    }

    /// Kills it, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended, by itself.
    pub fn wait(mut self) -> End {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return End { code: status.code(), errors: self.errors() };
            }
            assert!(start.elapsed() < LIMIT, "it does not end; on stderr: {}", self.errors());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Asks it to close, which it does without a complaint.
    pub fn closes(self) {
        self.signal("-TERM");
        let end = self.wait();
        assert_eq!(end.code, Some(0), "{}", end.errors);
        assert!(!end.errors.contains("panicked"), "{}", end.errors);
    }

    /// How much processor time it has used.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        let fields = stat.rsplit(')').next().unwrap().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_millis(10 * ticks) // 100 a second, on every Linux there is
    }

    /// Nobody asks for anything, or what is asked for cannot be done: then it does nothing.
    pub fn does_not_spin(&self, how_long: Duration) {
        let before = self.cpu();
        thread::sleep(how_long);
        let used = self.cpu() - before;
        // Three ticks: what the tracer does to it may be counted as well.
        assert!(used <= Duration::from_millis(30), "it used {used:?} in {how_long:?}");
    }

    /// The names of its threads. A blocking thread is `blocking-3`.
    pub fn threads(&self) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id())).unwrap();
        let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).ok();
        let mut names: Vec<_> = tasks.filter_map(|task| name(task.ok()?)).collect();
        names.sort();
        names
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        // When nobody hears it any more, it may find its pipe broken.
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let _ = lines.into_iter().try_for_each(|line| sender.send(line));
    });
    lines
}

/// The temporary files that are left in its folder.
pub fn temporaries(folder: &Path) -> Vec<String> {
    let names = [folder.to_owned(), folder.join("receipts")]
        .into_iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".tmp")).collect()
}
