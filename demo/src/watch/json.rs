//! Events and worlds as JSON: what the page is fed with, live or from a file.
//!
//! Times are milliseconds since the recorder was made, lines are `FILE:LINE`.

use std::panic::Location;
use std::time::Duration;

use executor::observe::{End, Outcome};
use reactor::Direction;
use serde_json::{Map, Value, json};

use crate::coroutine::{Coroutine, State};
use crate::diagnose::Kind;
use crate::event::{By, Event, What};
use crate::gate::Gate;
use crate::wait::Wait;
use crate::world::{Phase, World};

/// An event. `before` is what was so before it: it has the event's number, and the names.
#[must_use]
pub fn event_json(event: &Event, before: &World) -> Value {
    let mut value = what_json(&event.what);
    value["n"] = json!(before.events + 1);
    value["t"] = milliseconds(event.at);
    value["say"] = json!(before.tell(&event.what));
    value
}

/// What is so.
#[must_use]
pub fn world_json(world: &World) -> Value {
    let coroutines: Vec<Value> = world.coroutines.values().map(coroutine_json).collect();
    let keyed = |entries: &mut dyn Iterator<Item = (String, Value)>| -> Map<String, Value> {
        entries.collect()
    };
    let sources = keyed(&mut world.sources.iter().map(|(slot, source)| {
        let value = json!({
            "generation": source.generation, "kind": source.kind, "fd": source.fd,
            "local": source.local, "peer": source.peer,
        });
        (slot.to_string(), value)
    }));
    let jobs = keyed(&mut world.jobs.iter().map(|(number, job)| {
        let since = milliseconds(job.since);
        (number.to_string(), json!({ "task": job.task, "at": line(job.at), "since": since }))
    }));
    json!({
        "n": world.events, "t": milliseconds(world.at), "coroutines": coroutines,
        "ready": world.ready, "sources": sources, "jobs": jobs, "phase": phase_json(world.phase),
    })
}

/// The gate, and whether the thread stands before it.
#[must_use]
pub fn gate_json((gate, stands): (Gate, bool)) -> Value {
    let (state, rest, more) = match gate {
        Gate::Open => ("open", Value::Null, Value::Null),
        Gate::Slow(rest) => ("slow", milliseconds(rest), Value::Null),
        Gate::Closed(more) => ("closed", Value::Null, json!(more)),
    };
    json!({ "state": state, "rest": rest, "more": more, "stands": stands })
}

fn what_json(what: &What) -> Value {
    match what {
        What::Spawned { task, slot, name, parent, at } => json!({
            "k": "spawned", "task": task, "slot": slot, "name": name, "parent": parent,
            "at": line(at),
        }),
        What::Named { task, name } => json!({ "k": "named", "task": task, "name": name }),
        What::Woken { task, by } => json!({ "k": "woken", "task": task, "by": by_json(by) }),
        What::PollStarted { task } => json!({ "k": "poll", "task": task }),
        What::Waiting { task, on } => json!({ "k": "waiting", "task": task, "on": wait_json(on) }),
        What::PollEnded { task, outcome, wakers, took } => json!({
            "k": "polled", "task": task, "outcome": outcome_json(*outcome),
            "wakers": wakers, "took": milliseconds(*took),
        }),
        What::Aborting { task, by } => json!({ "k": "aborting", "task": task, "by": by }),
        What::Ended { task, how } => json!({ "k": "ended", "task": task, "how": end_json(*how) }),
        What::Lost { task } => json!({ "k": "lost", "task": task }),
        What::Parking { sleeps } => json!({ "k": "parking", "sleeps": sleeps }),
        What::Unparked => json!({ "k": "unparked" }),
        What::Registered { source, generation, kind, fd, local, peer, task } => json!({
            "k": "registered", "source": source, "generation": generation, "kind": kind,
            "fd": fd, "local": local, "peer": peer, "task": task,
        }),
        What::Deregistered { source } => json!({ "k": "deregistered", "source": source }),
        What::JobQueued { job, task, at } => {
            json!({ "k": "jobqueued", "job": job, "task": task, "at": line(at) })
        }
        What::JobDropped { job, task } => json!({ "k": "jobdropped", "job": job, "task": task }),
        What::JobDone { job, task, queued, ran } => json!({
            "k": "jobdone", "job": job, "task": task, "queued": milliseconds(*queued),
            "ran": milliseconds(*ran),
        }),
        What::Diagnosis { kind, task, text } => {
            json!({ "k": "diagnosis", "about": kind_json(*kind), "task": task, "text": text })
        }
    }
}

