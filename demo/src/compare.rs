//! `demo compare`: concurrency against parallelism.
//!
//! The same work three ways: one after another, as coroutines that take turns on one thread, and
//! on threads of their own. Once the work is waiting, once it is computing.

use std::future::Future;
use std::hint::black_box;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use executor::{spawn, yield_now};
use reactor::time::sleep;

use crate::cli::{Failure, Out};
use crate::{chart, runtime};

/// How long the computing takes, one job after another, by calibration.
const COMPUTING: Duration = Duration::from_millis(400);
const CALIBRATION: Duration = Duration::from_millis(40);
/// A slice of a job counts the primes below this number: some tens of microseconds.
const PRIMES_BELOW: u32 = 2_000;
/// Less than this much faster is noise.
const CLEARLY: f64 = 1.2;
const BAR: f64 = 20.0;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  demo compare
  demo compare --waits 100 --wait-ms 20   more coroutines, shorter waits
  demo compare --jobs 2                   fewer jobs, each of them larger")]
pub(crate) struct Args {
    /// How many waits there are
    #[arg(long, default_value_t = 20, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1000))]
    waits: u32,

    /// How long each wait is, in milliseconds
    #[arg(long, default_value_t = 50, value_name = "MS",
        value_parser = clap::value_parser!(u32).range(1..=1000))]
    wait_ms: u32,

    /// How many jobs compute; all of them together take about 0.4 seconds
    #[arg(long, default_value_t = 8, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: u32,
}

/// How long the same work takes, three ways.
pub(crate) struct Ways {
    /// Nobody starts before the one before is done.
    pub(crate) one_after_another: Duration,
    /// A coroutine each, all of them on one thread.
    pub(crate) coroutines: Duration,
    /// A thread each.
    pub(crate) threads: Duration,
}

/// Work for the processor: so many jobs of so many slices.
#[derive(Clone, Copy)]
pub(crate) struct Jobs {
    pub(crate) count: u32,
    slices: u32,
}

/// How many things this machine does truly at the same time for this program.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

// Waiting -----------------------------------------------------------------------------------------

pub(crate) fn measure_waiting(waits: u32, wait: Duration) -> Result<Ways, Failure> {
    let start = Instant::now();
    runtime::run(async {
        for _ in 0..waits {
            sleep(wait).await;
        }
    })?;
    Ok(Ways {
        one_after_another: start.elapsed(),
        coroutines: on_coroutines(waits, || sleep(wait))?,
        threads: on_threads(waits, || thread::sleep(wait))?,
    })
}

// Computing ---------------------------------------------------------------------------------------

pub(crate) fn measure_computing(jobs: Jobs) -> Result<Ways, Failure> {
    let start = Instant::now();
    (0..jobs.count).for_each(|_| jobs.compute());
    Ok(Ways {
        one_after_another: start.elapsed(),
        coroutines: on_coroutines(jobs.count, || jobs.compute_politely())?,
        threads: on_threads(jobs.count, || jobs.compute())?,
    })
}

impl Jobs {
    /// Jobs that take [`COMPUTING`] together, however fast the machine and the build are. The
    /// fastest slice counts: the others were disturbed by other programs.
    pub(crate) fn calibrated(count: u32) -> Jobs {
        let start = Instant::now();
        let mut slice = CALIBRATION;
        while start.elapsed() < CALIBRATION {
            let before = Instant::now();
            count_primes();
            slice = slice.min(before.elapsed());
        }
        let all = COMPUTING.div_duration_f64(slice);
        Jobs { count, slices: (all / f64::from(count)).ceil() as u32 }
    }

    fn compute(self) {
        (0..self.slices).for_each(|_| count_primes());
    }

    /// The same, but after each slice the other coroutines have a turn.
    async fn compute_politely(self) {
        for _ in 0..self.slices {
            count_primes();
            yield_now().await;
        }
    }
}

fn count_primes() {
    let is_prime = |n: &u32| (2..).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    black_box((2..black_box(PRIMES_BELOW)).filter(is_prime).count());
}

// Two ways to do it all at once -------------------------------------------------------------------

fn on_coroutines<F>(count: u32, coroutine: impl Fn() -> F) -> Result<Duration, Failure>
where
    F: Future<Output = ()> + 'static,
{
    let start = Instant::now();
    runtime::run(async {
        let handles: Vec<_> = (0..count).map(|_| spawn(coroutine())).collect();
        for handle in handles {
            handle.await?;
        }
        Ok(start.elapsed())
    })?
}

