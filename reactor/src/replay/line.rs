//! A recording as text, made to be read.
//!
//! ```text
//!   turn=17 at=61.204318ms sources=5 timers=3 ready=3.17:rw jobs=2 calls=3:read:done,3:read:wait
//! ```
//!
//! In turn 17, at that time, source 3 (the 17th that the run has opened) had become readable and
//! writable, and job 2 was done. Then somebody read from source 3 and got something, and once more
//! and was told to wait.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::tape::{Answer, Call, Turn};
use crate::source::{Direction, News};

/// The first lines.
pub(super) const TITLE: &str = "\
reactor recording, version 1
# A line is a turn of the reactor: what came from outside, and what calls said until the next one.
# at: the clock. sources, timers: how many there were before. jobs: blocking jobs that were done.
# ready: slot.generation of a source, then r readable, w writable, R and W the same, and closed.
# calls: slot, direction, answer: done, wait (the coroutine parks), or the name of an error.
";

/// The last line, if the run got so far.
pub(super) const END: &str = "end";

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Turn { at, sources, timers, ready, jobs, calls } = self;
        let (ms, rest) = (at.as_millis(), at.as_nanos() % 1_000_000);
        write!(f, "at={ms}.{rest:06}ms sources={sources} timers={timers}")?;
        list(f, "ready", ready.iter().map(news_in_text))?;
        list(f, "jobs", jobs)?;
        list(f, "calls", calls)
    }
}

fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    items: impl IntoIterator<Item = T>,
) -> fmt::Result {
    for (n, item) in items.into_iter().enumerate() {
        if n == 0 {
            write!(f, " {name}={item}")?;
        } else {
            write!(f, ",{item}")?;
        }
    }
    Ok(())
}

fn news_in_text(news: &News) -> String {
    let letters = [
        (news.read && !news.read_closed, 'r'),
        (news.read_closed, 'R'),
        (news.write && !news.write_closed, 'w'),
        (news.write_closed, 'W'),
    ];
    let letters = letters.iter().filter(|(is, _)| *is).map(|(_, letter)| letter);
    format!("{}.{}:{}", news.slot, news.generation, letters.collect::<String>())
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call { slot, direction, answer } = self;
        let direction = if *direction == Direction::Read { "read" } else { "write" };
        write!(f, "{slot}:{direction}:{answer}")
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Done => f.write_str("done"),
            Answer::Wait => f.write_str("wait"),
            Answer::Failed(error) => f.write_str(error),
        }
    }
}

/// All turns, and whether the run got to its end.
pub(super) fn parse(text: &str) -> Result<(VecDeque<Turn>, bool), String> {
    let title = TITLE.lines().next().unwrap_or_default();
    match text.lines().next() {
        Some(line) if line == title => {}
        line => {
            let line = line.unwrap_or_default().chars().take(60).collect::<String>();
            return Err(format!("this is no recording: it begins with {line:?}, not {title:?}"));
        }
    }
    let (mut turns, mut ended) = (VecDeque::<Turn>::new(), false);
    for (n, line) in text.split_inclusive('\n').enumerate().skip(1) {
        let wrong = |why: &str| format!("line {} of the recording: {why}", n + 1);
        let whole = line.strip_suffix('\n').ok_or_else(|| wrong("it is cut off"))?;
        match whole {
            _ if whole.is_empty() || whole.starts_with('#') => {}
            _ if ended => return Err(wrong("nothing may come after \"end\"")),
            END => ended = true,
            _ => {
                let turn = turn(whole, turns.len()).map_err(|why| wrong(&why))?;
                if turns.back().is_some_and(|last| last.at > turn.at) {
                    return Err(wrong("time runs backwards"));
                }
                turns.push_back(turn);
            }
        }
    }
    Ok((turns, ended))
}

