//! What the crowd was told, held against the database and the receipts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::common::Folder;

pub(crate) struct Ledger<'a> {
    /// Sent as a whole.
    asked: BTreeSet<&'a str>,
    /// Sent in part.
    never: BTreeSet<&'a str>,
    /// Those with a 201: the number of the order, and for whom it is.
    placed: BTreeMap<i64, &'a str>,
    /// Those whose toppings have burnt.
    failed: BTreeSet<&'a str>,
    pub(crate) summary: &'a str,
}

impl<'a> Ledger<'a> {
    pub(crate) fn read(told: &'a str) -> Ledger<'a> {
        let mut ledger = Ledger {
            asked: BTreeSet::new(),
            never: BTreeSet::new(),
            placed: BTreeMap::new(),
            failed: BTreeSet::new(),
            summary: "",
        };
        for line in told.lines() {
            ledger.enter(line);
        }
        assert!(!ledger.summary.is_empty(), "the crowd has gone without a word");
        ledger
    }

    fn enter(&mut self, line: &'a str) {
        let words: Vec<&str> = line.split(' ').collect();
        let new = match words[..] {
            ["asked", name] => self.asked.insert(name),
            ["never", name] => self.never.insert(name),
            ["told", name, "502", _] => self.failed.insert(name),
            ["told", name, "201", order] => {
                self.placed.insert(order.parse().unwrap(), name).is_none()
            }
            ["told" | "trouble", ..] => panic!("{line}"),
            ["summary", ..] => {
                self.summary = &line["summary ".len()..];
                true
            }
            _ => true, // what the test harness says
        };
        assert!(new, "twice: {line}");
    }

    /// Every order that was confirmed is there, and every order that is there was asked for once.
    pub(crate) fn agrees_with(&self, folder: &Folder) {
        let (placed, failed) = (self.placed.len(), self.failed.len());
        println!("{} asked, {placed} placed, {failed} failed", self.asked.len());
        assert!(placed > 20 && failed * 100 / (placed + failed) > 10, "that was no load");
        let receipts = receipts(folder);
        self.agrees(&receipts, "receipts");
        #[cfg(feature = "sqlite")]
        {
            let orders = orders(folder);
            self.agrees(&orders, "the database");
            assert_eq!(orders, receipts, "an order has a receipt, and a receipt an order");
        }
    }

    fn agrees(&self, kept: &BTreeMap<i64, String>, place: &str) {
        for (order, name) in &self.placed {
            assert_eq!(kept.get(order).map(String::as_str), Some(*name), "{place}: {order} lost");
        }
        let mut names = BTreeSet::new();
        for name in kept.values().map(String::as_str).filter(|name| *name != "guest") {
            assert!(self.asked.contains(name), "{place}: nobody has asked for {name}");
            assert!(!self.never.contains(name), "{place}: {name} never finished asking");
            assert!(!self.failed.contains(name), "{place}: {name} was told that it failed");
            assert!(names.insert(name), "{place}: {name} is there twice");
        }
    }
}

fn receipts(folder: &Folder) -> BTreeMap<i64, String> {
    let receipt = |name: String| {
        let number = name.strip_suffix(".json").and_then(|number| number.parse().ok());
        let number: i64 = number.unwrap_or_else(|| panic!("left behind: {name}"));
        let text = fs::read_to_string(folder.0.join("receipts").join(name)).unwrap();
        let receipt: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(receipt["order"], number);
        (number, receipt["customer"].as_str().unwrap().to_owned())
    };
    folder.list("receipts").into_iter().map(receipt).collect()
}

#[cfg(feature = "sqlite")]
fn orders(folder: &Folder) -> BTreeMap<i64, String> {
    let database = rusqlite::Connection::open(folder.0.join("orders.db")).unwrap();
    let sound: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let mut select = database.prepare("SELECT id, customer FROM orders").unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}