fn on_threads(count: u32, work: impl Fn() + Sync) -> Result<Duration, Failure> {
    let start = Instant::now();
    let started = thread::scope(|scope| -> io::Result<()> {
        for _ in 0..count {
            thread::Builder::new().spawn_scoped(scope, &work)?;
        }
        Ok(())
    });
    started
        .map_err(|error| format!("the system refuses {count} threads ({error}): ask for fewer"))?;
    Ok(start.elapsed())
}

// What is printed ---------------------------------------------------------------------------------

pub(crate) fn run(args: &Args, out: Out<'_>) -> Result<(), Failure> {
    let (waits, wait) = (args.waits, Duration::from_millis(args.wait_ms.into()));
    let title = format!("waiting: {} of {} ms each", plural(waits, "wait"), args.wait_ms);
    writeln!(out, "{}", chart::bold(&title))?;
    writeln!(out, "like customers who wait for their burgers\n")?;
    let waiting = measure_waiting(waits, wait)?;
    table(out, waits, &waiting)?;

    let jobs = Jobs::calibrated(args.jobs);
    let title = format!("computing: {}, {}", plural(jobs.count, "job"), cores_here());
    writeln!(out, "\n{}", chart::bold(&title))?;
    let (slices, below) = (chart::count(jobs.slices as usize), chart::count(PRIMES_BELOW as usize));
    writeln!(out, "like rooms to clean; a job counts the primes below {below}, {slices} times\n")?;
    let computing = measure_computing(jobs)?;
    table(out, jobs.count, &computing)?;

    writeln!(out)?;
    chart::paragraph(out, &waiting_verdict(waits, &waiting))?;
    writeln!(out)?;
    chart::paragraph(out, &computing_verdict(jobs.count, &computing))?;
    Ok(())
}

fn table(out: Out<'_>, count: u32, ways: &Ways) -> io::Result<()> {
    let coroutines = plural(count, "coroutine");
    let rows = [
        ("one after another", "1 thread".to_owned(), ways.one_after_another),
        ("concurrently", format!("{coroutines}, 1 thread"), ways.coroutines),
        ("in parallel", plural(count, "thread"), ways.threads),
    ];
    let longest = rows.iter().map(|row| row.2).max().unwrap_or_default();
    for (how, who, time) in rows {
        let bar = chart::bar(BAR * time.div_duration_f64(longest));
        let millis = time.as_secs_f64() * 1e3;
        writeln!(out, "  {how:<17}  {who:<25}  {millis:>7.0} ms  {bar}")?;
    }
    Ok(())
}

fn waiting_verdict(waits: u32, ways: &Ways) -> String {
    let times = ways.one_after_another.div_duration_f64(ways.coroutines);
    if waits == 1 {
        return "Waiting: a single wait takes its time in any way; try more --waits.".to_owned();
    }
    if times < CLEARLY {
        return "Waiting: nobody won in this run; the waits are too short, or this machine is too \
                busy with other programs. Try a longer --wait-ms."
            .to_owned();
    }
    let threads = match ways.coroutines.div_duration_f64(ways.threads) {
        gain if gain > CLEARLY => "Threads were even faster, but it took",
        gain if gain * CLEARLY < 1.0 => "Threads help less, and it took",
        _ => "Threads do it as well, but it took",
    };
    format!(
        "Waiting: concurrency wins, {times:.1} times as fast on the same one thread, because \
         while one coroutine waits the next one can start. {threads} {waits} of them."
    )
}

fn computing_verdict(jobs: u32, ways: &Ways) -> String {
    // The first two do the same work on the same one thread; if one was slower, it was disturbed.
    let on_one_thread = ways.one_after_another.min(ways.coroutines);
    let times = on_one_thread.div_duration_f64(ways.threads);
    if times >= CLEARLY {
        return format!(
            "Computing: only parallelism wins, {times:.1} times as fast with {}, because work \
             for the processor needs more processors; taking turns on one thread saves nothing.",
            cores_here()
        );
    }
    let why = match (jobs, cores()) {
        (1, _) => "a single job keeps a single core busy; try more --jobs".to_owned(),
        (_, 1) => "this program has one core, so that threads, too, only take turns".to_owned(),
        _ => format!("there are {}, but other programs, it seems, keep them busy", cores_here()),
    };
    format!("Computing: nobody wins here: {why}.")
}

fn cores_here() -> String {
    plural(cores() as u32, "core")
}

fn plural(count: u32, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
