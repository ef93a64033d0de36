//! `.svg`: labels never overlap, and nothing is needed but the file.

mod common;
mod save_common;

use std::fs;

use common::Folder;
use save_common::{HOSTILE, cut, peaceful, record, wild};
use watch::{Recording, svg};

/// The widths of the printable characters of ASCII, in thousandths: DejaVu Sans, which is as wide as
/// Verdana and wider than any other usual system font; and its bold face.
const REGULAR: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
    575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685,
    611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579,
    278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];
const BOLD: [u16; 95] = [
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696,
    696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683,
    683, 821, 837, 372, 372, 775, 637, 995, 837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771,
    724, 725, 457, 365, 457, 838, 500, 500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343, 665,
    343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712, 365, 712, 838,
];

#[derive(Debug)]
struct Label {
    text: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Label {
    /// Of the line with a `<text>`.
    fn of(line: &str) -> Label {
        let number = |name: &str| -> f64 { attribute(line, name).unwrap().parse().unwrap() };
        let (_, rest) = line.split_once('>').unwrap();
        let text = rest.strip_suffix("</text>").unwrap();
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        let text = text.replace("&amp;", "&");
        let (x, y, size) = (number("x"), number("y"), number("font-size"));
        let face = if attribute(line, "font-weight").is_some() { &BOLD } else { &REGULAR };
        let of = |c: char| (c as usize).checked_sub(32).and_then(|place| face.get(place));
        let ems: u32 = text.chars().map(|c| u32::from(*of(c).unwrap_or(&1000))).sum();
        let width = f64::from(ems) / 1000.0 * size;
        let left = match attribute(line, "text-anchor") {
            None => x,
            Some("middle") => x - width / 2.0,
            Some("end") => x - width,
            Some(other) => panic!("{other}"),
        };
        let (top, bottom) = (y - 0.76 * size, y + 0.24 * size);
        Label { text, left, right: left + width, top, bottom }
    }

    fn overlaps(&self, other: &Label) -> bool {
        let across = self.left < other.right && other.left < self.right;
        across && self.top < other.bottom && other.top < self.bottom
    }
}

fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

/// Its labels, after all rules were checked.
fn check(picture: &str) -> Vec<Label> {
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    assert!(picture.contains("viewBox=\"0 0 1280 720\""), "16:9");
    assert!(picture.contains("<title id=\"title\">") && picture.contains("<desc id=\"desc\">"));
    for outside in
        ["<script", "<image", "href", "url(", "@import", "<style", "<foreignObject", "NaN", "inf"]
    {
        assert!(!picture.contains(outside), "{outside}");
    }
    let lines = picture.lines().filter(|line| line.starts_with("<text"));
    let labels: Vec<Label> = lines.map(Label::of).collect();
    for (place, label) in labels.iter().enumerate() {
        assert!(label.left >= 0.0 && label.right <= 1280.0, "outside: {label:?}");
        assert!(label.top >= 0.0 && label.bottom <= 720.0, "outside: {label:?}");
        for other in &labels[..place] {
            assert!(!label.overlaps(other), "{label:?} covers {other:?}");
        }
    }
    for line in picture.lines().filter(|line| line.starts_with("<text")) {
        let size: f64 = attribute(line, "font-size").unwrap().parse().unwrap();
        assert!(size >= 16.0, "too small for the last row: {line}");
    }
    labels
}

fn has(labels: &[Label], text: &str) -> bool {
    labels.iter().any(|label| label.text.contains(text))
}

/// The picture of real requests.
fn requests(args: &[&str]) -> Vec<Label> {
    let folder = Folder::new("svg");
    let file = folder.0.join("run.svg");
    let ended = common::run(&[&["trace", "--out", file.to_str().unwrap()], args].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    check(&fs::read_to_string(file).unwrap())
}

#[test]
fn one_request_shows_who_waits_for_what_and_for_how_long() {
    let labels = requests(&[]);
    for text in [
        "One request: ",
        "#1 main",
        "client",
        "connection",
        "kitchen",
        "the thread",
        "reactor",
        "blocking pool",
        "socket",
        "timer",
        "job",
        " polls took ",
        "polled",
        "in the ready queue",
        "parked",
        "wakes",
        "spawns",
        "ended",
        "not to scale",
        "events before it are not shown",
    ] {
        assert!(has(&labels, text), "{text}: {labels:?}");
    }
    let milliseconds = labels.iter().filter(|label| label.text.ends_with(" ms"));
    assert!(milliseconds.count() >= 3, "the long sleep, and what the polls took: {labels:?}");
}

#[test]
fn three_requests_are_on_a_true_axis() {
    for args in [&["--requests", "3"][..], &["--requests", "3", "--one-after-another"]] {
        let labels = requests(args);
        assert!(has(&labels, "true time") && has(&labels, "timer"), "{labels:?}");
        assert!(!has(&labels, "not to scale"));
    }
}

#[test]
fn a_crowd_stands_in_groups() {
    let labels = requests(&["--requests", "100"]);
    for group in ["100 × client", "100 × connection", "100 × kitchen"] {
        assert!(has(&labels, group), "{group}: {labels:?}");
    }
}

#[test]
fn what_does_not_fit_is_counted() {
    let recording = record(100_000, async {
        let many = (0..400).map(|_| executor::spawn(executor::yield_now()).named("one of many"));
        for one in many.collect::<Vec<_>>() {
            one.await.unwrap();
        }
    });
    let labels = check(&svg(&recording));
    let told = labels.iter().find(|label| label.text.contains("of 401 coroutines are drawn"));
    let drawn: usize = told.unwrap().text.split(' ').next().unwrap().parse().unwrap();
    assert!((200..400).contains(&drawn), "{drawn}");
}

#[test]
fn lanes_of_an_own_program_say_what_they_wait_for() {
    let labels = check(&svg(&record(100_000, peaceful()).titled("peace")));
    for text in ["Peace: ", "#2 cook", "#3 waiter", "channel", "the end of #2"] {
        assert!(has(&labels, text), "{text}: {labels:?}");
    }
}

#[test]
fn names_are_no_markup() {
    let picture = svg(&record(100_000, wild()).titled(HOSTILE));
    check(&picture);
    assert!(picture.contains("&lt;/script&gt;&lt;!--"));
}

#[test]
fn nothing_at_all_is_a_picture_too() {
    check(&svg(&Recording::default()));
    check(&svg(&record(100_000, async {})));
}

#[test]
fn a_long_recording_is_no_long_picture() {
    let recording = record(100_000, async {
        let (sender, receiver) = executor::channel::bounded(1);
        let many = executor::spawn(async move {
            for number in 0..8_000 {
                sender.send(number).await.unwrap();
            }
        });
        while receiver.recv().await.is_some() {}
        many.await.unwrap();
    });
    assert!(recording.events.len() > 50_000);
    let picture = svg(&recording);
    check(&picture);
    assert!(picture.len() < 2_000_000, "{} bytes", picture.len());
}

#[test]
fn no_label_overlaps_wherever_the_recording_begins() {
    for capacity in (1..250).filter(|capacity| *capacity < 20 || capacity % 7 == 0) {
        check(&svg(&cut(capacity)));
    }
}
