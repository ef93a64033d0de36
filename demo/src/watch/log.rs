//! A recording as lines of text: one event, one line.
//!
//! ```text
//!     n        ms  who              what
//!   141    10.412  #7 connection    poll
//!   142    10.420  #7 connection    waits for  socket 5 readable  demo/src/http/client.rs:63
//!   143    10.431  #7 connection    pending    after 0.017 ms, parked
//!   144    10.433  the thread       parks      nobody is ready
//! ```

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use executor::observe::{End, Outcome};

use crate::coroutine::State;
use crate::event::{By, Event, What};
use crate::wait::Wait;
use crate::words::{adjective, line, ms};
use crate::world::{Phase, World};

/// No line is longer, unless a name or a path is.
pub const LOG_WIDTH: usize = 100;
/// Where the column `what` begins, and where its details do.
const WHAT: usize = 34;
const DETAILS: usize = WHAT + 11;
/// Lines of source code stand below each other, behind details of up to this width.
const LINES: usize = 22;

/// What the columns and words of [`log_lines`] mean.
#[must_use]
pub fn log_legend() -> Vec<String> {
    let words = [
        ("spawned", "a coroutine is born and enters the ready queue"),
        ("poll", "the executor lets it run; it runs until it returns pending or ready"),
        ("waits for", "it cannot go on: its waker is with somebody; the line that waits"),
        ("pending", "its poll is over: it is parked until somebody wakes it"),
        ("ready", "its poll is over: it has returned its result"),
        ("woken", "somebody called its waker: it enters the ready queue"),
        ("parks", "nobody is ready, so the thread sleeps; `looks` does not sleep"),
    ];
    let mut lines: Vec<String> =
        words.iter().map(|(word, meaning)| format!("  {word:<9}  {meaning}")).collect();
    lines.push(String::new());
    lines.push(row("n", "ms", "who", "what", "").trim_end().to_owned());
    lines
}

/// The lines of a recording: one for each event, and more where something is wrong, or where the
/// width is below [`LOG_WIDTH`]. `base` is what was so before the first event.
pub fn log_lines<'a>(
    base: &World,
    events: impl IntoIterator<Item = &'a Event>,
    width: usize,
) -> impl Iterator<Item = String> {
    let mut world = base.clone();
    events.into_iter().map(move |event| {
        let line = log_line(&world, event, width);
        world.apply(event);
        line
    })
}

/// How many events it was, and how many there were that are not kept any more.
#[must_use]
pub fn log_footer(base: &World, events: &[Event]) -> String {
    let first = events.first().map_or(Duration::ZERO, |event| event.at);
    let last = events.last().map_or(Duration::ZERO, |event| event.at);
    let dropped = match base.events {
        0 => "none dropped".to_owned(),
        old => format!("{old} older ones dropped"),
    };
    let took = ms(last.saturating_sub(first));
    format!("{} events in {took}, {dropped}", events.len())
}

/// One event. `before` is what was so before it: it has the event's number, and the names. If it is
/// wider than this, the line of source code has a line of its own.
#[must_use]
pub fn log_line(before: &World, event: &Event, width: usize) -> String {
    let number = (before.events + 1).to_string();
    let time = format!("{:.3}", event.at.as_secs_f64() * 1e3);
    let Told { what, details, at } = before.told(event);
    let details = match at {
        Some(at) => format!("{details:<LINES$}  {}", line(at)),
        None => details,
    };
    let details = wrapped(&details, width);
    row(&number, &time, &before.who(&event.what), what, &details).trim_end().to_owned()
}

fn row(number: &str, time: &str, who: &str, what: &str, details: &str) -> String {
    format!("{number:>5} {time:>9}  {:<16} {what:<10} {details}", short(who, 16))
}

/// Long texts go on in the next line, below where they began.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut column = DETAILS;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > DETAILS && column + length > width {
            lines.truncate(lines.trim_end().len());
            lines.push_str(&format!("\n{:DETAILS$}", ""));
            column = DETAILS;
        }
        lines.push_str(word);
        lines.push(' ');
        column += length + 1;
    }
    lines
}

fn short(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width - 2).collect();
    format!("{kept}..")
}

/// An event in a few words.
struct Told {
    what: &'static str,
    details: String,
    /// The line it is about.
    at: Option<&'static Location<'static>>,
}

fn told(what: &'static str, details: impl fmt::Display) -> Told {
    Told { what, details: details.to_string(), at: None }
}

impl Told {
    fn at(self, at: impl Into<Option<&'static Location<'static>>>) -> Told {
        Told { at: at.into(), ..self }
    }
}

impl World {
    /// Who does it.
    fn who(&self, what: &What) -> String {
        match (what, what.task(), self.phase) {
            (What::Spawned { task, name, .. }, ..) => format!("#{task} {name}"),
            (_, Some(task), _) | (What::Deregistered { .. }, None, Phase::Polling(task)) => {
                self.name(task)
            }
            (What::Parking { .. } | What::Unparked, ..) => "the thread".to_owned(),
            _ => String::new(),
        }
    }

