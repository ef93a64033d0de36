//! Streams of requests, built from parts: good ones, wrong ones, and ones that contradict each
//! other. Chance alone would hardly ever get past the first line.

use crate::mutate::mutate;
use crate::random::Random;

/// A stream of one to six requests. The last one may break off.
pub(crate) fn stream(seed: u64) -> Vec<u8> {
    let random = &mut Random::new(seed);
    let mut stream = Vec::new();
    for _ in 0..=random.below(6) {
        // Mostly right, so that the conversation gets somewhere.
        let wrong = random.one_in(3);
        request(random, wrong, &mut stream);
    }
    if random.one_in(6) {
        stream.truncate(random.below(stream.len() + 1));
    }
    if random.one_in(6) {
        let other = stream.clone();
        mutate(random, &mut stream, &other);
    }
    stream
}

fn request(random: &mut Random, wrong: bool, to: &mut Vec<u8>) {
    let often = if wrong { 4 } else { usize::MAX };
    let slip = |random: &mut Random| often < usize::MAX && random.one_in(often);
    if random.one_in(10) {
        to.extend_from_slice(b"\r\n");
    }
    let posts = random.one_in(3);
    let method = match (slip(random), posts) {
        (true, _) => random.pick::<str>(&["BREW", "get", "G\tT", "", "PUT", "TRACE", "OPTIONS"]),
        (false, true) => "POST",
        (false, false) => random.pick(&["GET", "GET", "HEAD"]),
    };
    let target = if slip(random) { wrong_target(random) } else { target(random, posts) };
    let version = match slip(random) {
        true => {
            random.pick::<str>(&["HTTP/2.0", "HTTP/1.1 ", "HTTP/1.2", "http/1.1", "", "HTTP/1."])
        }
        false => random.pick(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"]),
    };
    let end = if slip(random) { random.pick(&["\n", "\r", "\r\r\n"]) } else { "\r\n" };
    to.extend_from_slice(format!("{method} {target} {version}{end}").as_bytes());

    let body = if posts { body(random) } else { "" };
    let mut lines = vec!["Host: stand".to_owned()];
    if posts || random.one_in(8) {
        lines.push(format!("Content-Length: {}", body.len()));
    }
    for _ in 0..random.below(3) {
        lines.push(random.pick::<str>(&GOOD).to_owned());
    }
    if wrong {
        for _ in 0..random.below(3) {
            lines.insert(random.below(lines.len() + 1), random.pick::<str>(&WRONG).to_owned());
        }
        if random.one_in(8) {
            lines.remove(random.below(lines.len()));
        }
    }
    for line in lines {
        let end = if slip(random) && random.one_in(8) { "\n" } else { "\r\n" };
        to.extend_from_slice(format!("{line}{end}").as_bytes());
    }
    to.extend_from_slice(if slip(random) { b"\n" } else { b"\r\n" });
    to.extend_from_slice(body.as_bytes());
}

/// Placing an order costs a sync of the disk, so it is done now and then only.
fn target(random: &mut Random, posts: bool) -> &'static str {
    if random.one_in(40) {
        return random.pick(&["/", "/burgers/1", "http://stand", "/burgers/%36?for=me"]);
    }
    match posts {
        true => random.pick(&["/orders", "/orders", "/%6frders?x", "/nothing"]),
        false => random.pick(&[
            "/orders",
            "http://stand/orders?x=/y",
            "/burgers/0",
            "/burgers/1'%20OR%20'1'='1",
            "/burgers/%0d%0aX:%20y",
            "/../../etc/passwd",
            "/%2e%2e%2forders",
            "/%zz",
            "//",
        ]),
    }
}

fn wrong_target(random: &mut Random) -> &'static str {
    random.pick(&["*", "orders", "/or ders", "/orders#x", "stand:80", "", "/\u{e9}", "/\0", "?"])
}

fn body(random: &mut Random) -> &'static str {
    if random.one_in(12) {
        return random
            .pick(&[r#"{"burgers":1,"customer":"Ann"}"#, r#"{"burgers":6,"customer":"Änn"}"#]);
    }
    random.pick(&[
        "",
        "{",
        r#"{"burgers":9,"customer":"Ann"}"#,
        // What a smuggler puts there.
        "GET /smuggled HTTP/1.1\r\nHost: stand\r\n\r\n",
        "0\r\n\r\nPOST /orders HTTP/1.1\r\n",
    ])
}

const GOOD: [&str; 9] = [
    "Accept: */*",
    "X:",
    "Cookie: a=\"b\u{e9}\"; \t c ",
    "Connection: keep-alive",
    "Connection: Keep-Alive, x",
    "connection: CLOSE",
    "Expect: 100-continue",
    "EXPECT: 100-Continue",
    "Content-Type: application/json",
];

const WRONG: [&str; 25] = [
    "Content-Length: 0",
    "Content-Length: 5",
    "Content-Length: +5",
    "Content-Length: -1",
    "Content-Length: 5, 5",
    "Content-Length: 0x0",
    "Content-Length:",
    "content-length: 00",
    "Content-Length: 65537",
    "Content-Length: 18446744073709551616",
    "Content-Length : 5",
    "Content-Length\u{a0}: 5",
    "Transfer-Encoding: chunked",
    "transfer-encoding: identity",
    "Transfer-Encoding:\u{b}chunked",
    "Transfer-Encoding : chunked",
    "Host: other",
    " folded",
    "\tfolded",
    "X: a\rb",
    "X: a\0b",
    "no colon",
    ": y",
    "Expect: miracles",
    "X: y\r\nX: y\r\nX: y\r\nX: y\r\nX: y",
];
