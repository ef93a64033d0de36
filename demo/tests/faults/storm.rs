//! What is done with every fault: a crowd orders while it lasts, and what is then looked at.

use std::time::{Duration, Instant};

use super::books::{Books, Outcome};
use super::stand::{Stand, full, temporaries};
use super::strace::{self, Strace};
use crate::common::Folder;

/// What the crowd may notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// All orders are placed.
    Nothing,
    /// Each fault costs one order, which gets this answer.
    OneOrderEach(u16),
    /// A fault may cost an order: there is another answer, or the connection is closed.
    SomeOrders,
}

pub struct Storm<'a> {
    /// The system calls that fail.
    pub calls: &'a str,
    /// With each of these; outside of `FAULTS=full` only with the first.
    pub errors: &'a [&'a str],
    /// Which ones, counted for each thread.
    pub when: &'a str,
    /// On which files; none is on all.
    pub files: fn(&Stand) -> Vec<String>,
    pub notice: Notice,
}

/// One stand survives all of these, one after the other.
pub fn survives(storms: &[Storm<'_>]) {
    if strace::is_missing() {
        return;
    }
    let folder = Folder::new("storm");
    // Whoever watches asks sockets for their addresses, and what is told of that harms nobody: here
    // each fault must hit the stand.
    let stand = Stand::open_with(&[], &folder.0, &["--no-watch"]);
    let books = Books::default();
    for storm in storms {
        let errors = if full() { storm.errors } else { &storm.errors[..1] };
        for error in errors {
            storm.rage(error, &stand, &books);
            recovers(&stand, &books, &format!("{} {error}", storm.calls));
        }
    }
    stand.closes();
}

impl Storm<'_> {
    fn rage(&self, error: &str, stand: &Stand, books: &Books) {
        let (start, cpu) = (Instant::now(), stand.cpu());
        let args = strace::inject(self.calls, error, self.when, &(self.files)(stand));
        let strace = Strace::attach(stand.id(), &args);
        let outcomes = books.crowd(stand.address, 6, 4);
        stand.does_not_spin(Duration::from_millis(if full() { 300 } else { 100 }));
        let injected = strace::injected(&strace.detach());
        let lost: Vec<_> = outcomes.iter().filter(|outcome| **outcome != Outcome::Placed).collect();
        let (took, cpu) = (start.elapsed(), stand.cpu() - cpu);
        let summary = format!(
            "{} {error}: {injected} injected, {} of {} orders lost {lost:?}, {took:?}, CPU {cpu:?}",
            self.calls,
            lost.len(),
            outcomes.len(),
        );
        println!("{summary}");
        assert!(injected > 0, "nothing was tested: {summary}");
        assert!(cpu < Duration::from_secs(2), "{summary}");
        assert!(!lost.contains(&&Outcome::NobodyThere), "{summary}");
        match self.notice {
            Notice::Nothing => assert!(lost.is_empty(), "{summary}"),
            Notice::SomeOrders => assert!(lost.len() <= injected, "{summary}"),
            Notice::OneOrderEach(status) => {
                assert_eq!(lost, vec![&Outcome::Refused(status); injected], "{summary}");
            }
        }
    }
}

/// The fault is over: all is well again, and nothing was lost or left behind.
pub fn recovers(stand: &Stand, books: &Books, after: &str) {
    let threads = stand.threads();
    let outcomes = books.crowd(stand.address, 8, 2);
    assert_eq!(outcomes, [Outcome::Placed; 16], "after {after}; {}", stand.errors());
    let more = stand.threads();
    assert!(threads.iter().all(|thread| more.contains(thread)), "{threads:?}, then {more:?}");
    assert_eq!(temporaries(&stand.folder), [""; 0], "after {after}");
    assert!(!stand.errors().contains("panicked"), "after {after}: {}", stand.errors());
    books.check(&stand.folder, 0);
}

/// On all files.
pub fn everywhere(_: &Stand) -> Vec<String> {
    Vec::new()
}

/// On a file in the stand's folder.
pub fn file(stand: &Stand, name: &str) -> Vec<String> {
    vec![stand.folder.join(name).to_str().unwrap().to_owned()]
}

/// On the files that become receipts.
pub fn new_receipts(stand: &Stand) -> Vec<String> {
    let id = stand.id();
    (0..500).flat_map(|n| file(stand, &format!("receipts/.{id}-{n}.tmp"))).collect()
}
