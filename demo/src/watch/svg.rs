//! A recording as a picture for a slide: 16:9, letters that can be read from the back of a room.
//!
//! ```text
//!   title, numbers
//!   axis              | 1 | 2 |~ 60 ms ~| 3 |
//!   #1 main           |##|---- parked ---------
//!   #2 connection         |##|---------|=|##|--      = in the ready queue
//!   ---------------------------------- ^ ------
//!   the thread        |##||##| asleep  | |##|
//!   reactor                            o             whoever is below wakes, upwards
//!   blocking pool
//! ```
//!
//! A lane is a coroutine. If there are so many that their lanes would be too thin for labels, those
//! with the same name stand together and have one label, and arrows are left out.

mod axis;
mod canvas;
mod labels;
mod lanes;
mod legend;

use std::time::Duration;

use axis::Axis;
use canvas::{Canvas, FAINT, HEIGHT, INK, MUTED, WAKE, WIDTH};
use labels::{Anchor, Font, SMALL};
use lanes::{Lanes, Place};

use crate::event::By;
use crate::recording::{Recording, grouped};
use crate::track::Wake;
use crate::tracks::Tracks;
use crate::words::ms;

const LEFT: f64 = 204.0;
const RIGHT: f64 = WIDTH - 24.0;
/// Where the axis is.
const AXIS: f64 = 124.0;
const LEGEND: f64 = HEIGHT - 18.0;
/// The lanes of the thread, the reactor and the pool.
const BELOW: f64 = 48.0;
/// Lanes that are lower have no room for labels, and more than this no room for anything.
const LABELLED: f64 = 30.0;
const THINNEST: f64 = 1.2;

/// The picture, as a file of the format SVG.
#[must_use]
pub fn svg(recording: &Recording) -> String {
    let tracks = Tracks::of(recording);
    let axis = Axis::new(&tracks, LEFT, RIGHT, |text| Font::new(SMALL, INK).measure(text));
    let mut picture =
        Picture { canvas: Canvas::default(), lanes: Lanes::new(&tracks), axis, tracks };
    picture.head(recording);
    picture.axis();
    picture.sources();
    picture.coroutines();
    picture.legend();
    let title = picture.title(recording);
    let description = picture.description();
    picture.canvas.finish(&title, &description)
}

struct Picture {
    canvas: Canvas,
    tracks: Tracks,
    axis: Axis,
    lanes: Lanes,
}

impl Picture {
    fn title(&self, recording: &Recording) -> String {
        let coroutines = counted(self.tracks.coroutines.len(), "coroutine");
        let took = ms(self.tracks.span.1 - self.tracks.span.0);
        format!("{}: {took}", recording.title_or(&coroutines))
    }

    /// What the picture says, for those who cannot see it.
    fn description(&self) -> String {
        let mut description = self.numbers();
        for place in self.lanes.places.iter().take(40) {
            let track = &self.tracks.coroutines[place.track];
            let polls = counted(track.polls.len(), "poll");
            description.push_str(&format!(" {track}: {polls}."));
        }
        description
    }

    fn numbers(&self) -> String {
        let Tracks { span, polls, .. } = &self.tracks;
        let (busy, slept) = (ms(self.tracks.busy()), ms(self.tracks.slept()));
        let (polls, all) = (counted(polls.len(), "poll"), ms(span.1 - span.0));
        format!("One thread: {polls} took {busy}, and it slept for {slept} of {all}.")
    }

    fn head(&mut self, recording: &Recording) {
        let wrong = recording.diagnoses().count();
        let warnings = (wrong > 0).then(|| format!("{}!", counted(wrong, "warning")));
        let notes = [warnings, self.lanes.hidden(), recording.older()];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        let (notes, font) = (notes.join("; "), Font::new(SMALL, MUTED));
        let room = RIGHT - 24.0 - font.measure(&notes) - 20.0;
        let title = self.title(recording);
        self.canvas.label((RIGHT, 44.0), RIGHT, font.anchored(Anchor::End), &[notes]);
        self.canvas.cut((24.0, 44.0), room, Font::new(28.0, INK).bold(), &title);
        let numbers = self.numbers();
        self.canvas.cut((24.0, 74.0), RIGHT - 24.0, Font::new(18.0, MUTED), &numbers);
    }

