//! Faults that need no tracer: no file descriptors left, no room on the disk.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::books::{Books, Outcome};
use super::stand::{Stand, skip, temporaries};
use super::storm::recovers;
use crate::common::{Client, Folder, get};

#[test]
fn out_of_file_descriptors_it_waits_until_there_are_some() {
    let folder = Folder::new("emfile");
    let limit = ["prlimit", "--nofile=40"];
    if Command::new(limit[0]).args([limit[1], "true"]).status().is_err() {
        skip("there is no prlimit");
        return;
    }
    let stand = Stand::open_with(&limit, &folder.0, &[]);
    let books = Books::default();
    let mut crowd: Vec<_> = (0..60).map(|_| Client::connect(stand.address)).collect();
    for client in &mut crowd {
        client.send(get("/orders"));
    }
    assert_eq!(crowd[0].answer().status, 200, "whoever got in is served");
    stand.does_not_spin(Duration::from_millis(500));
    // Inside, too: no descriptor for the recipe, none to ask the kitchen.
    crowd[0].send(get("/"));
    let answer = crowd[0].answer();
    assert!(matches!(answer.status, 500 | 502), "{answer:?}");
    drop(crowd.drain(..45));
    assert_eq!(crowd.pop().unwrap().answer().status, 200, "whoever waited is served");
    drop(crowd);
    recovers(&stand, &books, "EMFILE");
    stand.closes();
}

/// A mount of its own, which is gone with the process: it leaves nothing behind.
const MOUNT: &str = r#"mount -t tmpfs -o size=320k tmpfs "$0" && exec "$@""#;

#[test]
fn on_a_full_disk_orders_are_refused_until_there_is_room() {
    let Some(unshare) = ["-m", "-rm"].into_iter().find(|how| {
        let tried =
            Command::new("unshare").args([how, "mount", "-t", "tmpfs", "x", "/mnt"]).output();
        tried.is_ok_and(|output| output.status.success())
    }) else {
        skip("nothing can be mounted here");
        return;
    };
    let folder = Folder::new("full");
    let wrapper = ["unshare", unshare, "sh", "-c", MOUNT, folder.text()];
    let stand = Stand::open_with(&wrapper, &folder.0, &[]);
    let inside = seen_through(&stand, &folder.0);
    let books = Books::default();

    let placed = fill(&stand, &books);
    assert!(placed > 0, "there was no room at all");
    assert_eq!(temporaries(&inside), [""; 0]);
    assert_eq!(books.order(stand.address), Outcome::Refused(500), "still full");
    stand.does_not_spin(Duration::from_millis(100));
    check_a_copy(&inside, &books);

    for receipt in std::fs::read_dir(inside.join("receipts")).unwrap() {
        std::fs::remove_file(receipt.unwrap().path()).unwrap();
    }
    assert_eq!(books.order(stand.address), Outcome::Placed, "there is room again");
    stand.closes();
}

/// How many orders there was room for.
fn fill(stand: &Stand, books: &Books) -> usize {
    for placed in 0..1000 {
        match books.order(stand.address) {
            Outcome::Placed => {}
            Outcome::Refused(500) => return placed,
            other => panic!("{other:?}: {}", stand.errors()),
        }
    }
    panic!("it was never full")
}

/// SQLite opens nothing that is below a link, as all is in `/proc/PID/root`.
fn check_a_copy(folder: &Path, books: &Books) {
    let copy = Folder::new("copy");
    let copied = Command::new("cp").arg("-r").arg(folder.join(".")).arg(&copy.0).status();
    assert!(copied.unwrap().success());
    books.check(&copy.0, 0);
}

/// The folder as the stand sees it.
fn seen_through(stand: &Stand, folder: &Path) -> PathBuf {
    let root = format!("/proc/{}/root", stand.id());
    Path::new(&root).join(folder.strip_prefix("/").unwrap())
}
