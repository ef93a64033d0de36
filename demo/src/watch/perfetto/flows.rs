//! Flow arrows: from the slice of whoever wakes to the poll that follows.

use std::collections::BTreeMap;
use std::time::Duration;

use executor::observe::End;
use serde_json::json;

use super::{COROUTINES, Jobs, OTHERS, PROCESS, REACTOR, Ran, Trace, micros};
use crate::event::By;
use crate::recording::Recording;
use crate::track::{Span, Track, Wake};

impl Trace {
    pub(super) fn flows(&mut self, recording: &Recording, jobs: &Jobs) {
        let wakes = std::mem::take(&mut self.tracks.wakes);
        let last: BTreeMap<u64, Duration> =
            wakes.iter().filter_map(|wake| Some((wake.waker?, wake.at))).collect();
        for (task, last) in last {
            match self.tracks.get(task).map(Track::dropped) {
                // One that is cancelled is dropped outside of its polls, and may wake others then.
                Some(Some(at)) if at <= last => {
                    self.slice(COROUTINES + task, "dropped", (at, last), &json!({}));
                }
                Some(_) => {}
                // It had ended before the recording began.
                None => self.track(COROUTINES + task, &format!("#{task}"), COROUTINES + task),
            }
        }
        if wakes.iter().any(|wake| self.is_from_elsewhere(wake, jobs)) {
            self.track(OTHERS, "other threads", OTHERS);
        }
        for wake in &wakes {
            let Some(poll) = wake.poll.map(|poll| &self.tracks.polls[poll]) else { continue };
            let to = (COROUTINES + poll.task, poll.span.0);
            if let Some(from) = self.begins(wake, recording, jobs) {
                self.flow(if wake.by == By::Spawn { "spawn" } else { "wake" }, from, to);
            }
        }
    }

    fn flow(&mut self, name: &str, from: (u64, Duration), to: (u64, Duration)) {
        self.flows += 1;
        for (ph, (tid, at)) in [("s", from), ("f", to)] {
            let mut it = json!({
                "ph": ph, "pid": PROCESS, "tid": tid, "cat": name, "name": name,
                "id": self.flows, "ts": micros(at),
            });
            if ph == "f" {
                it["bp"] = json!("e"); // it ends at the slice around it, not at the next one
            }
            self.events.push((at, it));
        }
    }

    /// The track of whoever wakes, and a time within its slice.
    fn begins(
        &mut self,
        wake: &Wake,
        recording: &Recording,
        jobs: &Jobs,
    ) -> Option<(u64, Duration)> {
        if let Some(waker) = wake.waker {
            let tid = COROUTINES + waker;
            return Some((
                tid,
                self.in_poll(waker, wake.at).unwrap_or_else(|| {
                    self.slice(tid, "wakes", (wake.at, wake.at), &json!({}));
                    wake.at
                }),
            ));
        }
        let (tid, name) = match &wake.by {
            By::Source(..) => (REACTOR, self.in_words(&wake.by).replace("the reactor: ", "")),
            By::Timer => (REACTOR, "a timer is due".to_owned()),
            By::Thread(_) => match self.job(wake, jobs) {
                Some(&(tid, span)) => return Some((tid, within(span, wake.at))),
                None => (OTHERS, self.in_words(&wake.by)),
            },
            By::Outside => (OTHERS, self.in_words(&wake.by)),
            By::Spawn | By::Task(_) => return None,
        };
        // The waker's part is over when the next thing happens.
        let next = recording.events.partition_point(|event| event.at <= wake.at);
        let end = recording.events.get(next).map_or(wake.at, |event| event.at);
        let whom = self.tracks.name(wake.task);
        self.slice(tid, &name, (wake.at, end), &json!({ "wakes": whom }));
        Some((tid, wake.at))
    }

    /// A time in the poll in which it wakes somebody. In its last one that happens right after it.
    fn in_poll(&self, task: u64, at: Duration) -> Option<Duration> {
        let track = self.tracks.get(task)?;
        if let Some(dropped) = track.dropped().filter(|dropped| *dropped <= at) {
            return Some(dropped);
        }
        let after = track.polls.partition_point(|poll| self.tracks.polls[*poll].span.0 <= at);
        let last = track.polls[after.checked_sub(1)?];
        Some(within(self.tracks.polls[last].span, at))
    }

    /// The job whose end is the reason.
    fn job<'a>(&self, wake: &Wake, jobs: &'a Jobs) -> Option<&'a Ran> {
        let fetched = wake.poll.map(|poll| &self.tracks.polls[poll].jobs)?;
        let ran = fetched.iter().rev().filter_map(|job| jobs.get(job));
        ran.into_iter().find(|(_, span)| span.0 <= wake.at)
    }

    fn is_from_elsewhere(&self, wake: &Wake, jobs: &Jobs) -> bool {
        let thread = matches!(wake.by, By::Thread(_)) && self.job(wake, jobs).is_none();
        wake.poll.is_some() && (thread || wake.by == By::Outside)
    }
}

impl Track {
    fn dropped(&self) -> Option<Duration> {
        self.ended.filter(|ended| ended.1 == End::Cancelled).map(|ended| ended.0)
    }
}

/// This time, or the nearest one within the span: its end belongs to what follows.
fn within(span: Span, at: Duration) -> Duration {
    at.min(span.1.saturating_sub(Duration::from_nanos(1))).max(span.0)
}
