//! Shapes. All that is used is understood by slide programs, too: no style sheets, no scripts, no patterns.

use std::collections::HashMap;
use std::fmt::Write;

use super::labels::Area;

pub(super) const WIDTH: f64 = 1280.0;
pub(super) const HEIGHT: f64 = 720.0;

pub(super) const PAPER: &str = "#fffefb";
pub(super) const INK: &str = "#1d2330";
pub(super) const MUTED: &str = "#555d6e";
pub(super) const FAINT: &str = "#dfe2e8";
pub(super) const POLLED: &str = "#0f766e";
pub(super) const READY: &str = "#b4510a";
pub(super) const STRIPED: &str = "#fff3e4";
pub(super) const PARKED: &str = "#8b92a1";
pub(super) const PALE: &str = "#cfd3dc";
pub(super) const WAKE: &str = "#6d28d9";
const JOB: &str = "#d6c8f5";
const JOB_EDGE: &str = "#8b63d9";
pub(super) const ASLEEP: &str = "#eef0f4";

#[derive(Default)]
pub(super) struct Canvas {
    /// Drawn first.
    shapes: String,
    /// Drawn over the shapes.
    pub(super) labels: String,
    /// Where labels are.
    pub(super) taken: Vec<Area>,
    /// Arrows: where, from where down to where.
    pub(super) crossed: Vec<(f64, f64, f64)>,
    /// How far to the right each kind of shape was drawn, by the places of its top and bottom.
    drawn: HashMap<(char, i64, i64), f64>,
}

#[derive(Clone, Copy)]
pub(super) enum Arrow {
    Wake,
    /// Where there are many.
    ThinWake,
    Spawn,
}

impl Canvas {
    /// Whether a shape would only be seen where the last one of its kind is already. A long
    /// recording has many that are thinner than a line.
    fn covered(&mut self, kind: char, top: f64, bottom: f64, right: f64) -> bool {
        let place = (kind, (top * 10.0) as i64, (bottom * 10.0) as i64);
        let last = self.drawn.entry(place).or_insert(f64::MIN);
        if right < *last + 0.4 {
            return true;
        }
        *last = right;
        false
    }

    // Shapes --------------------------------------------------------------------------------------

