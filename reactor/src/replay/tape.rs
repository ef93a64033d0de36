//! A recording, and where in it a run is. How it looks as text is in `line.rs`.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

use super::line::{END, TITLE, parse};
use crate::source::{Direction, News};

/// What came from outside in a turn, and what calls said after it, until the next one.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Turn {
    /// Since the reactor was made.
    pub(super) at: Duration,
    /// How many there were before it. Only for comparison.
    pub(super) sources: usize,
    pub(super) timers: usize,
    pub(super) ready: Vec<News>,
    /// The blocking jobs that were done.
    pub(super) jobs: Vec<u64>,
    pub(super) calls: VecDeque<Call>,
}

/// A system call on a source.

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) slot: u32,
    pub(super) direction: Direction,
    pub(super) answer: Answer,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Done,
    Wait,
    /// The name of the error.
    Failed(String),
}

/// What to do about a call.
pub(super) enum Plan {
    /// Nothing is known of it.
    Free,
    /// It had an answer, so there will be one.
    Repeat,
    /// It had to wait, so it is not even tried.
    Park,
}

/// A turn as it was, and how long it took to come.
pub(super) struct Record {
    pub(super) turn: Turn,
    pub(super) took: Duration,
}

/// A recording, and where in it the run is.
pub(super) struct Tape {
    mode: Mode,
    number: u64,
    /// The turn since which the coroutines run: the calls that it has had, or that are to come.
    now: Turn,
    trouble: Option<String>,
}

enum Mode {
    Record(Box<dyn Write>),
    /// The turns to come, and whether the recorded run got to its end.
    Replay(VecDeque<Turn>, bool),
    Over,
}

impl Tape {
    pub(super) fn record(mut to: impl Write + 'static) -> io::Result<Tape> {
        to.write_all(TITLE.as_bytes())?;
        Ok(Tape::new(Mode::Record(Box::new(to))))
    }

    pub(super) fn replay(text: &str) -> Result<Tape, String> {
        let (mut turns, ended) = parse(text)?;
        let start = turns.pop_front().ok_or("the recording is empty")?;
        Ok(Tape { now: start, ..Tape::new(Mode::Replay(turns, ended)) })
    }

    fn new(mode: Mode) -> Tape {
        Tape { mode, number: 0, now: Turn::default(), trouble: None }
    }

    /// So is one that is over: what comes is no longer compared.
    pub(super) fn is_recording(&self) -> bool {
        !matches!(self.mode, Mode::Replay(..))
    }

    /// Why it could not go on.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    pub(super) fn leave(&mut self, why: &str) -> String {
        let Tape { number, trouble, .. } = self;
        trouble.get_or_insert_with(|| format!("the replay differs in turn {number}: {why}")).clone()
    }

    // Recording -----------------------------------------------------------------------------------

    /// Writes down the turn that is over.
    pub(super) fn next(&mut self, turn: Turn) {
        self.write("");
        self.number += 1;
        self.now = turn;
    }

    fn write(&mut self, and: &str) {
        let Mode::Record(to) = &mut self.mode else { return };
        let line = format!("turn={} {}\n{and}", self.number, self.now);
        if let Err(error) = to.write_all(line.as_bytes()).and_then(|()| to.flush()) {
            self.trouble = Some(format!("the recording cannot be written: {error}"));
            self.mode = Mode::Over;
        }
    }

    // Playing back --------------------------------------------------------------------------------

    /// The next turn. `found` is what the reactor has before it.
    pub(super) fn read(&mut self, found: &Turn) -> Result<Record, String> {
        self.finish_calls("it parks")?;
        self.number += 1;
        let Mode::Replay(turns, ended) = &mut self.mode else { return Err(NO_TAPE.to_owned()) };
        let Some(turn) = turns.pop_front() else {
            let cut = "the recording breaks off here; what came then is not known";
            return Err(if *ended { "the recorded run had ended here" } else { cut }.to_owned());
        };
        for (what, was, is) in
            [("sources", turn.sources, found.sources), ("timers", turn.timers, found.timers)]
        {
            if was != is {
                return Err(format!("there were {was} {what} when it parked, and now {is}"));
            }
        }
        let took = turn.at.saturating_sub(self.now.at);
        self.now.at = turn.at;
        self.now.calls.clone_from(&turn.calls);
        Ok(Record { turn, took })
    }

    /// What to do about a call.
    pub(super) fn plan(&mut self, slot: u32, direction: Direction) -> Plan {
        if self.is_recording() {
            return Plan::Free;
        }
        match self.now.calls.front() {
            _ if self.trouble.is_some() => Plan::Park,
            Some(call) if (call.slot, call.direction) == (slot, direction) => match call.answer {
                Answer::Wait => Plan::Park,
                _ => Plan::Repeat,
            },
            call => {
                let was = call.map_or("parked".to_owned(), Call::in_words);
                let is = Call { slot, direction, answer: Answer::Wait }.in_words();
                self.leave(&format!("the recorded run {was}, and this one {is}"));
                Plan::Park
            }
        }
    }

    /// What a call has said. `false`: that is not what it said the last time.
    pub(super) fn answered(&mut self, call: Call) -> bool {
        match &self.mode {
            Mode::Record(_) => self.now.calls.push_back(call),
            Mode::Replay(..) if self.trouble.is_none() => {
                if let Some(was) = self.now.calls.pop_front().filter(|was| *was != call) {
                    let (was, is, what) = (was.answer, &call.answer, call.in_words());
                    self.leave(&format!("it {what}: \"{was}\" was the answer, and now \"{is}\""));
                    return false;
                }
            }
            Mode::Replay(..) | Mode::Over => {}
        }
        true
    }

    fn finish_calls(&self, is: &str) -> Result<(), String> {
        match (&self.mode, &self.trouble, self.now.calls.front()) {
            (Mode::Replay(..), Some(trouble), _) => Err(trouble.clone()),
            (Mode::Replay(..), _, Some(call)) => Err(format!(
                "the recorded run {} here, and this one does not: {is}",
                call.in_words()
            )),
            _ => Ok(()),
        }
    }

    /// The run is over. Gives the number of turns.
    pub(super) fn end(&mut self) -> Result<u64, String> {
        self.write(&format!("{END}\n"));
        if let Err(why) = self.finish_calls("it ends") {
            self.leave(&why);
        }
        if let Mode::Replay(turns, _) = &self.mode
            && !turns.is_empty()
        {
            let more = turns.len();
            self.leave(&format!(
                "it ends here, and the recorded run went on for {more} turns more"
            ));
        }
        self.mode = Mode::Over;
        self.trouble.clone().map_or(Ok(self.number), Err)
    }
}

const NO_TAPE: &str = "there is nothing to play back";

impl Call {
    fn in_words(&self) -> String {
        match self.direction {
            Direction::Read => format!("read from source {}", self.slot),
            Direction::Write => format!("wrote to source {}", self.slot),
        }
    }
}

impl Answer {
    pub(super) fn of<R>(result: &io::Result<R>) -> Answer {
        match result {
            Ok(_) => Answer::Done,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Answer::Wait,
            Err(error) => Answer::Failed(format!("{:?}", error.kind())),
        }
    }
}
