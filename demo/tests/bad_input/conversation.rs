//! A stream sent in pieces, and everything that comes back held against the second opinion.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::common::LIMIT;
use crate::parser::head::Head;
use crate::random::Random;
use crate::reference::{Verdict, judge};

/// What is answered to a request that is not understood, or not listened to.
const REFUSALS: [u16; 7] = [400, 411, 413, 417, 431, 501, 505];
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"];

/// Why it is wrong, if it is.
pub(crate) fn hold(address: SocketAddr, stream: &[u8], seed: u64) -> Result<(), String> {
    // A machine that is too busy to read for a second gets a reset: that proves nothing.
    for _ in 0..3 {
        if let Some(bytes) = exchange(address, stream, seed) {
            return follow(stream, &bytes).map_err(|why| {
                format!("{why}\nsent: {}\ngot:  {}", stream.escape_ascii(), bytes.escape_ascii())
            });
        }
    }
    Err(format!("reset before the last answer was read\nsent: {}", stream.escape_ascii()))
}

/// Everything that comes back; None if it ends with a reset.
fn exchange(address: SocketAddr, stream: &[u8], seed: u64) -> Option<Vec<u8>> {
    let mut random = Random::new(!seed);
    let mut socket = TcpStream::connect_timeout(&address, LIMIT).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let mut rest = stream;
    while !rest.is_empty() {
        let longest = if random.one_in(2) { rest.len() } else { rest.len().min(12) };
        let (piece, later) = rest.split_at(1 + random.below(longest));
        socket.write_all(piece).ok()?;
        if random.one_in(4) {
            thread::sleep(Duration::from_micros(random.next() % 300));
        }
        rest = later;
    }
    let _ = socket.shutdown(Shutdown::Write);
    let mut bytes = Vec::new();
    match socket.read_to_end(&mut bytes) {
        Ok(_) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
        Err(error) => panic!("it neither answers nor closes: {error}, seed {seed}"),
    }
}

/// Request by request: the answer, or the refusal and nothing after it.
fn follow(mut stream: &[u8], mut answers: &[u8]) -> Result<(), String> {
    loop {
        let (verdict, nothing) = (judge(stream), stream.trim_ascii().is_empty());
        let (must, head) = match verdict {
            Verdict::Must(head) => (true, head),
            Verdict::May(head) => (false, head),
            // It ends between two requests; or with line breaks that begin nothing.
            _ if nothing && answers.is_empty() => return Ok(()),
            Verdict::Unfinished | Verdict::Refuse => return refused(&mut answers),
        };
        let with_body = head.method != "HEAD";
        let mut answer = take_answer(&mut answers, with_body)?;
        if answer.status == 100 && head.waits_for_continue && head.body > 0 {
            answer = take_answer(&mut answers, with_body)?;
        }
        let end = head.length + head.body;
        if end > stream.len() || (!must && answer.is_refusal() && answers.is_empty()) {
            return last(&answer, answers);
        }
        let expected = route(&head, &stream[head.length..end]);
        if answer.status != expected || answer.closes == head.keep_alive {
            return Err(format!("{answer:?} to {head:?}, not {expected}"));
        }
        if !head.keep_alive {
            return ends(answers);
        }
        stream = &stream[end..];
    }
}

fn refused(answers: &mut &[u8]) -> Result<(), String> {
    let answer = take_answer(answers, true)?;
    last(&answer, answers)
}

fn last(answer: &Answer, rest: &[u8]) -> Result<(), String> {
    if !answer.is_refusal() {
        return Err(format!("{answer:?} to what must be refused"));
    }
    ends(rest)
}

fn ends(rest: &[u8]) -> Result<(), String> {
    match rest {
        [] => Ok(()),
        _ => Err(format!("answers to nothing: {}", rest.escape_ascii())),
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    closes: bool,
}

impl Answer {
    fn is_refusal(&self) -> bool {
        self.closes && REFUSALS.contains(&self.status)
    }
}

/// Takes one whole, valid answer off the front.
fn take_answer(bytes: &mut &[u8], with_body: bool) -> Result<Answer, String> {
    let mut headers = [httparse::EMPTY_HEADER; 8];
    let mut answer = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(head)) = answer.parse(bytes) else {
        return Err(format!("no answer: {}", bytes.escape_ascii()));
    };
    let status = answer.code.unwrap_or_default();
    let value = |name: &str| answer.headers.iter().find(|h| h.name == name).map(|h| h.value);
    let closes = value("Connection") == Some(b"close");
    let known = ["Content-Type", "Content-Length", "Connection", "Allow"];
    if let Some(line) = answer.headers.iter().find(|line| !known.contains(&line.name)) {
        return Err(format!("a header line of somebody else's making: {line:?}"));
    }
    let length = value("Content-Length").and_then(|value| str::from_utf8(value).ok()?.parse().ok());
    // A refusal has a body even if it was HEAD that is refused: nothing follows it.
    let rest = &bytes[head..];
    let refused = closes && REFUSALS.contains(&status);
    let has_body = with_body || (refused && !rest.is_empty());
    let length = if has_body { length.unwrap_or(0) } else { 0 };
    let body = bytes.get(head..head + length).ok_or("the answer breaks off")?;
    if length > 0 && serde_json::from_slice::<serde_json::Value>(body).is_err() {
        return Err(format!("the body is not JSON: {}", body.escape_ascii()));
    }
    *bytes = &bytes[head + length..];
    Ok(Answer { status, closes })
}

/// What the stand answers to a request that is understood.
fn route(head: &Head, body: &[u8]) -> u16 {
    let reads = ["GET", "HEAD"].contains(&head.method.as_str());
    if !METHODS.contains(&head.method.as_str()) {
        return 501;
    }
    let segments: Option<Vec<String>> = head.path.split('/').map(decode).collect();
    let segments = segments.unwrap_or_default();
    match segments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["", ""] if reads => 200,
        ["", "burgers", n] if reads => {
            if on_the_menu(n.parse().ok()) {
                200
            } else {
                400
            }
        }
        ["", "orders"] if reads => 200,
        ["", "orders"] if head.method == "POST" => {
            if is_order(body) {
                201
            } else {
                400
            }
        }
        ["", "" | "orders"] | ["", "burgers", _] => 405,
        _ => 404,
    }
}

fn on_the_menu(n: Option<u64>) -> bool {
    n.is_some_and(|n| (1..=6).contains(&n))
}

fn is_order(body: &[u8]) -> bool {
    let order: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let name = order["customer"].as_str().map_or(0, str::len);
    on_the_menu(order["burgers"].as_u64()) && (1..=100).contains(&name)
}

fn decode(segment: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), segment.as_bytes());
    while let [byte, after @ ..] = rest {
        rest = after;
        let mut byte = *byte;
        if byte == b'%' {
            let digits = rest.get(..2)?;
            rest = &rest[2..];
            let digit = |at: usize| char::from(digits[at]).to_digit(16);
            byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}
