//! What a request waited for, noted down as it went along.
//!
//! A request waits for one thing after the other, so a note needs no clock of its own: a wait has
//! lasted since the note before it.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::{Duration, Instant};

use reactor::time;

/// The seven waits of the page, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    FromClient,
    ToClient,
    FileRead,
    FileWritten,
    RemoteApi,
    DatabaseOperation,
    DatabaseQuery,
}

/// How much it was that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    Bytes(usize),
    Rows(usize),
}

/// One wait, as it happened.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) wait: Wait,
    pub(crate) amount: Amount,
    /// Such as `recipe.txt`, or `GET /toppings/2`.
    pub(crate) detail: Cow<'static, str>,
    /// When it was over.
    pub(crate) at: Instant,
    pub(crate) took: Duration,
}

/// The notes of one request.
#[derive(Debug)]
pub(crate) struct Notes {
    list: RefCell<Vec<Note>>,
    /// When the last wait was over.
    since: Cell<Instant>,
}

impl Notes {
    pub(super) fn start() -> Notes {
        Notes { list: RefCell::new(Vec::new()), since: Cell::new(time::now()) }
    }

    pub(super) fn add(&self, wait: Wait, amount: Amount, detail: Cow<'static, str>) {
        let now = time::now();
        let took = now - self.since.replace(now);
        self.list.borrow_mut().push(Note { wait, amount, detail, at: now, took });
    }

    pub(super) fn list(&self) -> Vec<Note> {
        self.list.borrow().clone()
    }
}

/// In the words of the page.
impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Wait::FromClient => "data from the client, over the network",
            Wait::ToClient => "data sent by the program, to the client",
            Wait::FileRead => "file contents read from disk",
            Wait::FileWritten => "file contents written to disk",
            Wait::RemoteApi => "a remote API operation",
            Wait::DatabaseOperation => "a database operation",
            Wait::DatabaseQuery => "a database query",
        })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match self {
            Amount::Bytes(bytes) => format!("{bytes} B"),
            Amount::Rows(1) => "1 row".to_owned(),
            Amount::Rows(rows) => format!("{rows} rows"),
        })
    }
}
