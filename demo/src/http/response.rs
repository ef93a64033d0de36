//! An answer, and what is answered when something is wrong: `{"detail": ...}`.

use std::fmt::Display;

use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn json(status: u16, value: &Value) -> Response {
        let body = value.to_string().into_bytes();
        Response { status, headers: Vec::new(), body }.header("Content-Type", "application/json")
    }

    /// Adds a header line. A line break in a value would start a line of somebody else's making,
    /// so control characters become spaces.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Response {
        self.headers.push((name, value.replace(|c: char| c.is_control(), " ")));
        self
    }

    /// The bytes that go over the wire; for HEAD without the body, but with its length.
    pub(super) fn encode(&self, with_body: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        let mut bytes = head.into_bytes();
        if with_body {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

/// Why a request has no better answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) detail: String,
    /// For 405: the methods that would do.
    allow: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: u16, detail: impl Into<String>) -> Problem {
        Problem { status, detail: detail.into(), allow: None }
    }

    pub(crate) fn method_not_allowed(method: &str, allowed: &[&str]) -> Problem {
        let allow = allowed.join(", ");
        let detail = format!("{method} cannot be done here, only {allow}");
        Problem { status: 405, detail, allow: Some(allow) }
    }

    /// For `map_err`: something of ours went wrong, which is not the client's fault.
    pub(crate) fn ours<E: Display>(what: &str) -> impl FnOnce(E) -> Problem {
        move |error| Problem::new(500, format!("{what}: {error}"))
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Response {
        let response = Response::json(problem.status, &json!({ "detail": problem.detail }));
        match problem.allow {
            Some(allow) => response.header("Allow", &allow),
            None => response,
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        411 => "Length Required",
        413 => "Content Too Large",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
