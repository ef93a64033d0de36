//! `.json`: the rules of Chrome's trace event format, on real recordings.

mod common;
mod save_common;

use std::collections::{HashMap, HashSet};
use std::fs;

use save_common::{cut, peaceful, record, wild};
use serde_json::Value;
use watch::{By, Event, Recording, What, perfetto};

/// What a trace has, after it was checked.
#[derive(Debug, Default)]
struct Trace {
    /// Start, end and name of the slices of a track, in nanoseconds.
    slices: HashMap<u64, Vec<(i64, i64, String)>>,
    names: HashMap<u64, String>,
    /// By category.
    flows: HashMap<String, usize>,
}

/// Reads a trace, and checks every rule.
fn check(text: &str) -> Trace {
    let json: Value = serde_json::from_str(text).unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    let mut trace = Trace::default();
    let mut sorted = HashSet::new();
    let mut last = 0;
    for event in events {
        assert_eq!(event["pid"], 1, "{event}");
        let (tid, name) = (event["tid"].as_u64().unwrap(), event["name"].as_str().unwrap());
        match event["ph"].as_str().unwrap() {
            "M" if name == "thread_name" => {
                let name = event["args"]["name"].as_str().unwrap().to_owned();
                assert_eq!(trace.names.insert(tid, name), None, "two names: {event}");
            }
            "M" if name == "thread_sort_index" => assert!(sorted.insert(tid), "{event}"),
            "M" => assert_eq!(name, "process_name"),
            "X" => {
                let (start, length) = (nanos(event, "ts"), nanos(event, "dur"));
                assert!(length >= 0, "{event}");
                let slices = trace.slices.entry(tid).or_default();
                slices.push((start, start + length, name.to_owned()));
            }
            "i" => assert_eq!(event["s"], "t", "{event}"),
            "s" | "f" => {}
            other => panic!("{other}: {event}"),
        }
        if event["ph"] != "M" {
            assert!(nanos(event, "ts") >= last, "sorted by time: {event}");
            last = nanos(event, "ts");
        }
    }
    for event in events {
        let tid = event["tid"].as_u64().unwrap();
        assert!(trace.names.contains_key(&tid) || event["name"] == "process_name", "{event}");
        assert!(sorted.contains(&tid) || event["name"] == "process_name", "{event}");
    }
    check_nesting(&trace);
    check_flows(events, &mut trace);
    trace
}

fn nanos(event: &Value, key: &str) -> i64 {
    (event[key].as_f64().unwrap_or_else(|| panic!("{key}: {event}")) * 1e3).round() as i64
}

fn check_nesting(trace: &Trace) {
    for (tid, slices) in &trace.slices {
        let mut slices = slices.clone();
        slices.sort_by_key(|slice| (slice.0, -slice.1));
        let mut open: Vec<i64> = Vec::new();
        for (start, end, name) in slices {
            while open.last().is_some_and(|last| *last <= start) {
                open.pop();
            }
            let within = open.last().is_none_or(|last| end <= *last);
            assert!(within, "{name} ends after the slice around it, on {}", trace.names[tid]);
            open.push(end);
        }
    }
}

