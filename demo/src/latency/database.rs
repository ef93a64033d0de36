//! The database's rows. SQLite blocks, so each call is a job for the reactor's pool of threads.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use reactor::blocking::spawn_blocking;
use rusqlite::Connection;

use crate::cli::Failure;

pub(super) struct Database(Arc<Mutex<Connection>>);

impl Database {
    pub(super) async fn create(file: PathBuf) -> Result<Database, Failure> {
        let created = spawn_blocking(move || -> rusqlite::Result<Connection> {
            let connection = Connection::open(file)?;
            connection.execute_batch(
                "CREATE TABLE burgers (id INTEGER PRIMARY KEY, name TEXT);
                 WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 1000)
                 INSERT INTO burgers SELECT i, 'burger ' || i FROM n;",
            )?;
            Ok(connection)
        });
        Ok(Database(Arc::new(Mutex::new(created.await??))))
    }

    pub(super) async fn operation(&self) -> Result<f64, Failure> {
        let insert = "INSERT INTO burgers (name) VALUES ('Double')";
        self.sampled(move |database| database.execute(insert, ()).map(drop)).await
    }

    pub(super) async fn query(&self) -> Result<f64, Failure> {
        let query = "SELECT name FROM burgers WHERE id = 500";
        self.sampled(move |database| {
            database.query_row(query, (), |row| row.get::<_, String>(0)).map(drop)
        })
        .await
    }

    async fn sampled<F>(&self, job: F) -> Result<f64, Failure>
    where
        F: Fn(&Connection) -> rusqlite::Result<()> + Copy + Send + 'static,
    {
        let nanos = super::sampled(async || {
            let connection = self.0.clone();
            spawn_blocking(move || job(&connection.lock().expect("no job panics")))
                .await?
                .map_err(io::Error::other)
        });
        Ok(nanos.await?)
    }
}
