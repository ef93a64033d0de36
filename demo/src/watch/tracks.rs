//! A recording, put in order: for each coroutine when it was polled, ready and parked; who woke
//! whom; when the thread slept; and what the blocking pool did. Pictures are drawn from this.
//!
//! ```text
//!   wakes:        by --at--> task                  each one leads to the poll that follows it
//!   a coroutine:  ....parked....|==ready==|##poll##|....parked....
//! ```

use std::collections::HashMap;
use std::time::Duration;

use executor::observe::Outcome;

use crate::coroutine::{Coroutine, State};
use crate::event::{By, Event, What};
use crate::recording::Recording;
use crate::track::{Job, Poll, Span, Track, Wake};

#[derive(Debug)]
pub(crate) struct Tracks {
    /// From when to when it goes.
    pub(crate) span: Span,
    /// In the order of their births.
    pub(crate) coroutines: Vec<Track>,
    /// In the order in which they happened.
    pub(crate) polls: Vec<Poll>,
    pub(crate) wakes: Vec<Wake>,
    /// When the thread slept. A wake-up for nothing does not cut a sleep in two.
    pub(crate) sleeps: Vec<Span>,
    pub(crate) jobs: Vec<Job>,
    places: HashMap<u64, usize>,
    /// How many polls there were when the thread fell asleep last.
    polls_before_sleep: usize,
}

impl Tracks {
    pub(crate) fn of(recording: &Recording) -> Tracks {
        let mut tracks = Tracks {
            span: recording.span,
            coroutines: Vec::new(),
            polls: Vec::new(),
            wakes: Vec::new(),
            sleeps: Vec::new(),
            jobs: Vec::new(),
            places: HashMap::new(),
            polls_before_sleep: usize::MAX,
        };
        for coroutine in recording.base.coroutines.values() {
            tracks.inherit(coroutine);
        }
        for (&job, it) in &recording.base.jobs {
            let span = (it.since.max(tracks.span.0), tracks.span.1);
            tracks.jobs.push(Job { job, task: it.task, at: Some(it.at), span, done: false });
        }
        for event in &recording.events {
            tracks.add(event);
        }
        tracks
    }

    pub(crate) fn get(&self, task: u64) -> Option<&Track> {
        self.places.get(&task).map(|place| &self.coroutines[*place])
    }

    /// `#4 client`
    pub(crate) fn name(&self, task: u64) -> String {
        self.get(task).map_or_else(|| format!("#{task}"), Track::to_string)
    }

    /// How long all polls took.
    pub(crate) fn busy(&self) -> Duration {
        self.polls.iter().map(|poll| poll.span.1 - poll.span.0).sum()
    }

    pub(crate) fn slept(&self) -> Duration {
        self.sleeps.iter().map(|sleep| sleep.1 - sleep.0).sum()
    }

