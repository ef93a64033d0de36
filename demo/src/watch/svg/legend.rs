//! What the shapes mean.

use super::canvas::{Arrow, Canvas, INK, MUTED, WAKE, WIDTH};
use super::labels::{Font, SMALL};
use super::{LEFT, LEGEND, Picture};

/// The middle of a shape.
const MIDDLE: f64 = LEGEND - 5.5;
/// How wide a shape is, and how far the texts are from it and from the next one.
const SHAPE: f64 = 28.0;
const GAPS: (f64, f64) = (6.0, 16.0);

impl Picture {
    pub(super) fn legend(&mut self) {
        let mut legend = Legend { canvas: &mut self.canvas, x: LEFT };
        legend.entry("polled", |it, x| it.polled(x, MIDDLE - 9.0, SHAPE, 18.0));
        match self.lanes.labelled {
            true => legend.of_lanes(),
            false => legend.of_thin_lanes(),
        }
        legend.entry("the thread sleeps", |it, x| it.asleep(x, MIDDLE - 9.0, SHAPE, 18.0));
        if self.axis.columns {
            let font = Font::new(SMALL, MUTED);
            self.canvas.label((24.0, LEGEND), LEFT - 24.0, font, &["not to scale"]);
        }
    }
}

struct Legend<'a> {
    canvas: &'a mut Canvas,
    /// Where the next entry is.
    x: f64,
}

impl Legend<'_> {
    fn of_lanes(&mut self) {
        self.entry("in the ready queue", |it, x| it.hatched(x, MIDDLE - 9.0, SHAPE, 18.0));
        self.entry("parked", |it, x| it.parked(x, x + SHAPE, MIDDLE));
        self.entry("wakes", |it, x| {
            it.dot(x + 14.0, MIDDLE + 8.0, 4.0, &format!(r#"fill="{WAKE}""#));
            it.arrow(x + 14.0, MIDDLE + 8.0, MIDDLE - 10.0, Arrow::Wake);
        });
        self.entry("spawns", |it, x| it.arrow(x + 14.0, MIDDLE + 9.0, MIDDLE - 10.0, Arrow::Spawn));
        self.entry("ended", |it, x| {
            it.parked(x, x + 14.0, MIDDLE);
            it.ended(x + 14.0, MIDDLE, 20.0);
        });
    }

    fn of_thin_lanes(&mut self) {
        self.entry("in the ready queue", |it, x| it.ready(x, MIDDLE - 9.0, SHAPE, 18.0));
        self.entry("parked", |it, x| it.parked_band(x, x + SHAPE, MIDDLE, 18.0));
        self.entry("wakes", |it, x| {
            let look = format!(r#"stroke="{WAKE}" stroke-width="1.5""#);
            it.line((x + 20.0, MIDDLE - 8.0), (x + 20.0, MIDDLE + 8.0), &look);
        });
    }

    fn entry(&mut self, text: &str, draw: impl FnOnce(&mut Canvas, f64)) {
        let (font, (before, after)) = (Font::new(SMALL, INK), GAPS);
        draw(self.canvas, self.x);
        self.canvas.label((self.x + SHAPE + before, LEGEND), WIDTH, font, &[text]);
        self.x += SHAPE + before + font.measure(text) + after;
    }
}
