//! What is refused: too much, too slow, or possible to understand in two ways.

mod common;

use common::{Demo, get};

#[test]
fn a_long_head_is_431() {
    let demo = Demo::serve(&[]);
    let limit = 16 * 1024;
    let request = |length: usize| {
        let rest = "GET /orders HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
        format!("GET /orders HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(length - rest))
    };
    assert_eq!(demo.ask(request(limit)).status, 200);
    for request in [request(limit + 1), request(10 * limit), get(&"/x".repeat(limit))] {
        let answer = demo.ask(request);
        assert_eq!((answer.status, answer.closes()), (431, true));
        assert!(answer.detail().contains("16384"));
    }
}

#[test]
fn many_headers_are_431() {
    let demo = Demo::serve(&[]);
    let request = |lines: usize| {
        format!("GET /orders HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(lines - 1))
    };
    assert_eq!(demo.ask(request(64)).status, 200);
    let answer = demo.ask(request(65));
    assert_eq!((answer.status, answer.closes()), (431, true));
    assert!(answer.detail().contains("64"));
}

#[test]
fn a_long_body_is_413_before_it_is_sent() {
    let demo = Demo::serve(&[]);
    let order = r#"{"burgers":1,"customer":"Ann"}"#;
    let post = |length: &str| {
        format!("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{order}")
    };
    let full = format!("{}{}", post("65536"), " ".repeat(65536 - order.len()));
    assert_eq!(demo.ask(full).status, 201);
    for length in ["65537", "1073741824", "18446744073709551615", "18446744073709551616"] {
        let answer = demo.ask(post(length));
        assert_eq!((answer.status, answer.closes()), (413, true), "{length}");
        assert!(answer.detail().contains("65536"));
    }
    assert_eq!(demo.ask(post(&"9".repeat(5000))).status, 413);
}

/// Whoever sends on regardless still gets to read why it was refused.
#[test]
fn a_refused_body_does_not_reset_the_answer_away() {
    let demo = Demo::serve(&[]);
    for _ in 0..20 {
        let mut client = demo.connect();
        client.send("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
        client.send("x".repeat(100_000));
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (413, true));
        assert!(client.is_closed());
    }
}

#[test]
fn transfer_encodings_are_refused() {
    let demo = Demo::serve(&[]);
    for (coding, status) in [
        ("chunked", 411),
        ("Chunked", 411),
        ("gzip, chunked", 501),
        ("identity", 501),
        ("chunked\r\nTransfer-Encoding: chunked", 501),
        ("\u{b}chunked", 400),
        ("chunked\r\nContent-Length: 5", 400),
    ] {
        let answer = demo.ask(format!(
            "POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n"
        ));
        assert_eq!((answer.status, answer.closes()), (status, true), "{coding:?}");
        answer.detail();
    }
    assert_eq!(demo.ask("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").status, 400);
}

/// Each of these is read in another way by some server. Here none of them is read at all, and
/// what follows it is not taken for a request.
#[test]
fn what_can_be_understood_in_two_ways_is_400() {
    let demo = Demo::serve(&["--kitchen-delay-ms", "0"]);
    let smuggled = get("/");
    for lines in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 5 5",
        "Content-Length: ",
        "Content-Length: five",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Content-Length : 5",
        "Content-Length\t: 5",
        " Content-Length: 5",
        "Content-Length:\r\n 5",
        "X: y\r\n Content-Length: 5",
        "X: y\r\n\tz",
        "X: y\rContent-Length: 5",
        "X: y\rz",
        "X: y\0z",
        "X\0: y",
        "X y: z",
        ": y",
        "no colon",
        "H\u{f6}st: a",
        "Host: b",
    ] {
        let mut client = demo.connect();
        client.send(format!("POST /orders HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n{smuggled}"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (400, true), "{lines:?}: {}", answer.body);
        answer.detail();
        assert!(client.is_closed(), "{lines:?}");
    }
    assert_eq!(demo.get("/").json()["order"], 1, "nothing was smuggled in");
}

#[test]
fn what_is_not_http_is_400() {
    let demo = Demo::serve(&[]);
    for bytes in [
        &b"hello\r\n\r\n"[..],
        b"GET /\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        b"GET / HTTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / x HTTP/1.1\r\nHost: a\r\n\r\n",
        b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0\0\0\0",
    ] {
        let answer = demo.ask(bytes);
        assert_eq!((answer.status, answer.closes()), (400, true), "{bytes:?}");
        answer.detail();
    }
}

#[test]
fn a_slow_head_is_408() {
    let demo = Demo::serve(&["--head-timeout-ms", "50"]);
    let mut client = demo.connect();
    client.send("GET / HTTP/1.1\r\nHo");
    let answer = client.answer();
    assert_eq!((answer.status, answer.closes()), (408, true));
    answer.detail();
    assert!(client.is_closed());
}

/// A byte now and then does not count: the time is for the whole head.
#[test]
fn a_slow_loris_is_408() {
    let demo = Demo::serve(&["--head-timeout-ms", "300"]);
    let mut client = demo.connect();
    client.stream.set_read_timeout(Some(std::time::Duration::from_millis(10))).unwrap();
    for byte in "GET / HTTP/1.1\r\nX: ".bytes().chain(std::iter::repeat(b'x')) {
        client.send([byte]);
        if client.stream.peek(&mut [0]).is_ok() {
            break;
        }
    }
    assert_eq!(client.answer().status, 408);
}

#[test]
fn a_slow_body_is_408() {
    let demo = Demo::serve(&["--body-timeout-ms", "50"]);
    let mut client = demo.connect();
    client.send("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n{");
    let answer = client.answer();
    assert_eq!((answer.status, answer.closes()), (408, true));
    assert!(client.is_closed());
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let demo = Demo::serve(&["--idle-timeout-ms", "50"]);
    assert!(demo.connect().is_closed());
    let mut client = demo.connect();
    client.send(get("/orders"));
    assert_eq!(client.answer().status, 200);
    assert!(client.is_closed());
}

#[test]
fn a_client_that_does_not_read_is_let_go() {
    let demo = Demo::serve(&["--write-timeout-ms", "100", "--kitchen-delay-ms", "0"]);
    let mut client = demo.connect();
    // It sends until the server, whose answers nobody takes, closes.
    let requests = get(&format!("/{}", "x".repeat(8000))).repeat(50);
    while std::io::Write::write_all(&mut client.stream, requests.as_bytes()).is_ok() {}
    assert_eq!(demo.get("/orders").status, 200);
}

#[test]
fn more_connections_than_allowed_wait_for_their_turn() {
    let demo = Demo::serve(&["--max-connections", "2"]);
    let mut clients: Vec<_> = (0..3).map(|_| demo.connect()).collect();
    for client in &mut clients {
        client.send(get("/orders"));
    }
    assert_eq!(clients[0].answer().status, 200);
    assert_eq!(clients[1].answer().status, 200);
    drop(clients.remove(0));
    assert_eq!(clients[1].answer().status, 200, "the third one gets the first one's place");
}

#[test]
fn hundreds_of_idle_connections_disturb_nobody() {
    let demo = Demo::serve(&[]);
    let idle: Vec<_> = (0..400).map(|_| demo.connect()).collect();
    assert_eq!(demo.get("/").status, 200);
    drop(idle);
    assert_eq!(demo.get("/orders").status, 200);
}
