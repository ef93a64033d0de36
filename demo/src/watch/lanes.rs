//! Draws a recording as lanes of text: a line for each coroutine, and one for the thread.
//!
//! ```text
//!   client      #..........................................................#
//!   the thread  ##z#zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz#z###
//! ```
//!
//! A column is a span of time. Where more than one thing happened in it, the rarest shows: a poll
//! before a wait in the queue, and that before being parked.

use std::time::Duration;

use crate::event::{Event, What};

/// A coroutine, and what it did.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Its id.
    pub task: u64,
    /// What it is called.
    pub name: String,
    /// When it was born, when it ended.
    life: (Duration, Option<Duration>),
    /// From a wake (or its birth) to the poll that follows.
    queued: Vec<Span>,
    polled: Vec<Span>,
}

/// From when to when.
type Span = (Duration, Duration);

/// All lanes of a recording, and when the thread slept.
#[derive(Debug, Default)]
pub struct Lanes {
    /// In the order of their births.
    pub coroutines: Vec<Lane>,
    asleep: Vec<Span>,
}

impl Lanes {
    /// The lanes of a recording.
    #[must_use]
    pub fn of(events: &[Event]) -> Lanes {
        let mut lanes = Lanes::default();
        for event in events {
            lanes.add(event.at, &event.what);
        }
        lanes
    }

    fn add(&mut self, at: Duration, what: &What) {
        let never = Duration::MAX;
        match what {
            What::Spawned { task, name, .. } => {
                let (name, queued, polled) = (name.clone(), vec![(at, never)], Vec::new());
                self.coroutines.push(Lane { task: *task, name, life: (at, None), queued, polled });
            }
            What::Named { task, name } => {
                self.with(*task, |lane| lane.name.clone_from(name));
            }
            What::Woken { task, .. } => self.with(*task, |lane| lane.queued.push((at, never))),
            What::PollStarted { task } => self.with(*task, |lane| {
                end(&mut lane.queued, at);
                lane.polled.push((at, never));
            }),
            What::PollEnded { task, .. } => self.with(*task, |lane| end(&mut lane.polled, at)),
            What::Ended { task, .. } => self.with(*task, |lane| lane.life.1 = Some(at)),
            What::Parking { sleeps: true } => self.asleep.push((at, never)),
            What::Unparked => end(&mut self.asleep, at),
            _ => {}
        }
    }

    fn with(&mut self, task: u64, change: impl FnOnce(&mut Lane)) {
        if let Some(lane) = self.coroutines.iter_mut().find(|lane| lane.task == task) {
            change(lane);
        }
    }

    /// How many polls there were from `from` to `to`, and how long they took in all.
    #[must_use]
    pub fn polls(&self, from: Duration, to: Duration) -> (usize, Duration) {
        let polls = self.coroutines.iter().flat_map(|lane| &lane.polled);
        let polls: Vec<Duration> = polls.filter_map(|span| overlap(span, from, to)).collect();
        (polls.len(), polls.iter().sum())
    }

    /// How long the thread slept from `from` to `to`.
    #[must_use]
    pub fn slept(&self, from: Duration, to: Duration) -> Duration {
        self.asleep.iter().filter_map(|span| overlap(span, from, to)).sum()
    }

    /// The thread's lane: `#` it polls somebody, `z` it sleeps.
    #[must_use]
    pub fn draw_thread(&self, from: Duration, to: Duration, width: u32) -> String {
        let polls = |a, b| self.coroutines.iter().any(|lane| any(&lane.polled, a, b));
        columns(from, to, width, |a, b| match (polls(a, b), any(&self.asleep, a, b)) {
            (true, _) => '#',
            (false, true) => 'z',
            (false, false) => ' ',
        })
    }
}

impl Lane {
    /// `#` polled, `=` in the ready queue, `.` parked; nothing before its birth and after its end.
    #[must_use]
    pub fn draw(&self, from: Duration, to: Duration, width: u32) -> String {
        columns(from, to, width, |a, b| {
            let lives = self.life.0 < b && self.life.1.is_none_or(|end| end >= a);
            match lives {
                _ if any(&self.polled, a, b) => '#',
                _ if any(&self.queued, a, b) => '=',
                true => '.',
                false => ' ',
            }
        })
    }

    /// When it was polled first, from `from` on.
    #[must_use]
    pub fn first_poll(&self, from: Duration) -> Option<Duration> {
        self.polled.iter().map(|span| span.0).find(|start| *start >= from)
    }
}

/// Ends the span that is open.
fn end(spans: &mut [Span], at: Duration) {
    if let Some(last) = spans.last_mut() {
        last.1 = last.1.min(at);
    }
}

fn overlap(&(start, end): &Span, from: Duration, to: Duration) -> Option<Duration> {
    end.min(to).checked_sub(start.max(from))
}

fn any(spans: &[Span], from: Duration, to: Duration) -> bool {
    spans.iter().any(|&(start, end)| start < to && end >= from)
}

fn columns(
    from: Duration,
    to: Duration,
    width: u32,
    symbol: impl Fn(Duration, Duration) -> char,
) -> String {
    let step = to.saturating_sub(from) / width;
    (0..width).map(|column| symbol(from + step * column, from + step * (column + 1))).collect()
}
