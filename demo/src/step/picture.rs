//! What is so, as a few tables of text; and what has changed between two of them.

use std::io;

use watch::{By, Coroutine, Direction, Phase, State, Wait, World, line, ms};

use crate::chart::bold;
use crate::cli::Out;

/// All tables of a moment.
pub(super) struct Picture(Vec<Table>);

struct Table {
    title: &'static str,
    /// The names of its columns, if they need any.
    columns: Option<String>,
    rows: Vec<Row>,
    /// What is said if there is no row.
    empty: &'static str,
}

/// `key` says which thing it is about, before and after.
struct Row {
    key: String,
    text: String,
}

impl Picture {
    pub(super) fn of(world: &World) -> Picture {
        Picture(vec![
            coroutines(world),
            ready_queue(world),
            reactor(world),
            timers(world),
            jobs(world),
        ])
    }

    /// The tables that are not as they were: `*` marks the rows that are new or different, `-`
    /// those that are gone.
    pub(super) fn draw_changes(&self, after: &Picture, out: Out<'_>) -> io::Result<()> {
        for (before, after) in self.0.iter().zip(&after.0) {
            if !before.is_like(after) {
                after.draw(Some(before), out)?;
            }
        }
        Ok(())
    }

    pub(super) fn draw_all(&self, out: Out<'_>) -> io::Result<()> {
        self.0.iter().try_for_each(|table| table.draw(None, out))
    }
}

impl Table {
    fn is_like(&self, other: &Table) -> bool {
        self.rows.iter().map(|row| &row.text).eq(other.rows.iter().map(|row| &row.text))
    }

    fn has(&self, row: &Row) -> bool {
        self.rows.iter().any(|other| other.text == row.text)
    }

    fn draw(&self, before: Option<&Table>, out: Out<'_>) -> io::Result<()> {
        match self.rows.is_empty() {
            true => writeln!(out, "  {}: {}", self.title, self.empty)?,
            false => writeln!(out, "  {}", self.title)?,
        }
        if let Some(columns) = self.columns.as_ref().filter(|_| !self.rows.is_empty()) {
            writeln!(out, "    {columns}")?;
        }
        for row in &self.rows {
            match before {
                Some(before) if !before.has(row) => writeln!(out, "  * {}", bold(&row.text))?,
                _ => writeln!(out, "    {}", row.text)?,
            }
        }
        let Some(before) = before else { return Ok(()) };
        for row in &before.rows {
            if !self.rows.iter().any(|other| other.key == row.key) {
                writeln!(out, "  - {}", row.text)?;
            }
        }
        Ok(())
    }
}

/// What the executor's thread does.
pub(super) fn phase(world: &World) -> String {
    match world.phase {
        Phase::Between => "between two polls".to_owned(),
        Phase::Polling(task) => format!("polling {}", world.name(task)),
        Phase::Looking => "a look at the reactor".to_owned(),
        Phase::Asleep => "the thread sleeps".to_owned(),
    }
}

fn row(key: &impl ToString, text: String) -> Row {
    Row { key: key.to_string(), text }
}

fn coroutines(world: &World) -> Table {
    let rows = world.coroutines.values();
    let rows = rows.map(|it| {
        let text = format!("{:<14} {:<8} {}", it.to_string(), state(it), doing(world, it));
        row(&it.id, text.trim_end().to_owned())
    });
    Table { title: "coroutines", columns: None, rows: rows.collect(), empty: "none" }
}

fn state(coroutine: &Coroutine) -> &'static str {
    match coroutine.state {
        State::Ready => "ready",
        State::Polled | State::PolledAndReady => "polled",
        State::Parked => "parked",
        State::Over => "over",
    }
}

fn doing(world: &World, coroutine: &Coroutine) -> String {
    match coroutine.state {
        State::Ready => woken_by(world, coroutine),
        State::PolledAndReady => format!("and {}", woken_by(world, coroutine)),
        State::Polled if coroutine.waits.is_empty() => String::new(),
        State::Polled | State::Parked => format!("waits for {}", world.waits_of(coroutine)),
        State::Over => "has its result".to_owned(),
    }
}

fn woken_by(world: &World, coroutine: &Coroutine) -> String {
    let by = match &coroutine.woken_by {
        By::Spawn => return "newly spawned".to_owned(),
        By::Task(task) if *task == coroutine.id => "itself".to_owned(),
        By::Task(task) => world.name(*task),
        By::Source(source, direction) => format!("socket {source}, {}", wants(*direction)),
        By::Timer => "a timer".to_owned(),
        By::Thread(Some(name)) => format!("thread {name}"),
        By::Thread(None) => "another thread".to_owned(),
        By::Outside => "somebody outside".to_owned(),
    };
    format!("woken by {by}")
}

fn wants(direction: Direction) -> &'static str {
    match direction {
        Direction::Read => "readable",
        Direction::Write => "writable",
    }
}

/// One row, in order: a place in it is what matters.
fn ready_queue(world: &World) -> Table {
    let names: Vec<String> = world.ready.iter().map(|task| world.name(*task)).collect();
    let rows = if names.is_empty() { vec![] } else { vec![row(&0, names.join(", "))] };
    Table {
        title: "ready queue (first in, first out)",
        columns: None,
        rows,
        empty: "empty, nobody is ready",
    }
}

fn reactor(world: &World) -> Table {
    let rows = world.sources.iter().map(|(slot, source)| {
        let token = format!("{slot}.{}", source.generation);
        let fd = source.fd.map_or("-".to_owned(), |fd| fd.to_string());
        let ends = match (&source.local, &source.peer) {
            (Some(local), Some(peer)) => format!("{local} -> {peer}"),
            (Some(local), None) => format!("{local} (listens)"),
            _ => source.kind.clone(),
        };
        let waiters: Vec<String> = world
            .waiters(*slot)
            .map(|(task, direction)| format!("{:<9} {}", wants(direction), world.name(task)))
            .collect();
        let text = format!("{token:<6} {fd:<3} {ends:<34} {}", waiters.join(", "));
        row(&token, text.trim_end().to_owned())
    });
    let columns =
        format!("{:<6} {:<3} {:<34} {}", "token", "fd", "address -> peer", "wants     waker of");
    Table {
        title: "sockets (of the reactor)",
        columns: Some(columns),
        rows: rows.collect(),
        empty: "none",
    }
}

fn timers(world: &World) -> Table {
    let mut timers = Vec::new();
    for coroutine in world.coroutines.values() {
        for wait in coroutine.wakers() {
            if let Wait::Timer { deadline: Some(deadline), at } = wait {
                timers.push((*deadline, coroutine, *at));
            }
        }
    }
    timers.sort_by_key(|(deadline, ..)| *deadline);
    let rows = timers.into_iter().map(|(deadline, coroutine, at)| {
        let due = format!("due in {}", ms(deadline.saturating_sub(world.at)));
        let text = format!("{due:<17} {:<14} {}", coroutine.to_string(), line(at));
        row(&format!("{} {deadline:?}", coroutine.id), text)
    });
    Table { title: "timers (of the reactor)", columns: None, rows: rows.collect(), empty: "none" }
}

fn jobs(world: &World) -> Table {
    let rows = world.jobs.iter().map(|(number, job)| {
        let who = job.task.map_or(String::new(), |task| world.name(task));
        row(number, format!("{:<17} {who:<14} {}", format!("job {number}"), line(job.at)))
    });
    Table {
        title: "blocking jobs (on other threads)",
        columns: None,
        rows: rows.collect(),
        empty: "none",
    }
}
