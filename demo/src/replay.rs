//! `demo tour --record FILE`: the one request, and all that came from outside while it was served.
//! `demo tour --replay FILE`: the same run once more, and whether it was the same.
//!
//! The reactor writes the file, and reads it (`reactor/src/replay.rs`): a line for each of its
//! turns. What only we understand stands there as comments: the ports, and at the end every event
//! and every line that was printed, so that a replay can be compared with them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use executor::{Either, race};
use reactor::Reactor;
use watch::{Options, Recorder, What};

use crate::cli::{Failure, Out};
use crate::pause::Pause;
use crate::serve::{self, Folder};
use crate::tour;
use crate::visit::{self, Visit};

/// What our lines in the file begin with.
const PORTS: &str = "# ports: ";
const EVENT: &str = "# event: ";
const TOLD: &str = "# told: ";

pub(crate) fn record(path: &Path, out: Out<'_>) -> Result<(), Failure> {
    let trouble = |error: io::Error| format!("{}: {error}", path.display());
    let mut file = File::create(path).map_err(trouble)?;
    let reactor = Reactor::with_recording(file.try_clone()?)?;
    let ports = free_ports()?;
    writeln!(file, "{PORTS}{} {}", ports.0, ports.1).map_err(trouble)?;
    let run = Run::make(&reactor, ports, None)?;
    for (mark, lines) in [(EVENT, &run.events), (TOLD, &run.told)] {
        lines.iter().try_for_each(|line| writeln!(file, "{mark}{line}")).map_err(trouble)?;
    }
    let (events, turns, file) = (run.events.len(), run.turns, path.display());
    writeln!(out, "recorded in {file}: {events} events in {turns} turns of the reactor")?;
    writeln!(out, "the same again, exactly, also in a debugger: demo tour --replay {file}\n")?;
    run.tell(out)
}

pub(crate) fn replay(path: &Path, pause: Option<Pause>, out: Out<'_>) -> Result<(), Failure> {
    let name = path.display();
    let recording = fs::read_to_string(path)
        .map_err(|error| format!("{name}: {error}; `demo tour --record {name}` makes one"))?;
    let reactor = Reactor::with_replay(&recording).map_err(|error| format!("{name}: {error}"))?;
    let before = ports_in(&recording).ok_or_else(|| {
        format!("{name}: this is no recording of the tour; `demo tour --record {name}` makes one")
    })?;
    let ports = if are_free(before) { before } else { free_ports()? };
    let run = Run::make(&reactor, ports, pause).map_err(|error| {
        format!("{error}\n(recorded by another version of this program? then record it again)")
    })?;
    run.compare(&recording)?;
    let (events, turns) = (run.events.len(), run.turns);
    writeln!(out, "replayed from {name}: the same {events} events in the same {turns} turns")?;
    match ports == before {
        true => writeln!(out, "on the same ports, at the same times, with the same words\n")?,
        false => writeln!(out, "on other ports, since those are taken; all else is the same\n")?,
    }
    run.tell(out)
}

/// The run, in what must be the same each time.
struct Run {
    turns: u64,
    events: Vec<String>,
    told: Vec<String>,
    colored: Vec<u8>,
}

impl Run {
    fn make(
        reactor: &Reactor,
        (stand, kitchen): (u16, u16),
        pause: Option<Pause>,
    ) -> Result<Run, Failure> {
        let folder = Folder::open(None)?;
        // A diagnosis depends on how long a poll really takes, and at a breakpoint that is long.
        let options = Options { diagnose: false, ..Options::default() };
        let recorder = match pause {
            Some(pause) => Recorder::with_hook(options, move |what| pause.hear(what)),
            None => Recorder::new(options),
        };
        let args = serve::Args::at(stand, kitchen);
        let order = visit::order_at(&args, recorder.clone(), &folder);
        let visit = match recorder.run_on(reactor, race(order, reactor.diverged())) {
            Either::Left(visit) => visit,
            Either::Right(diverged) => return Err(diverged.into()),
        };
        let turns = reactor.end_tape()?;
        let events = recorder.recording().1.iter().map(|event| plain(&event.what)).collect();
        let colored = told(&visit?)?;
        let told = anstream::adapter::strip_bytes(&colored).into_vec();
        let told = String::from_utf8_lossy(&told).lines().map(str::to_owned).collect();
        Ok(Run { turns, events, told, colored })
    }

