//! Signals: to stop, to go on, to end, or with no meaning. And a terminal that has gone.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::books::{Books, Outcome};
use super::stand::{Stand, full};
use super::storm::recovers;
use crate::common::{Client, Folder, LIMIT, get};

/// Orders are placed while `disturb` runs again and again; all of them succeed.
fn nothing_is_noticed(rounds: usize, disturb: impl Fn(&Stand)) {
    let folder = Folder::new("signals");
    let stand = Stand::open(&folder.0);
    let books = Books::default();
    let (over, address) = (AtomicBool::new(false), stand.address);
    let order_on = || {
        while !over.load(Ordering::Relaxed) {
            let outcome = books.order(address);
            if outcome != Outcome::Placed {
                return outcome;
            }
        }
        Outcome::Placed
    };
    let outcomes = thread::scope(|scope| {
        let customers = [scope.spawn(order_on), scope.spawn(order_on)];
        for _ in 0..rounds {
            disturb(&stand);
            thread::sleep(Duration::from_millis(3)); // it is to be found at work, and parked
        }
        over.store(true, Ordering::Relaxed);
        customers.map(|customer| customer.join().unwrap())
    });
    assert_eq!(outcomes, [Outcome::Placed; 2], "{}", stand.errors());
    stand.does_not_spin(Duration::from_millis(100));
    recovers(&stand, &books, "signals");
    stand.closes();
}

#[test]
fn it_may_be_stopped_and_go_on_at_any_time() {
    nothing_is_noticed(if full() { 200 } else { 20 }, |stand| {
        stand.signal("-STOP");
        stand.signal("-CONT");
    });
}

/// A stop ends the wait in the kernel with EINTR, without any handler.
#[test]
fn it_may_be_stopped_and_go_on_while_it_is_idle() {
    let folder = Folder::new("idle-stop");
    let stand = Stand::open(&folder.0);
    for _ in 0..20 {
        stand.signal("-STOP");
        stand.signal("-CONT");
    }
    stand.does_not_spin(Duration::from_millis(100));
    recovers(&stand, &Books::default(), "SIGSTOP");
    stand.closes();
}

#[test]
fn signals_without_a_meaning_change_nothing() {
    nothing_is_noticed(if full() { 50 } else { 5 }, |stand| {
        for signal in ["-PIPE", "-CHLD", "-URG", "-WINCH", "-CONT"] {
            stand.signal(signal);
        }
    });
}

/// A request is open when `end` happens; it gets its answer, and the stand ends in peace.
fn closes_in_peace(stand: Stand, kitchen: &TcpListener, end: impl FnOnce(&Stand)) {
    let mut open = Client::connect(stand.address);
    open.send(get("/"));
    let mut cook = kitchen.accept().unwrap().0; // so the request is being served
    end(&stand);
    // It closes: nobody new comes in.
    let start = Instant::now();
    while TcpStream::connect(stand.address).is_ok() {
        assert!(start.elapsed() < LIMIT, "it does not close");
    }
    cook.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"toppings\":[]}").unwrap();
    let answer = open.answer();
    assert_eq!((answer.status, answer.closes()), (200, true));
    drop(open);
    let end = stand.wait();
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""));
}

#[test]
fn a_terminal_that_hangs_up_lets_open_requests_finish() {
    let folder = Folder::new("hang-up");
    let kitchen = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", kitchen.local_addr().unwrap());
    let stand = Stand::open_with(&[], &folder.0, &["--kitchen", &url]);
    closes_in_peace(stand, &kitchen, |stand| stand.signal("-HUP"));
}

/// `demo serve | head -8`: the note that it is closing finds nobody, which is no reason to hurry.
#[test]
fn an_output_that_nobody_reads_any_more_lets_open_requests_finish() {
    let folder = Folder::new("no-reader");
    let kitchen = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", kitchen.local_addr().unwrap());
    // `head` has enough when the stand has said all that it says when it opens.
    let script = r#"mkfifo "$0/pipe"; (head -9 "$0/pipe" && echo gone) & exec "$@" > "$0/pipe""#;
    let wrapper = ["sh", "-c", script, folder.text()];
    let stand = Stand::open_with(&wrapper, &folder.0, &["--kitchen", &url]);
    while stand.next_line().as_deref() != Some("gone") {}
    closes_in_peace(stand, &kitchen, |stand| stand.signal("-TERM"));
}
