//! A recording as a trace for <https://ui.perfetto.dev>, in Chrome's trace event format.
//!
//! ```text
//!   one thread: TITLE
//!     the thread      |poll #4|     asleep     |poll #5|        X  a slice: ts, dur
//!     reactor                            |socket 4|
//!     blocking pool        |  job 8   |       s                 s  a flow begins in this slice
//!     #4 client       |poll| parked: socket 2 readable ...          (the waker's)
//!     #5 connection   ... parked: job 8 |  f |poll|             f  and ends at that one: the poll
//!                                                                   that the wake led to
//! ```
//!
//! A flow begins within a slice of its track, so each waker has one: the poll in which a coroutine
//! wakes, the job whose end wakes, and for the reactor a short one, made for this.

mod flows;

use std::collections::HashMap;
use std::time::Duration;

use executor::observe::Outcome;
use serde_json::{Value, json};

use crate::event::{By, What};
use crate::parked::{in_words, parked_on};
use crate::recording::Recording;
use crate::track::{Span, Track};
use crate::tracks::Tracks;
use crate::wait::Wait;
use crate::words::{adjective, line};

/// There is one process.
const PROCESS: u64 = 1;
/// The tracks that are no coroutines.
const THREAD: u64 = 1;
const REACTOR: u64 = 2;
const OTHERS: u64 = 3;
/// Tracks for jobs that run at the same time.
const POOL: u64 = 10;
/// A coroutine's track is its id and this.
const COROUTINES: u64 = 1000;

/// The trace, as JSON.
#[must_use]
pub fn perfetto(recording: &Recording) -> String {
    let mut trace = Trace { tracks: Tracks::of(recording), events: Vec::new(), flows: 0 };
    trace.names(recording);
    trace.thread();
    trace.coroutines();
    let jobs = trace.pool();
    trace.instants(recording);
    trace.flows(recording, &jobs);
    // A slice comes before what is bound to it: the order of what happens at the same time is kept.
    trace.events.sort_by_key(|event| event.0);
    let events: Vec<Value> = trace.events.into_iter().map(|event| event.1).collect();
    let older = recording.base.events;
    let what = json!({ "title": recording.title, "older events that are not kept": older });
    json!({ "displayTimeUnit": "ns", "otherData": what, "traceEvents": events }).to_string()
}

/// A job's track, and when it ran.
type Ran = (u64, Span);
/// By number.
type Jobs = HashMap<u64, Ran>;

struct Trace {
    tracks: Tracks,
    /// With their times.
    events: Vec<(Duration, Value)>,
    flows: u64,
}

impl Trace {
    // Names ---------------------------------------------------------------------------------------

    fn names(&mut self, recording: &Recording) {
        let title = match recording.title.as_str() {
            "" => "one thread".to_owned(),
            title => format!("one thread: {title}"),
        };
        self.metadata(THREAD, "process_name", &json!({ "name": title }));
        self.track(THREAD, "the thread", 1);
        self.track(REACTOR, "reactor", 2);
        let names: Vec<_> =
            self.tracks.coroutines.iter().map(|track| (track.task, track.to_string())).collect();
        for (task, name) in names {
            self.track(COROUTINES + task, &name, COROUTINES + task);
        }
    }

    fn track(&mut self, tid: u64, name: &str, place: u64) {
        self.metadata(tid, "thread_name", &json!({ "name": name }));
        self.metadata(tid, "thread_sort_index", &json!({ "sort_index": place }));
    }

    fn metadata(&mut self, tid: u64, name: &str, args: &Value) {
        let it = json!({ "ph": "M", "pid": PROCESS, "tid": tid, "name": name, "args": args });
        self.events.push((Duration::ZERO, it));
    }

    // Slices --------------------------------------------------------------------------------------

    fn slice(&mut self, tid: u64, name: &str, (from, to): Span, args: &Value) {
        let (ts, dur) = (micros(from), micros(to - from));
        let it = json!({
            "ph": "X", "pid": PROCESS, "tid": tid, "cat": "slice", "name": name, "ts": ts,
            "dur": dur, "args": args,
        });
        self.events.push((from, it));
    }

    fn thread(&mut self) {
        for sleep in self.tracks.sleeps.clone() {
            self.slice(THREAD, "asleep", sleep, &json!({ "why": "nobody is ready" }));
        }
        for poll in 0..self.tracks.polls.len() {
            let (task, span) = (self.tracks.polls[poll].task, self.tracks.polls[poll].span);
            let name = format!("polls {}", self.tracks.name(task));
            self.slice(THREAD, &name, span, &json!({ "poll": poll + 1 }));
        }
    }

