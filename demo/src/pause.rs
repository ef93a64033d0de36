//! `demo tour --pause-at WHERE`: waits for a debugger in the middle of the request.
//!
//! ```text
//!   executor: "#5 is polled" -> recorder -> hear -> is it this one? -> wait, until somebody traces us
//!                                                                         |
//!                                              here(), a landmark  <------+
//! ```
//!
//! The thread waits inside its observer, so it stands exactly where the event happens: in front of
//! the poll, in front of the park, in the middle of the wake. The clock would not wait with it, and
//! the client would give up. So the request is made once and recorded, and it is the repetition
//! that is paused: on tape the clock stands still (see `replay.rs`).
//!
//! How to stop there, without `unsafe`? Who attaches with the line that we print has a breakpoint
//! on [`here`]. If a debugger has started us, it knows nothing of that: then we let `kill` send us
//! a SIGTRAP, at which every debugger stops.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anstream::println;
use watch::{By, What};

use crate::cli::{Failure, Out};
use crate::replay;
use crate::serve::Folder;

/// How often we look whether a debugger is there.
const LOOK: Duration = Duration::from_millis(50);

/// Starts a debugger with our commands in it, in the source tree that this program was built from.
const START: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../executor/debugger/start");

/// Where to wait, and what has been heard until now.
#[derive(Clone, Debug)]
pub(crate) struct Pause {
    at: At,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Clone, Debug)]
enum At {
    Poll,
    Park,
    Wake,
    Coroutine(String),
}

#[derive(Debug, Default)]
struct Heard {
    names: HashMap<u64, String>,
    /// The client has been polled.
    in_request: bool,
    has_paused: bool,
}

impl FromStr for Pause {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Pause, Infallible> {
        let at = match text {
            "poll" => At::Poll,
            "park" => At::Park,
            "wake" => At::Wake,
            name => At::Coroutine(name.to_owned()),
        };
        Ok(Pause { at, heard: Arc::default() })
    }
}

/// Makes the request, and then once more, up to the pause.
pub(crate) fn tour(pause: &Pause, out: Out<'_>) -> Result<(), Failure> {
    let folder = Folder::open(None)?;
    let file = folder.path.join("tour.run");
    replay::record(&file, &mut io::sink())?;
    replay(&file, Some(pause), out)
}

/// A replay, with a pause if one is wanted.
pub(crate) fn replay(file: &Path, pause: Option<&Pause>, out: Out<'_>) -> Result<(), Failure> {
    replay::replay(file, pause.cloned(), out)?;
    pause.map_or(Ok(()), Pause::check)
}

impl Pause {
    /// Called with each event, on the thread to which it happens.
    pub(crate) fn hear(&self, what: &What) {
        let Some((place, task)) = self.heard().place(&self.at, what) else { return };
        if matches!(tracer(), None | Some(0)) {
            tell_how_to_attach(&place);
            wait();
            here(task);
        } else {
            println!("paused {place}: SIGTRAP, for the debugger that is here already");
            raise(task);
        }
    }

    /// A name may be wrong.
    fn check(&self) -> Result<(), Failure> {
        let heard = self.heard();
        if heard.has_paused {
            return Ok(());
        }
        let mut names: Vec<_> = heard.names.values().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let names = names.join(", ");
        let wanted = match &self.at {
            At::Poll => "poll",
            At::Park => "park",
            At::Wake => "wake",
            At::Coroutine(name) => name,
        };
        let there = format!("there are poll, park, wake, {names}");
        Err(format!("--pause-at {wanted}: it never came to that; {there}").into())
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    /// Whether this is it: in words, and which task it is about.
    fn place(&mut self, at: &At, what: &What) -> Option<(String, u64)> {
        if let What::Spawned { task, name, .. } | What::Named { task, name } = what {
            self.names.insert(*task, name.clone());
        }
        // The request begins with the first poll of the client.
        if let What::PollStarted { task } = what {
            self.in_request |= self.names.get(task).is_some_and(|name| name == "client");
        }
        let name = |task: &u64| self.names.get(task).map_or("?", String::as_str);
        let found = match (at, what) {
            _ if self.has_paused => None,
            (At::Coroutine(wanted), What::PollStarted { task }) if wanted == name(task) => {
                Some((format!("before the first poll of task {task} «{wanted}»"), *task))
            }
            _ if !self.in_request => None,
            (At::Poll, What::PollStarted { task }) => {
                Some((format!("before a poll of task {task} «{}»", name(task)), *task))
            }
            (At::Wake, What::Woken { task, by }) if *by != By::Spawn => {
                Some((format!("in the wake of task {task} «{}»", name(task)), *task))
            }
            (At::Park, What::Parking { sleeps: true }) => {
                Some(("before the thread parks".to_owned(), 0))
            }
            _ => None,
        };
        self.has_paused |= found.is_some();
        found
    }
}

/// A landmark: the printed line sets a breakpoint here. `task` is 0 if it is about the thread.
#[inline(never)]
fn here(task: u64) {
    std::hint::black_box(task);
}

/// Stops a debugger that knows nothing of `here`. The system gives the signal to the main thread,
/// which is this one, unless the debugger has just stopped it for a moment, as it does when there is
/// a new process or thread. So it comes a little later, while we wait for whoever sends it.
fn raise(task: u64) {
    let id = std::process::id().to_string();
    let sent = Command::new("sh").args(["-c", "sleep 0.2; kill -TRAP $1", "sh", &id]).status();
    if !sent.is_ok_and(|status| status.success()) {
        println!("no signal could be sent; set a breakpoint instead: `break demo::pause::here`");
    }
    here(task);
}

fn tell_how_to_attach(place: &str) {
    let id = std::process::id();
    let ours = Path::new(START).canonicalize().map(|path| format!("{} ", path.display()));
    let start = ours.unwrap_or_default(); // else without our commands
    println!("paused {place}, in process {id}; attach with one of these:");
    println!("  {start}gdb -p {id} -ex 'break demo::pause::here' -ex continue");
    println!("  {start}lldb -p {id} -o 'breakpoint set -n demo::pause::here' -o continue");
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    if !matches!(scope.trim(), "" | "0") {
        println!("This system lets nobody attach but root: put sudo in front, or allow it with");
        println!("  echo 0 | sudo tee /proc/sys/kernel/yama/ptrace_scope");
    }
}

/// Until a debugger is there. Where the system does not tell, until Enter.
fn wait() {
    match tracer() {
        Some(_) => println!("waiting for it; Ctrl-C ends"),
        None => println!("then press Enter, which goes on; Ctrl-C ends"),
    }
    loop {
        match tracer() {
            Some(0) => thread::sleep(LOOK),
            Some(_) => return,
            None => {
                let _ = io::stdin().read_line(&mut String::new());
                return;
            }
        }
    }
}

/// The process that traces us, or 0. Only Linux tells.
fn tracer() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?.trim().parse().ok()
}
