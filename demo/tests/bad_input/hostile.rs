//! Clients that mean it: each kind in numbers, and beside them one who only wants a burger.

use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Client, Demo, Folder, get, post};
use crate::process::Process;

/// A stand, its process, and what it cost before anything happened.
struct Scene {
    demo: Demo,
    process: Process,
    memory: usize,
    descriptors: usize,
}

impl Scene {
    fn open(args: &[&str]) -> Scene {
        // What a recorder keeps is not the server's memory.
        let demo = Demo::serve(&[&["--no-watch", "--kitchen-delay-ms", "0"], args].concat());
        assert_eq!(demo.get("/").status, 200); // now everything is there that is made on demand
        let process = Process::of(&demo);
        let (memory, descriptors) = (process.memory(), process.descriptors_at_rest());
        Scene { demo, process, memory, descriptors }
    }

    fn clients(&self, count: usize) -> Vec<Client> {
        (0..count).map(|_| self.demo.connect()).collect()
    }

    fn still_serves(&self) {
        let begin = Instant::now();
        for path in ["/orders", "/burgers/0", "/"] {
            assert!([200, 400].contains(&self.demo.get(path).status));
        }
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    }

    /// It has not grown by more than so many KiB.
    fn has_grown_less_than(&self, limit: usize) {
        let grown = self.process.memory().saturating_sub(self.memory);
        println!("grown by {grown} KiB (at most {limit})");
        assert!(grown < limit, "grown by {grown} KiB");
    }

    /// All connections have ended here, whether the clients have closed or not.
    fn has_let_go(&self) {
        self.process.descriptors_return_to(self.descriptors);
        self.still_serves();
    }
}

/// Sends until the other side has had enough, or `most` bytes; gives how many bytes it were.
fn send_on(client: &mut Client, piece: &[u8], most: usize) -> usize {
    let mut sent = 0;
    while sent < most {
        match client.stream.write(piece) {
            Ok(length) => sent += length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(_) => break,
        }
    }
    sent
}

#[test]
fn those_who_dawdle_keep_nobody_waiting() {
    let scene = Scene::open(&[]);
    let mut heads = scene.clients(100);
    let mut bodies = scene.clients(100);
    let mut readers = scene.clients(100);
    for client in &mut bodies {
        client.send("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n");
    }
    for client in &mut readers {
        client.send(get(&format!("/{}", "x".repeat(8000))).repeat(4));
    }
    for _ in 0..10 {
        for client in &mut heads {
            client.send("G");
        }
        for client in &mut bodies {
            client.send("{".repeat(100));
        }
        for client in &mut readers {
            assert_eq!(client.stream.read(&mut [0]).unwrap(), 1);
        }
        scene.still_serves();
    }
    scene.has_grown_less_than(300 * 40);
    drop((heads, bodies, readers));
    scene.has_let_go();
}

