//! The run that is looked at: the tour's request, on a thread of its own, behind a closed gate.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use reactor::Reactor;
use watch::{Event, Options, Recorder, World};

use crate::cli::Failure;
use crate::serve::Folder;
use crate::visit;

/// Dropped, it runs to its end, so that the stand is closed and its folder is removed.
pub(super) struct Run {
    recorder: Arc<Recorder>,
    /// None once it is over, and it is known how.
    thread: Option<JoinHandle<Outcome>>,
    outcome: String,
}

/// What came of it, or why nothing did.
type Outcome = Result<String, String>;

impl Run {
    /// Stands at its first event, or at no event yet.
    pub(super) fn begin(data: Option<PathBuf>) -> Result<Run, Failure> {
        let recorder = Recorder::new(Options::default());
        recorder.pause();
        let watched = recorder.clone();
        let run = move || visit(&watched, data.as_deref()).map_err(|failure| failure.to_string());
        let thread = thread::Builder::new().name("run".to_owned()).spawn(run)?;
        let mut run = Run { recorder, thread: Some(thread), outcome: String::new() };
        run.wait()?;
        Ok(run)
    }

    /// One event more. False: it is over.
    pub(super) fn step(&mut self) -> Result<bool, Failure> {
        self.recorder.step(1);
        self.wait()
    }

    pub(super) fn run_on(&mut self) -> Result<(), Failure> {
        self.recorder.resume();
        self.wait().map(|_| ())
    }

    /// Waits until it stands. False: it does not, since it is over.
    fn wait(&mut self) -> Result<bool, Failure> {
        let Some(thread) = &self.thread else { return Ok(false) };
        if self.recorder.wait_until_it_stands(|| thread.is_finished()) {
            return Ok(true);
        }
        if let Some(thread) = self.thread.take() {
            let outcome = thread.join().map_err(|_| "the run has panicked")?;
            self.outcome = outcome?;
        }
        Ok(false)
    }

    /// Lets it run to its end, and tells if it has failed there.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.run_on()
    }

    /// What came of it. Empty before it is over.
    pub(super) fn outcome(&self) -> &str {
        &self.outcome
    }

    /// How many events it has had.
    pub(super) fn events(&self) -> u64 {
        self.recorder.now().events
    }

    /// The event with this number, and what was so before it; if it is still kept.
    pub(super) fn event(&self, number: u64) -> Option<(World, Event)> {
        let (mut world, events) = self.recording();
        for event in events {
            if world.events + 1 == number {
                return Some((world, event));
            }
            world.apply(&event);
        }
        None
    }

    pub(super) fn recording(&self) -> (World, Vec<Event>) {
        self.recorder.recording()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.recorder.resume();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// On this thread.
fn visit(recorder: &Arc<Recorder>, data: Option<&Path>) -> Result<String, Failure> {
    let folder = Folder::open(data)?;
    let reactor = Reactor::with_virtual_clock()?;
    let visit = recorder.run_on(&reactor, visit::order(recorder.clone(), &folder))?;
    let body = String::from_utf8_lossy(&visit.answer.body);
    Ok(format!("GET / -> {}  {}", visit.answer.status, body.trim()))
}
