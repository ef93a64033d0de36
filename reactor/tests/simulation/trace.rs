//! What happened, in order: what the two runs of a program must agree on.

/// A coroutine: a task, or one of the branches that run within a task. Counted from 0.
pub(crate) type FiberId = u32;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Nanoseconds since the start, on the virtual clock.
    pub(crate) at: u64,
    pub(crate) fiber: FiberId,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The executor polls the task.
    Poll,
    /// The coroutine begins with this operation.
    Step(usize),
    Joined(FiberId),
    JoinedCancelled,
    JoinedPanicked(FiberId),
    IsFinished(bool),
    Both(FiberId, FiberId),
    Left(FiberId),
    Right(FiberId),
    InTime(FiberId),
    Elapsed,
    Sent,
    /// Not sent: the receivers are gone.
    Refused(u32),
    Full(u32),
    Received(u32),
    Closed,
    Empty,
    /// The future of this coroutine is dropped; it may have ended or not.
    FutureDropped,
    OutputDropped,
    /// The executor parks; `true` if it may sleep. (The fiber is 0.)
    Park(bool),
    MainReturned,
    MainPanicked(FiberId),
    /// All wait, and nobody is left who could wake them. That is the end of the program.
    Stuck,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>6} ns  fiber {:<3} {:?}", self.at, self.fiber, self.what)
    }
}

/// Where the two runs part, for people.
pub(crate) fn difference(real: &[Entry], model: &[Entry]) -> Option<String> {
    if real == model {
        return None;
    }
    let same = real.iter().zip(model).take_while(|(real, model)| real == model).count();
    let mut text = String::from("  so far:\n");
    for entry in &real[same.saturating_sub(12)..same] {
        text += &format!("    {entry:?}\n");
    }
    for (who, trace) in [("real run", real), ("model", model)] {
        text += &format!("  the {who} goes on:\n");
        for entry in trace.iter().skip(same).take(4) {
            text += &format!("    {entry:?}\n");
        }
    }
    Some(text)
}
