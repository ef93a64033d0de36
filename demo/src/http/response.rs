//! An answer, and what is answered when something is wrong: `{"detail": ...}`.

use std::fmt::{self, Display};
use std::pin::Pin;

use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

enum Body {
    Whole(Vec<u8>),
    /// Nobody knows how long it will be: it ends with the connection.
    Live(Box<dyn Live>),
}

/// A body that is made while it is sent, piece by piece.
pub(crate) trait Live {
    /// The next piece. It is asked for when the client has taken the one before, so a client that
    /// does not read costs one piece, and then its connection. None: that was all.
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + '_>>;
}

impl Response {
    pub(crate) fn json(status: u16, value: &Value) -> Response {
        Response::new(status, "application/json", value.to_string().into_bytes())
    }

    pub(crate) fn new(status: u16, content_type: &str, body: Vec<u8>) -> Response {
        let response = Response { status, headers: Vec::new(), body: Body::Whole(body) };
        response.header("Content-Type", content_type)
    }

    pub(crate) fn live(content_type: &str, body: impl Live + 'static) -> Response {
        let body = Body::Live(Box::new(body));
        Response { status: 200, headers: Vec::new(), body }.header("Content-Type", content_type)
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.body, Body::Live(_))
    }

    pub(super) fn into_live(self) -> Option<Box<dyn Live>> {
        match self.body {
            Body::Live(body) => Some(body),
            Body::Whole(_) => None,
        }
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
        let Body::Whole(body) = &self.body else { return (head + "\r\n").into_bytes() };
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        let mut bytes = head.into_bytes();
        if with_body {
            bytes.extend_from_slice(body);
        }
        bytes
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Whole(body) => write!(f, "{} bytes", body.len()),
            Body::Live(_) => f.write_str("live"),
        }
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
        202 => "Accepted",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
