//! Labels. None ever covers another one: one that finds no room is shortened, or left out.
//!
//! Nobody knows which font the picture will be seen in, so a text is taken to be as wide as in the
//! widest one that is usual.

use std::fmt::Write;

use super::canvas::{Canvas, PAPER, WIDTH, escape};

/// Smaller letters cannot be read from the back of a room.
pub(super) const SMALL: f64 = 16.0;
/// Two labels in a line are at least twice as far apart.
const APART: f64 = 3.0;

/// A rectangle: left, top, right, bottom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area(f64, f64, f64, f64);

#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a label looks.
#[derive(Clone, Copy)]
pub(super) struct Font {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: &'static str,
    pub(super) anchor: Anchor,
}

impl Font {
    pub(super) const fn new(size: f64, colour: &'static str) -> Font {
        Font { size, bold: false, colour, anchor: Anchor::Start }
    }

    pub(super) const fn bold(self) -> Font {
        Font { bold: true, ..self }
    }

    pub(super) const fn anchored(self, anchor: Anchor) -> Font {
        Font { anchor, ..self }
    }

    pub(super) fn measure(&self, text: &str) -> f64 {
        let em: f64 = text.chars().map(width).sum();
        em * self.size * if self.bold { 1.15 } else { 1.0 }
    }
}

/// How wide a character is, in ems.
fn width(character: char) -> f64 {
    let widths = (character as usize).checked_sub(32).and_then(|place| WIDTHS.get(place));
    f64::from(*widths.unwrap_or(&1000)) / 1000.0
}

/// The printable characters of ASCII in DejaVu Sans, which is as wide as Verdana: whatever a system
/// has instead is not wider.
const WIDTHS: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
    575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685,
    611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579,
    278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];

impl Canvas {
    /// The first of the texts that is at most `room` wide, and covers nothing. Whether there is one.
    pub(super) fn label<S: AsRef<str>>(
        &mut self,
        (x, y): (f64, f64),
        room: f64,
        font: Font,
        texts: &[S],
    ) -> bool {
        for text in texts.iter().map(AsRef::as_ref) {
            let width = font.measure(text);
            let left = match font.anchor {
                Anchor::Start => x,
                Anchor::Middle => x - width / 2.0,
                Anchor::End => x - width,
            };
            let (top, bottom) = (y - 0.8 * font.size, y + 0.25 * font.size);
            let area = Area(left - APART, top, left + width + APART, bottom);
            let outside = left < 0.0 || left + width > WIDTH;
            if width > room || outside || self.taken.iter().any(|other| other.overlaps(area)) {
                continue;
            }
            self.taken.push(area);
            self.write(x, y, font, text);
            return true;
        }
        false
    }

    /// The first of the texts that fits somewhere from `left` to `right` and covers neither a label
    /// nor an arrow, as far to the left as can be. Whether there is one.
    pub(super) fn clear_label<S: AsRef<str>>(
        &mut self,
        (left, right): (f64, f64),
        y: f64,
        font: Font,
        texts: &[S],
    ) -> bool {
        let narrowest = texts.iter().map(|text| font.measure(text.as_ref()));
        if narrowest.fold(f64::MAX, f64::min) > right - left {
            return false;
        }
        let (top, bottom) = (y - font.size, y + 0.3 * font.size);
        let crosses = |arrow: &&(f64, f64, f64)| arrow.1 < bottom && arrow.2 > top;
        let mut arrows: Vec<f64> = self.crossed.iter().filter(crosses).map(|it| it.0).collect();
        arrows.retain(|x| *x > left - 8.0 && *x < right);
        arrows.sort_by(f64::total_cmp);
        let starts = std::iter::once(left).chain(arrows.iter().map(|x| x + 8.0));
        let starts: Vec<f64> = starts.collect();
        for text in texts {
            for &start in &starts {
                let end = start + font.measure(text.as_ref());
                let free = !arrows.iter().any(|x| *x > start - 6.0 && *x < end + 6.0);
                if free && self.label((start, y), right - start, font, &[text]) {
                    return true;
                }
            }
        }
        false
    }

    /// The same, but an arrow may be covered: it seems to pass behind the text.
    pub(super) fn label_over_arrows<S: AsRef<str>>(
        &mut self,
        (left, right): (f64, f64),
        y: f64,
        font: Font,
        texts: &[S],
    ) {
        let fits = |it: &mut Canvas, text: &&S| it.label((left, y), right - left, font, &[text]);
        if let Some(text) = texts.iter().find(|text| fits(self, text)) {
            let (width, height) = (font.measure(text.as_ref()), 1.2 * font.size);
            let look = format!(r#"fill="{PAPER}" fill-opacity="0.85""#);
            self.rect(left - 2.0, y - font.size + 2.0, width + 2.0, height, &look);
        }
    }

    /// The text, or as much of it as fits.
    pub(super) fn cut(&mut self, at: (f64, f64), room: f64, font: Font, text: &str) {
        let mut cut = text.to_owned();
        while font.measure(&cut) > room {
            let short = cut.trim_end_matches('…');
            let Some((last, _)) = short.char_indices().next_back() else { return };
            cut = format!("{}…", short[..last].trim_end());
            if cut.len() <= '…'.len_utf8() {
                return;
            }
        }
        self.label(at, room, font, &[cut]);
    }

    fn write(&mut self, x: f64, y: f64, font: Font, text: &str) {
        let (size, colour) = (font.size, font.colour);
        let weight = if font.bold { r#" font-weight="bold""# } else { "" };
        let anchor = match font.anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let text = escape(text);
        let _ = writeln!(
            self.labels,
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}" fill="{colour}"{weight}{anchor}>{text}</text>"#
        );
    }
}

impl Area {
    fn overlaps(self, other: Area) -> bool {
        self.0 < other.2 && other.0 < self.2 && self.1 < other.3 && other.1 < self.3
    }
}
