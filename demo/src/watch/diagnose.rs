//! What is wrong, in plain words.
//!
//! Each of these is something that everybody who writes async code meets one day, and that no
//! compiler tells. A false alarm is worse than a miss: where it may be meant, nothing is said.

use std::collections::HashMap;
use std::time::Duration;

use executor::observe::{End, Outcome};

use crate::coroutine::{Coroutine, State};
use crate::event::{By, Event, What};
use crate::wait::Wait;
use crate::words::{line, ms};
use crate::world::{MAIN, World};

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
/// `yield_now` is an honest way to wake oneself, so it takes so many times more of them.
const PATIENCE: u32 = 10;
/// If most of them take longer, it computes, and gives way between two pieces: that is fair.
const PIECE: Duration = Duration::from_micros(25);
/// A deadlock names so many.
const NAMED: usize = 20;

pub(crate) struct Diagnoser {
    slow: Duration,
    circles: HashMap<u64, Circle>,
    /// A deadlock is told once.
    told_deadlock: bool,
}

/// A coroutine that has woken itself, so many times in a row.
#[derive(Default)]
struct Circle {
    times: u32,
    /// How many of these polls took less than [`PIECE`].
    short: u32,
    told: bool,
}

impl Diagnoser {
    pub(crate) fn new(slow: Duration) -> Diagnoser {
        Diagnoser { slow, circles: HashMap::new(), told_deadlock: false }
    }

    /// `world` is what was so before the event.
    pub(crate) fn examine(&mut self, event: &Event, world: &World) -> Option<What> {
        match &event.what {
            // To print a panic takes long, too, and that is another story.
            What::PollEnded { task, outcome, took, .. }
                if *took >= self.slow && *outcome != Outcome::Panicked =>
            {
                self.circles.remove(task);
                slow(world, *task, *took)
            }
            What::PollEnded { task, outcome: Outcome::Pending, took, .. } => {
                self.circle(*task, *took, world)
            }
            What::Lost { task } => lost(world, *task),
            What::Parking { sleeps: true } => self.deadlock(world),
            What::Ended { task, how } => {
                self.circles.remove(task);
                match how {
                    End::Finished => None,
                    End::Panicked => panicked(world, *task),
                    End::Cancelled => dropped(world, *task),
                }
            }
            _ => None,
        }
    }

    fn circle(&mut self, task: u64, took: Duration, world: &World) -> Option<What> {
        let coroutine = world.coroutines.get(&task)?;
        if !wakes_itself(coroutine) {
            self.circles.remove(&task);
            return None;
        }
        let yields = coroutine.waits.iter().any(|wait| matches!(wait, Wait::Yield { .. }));
        let enough = if yields { PATIENCE * CIRCLE } else { CIRCLE };
        let circle = self.circles.entry(task).or_default();
        circle.times = circle.times.saturating_add(1);
        circle.short = circle.short.saturating_add(u32::from(took < PIECE));
        if circle.times < enough || circle.told {
            return None;
        }
        // A few may have been interrupted by the system: they look long. With more of them, the next
        // ones are counted anew.
        if circle.short < enough / 10 * 9 {
            *circle = Circle::default();
            return None;
        }
        circle.told = true;
        let who = who(world, task);
        let computes = if yields { ". If it computes, do more between two yields" } else { "" };
        let text = format!(
            "{who} has woken itself {enough} times in a row, and did next to nothing between: it \
             polls in a circle and keeps the thread busy. If it waits for something, let that wake \
             it: a socket, a timer, a channel{computes}"
        );
        told(Kind::BusyPolling, Some(task), text)
    }

