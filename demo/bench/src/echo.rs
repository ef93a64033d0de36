//! A TCP echo server under load from another process: requests per second, the server's processor
//! time per request, and its system calls per request.
//!
//! ```text
//!   bench echo ---- starts ---> bench serve RUNTIME CONNECTIONS     one thread, the one measured
//!              \--- starts ---> bench load ADDRESS CONNECTIONS REQUESTS        one thread of mio
//! ```
//!
//! Each connection sends 64 bytes, waits until they have come back, and sends the next 64. The
//! server's processor time is taken by the server itself (`getrusage`), from the moment when all
//! connections are open to the moment when all are closed. It is steadier than requests per second,
//! which has the load generator and the machine's other work in it.
//!
//! System calls are counted by `strace`, in two runs of which one has twice as many requests:
//! start-up cancels out. For them the load generator pauses before each request, so that the
//! server is back asleep however slow strace makes it: then the count is the same every time.

mod bare;
mod load;

use std::env;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

pub use load::load;

use crate::runtime::{Bare, Monoio, Ours, Runtime, Smol, Sockets, Tokio};
use crate::wall::median;

/// The length of a request and of its answer.
pub const MESSAGE: usize = 64;

/// The server's buffers have room to spare, as those of real servers have: a read that does not
/// fill its buffer shows that nothing more is there.
const BUFFER: usize = 1024;

type Server = fn(usize);

/// Who takes part.
pub static SERVERS: &[(&str, Server)] = &[
    (Bare::NAME, bare::serve),
    (Ours::NAME, serve::<Ours>),
    (Monoio::NAME, serve::<Monoio>),
    (Tokio::NAME, serve::<Tokio>),
    (Smol::NAME, serve::<Smol>),
];

/// The server of this name.
#[must_use]
pub fn server(runtime: &str) -> Option<Server> {
    SERVERS.iter().find(|(name, _)| *name == runtime).map(|(_, server)| *server)
}

/// Serves so many connections to their end. Says on stdout where it listens, that all connections
/// are there, and how many nanoseconds of processor time they took.
fn serve<R: Sockets>(connections: usize) {
    R::block_on_io(async move {
        let (listener, address) = R::bind().await;
        println!("{address}");
        let mut tasks = Vec::with_capacity(connections);
        for _ in 0..connections {
            let stream = R::accept(&listener).await;
            tasks.push(R::spawn(R::echo::<BUFFER>(stream)));
        }
        let start = processor_time();
        println!("ready");
        for task in tasks {
            task.await;
        }
        println!("{}", (processor_time() - start).as_nanos());
    });
}

/// The processor time of this process so far, in user and in system mode.
fn processor_time() -> Duration {
    // SAFETY: `rusage` is plain numbers, for which zero is good, and `getrusage` fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// What one run, or the median of many, has shown.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Requests per second.
    pub rate: f64,
    /// The server's processor time per request, in microseconds.
    pub processor: f64,
}

/// Rounds in which all runtimes take turns; the medians, in the order of [`SERVERS`].
#[must_use]
pub fn measure(connections: usize) -> Vec<(&'static str, Figures)> {
    const ROUNDS: usize = 9;
    let requests = if connections == 1 { 20_000 } else { 60_000 };
    let mut samples = vec![Vec::with_capacity(ROUNDS); SERVERS.len()];
    for round in 0..ROUNDS {
        for place in 0..SERVERS.len() {
            // Somebody else begins each time.
            let who = (place + round) % SERVERS.len();
            samples[who].push(run(
                &mut this_program(),
                SERVERS[who].0,
                connections,
                requests,
                Duration::ZERO,
            ));
        }
    }
    let medians = samples.into_iter().map(|samples| Figures {
        rate: median(samples.iter().map(|figures| figures.rate).collect()),
        processor: median(samples.iter().map(|figures| figures.processor).collect()),
    });
    SERVERS.iter().map(|(name, _)| *name).zip(medians).collect()
}

/// System calls of the server per request, on one connection.
///
/// # Panics
/// If strace is not there, or may not trace.
#[must_use]
pub fn system_calls(runtime: &str) -> f64 {
    const REQUESTS: usize = 1_000;
    const PAUSE: Duration = Duration::from_millis(2);
    let count = |requests| {
        let report = env::temp_dir().join(format!("bench-strace-{}", std::process::id()));
        let mut strace = Command::new("strace");
        strace.args(["-c", "-f", "-o"]).arg(&report);
        strace.arg(env::current_exe().expect("a path to this program"));
        run(&mut strace, runtime, 1, requests, PAUSE);
        let text = std::fs::read_to_string(&report).expect("strace has written its report");
        let _ = std::fs::remove_file(report);
        let total = text.lines().find(|line| line.ends_with(" total")).expect("strace adds up");
        // "100.00    0.056     4    12345    67 total": the calls are the fourth.
        let calls = total.split_whitespace().nth(3).and_then(|calls| calls.parse::<f64>().ok());
        calls.expect("a number of calls")
    };
    (count(2 * REQUESTS) - count(REQUESTS)) / REQUESTS as f64
}

/// One server, one load generator, so many requests.
fn run(
    program: &mut Command,
    runtime: &str,
    connections: usize,
    requests: usize,
    pause: Duration,
) -> Figures {
    let (mut server, mut says) = start(program.args(["serve", runtime, &connections.to_string()]));
    let address = next(&mut says);
    let (mut load, mut load_says) = start(this_program().args([
        "load",
        &address,
        &connections.to_string(),
        &requests.to_string(),
        &pause.as_micros().to_string(),
    ]));
    assert_eq!(next(&mut says), "ready");
    load.stdin.take().expect("piped").write_all(b"go\n").expect("it waits for this");
    let elapsed: f64 = next(&mut load_says).parse().expect("nanoseconds");
    let processor: f64 = next(&mut says).parse().expect("nanoseconds");
    assert!(load.wait().expect("it ends").success());
    assert!(server.wait().expect("it ends").success());
    let requests = requests as f64;
    Figures { rate: requests / (elapsed / 1e9), processor: processor / 1e3 / requests }
}

fn this_program() -> Command {
    Command::new(env::current_exe().expect("a path to this program"))
}

fn start(command: &mut Command) -> (Child, Lines<BufReader<ChildStdout>>) {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it can be started");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    (child, lines)
}

fn next(says: &mut Lines<BufReader<ChildStdout>>) -> String {
    says.next().expect("it says one more thing").expect("text")
}
