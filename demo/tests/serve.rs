//! The routes, and what they keep in the data folder.

mod common;

use std::fs;

use common::{Demo, Folder, get, post};
use serde_json::json;

#[test]
fn get_root_reads_two_burgers() {
    let demo = Demo::serve(&[]);
    let answer = demo.get("/");
    assert_eq!(answer.status, 200);
    assert!(answer.head.starts_with("http/1.1 200 ok\r\n"));
    assert!(answer.head.contains("content-type: application/json\r\n"));
    assert!(!answer.closes());
    let expected = json!({
        "order": 1, "customer": "guest", "burgers": ["Classic", "Double"],
        "recipe": "bun, patty, sauce", "toppings": ["cheese", "onions"],
    });
    assert_eq!(answer.json(), expected);
}

#[test]
fn get_burgers_takes_a_number_from_the_path() {
    let demo = Demo::serve(&[]);
    assert_eq!(demo.get("/burgers/1").json()["burgers"], json!(["Classic"]));
    assert_eq!(demo.get("/burgers/%33?for=me").json()["burgers"].as_array().unwrap().len(), 3);
    for wrong in ["0", "7", "-1", "two", "", "1'%20OR%201=1", "99999999999999999999"] {
        let answer = demo.get(&format!("/burgers/{wrong}"));
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.body);
        assert!(!answer.detail().is_empty());
    }
    assert_eq!(demo.get("/orders").json()["orders"].as_array().unwrap().len(), 2);
}

