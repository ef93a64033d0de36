//! `demo tour`: one request, what it waited for, who was polled meanwhile; then many.
//!
//! Everything that is printed was measured in this run.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use reactor::Direction;
use watch::{Event, Lane, Lanes, Wait as Parked, What};

use crate::chart::{self, cut};
use crate::cli::{Failure, Out};
use crate::compare::{Jobs, Ways, cores, measure_computing, measure_waiting};
use crate::goroutines::measure_coroutines;
use crate::http::{Note, Wait};
use crate::loop_page;
use crate::pause::{self, Pause};
use crate::replay;
use crate::serve::Folder;
use crate::visit::Visit;

const WAITS: u32 = 20;
const EACH_WAIT: Duration = Duration::from_millis(50);
const JOBS: u32 = 8;
const CROWD: u32 = 10_000;
/// No line is longer.
const WIDTH: usize = 80;
/// How many columns of time a lane has.
const COLUMNS: u32 = 66;

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Keeps the order and its receipt in this folder [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Tells every event of the request, one line each, instead of the rest of the tour
    #[arg(long)]
    trace: bool,
    /// Keeps in this file all that comes from outside during the request, so that it can be replayed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "trace", "replay"])]
    record: Option<PathBuf>,
    /// Repeats a recorded request exactly: the same polls in the same order, at the same times
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "trace"])]
    replay: Option<PathBuf>,
    /// Waits for a debugger at the first `poll`, `park` or `wake` of the request, or when the
    /// coroutine of this name is polled first (in the request's repetition: the clock stands still)
    #[arg(long, value_name = "WHERE", conflicts_with_all = ["data", "trace", "record"])]
    pause_at: Option<Pause>,
    /// Serves a page of the request afterwards, until Ctrl-C
    #[arg(long)]
    hold: bool,
    /// The same, and opens it in the browser
    #[arg(long)]
    open: bool,
}

pub(crate) fn run(args: &Args, out: Out<'_>) -> Result<(), Failure> {
    match (&args.record, &args.replay, &args.pause_at) {
        (Some(file), ..) => return replay::record(file, out),
        (_, Some(file), pause) => return pause::replay(file, pause.as_ref(), out),
        (_, _, Some(pause)) => return pause::tour(pause, out),
        (None, None, None) => {}
    }
    let start = Instant::now();
    writeln!(out, "one thread, many coroutines{:>53}", "executor + reactor from this workspace")?;
    writeln!(out)?;
    let folder = Folder::open(args.data.as_deref())?;
    let visit = Visit::make(&folder)?;
    tell_request(&visit, out)?;
    out.flush()?;
    if args.trace {
        return Ok(visit.tell_events(out)?);
    }
    tell_compared(out)?;
    out.flush()?;
    tell_crowd(out)?;
    writeln!(
        out,
        "\ndone in {:.1} s; nothing left this machine. Next:",
        start.elapsed().as_secs_f64()
    )?;
    writeln!(out, "  demo serve     demo compare     demo goroutines 1000000     demo --help")?;
    if args.hold || args.open {
        return loop_page::hold(&visit.base, &visit.log, args.open, out);
    }
    Ok(())
}

// 1 and 2: one request ----------------------------------------------------------------------------

pub(crate) fn tell_request(visit: &Visit, out: Out<'_>) -> io::Result<()> {
    visit.tell_waits(out)?;
    visit.tell_lanes(out)?;
    visit.tell_what_is_wrong(out)
}

