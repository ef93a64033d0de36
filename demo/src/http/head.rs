//! The head of a request, from bytes to meaning: one pure function.
//!
//! `httparse` knows the grammar. Here is what the words mean for us, and what we refuse: anything
//! that two servers could understand in two ways, since that is how requests are smuggled past
//! one of them.

use httparse::{EMPTY_HEADER, Error, Header, Request, Status};

use super::Problem;
use super::body;

/// The longest head that is read.
pub(crate) const MAX_HEAD: usize = 16 * 1024;
/// The most header lines in it.
pub(crate) const MAX_HEADERS: usize = 64;

/// All that we need to know to read the rest of the request, and to answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// How many bytes it took.
    pub(crate) length: usize,
    pub(crate) method: String,
    /// Without the query, not decoded, and never empty: it starts with a slash.
    pub(crate) path: String,
    /// How many bytes of body follow.
    pub(crate) body: usize,
    /// Whether the client wants to go on after the answer.
    pub(crate) keep_alive: bool,
    /// HTTP/1.0: the client must be told if the connection stays open.
    pub(crate) old: bool,
    /// The client sends the body only when it is asked to.
    pub(crate) waits_for_continue: bool,
}

/// The head that `bytes` start with; None if it is not all there yet.
///
/// It is parsed from the start each time more bytes have come. That is quadratic if they come one
/// by one, but in no more than [`MAX_HEAD`] bytes, and each of them costs a system call anyway.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Head>, Problem> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = Request::new(&mut headers);
    let bytes = &bytes[..bytes.len().min(MAX_HEAD)];
    match request.parse(bytes) {
        Ok(Status::Complete(length)) => understand(&request, length).map(Some),
        Ok(Status::Partial) if bytes.len() < MAX_HEAD => Ok(None),
        Ok(Status::Partial) => {
            Err(Problem::new(431, format!("the head of a request has at most {MAX_HEAD} bytes")))
        }
        Err(Error::TooManyHeaders) => {
            Err(Problem::new(431, format!("a request has at most {MAX_HEADERS} header lines")))
        }
        Err(Error::Version) if names_a_version(bytes) => {
            Err(Problem::new(505, "only HTTP/1.1 and HTTP/1.0 are spoken here"))
        }
        Err(error) => Err(Problem::new(400, format!("this is not HTTP: {error}"))),
    }
}

/// `GET / HTTP/2.0` names a version that we do not speak. `GET / HTTTP/1.1` is a mistake.
fn names_a_version(bytes: &[u8]) -> bool {
    let line = bytes.trim_ascii_start().split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut words = line.trim_ascii_end().split(|&byte| byte == b' ').skip(2);
    let version = words.next().and_then(|word| word.strip_prefix(b"HTTP/"));
    version.is_some_and(|version| version.first().is_some_and(u8::is_ascii_digit))
        && words.next().is_none()
}

fn understand(request: &Request<'_, '_>, length: usize) -> Result<Head, Problem> {
    let headers: &[Header<'_>] = request.headers;
    let old = request.version == Some(0);
    let hosts = values(headers, "host").count();
    if hosts > 1 || (hosts == 0 && !old) {
        return Err(Problem::new(400, format!("a request names one host, not {hosts}")));
    }
    Ok(Head {
        length,
        method: request.method.unwrap_or_default().to_owned(),
        path: path_of(request.path.unwrap_or_default())?.to_owned(),
        body: body::length(headers, old)?,
        keep_alive: keeps_alive(headers, old),
        old,
        waits_for_continue: expects_continue(headers)? && !old,
    })
}

/// `/path?query`, or the same with `http://host` before it, as proxies send it.
fn path_of(target: &str) -> Result<&str, Problem> {
    let path = match target.strip_prefix("http://") {
        Some(rest) => rest.find(['/', '?']).map_or("", |end| &rest[end..]),
        None => target,
    };
    match path.split('?').next() {
        _ if target.contains('#') => Err(Problem::new(400, format!("{target:?} is not a path"))),
        // "http://host" and "http://host?query" mean the root.
        Some("") if target.starts_with("http://") => Ok("/"),
        Some(path) if path.starts_with('/') => Ok(path),
        _ => Err(Problem::new(400, format!("{target:?} is not a path"))),
    }
}

fn keeps_alive(headers: &[Header<'_>], old: bool) -> bool {
    let asks_for = |wish: &str| {
        values(headers, "connection").any(|value| {
            let mut words = value.split(|&byte| byte == b',');
            words.any(|word| word.trim_ascii().eq_ignore_ascii_case(wish.as_bytes()))
        })
    };
    !asks_for("close") && (!old || asks_for("keep-alive"))
}

fn expects_continue(headers: &[Header<'_>]) -> Result<bool, Problem> {
    match values(headers, "expect").next() {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case(b"100-continue") => Ok(true),
        Some(_) => Err(Problem::new(417, "the only thing to expect is 100-continue")),
    }
}

/// The value of one line of a head that has been parsed before. It is looked for again, since few
/// path operations ask.
pub(super) fn value(head: &[u8], name: &str) -> Option<String> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = Request::new(&mut headers);
    request.parse(head).ok()?;
    let mut values = values(request.headers, name);
    let value = str::from_utf8(values.next()?).ok()?.to_owned();
    values.next().is_none().then_some(value)
}

/// The values of all lines of that name.
pub(super) fn values<'a>(
    headers: &'a [Header<'_>],
    name: &'a str,
) -> impl Iterator<Item = &'a [u8]> {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value)
}
