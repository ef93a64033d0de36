//! What is typed, line by line.
//!
//! A thread waits for lines, and Ctrl-C puts its word into the same channel: so whoever waits for
//! a key hears of both.

use std::io::{self, BufRead, IsTerminal, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::cli::{Failure, Out};

/// Of a line that is no key so much is repeated.
const LONGEST: usize = 20;
/// A longer line counts as two. Nobody types one.
const LONGEST_LINE: u64 = 4096;

pub(super) enum Input {
    Key(Key),
    /// The input has ended, or somebody has pressed Ctrl-C.
    End,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Key {
    On,
    Back,
    To(u64),
    NextPoll,
    Run,
    All,
    Story(u64),
    /// A story, but of whom?
    StoryOfNobody,
    Help,
    Quit,
    Unknown(String),
}

pub(super) struct Keys {
    /// None: it has ended.
    lines: Receiver<Option<String>>,
    /// They do not appear by themselves, as they do at a terminal.
    echo: bool,
}

impl Keys {
    pub(super) fn listen() -> Result<Keys, Failure> {
        let (sender, lines) = sync_channel(0);
        let ctrl_c = sender.clone();
        ctrlc::set_handler(move || {
            let _ = ctrl_c.send(None);
        })?;
        thread::Builder::new().name("keys".to_owned()).spawn(move || read(&sender))?;
        Ok(Keys { lines, echo: !io::stdin().is_terminal() })
    }

    /// Asks for the next key.
    pub(super) fn next(&mut self, out: Out<'_>) -> io::Result<Input> {
        write!(out, "> ")?;
        out.flush()?;
        let line = self.lines.recv().ok().flatten();
        match &line {
            Some(line) if self.echo => writeln!(out, "{}", line.trim())?,
            None => writeln!(out)?,
            Some(_) => {}
        }
        Ok(line.map_or(Input::End, |line| Input::Key(Key::of(&line))))
    }
}

fn read(sender: &SyncSender<Option<String>>) {
    let mut input = io::stdin().lock();
    loop {
        let mut line = Vec::new();
        match (&mut input).take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(1..) => {
                let line = String::from_utf8_lossy(&line).into_owned();
                if sender.send(Some(line)).is_err() {
                    return;
                }
            }
            _ => break,
        }
    }
    let _ = sender.send(None);
}

impl Key {
    fn of(line: &str) -> Key {
        let small = line.to_lowercase();
        let words: Vec<&str> = small.split_whitespace().collect();
        let number = |text: &str| text.trim_start_matches('#').parse().ok();
        match words.as_slice() {
            [] => Key::On,
            ["b"] => Key::Back,
            ["n"] => Key::NextPoll,
            ["r"] => Key::Run,
            ["a"] => Key::All,
            ["?" | "h"] => Key::Help,
            ["q"] => Key::Quit,
            ["p", id] => number(id).map_or(Key::StoryOfNobody, Key::Story),
            ["p"] => Key::StoryOfNobody,
            [step] if step.parse::<u64>().is_ok() => Key::To(step.parse().unwrap_or_default()),
            _ => Key::Unknown(line.trim().chars().take(LONGEST).collect()),
        }
    }
}

pub(super) fn help(out: Out<'_>) -> io::Result<()> {
    let keys = [
        ("Enter", "the next event"),
        ("b", "back by one event: in the recording, the run itself stays where it is"),
        ("17", "to step 17, on or back"),
        ("n", "on to the next poll of this coroutine"),
        ("r", "run to the end"),
        ("a", "all there is: coroutines, ready queue, reactor, timers, jobs"),
        ("p 4", "the story of coroutine #4 until here"),
        ("q", "quit; so does Ctrl-C, and the end of the input"),
    ];
    for (key, what) in keys {
        writeln!(out, "  {key:<6} {what}")?;
    }
    writeln!(out, "\n  Behind each step comes what it has changed:  * new or changed   - gone")?;
    writeln!(out, "  poll   the executor lets a coroutine run, until it returns Ready or Pending")?;
    writeln!(out, "  park   a coroutine has left its waker with somebody, and waits; the thread")?;
    writeln!(out, "         parks when nobody is ready: it sleeps in the reactor")?;
    writeln!(out, "  wake   somebody calls the waker: the coroutine enters the ready queue")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_keys_and_numbers_are_steps() {
        assert_eq!(Key::of("\n"), Key::On);
        assert_eq!(Key::of("b\r\n"), Key::Back);
        assert_eq!(Key::of(" 17 "), Key::To(17));
        assert_eq!(Key::of("p 4"), Key::Story(4));
        assert_eq!(Key::of("p #4"), Key::Story(4));
        assert_eq!(Key::of("?"), Key::Help);
        assert_eq!(Key::of("P 4"), Key::Story(4), "caps lock is no mistake");
        assert_eq!(Key::of("N"), Key::NextPoll);
        assert_eq!(Key::of("p"), Key::StoryOfNobody);
        assert_eq!(Key::of("p four"), Key::StoryOfNobody);
        assert_eq!(Key::of("Nonsense"), Key::Unknown("Nonsense".to_owned()));
        assert_eq!(Key::of("-1"), Key::Unknown("-1".to_owned()));
        let long = "x".repeat(1000);
        assert_eq!(Key::of(&long), Key::Unknown("x".repeat(LONGEST)));
    }
}
