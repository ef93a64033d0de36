//! `demo goroutines`: coroutines and channels by the hundred thousand, as in Go.
//!
//! It is the chain that Go's teachers like to show. Each coroutine waits for a number from its
//! right, adds one, and passes it on to its left:
//!
//! ```text
//!   we receive N <- [+1] <- [+1] <- ... <- [+1] <- [+1] <- we send 0
//! ```
//!
//! As long as nothing has been sent, all of them are parked at once.

use std::fs;
use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use executor::channel::{self, Receiver, Sender};
use executor::{spawn, yield_now};

use crate::cli::{Failure, Out};
use crate::{chart, runtime};

/// So many threads are enough to see what one costs.
const THREADS: u32 = 1000;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each coroutine waits at its channel for a number from the right, adds one, and
passes it on to the left. With nothing sent, all of them wait at once; then one
number runs through them all. The same is done with threads, on a smaller
number.

Examples:
  demo goroutines            a hundred thousand
  demo goroutines 1000000    a million")]
pub(crate) struct Args {
    /// How many coroutines
    #[arg(default_value_t = 100_000, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    count: u32,
}

/// What a chain of so many takes, in all.
pub(crate) struct Chain {
    pub(crate) count: u32,
    /// To make them all, until they wait.
    pub(crate) spawned: Duration,
    /// To pass the number through all of them: each is woken once.
    pub(crate) passed: Duration,
    /// What more of the memory is in use while all of them wait; None if the system does not say.
    pub(crate) bytes: Option<u64>,
}

// With coroutines ---------------------------------------------------------------------------------

/// In Go: `func pass(left, right chan int) { left <- 1 + <-right }`
async fn pass(left: Sender<u32>, right: Receiver<u32>) {
    if let Some(number) = right.recv().await {
        let _ = left.send(number + 1).await; // if nobody listens any more, that is fine
    }
}

pub(crate) fn measure_coroutines(count: u32) -> Result<Chain, Failure> {
    runtime::run(async move {
        let before = resident();
        let start = Instant::now();
        let (mut left, end) = channel::bounded(1);
        for _ in 0..count {
            let (next, right) = channel::bounded(1);
            spawn(pass(left, right));
            left = next;
        }
        yield_now().await; // all others run first, as far as they can: to their channels
        let spawned = start.elapsed();
        let bytes = growth(before);

        let start = Instant::now();
        left.send(0).await?;
        let number = end.recv().await;
        let passed = start.elapsed();
        complete(number, Chain { count, spawned, passed, bytes })
    })?
}

// With threads ------------------------------------------------------------------------------------

fn measure_threads(count: u32) -> Result<Chain, Failure> {
    let before = resident();
    let (ready, everybody) = mpsc::channel();
    let start = Instant::now();
    let (mut left, end) = mpsc::sync_channel(1);
    for _ in 0..count {
        let (next, right) = mpsc::sync_channel(1);
        let ready = ready.clone();
        let pass = move || {
            let _ = ready.send(());
            drop(ready);
            if let Ok(number) = right.recv() {
                let _ = left.send(number + 1);
            }
        };
        // If there are no more threads, those that wait end with their channels.
        thread::Builder::new().spawn(pass)?;
        left = next;
    }
    drop(ready);
    everybody.iter().for_each(drop); // until all have said that they are there
    let spawned = start.elapsed();
    let bytes = growth(before);

    let start = Instant::now();
    left.send(0)?;
    let number = end.recv().ok();
    let passed = start.elapsed();
    complete(number, Chain { count, spawned, passed, bytes })
}

fn complete(number: Option<u32>, chain: Chain) -> Result<Chain, Failure> {
    if number == Some(chain.count) {
        return Ok(chain);
    }
    Err(format!(
        "the chain of {} has lost its number: this is a mistake in the program, please tell us",
        chain.count
    )
    .into())
}

// Memory ------------------------------------------------------------------------------------------