fn check_flows(events: &[Value], trace: &mut Trace) {
    let part = |ph: &str| -> HashMap<u64, &Value> {
        let events = events.iter().filter(|event| event["ph"] == ph);
        let parts: Vec<_> = events.map(|event| (event["id"].as_u64().unwrap(), event)).collect();
        let count = parts.len();
        let parts: HashMap<_, _> = parts.into_iter().collect();
        assert_eq!(parts.len(), count, "an id is used twice");
        parts
    };
    let (starts, ends) = (part("s"), part("f"));
    assert_eq!(starts.len(), ends.len());
    for (id, start) in starts {
        let end = ends[&id];
        assert_eq!((&start["cat"], &start["name"]), (&end["cat"], &end["name"]));
        assert!(nanos(start, "ts") <= nanos(end, "ts"), "backwards: {start} {end}");
        assert_eq!(end["bp"], "e", "it ends at the slice around it");
        *trace.flows.entry(start["cat"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    check_bindings(events);
}

/// A flow belongs to the slice that is open on its track when it comes by, in the order of the
/// file. Instants are slices, too, and hide those below. This is how Perfetto reads it.
fn check_bindings(events: &[Value]) {
    let mut open: HashMap<u64, Vec<(i64, i64, &str)>> = HashMap::new();
    for event in events.iter().filter(|event| event["ph"] != "M") {
        let (tid, at) = (event["tid"].as_u64().unwrap(), nanos(event, "ts"));
        let track = open.entry(tid).or_default();
        let (ph, name) = (event["ph"].as_str().unwrap(), event["name"].as_str().unwrap());
        if ph == "X" || ph == "i" {
            let length = if ph == "X" { nanos(event, "dur") } else { 0 };
            track.retain(|slice| slice.1 > at);
            track.push((at, at + length, if ph == "i" { "an instant" } else { name }));
            continue;
        }
        let slice = track.last().unwrap_or_else(|| panic!("outside of any slice: {event}"));
        assert!(slice.0 <= at && at <= slice.1 && slice.2 != "an instant", "{slice:?}: {event}");
        let target = ph == "s" || (slice.0, slice.2) == (at, "poll");
        assert!(target, "it ends where the poll begins, not in {slice:?}: {event}");
    }
}

/// How many wakes, and how many births by another coroutine, were followed by a poll.
fn followed(events: &[Event]) -> (usize, usize) {
    let (mut wakes, mut births) = (0, 0);
    for (place, event) in events.iter().enumerate() {
        let (task, is_wake) = match &event.what {
            What::Woken { task, by } if *by != By::Spawn => (*task, true),
            What::Spawned { task, parent: Some(_), .. } => (*task, false),
            _ => continue,
        };
        let polled =
            |event: &Event| matches!(event.what, What::PollStarted { task: it } if it == task);
        let count = if is_wake { &mut wakes } else { &mut births };
        *count += usize::from(events[place..].iter().any(polled));
    }
    (wakes, births)
}

fn check_recording(recording: &Recording) -> Trace {
    let trace = check(&perfetto(recording));
    let (wakes, births) = followed(&recording.events);
    let flows = |name: &str| trace.flows.get(name).copied().unwrap_or(0);
    assert_eq!((flows("wake"), flows("spawn")), (wakes, births));
    trace
}

#[test]
fn a_track_for_each_coroutine_and_an_arrow_for_each_wake() {
    let trace = check_recording(&record(100_000, peaceful()));
    let mut names: Vec<&str> = trace.names.values().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["#1 main", "#2 cook", "#3 waiter", "blocking pool, 1", "reactor", "the thread"]
    );
    let polls = |name: &str| {
        let tid = trace.names.iter().find(|it| it.1 == name).unwrap().0;
        trace.slices[tid].iter().filter(|slice| slice.2 == "poll").count()
    };
    assert!(polls("#2 cook") >= 6, "three jobs and three timers");
    assert!(trace.flows["wake"] >= 9, "and three sends, and two ends: {trace:?}");
}

#[test]
fn cancelled_panicked_and_foreign_wakes_keep_to_the_rules() {
    let trace = check_recording(&record(100_000, wild()));
    assert!(trace.names.values().any(|name| name == "other threads"), "{:?}", trace.names);
    let slices = || trace.slices.values().flatten();
    assert!(slices().any(|slice| slice.2 == "dropped"), "the aborted one wakes who waited for it");
}

#[test]
fn so_does_a_recording_that_begins_anywhere() {
    let all = record(100_000, async {
        peaceful().await;
        wild().await;
    })
    .events
    .len();
    for capacity in (1..all).filter(|capacity| *capacity < 60 || capacity % 5 == 0) {
        check_recording(&cut(capacity));
    }
}

#[test]
fn so_do_real_requests() {
    for args in [
        &["--requests", "1"][..],
        &["--requests", "3", "--one-after-another"],
        &["--requests", "100"],
    ] {
        let folder = common::Folder::new("perfetto");
        let (json, txt) = (folder.0.join("run.json"), folder.0.join("run.txt"));
        let files = ["trace", "--out", json.to_str().unwrap(), "--out", txt.to_str().unwrap()];
        let ended = common::run(&[&files[..], args].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.errors);
        let trace = check(&fs::read_to_string(json).unwrap());
        // The text is another way to tell the same.
        let text = fs::read_to_string(txt).unwrap();
        let lines: Vec<(&str, &str)> = text.lines().filter_map(who_and_what).collect();
        let wakes = lines.iter().enumerate().filter(|(place, (who, what))| {
            *what == "woken" && lines[*place..].contains(&(who, "poll"))
        });
        assert_eq!(trace.flows["wake"], wakes.count(), "{args:?}");
        assert!(trace.names.values().any(|name| name.ends_with("connection")));
    }
}

/// `97  113.2  #4 client  woken  by ...`
fn who_and_what(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace().skip_while(|word| !word.starts_with('#'));
    let who = words.next()?;
    Some((who, words.find(|word| ["woken", "poll"].contains(word))?))
}
