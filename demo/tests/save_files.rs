//! `watch::save`: four forms, all of the file or nothing.

mod common;
mod save_common;

use std::{fs, io};

use common::Folder;
use save_common::{HOSTILE, cut, peaceful, record, wild};
use watch::{Form, Options, Recorder, Recording, save};

#[test]
fn the_ending_says_in_which_form() {
    let folder = Folder::new("forms");
    let recorder = Recorder::new(Options::default());
    recorder.run(peaceful()).unwrap();
    for (name, begin) in [
        ("run.html", "<!"),
        ("run.svg", "<svg "),
        ("run.json", "{\"displayTimeUnit\""),
        ("run.txt", "A run: "),
        ("RUN.SVG", "<svg "),
    ] {
        save(&recorder, folder.0.join(name)).unwrap();
        let text = fs::read_to_string(folder.0.join(name)).unwrap();
        assert!(text.to_ascii_lowercase().starts_with(&begin.to_ascii_lowercase()), "{name}");
    }
    assert_eq!(folder.list("").len(), 5, "and nothing else: {:?}", folder.list(""));
}

#[test]
fn another_ending_is_told_the_four_there_are() {
    let folder = Folder::new("endings");
    for name in ["run.png", "run", "run.svg.gz", "html", ""] {
        let error = Recording::default().save(folder.0.join(name)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        for ending in [".html", ".svg", ".json", ".txt", name] {
            assert!(error.to_string().contains(ending), "{ending}: {error}");
        }
    }
    assert_eq!(folder.list(""), [""; 0]);
}

#[test]
fn a_file_that_cannot_be_written_leaves_no_half_of_it() {
    let folder = Folder::new("half");
    let missing = folder.0.join("missing/run.svg");
    let error = Recording::default().save(&missing).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
    // The last step fails: there is a folder of that name, with something in it.
    fs::create_dir_all(folder.0.join("run.svg/full")).unwrap();
    Recording::default().save(folder.0.join("run.svg")).unwrap_err();
    assert_eq!(folder.list(""), ["run.svg"]);
    assert_eq!(folder.list("run.svg"), ["full"]);
}

#[test]
fn a_file_that_is_there_is_replaced() {
    let folder = Folder::new("replaced");
    let file = folder.0.join("run.txt");
    fs::write(&file, "old").unwrap();
    record(1000, peaceful()).save(&file).unwrap();
    assert!(fs::read_to_string(&file).unwrap().contains("#2 cook"));
    assert_eq!(folder.list(""), ["run.txt"]);
}

#[test]
fn each_form_tells_what_is_no_longer_kept() {
    let recording = cut(20);
    let older = recording.base.events;
    assert!(older > 20);
    let told = format!("the {older} events before it are not shown");
    assert!(recording.drawn(Form::Picture).contains(&told));
    assert!(recording.drawn(Form::Text).contains(&told));
    let json: serde_json::Value = serde_json::from_str(&recording.drawn(Form::Trace)).unwrap();
    assert_eq!(json["otherData"]["older events that are not kept"], older);
    // The page counts on from here.
    assert!(recording.drawn(Form::Page).contains(&format!("\"n\":{older}")));
}

#[test]
fn the_page_has_the_recording_in_it_and_needs_nothing_else() {
    let recording = record(1000, wild());
    let page = recording.drawn(Form::Page);
    assert_eq!(page.matches("window.RECORDING = {").count(), 1);
    assert_eq!(page.matches("\"say\":").count(), recording.events.len());
    assert!(!page.contains("<!--RECORDING-->"));
    assert!(!page.contains(HOSTILE), "the name cannot end the script");
    for outside in ["src=\"http", "href=\"http://", "@import", "url(http", "href=\"//"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn the_text_has_lanes_and_a_line_for_each_event() {
    let recording = record(1000, peaceful()).titled("three burgers");
    let text = recording.drawn(Form::Text);
    assert!(text.starts_with("Three burgers: "), "{text}");
    let lane = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap();
    for name in ["#1 main ", "#2 cook ", "#3 waiter "] {
        assert!(lane(name).contains('#') && lane(name).contains('.'), "{text}");
    }
    assert!(lane("the thread ").contains('z'), "{text}");
    let (_, log) = text.split_once("every event").unwrap();
    let is_number = |line: &&str| {
        let first = line.split_whitespace().next();
        first.is_some_and(|word| word.parse::<u64>().is_ok())
    };
    assert_eq!(log.lines().filter(is_number).count(), recording.events.len());
}

#[test]
fn part_of_a_recording_begins_with_what_was_so_then() {
    let all = record(1000, peaceful());
    let middle = all.events[all.events.len() / 2].at;
    let (end, count) = (all.span.1, all.events.len() as u64);
    let part = all.between(middle, end);
    assert_eq!(part.base.events + part.events.len() as u64, count);
    assert!(part.events.iter().all(|event| event.at >= middle));
    assert!(part.base.coroutines.len() == 3 && part.span == (middle, end));
}