/// How many bytes of memory this process has in use, as Linux tells it. The second file has the
/// number in the kernel's own, slightly coarser, account.
fn resident() -> Option<u64> {
    let field = |file, name| {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    let kib = field("/proc/self/smaps_rollup", "Rss:");
    let kib = kib.or_else(|| field("/proc/self/status", "VmRSS:"))?;
    Some(kib * 1024)
}

fn growth(before: Option<u64>) -> Option<u64> {
    Some(resident()?.saturating_sub(before?))
}

// What is printed ---------------------------------------------------------------------------------

pub(crate) fn run(args: &Args, out: Out<'_>) -> Result<(), Failure> {
    let count = chart::count(args.count as usize);
    let title = format!("a chain of {count}: each waits for its right neighbour");
    writeln!(out, "{}", chart::bold(&title))?;
    writeln!(out, "we receive {count} <- [+1] <- [+1] <- ... <- [+1] <- [+1] <- we send 0\n")?;

    let coroutines = measure_coroutines(args.count)?;
    let threads = measure_threads(args.count.min(THREADS));
    table(out, &coroutines, threads.as_ref().ok())?;
    if let Err(error) = &threads {
        let text = format!("No threads to compare with: the system refuses them ({error}).");
        chart::paragraph(out, &text)?;
    }
    if coroutines.bytes.is_none() {
        chart::paragraph(out, "No memory figures: only Linux tells them, in /proc/self.")?;
    }
    writeln!(out)?;
    chart::paragraph(out, WHAT_IS_COUNTED)?;
    writeln!(out)?;
    for text in LIKE_AND_UNLIKE_GO {
        chart::paragraph(out, text)?;
    }
    Ok(())
}

const WHAT_IS_COUNTED: &str = "To wake one, and to let it run until it has woken the next, is one \
                               switch. The memory includes the channels, but not what the system \
                               keeps for a thread out of our sight.";

const LIKE_AND_UNLIKE_GO: [&str; 3] = [
    "As in Go: start as many as you like, let them meet at channels; one that waits costs nothing \
     but its memory, and no thread.",
    "Unlike Go: a goroutine has a stack, of 2 KiB at first, as Go's documentation says. A \
     coroutine has none; it keeps only what it needs after the `.await` where it waits.",
    "Unlike Go: it pauses only at an `.await`, and all of them share one thread. Go uses all \
     cores, and interrupts a goroutine that computes for too long.",
];

fn table(out: Out<'_>, coroutines: &Chain, threads: Option<&Chain>) -> io::Result<()> {
    let chains: Vec<&Chain> = [Some(coroutines), threads].into_iter().flatten().collect();
    let names = ["coroutine", "thread"];
    let heads = chains.iter().zip(names).map(|(chain, name)| {
        let plural = if chain.count == 1 { "" } else { "s" };
        format!("{} {name}{plural}", chart::count(chain.count as usize))
    });
    row(out, &chart::bold, "", heads)?;
    row(out, &plain, "", chains.iter().map(|_| pair("in all", "each")))?;
    let time = |all| move |count| pair(&chart::time(all), &chart::time(all / count));
    let spawned = chains.iter().map(|c| time(chart::nanos(c.spawned))(f64::from(c.count)));
    row(out, &plain, "start, until all wait", spawned)?;
    let passed = chains.iter().map(|c| time(chart::nanos(c.passed))(f64::from(c.count)));
    row(out, &plain, "wake all, one by one", passed)?;
    row(out, &plain, "memory while all wait", chains.iter().map(|chain| memory(chain)))
}

fn row(
    out: Out<'_>,
    style: &dyn Fn(&str) -> String,
    what: &str,
    cells: impl Iterator<Item = String>,
) -> io::Result<()> {
    let cells: String = cells.map(|cell| format!("  {cell:>24}")).collect();
    writeln!(out, "{}", style(&format!("  {what:<22}{cells}")))
}

fn plain(text: &str) -> String {
    text.to_owned()
}

fn pair(all: &str, each: &str) -> String {
    format!("{all:>11} {each:>12}")
}

fn memory(chain: &Chain) -> String {
    match chain.bytes {
        // The system counts in pages, and so few coroutines hardly fill one.
        _ if chain.count < 100 => pair("too few", "to tell"),
        Some(all) => {
            pair(&chart::bytes(all as f64), &chart::bytes(all as f64 / f64::from(chain.count)))
        }
        None => pair("-", "-"),
    }
}
