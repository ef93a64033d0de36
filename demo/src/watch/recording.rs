//! A recording that is complete: what was so before it, and what happened since.

use std::time::Duration;

use crate::event::{Event, What};
use crate::recorder::Recorder;
use crate::world::World;

/// What all files are made of.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// What it is a recording of, in a few words. May be empty.
    pub title: String,
    /// What was so before the first event.
    pub base: World,
    /// What happened.
    pub events: Vec<Event>,
    /// From when to when.
    pub span: (Duration, Duration),
}

impl Recording {
    /// All that the recorder has kept.
    #[must_use]
    pub fn of(recorder: &Recorder) -> Recording {
        let (base, events) = recorder.recording();
        let first = events.first().map_or(base.at, |event| event.at);
        let last = events.last().map_or(base.at, |event| event.at);
        Recording { title: String::new(), base, events, span: (first, last) }
    }

    /// Says what it is a recording of.
    #[must_use]
    pub fn titled(self, title: impl Into<String>) -> Recording {
        Recording { title: title.into(), ..self }
    }

    /// Only what happened between these two times. What was before is in the base.
    #[must_use]
    pub fn between(mut self, from: Duration, to: Duration) -> Recording {
        let rest = self.events.split_off(self.events.partition_point(|event| event.at < from));
        for event in std::mem::replace(&mut self.events, rest) {
            self.base.apply(&event);
        }
        self.events.truncate(self.events.partition_point(|event| event.at <= to));
        self.span = (from, to.max(from));
        self
    }

    /// Its title with a capital letter, or this one.
    pub(crate) fn title_or(&self, other: &str) -> String {
        let title = if self.title.is_empty() { other } else { &self.title };
        let mut letters = title.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    }

    /// What is to be told if this is not the whole story.
    pub(crate) fn older(&self) -> Option<String> {
        match self.base.events {
            0 => None,
            1 => Some("the event before it is not shown".to_owned()),
            older => Some(format!("the {} events before it are not shown", grouped(older))),
        }
    }

    /// What happened that is wrong, in plain words.
    pub(crate) fn diagnoses(&self) -> impl Iterator<Item = (Duration, &str)> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Diagnosis { text, .. } => Some((event.at, text.as_str())),
            _ => None,
        })
    }
}

/// `12,345`
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
