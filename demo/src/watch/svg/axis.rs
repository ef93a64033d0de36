//! Where a time is, from left to right.
//!
//! A poll takes microseconds, and a wait milliseconds. If there are few polls, each has a column,
//! and a sleep is as wide as its label. That is not to scale, so the picture says how long each
//! sleep was. If there are too many polls for that, the axis is true.
//!
//! ```text
//!   columns:   | poll 1 | poll 2 |~~60 ms~~| wake | poll 3 |     true time:  0 ms ---- 50 ms ----
//! ```

use std::time::Duration;

use crate::track::Span;
use crate::tracks::Tracks;
use crate::words::ms;

/// A gap between two columns.
const GAP: f64 = 4.0;
/// Room for the wakes at the end of a sleep.
const WAKE: f64 = 20.0;
/// How wide a poll is.
const LEAST: f64 = 17.0;
const MOST: f64 = 32.0;
/// A sleep that is too short for a label.
const NAP: f64 = 14.0;

pub(super) struct Axis {
    /// Times and their places. Between two of them it is linear.
    knots: Vec<(Duration, f64)>,
    /// Whether each poll has a column.
    pub(super) columns: bool,
    /// The sleeps that have room for how long they were, and that.
    pub(super) sleeps: Vec<(f64, f64, String)>,
    span: Span,
}

/// What is to have a column.
#[derive(Clone, Copy)]
enum Step {
    Poll(Span),
    /// When it began, when the first one was woken, when the next poll began.
    Sleep(Duration, Duration, Duration),
}

impl Axis {
    /// From `left` to `right`.
    pub(super) fn new(tracks: &Tracks, left: f64, right: f64, measure: fn(&str) -> f64) -> Axis {
        Axis::columns(tracks, left, right, measure).unwrap_or_else(|| {
            let knots = vec![(tracks.span.0, left), (tracks.span.1, right)];
            Axis { knots, columns: false, sleeps: Vec::new(), span: tracks.span }
        })
    }

    /// A column for each poll, if there is room for that.
    fn columns(t: &Tracks, left: f64, right: f64, measure: fn(&str) -> f64) -> Option<Axis> {
        let steps = steps(t);
        let total = t.span.1.saturating_sub(t.span.0);
        let label = |from: Duration, to: Duration| {
            let length = to - from;
            (length * 50 >= total || length * 100 >= total && length.as_millis() > 0)
                .then(|| ms(length))
        };
        let fixed = |step: &Step| match *step {
            Step::Poll(_) => GAP,
            Step::Sleep(from, wake, _) => {
                WAKE + label(from, wake).map_or(NAP, |label| measure(&label) + 12.0)
            }
        };
        let polls = steps.iter().filter(|step| matches!(step, Step::Poll(_))).count();
        let rest = right - left - steps.iter().map(fixed).sum::<f64>();
        let each = rest / polls.max(1) as f64;
        if polls == 0 || each < LEAST {
            return None;
        }
        // What the polls do not need goes to the sleeps that have a label.
        let width = each.min(MOST);
        let long = steps.iter().filter(|step| match **step {
            Step::Sleep(from, wake, _) => label(from, wake).is_some(),
            Step::Poll(_) => false,
        });
        let extra = (rest - width * polls as f64) / long.count().max(1) as f64;
        let (mut x, mut knots, mut sleeps) = (left, vec![(t.span.0, left)], Vec::new());
        for step in &steps {
            match *step {
                Step::Poll((from, to)) => {
                    knots.extend([(from, x), (to, x + width)]);
                    x += width + GAP;
                }
                Step::Sleep(from, wake, next) => {
                    let label = label(from, wake);
                    let more = if label.is_some() { extra.min(260.0) } else { 0.0 };
                    let end = x + fixed(step) + more;
                    knots.extend([(from, x), (wake, end - WAKE), (next, end)]);
                    sleeps.extend(label.map(|label| (x, end - WAKE, label)));
                    x = end;
                }
            }
        }
        knots.push((t.span.1, x));
        Some(Axis { knots, columns: true, sleeps, span: t.span })
    }

    pub(super) fn x(&self, at: Duration) -> f64 {
        let after = self.knots.partition_point(|knot| knot.0 <= at);
        let (Some(&(a, left)), Some(&(b, right))) =
            (self.knots.get(after.wrapping_sub(1)), self.knots.get(after))
        else {
            let end = if after == 0 { self.knots.first() } else { self.knots.last() };
            return end.map_or(0.0, |knot| knot.1);
        };
        let part = (at - a).as_secs_f64() / (b - a).as_secs_f64();
        left + (right - left) * part
    }

    pub(super) fn end(&self) -> f64 {
        self.knots.last().map_or(0.0, |knot| knot.1)
    }

    /// Round times, about 150 apart on the picture, and their labels.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let total = (self.span.1 - self.span.0).as_secs_f64() * 1e3;
        let rough = total / 7.0;
        let power = 10f64.powf(rough.max(1e-6).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        let step = step.into_iter().find(|step| *step >= rough).unwrap_or(power * 10.0);
        let seconds = total >= 5000.0;
        let ticks = (0..20).map(|n| f64::from(n) * step).take_while(|at| *at <= total);
        let label = |at: f64| match (seconds, at) {
            (true, at) => format!("{} s", round(at / 1e3)),
            (false, at) => format!("{} ms", round(at)),
        };
        ticks
            .map(|at| (self.x(self.span.0 + Duration::from_secs_f64(at / 1e3)), label(at)))
            .collect()
    }
}

fn round(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

fn steps(tracks: &Tracks) -> Vec<Step> {
    let mut steps: Vec<Step> = tracks.polls.iter().map(|poll| Step::Poll(poll.span)).collect();
    for &(from, to) in &tracks.sleeps {
        let next = tracks.polls.partition_point(|poll| poll.span.0 < from);
        let next = tracks.polls.get(next).map_or(to, |poll| poll.span.0).max(to);
        let wake = tracks.wakes.partition_point(|wake| wake.at <= from);
        let wake = tracks.wakes.get(wake).map_or(to, |wake| wake.at.min(next));
        steps.push(Step::Sleep(from, wake, next));
    }
    steps.sort_by_key(|step| match *step {
        Step::Poll(span) => span.0,
        Step::Sleep(from, ..) => from,
    });
    steps
}