fn coroutine_json(coroutine: &Coroutine) -> Value {
    let state = match coroutine.state {
        State::Ready => "ready",
        State::Polled => "polled",
        State::PolledAndReady => "polled and ready",
        State::Parked => "parked",
        State::Over => "over",
    };
    let waits: Vec<Value> = coroutine.waits.iter().map(wait_json).collect();
    json!({
        "task": coroutine.id, "slot": coroutine.slot, "name": coroutine.name,
        "parent": coroutine.parent, "at": line(coroutine.spawned_at), "state": state,
        "since": milliseconds(coroutine.since), "waits": waits,
        "by": by_json(&coroutine.woken_by), "polls": coroutine.polls,
        "busy": milliseconds(coroutine.busy), "born": milliseconds(coroutine.born),
        "lost": coroutine.lost,
    })
}

fn wait_json(wait: &Wait) -> Value {
    match wait {
        Wait::Source { source, direction, at } => json!({
            "k": "source", "source": source, "direction": direction_json(*direction),
            "at": at.map(line),
        }),
        Wait::Timer { deadline, at } => json!({
            "k": "timer", "deadline": deadline.map(milliseconds), "at": line(at),
        }),
        Wait::Job { job, at } => json!({ "k": "job", "job": job, "at": line(at) }),
        Wait::Join(task) => json!({ "k": "join", "task": task }),
        Wait::Send { at } => json!({ "k": "send", "at": at.map(line) }),
        Wait::Receive { at } => json!({ "k": "receive", "at": at.map(line) }),
        Wait::Yield { at } => json!({ "k": "yield", "at": at.map(line) }),
    }
}

fn by_json(by: &By) -> Value {
    match by {
        By::Spawn => json!({ "k": "spawn" }),
        By::Task(task) => json!({ "k": "task", "task": task }),
        By::Source(source, direction) => {
            json!({ "k": "source", "source": source, "direction": direction_json(*direction) })
        }
        By::Timer => json!({ "k": "timer" }),
        By::Thread(name) => json!({ "k": "thread", "name": name }),
        By::Outside => json!({ "k": "outside" }),
    }
}

fn phase_json(phase: Phase) -> Value {
    match phase {
        Phase::Between => json!({ "k": "between" }),
        Phase::Polling(task) => json!({ "k": "polling", "task": task }),
        Phase::Looking => json!({ "k": "looking" }),
        Phase::Asleep => json!({ "k": "asleep" }),
    }
}

fn kind_json(kind: Kind) -> &'static str {
    match kind {
        Kind::SlowPoll => "slow poll",
        Kind::LostWakeUp => "lost wake-up",
        Kind::Deadlock => "deadlock",
        Kind::BusyPolling => "busy polling",
        Kind::Panic => "panic",
        Kind::DroppedWhileAwaited => "dropped while awaited",
    }
}

fn direction_json(direction: Direction) -> &'static str {
    match direction {
        Direction::Read => "read",
        Direction::Write => "write",
    }
}

fn outcome_json(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pending => "pending",
        Outcome::Ready => "ready",
        Outcome::Panicked => "panicked",
    }
}

fn end_json(end: End) -> &'static str {
    match end {
        End::Finished => "finished",
        End::Panicked => "panicked",
        End::Cancelled => "cancelled",
    }
}

/// With three decimals: a microsecond is the least that is told.
fn milliseconds(time: Duration) -> Value {
    json!((time.as_secs_f64() * 1e6).round() / 1e3)
}

fn line(at: &Location<'_>) -> String {
    format!("{}:{}", at.file(), at.line())
}
