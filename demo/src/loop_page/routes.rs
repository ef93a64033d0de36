//! What the page answers to.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use reactor::time;
use serde_json::{Value, json};
use watch::{Recorder, gate_json, world_json};

use super::events::Events;
use super::order::{Order, Way};
use crate::app::{Answer, App, Routes};
use crate::guard;
use crate::http::client::Url;
use crate::http::{Problem, Request, Response};

/// What the path operations work with.
pub(super) struct Desk {
    pub(super) recorder: Arc<Recorder>,
    pub(super) stand: Url,
    /// The last orders, the oldest first.
    pub(super) orders: RefCell<Vec<Order>>,
    /// The name that --loop-host gave.
    own_name: String,
}

impl Desk {
    pub(super) fn new(recorder: Arc<Recorder>, stand: Url, own_name: &str) -> Desk {
        Desk { recorder, stand, orders: RefCell::default(), own_name: own_name.to_owned() }
    }
}

pub(super) fn routes(desk: Desk) -> Routes {
    App::new(desk)
        .get("/", page)
        .get("/loop", page)
        .get("/loop/state", state)
        .get("/loop/events", events)
        .post("/loop/control", control)
        .post("/loop/order", order)
        .into_routes()
}

async fn page(desk: Rc<Desk>, request: Request) -> Answer {
    guard::visit(&request, &desk.own_name)?;
    let page = watch::page().into_bytes();
    Ok(guard::sealed(Response::new(200, "text/html; charset=utf-8", page)))
}

/// What is so now.
async fn state(desk: Rc<Desk>, request: Request) -> Answer {
    guard::read(&request, &desk.own_name)?;
    let mut state = world_json(&desk.recorder.now());
    state["gate"] = gate_json(desk.recorder.gate());
    state["now"] = desk.now();
    Ok(guard::sealed(Response::json(200, &state)))
}

/// What happens, as it happens: Server-Sent Events.
async fn events(desk: Rc<Desk>, request: Request) -> Answer {
    guard::read(&request, &desk.own_name)?;
    Ok(guard::sealed(Response::live("text/event-stream", Events::new(desk))))
}

/// `{"do": "pause"}`, `{"do": "step", "n": 1}`, `{"do": "resume"}`, `{"do": "slow", "ms": 50}`.
async fn control(desk: Rc<Desk>, request: Request) -> Answer {
    guard::write(&request, &desk.own_name)?;
    let wish = request.json()?;
    let recorder = &desk.recorder;
    match wish["do"].as_str() {
        Some("pause") => recorder.pause(),
        Some("step") => recorder.step(within(&wish, "n", 1..=1000)?),
        Some("resume") => recorder.resume(),
        Some("slow") => recorder.slow_down(Duration::from_millis(within(&wish, "ms", 1..=5000)?)),
        _ => return Err(Problem::new(400, "\"do\" is pause, step, resume or slow")),
    }
    Ok(guard::sealed(Response::json(200, &gate_json(recorder.gate()))))
}

/// `{"n": 3, "way": "together"}`: real requests to the stand.
async fn order(desk: Rc<Desk>, request: Request) -> Answer {
    guard::write(&request, &desk.own_name)?;
    let wish = request.json()?;
    let n = within(&wish, "n", 1..=100)?;
    let way = match wish["way"].as_str() {
        Some("together") => Way::Together,
        Some("one after another") => Way::OneAfterAnother,
        _ => return Err(Problem::new(400, "\"way\" is together, or one after another")),
    };
    let number = desk.place_order(n, way)?;
    Ok(guard::sealed(Response::json(202, &json!({ "order": number }))))
}

fn within(wish: &Value, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<u64, Problem> {
    wish[name].as_u64().filter(|n| range.contains(n)).ok_or_else(|| {
        let (least, most) = range.into_inner();
        Problem::new(400, format!("{name:?} is a number from {least} to {most}"))
    })
}

impl Desk {
    /// The recorder's clock, in milliseconds.
    pub(super) fn now(&self) -> Value {
        json!((self.recorder.when(time::now()).as_secs_f64() * 1e6).round() / 1e3)
    }
}
