//! Each event as one plain sentence.

use std::panic::Location;
use std::time::Duration;

use executor::observe::{End, Outcome};
use reactor::Direction;

use crate::coroutine::{Coroutine, State};
use crate::event::{By, What};
use crate::wait::Wait;
use crate::world::{MAIN, Phase, World};

impl World {
    /// The event in one sentence. The world is the one before it.
    #[must_use]
    pub fn tell(&self, what: &What) -> String {
        let name = |task: &u64| self.name(*task);
        let somebody = |task: &Option<u64>| task.map_or("Somebody".to_owned(), |it| self.name(it));
        match what {
            What::Spawned { task, name, parent: None, .. } if *task == MAIN => {
                format!("The executor begins with #{task} {name}.")
            }
            What::Spawned { task, name, parent: None, .. } => {
                format!("#{task} {name} is spawned, and goes to the end of the ready queue.")
            }
            What::Spawned { task, name: new, parent: Some(parent), .. } => {
                let parent = name(parent);
                format!("{parent} spawns #{task} {new}, which goes to the end of the ready queue.")
            }
            What::Named { task, name } => format!("#{task} is called {name} from now on."),
            What::Woken { task, by } => self.tell_wake(*task, by),
            What::PollStarted { task } => format!("The executor polls {}.", name(task)),
            What::Waiting { task, on } => self.tell_wait(*task, on),
            What::PollEnded { task, outcome, took, .. } => {
                self.tell_poll_end(*task, *outcome, *took)
            }
            What::Aborting { task, by: Some(by) } => {
                format!("{} aborts {}: it is dropped when its turn comes.", name(by), name(task))
            }
            What::Aborting { task, by: None } => {
                format!("{} is aborted: it is dropped when its turn comes.", name(task))
            }
            What::Ended { task, how } => self.tell_end(*task, *how),
            What::Lost { task } => {
                format!("{} is parked, and nobody has a waker of it any more.", name(task))
            }
            What::Parking { sleeps: true } => {
                "Nobody is ready. The thread parks: it sleeps until the reactor or another thread \
                 has news."
                    .to_owned()
            }
            What::Parking { sleeps: false } => {
                "The executor has a quick look whether the reactor has news.".to_owned()
            }
            What::Unparked => match self.ready.len() {
                // It only looks with nobody ready if a wake has come from elsewhere meanwhile.
                0 if self.phase == Phase::Looking => {
                    "The reactor has woken nobody. Whom another thread has woken is let in next."
                        .to_owned()
                }
                0 => "The reactor has woken nobody: another thread has ended the sleep, or a \
                      socket has news that nobody waits for."
                    .to_owned(),
                1 => "The reactor returns. One coroutine is ready.".to_owned(),
                ready => format!("The reactor returns. {ready} coroutines are ready."),
            },
            What::Registered { source, kind, peer, local, task, .. } => {
                let ends = match (local, peer) {
                    (_, Some(peer)) => format!(", connected with {peer}"),
                    (Some(local), None) => format!(" at {local}"),
                    _ => String::new(),
                };
                let (who, kind) = (somebody(task), with_article(kind));
                format!("{who} opens {kind}{ends}. The reactor watches it as socket {source}.")
            }
            What::Deregistered { source } => {
                format!("Socket {source} is closed. The reactor forgets it.")
            }
            What::JobQueued { job, task, .. } => {
                let who = somebody(task);
                format!("{who} gives job {job} to the blocking pool: a thread will do it.")
            }
            What::JobDropped { job, task } => {
                let who = task.map_or("Somebody".to_owned(), |task| self.name(task));
                format!("{who} gives up job {job}: nobody will have its result.")
            }
            What::JobDone { job, task, queued, ran } => {
                let (who, queued, ran) = (somebody(task), ms(*queued), ms(*ran));
                format!("{who} has the result of job {job}: it waited {queued}, and took {ran}.")
            }
            What::Diagnosis { text, .. } => format!("Something is wrong: {text}."),
        }
    }

    fn tell_wake(&self, task: u64, by: &By) -> String {
        let who = self.name(task);
        let end = "it goes to the end of the ready queue";
        match by {
            By::Spawn => format!("{who} is new: {end}."),
            By::Task(other) if *other == task => {
                format!("{who} wakes itself, to have another turn: {end}.")
            }
            By::Task(other) => format!("{} wakes {who}: {end}.", self.name(*other)),
            By::Source(source, direction) => {
                let ready = adjective(*direction);
                format!("Socket {source} is {ready}. The reactor wakes {who}: {end}.")
            }
            By::Timer => format!("A timer is due. The reactor wakes {who}: {end}."),
            By::Thread(Some(name)) => format!("The thread {name} wakes {who}: {end}."),
            By::Thread(None) => format!("Another thread wakes {who}: {end}."),
            By::Outside => format!("Somebody outside wakes {who}: {end}."),
        }
    }

