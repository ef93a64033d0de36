//! One viewer's stream of events, as `text/event-stream`.
//!
//! A viewer is a number: how far it has read in the recorder's ring. So a thousand slow viewers cost
//! no more memory than a thousand numbers and one piece each. One whose next event is not kept any more
//! goes on from now, and is told how many events it missed.
//!
//! Each piece is one message: a `snapshot` (begin anew from this world), or `events`.

use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use reactor::time::{sleep_until, timeout};
use serde_json::{Value, json};
use watch::{Reader, event_json, gate_json, world_json};

use super::routes::Desk;
use crate::http::Live;

/// How often a viewer is told of news: as often as it can draw.
const EVERY: Duration = Duration::from_millis(33);
/// How many events one message has at most.
const AT_ONCE: usize = 1000;
/// If nothing happens, a sign of life. A viewer that has gone without a word is found out by it.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

pub(super) struct Events {
    desk: Rc<Desk>,
    /// None before the first snapshot.
    reader: Option<Reader>,
    /// When there may be another message.
    rested: Instant,
    /// What it was told of gate and orders.
    told: (Value, Value),
}

impl Events {
    pub(super) fn new(desk: Rc<Desk>) -> Events {
        Events { desk, reader: None, rested: Instant::now(), told: (Value::Null, Value::Null) }
    }

    async fn piece(&mut self) -> Vec<u8> {
        let Some(reader) = &self.reader else {
            let reader = self.reader.insert(self.desk.recorder.reader());
            let world = world_json(&reader.world);
            return self.message("snapshot", json!({ "missed": 0, "world": world }));
        };
        if timeout(SIGN_OF_LIFE, self.desk.recorder.changed(reader)).await.is_err() {
            return b": nothing has happened\n\n".to_vec();
        }
        sleep_until(self.rested).await;
        self.rested = Instant::now() + EVERY;
        self.news()
    }

    fn news(&mut self) -> Vec<u8> {
        let (recorder, mut reader) = (&self.desk.recorder, self.reader.take().unwrap_or_default());
        let from = reader.world.events;
        let batch = recorder.read(&mut reader, AT_ONCE);
        if batch.missed > 0 {
            let reader = self.reader.insert(recorder.latest());
            let missed = reader.world.events - from;
            let world = world_json(&reader.world);
            return self.message("snapshot", json!({ "missed": missed, "world": world }));
        }
        let events = batch.events.iter().map(|event| {
            let json = event_json(event, &reader.world);
            reader.world.apply(event);
            json
        });
        let events: Value = events.collect();
        self.reader = Some(reader);
        if batch.left > 0 {
            self.rested = Instant::now(); // it catches up
        }
        self.message("events", json!({ "events": events, "left": batch.left }))
    }

    /// With gate and orders, if they have changed.
    fn message(&mut self, kind: &str, mut data: Value) -> Vec<u8> {
        let mut add = |name: &str, value: Value| data[name] = value;
        add("now", self.desk.now());
        let (gate, orders) = (gate_json(self.desk.recorder.gate()), self.desk.orders_json());
        if kind == "snapshot" || gate != self.told.0 {
            add("gate", gate.clone());
        }
        if kind == "snapshot" || orders != self.told.1 {
            add("orders", orders.clone());
        }
        self.told = (gate, orders);
        format!("event: {kind}\ndata: {data}\n\n").into_bytes()
    }
}

impl Live for Events {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + '_>> {
        Box::pin(async { Some(self.piece().await) })
    }
}

#[cfg(test)]
mod tests {
    use executor::yield_now;
    use watch::{Options, Recorder};

    use super::*;
    use crate::runtime;

    fn next(events: &mut Events) -> (String, Value) {
        let piece = String::from_utf8(runtime::run(events.piece()).unwrap()).unwrap();
        let (kind, data) = piece.split_once("\ndata: ").unwrap();
        assert!(data.ends_with("\n\n") && data.trim_end().lines().count() == 1, "{piece}");
        (kind.to_owned(), serde_json::from_str(data).unwrap())
    }

    #[test]
    fn who_is_too_slow_goes_on_from_now_and_is_told_what_it_missed() {
        let recorder = Recorder::new(Options { capacity: 10, ..Options::default() });
        let turns = |turns: u32| async move {
            for _ in 0..turns {
                yield_now().await;
            }
        };
        let stand = "http://127.0.0.1:1".parse().unwrap();
        let mut events = Events::new(Rc::new(Desk::new(recorder.clone(), stand, "localhost")));
        recorder.run(turns(1)).unwrap();
        let (kind, first) = next(&mut events);
        assert_eq!((kind.as_str(), &first["missed"]), ("event: snapshot", &json!(0)));
        let begin = first["world"]["n"].as_u64().unwrap();
        let (kind, batch) = next(&mut events);
        assert_eq!(kind, "event: events");
        let batch = batch["events"].as_array().unwrap();
        assert_eq!(batch[0]["n"], json!(begin + 1));
        let read = begin + batch.len() as u64;
        assert_eq!(read, recorder.now().events);

        recorder.run(turns(100)).unwrap();
        let now = recorder.now().events;
        let (kind, again) = next(&mut events);
        assert_eq!(kind, "event: snapshot");
        assert_eq!((&again["missed"], &again["world"]["n"]), (&json!(now - read), &json!(now)));
    }
}