    fn axis(&mut self) {
        let font = Font::new(SMALL, MUTED);
        let middle = font.anchored(Anchor::Middle);
        let end = self.axis.end();
        let look = format!(r#"stroke="{MUTED}" stroke-width="1.5""#);
        if !self.axis.columns {
            self.canvas.line((LEFT, AXIS), (end, AXIS), &look);
            self.canvas.label((24.0, AXIS - 6.0), LEFT, font, &["true time"]);
            for (x, label) in self.axis.ticks() {
                self.canvas.line((x, AXIS), (x, AXIS + 6.0), &look);
                self.canvas.label((x, AXIS - 6.0), 200.0, middle, &[label]);
            }
            return;
        }
        self.canvas.label((24.0, AXIS - 6.0), LEFT, font, &["poll, or time asleep"]);
        for (number, poll) in self.tracks.polls.iter().enumerate() {
            let (from, to) = (self.axis.x(poll.span.0), self.axis.x(poll.span.1));
            let at = (f64::midpoint(from, to), AXIS - 6.0);
            self.canvas.label(at, to - from + 4.0, middle, &[(number + 1).to_string()]);
            self.canvas.line((from, AXIS), (to, AXIS), &look);
        }
        for (from, to, label) in std::mem::take(&mut self.axis.sleeps) {
            let at = (f64::midpoint(from, to), AXIS - 6.0);
            self.canvas.label(at, to - from + 12.0, middle.bold(), &[label]);
            self.canvas.zigzag(from, to, AXIS + 3.0, &look);
        }
    }

    // Below: who wakes from outside ---------------------------------------------------------------

    fn sources(&mut self) {
        let top = lanes::bottom() + 6.0;
        let look = format!(r#"stroke="{FAINT}" stroke-width="1.5""#);
        self.canvas.line((24.0, top), (RIGHT, top), &look);
        for (place, name, more) in [
            (Place::Thread, "the thread", "executor"),
            (Place::Reactor, "reactor", "sockets, timers"),
            (Place::Pool, "blocking pool", "other threads"),
        ] {
            let y = place.y();
            self.canvas.label((24.0, y - 4.0), LEFT, Font::new(18.0, INK).bold(), &[name]);
            self.canvas.label((24.0, y + 13.5), LEFT, Font::new(SMALL, MUTED), &[more]);
            if !matches!(place, Place::Thread) {
                self.canvas.line((LEFT, y), (self.axis.end(), y), &look);
            }
        }
        self.thread();
        self.pool();
        if !self.lanes.labelled {
            self.ticks();
        }
    }

    fn thread(&mut self) {
        let y = Place::Thread.y();
        for &(from, to) in &self.tracks.sleeps {
            let (x, w) = self.block(from, to, 1.0);
            self.canvas.asleep(x, y - 11.0, w, 22.0);
            let middle = Font::new(SMALL, MUTED).anchored(Anchor::Middle);
            self.canvas.label((x + w / 2.0, y + 6.0), w - 8.0, middle, &["asleep"]);
        }
        for poll in &self.tracks.polls {
            let (x, w) = self.block(poll.span.0, poll.span.1, 1.5);
            self.canvas.polled(x, y - 11.0, w, 22.0);
        }
    }

    /// Jobs that run at the same time are drawn one below the other.
    fn pool(&mut self) {
        let rows = self.tracks.rows_of_jobs();
        let count = rows.iter().max().map_or(1, |row| row + 1);
        let (top, each) = (Place::Pool.y() - 10.0, 20.0 / count as f64);
        for (place, row) in rows.into_iter().enumerate() {
            let job = &self.tracks.jobs[place];
            let (number, done) = (job.job, job.done);
            let (x, w) = self.block(job.span.0, job.span.1, 3.0);
            let y = top + each * row as f64;
            self.canvas.job(x, y, w, each.max(1.5) - 1.0, done);
            if self.axis.columns && self.lanes.labelled && count == 1 {
                let font = Font::new(SMALL, INK);
                let texts = [format!("job {number}"), number.to_string()];
                if !self.canvas.label((x + 5.0, y + 15.5), w - 8.0, font, &texts) {
                    self.canvas.label((x, y + 36.0), 80.0, font, &texts[..1]);
                }
            }
        }
    }

    /// Where there is no room for arrows: each wake by the reactor is a tick in its lane.
    fn ticks(&mut self) {
        let (y, look) = (Place::Reactor.y(), format!(r#"stroke="{WAKE}" stroke-width="1.2""#));
        let from_reactor = |wake: &&Wake| matches!(wake.by, By::Source(..) | By::Timer);
        let mut last = 0.0;
        for wake in self.tracks.wakes.iter().filter(from_reactor) {
            let x = self.axis.x(wake.at);
            if x > last + 0.5 {
                self.canvas.line((x, y - 8.0), (x, y + 8.0), &look);
                last = x;
            }
        }
    }

    /// Where a block is, and how wide. It is seen, however short it was.
    fn block(&self, from: Duration, to: Duration, least: f64) -> (f64, f64) {
        let x = self.axis.x(from);
        (x, (self.axis.x(to) - x).max(least))
    }
}

/// `1 poll`, `12,345 polls`
fn counted(number: usize, thing: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {thing}{s}", grouped(number as u64))
}
