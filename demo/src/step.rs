//! `demo step`: one real request, one event at a time.
//!
//! ```text
//!   this thread                                  the thread "run"
//!   -----------                                  ----------------
//!   reads a line, says what to do                stands before the gate, inside its observer
//!   step(1)  ------- one event more -------->    goes on, until the next event
//!   wait_until_it_stands  <------------------    stands before the gate again
//!   draws what has changed
//! ```
//!
//! What has happened is in the recording, so one can go back in it. The run itself stays where it
//! is: only past its last event does Enter let it go on. Its clock is a virtual one, so no timer
//! runs off while a person thinks.

mod keys;
mod picture;
mod run;

use std::io;
use std::path::PathBuf;

use watch::{Event, What, World};

use crate::chart::{bold, cut, log_width, paragraph};
use crate::cli::{Failure, Out};
use keys::{Input, Key, Keys};
use picture::Picture;
use run::Run;

const WIDTH: usize = 80;

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Keeps the order and its receipt in this folder [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, out: Out<'_>) -> Result<(), Failure> {
    let mut keys = Keys::listen()?;
    let mut session =
        Session { run: Run::begin(args.data.clone())?, shown: 0, latest: None, over: false };
    session.welcome(out)?;
    session.forward(out)?;
    loop {
        match keys.next(out)? {
            Input::Key(Key::Quit) => break,
            Input::Key(key) => session.obey(key, out)?,
            // Nobody is there any more, or has had enough.
            Input::End => break,
        }
    }
    let Session { run, .. } = session;
    run.end()?;
    writeln!(out, "the stand is closed; nothing left this machine")?;
    Ok(())
}

/// Somebody who looks at a run.
struct Session {
    run: Run,
    /// The number of the event that is shown.
    shown: u64,
    /// The coroutine that the event was about, or the last one that was.
    latest: Option<u64>,
    /// It has been told that the run is over.
    over: bool,
}

impl Session {
    fn welcome(&self, out: Out<'_>) -> io::Result<()> {
        writeln!(out, "{}", bold("one request to the burger stand, event by event"))?;
        paragraph(
            out,
            "It runs for real, on a thread of its own that stands still after each event. Its \
             clock stands still, too, and jumps to the next timer when all are waiting. Behind each \
             event comes what it has changed: * is new or different, - is gone.",
        )?;
        writeln!(out, "Enter: the next event   b: back   n: next poll   ?: all keys   q: quit\n")
    }

    fn obey(&mut self, key: Key, out: Out<'_>) -> Result<(), Failure> {
        match key {
            Key::On => self.forward(out)?,
            Key::Back => self.show(self.shown.saturating_sub(1), out)?,
            Key::To(number) => self.show_or_reach(number, out)?,
            Key::NextPoll => self.next_poll(out)?,
            Key::Run => self.run_on(out)?,
            Key::All => self.draw_all(out)?,
            Key::Story(task) => self.tell_story(task, out)?,
            Key::StoryOfNobody => writeln!(out, "p needs an id, such as: p 4")?,
            Key::Help => keys::help(out)?,
            Key::Unknown(text) => writeln!(out, "{text:?} is no key here; ? lists them")?,
            Key::Quit => {}
        }
        Ok(())
    }

    // Where to go -----------------------------------------------------------------------------

    /// One event on: in the recording, or if this was its last one, in the run.
    fn forward(&mut self, out: Out<'_>) -> Result<(), Failure> {
        match self.reach(self.shown + 1)? {
            true => Ok(self.show(self.shown + 1, out)?),
            false => Ok(self.tell_end(out)?),
        }
    }

    /// Lets the run go on until it has had so many events; false if it is over before.
    fn reach(&mut self, number: u64) -> Result<bool, Failure> {
        while self.run.events() < number {
            if !self.run.step()? {
                return Ok(self.run.events() >= number);
            }
        }
        Ok(true)
    }

    fn show_or_reach(&mut self, number: u64, out: Out<'_>) -> Result<(), Failure> {
        match self.reach(number)? {
            true => Ok(self.show(number, out)?),
            false => Ok(self.show(self.run.events(), out)?),
        }
    }

