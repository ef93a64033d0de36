//! The remote API: on its own, in another process, slow, failing, gone, or something else.

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use common::{Demo, post};
use serde_json::json;

#[test]
fn the_kitchen_serves_toppings() {
    let kitchen = Demo::kitchen(&["--delay-ms", "0"]);
    assert_eq!(kitchen.get("/toppings/2").json(), json!({ "toppings": ["cheese", "onions"] }));
    assert_eq!(kitchen.get("/toppings/0").json(), json!({ "toppings": [] }));
    assert_eq!(kitchen.get("/toppings/101").status, 400);
    assert_eq!(kitchen.get("/toppings/x").status, 400);
    assert_eq!(kitchen.get("/").status, 404);
}

#[test]
fn the_kitchen_fails_as_often_as_it_is_told_to() {
    let kitchen = Demo::kitchen(&["--delay-ms", "0", "--fail-percent", "20"]);
    let mut client = kitchen.connect();
    let mut failed = 0;
    for _ in 0..100 {
        client.send(common::get("/toppings/1"));
        failed += u32::from(client.answer().status == 503);
    }
    assert_eq!(failed, 20);
}

#[test]
fn a_kitchen_of_its_own_process_will_do() {
    let kitchen = Demo::kitchen(&["--delay-ms", "0"]);
    let demo = Demo::serve(&["--kitchen", &kitchen.url()]);
    assert_eq!(demo.get("/").json()["toppings"], json!(["cheese", "onions"]));
}

#[test]
fn a_kitchen_that_is_gone_gives_502_and_no_order() {
    let kitchen = Demo::kitchen(&["--delay-ms", "0"]);
    let url = kitchen.url();
    let demo = Demo::serve(&["--kitchen", &url]);
    drop(kitchen);
    let answer = demo.ask(post("/orders", r#"{"burgers":2,"customer":"Ann"}"#));
    assert_eq!((answer.status, answer.closes()), (502, false));
    assert!(answer.detail().contains(&url), "{}", answer.body);
    assert_eq!(demo.get("/orders").json(), json!({ "orders": [] }));
}

#[test]
fn a_kitchen_that_fails_gives_502() {
    let kitchen = Demo::kitchen(&["--delay-ms", "0", "--fail-percent", "100"]);
    let demo = Demo::serve(&["--kitchen", &kitchen.url()]);
    let answer = demo.get("/");
    assert_eq!(answer.status, 502);
    assert!(answer.detail().contains("503"), "{}", answer.body);
}

#[test]
fn a_kitchen_that_takes_too_long_gives_502() {
    let slow = ["--kitchen-delay-ms", "60000", "--kitchen-timeout-ms", "50"];
    let answer = Demo::serve(&slow).get("/");
    assert_eq!(answer.status, 502);
    assert!(answer.detail().contains("50ms"), "{}", answer.body);
}

#[test]
fn a_kitchen_that_talks_nonsense_gives_502() {
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(300_000));
    for nonsense in [
        "",
        "\r\n",
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\n\r\nnot json",
        "HTTP/1.1 200 OK\r\n\r\n[]",
        "HTTP/1.1 200 OK\r\n\r\n{\"toppings\":2}",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"toppings\":[]}",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{\"toppings\":[]}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
        &endless,
    ] {
        let kitchen = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", kitchen.local_addr().unwrap());
        let text = nonsense.to_owned();
        let cook = thread::spawn(move || {
            let mut stream = kitchen.accept().unwrap().0;
            let _ = stream.read(&mut [0; 1024]).unwrap();
            let _ = stream.write_all(text.as_bytes()); // it may hang up in between
        });
        let answer = Demo::serve(&["--kitchen", &url]).get("/");
        assert_eq!(answer.status, 502, "{nonsense:.60}: {}", answer.body);
        assert!(answer.detail().contains(&url));
        cook.join().unwrap();
    }
}

#[test]
fn a_kitchen_may_send_its_answer_in_pieces_and_without_a_length() {
    let kitchen = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/", kitchen.local_addr().unwrap());
    let cook = thread::spawn(move || {
        let mut stream = kitchen.accept().unwrap().0;
        stream.set_nodelay(true).unwrap();
        let mut request = [0; 1024];
        let length = stream.read(&mut request).unwrap();
        for byte in b"HTTP/1.0 200 Fine\r\nX: y\r\n\r\n{\"toppings\":[\"salt\"]}" {
            stream.write_all(&[*byte]).unwrap();
        }
        String::from_utf8(request[..length].to_vec()).unwrap()
    });
    assert_eq!(Demo::serve(&["--kitchen", &url]).get("/").json()["toppings"], json!(["salt"]));
    assert!(cook.join().unwrap().starts_with("GET /v1/toppings/2 HTTP/1.1\r\n"));
}

#[test]
fn a_kitchen_must_have_an_address() {
    for url in
        ["kitchen", "https://127.0.0.1", "http://", "http://a b", "http://a\r\nX: y", "http://a?b"]
    {
        let ended = common::run(&["serve", "--port", "0", "--kitchen", url]);
        assert_eq!(ended.code, Some(2), "{url:?}");
        assert!(ended.errors.contains("http://host:port"), "{}", ended.errors);
    }
}
