//! How `demo serve` starts, ends, and fails to start.

mod common;

use std::fs;
use std::net::TcpListener;

use common::{Demo, Folder, get, run};

#[test]
fn it_says_what_to_try() {
    let mut demo = Demo::serve(&[]);
    demo.hear("the kitchen is at:  http://127.0.0.1:");
    let kept = demo.hear("the orders are in:");
    assert!(kept.contains(if cfg!(feature = "sqlite") {
        "--data DIR keeps them"
    } else {
        "memory"
    }));
    demo.hear(&format!("curl {}/orders -d '{{\"burgers\":1,\"customer\":\"Ann\"}}'", demo.url()));
}

#[test]
fn a_port_in_use_is_told_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for command in ["serve", "kitchen"] {
        let ended = run(&[command, "--port", &port]);
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.errors.contains(&port) && ended.errors.contains("--port"),
            "{}",
            ended.errors
        );
        assert_eq!((ended.said.as_str(), ended.left_behind), ("", vec![]));
    }
}

#[test]
fn a_host_of_somebody_else_is_told_with_a_way_out() {
    let ended = run(&["serve", "--port", "0", "--host", "192.0.2.1"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("--host"), "{}", ended.errors);
}

#[test]
fn a_data_folder_that_is_a_file_is_told_with_a_way_out() {
    let folder = Folder::new("file");
    let file = folder.0.join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let ended = run(&["serve", "--port", "0", "--data", path.to_str().unwrap()]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.errors.contains("--data"), "{}", ended.errors);
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn a_damaged_database_is_told_with_a_way_out() {
    let folder = Folder::new("damaged");
    let database = folder.0.join("orders.db");
    let open = ["serve", "--port", "0", "--data", folder.text()];

    fs::write(&database, "this is no database, but it is long enough to look at").unwrap();
    let ended = run(&open);
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("orders.db: file is not a database; move"), "{}", ended.errors);

    fs::remove_file(&database).unwrap();
    let demo = Demo::serve(&open[3..]);
    for _ in 0..3 {
        demo.get("/orders");
    }
    demo.signal("-TERM");
    assert_eq!(demo.wait().code, Some(0));
    let mut bytes = fs::read(&database).unwrap();
    bytes[4096..].fill(0xee);
    fs::write(&database, bytes).unwrap();
    let ended = run(&open);
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("it is damaged"), "{}", ended.errors);
}

#[cfg(feature = "sqlite")]
#[test]
fn a_locked_database_is_told_with_a_way_out() {
    let folder = Folder::new("locked");
    let other = rusqlite::Connection::open(folder.0.join("orders.db")).unwrap();
    other.execute_batch("CREATE TABLE other (x); BEGIN EXCLUSIVE").unwrap();
    let ended = run(&["serve", "--port", "0", "--data", folder.text()]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("keeps it locked"), "{}", ended.errors);
}

#[cfg(feature = "sqlite")]
#[test]
fn a_database_that_gets_locked_later_gives_500_and_then_goes_on() {
    let folder = Folder::new("locked-later");
    let demo = Demo::serve(&["--data", folder.text(), "--kitchen-delay-ms", "0"]);
    let other = rusqlite::Connection::open(folder.0.join("orders.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = demo.get("/");
    assert_eq!(answer.status, 500);
    assert!(answer.detail().contains("locked"), "{}", answer.body);
    assert_eq!(demo.get("/orders").status, 200, "reading needs no lock");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(demo.get("/").status, 200);
}

#[cfg(unix)]
mod signals {
    use super::*;

    #[test]
    fn sigterm_lets_open_requests_finish_and_sends_idle_connections_away() {
        let folder = Folder::new("graceful");
        let kitchen = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", kitchen.local_addr().unwrap());
        let mut demo = Demo::serve(&["--kitchen", &url, "--data", folder.text()]);
        let mut idle = demo.connect();
        idle.send(get("/orders"));
        assert_eq!(idle.answer().status, 200);
        let mut open = demo.connect();
        open.send(get("/"));
        let mut cook = kitchen.accept().unwrap().0; // so the request is being served

        demo.signal("-TERM");
        demo.hear("closing");
        assert!(idle.is_closed());
        let refused = std::net::TcpStream::connect(demo.address);
        assert!(refused.is_err(), "nobody new comes in");
        let toppings = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"toppings\":[]}";
        std::io::Write::write_all(&mut cook, toppings).unwrap();
        let answer = open.answer();
        assert_eq!((answer.status, answer.closes()), (200, true));
        assert!(open.is_closed());
        drop(open);
        let ended = demo.wait();
        assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
        assert_eq!(folder.list("receipts"), ["1.json"]);
    }

    #[test]
    fn an_open_request_that_does_not_finish_is_broken_off_after_the_grace() {
        let kitchen = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", kitchen.local_addr().unwrap());
        let demo = Demo::serve(&["--kitchen", &url, "--grace-ms", "100"]);
        let mut open = demo.connect();
        open.send(get("/"));
        let _cook = kitchen.accept().unwrap();
        demo.signal("-INT");
        assert!(open.is_closed());
        assert_eq!(demo.wait().code, Some(0));
    }

    #[test]
    fn a_second_ctrl_c_ends_it_at_once() {
        let kitchen = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", kitchen.local_addr().unwrap());
        let mut demo = Demo::serve(&["--kitchen", &url, "--grace-ms", "600000"]);
        let mut open = demo.connect();
        open.send(get("/"));
        let _cook = kitchen.accept().unwrap();
        demo.signal("-INT");
        demo.hear("closing");
        demo.signal("-INT");
        assert_eq!(demo.wait().code, Some(130));
    }

    #[test]
    fn the_kitchen_ends_as_well() {
        let kitchen = Demo::kitchen(&[]);
        kitchen.signal("-TERM");
        assert_eq!(kitchen.wait().code, Some(0));
    }

    #[test]
    fn without_data_no_file_is_left_behind() {
        let demo = Demo::serve(&[]);
        assert_eq!(demo.get("/").status, 200);
        assert_eq!(demo.temporary.list("").len(), 1, "it is there while the stand is open");
        demo.signal("-TERM");
        let ended = demo.wait();
        assert_eq!((ended.code, ended.left_behind), (Some(0), vec![]));
    }
}