fn turn(line: &str, number: usize) -> Result<Turn, String> {
    let words: Vec<&str> = line.split(' ').collect();
    let [first, at, sources, timers, lists @ ..] = &words[..] else {
        return Err("a turn has at least turn=, at=, sources= and timers=".to_owned());
    };
    if value::<usize>(first, "turn")? != number {
        return Err(format!("this is turn {number}, and not {first:?}"));
    }
    let (sources, timers) = (value(sources, "sources")?, value(timers, "timers")?);
    let at = of(at, "at").and_then(time).ok_or_else(|| not(at, "at=1.234567ms"))?;
    let mut turn = Turn { at, sources, timers, ..Turn::default() };
    for list in lists {
        let (name, items) = list.split_once('=').unwrap_or((list, ""));
        let items = items.split(',');
        match name {
            "ready" => turn.ready = each(items, news, "a source such as 3.17:rw")?,
            "jobs" => turn.jobs = each(items, |job| job.parse().ok(), "the number of a job")?,
            "calls" => turn.calls = each(items, call, "a call such as 3:read:done")?,
            _ => return Err(not(list, "ready=, jobs= or calls=")),
        }
    }
    Ok(turn)
}

fn each<'a, T, C: FromIterator<T>>(
    items: impl Iterator<Item = &'a str>,
    parse: impl Fn(&str) -> Option<T>,
    what: &str,
) -> Result<C, String> {
    items.map(|item| parse(item).ok_or_else(|| not(item, what))).collect()
}

fn value<T: std::str::FromStr>(word: &str, name: &str) -> Result<T, String> {
    let value = of(word, name).and_then(|value| value.parse().ok());
    value.ok_or_else(|| not(word, &format!("{name}= and a number")))
}

fn of<'a>(word: &'a str, name: &str) -> Option<&'a str> {
    word.strip_prefix(name)?.strip_prefix('=')
}

fn not(word: &str, wanted: &str) -> String {
    let word: String = word.chars().take(40).collect();
    format!("{word:?} is not {wanted}")
}

/// The time is in milliseconds with six digits behind the point: exact to the nanosecond.
fn time(text: &str) -> Option<Duration> {
    let (ms, rest) = text.strip_suffix("ms")?.split_once('.')?;
    let rest = (rest.len() == 6).then(|| rest.parse::<u64>().ok())??;
    let nanoseconds = ms.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(rest)?;
    Some(Duration::from_nanos(nanoseconds))
}

fn news(text: &str) -> Option<News> {
    let (source, letters) = text.split_once(':')?;
    let (slot, generation) = source.split_once('.')?;
    let (slot, generation) = (slot.parse::<u32>().ok()? as usize, generation.parse().ok()?);
    let (read_closed, write_closed) = (letters.contains('R'), letters.contains('W'));
    let read = read_closed || letters.contains('r');
    let write = write_closed || letters.contains('w');
    let known = letters.chars().all(|letter| "rRwW".contains(letter));
    known.then_some(News { slot, generation, read, write, read_closed, write_closed })
}

fn call(text: &str) -> Option<Call> {
    let mut parts = text.splitn(3, ':');
    let slot = parts.next()?.parse().ok()?;
    let direction = match parts.next()? {
        "read" => Direction::Read,
        "write" => Direction::Write,
        _ => return None,
    };
    let answer = match parts.next()? {
        "done" => Answer::Done,
        "wait" => Answer::Wait,
        error if error.chars().all(char::is_alphanumeric) => Answer::Failed(error.to_owned()),
        _ => return None,
    };
    Some(Call { slot, direction, answer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_of_a_source_s_news_says_one_thing() {
        let told = |text| {
            let News { slot, generation, read, write, read_closed, write_closed } = news(text)?;
            assert_eq!((slot, generation), (3, 7));
            Some([read, write, read_closed, write_closed])
        };
        assert_eq!(told("3.7:r"), Some([true, false, false, false]));
        assert_eq!(told("3.7:w"), Some([false, true, false, false]));
        assert_eq!(told("3.7:R"), Some([true, false, true, false]));
        assert_eq!(told("3.7:W"), Some([false, true, false, true]));
        assert_eq!(told("3.7:x"), None);
    }
}