    pub(super) fn rect(&mut self, x: f64, y: f64, w: f64, h: f64, look: &str) {
        let _ = writeln!(
            self.shapes,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{w:.1}" height="{h:.1}" {look}/>"#
        );
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), look: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.shapes,
            r#"<path d="M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}" fill="none" {look}/>"#
        );
    }

    pub(super) fn path(&mut self, d: &str, look: &str) {
        let _ = writeln!(self.shapes, r#"<path d="{d}" {look}/>"#);
    }

    pub(super) fn dot(&mut self, x: f64, y: f64, r: f64, look: &str) {
        if self.covered('o', y, y, x) {
            return;
        }
        let _ = writeln!(self.shapes, r#"<circle cx="{x:.1}" cy="{y:.1}" r="{r}" {look}/>"#);
    }

    // What the shapes mean is in the legend.

    pub(super) fn polled(&mut self, x: f64, y: f64, w: f64, h: f64) {
        if self.covered('p', y, y + h, x + w) {
            return;
        }
        let round = (w / 4.0).min(3.0);
        self.rect(x, y, w, h, &format!(r#"rx="{round:.1}" fill="{POLLED}""#));
    }

    pub(super) fn parked(&mut self, from: f64, to: f64, y: f64) {
        if !self.covered('-', y, y, to) {
            self.line((from, y), (to, y), &format!(r#"stroke="{PARKED}" stroke-width="4""#));
        }
    }

    /// The same where lanes are thin.
    pub(super) fn parked_band(&mut self, from: f64, to: f64, y: f64, thick: f64) {
        if !self.covered('-', y, y, to) {
            let look = format!(r#"stroke="{PALE}" stroke-width="{thick:.1}""#);
            self.line((from, y), (to, y), &look);
        }
    }

    pub(super) fn ready(&mut self, x: f64, y: f64, w: f64, h: f64) {
        if w > 0.3 && !self.covered('r', y, y + h, x + w) {
            self.rect(x, y, w, h, &format!(r#"fill="{READY}""#));
        }
    }

    pub(super) fn asleep(&mut self, x: f64, y: f64, w: f64, h: f64) {
        if self.covered('z', y, y + h, x + w) {
            return;
        }
        let look = r#"stroke-dasharray="2 3" stroke-width="1.2""#;
        self.rect(x, y, w, h, &format!(r#"rx="3" fill="{ASLEEP}" stroke="{PARKED}" {look}"#));
    }

    /// What the blocking pool does. A job that is not done has a dashed edge.
    pub(super) fn job(&mut self, x: f64, y: f64, w: f64, h: f64, done: bool) {
        if self.covered('j', y, y + h, x + w) {
            return;
        }
        let edge = if w > 5.0 && h > 3.0 { JOB_EDGE } else { JOB };
        let dashes = if done { "" } else { r#" stroke-dasharray="4 3""# };
        let look = format!(r#"fill="{JOB}" stroke="{edge}" stroke-width="1.2"{dashes}"#);
        self.rect(x, y, w, h, &look);
    }

    pub(super) fn ended(&mut self, x: f64, y: f64, h: f64) {
        let look = format!(r#"stroke="{INK}" stroke-width="3.5""#);
        self.line((x, y - h / 2.0), (x, y + h / 2.0), &look);
    }

    /// A block with stripes: they are seen where colours are not.
    pub(super) fn hatched(&mut self, x: f64, y: f64, w: f64, h: f64) {
        if w < 2.0 || self.covered('r', y, y + h, x + w) {
            return;
        }
        let look = format!(r#"fill="{STRIPED}" stroke="{READY}" stroke-width="1.5""#);
        self.rect(x, y, w, h, &look);
        let (mut d, mut c) = (String::new(), 7.0);
        // Each stripe goes from bottom left to top right, along x + y = c, within the block.
        while c < w + h {
            let (left, right) = ((c - h).max(0.0), c.min(w));
            let (bottom, top) = (c - left, c - right);
            let (x1, y1, x2, y2) = (x + left, y + bottom, x + right, y + top);
            let _ = write!(d, "M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}");
            c += 7.0;
        }
        self.path(&d, &format!(r#"fill="none" stroke="{READY}" stroke-width="2""#));
    }

    /// A vertical arrow with its head at `to`.
    pub(super) fn arrow(&mut self, x: f64, from: f64, to: f64, arrow: Arrow) {
        let (colour, half, look) = match arrow {
            Arrow::Wake => (WAKE, 5.5, r#"stroke-width="2.2""#),
            Arrow::ThinWake => (WAKE, 3.5, r#"stroke-width="1.1""#),
            Arrow::Spawn => (MUTED, 5.0, r#"stroke-width="1.8" stroke-dasharray="3 3""#),
        };
        if self.covered('^', from, to, x) {
            return;
        }
        let back = if to > from { to - half * 1.7 } else { to + half * 1.7 };
        self.crossed.push((x, from.min(to), from.max(to)));
        self.line((x, from), (x, back), &format!(r#"stroke="{colour}" {look}"#));
        let (left, right) = (x - half, x + half);
        let d = format!("M{left:.1} {back:.1}L{right:.1} {back:.1}L{x:.1} {to:.1}Z");
        self.path(&d, &format!(r#"fill="{colour}""#));
    }

    /// Time is left out here.
    pub(super) fn zigzag(&mut self, from: f64, to: f64, y: f64, look: &str) {
        let mut d = format!("M{from:.1} {y:.1}");
        let teeth = ((to - from) / 5.0).floor().max(2.0);
        for tooth in 1..=teeth as u32 {
            let x = from + (to - from) * f64::from(tooth) / teeth;
            let side = if tooth % 2 == 1 { -3.0 } else { 3.0 };
            let y = if tooth as f64 == teeth { y } else { y + side };
            let _ = write!(d, "L{x:.1} {y:.1}");
        }
        self.path(&d, &format!(r#"fill="none" {look}"#));
    }

    // The file ------------------------------------------------------------------------------------

    pub(super) fn finish(self, title: &str, description: &str) -> String {
        let (title, description) = (escape(title), escape(description));
        let Canvas { shapes, labels, .. } = self;
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-labelledby="title desc" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif">
<title id="title">{title}</title>
<desc id="desc">{description}</desc>
<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>
{shapes}{labels}</svg>
"#
        )
    }
}

pub(super) fn escape(text: &str) -> String {
    let allowed = |c: &char| !c.is_control();
    let text: String = text.chars().filter(allowed).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
