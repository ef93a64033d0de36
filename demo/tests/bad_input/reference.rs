//! A second opinion: what a request means and whether it must be refused, written down anew.
//!
//! It shares no code with the program but the names of the answer's fields, and none with
//! `httparse`. Where the standard leaves a choice, both choices are right ([`Verdict::May`]).

use crate::parser::MAX_BODY;
use crate::parser::head::{Head, MAX_HEAD, MAX_HEADERS};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The end of the head is not there yet: it may wait or be refused, but not be accepted.
    Unfinished,
    /// To accept it would be a mistake.
    Refuse,
    /// It may be accepted, but then it means this.
    May(Head),
    /// It is as good as a request can be.
    Must(Head),
}

/// It must be refused.
struct Bad;

pub(crate) fn judge(bytes: &[u8]) -> Verdict {
    let bytes = &bytes[..bytes.len().min(MAX_HEAD)];
    let Some((lines, length)) = lines(bytes) else {
        return if bytes.len() < MAX_HEAD { Verdict::Unfinished } else { Verdict::Refuse };
    };
    let mut plain = lines.iter().all(|line| line.plain);
    match understand(&lines, length, &mut plain) {
        Err(Bad) => Verdict::Refuse,
        Ok(head) if plain => Verdict::Must(head),
        Ok(head) => Verdict::May(head),
    }
}

struct Line<'a> {
    text: &'a [u8],
    /// It ends as it should, with CR LF.
    plain: bool,
}

/// The lines of the head, without empty ones before it, and where it ends.
fn lines(bytes: &[u8]) -> Option<(Vec<Line<'_>>, usize)> {
    let (mut lines, mut start) = (Vec::new(), 0);
    loop {
        let end = start + bytes[start..].iter().position(|&byte| byte == b'\n')?;
        let line = &bytes[start..end];
        let (text, plain) = match line.strip_suffix(b"\r") {
            Some(text) => (text, true),
            None => (line, false),
        };
        start = end + 1;
        match (text.is_empty(), lines.is_empty()) {
            (true, true) => {}
            (true, false) => return Some((lines, start)),
            (false, _) => lines.push(Line { text, plain }),
        }
    }
}

fn understand(lines: &[Line<'_>], length: usize, plain: &mut bool) -> Result<Head, Bad> {
    let words: Vec<&[u8]> = lines[0].text.split(|&byte| byte == b' ').collect();
    let [method, target, version] = words[..] else { return Err(Bad) };
    let old = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        _ => return Err(Bad),
    };
    let method = token(method)?.to_owned();
    let path = path(target, plain)?;
    if lines.len() - 1 > MAX_HEADERS {
        return Err(Bad);
    }
    let fields = lines[1..].iter().map(|line| field(line.text)).collect::<Result<Vec<_>, _>>()?;
    let all = |name: &str| -> Vec<&[u8]> {
        fields.iter().filter(|(other, _)| other == name).map(|(_, value)| *value).collect()
    };
    match all("host").len() {
        1 => {}
        0 if old => {}
        _ => return Err(Bad),
    }
    if !all("transfer-encoding").is_empty() {
        return Err(Bad);
    }
    let body = body(&all("content-length"))?;
    let continues = match all("expect")[..] {
        [] => false,
        [wish] if wish.eq_ignore_ascii_case(b"100-continue") => true,
        [_] => return Err(Bad),
        [first, ..] => {
            *plain = false;
            first.eq_ignore_ascii_case(b"100-continue").then_some(true).ok_or(Bad)?
        }
    };
    let wishes = all("connection").join(&b',').to_ascii_lowercase();
    let wishes: Vec<_> = wishes.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).collect();
    let keep_alive =
        !wishes.contains(&&b"close"[..]) && (!old || wishes.contains(&&b"keep-alive"[..]));
    let waits_for_continue = continues && !old;
    Ok(Head { length, method, path, body, keep_alive, old, waits_for_continue })
}

fn token(bytes: &[u8]) -> Result<&str, Bad> {
    let good = |&byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if bytes.is_empty() || !bytes.iter().all(good) {
        return Err(Bad);
    }
    str::from_utf8(bytes).map_err(|_| Bad)
}

fn path(target: &[u8], plain: &mut bool) -> Result<String, Bad> {
    let target = str::from_utf8(target).map_err(|_| Bad)?;
    if target.is_empty() || target.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return Err(Bad);
    }
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/?".contains(&byte);
    *plain &= target.bytes().all(usual);
    let path = match target.strip_prefix("http://") {
        Some(rest) => {
            *plain = false;
            match rest.find(['/', '?']) {
                Some(at) if rest[at..].starts_with('/') => &rest[at..],
                _ => "/",
            }
        }
        None => target,
    };
    if !path.starts_with('/') || path.contains('#') {
        return Err(Bad);
    }
    Ok(path.split('?').next().unwrap_or_default().to_owned())
}

/// The name in lower case, and the value.
fn field(line: &[u8]) -> Result<(String, &[u8]), Bad> {
    let colon = line.iter().position(|&byte| byte == b':').ok_or(Bad)?;
    let name = token(&line[..colon])?.to_ascii_lowercase();
    let mut value = &line[colon + 1..];
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    if value.iter().any(|&byte| (byte < b' ' && byte != b'\t') || byte == 0x7f) {
        return Err(Bad);
    }
    Ok((name, value))
}

fn body(lengths: &[&[u8]]) -> Result<usize, Bad> {
    let digits = match lengths {
        [] => return Ok(0),
        [digits] => *digits,
        _ => return Err(Bad),
    };
    if digits.is_empty() {
        return Err(Bad);
    }
    digits
        .iter()
        .try_fold(0, |sum: usize, digit| match digit {
            b'0'..=b'9' => {
                Some(sum * 10 + usize::from(digit - b'0')).filter(|sum| *sum <= MAX_BODY)
            }
            _ => None,
        })
        .ok_or(Bad)
}
