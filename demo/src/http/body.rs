//! How long the body of a request is. This is the question that smugglers ask.
//!
//! If two servers in a row disagree about where a request ends, one of them takes what follows for
//! a request of its own. So there is one way to say it, one `Content-Length` in plain digits, and
//! everything else is refused. Chunked bodies are, too: a client that must know the answer to 411
//! can send its length.

use httparse::Header;

use super::Problem;
use super::head::values;

/// The longest body that is read.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// What the headers say of it. `old` is HTTP/1.0.
pub(super) fn length(headers: &[Header<'_>], old: bool) -> Result<usize, Problem> {
    let mut lengths = values(headers, "content-length");
    let length = lengths.next();
    if lengths.next().is_some() {
        return Err(Problem::new(400, "a request has one Content-Length"));
    }
    let mut codings = values(headers, "transfer-encoding");
    match (codings.next(), length) {
        (None, None) => Ok(0),
        (None, Some(length)) => number(length),
        (Some(_), Some(_)) => {
            Err(Problem::new(400, "Content-Length and Transfer-Encoding exclude each other"))
        }
        (Some(_), None) if old => Err(Problem::new(400, "HTTP/1.0 has no Transfer-Encoding")),
        (Some(coding), None) => Err(refuse(coding, codings.next().is_some())),
    }
}

fn refuse(coding: &[u8], more: bool) -> Problem {
    if coding.eq_ignore_ascii_case(b"chunked") && !more {
        Problem::new(411, "chunked bodies are not read here: send a Content-Length")
    } else {
        Problem::new(501, "no Transfer-Encoding is known here: send a Content-Length")
    }
}

/// Digits only: `+5`, `5, 5`, `0x5` and `` are numbers to some, and therefore not to us.
fn number(text: &[u8]) -> Result<usize, Problem> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(Problem::new(400, "a Content-Length is written in digits"));
    }
    // Too many digits for a number are also too many bytes for us.
    let length = str::from_utf8(text).ok().and_then(|digits| digits.parse().ok());
    length.filter(|&length| length <= MAX_BODY).ok_or_else(|| {
        Problem::new(413, format!("the body of a request has at most {MAX_BODY} bytes"))
    })
}
