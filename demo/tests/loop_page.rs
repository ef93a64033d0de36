//! The live page of `demo serve`, as a browser and as a foreign web page would ask for it.

mod common;

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Instant;

use common::{Answer, Client, Demo, LIMIT, get, run};
use serde_json::{Value, json};

/// The stand, and where its page is.
struct Watched {
    demo: Demo,
    page: SocketAddr,
}

fn serve(args: &[&str]) -> Watched {
    let mut demo = Demo::serve(&[&["--kitchen-delay-ms", "0"], args].concat());
    let line = demo.hear("watch it at:");
    let url = line.split_whitespace().last().unwrap();
    let page = url.strip_prefix("http://").and_then(|url| url.strip_suffix("/loop")).unwrap();
    Watched { page: page.parse().unwrap(), demo }
}

impl Watched {
    fn ask(&self, first: &str, headers: &str, body: &str) -> Answer {
        let mut client = Client::connect(self.page);
        let length = body.len();
        client.send(format!(
            "{first} HTTP/1.1\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        ));
        client.answer()
    }

    fn host(&self) -> String {
        format!("Host: {}\r\n", self.page)
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), &self.host(), "")
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = self.host() + "Content-Type: application/json\r\n";
        self.ask(&format!("POST {path}"), &headers, &body.to_string())
    }

    fn control(&self, wish: &Value) {
        assert_eq!(self.post("/loop/control", wish).status, 200);
    }

    fn state(&self) -> Value {
        self.get("/loop/state").json()
    }

    fn viewer(&self) -> Viewer {
        let mut client = Client::connect(self.page);
        client.send(format!("GET /loop/events HTTP/1.1\r\n{}\r\n", self.host()));
        let mut lines = BufReader::new(client.stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(lines.read_line(&mut head).unwrap(), 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("Content-Type: text/event-stream\r\n"), "{head}");
        Viewer { lines, last: None, stands: false }
    }
}

/// Somebody who has the page open.
struct Viewer {
    lines: BufReader<TcpStream>,
    /// The number of the last event.
    last: Option<u64>,
    /// The loop stands before the gate.
    stands: bool,
}

impl Viewer {
    /// The next message, and what kind of message it is. Events must come one after the other.
    fn next(&mut self) -> (String, Value) {
        let mut kind = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "the stream has ended");
            if let Some(name) = line.strip_prefix("event: ") {
                kind = name.trim_end().to_owned();
            }
            if let Some(data) = line.strip_prefix("data: ") {
                let data: Value = serde_json::from_str(data).unwrap();
                if kind == "snapshot" {
                    self.last = data["world"]["n"].as_u64();
                }
                for event in data["events"].as_array().into_iter().flatten() {
                    let n = event["n"].as_u64();
                    assert_eq!(n, self.last.map(|last| last + 1), "one after the other: {event}");
                    self.last = n;
                }
                self.stands = data["gate"]["stands"].as_bool().unwrap_or(self.stands);
                return (kind, data);
            }
        }
    }

    fn until(&mut self, mut found: impl FnMut(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let (_, data) = self.next();
            if found(&data) {
                return data;
            }
            assert!(start.elapsed() < LIMIT, "it never comes");
        }
    }

    /// Waits until the loop stands still. Gives the number of the event at which it does.
    fn until_it_stands(&mut self, least: u64) -> u64 {
        let start = Instant::now();
        while !self.stands || self.last.is_none_or(|last| last < least) {
            self.next();
            assert!(start.elapsed() < LIMIT, "it does not stand, at {:?}", self.last);
        }
        self.last.unwrap()
    }
}

#[test]
fn the_stand_leads_to_its_page_and_the_page_needs_nothing_else() {
    let watched = serve(&[]);
    let answer = watched.demo.get("/loop");
    assert_eq!(answer.status, 307);
    assert!(answer.head.contains(&format!("location: http://{}/loop\r\n", watched.page)));
    let page = watched.get("/loop");
    assert_eq!(page.status, 200);
    for header in [
        "content-type: text/html; charset=utf-8\r\n",
        "content-security-policy: default-src 'none';",
        "frame-ancestors 'none'",
        "x-frame-options: deny\r\n",
        "x-content-type-options: nosniff\r\n",
        "cross-origin-resource-policy: same-origin\r\n",
        "cache-control: no-store\r\n",
    ] {
        assert!(page.head.contains(header), "{header} in {}", page.head);
    }
    assert!(!page.head.contains("access-control"), "{}", page.head);
    for from_elsewhere in ["src=", "url(http", "@import", "href=\"http", "import("] {
        assert!(!page.body.contains(from_elsewhere), "{from_elsewhere}");
    }
    assert!(page.body.contains("scheduler.open_inbox();"), "the source of the loop is in it");
}

