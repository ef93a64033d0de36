//! The book as an SQLite database.
//!
//! What comes from clients gets into a statement only as a parameter, never as a part of its text.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Error, ErrorCode};

use super::{INSERT_ORDER, Order, SELECT_BURGERS, SELECT_ORDERS};

/// How long another program may keep the database locked before we give up.
const PATIENCE: Duration = Duration::from_secs(2);

/// A write-ahead log: an order costs one sync of the disk, and readers wait for nobody. With FULL
/// that sync comes before the order is confirmed, so a confirmed order survives a power cut.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
";

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS menu (place INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS orders (
        id INTEGER PRIMARY KEY, customer TEXT NOT NULL, burgers TEXT NOT NULL
    );
";

pub(super) struct Book {
    path: PathBuf,
    connection: Connection,
}

impl Book {
    pub(super) fn open(path: &Path, menu: &[String]) -> Result<Book, String> {
        let open = || {
            let mut connection = Connection::open(path)?;
            connection.busy_timeout(PATIENCE)?;
            connection.execute_batch(SETTINGS)?;
            check(&connection)?;
            put_up(&mut connection, menu)?;
            Ok(Book { path: path.to_owned(), connection })
        };
        open().map_err(|error| tell(path, &error))
    }

    pub(super) fn burgers(&mut self, count: u32) -> Result<Vec<String>, String> {
        self.select(SELECT_BURGERS, [count], |row| row.get(0))
    }

    pub(super) fn insert_order(&mut self, customer: &str, burgers: &str) -> Result<i64, String> {
        let insert = || {
            let mut statement = self.connection.prepare_cached(INSERT_ORDER)?;
            statement.insert([customer, burgers])
        };
        insert().map_err(|error| tell(&self.path, &error))
    }

    pub(super) fn orders(&mut self) -> Result<Vec<Order>, String> {
        self.select(SELECT_ORDERS, [], |row| {
            Ok(Order { id: row.get(0)?, customer: row.get(1)?, burgers: row.get(2)? })
        })
    }

    fn select<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, String> {
        let select = || {
            self.connection.prepare_cached(sql)?.query_map(params, row)?.collect::<Result<_, _>>()
        };
        select().map_err(|error| tell(&self.path, &error))
    }
}

/// Damage is better found now than at somebody's order.
fn check(connection: &Connection) -> rusqlite::Result<()> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    let damaged = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(Error::SqliteFailure(damaged, Some(verdict)))
}

/// The menu is what the menu's file says, each time the stand opens.
fn put_up(connection: &mut Connection, menu: &[String]) -> rusqlite::Result<()> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.execute("DELETE FROM menu", [])?;
    for name in menu {
        transaction.execute("INSERT INTO menu (name) VALUES (?1)", [name])?;
    }
    transaction.commit()
}

/// What went wrong, and what to do next.
fn tell(path: &Path, error: &Error) -> String {
    let next = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program keeps it locked: end that one, or use another folder with --data"
        }
        Some(ErrorCode::NotADatabase) => "move that file away, or use another folder with --data",
        Some(ErrorCode::DatabaseCorrupt) => {
            "it is damaged: move it away to start anew, or rescue what is left with \
             `sqlite3 orders.db .recover`"
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "see who may write there, or use another folder with --data"
        }
        Some(ErrorCode::DiskFull) => {
            "the disk is full: make room, or use another folder with --data"
        }
        _ => "if it stays like this, use another folder with --data",
    };
    format!("{}: {error}; {next}", path.display())
}