    /// On to where the coroutine of this event is polled next.
    fn next_poll(&mut self, out: Out<'_>) -> Result<(), Failure> {
        let from = self.shown;
        loop {
            if !self.reach(self.shown + 1)? {
                let who = self.latest.map_or("nobody".to_owned(), |task| format!("#{task}"));
                self.show(self.shown, out)?;
                return Ok(writeln!(out, "  ({who} is not polled again)")?);
            }
            self.shown += 1;
            let polled = self.run.event(self.shown).and_then(|(_, event)| match event.what {
                What::PollStarted { task } => Some(task),
                _ => None,
            });
            if polled.is_some_and(|task| self.latest.is_none_or(|latest| latest == task)) {
                break;
            }
        }
        let skipped = self.shown - from - 1;
        if skipped > 0 {
            writeln!(out, "  ({} later)", many(skipped, "event"))?;
        }
        Ok(self.show(self.shown, out)?)
    }

    /// To the end.
    fn run_on(&mut self, out: Out<'_>) -> Result<(), Failure> {
        self.run.run_on()?;
        self.show(self.run.events(), out)?;
        Ok(self.tell_end(out)?)
    }

    // What to say -----------------------------------------------------------------------------

    /// The event with this number, and what it has changed.
    fn show(&mut self, number: u64, out: Out<'_>) -> io::Result<()> {
        let Some((before, event)) = self.run.event(number.max(1)) else {
            return writeln!(out, "that event is not kept any more; the run goes on behind it");
        };
        if number == 0 {
            writeln!(out, "this is the first event")?;
        }
        self.shown = number.max(1);
        self.latest = event.what.task().or(self.latest);
        let mut after = before.clone();
        after.apply(&event);
        self.tell(&before, &event, &after, out)?;
        Picture::of(&before).draw_changes(&Picture::of(&after), out)
    }

    fn tell(&self, before: &World, event: &Event, after: &World, out: Out<'_>) -> io::Result<()> {
        let time = format!("{:.3} ms", event.at.as_secs_f64() * 1e3);
        let rule = format!("--- step {} at {time}, {} ", self.shown, picture::phase(after));
        writeln!(out, "{}", bold(&format!("{rule:-<WIDTH$}")))?;
        paragraph(out, &before.tell(&event.what))?;
        match event.what.line() {
            Some(at) => writeln!(out, "  {}", watch::line(at)),
            None => Ok(()),
        }
    }

    fn draw_all(&self, out: Out<'_>) -> io::Result<()> {
        let Some((mut world, event)) = self.run.event(self.shown) else { return Ok(()) };
        world.apply(&event);
        Picture::of(&world).draw_all(out)
    }

    fn tell_end(&mut self, out: Out<'_>) -> io::Result<()> {
        if self.over {
            return writeln!(out, "the run is over; b goes back, q quits");
        }
        self.over = true;
        let events = self.run.events();
        writeln!(out, "{}", bold(&format!("the run is over, after {events} events")))?;
        writeln!(out, "  {}", cut(self.run.outcome(), WIDTH - 2))?;
        writeln!(out, "b goes back, p ID tells a coroutine's story, q quits")
    }

    /// Everything that has happened to a coroutine, as far as it is shown.
    fn tell_story(&self, task: u64, out: Out<'_>) -> io::Result<()> {
        let (mut world, events) = self.run.recording();
        let mut told = 0;
        for event in &events {
            if world.events >= self.shown {
                break;
            }
            if event.what.task() == Some(task) {
                if told == 0 {
                    watch::log_legend().last().map_or(Ok(()), |it| writeln!(out, "{it}"))?;
                }
                writeln!(out, "{}", watch::log_line(&world, event, log_width()))?;
                told += 1;
            }
            world.apply(event);
        }
        match world.coroutines.get(&task) {
            _ if told == 0 => writeln!(out, "there is no #{task} yet; a lists those that live"),
            Some(it) => writeln!(out, "#{task} lives; {} until here", many(it.polls, "poll")),
            None => writeln!(out, "#{task} has ended"),
        }
    }
}

fn many(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
