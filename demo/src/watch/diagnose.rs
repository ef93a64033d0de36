//! What is wrong, in plain words.
//!
//! Each of these is something that everybody who writes async code meets one day, and that no
//! compiler tells.

use std::collections::HashMap;
use std::time::Duration;

use executor::observe::{End, Outcome};

use crate::event::{By, Event, Wait, What};
use crate::words::{ms, waits_in_words};
use crate::world::{Coroutine, State, World};

/// What a diagnosis is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A poll held up everybody else.
    SlowPoll,
    /// A coroutine is parked, and nobody can wake it.
    LostWakeUp,
    /// All are parked, and wait for each other.
    Deadlock,
    /// A coroutine wakes itself again and again: it never really waits.
    BusyPolling,
    /// A coroutine panicked.
    Panic,
    /// A coroutine was dropped while another one waited for its end.
    DroppedWhileAwaited,
}

/// So many polls in a row that each ended with a wake by itself are a circle.
const CIRCLE: u32 = 1000;
/// If they take longer, it computes, and gives way between two pieces: that is fair.
const PIECE: Duration = Duration::from_micros(50);

pub(crate) struct Diagnoser {
    slow: Duration,
    /// How often in a row a coroutine has woken itself, and how long it was polled.
    circles: HashMap<u64, (u32, Duration)>,
    /// A deadlock is told once.
    told_deadlock: bool,
}

impl Diagnoser {
    pub(crate) fn new(slow: Duration) -> Diagnoser {
        Diagnoser { slow, circles: HashMap::new(), told_deadlock: false }
    }

    /// `world` is what was so before the event.
    pub(crate) fn examine(&mut self, event: &Event, world: &World) -> Option<What> {
        match &event.what {
            What::PollEnded { task, took, .. } if *took >= self.slow => {
                self.circles.remove(task);
                let held = format!(
                    "{} held the executor for {}: nobody else could be polled. Give such work to \
                     `spawn_blocking`, or `yield_now().await` between its pieces",
                    who(world, *task),
                    ms(*took)
                );
                told(Kind::SlowPoll, Some(*task), held)
            }
            What::PollEnded { task, outcome: Outcome::Pending, took } => {
                self.circle(*task, *took, world)
            }
            What::Lost { task } => told(Kind::LostWakeUp, Some(*task), lost(world, *task)),
            What::Parking { sleeps: true } => self.deadlock(world),
            What::Unparked => {
                self.told_deadlock &= world.reachable == 0;
                None
            }
            What::Ended { task, how } => {
                self.circles.remove(task);
                ended(world, *task, *how)
            }
            _ => None,
        }
    }

    fn circle(&mut self, task: u64, took: Duration, world: &World) -> Option<What> {
        let coroutine = world.coroutines.get(&task)?;
        if coroutine.state != State::PolledAndReady || coroutine.woken_by != By::Task(task) {
            self.circles.remove(&task);
            return None;
        }
        let (times, busy) = self.circles.entry(task).or_default();
        (*times, *busy) = (*times + 1, *busy + took);
        if *times != CIRCLE || *busy > CIRCLE * PIECE {
            return None;
        }
        let circle = format!(
            "{} has woken itself {CIRCLE} times in a row: it polls in a circle and keeps the thread \
             busy. Let it wait for what it really needs: a socket, a timer, a channel",
            who(world, task)
        );
        told(Kind::BusyPolling, Some(task), circle)
    }

    fn deadlock(&mut self, world: &World) -> Option<What> {
        if world.reachable > 0 || world.coroutines.is_empty() || self.told_deadlock {
            return None;
        }
        self.told_deadlock = true;
        let each: Vec<String> = world.coroutines.values().take(20).map(in_deadlock).collect();
        let more = world.coroutines.len() - each.len();
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let deadlock = format!(
            "deadlock: nobody is ready, and there is no socket, timer or job that could wake \
             anybody. {}{more}",
            each.join("; ")
        );
        told(Kind::Deadlock, None, deadlock)
    }
}

fn in_deadlock(coroutine: &Coroutine) -> String {
    let waits = match coroutine.waits.as_slice() {
        [] => "something that nobody will ever report".to_owned(),
        waits => waits_in_words(waits, coroutine.since),
    };
    format!("{coroutine} ({}) waits for {waits}", coroutine.spawned_at)
}

fn lost(world: &World, task: u64) -> String {
    format!(
        "{} is parked, and no waker of it is left: nobody can ever wake it. Whoever returns \
         `Pending` must have given `cx.waker()` to somebody who keeps it and wakes it",
        who(world, task)
    )
}

fn ended(world: &World, task: u64, how: End) -> Option<What> {
    if how == End::Panicked {
        let panicked = format!("{} panicked; the others go on", who(world, task));
        return told(Kind::Panic, Some(task), panicked);
    }
    let waits = |coroutine: &&Coroutine| {
        coroutine.state == State::Parked && coroutine.waits.contains(&Wait::Join(task))
    };
    let waiting = world.coroutines.values().find(waits).filter(|_| how == End::Cancelled)?;
    let dropped = format!(
        "{} was dropped before it had ended, and {waiting} still waits for it: it will be told \
         `Cancelled`",
        who(world, task)
    );
    told(Kind::DroppedWhileAwaited, Some(task), dropped)
}

/// The coroutine, and where it was spawned.
fn who(world: &World, task: u64) -> String {
    match world.coroutines.get(&task) {
        Some(coroutine) => format!("{coroutine} (spawned at {})", coroutine.spawned_at),
        None => world.name(task),
    }
}

fn told(kind: Kind, task: Option<u64>, text: String) -> Option<What> {
    Some(What::Diagnosis { kind, task, text })
}