impl Visit {
    fn tell_waits(&self, out: Out<'_>) -> io::Result<()> {
        let took = self.end.saturating_sub(self.begin);
        heading(out, "1  burgers = get_burgers(2).await", &milliseconds(took))?;
        let answer = String::from_utf8_lossy(&self.answer.body);
        let answer = format!("   GET / -> {}  {}", self.answer.status, answer.trim());
        writeln!(out, "{}", cut(&answer, WIDTH))?;
        writeln!(
            out,
            "   {:<42}{:>8}{:>9}  parked on",
            "what it waited for", "how much", "how long"
        )?;
        for note in &self.notes {
            let (what, took) = (cut(&in_words(note), 40), milliseconds(note.took));
            writeln!(out, "   {what:<40}{:>9}{took:>9}  {}", note.amount, self.parked(note))?;
        }
        writeln!(out)
    }

    /// What the connection was parked on for this wait.
    fn parked(&self, note: &Note) -> String {
        let connection = self.connection().map(|lane| lane.task);
        let over = self.recorder.when(note.at);
        let mut parked = None;
        for Event { at, what } in self.log.iter().filter(|event| event.at < over) {
            match what {
                // Each wait has a time limit as well. That is not what it waits for.
                What::Waiting { on: Parked::Timer { .. }, .. } => {}
                What::Waiting { task, on }
                    if Some(*task) == connection && *at >= over.saturating_sub(note.took) =>
                {
                    parked = Some(on);
                }
                _ => {}
            }
        }
        match parked {
            Some(Parked::Source { source, direction: Direction::Read, .. }) => {
                format!("socket {source} readable")
            }
            Some(Parked::Source { source, .. }) => format!("socket {source} writable"),
            Some(Parked::Job { job, .. }) => format!("blocking job {job}"),
            _ => "nothing, ready".to_owned(),
        }
    }

    /// The coroutine that answered the client.
    fn connection(&self) -> Option<Lane> {
        let lanes = Lanes::of(&self.log).coroutines;
        lanes.into_iter().find(|lane| lane.name == "connection")
    }

    fn tell_lanes(&self, out: Out<'_>) -> io::Result<()> {
        let (begin, end) = (self.begin, self.end);
        let mut lanes = Lanes::of(&self.log);
        let legend = "# polled  = queued  . parked";
        let took = milliseconds(end.saturating_sub(begin));
        heading(out, &format!("2  the same {took}, seen by each coroutine"), legend)?;
        // Who took part, in the order in which they did.
        lanes.coroutines.retain(|lane| self.takes_part(lane));
        lanes.coroutines.sort_by_key(|lane| lane.first_poll(begin));
        for lane in &lanes.coroutines {
            let name = if lane.name == "kitchen" { "remote API" } else { &lane.name };
            lane_line(out, name, &lane.draw(begin, end, COLUMNS))?;
        }
        let lanes = Lanes::of(&self.log);
        lane_line(out, "the thread", &lanes.draw_thread(begin, end, COLUMNS))?;
        let (polls, busy) = lanes.polls(begin, end);
        let (busy, slept) = (milliseconds(busy), milliseconds(lanes.slept(begin, end)));
        writeln!(out, "{:14}{polls} polls took {busy}; the thread slept (z) for {slept}\n", "")
    }

    /// The event log of the request, one line each.
    fn tell_events(&self, out: Out<'_>) -> io::Result<()> {
        heading(out, "3  the same, event by event", "")?;
        let (earlier, log) = self.log.split_at(self.log.partition_point(|it| it.at < self.begin));
        let mut before = self.base.clone();
        earlier.iter().for_each(|event| before.apply(event));
        for line in watch::log_legend().into_iter().chain(watch::log_lines(
            &before,
            log,
            chart::log_width(),
        )) {
            writeln!(out, "{line}")?;
        }
        let opened = before.events;
        writeln!(out, "\n{}", watch::log_footer(&self.base, log))?;
        writeln!(
            out,
            "(Events 1 to {opened} opened the stand. `demo step` goes through all of it.)"
        )
    }

    /// Usually nothing.
    fn tell_what_is_wrong(&self, out: Out<'_>) -> io::Result<()> {
        for event in &self.log {
            if let What::Diagnosis { text, .. } = &event.what {
                chart::paragraph(out, &format!("something was wrong: {text}"))?;
                writeln!(out)?;
            }
        }
        Ok(())
    }

