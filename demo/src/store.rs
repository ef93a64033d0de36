//! The database: the menu, and every order.
//!
//! SQLite has no readiness to wait for, it just blocks. So each operation is a job for the blocking
//! pool: the coroutine is parked while a thread does it, one at a time, with the only connection.
//!
//! ```text
//!   store.insert_order(..).await     the coroutine, on the executor's thread
//!     spawn_blocking(job)            the job goes to a thread of the pool, the coroutine parks
//!       book.insert_order(..)        SQLite, on that thread
//! ```
//!
//! The book is SQLite, or without the feature `sqlite` a list in memory. Their operations are the
//! same, and block.

#[cfg(not(feature = "sqlite"))]
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use reactor::blocking::spawn_blocking;
use serde_json::{Value, json};

use crate::http::Problem;
#[cfg(not(feature = "sqlite"))]
use memory::Book;
#[cfg(feature = "sqlite")]
use sqlite::Book;

/// How the burgers are asked for.
pub(crate) const SELECT_BURGERS: &str = "SELECT name FROM menu ORDER BY place LIMIT ?1";
/// How an order is placed.
pub(crate) const INSERT_ORDER: &str = "INSERT INTO orders (customer, burgers) VALUES (?1, ?2)";
/// How the orders are asked for, the newest first.
pub(crate) const SELECT_ORDERS: &str =
    "SELECT id, customer, burgers FROM orders ORDER BY id DESC LIMIT 100";

/// Whether orders outlive the process.
pub(crate) const KEEPS_ORDERS: bool = cfg!(feature = "sqlite");

pub(crate) struct Store {
    book: Arc<Mutex<Book>>,
}

/// A row of the orders.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    id: i64,
    customer: String,
    burgers: String,
}

impl Store {
    /// Opens the database in `folder`, and puts up the menu.
    pub(crate) async fn open(folder: &Path, menu: Vec<String>) -> Result<Store, String> {
        let path: PathBuf = folder.join("orders.db");
        let opened = spawn_blocking(move || Book::open(&path, &menu)).await;
        let book = opened.map_err(|error| error.to_string())??;
        Ok(Store { book: Arc::new(Mutex::new(book)) })
    }

    /// The first so many burgers of the menu.
    pub(crate) async fn burgers(&self, count: u32) -> Result<Vec<String>, Problem> {
        self.run(move |book| book.burgers(count)).await
    }

    /// Gives the number of the order. It is on the disk then.
    pub(crate) async fn insert_order(
        &self,
        customer: String,
        burgers: String,
    ) -> Result<i64, Problem> {
        self.run(move |book| book.insert_order(&customer, &burgers)).await
    }

    /// The newest orders.
    pub(crate) async fn orders(&self) -> Result<Vec<Order>, Problem> {
        self.run(Book::orders).await
    }

    /// Cancelled after the job has started, the job is done all the same.
    async fn run<T, F>(&self, job: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Book) -> Result<T, String> + Send + 'static,
    {
        let book = self.book.clone();
        // A job that panicked has left SQLite as it was: a transaction is done or it is not.
        let job = move || job(&mut book.lock().unwrap_or_else(PoisonError::into_inner));
        match spawn_blocking(job).await {
            Ok(result) => result.map_err(|error| Problem::new(500, error)),
            Err(error) => Err(Problem::ours("the database")(error)),
        }
    }
}

impl Order {
    pub(crate) fn to_json(&self) -> Value {
        json!({ "order": self.id, "customer": self.customer, "burgers": self.burgers })
    }
}