    fn compare(&self, recording: &str) -> Result<(), Failure> {
        for (mark, what, now) in [(EVENT, "event", &self.events), (TOLD, "line", &self.told)] {
            let mut before = recording.lines().filter_map(|line| line.strip_prefix(mark));
            for n in 0.. {
                match (before.next(), now.get(n).map(String::as_str)) {
                    (None, None) => break,
                    (before, now) if before == now => {}
                    (before, now) => {
                        let (before, now) = (before.unwrap_or("none"), now.unwrap_or("none"));
                        let n = n + 1;
                        return Err(format!("{what} {n} was {before:?}, and is {now:?} now").into());
                    }
                }
            }
        }
        Ok(())
    }

    fn tell(&self, out: Out<'_>) -> Result<(), Failure> {
        out.write_all(&self.colored)?;
        writeln!(
            out,
            "On tape the clock stands still while a coroutine is polled. The rest of the"
        )?;
        writeln!(out, "tour measures this machine, so it is not part of a recording: demo tour")?;
        Ok(())
    }
}

fn told(visit: &Visit) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    tour::tell_request(visit, &mut text)?;
    Ok(text)
}

/// What must be the same in each run: who and what, but not how long it really took, and nothing
/// that the system makes up (ports, file descriptors).
fn plain(what: &What) -> String {
    match what {
        What::Spawned { task, name, .. } => format!("#{task} {name} is spawned"),
        What::Named { task, name } => format!("#{task} is named {name}"),
        What::Woken { task, by } => format!("#{task} is woken: {by:?}"),
        What::PollStarted { task } => format!("#{task} is polled"),
        What::Waiting { task, on } => format!("#{task} waits: {}", waits(on)),
        What::PollEnded { task, outcome, .. } => format!("#{task} returns {outcome:?}"),
        What::Aborting { task, by } => format!("#{task} is aborted by {by:?}"),
        What::Ended { task, how } => format!("#{task} ends: {how:?}"),
        What::Lost { task } => format!("#{task} is lost"),
        What::Parking { sleeps } => format!("park{}", if *sleeps { "" } else { ", only to look" }),
        What::Unparked => "unparked".to_owned(),
        What::Registered { source, generation, kind, .. } => {
            format!("socket {source}.{generation} is a {kind}")
        }
        What::Deregistered { source } => format!("socket {source} is closed"),
        What::JobQueued { job, .. } => format!("job {job} is in line"),
        What::JobDropped { job, .. } => format!("job {job} is given up"),
        What::JobDone { job, .. } => format!("job {job} is done"),
        What::Diagnosis { text, .. } => text.clone(),
    }
}

fn waits(on: &watch::Wait) -> String {
    match on {
        watch::Wait::Source { source, direction, .. } => format!("socket {source} {direction:?}"),
        watch::Wait::Timer { .. } => "timer".to_owned(),
        watch::Wait::Job { job, .. } => format!("job {job}"),
        watch::Wait::Send { .. } => "send".to_owned(),
        watch::Wait::Receive { .. } => "receive".to_owned(),
        watch::Wait::Yield { .. } => "yield".to_owned(),
        other => format!("{other:?}"),
    }
}

// Ports -------------------------------------------------------------------------------------------

/// Their numbers are in what client and stand write to each other, in `Host: 127.0.0.1:40001`.
fn ports_in(recording: &str) -> Option<(u16, u16)> {
    let ports = recording.lines().find_map(|line| line.strip_prefix(PORTS))?;
    let (stand, kitchen) = ports.split_once(' ')?;
    Some((stand.parse().ok()?, kitchen.parse().ok()?))
}

/// Two that nobody has now. They may be taken before we do, and then that is what we say.
fn free_ports() -> io::Result<(u16, u16)> {
    let (stand, kitchen) = (bind(0)?, bind(0)?);
    Ok((stand.local_addr()?.port(), kitchen.local_addr()?.port()))
}

fn are_free(ports: (u16, u16)) -> bool {
    ports.0 != ports.1 && bind(ports.0).is_ok() && bind(ports.1).is_ok()
}

fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}
