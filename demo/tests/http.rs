//! The conversation: what keeps a connection open, and in which order things are answered.

mod common;

use common::{Demo, get, post};

/// A server whose requests need no kitchen's time.
fn serve() -> Demo {
    Demo::serve(&["--kitchen-delay-ms", "0"])
}

#[test]
fn a_connection_stays_open_for_more_requests() {
    let demo = serve();
    let mut client = demo.connect();
    for n in 1..=20 {
        client.send(get("/"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (200, false));
        assert_eq!(answer.json()["order"], n);
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let demo = serve();
    let mut client = demo.connect();
    let body = r#"{"burgers":1,"customer":"Ann"}"#;
    client.send(
        [get("/burgers/1"), post("/orders", body), get("/nothing"), get("/burgers/3")].concat(),
    );
    assert_eq!(client.answer().json()["order"], 1);
    assert_eq!(client.answer().json()["customer"], "Ann");
    assert_eq!(client.answer().status, 404);
    assert_eq!(client.answer().json()["order"], 3);
}

#[test]
fn a_flood_of_pipelined_requests_is_answered_one_by_one() {
    let demo = serve();
    let mut client = demo.connect();
    let mut sender = client.stream.try_clone().unwrap();
    let flood = std::thread::spawn(move || {
        std::io::Write::write_all(&mut sender, get("/orders").repeat(5_000).as_bytes()).unwrap();
    });
    for _ in 0..5_000 {
        assert_eq!(client.answer().status, 200);
    }
    flood.join().unwrap();
}

#[test]
fn head_is_get_without_the_body() {
    let demo = serve();
    let mut client = demo.connect();
    client.send("HEAD /orders HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = client.answer_head();
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("content-length: 13\r\n"), "{}", answer.head);
    client.send("HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer_head().status, 404);
    client.send(get("/orders"));
    assert_eq!(client.answer().body, r#"{"orders":[]}"#);
}

#[test]
fn connection_close_is_the_last_request() {
    let demo = serve();
    for wish in ["close", "Close", "x , CLOSE", "keep-alive\r\nConnection: close"] {
        let mut client = demo.connect();
        client.send(format!("GET /orders HTTP/1.1\r\nHost: a\r\nConnection: {wish}\r\n\r\n"));
        client.send(get("/orders")); // too late
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (200, true), "{wish}");
        assert!(client.is_closed());
    }
}

#[test]
fn http_1_0_closes_unless_it_asks_not_to() {
    let demo = serve();
    let mut client = demo.connect();
    client.send("GET /orders HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    let answer = client.answer();
    assert!(answer.head.contains("connection: keep-alive\r\n"), "{}", answer.head);
    client.send("GET /orders HTTP/1.0\r\n\r\n");
    assert!(client.answer().closes());
    assert!(client.is_closed());
}

#[test]
fn other_versions_are_505() {
    let demo = serve();
    for request in
        ["GET / HTTP/2.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.2\r\n\r\n"]
    {
        let answer = demo.ask(request);
        assert_eq!((answer.status, answer.closes()), (505, true), "{request}");
        answer.detail();
    }
}

#[test]
fn a_client_that_expects_100_is_told_to_go_on() {
    let demo = serve();
    let body = r#"{"burgers":1,"customer":"Ann"}"#;
    let head = "POST /orders HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n";
    let mut client = demo.connect();
    client.send(format!("{head}Content-Length: {}\r\n\r\n", body.len()));
    assert_eq!(client.answer_head().status, 100);
    client.send(body);
    assert_eq!(client.answer().status, 201);
    // Who does not wait is not told.
    client.send(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()));
    assert_eq!(client.answer().status, 201);
    // What is refused need not be sent.
    client.send(format!("{head}Content-Length: 65537\r\n\r\n"));
    assert_eq!(client.answer().status, 413);
    assert!(client.is_closed());
    assert_eq!(demo.ask("GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n").status, 417);
}

#[test]
fn a_request_may_come_in_pieces_cut_anywhere() {
    let demo = serve();
    let request = post("/orders", r#"{"burgers":1,"customer":"Änn"}"#).into_bytes();
    let mut client = demo.connect();
    for cut in 0..=request.len() {
        client.send(&request[..cut]);
        client.send(&request[cut..]);
        let answer = client.answer();
        assert_eq!(answer.status, 201, "cut at {cut}: {}", answer.body);
    }
    for byte in &request {
        client.send([*byte]);
    }
    assert_eq!(client.answer().status, 201);
}

#[test]
fn targets_may_have_a_query_or_a_host() {
    let demo = serve();
    for target in ["/orders?x=/y", "http://stand/orders", "http://stand:80/orders?x"] {
        assert_eq!(demo.get(target).body, r#"{"orders":[]}"#, "{target}");
    }
    assert_eq!(demo.get("http://stand").status, 200);
    assert_eq!(demo.get("http://stand?q").status, 200);
    for target in ["*", "orders", "https://stand/", "stand:80", "/orders#top", "?x"] {
        let answer = demo.get(target);
        assert_eq!((answer.status, answer.closes()), (400, true), "{target}");
    }
}

#[test]
fn a_client_that_ends_sending_still_gets_its_answer() {
    let demo = serve();
    let mut client = demo.connect();
    client.send(get("/"));
    client.ends_sending();
    assert_eq!(client.answer().status, 200);
    assert!(client.is_closed());
}

#[test]
fn a_client_that_ends_within_a_request_is_told_so() {
    let demo = serve();
    for part in ["GET / HT", "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n1234"] {
        let mut client = demo.connect();
        client.send(part);
        client.ends_sending();
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (400, true));
    }
    let mut client = demo.connect();
    client.ends_sending();
    assert!(client.is_closed(), "who said nothing is answered nothing");
}

#[test]
fn clients_that_reset_or_vanish_disturb_nobody() {
    let demo = Demo::serve(&["--kitchen-delay-ms", "20"]);
    let mut steady = demo.connect();
    for n in 0..20 {
        let mut client = demo.connect();
        client.send(get("/").repeat(n % 3 + 1));
        client.send("GET / HT");
        if n % 2 == 0 {
            // Closing with an unread answer is a reset.
            let _ = client.stream.peek(&mut [0]);
        }
        drop(client);
        steady.send(get("/orders"));
        assert_eq!(steady.answer().status, 200);
    }
}

#[test]
fn nothing_a_client_sends_becomes_a_header_line_of_the_answer() {
    let demo = serve();
    for target in ["/x%0d%0aSet-Cookie:%20a=b", "/burgers/1%0d%0aX:y", "/\u{e9}\u{2028}"] {
        let answer = demo.get(target);
        assert!(answer.status == 404 || answer.status == 400);
        assert_eq!(
            answer.head.lines().filter(|line| !line.is_empty()).count(),
            3,
            "{}",
            answer.head
        );
        answer.detail();
    }
}
