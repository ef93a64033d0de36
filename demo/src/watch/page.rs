//! The page: one file, the same for a loop that runs and for a recording of one.
//!
//! `page.html` has two marks. In the place of one comes the source of the main loop, as it was
//! compiled; in the place of the other one the recording, if there is one. Without a recording the
//! page asks whoever serves it for events.

use serde_json::{Value, json};

use crate::event::Event;
use crate::json::{event_json, world_json};
use crate::world::World;

const PAGE: &str = include_str!("page.html");
const SOURCE: &str = include_str!("../../../executor/src/executor.rs");
const LOOP_MARK: &str = "<!--LOOP-->";
const RECORDING_MARK: &str = "<!--RECORDING-->";

/// The page that shows a loop while it runs.
#[must_use]
pub fn page() -> String {
    PAGE.replace(LOOP_MARK, &script("LOOP", &main_loop()))
}

/// The page that shows a recording: `base` is what was so before the first event. It needs no
/// server and no network.
#[must_use]
pub fn page_of(base: &World, events: &[Event]) -> String {
    let mut world = base.clone();
    let event = |event: &Event| {
        let json = event_json(event, &world);
        world.apply(event);
        json
    };
    let events: Vec<Value> = events.iter().map(event).collect();
    let recording = json!({ "world": world_json(base), "events": events });
    page().replace(RECORDING_MARK, &script("RECORDING", &recording))
}

/// In a script nothing ends it but `</script`, and `<!--` begins something strange.
fn script(name: &str, value: &Value) -> String {
    format!("<script>window.{name} = {};</script>", value.to_string().replace('<', "\\u003c"))
}

/// The lines of `block_on` from `loop {` to its end, and where they are.
fn main_loop() -> Value {
    let begin = SOURCE.lines().position(|line| line.trim() == "loop {").unwrap_or(0);
    let indent = SOURCE.lines().nth(begin).map_or(0, |line| line.len() - line.trim_start().len());
    let end = |line: &&str| line.len() == indent + 1 && line.ends_with('}');
    let mut lines: Vec<&str> = Vec::new();
    for line in SOURCE.lines().skip(begin) {
        lines.push(line.get(indent..).unwrap_or_default());
        if end(&line) {
            break;
        }
    }
    json!({ "file": "executor/src/executor.rs", "line": begin + 1, "lines": lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_the_loop_as_it_is() {
        let source = main_loop();
        let lines: Vec<&str> =
            source["lines"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!((lines.first(), lines.last()), (Some(&"loop {"), Some(&"}")));
        // The page looks for these, to light them.
        for needle in [
            "scheduler.poll_ready(",
            "scheduler.poll_main(",
            "scheduler.park(",
            "scheduler.open_inbox(",
        ] {
            assert_eq!(lines.iter().filter(|line| line.contains(needle)).count(), 1, "{needle}");
        }
        let line = source["line"].as_u64().unwrap() as usize;
        assert_eq!(SOURCE.lines().nth(line - 1).unwrap().trim(), "loop {");
    }

    #[test]
    fn each_mark_is_there_once() {
        for mark in [LOOP_MARK, RECORDING_MARK] {
            assert_eq!(PAGE.matches(mark).count(), 1, "{mark}");
        }
        assert!(!page().contains(LOOP_MARK) && page().contains(RECORDING_MARK));
    }

    #[test]
    fn a_recording_cannot_end_its_script() {
        let location = std::panic::Location::caller();
        let what = crate::What::Spawned {
            task: 1,
            slot: 0,
            name: "</script><script>alert(1)</script>".to_owned(),
            parent: None,
            at: location,
        };
        let event = Event { at: std::time::Duration::ZERO, what };
        let page = page_of(&World::default(), &[event]);
        assert_eq!(
            page.matches("</script>").count(),
            self::page().matches("</script>").count() + 1
        );
        assert!(!page.contains(RECORDING_MARK));
    }
}
