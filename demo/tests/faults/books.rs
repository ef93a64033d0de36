//! Who has ordered, what was promised, and whether the stand has kept it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// Whoever waits longer than this for an answer hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 201.
    Placed,
    /// Another answer.
    Refused(u16),
    /// The connection was closed, or reset, instead of an answer.
    Closed,
    /// No connection.
    NobodyThere,
}

#[derive(Default)]
pub struct Books {
    /// The body of each 201, by the number of the order.
    promised: Mutex<BTreeMap<i64, Value>>,
    customers: AtomicUsize,
}

impl Books {
    /// One order, by a customer whose name nobody else has.
    pub fn order(&self, address: SocketAddr) -> Outcome {
        let number = self.customers.fetch_add(1, Ordering::Relaxed);
        let body = format!(r#"{{"burgers":2,"customer":"customer {number}"}}"#);
        let (status, answer) = match ask(address, &body) {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        if status != 201 {
            assert!(answer["detail"].is_string(), "{status} without a reason: {answer}");
            return Outcome::Refused(status);
        }
        assert_eq!(answer["customer"], format!("customer {number}"));
        let order = answer["order"].as_i64().unwrap();
        let before = self.promised.lock().unwrap().insert(order, answer);
        assert!(before.is_none(), "order {order} was given to two customers");
        Outcome::Placed
    }

    /// So many customers at once, each with so many orders.
    pub fn crowd(&self, address: SocketAddr, clients: usize, orders: usize) -> Vec<Outcome> {
        let client = || (0..orders).map(|_| self.order(address)).collect::<Vec<_>>();
        thread::scope(|scope| {
            let clients: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
        })
    }

    pub fn promised(&self) -> usize {
        self.promised.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What was promised is there; what is there was asked for, once; receipts are whole. Looks
    /// at the orders after number `after`, and gives the number of the last one.
    pub fn check(&self, folder: &Path, after: i64) -> i64 {
        let orders = orders(&folder.join("orders.db"), after);
        let mut customers: Vec<_> = orders.values().collect();
        customers.sort();
        customers.dedup();
        assert_eq!(customers.len(), orders.len(), "an order was placed twice: {orders:?}");

        let promised = self.promised.lock().unwrap();
        for (number, body) in promised.range(after + 1..) {
            let customer = orders.get(number).map(String::as_str);
            assert_eq!(customer, body["customer"].as_str(), "order {number} is lost: {orders:?}");
            let receipt = fs::read_to_string(folder.join(format!("receipts/{number}.json")));
            assert_eq!(receipt.unwrap(), format!("{body}\n"), "the receipt is not the answer");
        }
        for (number, receipt) in receipts(folder, after) {
            let customer = orders.get(&number).map(String::as_str);
            assert_eq!(customer, receipt["customer"].as_str(), "a receipt without its order");
        }
        orders.keys().last().copied().unwrap_or(after)
    }
}

/// The answer's status and JSON, or what there was instead.
fn ask(address: SocketAddr, body: &str) -> Result<(u16, Value), Outcome> {
    let mut stream = match TcpStream::connect_timeout(&address, PATIENCE) {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            return Err(Outcome::NobodyThere);
        }
        // It ended in the middle of the handshake.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => return Err(Outcome::Closed),
        Err(error) => panic!("no connection can be made: {error}"),
    };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // It does not ask to be closed: if the answer gets lost, only the stand can end the wait.
    let length = body.len();
    let head = format!("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: {length}");
    let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()); // nobody there? no answer
    let mut answer = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk) {
            Ok(length @ 1..) => answer.extend_from_slice(&chunk[..length]),
            // Signals are sent around here: with a time limit, they end the wait of who reads, too.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                panic!("no answer within {PATIENCE:?}: it hangs")
            }
            _ => return Err(Outcome::Closed),
        }
        if let Some(answer) = whole(&answer) {
            return Ok(answer);
        }
    }
}

/// The answer, if it has come as a whole.
fn whole(answer: &[u8]) -> Option<(u16, Value)> {
    let (head, body) = str::from_utf8(answer).ok()?.split_once("\r\n\r\n")?;
    let length = head.split("Content-Length: ").nth(1)?.lines().next()?.parse().ok();
    let body = Some(body).filter(|body| length == Some(body.len()))?;
    Some((head.split(' ').nth(1)?.parse().ok()?, serde_json::from_str(body).ok()?))
}

/// The orders in the database, which must be in order itself.
fn orders(path: &Path, after: i64) -> BTreeMap<i64, String> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    database.busy_timeout(PATIENCE).unwrap();
    let check = "PRAGMA integrity_check";
    let verdict: String = database.query_row(check, [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    let select = "SELECT id, customer FROM orders WHERE id > ?1";
    let mut select = database.prepare(select).unwrap();
    let rows = select.query_map([after], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// The receipts by number, each of which must be whole.
fn receipts(folder: &Path, after: i64) -> Vec<(i64, Value)> {
    let entries = fs::read_dir(folder.join("receipts")).unwrap().map(Result::unwrap);
    let number = |entry: &fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        name.strip_suffix(".json").map(|number| number.parse().expect("receipts have numbers"))
    };
    let numbers = entries.filter_map(|entry| Some((number(&entry)?, entry.path())));
    let read = |(number, path): (i64, _)| {
        let text = fs::read_to_string(path).unwrap();
        let receipt: Value = serde_json::from_str(&text).expect("a receipt is whole");
        assert_eq!(receipt["order"], number);
        (number, receipt)
    };
    numbers.filter(|(number, _)| *number > after).map(read).collect()
}