    fn deadlock(&mut self, world: &World) -> Option<What> {
        if world.reachable > 0 {
            self.told_deadlock = false;
            return None;
        }
        // Whoever only sleeps for ever says so, and has no wish to be woken.
        let stuck =
            |it: &&Coroutine| !it.waits.iter().all(Wait::is_never) || (it.lost && !sleeps(it));
        let stuck: Vec<&Coroutine> = world.coroutines.values().filter(stuck).collect();
        if stuck.is_empty() || self.told_deadlock {
            return None;
        }
        self.told_deadlock = true;
        let mut each: Vec<String> =
            stuck.iter().take(NAMED).map(|coroutine| in_deadlock(world, coroutine)).collect();
        if stuck.len() > NAMED {
            each.push(format!("and {} more", stuck.len() - NAMED));
        }
        let text = format!(
            "deadlock: everybody is parked, and there is no socket, timer or job that could wake \
             anybody. {}",
            each.join("; ")
        );
        told(Kind::Deadlock, None, text)
    }
}

/// It was woken by itself while it was polled. Not if it also waits for another coroutine or a
/// channel: two halves of one coroutine may feed each other, and get on.
fn wakes_itself(coroutine: &Coroutine) -> bool {
    coroutine.state == State::PolledAndReady
        && coroutine.woken_by == By::Task(coroutine.id)
        && !coroutine.waits.iter().any(Wait::is_inside)
}

/// It waits for a timer that is never due, perhaps among others.
fn sleeps(coroutine: &Coroutine) -> bool {
    coroutine.waits.iter().any(Wait::is_never)
}

fn slow(world: &World, task: u64, took: Duration) -> Option<What> {
    let text = format!(
        "{} held the executor for {}: nobody else could be polled. Give such work to \
         `spawn_blocking`, or `yield_now().await` between its pieces",
        who(world, task),
        ms(took)
    );
    told(Kind::SlowPoll, Some(task), text)
}

fn lost(world: &World, task: u64) -> Option<What> {
    let coroutine = world.coroutines.get(&task)?;
    if coroutine.lost || sleeps(coroutine) {
        return None; // it is known already, or meant
    }
    let text = format!(
        "{} is parked, and no waker of it is left: nobody can wake it any more. Whoever returns \
         `Pending` must have given `cx.waker()` to somebody who keeps it and wakes it",
        who(world, task)
    );
    told(Kind::LostWakeUp, Some(task), text)
}

fn in_deadlock(world: &World, coroutine: &Coroutine) -> String {
    let (at, waits) = (line(coroutine.spawned_at), world.waits_and_lines_of(coroutine));
    format!("{coroutine} (spawned at {at}) waits for {waits}")
}

fn panicked(world: &World, task: u64) -> Option<What> {
    let others = if task == MAIN { "so the whole run ends" } else { "the others go on" };
    told(Kind::Panic, Some(task), format!("{} panicked; {others}", who(world, task)))
}

fn dropped(world: &World, task: u64) -> Option<What> {
    let coroutine = world.coroutines.get(&task)?;
    // When main has ended everybody is dropped, and that is all right.
    world.coroutines.get(&MAIN)?;
    // If it was in the queue before the other one parked, that one may have aborted it itself, and
    // now waits until it is gone: that is all right, too.
    let surprised = |other: &&Coroutine| {
        other.state == State::Parked
            && other.waits.contains(&Wait::Join(task))
            && other.since_event < coroutine.since_event
    };
    let waiting = world.coroutines.values().find(surprised)?;
    let text = format!(
        "{} was dropped before it had ended, and {waiting} (spawned at {}) still waits for it. It \
         will be told `Cancelled`",
        who(world, task),
        line(waiting.spawned_at)
    );
    told(Kind::DroppedWhileAwaited, Some(task), text)
}

/// The coroutine, and where it was spawned.
fn who(world: &World, task: u64) -> String {
    match world.coroutines.get(&task) {
        Some(coroutine) => format!("{coroutine} (spawned at {})", line(coroutine.spawned_at)),
        None => world.name(task),
    }
}

fn told(kind: Kind, task: Option<u64>, text: String) -> Option<What> {
    Some(What::Diagnosis { kind, task, text })
}
