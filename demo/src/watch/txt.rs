//! A recording as text: the lanes, and below them every event.
//!
//! ```text
//!   #4 client         =#...................................................#
//!   the thread        ##zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz##
//! ```
//!
//! A column is a span of time. Where more than one thing happened in it, the rarest shows: a poll
//! before a wait in the queue, and that before being parked.

use std::fmt::Write;
use std::time::Duration;

use crate::log::{LOG_WIDTH, log_legend, log_lines};
use crate::recording::{Recording, grouped};
use crate::track::{Span, Track};
use crate::tracks::Tracks;
use crate::words::ms;

/// How many columns of time a lane has, and how wide a name is.
const COLUMNS: u32 = 66;
const NAME: usize = 18;
/// More lanes are not drawn: the events tell of all.
const LANES: usize = 40;

/// The lanes and the events, as text.
#[must_use]
pub fn txt(recording: &Recording) -> String {
    let mut text = String::new();
    let _ = write_all(recording, &mut text); // a string takes everything
    text
}

fn write_all(recording: &Recording, text: &mut String) -> std::fmt::Result {
    let tracks = Tracks::of(recording);
    let (from, to) = tracks.span;
    let title = recording.title_or("a run");
    writeln!(text, "{title}: {}", ms(to - from))?;
    if let Some(older) = recording.older() {
        writeln!(text, "{older}")?;
    }
    write_lanes(&tracks, text)?;
    writeln!(text, "\nevery event\n")?;
    for line in
        log_legend().into_iter().chain(log_lines(&recording.base, &recording.events, LOG_WIDTH))
    {
        writeln!(text, "{line}")?;
    }
    Ok(())
}

fn write_lanes(tracks: &Tracks, text: &mut String) -> std::fmt::Result {
    let (polls, busy, slept) = (tracks.polls.len(), ms(tracks.busy()), ms(tracks.slept()));
    let column = ms((tracks.span.1 - tracks.span.0) / COLUMNS);
    writeln!(text, "{polls} polls took {busy}; the thread slept for {slept}\n")?;
    writeln!(text, "# polled  = in the ready queue  . parked  z asleep; a column is {column}\n")?;
    for track in tracks.coroutines.iter().take(LANES) {
        lane(text, &track.to_string(), &columns(tracks, |a, b| track.symbol(tracks, a, b)))?;
    }
    let more = tracks.coroutines.len().saturating_sub(LANES);
    if more > 0 {
        writeln!(text, "and {} more coroutines", grouped(more as u64))?;
    }
    let thread = columns(tracks, |a, b| match () {
        () if tracks.polls.iter().any(|poll| meets(poll.span, a, b)) => '#',
        () if tracks.sleeps.iter().any(|sleep| meets(*sleep, a, b)) => 'z',
        () => ' ',
    });
    lane(text, "the thread", &thread)
}

impl Track {
    /// Nothing before its birth and after its end.
    fn symbol(&self, tracks: &Tracks, a: Duration, b: Duration) -> char {
        let mut polls = self.polls.iter().map(|poll| tracks.polls[*poll].span);
        match () {
            () if polls.any(|poll| meets(poll, a, b)) => '#',
            () if self.ready.iter().any(|ready| meets(*ready, a, b)) => '=',
            () if self.parked.iter().any(|(parked, _)| meets(*parked, a, b)) => '.',
            () => ' ',
        }
    }
}

fn lane(text: &mut String, name: &str, symbols: &str) -> std::fmt::Result {
    let name: String = name.chars().take(NAME - 1).collect();
    writeln!(text, "{name:<NAME$}{}", symbols.trim_end())
}

fn columns(tracks: &Tracks, symbol: impl Fn(Duration, Duration) -> char) -> String {
    let (from, to) = tracks.span;
    let step = (to - from) / COLUMNS;
    (0..COLUMNS).map(|column| symbol(from + step * column, from + step * (column + 1))).collect()
}

fn meets((start, end): Span, from: Duration, to: Duration) -> bool {
    start < to && end >= from
}