#[test]
fn post_orders_places_an_order_and_get_orders_lists_it() {
    let demo = Demo::serve(&[]);
    assert_eq!(demo.get("/orders").json(), json!({ "orders": [] }));
    let answer = demo.ask(post("/orders", r#"{"burgers":2,"customer":"Ann"}"#));
    assert_eq!((answer.status, &answer.json()["customer"]), (201, &json!("Ann")));
    demo.get("/");
    let expected = json!({ "orders": [
        { "order": 2, "customer": "guest", "burgers": "Classic, Double" },
        { "order": 1, "customer": "Ann", "burgers": "Classic, Double" },
    ]});
    assert_eq!(demo.get("/orders").json(), expected);
}

#[test]
fn post_orders_refuses_what_is_no_order() {
    let demo = Demo::serve(&[]);
    let long = format!(r#"{{"burgers":1,"customer":"{}"}}"#, "x".repeat(101));
    let deep = "[".repeat(10_000);
    for body in [
        "",
        "{",
        "2",
        "[]",
        "{}",
        "\u{feff}{}",
        r#"{"burgers":2}"#,
        r#"{"customer":"Ann"}"#,
        r#"{"burgers":0,"customer":"Ann"}"#,
        r#"{"burgers":-1,"customer":"Ann"}"#,
        r#"{"burgers":1.5,"customer":"Ann"}"#,
        r#"{"burgers":"2","customer":"Ann"}"#,
        r#"{"burgers":1,"customer":""}"#,
        r#"{"burgers":1,"customer":["Ann"]}"#,
        &long,
        &deep,
    ] {
        let answer = demo.ask(post("/orders", body));
        assert_eq!(answer.status, 400, "{body:.40}: {}", answer.body);
        assert!(!answer.detail().is_empty());
    }
    let mut client = demo.connect();
    client.send(b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n\xff\xfe");
    assert_eq!(client.answer().status, 400);
    assert_eq!(demo.get("/orders").json(), json!({ "orders": [] }));
}

#[test]
fn a_web_page_from_elsewhere_can_order_and_read_nothing() {
    let demo = Demo::serve(&[]);
    let ask = |method: &str, path: &str, lines: &str| {
        let body = if method == "POST" { r#"{"burgers":1,"customer":"Ann"}"# } else { "" };
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nContent-Length: {length}\r\n{lines}");
        demo.ask(format!("{head}\r\n\r\n{body}")).status
    };
    let here = demo.address;
    let foreign = [
        (format!("Host: {here}\r\nOrigin: http://evil.example"), 403),
        (format!("Host: {here}\r\nOrigin: null"), 403),
        (format!("Host: {here}\r\nSec-Fetch-Site: cross-site"), 403),
        // A page on another port of this machine.
        (format!("Host: {here}\r\nSec-Fetch-Site: same-site"), 403),
        // Its name points here.
        ("Host: evil.example\r\nOrigin: http://evil.example".to_owned(), 421),
        ("Host: evil.example\r\nSec-Fetch-Site: same-origin".to_owned(), 421),
    ];
    for (lines, status) in foreign {
        for (method, path) in [("GET", "/"), ("POST", "/orders"), ("GET", "/orders")] {
            assert_eq!(ask(method, path, &lines), status, "{method} {path}: {lines}");
        }
    }
    assert_eq!(demo.get("/orders").json(), json!({ "orders": [] }));
    // Its own address, entered by hand; and whoever is no browser.
    for lines in [
        format!("Host: {here}\r\nSec-Fetch-Site: none"),
        format!("Host: {here}\r\nOrigin: http://{here}\r\nSec-Fetch-Site: same-origin"),
        "Host: kitchen-pc".to_owned(),
    ] {
        assert_eq!(ask("POST", "/orders", &lines), 201, "{lines}");
    }
}

#[test]
fn a_name_that_is_sql_is_a_name() {
    let demo = Demo::serve(&[]);
    let name = r#"Robert'); DROP TABLE orders; -- "#;
    let body = json!({ "burgers": 1, "customer": name }).to_string();
    assert_eq!(demo.ask(post("/orders", &body)).status, 201);
    assert_eq!(demo.get("/orders").json()["orders"][0]["customer"], name);
}

#[test]
fn unknown_paths_are_404_whatever_they_look_like() {
    let demo = Demo::serve(&[]);
    for path in ["/nothing", "/burgers", "/burgers/1/2", "//", "/../../etc/passwd", "/orders/"] {
        let answer = demo.get(path);
        assert_eq!((answer.status, answer.closes()), (404, false), "{path}");
        assert!(answer.detail().contains(path));
    }
    for path in ["/%2e%2e/orders", "/orders%00", "/%ff", "/%", "/%zz", "/%+1"] {
        assert_eq!(demo.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_known_path_says_which_methods_it_allows() {
    let demo = Demo::serve(&[]);
    let answer = demo.ask("DELETE /orders HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: get, head, post\r\n"), "{}", answer.head);
    answer.detail();
    let answer = demo.ask(post("/", "{}"));
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: get, head\r\n"));
    assert_eq!(demo.ask("BREW / HTTP/1.1\r\nHost: a\r\n\r\n").status, 501);
}

#[test]
fn orders_and_receipts_outlive_the_stand() {
    let folder = Folder::new("outlive");
    let data = ["--data", folder.text()];
    let demo = Demo::serve(&data);
    let answer = demo.ask(post("/orders", r#"{"burgers":2,"customer":"Ann"}"#));
    drop(demo); // which is kill -9
    let receipt = fs::read_to_string(folder.0.join("receipts/1.json")).unwrap();
    assert_eq!(receipt, format!("{}\n", answer.body));

    let demo = Demo::serve(&data);
    if cfg!(feature = "sqlite") {
        assert_eq!(demo.get("/orders").json()["orders"][0]["customer"], "Ann");
        assert_eq!(demo.get("/").json()["order"], 2);
        assert_eq!(folder.list("receipts"), ["1.json", "2.json"], "and no temporary file");
    }
}

#[test]
fn menu_and_recipe_are_made_once_and_then_belong_to_the_user() {
    let folder = Folder::new("menu");
    let data = ["--data", folder.text()];
    drop(Demo::serve(&data));
    assert!(fs::read_to_string(folder.0.join("menu.txt")).unwrap().starts_with("Classic\n"));
    fs::write(folder.0.join("menu.txt"), "\n  Swiss \r\nVegan\n\n").unwrap();
    fs::write(folder.0.join("recipe.txt"), "a secret").unwrap();
    let demo = Demo::serve(&data);
    let answer = demo.get("/").json();
    assert_eq!(answer["burgers"], json!(["Swiss", "Vegan"]));
    assert_eq!(answer["recipe"], "a secret");
    assert!(demo.get("/burgers/3").detail().contains("1 to 2"));
    // The recipe is read for each request.
    fs::remove_file(folder.0.join("recipe.txt")).unwrap();
    let answer = demo.get("/");
    assert_eq!(answer.status, 500);
    assert!(answer.detail().contains("recipe.txt"));
}

#[test]
fn a_menu_without_burgers_is_told_with_a_way_out() {
    let folder = Folder::new("empty-menu");
    fs::write(folder.0.join("menu.txt"), " \n\n").unwrap();
    let ended = common::run(&["serve", "--port", "0", "--data", folder.text()]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("write one on each line"), "{}", ended.errors);
}

#[test]
fn an_order_whose_receipt_cannot_be_written_is_not_confirmed() {
    let folder = Folder::new("no-receipt");
    let demo = Demo::serve(&["--data", folder.text()]);
    fs::remove_dir_all(folder.0.join("receipts")).unwrap();
    let mut client = demo.connect();
    client.send(get("/"));
    let answer = client.answer();
    assert_eq!(answer.status, 500);
    assert!(answer.detail().contains("receipt"));
    client.send(get("/orders"));
    assert_eq!(client.answer().status, 200, "the stand goes on");
}

#[test]
fn many_customers_are_served_at_once_on_one_thread() {
    let demo = Demo::serve(&["--kitchen-delay-ms", "300"]);
    let start = std::time::Instant::now();
    let mut clients: Vec<_> = (0..20).map(|_| demo.connect()).collect();
    for client in &mut clients {
        client.send(get("/"));
    }
    let mut orders: Vec<_> =
        clients.iter_mut().map(|client| client.answer().json()["order"].as_u64()).collect();
    orders.sort_unstable();
    assert_eq!(orders, (1..=20).map(Some).collect::<Vec<_>>());
    // One after the other, the kitchen alone would take six seconds.
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
