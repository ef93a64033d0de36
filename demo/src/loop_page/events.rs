//! One viewer's stream of events, as `text/event-stream`.
//!
//! A viewer is a number: how far it has read in the recorder's ring. So a thousand slow viewers cost
//! no more memory than a thousand numbers and one piece each. One who falls too far behind goes on
//! from now, and is told how many events it missed.
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
/// Who is so far behind will not catch up.
const TOO_FAR: usize = 30_000;
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
        if batch.missed > 0 || batch.left > TOO_FAR {
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