    fn tell_wait(&self, task: u64, on: &Wait) -> String {
        let who = self.name(task);
        let leaves =
            |with: &str| format!("{who} cannot go on yet: it leaves its waker with {with}.");
        match on {
            Wait::Source { source, direction, .. } => {
                leaves(&format!("the reactor (socket {source}, {})", adjective(*direction)))
            }
            Wait::Timer { deadline: None, .. } => {
                format!("{who} waits for a timer that is never due.")
            }
            Wait::Timer { deadline: Some(deadline), .. } => {
                let rest = ms(deadline.saturating_sub(self.at));
                leaves(&format!("the reactor (a timer, due in {rest})"))
            }
            Wait::Job { job, .. } => leaves(&format!("the blocking pool (job {job})")),
            Wait::Join(other) => leaves(&format!("{}, to be woken at its end", self.name(*other))),
            Wait::Send { .. } => leaves("a channel, until there is room in it"),
            Wait::Receive { .. } => leaves("a channel, until a value is in it"),
            Wait::Yield { .. } => format!("{who} lets the others have a turn first."),
        }
    }

    fn tell_poll_end(&self, task: u64, outcome: Outcome, took: Duration) -> String {
        let (who, took) = (self.name(task), ms(took));
        let ready = self.coroutines.get(&task).is_some_and(|it| it.state == State::PolledAndReady);
        match outcome {
            Outcome::Pending if ready => {
                format!("{who} returns Pending after {took}; it is in the ready queue again.")
            }
            Outcome::Pending => format!("{who} returns Pending after {took}. It is parked."),
            Outcome::Ready => format!("{who} returns Ready after {took}: it has its result."),
            Outcome::Panicked => format!("{who} panics, after {took}."),
        }
    }

    fn tell_end(&self, task: u64, how: End) -> String {
        let who = self.name(task);
        match (how, task) {
            (End::Finished, MAIN) => format!("{who} has ended. Whoever is left is dropped."),
            (End::Finished, _) => format!("{who} has ended."),
            (End::Panicked, MAIN) => {
                format!("{who} has ended with a panic. Whoever is left is dropped.")
            }
            (End::Panicked, _) => format!("{who} has ended with a panic. The others go on."),
            (End::Cancelled, _) => format!("{who} is dropped before its end: it was cancelled."),
        }
    }

    /// What it is parked on, in a few words: `socket 5 readable, or timer in 60.0 ms`.
    #[must_use]
    pub fn waits_of(&self, coroutine: &Coroutine) -> String {
        self.list_waits(coroutine, |_| String::new())
    }

    /// The same with the lines that wait, where they are known.
    pub(crate) fn waits_and_lines_of(&self, coroutine: &Coroutine) -> String {
        self.list_waits(coroutine, |wait| match wait.line() {
            Some(at) => format!(" (at {})", line(at)),
            None => String::new(),
        })
    }

    fn list_waits(&self, coroutine: &Coroutine, more: impl Fn(&Wait) -> String) -> String {
        let waits = coroutine.waits.iter();
        let waits: Vec<String> =
            waits.map(|wait| format!("{}{}", self.wait_in_words(wait), more(wait))).collect();
        match waits.is_empty() {
            true if coroutine.lost => "nobody: no waker of it is left".to_owned(),
            true => "somebody else, perhaps another thread".to_owned(),
            false => waits.join(", or "),
        }
    }

    fn wait_in_words(&self, wait: &Wait) -> String {
        match wait {
            Wait::Source { source, direction, .. } => {
                format!("socket {source} {}", adjective(*direction))
            }
            Wait::Timer { deadline: Some(deadline), .. } => {
                format!("timer in {}", ms(deadline.saturating_sub(self.at)))
            }
            Wait::Timer { deadline: None, .. } => "a timer that is never due".to_owned(),
            Wait::Job { job, .. } => format!("job {job}"),
            Wait::Join(task) => format!("the end of {}", self.name(*task)),
            Wait::Send { .. } => "room in a channel".to_owned(),
            Wait::Receive { .. } => "a value in a channel".to_owned(),
            Wait::Yield { .. } => "its next turn".to_owned(),
        }
    }
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    format!("{article} {kind}")
}

pub(crate) fn adjective(direction: Direction) -> &'static str {
    match direction {
        Direction::Read => "readable",
        Direction::Write => "writable",
    }
}

/// `FILE:LINE`, which many terminals open with a click.
#[must_use]
pub fn line(at: &Location<'_>) -> String {
    format!("{}:{}", at.file(), at.line())
}

/// `63.0 ms`, `1.9 ms`, `0.012 ms`, `5.2 s`.
#[must_use]
pub fn ms(time: Duration) -> String {
    match time.as_secs_f64() * 1e3 {
        ms if ms >= 999.5 => format!("{:.1} s", ms / 1e3),
        ms if ms >= 99.95 => format!("{ms:.0} ms"),
        ms if ms >= 0.995 => format!("{ms:.1} ms"),
        ms => format!("{ms:.3} ms"),
    }
}