    /// For each job a row in which no two run at the same time.
    pub(crate) fn rows_of_jobs(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.jobs.len()).collect();
        order.sort_by_key(|job| self.jobs[*job].span.0);
        let (mut free, mut rows) = (Vec::new(), vec![0; self.jobs.len()]);
        for job in order {
            let (start, end) = self.jobs[job].span;
            let row = free.iter().position(|free| *free <= start);
            let row = row.unwrap_or_else(|| {
                free.push(Duration::ZERO);
                free.len() - 1
            });
            (free[row], rows[job]) = (end, row);
        }
        rows
    }

    // What was so before --------------------------------------------------------------------------

    fn inherit(&mut self, coroutine: &Coroutine) {
        let (from, to) = self.span;
        let (task, name) = (coroutine.id, coroutine.name.clone());
        let mut track = Track::new(task, name, coroutine.spawned_at);
        match coroutine.state {
            State::Ready => track.enter_queue(from, to),
            State::Parked => track.parked.push(((from, to), coroutine.waits.clone())),
            State::Polled | State::PolledAndReady => {
                track.polls.push(self.polls.len());
                self.polls.push(Poll {
                    task,
                    span: (from, to),
                    outcome: None,
                    woken_by: coroutine.woken_by.clone(),
                    woken_at: from,
                    waits: coroutine.waits.clone(),
                    jobs: Vec::new(),
                });
                if coroutine.state == State::PolledAndReady {
                    track.enter_queue(from, to);
                }
            }
            State::Over => {}
        }
        self.push(track);
    }

    fn push(&mut self, track: Track) {
        self.places.insert(track.task, self.coroutines.len());
        self.coroutines.push(track);
    }

    // What happened -------------------------------------------------------------------------------

    fn add(&mut self, event: &Event) {
        let at = event.at;
        match &event.what {
            What::Spawned { task, name, parent, at: line, .. } => {
                let mut track = Track::new(*task, name.clone(), line);
                track.born = Some(at);
                self.push(track);
                self.wake(*task, By::Spawn, *parent, at);
            }
            What::Named { task, name } => self.with(*task, |track| track.name.clone_from(name)),
            What::Woken { task, by } => {
                let waker = if let By::Task(waker) = by { Some(*waker) } else { None };
                self.wake(*task, by.clone(), waker, at);
            }
            What::PollStarted { task } => self.poll_starts(*task, at),
            What::Waiting { on, task } => {
                let wait = on.clone();
                self.in_poll(*task, |poll| poll.waits.push(wait));
            }
            What::PollEnded { task, outcome, .. } => self.poll_ends(*task, *outcome, at),
            What::Ended { task, how } => self.with(*task, |track| track.end(at, *how)),
            What::Parking { sleeps: true } => self.falls_asleep(at),
            What::Unparked => self.wakes_up(at),
            What::JobQueued { job, task, at: line } => {
                let span = (at, self.span.1);
                self.jobs.push(Job { job: *job, task: *task, at: Some(line), span, done: false });
            }
            What::JobDone { job, task, queued, ran } => self.job(*job, *task, *queued, *ran, at),
            _ => {}
        }
    }

    fn wake(&mut self, task: u64, by: By, waker: Option<u64>, at: Duration) {
        let (place, to) = (self.wakes.len(), self.span.1);
        self.wakes.push(Wake { task, by, at, waker, poll: None });
        self.with(task, |track| {
            track.leave(at);
            track.enter_queue(at, to);
            track.last_wake = Some(place);
        });
    }

    fn poll_starts(&mut self, task: u64, at: Duration) {
        let (place, to) = (self.polls.len(), self.span.1);
        let mut wake = None;
        self.with(task, |track| {
            track.leave(at);
            track.polls.push(place);
            wake = track.last_wake.take();
        });
        let (mut woken_by, mut woken_at) = (By::Outside, self.span.0);
        if let Some(wake) = wake {
            let wake = &mut self.wakes[wake];
            wake.poll = Some(place);
            (woken_by, woken_at) = (wake.by.clone(), wake.at);
        }
        let (span, outcome, waits, jobs) = ((at, to), None, Vec::new(), Vec::new());
        self.polls.push(Poll { task, span, outcome, woken_by, woken_at, waits, jobs });
    }

    fn poll_ends(&mut self, task: u64, outcome: Outcome, at: Duration) {
        let (mut waits, to) = (Vec::new(), self.span.1);
        self.in_poll(task, |poll| {
            poll.span.1 = at;
            poll.outcome = Some(outcome);
            waits = poll.waits.clone();
        });
        self.with(task, |track| {
            if outcome == Outcome::Pending && !track.is_ready {
                track.parked.push(((at, to), waits));
            }
        });
    }

    fn falls_asleep(&mut self, at: Duration) {
        if self.polls_before_sleep != self.polls.len() {
            self.sleeps.push((at, self.span.1));
            self.polls_before_sleep = self.polls.len();
        }
    }

    fn wakes_up(&mut self, at: Duration) {
        // A look that does not sleep ends with this event, too.
        if self.polls_before_sleep == self.polls.len()
            && let Some(sleep) = self.sleeps.last_mut()
        {
            sleep.1 = at;
        }
    }

    fn job(&mut self, job: u64, task: Option<u64>, queued: Duration, ran: Duration, at: Duration) {
        let from = self.span.0;
        let last = task.and_then(|task| self.get(task)?.polls.last().copied());
        // It began before its thread woke anybody. That tells it better than when it was put in
        // line: that was reported a little later than it happened.
        let woken = last.map(|last| &self.polls[last]).filter(|poll| poll.is_woken_by_thread());
        let latest = woken.map_or(at, |poll| poll.woken_at);
        match self.jobs.iter_mut().rfind(|known| known.job == job) {
            Some(known) => {
                let latest = latest.saturating_sub(ran).max(known.span.0);
                let start = (known.span.0 + queued).min(latest);
                known.span = (start.min(at), (start + ran).min(at));
                known.done = true;
            }
            None => {
                let span = (at.saturating_sub(ran).max(from), at);
                self.jobs.push(Job { job, task, at: None, span, done: true });
            }
        }
        if let Some(task) = task {
            self.in_poll(task, |poll| poll.jobs.push(job));
        }
    }

    fn with(&mut self, task: u64, change: impl FnOnce(&mut Track)) {
        if let Some(place) = self.places.get(&task) {
            change(&mut self.coroutines[*place]);
        }
    }

    /// The poll of the coroutine that was the last one.
    fn in_poll(&mut self, task: u64, change: impl FnOnce(&mut Poll)) {
        let last = self.get(task).and_then(|track| track.polls.last()).copied();
        if let Some(last) = last {
            change(&mut self.polls[last]);
        }
    }
}
