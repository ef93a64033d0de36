//! The lanes of the coroutines, and the arrows between them.

use std::collections::HashMap;
use std::time::Duration;

use executor::observe::End;

use super::canvas::{Arrow, INK, MUTED, WAKE};
use super::labels::{Font, SMALL};
use super::{AXIS, BELOW, LABELLED, LEFT, LEGEND, Picture, THINNEST, counted};
use crate::event::By;
use crate::parked::parked_on;
use crate::recording::grouped;
use crate::track::Wake;
use crate::tracks::Tracks;
use crate::words::ms;

/// Where the lanes of the coroutines begin.
const TOP: f64 = AXIS + 14.0;
/// A lane is not higher.
const HIGHEST: f64 = 120.0;

/// Where they end.
pub(super) fn bottom() -> f64 {
    Place::Thread.y() - BELOW / 2.0 - 10.0
}

pub(super) struct Lanes {
    pub(super) places: Vec<Lane>,
    height: f64,
    /// Whether there is room for labels and arrows.
    pub(super) labelled: bool,
    all: usize,
}

/// A coroutine that is drawn.
pub(super) struct Lane {
    /// Its place in the list of tracks.
    pub(super) track: usize,
    /// The middle of its lane.
    y: f64,
}

/// The lanes that are always there.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Thread,
    Reactor,
    Pool,
}

impl Place {
    pub(super) fn y(self) -> f64 {
        let lowest = LEGEND - 52.0;
        match self {
            Place::Thread => lowest - 2.0 * BELOW,
            Place::Reactor => lowest - BELOW,
            Place::Pool => lowest,
        }
    }
}

impl Lanes {
    pub(super) fn new(tracks: &Tracks) -> Lanes {
        let all = tracks.coroutines.len();
        let room = bottom() - TOP;
        let fits = (room / THINNEST) as usize;
        let mut order: Vec<usize> = (0..all).collect();
        let height = (room / all.max(1) as f64).clamp(THINNEST, HIGHEST);
        let labelled = height >= LABELLED;
        if !labelled {
            // Those who do the same stand together, in the order in which the first of them was born.
            let mut first = HashMap::new();
            for (place, track) in tracks.coroutines.iter().enumerate() {
                first.entry(&*track.name).or_insert(place);
            }
            order.sort_by_key(|place| (first[&*tracks.coroutines[*place].name], *place));
        }
        order.truncate(fits);
        let y = |row: usize| TOP + (row as f64 + 0.5) * height;
        let places = order.into_iter().enumerate();
        let places = places.map(|(row, track)| Lane { track, y: y(row) }).collect();
        Lanes { places, height, labelled, all }
    }

    /// Says so if not all are drawn.
    pub(super) fn hidden(&self) -> Option<String> {
        let (drawn, all) = (self.places.len(), self.all);
        (drawn < all).then(|| {
            format!("{} of {} coroutines are drawn.", grouped(drawn as u64), grouped(all as u64))
        })
    }

    fn y(&self, task: u64, tracks: &Tracks) -> Option<f64> {
        let lane = self.places.iter().find(|lane| tracks.coroutines[lane.track].task == task);
        lane.map(|lane| lane.y)
    }

    /// How high a block is.
    fn block(&self) -> f64 {
        match self.labelled {
            true => (self.height * 0.5).clamp(18.0, 32.0),
            // Without a seam between two.
            false if self.height < 3.0 => self.height + 0.4,
            false => self.height * 0.85,
        }
    }
}

impl Picture {
    pub(super) fn coroutines(&mut self) {
        let order = std::mem::take(&mut self.lanes.places);
        for lane in &order {
            self.lane(lane);
        }
        self.lanes.places = order;
        if self.lanes.labelled {
            self.arrows();
            self.names();
            self.waits();
            if self.axis.columns {
                self.reasons();
            }
        } else {
            self.groups();
        }
    }

    fn lane(&mut self, &Lane { track, y }: &Lane) {
        let (high, labelled) = (self.lanes.block(), self.lanes.labelled);
        let track = &self.tracks.coroutines[track];
        for ((from, to), _) in &track.parked {
            let (from, to) = (self.axis.x(*from), self.axis.x(*to));
            match labelled {
                true => self.canvas.parked(from, to, y),
                false => self.canvas.parked_band(from, to, y, high),
            }
        }
        for &(from, to) in &track.ready {
            let (x, w) = (self.axis.x(from), self.axis.x(to) - self.axis.x(from));
            match labelled {
                true => self.canvas.hatched(x, y - high * 0.4, w, high * 0.8),
                false => self.canvas.ready(x, y - high / 2.0, w, high),
            }
        }
        for &poll in &track.polls {
            let (from, to) = self.tracks.polls[poll].span;
            let (x, w) = self.block(from, to, if labelled { 3.0 } else { 2.0 });
            self.canvas.polled(x, y - high / 2.0, w, high);
        }
        if let Some((at, _)) = track.ended
            && labelled
        {
            self.canvas.ended(self.axis.x(at), y, high + 6.0);
        }
    }

    // Arrows --------------------------------------------------------------------------------------