#[test]
fn the_state_tells_who_lives_and_who_waits_for_what() {
    let watched = serve(&[]);
    assert_eq!(watched.demo.get("/").status, 200);
    let state = watched.state();
    let names: Vec<&str> = state["coroutines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|coroutine| coroutine["name"].as_str().unwrap())
        .collect();
    assert_eq!(names[..3], ["main", "accept", "accept"], "{names:?}");
    assert_eq!(state["gate"]["state"], "open");
    assert!(state["now"].as_f64() >= state["t"].as_f64());
    let accept = &state["coroutines"][1];
    assert_eq!((&accept["state"], &accept["waits"][0]["k"]), (&json!("parked"), &json!("source")));
}

#[test]
fn a_viewer_sees_each_event_once_and_in_order() {
    let watched = serve(&[]);
    let (mut early, mut late) = (watched.viewer(), None);
    let (kind, snapshot) = early.next();
    assert_eq!((kind.as_str(), &snapshot["missed"]), ("snapshot", &json!(0)));
    assert_eq!(snapshot["gate"]["state"], "open");
    for _ in 0..3 {
        let mut kinds = Vec::new();
        assert_eq!(watched.demo.get("/").status, 200);
        early.until(|data| {
            let events = data["events"].as_array().into_iter().flatten();
            kinds.extend(events.map(|event| event["k"].as_str().unwrap().to_owned()));
            ["spawned", "woken", "poll", "waiting", "jobqueued", "jobdone", "ended", "parking"]
                .iter()
                .all(|kind| kinds.iter().any(|seen| seen == kind))
        });
        late.get_or_insert_with(|| watched.viewer());
    }
    let mut late = late.unwrap();
    assert_eq!(late.next().1["world"]["n"], 0, "also what happened before it came");
    let wanted = early.last;
    late.until(|_| true);
    while late.last < wanted {
        late.next();
    }
}

#[test]
fn pause_stops_the_loop_and_a_step_is_one_event() {
    let watched = serve(&[]);
    let mut viewer = watched.viewer();
    watched.control(&json!({ "do": "pause" }));
    let mut customer = watched.demo.connect();
    customer.send(get("/"));
    let stood = viewer.until_it_stands(1);
    for steps in [1, 5, 1] {
        let before = watched.state();
        watched.control(&json!({ "do": "step", "n": steps }));
        let after = viewer.until_it_stands(before["n"].as_u64().unwrap() + steps);
        assert_eq!(Some(after), before["n"].as_u64().map(|n| n + steps));
    }
    let state = watched.state();
    assert_eq!(state["n"].as_u64(), Some(stood + 7), "exactly seven events more");
    assert_eq!(
        (&state["gate"]["state"], &state["gate"]["stands"]),
        (&json!("closed"), &json!(true))
    );
    customer.stream.set_nonblocking(true).unwrap();
    let nothing = customer.stream.read(&mut [0]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock, "seven events are no answer");
    customer.stream.set_nonblocking(false).unwrap();
    watched.control(&json!({ "do": "resume" }));
    assert_eq!(customer.answer().status, 200);
}

#[test]
fn slow_motion_is_slow_and_still_answers() {
    let watched = serve(&[]);
    watched.control(&json!({ "do": "slow", "ms": 2 }));
    let start = Instant::now();
    assert_eq!(watched.demo.get("/").status, 200);
    assert!(start.elapsed().as_millis() >= 40, "many events, 2 ms each: {:?}", start.elapsed());
    let state = watched.state();
    assert_eq!((&state["gate"]["state"], &state["gate"]["rest"]), (&json!("slow"), &json!(2.0)));
    for nonsense in [json!({}), json!({ "do": "stop" }), json!({ "do": "step", "n": -1 })] {
        assert_eq!(watched.post("/loop/control", &nonsense).status, 400, "{nonsense}");
    }
}

#[test]
fn burgers_are_ordered_for_real_in_both_ways() {
    let watched = serve(&[]);
    let mut viewers = [watched.viewer(), watched.viewer()];
    for (number, (n, way)) in
        [(1, "together"), (3, "one after another"), (10, "together")].into_iter().enumerate()
    {
        let answer = watched.post("/loop/order", &json!({ "n": n, "way": way }));
        assert_eq!((answer.status, &answer.json()["order"]), (202, &json!(number + 1)));
        for viewer in &mut viewers {
            let told = viewer.until(|data| data["orders"][number]["took"].is_number());
            let order = &told["orders"][number];
            assert_eq!((&order["answered"], &order["failed"]), (&json!(n), &json!(0)), "{order}");
        }
    }
    let orders = watched.demo.get("/orders").json();
    assert_eq!(orders["orders"].as_array().unwrap().len(), 14, "the stand has them all");
    for nonsense in [
        json!({ "n": 0, "way": "together" }),
        json!({ "n": 101, "way": "together" }),
        json!({ "n": 1, "way": "at random" }),
    ] {
        assert_eq!(watched.post("/loop/order", &nonsense).status, 400, "{nonsense}");
    }
}

#[test]
fn a_foreign_web_page_reads_nothing_and_orders_nothing() {
    let watched = serve(&[]);
    let own = watched.host();
    let kind = "Content-Type: application/json\r\n";
    let reads = ["GET /loop/state", "GET /loop/events"];
    let writes = [
        ("POST /loop/control", r#"{"do":"pause"}"#),
        ("POST /loop/order", r#"{"n":1,"way":"together"}"#),
    ];
    let all = reads.iter().map(|route| (*route, "")).chain(writes);
    for (route, body) in all {
        // Its own name points to this machine.
        for host in
            ["burgers.example", "burgers.example:80", "127.0.0.1.example", "", "localhost.x"]
        {
            let answer = watched.ask(route, &format!("Host: {host}\r\n{kind}"), body);
            assert_eq!(answer.status, 421, "{route} as {host:?}: {}", answer.body);
        }
        let port = watched.page.port();
        let other = format!("http://localhost:{port}");
        for origin in ["http://burgers.example", "null", "https://127.0.0.1", &other] {
            let answer = watched.ask(route, &format!("{own}Origin: {origin}\r\n{kind}"), body);
            assert_eq!(answer.status, 403, "{route} from {origin}: {}", answer.body);
        }
        for site in ["cross-site", "same-site"] {
            let answer =
                watched.ask(route, &format!("{own}Sec-Fetch-Site: {site}\r\n{kind}"), body);
            assert_eq!(answer.status, 403, "{route} {site}: {}", answer.body);
        }
    }
    // What a page may send without asking first.
    for (route, body) in writes {
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
            let answer = watched.ask(route, &format!("{own}Content-Type: {kind}\r\n"), body);
            assert_eq!(answer.status, 415, "{route} as {kind}: {}", answer.body);
        }
        assert_eq!(watched.ask(route, &own, body).status, 415);
        // And what it asks first is not answered with yes.
        let asks = format!(
            "{own}Origin: http://burgers.example\r\nAccess-Control-Request-Method: POST\r\n"
        );
        let path = route.split(' ').nth(1).unwrap();
        let answer = watched.ask(&format!("OPTIONS {path}"), &asks, "");
        assert_eq!(answer.status, 405);
        assert!(!answer.head.contains("access-control"), "{}", answer.head);
    }
    assert_eq!(watched.ask("GET /loop", "Host: burgers.example\r\n", "").status, 421);
    assert_eq!(watched.state()["gate"]["state"], "open");
    assert_eq!(watched.demo.get("/orders").json()["orders"], json!([]));
    // The page itself may.
    let page =
        format!("{own}Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\n{kind}", watched.page);
    assert_eq!(watched.ask(writes[1].0, &page, writes[1].1).status, 202);
    let localhost = format!("Host: localhost:{}\r\n", watched.page.port());
    assert_eq!(watched.ask("GET /loop/state", &localhost, "").status, 200);
}

/// The bytes that a process has in memory.
#[cfg(target_os = "linux")]
fn memory(process: u32) -> u64 {
    let pages = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap();
    4096 * pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn viewers_that_stop_reading_cost_no_memory_and_do_not_slow_the_stand() {
    /// More than the recorder keeps.
    const EVENTS: u64 = 25_000;
    let watched = serve(&[]);
    let mut customer = watched.demo.connect();
    let mut load = || {
        let until = watched.state()["n"].as_u64().unwrap() + EVENTS;
        while watched.state()["n"].as_u64().unwrap() < until {
            for _ in 0..100 {
                customer.send(get("/burgers/0")); // refused at once: a few events each
                assert_eq!(customer.answer().status, 400);
            }
        }
        memory(watched.demo.id())
    };
    let alone = load();
    let deaf: Vec<Viewer> = (0..5).map(|_| watched.viewer()).collect();
    let with_viewers = load();
    let more = with_viewers.saturating_sub(alone);
    println!(
        "{} KiB alone, {} KiB more with 5 viewers that do not read",
        alone / 1024,
        more / 1024
    );
    assert!(more < 16 << 20, "{more} bytes more");
    watched.demo.signal("-TERM");
    assert_eq!(watched.demo.wait().code, Some(0), "nor do they keep it from its end");
    drop(deaf);
}

#[cfg(unix)]
#[test]
fn it_ends_at_once_also_while_it_is_paused_and_watched() {
    for signal in ["-TERM", "-INT"] {
        let watched = serve(&[]);
        let mut viewer = watched.viewer();
        watched.control(&json!({ "do": "pause" }));
        let mut customer = watched.demo.connect();
        customer.send(get("/"));
        viewer.until_it_stands(1);
        watched.demo.signal(signal);
        assert_eq!(customer.answer().status, 200, "it is let go on, and finishes what is open");
        let ended = watched.demo.wait();
        assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
        assert_eq!(ended.left_behind, [""; 0]);
        let mut rest = Vec::new();
        let _ = viewer.lines.read_to_end(&mut rest); // and it does not wait for more
    }
}

/// What a demo says until this, and the demo.
fn hear(args: &[&str], part: &str) -> (std::process::Child, String) {
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_demo")).args(args).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.map_while(Result::ok).find(|line| line.contains(part));
    (child, line.unwrap_or_else(|| panic!("it never says {part:?}")))
}

#[cfg(unix)]
#[test]
fn the_tour_holds_a_page_of_its_request_until_it_is_ended() {
    let (mut child, line) = hear(&["tour", "--hold"], "see it, event by event:");
    let url = line.split_whitespace().find_map(|word| word.strip_prefix("http://")).unwrap();
    let address: SocketAddr = url.strip_suffix("/loop").unwrap().parse().unwrap();
    let mut client = Client::connect(address);
    client.send(format!("GET /loop HTTP/1.1\r\nHost: {address}\r\n\r\n"));
    let page = client.answer();
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<script>window.RECORDING = {\"events\":[{"), "it is a recording");
    assert!(page.body.contains("get") && page.body.contains("connection"));
    client.send("GET /loop HTTP/1.1\r\nHost: burgers.example\r\n\r\n");
    assert_eq!(client.answer().status, 421);
    let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(ended.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn without_the_watcher_there_is_no_page() {
    let demo = Demo::serve(&["--no-watch"]);
    assert_eq!(demo.get("/loop").status, 404);
    assert!(demo.get("/loop").detail().contains("--no-watch"));
    assert!(!demo.said.iter().any(|line| line.contains("watch it at")), "{:?}", demo.said);
}

#[test]
fn a_port_of_the_page_that_is_taken_is_told_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ended = run(&["serve", "--port", "0", "--loop-port", &port.to_string()]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("--loop-port") && ended.errors.contains(&port.to_string()));
    let ended = run(&["serve", "--port", "0", "--loop-host", "192.0.2.1"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("--loop-host"), "{}", ended.errors);
}

#[test]
fn if_the_next_port_is_taken_any_other_one_will_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let next = taken.local_addr().unwrap().port();
    let port = next - 1;
    if TcpListener::bind(("127.0.0.1", port)).is_err() {
        eprintln!("skipped: port {port} is taken as well");
        return;
    }
    let (mut child, line) = hear(&["serve", "--port", &port.to_string()], "watch it at:");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!line.contains(&format!(":{next}/")) && line.contains("/loop"), "{line}");
}