    fn told(&self, event: &Event) -> Told {
        match &event.what {
            What::Spawned { parent: None, at, .. } => told("spawned", "").at(*at),
            What::Spawned { parent: Some(parent), at, .. } => {
                told("spawned", format!("by {}", self.name(*parent))).at(*at)
            }
            What::Named { name, .. } => told("named", name),
            What::Woken { task, by } => told("woken", format!("by {}", self.waker(*task, by))),
            What::PollStarted { .. } => told("poll", ""),
            What::Waiting { on, .. } => self.told_wait(on, event.at),
            What::PollEnded { task, outcome, took, .. } => self.told_poll(*task, *outcome, *took),
            What::Aborting { by, .. } => {
                let by = by.map_or("somebody".to_owned(), |by| self.name(by));
                told("aborted", format!("by {by}, dropped at its turn"))
            }
            What::Ended { how, .. } => told("ended", ending(*how)),
            What::Lost { .. } => told("lost", "no waker of it is left"),
            What::Parking { sleeps: true } => told("parks", "nobody is ready"),
            What::Parking { sleeps: false } => told("looks", "somebody is ready, so no sleep"),
            What::Unparked => told("unparked", format!("{} ready", self.ready.len())),
            What::Registered { source, kind, fd, local, peer, .. } => {
                told("opened", opened(*source, kind, *fd, local.as_deref(), peer.as_deref()))
            }
            What::Deregistered { source } => told("closed", format!("socket {source}")),
            What::JobQueued { job, at, .. } => told("queued", format!("job {job}")).at(*at),
            What::JobDropped { job, .. } => {
                told("gives up", format!("job {job}: nobody will have its result"))
            }
            What::JobDone { job, queued, ran, .. } => {
                let (queued, ran) = (ms(*queued), ms(*ran));
                told("has", format!("result of job {job}: queued {queued}, ran {ran}"))
            }
            What::Diagnosis { text, .. } => told("! WRONG", text),
        }
    }

    fn waker(&self, task: u64, by: &By) -> String {
        match by {
            By::Spawn => "its spawn".to_owned(),
            By::Task(other) if *other == task => "itself".to_owned(),
            By::Task(other) => self.name(*other),
            By::Source(source, direction) => format!("socket {source} {}", adjective(*direction)),
            By::Timer => "a timer".to_owned(),
            By::Thread(Some(name)) => format!("thread {name}"),
            By::Thread(None) => "another thread".to_owned(),
            By::Outside => "somebody outside".to_owned(),
        }
    }

    fn told_wait(&self, on: &Wait, now: Duration) -> Told {
        let waits = |text: String| told("waits for", text);
        match on {
            Wait::Source { source, direction, at } => {
                waits(format!("socket {source} {}", adjective(*direction))).at(*at)
            }
            Wait::Timer { deadline: Some(deadline), at } => {
                waits(format!("timer, due in {}", ms(deadline.saturating_sub(now)))).at(*at)
            }
            Wait::Timer { deadline: None, at } => waits("timer, never due".to_owned()).at(*at),
            Wait::Job { job, at } => waits(format!("job {job}")).at(*at),
            Wait::Join(task) => waits(format!("the end of {}", self.name(*task))),
            Wait::Send { at } => waits("room in a channel".to_owned()).at(*at),
            Wait::Receive { at } => waits("a value in a channel".to_owned()).at(*at),
            Wait::Yield { at } => waits("its next turn".to_owned()).at(*at),
        }
    }

    fn told_poll(&self, task: u64, outcome: Outcome, took: Duration) -> Told {
        let again = self.coroutines.get(&task).is_some_and(|it| it.state == State::PolledAndReady);
        let took = ms(took);
        match outcome {
            Outcome::Pending if again => told("pending", format!("after {took}, queued again")),
            Outcome::Pending => told("pending", format!("after {took}, parked")),
            Outcome::Ready => told("ready", format!("after {took}")),
            Outcome::Panicked => told("panicked", format!("after {took}")),
        }
    }
}

fn ending(how: End) -> &'static str {
    match how {
        End::Finished => "",
        End::Panicked => "by a panic",
        End::Cancelled => "dropped before its end",
    }
}

fn opened(
    source: u32,
    kind: &str,
    fd: Option<i32>,
    local: Option<&str>,
    peer: Option<&str>,
) -> String {
    let fd = fd.map_or(String::new(), |fd| format!(", fd {fd}"));
    match (local, peer) {
        (Some(local), Some(peer)) => format!("socket {source}{fd}, {local} -> {peer}"),
        (Some(local), None) => format!("socket {source}{fd}, {kind} at {local}"),
        _ => format!("socket {source}{fd}, {kind}"),
    }
}