    fn coroutines(&mut self) {
        for place in 0..self.tracks.polls.len() {
            let poll = &self.tracks.polls[place];
            let (tid, span) = (COROUTINES + poll.task, poll.span);
            let outcome = match poll.outcome {
                Some(Outcome::Pending) => "Pending",
                Some(Outcome::Ready) => "Ready",
                Some(Outcome::Panicked) => "a panic",
                None => "not over",
            };
            let waits: Vec<String> = poll.waits.iter().map(|wait| told(wait, span.1)).collect();
            let by = self.in_words(&poll.woken_by);
            let born = self.tracks.get(poll.task).map(|track| line(track.spawned_at));
            let args = json!({
                "poll": place + 1, "outcome": outcome, "woken by": by, "waits for": waits,
                "spawned at": born,
            });
            self.slice(tid, "poll", span, &args);
        }
        for (tid, span, waits) in self.parked() {
            let name = format!("parked: {}", parked_on(&waits, span.0)[0]);
            let waits: Vec<String> = waits.iter().map(|wait| told(wait, span.0)).collect();
            self.slice(tid, &name, span, &json!({ "waits for": waits }));
        }
    }

    /// The tracks and times of those that are parked, and what they wait for.
    fn parked(&self) -> Vec<(u64, Span, Vec<Wait>)> {
        let of = |track: &Track| {
            let tid = COROUTINES + track.task;
            let parked = track.parked.iter().filter(|(span, _)| span.0 < span.1);
            parked.map(move |(span, waits)| (tid, *span, waits.clone())).collect::<Vec<_>>()
        };
        self.tracks.coroutines.iter().flat_map(of).collect()
    }

    fn in_words(&self, by: &By) -> String {
        match by {
            By::Spawn => "its spawn".to_owned(),
            By::Task(task) => self.tracks.name(*task),
            By::Source(source, direction) => {
                format!("the reactor: socket {source} {}", adjective(*direction))
            }
            By::Timer => "the reactor: a timer".to_owned(),
            By::Thread(name) => {
                format!("the thread {}", name.as_deref().unwrap_or("without a name"))
            }
            By::Outside => "unknown".to_owned(),
        }
    }

    /// The jobs, each on a track that was free.
    fn pool(&mut self) -> Jobs {
        let rows = self.tracks.rows_of_jobs();
        for row in 0..rows.iter().max().map_or(0, |row| row + 1) {
            let number = row + 1;
            let name = format!("blocking pool, {number}");
            self.track(POOL + row as u64, &name, POOL + row as u64);
        }
        let mut jobs = Jobs::new();
        for (place, row) in rows.into_iter().enumerate() {
            let (job, tid) = (&self.tracks.jobs[place], POOL + row as u64);
            jobs.insert(job.job, (tid, job.span));
            let args = json!({
                "for": job.task.map(|task| self.tracks.name(task)), "at": job.at.map(line),
                "done": job.done,
            });
            self.slice(tid, &format!("job {}", job.job), job.span, &args);
        }
        jobs
    }

    // Instants ------------------------------------------------------------------------------------

    fn instants(&mut self, recording: &Recording) {
        for event in &recording.events {
            let (tid, name) = match &event.what {
                What::Registered { source, kind, .. } => {
                    (REACTOR, format!("socket {source} opened: {kind}"))
                }
                What::Deregistered { source } => (REACTOR, format!("socket {source} closed")),
                What::Ended { task, how } => (COROUTINES + task, format!("ended: {how:?}")),
                What::Diagnosis { task, text, .. } => {
                    (task.map_or(THREAD, |task| COROUTINES + task), format!("warning: {text}"))
                }
                _ => continue,
            };
            let it = json!({
                "ph": "i", "s": "t", "pid": PROCESS, "tid": tid, "cat": "instant", "name": name,
                "ts": micros(event.at),
            });
            self.events.push((event.at, it));
        }
    }
}

/// What it waits for, and the line that does.
fn told(wait: &Wait, now: Duration) -> String {
    let at = wait.line().map_or(String::new(), |at| format!(" (at {})", line(at)));
    format!("{}{at}", in_words(wait, now))
}

/// Microseconds, to the nanosecond.
fn micros(time: Duration) -> Value {
    json!(time.as_nanos() as f64 / 1e3)
}