    fn takes_part(&self, lane: &Lane) -> bool {
        let known = ["connection", "kitchen"].contains(&lane.name.as_str());
        (lane.task == self.client || known) && lane.first_poll(self.begin).is_some()
    }
}

/// The wait in the words of the page, and what it was exactly.
fn in_words(note: &Note) -> String {
    match note.wait {
        Wait::FromClient | Wait::ToClient => note.wait.to_string(),
        _ => {
            let detail =
                note.detail.rsplit_once("receipts/").map_or(&*note.detail, |(_, name)| name);
            format!("{}: {detail}", note.wait)
        }
    }
}

fn lane_line(out: Out<'_>, name: &str, lane: &str) -> io::Result<()> {
    writeln!(out, "   {:<11}{}", cut(name, 10), lane.trim_end())
}

// 3: waiting and computing ------------------------------------------------------------------------

fn tell_compared(out: Out<'_>) -> Result<(), Failure> {
    let waiting = measure_waiting(WAITS, EACH_WAIT)?;
    let computing = measure_computing(Jobs::calibrated(JOBS))?;
    let cores = cores();
    let left = format!("3  waiting: {WAITS} waits of {} ms", EACH_WAIT.as_millis());
    let cores = if cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") };
    writeln!(out, "{}", chart::bold(&format!("{left:<40}computing: {JOBS} jobs, {cores}")))?;
    let row = |left: &str, a: Duration, right: &str, b: Duration| {
        format!("   {left:<24}{:>8}     {right:<23}{:>8}", milliseconds(a), milliseconds(b))
    };
    let (a, b): (Ways, Ways) = (waiting, computing);
    let each = "one after another";
    writeln!(out, "{}", row(each, a.one_after_another, each, b.one_after_another))?;
    let (l, r) = (format!("{WAITS} coroutines, 1 thread"), format!("{JOBS} coroutines, 1 thread"));
    writeln!(out, "{}", row(&l, a.coroutines, &r, b.coroutines))?;
    let (l, r) = (format!("{WAITS} threads"), format!("{JOBS} threads"));
    writeln!(out, "{}", row(&l, a.threads, &r, b.threads))?;
    writeln!(
        out,
        "   concurrency helps where there is waiting; only parallelism helps computing\n"
    )?;
    Ok(())
}

// 4: many -----------------------------------------------------------------------------------------

fn tell_crowd(out: Out<'_>) -> Result<(), Failure> {
    let crowd = measure_coroutines(CROWD)?;
    let count = chart::count(crowd.count as usize);
    heading(out, &format!("4  {count} coroutines waiting at once, on one thread"), "")?;
    let memory = crowd.bytes.map(|bytes| format!("{} in all; ", chart::bytes(bytes as f64)));
    let (spawned, passed) = (milliseconds(crowd.spawned), milliseconds(crowd.passed));
    let memory = memory.unwrap_or_default();
    writeln!(out, "   started in {spawned}; {memory}woken, one after the other, in {passed}")?;
    Ok(())
}

// Helpers -----------------------------------------------------------------------------------------

fn heading(out: Out<'_>, left: &str, right: &str) -> io::Result<()> {
    let gap = WIDTH.saturating_sub(left.chars().count() + right.chars().count());
    let gap = if right.is_empty() { 0 } else { gap };
    writeln!(out, "{}{:gap$}{right}", chart::bold(left), "")
}

/// `63 ms`, `1.9 ms`, `0.04 ms`: one unit, so that lines compare at a glance.
fn milliseconds(time: Duration) -> String {
    match time.as_secs_f64() * 1e3 {
        ms if ms >= 99.95 => format!("{ms:.0} ms"),
        ms if ms >= 0.995 => format!("{ms:.1} ms"),
        ms => format!("{ms:.2} ms"),
    }
}