    fn arrows(&mut self) {
        let half = self.lanes.block() / 2.0;
        for wake in &self.tracks.wakes {
            let Some(to) = self.lanes.y(wake.task, &self.tracks) else { continue };
            let Some((from, inside)) = self.source(wake) else { continue };
            if (to - from).abs() < 1.0 {
                continue; // it wakes itself: the ready block right after its poll says so
            }
            let side = if to > from { 1.0 } else { -1.0 };
            let start = if inside { from + side * half } else { from };
            let (x, end) = (self.axis.x(wake.at) + 3.0, to - side * half);
            let arrow = match wake.by {
                By::Spawn => Arrow::Spawn,
                _ if self.axis.columns => Arrow::Wake,
                _ => Arrow::ThinWake,
            };
            self.canvas.arrow(x, start, end, arrow);
            if !inside {
                let radius = if self.axis.columns { 4.5 } else { 3.0 };
                self.canvas.dot(x, from, radius, &format!(r#"fill="{WAKE}""#));
            }
        }
    }

    /// The lane of whoever wakes, and whether it is a coroutine's.
    fn source(&self, wake: &Wake) -> Option<(f64, bool)> {
        if let Some(waker) = wake.waker {
            return self.lanes.y(waker, &self.tracks).map(|y| (y, true));
        }
        match wake.by {
            By::Source(..) | By::Timer => Some((Place::Reactor.y(), false)),
            By::Thread(_) => Some((Place::Pool.y(), false)),
            By::Outside => Some((Place::Thread.y(), false)),
            By::Spawn | By::Task(_) => None,
        }
    }

    // Labels --------------------------------------------------------------------------------------

    fn names(&mut self) {
        let room = LEFT - 24.0 - 8.0;
        for lane in &self.lanes.places {
            let track = &self.tracks.coroutines[lane.track];
            let two_lines = self.lanes.height >= 44.0;
            let y = if two_lines { lane.y - 1.0 } else { lane.y + 6.0 };
            let name = Font::new(18.0, INK).bold();
            self.canvas.cut((24.0, y), room, name, &track.to_string());
            if two_lines {
                let polls = track.polls.iter().map(|poll| self.tracks.polls[*poll].span);
                let busy: Duration = polls.map(|span| span.1 - span.0).sum();
                let numbers = format!("{}, {}", counted(track.polls.len(), "poll"), ms(busy));
                self.canvas.cut((24.0, y + 18.0), room, Font::new(SMALL, MUTED), &numbers);
            }
        }
    }

    /// What each one is parked on, and how it ended.
    fn waits(&mut self) {
        let font = Font::new(SMALL, INK);
        for lane in &self.lanes.places {
            let track = &self.tracks.coroutines[lane.track];
            for ((from, to), waits) in &track.parked {
                let span = (self.axis.x(*from) + 7.0, self.axis.x(*to) - 7.0);
                let (y, texts) = (lane.y - 8.0, parked_on(waits, *from));
                if !self.canvas.clear_label(span, y, font, &texts) {
                    self.canvas.label_over_arrows(span, y, font, &texts);
                }
            }
            if let Some((at, how)) = track.ended
                && self.axis.columns
            {
                let text = match how {
                    End::Finished => "ended",
                    End::Panicked => "panicked",
                    End::Cancelled => "dropped",
                };
                // Right beside its end, or it could be taken for somebody else's.
                let x = self.axis.x(at) + 8.0;
                let room = (x, x + font.measure(text) + 1.0);
                self.canvas.clear_label(room, lane.y + 6.0, font, &[text]);
            }
        }
    }

    /// Why the reactor wakes, where there is room for that.
    fn reasons(&mut self) {
        let (y, font) = (Place::Reactor.y(), Font::new(SMALL, INK));
        for wake in &self.tracks.wakes {
            let text = match wake.by {
                By::Source(source, _) => format!("socket {source}"),
                By::Timer => "timer".to_owned(),
                _ => continue,
            };
            let (x, width) = (self.axis.x(wake.at) + 3.0, font.measure(&text));
            let places =
                [(x - width / 2.0, y + 21.0), (x - width - 7.0, y - 8.0), (x + 7.0, y - 8.0)];
            let _ = places.into_iter().any(|(left, y)| {
                self.canvas.clear_label((left, left + width + 2.0), y, font, &[&text])
            });
        }
    }

    /// One label for all of the same name that stand together.
    fn groups(&mut self) {
        let name = |lane: &Lane| &self.tracks.coroutines[lane.track].name;
        let font = Font::new(SMALL, INK);
        let mut free = TOP;
        for group in self.lanes.places.chunk_by(|a, b| name(a) == name(b)) {
            let (top, bottom) = (group[0].y, group[group.len() - 1].y);
            let text = match group {
                [one] => self.tracks.coroutines[one.track].to_string(),
                many => format!("{} × {}", grouped(many.len() as u64), name(&group[0])),
            };
            let y = f64::midpoint(top, bottom).max(free);
            free = y + 20.0;
            let bracket = format!(r#"stroke="{MUTED}" stroke-width="1.5""#);
            self.canvas.line((LEFT - 8.0, top), (LEFT - 8.0, bottom), &bracket);
            self.canvas.line((LEFT - 14.0, y), (LEFT - 8.0, f64::midpoint(top, bottom)), &bracket);
            self.canvas.cut((24.0, y + 5.0), LEFT - 24.0 - 18.0, font, &text);
        }
    }
}