/// They are gone, or it looks like it: their side is never closed.
#[test]
fn peers_that_never_close_cost_no_descriptor() {
    // Not too brief: he who only wants a burger must be quicker than that on a busy machine.
    let brief = ["idle", "head", "body", "write"].map(|wait| format!("--{wait}-timeout-ms=1000"));
    let scene = Scene::open(&brief.each_ref().map(String::as_str));
    let mut clients = scene.clients(120);
    for (number, client) in clients.iter_mut().enumerate() {
        match number % 6 {
            0 => {}
            1 => client.send("GET / HT"),
            2 => client.send("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"),
            3 => client.send("GET /orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
            4 => client.send(get("/orders")),
            _ => {
                client.send(get("/orders"));
                client.ends_sending();
            }
        }
    }
    scene.has_let_go();
    scene.has_grown_less_than(120 * 40);
    drop(clients);
}

#[test]
fn a_flood_that_takes_no_answers_is_not_read_on() {
    let scene = Scene::open(&[]);
    let mut clients = scene.clients(4);
    let request = get("/orders").repeat(1000);
    for client in &mut clients {
        client.stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let sent = send_on(client, request.as_bytes(), 64 << 20);
        assert!(sent < 32 << 20, "{sent} bytes and no end");
        scene.still_serves();
    }
    scene.has_grown_less_than(2048);
    for client in &mut clients {
        for _ in 0..1000 {
            assert_eq!(client.answer().status, 200, "all of them, as soon as they are taken");
        }
    }
}

#[test]
fn a_gigabyte_is_refused_before_it_is_sent() {
    let scene = Scene::open(&[]);
    let megabyte = vec![b'x'; 1 << 20];
    for (lines, status) in [
        ("Content-Length: 1073741824", 413),
        ("Content-Length: 1073741824\r\nExpect: 100-continue", 413),
        ("Transfer-Encoding: chunked", 411),
    ] {
        let mut client = scene.demo.connect();
        client.send(format!("POST /orders HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (status, true), "{lines}");
        // It sends on, all the same. What fits into the buffers of the system is not ours.
        let sent = send_on(&mut client, &megabyte, 1 << 30);
        assert!(sent < 64 << 20, "{sent} bytes and no end");
        scene.has_grown_less_than(1024);
    }
    scene.has_let_go();
}

#[test]
fn bombs_of_header_lines_are_refused_at_the_limit() {
    let scene = Scene::open(&[]);
    for (lines, times) in [
        ("X: y\r\n".to_owned(), 30_000),
        (format!("X: {}\r\n", "y".repeat(1000)), 200),
        ("x".to_owned(), 200_000),
        ("X: y ".to_owned(), 40_000),
        (format!("Content-Length: {}", "0".repeat(1000)), 200),
        ("\r\n".to_owned(), 100_000),
    ] {
        let mut clients = scene.clients(20);
        for client in &mut clients {
            client.send("GET /orders HTTP/1.1\r\nHost: a\r\n".repeat(usize::from(lines != "\r\n")));
            // It may close before all of it is sent.
            let _ = client.stream.write_all(lines.repeat(times).as_bytes());
        }
        for client in &mut clients {
            let answer = client.answer();
            assert_eq!((answer.status, answer.closes()), (431, true), "{lines:.20}");
        }
    }
    scene.has_grown_less_than(4096);
    scene.has_let_go();
}

/// As SQL, as a path, as a header line, as the end of a string: it stays what it was, a name.
#[test]
fn a_name_is_a_name_whatever_it_would_be_elsewhere() {
    let names = [
        "'); DROP TABLE orders; --",
        "' OR '1'='1",
        "\"; DELETE FROM menu; --",
        "?1",
        "%s%n",
        "../../../../etc/passwd",
        "recipe.txt",
        "/",
        "\0",
        "a\0b",
        "a\r\nSet-Cookie: b=c\r\n\r\nHTTP/1.1 200 OK",
        "\u{1b}[2J",
        "\u{202e}\u{feff}\u{fffd}",
        "\\\"}]",
    ];
    let folder = Folder::new("names");
    let scene = Scene::open(&["--data", folder.text()]);
    let before = folder.list("");
    let mut client = scene.demo.connect();
    for name in names {
        client.send(post("/orders", &json!({ "burgers": 1, "customer": name }).to_string()));
        let answer = client.answer();
        assert_eq!((answer.status, &answer.json()["customer"]), (201, &json!(name)));
        let lines: Vec<_> = answer.head.lines().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(lines, ["http/1.1 201 created", "content-type", "content-length", ""]);
    }
    let orders = scene.demo.get("/orders").json();
    let orders = orders["orders"].as_array().unwrap().iter().rev();
    let kept: Vec<Value> = orders.map(|order| order["customer"].clone()).skip(1).collect();
    assert_eq!(json!(kept), json!(names));
    assert_eq!(folder.list(""), before, "no new file");
    let receipts: Vec<_> = (1..=names.len() + 1).map(|n| format!("{n}.json")).collect();
    assert_eq!(folder.list("receipts").len(), receipts.len());
    assert!(folder.list("receipts").iter().all(|name| receipts.contains(name)));
    assert_eq!(scene.demo.get("/burgers/6").status, 200, "and the menu is whole");
}

#[test]
fn what_is_no_unicode_and_no_path_is_an_error() {
    let scene = Scene::open(&[]);
    for (target, status) in [
        (&b"/burgers/\xc0\xb1"[..], 400), // an overlong `1`
        (b"/burgers/\xed\xa0\x80", 400),
        (b"/burgers/%c0%b1", 404),
        (b"/burgers/%ed%a0%80", 404),
        (b"/burgers/1%00", 400),
        (b"/burgers/1;DROP%20TABLE%20orders", 400),
        (b"/burgers/..%2f..%2forders.db", 400),
        (b"/burgers/../orders", 404),
        (b"/receipts/1.json", 404),
        (b"/orders.db", 404),
        (b"/orders/..;/", 404),
        (b"/%252e%252e/orders", 404),
        (b"/..\\..\\orders", 404),
    ] {
        let request = [b"GET ", target, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        let answer = scene.demo.ask(request);
        assert_eq!(answer.status, status, "{}: {}", target.escape_ascii(), answer.body);
        answer.detail();
    }
    for name in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\\ud800", b"\r\n", b"\0"] {
        let body = [br#"{"burgers":1,"customer":""#, name, br#""}"#].concat();
        let head =
            format!("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        let answer = scene.demo.ask([head.as_bytes(), &body].concat());
        assert_eq!(answer.status, 400, "{}", name.escape_ascii());
    }
}

/// Everybody at once, breaking off wherever it is.
#[test]
fn those_who_break_off_leave_nothing_behind() {
    let scene = Scene::open(&[]);
    let order = post("/orders", r#"{"burgers":1,"customer":"Ann"}"#);
    thread::scope(|scope| {
        for part in 0..4 {
            let (address, order) = (scene.demo.address, order.as_bytes());
            scope.spawn(move || {
                for cut in (part..order.len()).step_by(4) {
                    let mut client = Client::connect(address);
                    client.send(get("/orders"));
                    client.send(&order[..cut]);
                    if cut % 3 == 0 {
                        // With an answer in its buffer that it has not read, closing is a reset.
                        let _ = client.stream.peek(&mut [0]);
                    }
                }
            });
        }
    });
    scene.has_let_go();
    scene.has_grown_less_than(2048);
    assert_eq!(scene.demo.get("/orders").json()["orders"].as_array().unwrap().len(), 2);
}
