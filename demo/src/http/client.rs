//! The other side: one connection, one request, one answer.
//!
//! The answer must say how long it is, or end with the connection. Chunked answers are refused.

use std::io;
use std::str::FromStr;
use std::time::Duration;

use httparse::{EMPTY_HEADER, Status};
use reactor::net::TcpStream;
use reactor::time::timeout;

use super::head::{MAX_HEADERS, values};

/// The longest answer that is read, with its head.
const MAX_ANSWER: usize = 256 * 1024;

/// `http://host:port`, and perhaps a path that all requests begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// `host:port`.
    authority: String,
    /// Without a slash at the end.
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// Where to ask instead, if it says so.
    pub(crate) location: Option<String>,
    /// How many bytes it was, with its head.
    pub(crate) length: usize,
}

/// Asks for `path` below `url`, for at most so long.
///
/// Cancelling breaks the connection off. The server may still do what it was asked for.
pub(crate) async fn get(url: &Url, path: &str, limit: Duration) -> io::Result<Answer> {
    get_at_most(MAX_ANSWER, url, path, limit).await
}

/// The same for an answer of so many bytes.
///
/// Cancelling is as for [`get`].
pub(crate) async fn get_at_most(
    most: usize,
    url: &Url,
    path: &str,
    limit: Duration,
) -> io::Result<Answer> {
    let request = format!(
        "GET {}{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        url.path, url.authority
    );
    match timeout(limit, ask(url, &request, most)).await {
        Ok(answer) => answer,
        Err(_) => {
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {limit:?}")))
        }
    }
}

async fn ask(url: &Url, request: &str, most: usize) -> io::Result<Answer> {
    let stream = TcpStream::connect(&url.authority).await?;
    stream.write_all(request.as_bytes()).await?;
    read_answer(&stream, most).await
}

async fn read_answer(stream: &TcpStream, most: usize) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk).await?;
        bytes.extend_from_slice(&chunk[..length]);
        if let Some(answer) = parse(&bytes, length == 0)? {
            return Ok(answer);
        }
        if length == 0 {
            return Err(nonsense("it breaks off"));
        }
        if bytes.len() > most {
            return Err(nonsense("it is too long"));
        }
    }
}

/// The answer that `bytes` are; None if it is not all there yet.
fn parse(bytes: &[u8], ended: bool) -> io::Result<Option<Answer>> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let Status::Complete(head) =
        answer.parse(bytes).map_err(|error| nonsense(&error.to_string()))?
    else {
        return Ok(None);
    };
    if values(answer.headers, "transfer-encoding").next().is_some() {
        return Err(nonsense("it is chunked, which this client does not read"));
    }
    let rest = &bytes[head..];
    let body = match values(answer.headers, "content-length").next() {
        Some(length) => rest.get(..number(length)?),
        None => ended.then_some(rest),
    };
    let location = values(answer.headers, "location").next();
    Ok(body.map(|body| Answer {
        status: answer.code.unwrap_or_default(),
        location: location.map(|url| String::from_utf8_lossy(url).into_owned()),
        body: body.to_vec(),
        length: head + body.len(),
    }))
}

fn number(text: &[u8]) -> io::Result<usize> {
    let length = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    length.ok_or_else(|| nonsense("its Content-Length is no number"))
}

fn nonsense(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the answer cannot be read: {why}"))
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Url, String> {
        // A space or a line break in it would end up in the head of each request.
        let rest =
            text.strip_prefix("http://").filter(|_| text.bytes().all(|b| b.is_ascii_graphic()));
        let (authority, path) = match rest {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", ""),
        };
        if authority.is_empty() || authority.contains(['@', '?', '#']) || path.contains(['?', '#'])
        {
            return Err(format!("{text:?} is not of the form http://host:port"));
        }
        let has_port = authority.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
        let port = if has_port { "" } else { ":80" };
        Ok(Url { authority: format!("{authority}{port}"), path: path.trim_end_matches('/').into() })
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}
