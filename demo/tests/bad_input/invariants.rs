//! What holds for every input whatsoever. The tests and the fuzzer ask the same questions.

use crate::parser::head::{self, Head, MAX_HEAD};
use crate::parser::{MAX_BODY, Problem, refusal};
use crate::reference::{Verdict, judge};

type Parsed = Result<Option<Head>, Problem>;

/// The parser and the second opinion agree, and what is accepted is of a bounded size.
pub(crate) fn check(bytes: &[u8]) -> Parsed {
    let parsed = head::parse(bytes);
    let verdict = judge(bytes);
    let agreed = match (&parsed, &verdict) {
        (Ok(None), Verdict::Unfinished) => bytes.len() < MAX_HEAD,
        (Err(_), Verdict::Unfinished | Verdict::Refuse | Verdict::May(_)) => true,
        (Ok(Some(head)), Verdict::May(meaning) | Verdict::Must(meaning)) => head == meaning,
        _ => false,
    };
    assert!(agreed, "{}: {parsed:?}, but {verdict:?}", bytes.escape_ascii());
    if let Ok(Some(head)) = &parsed {
        assert!(head.length <= bytes.len().min(MAX_HEAD) && head.body <= MAX_BODY);
        assert!(head.path.starts_with('/') && !head.method.is_empty());
    }
    parsed
}

/// The same however the bytes are cut: an answer that was given once stays.
pub(crate) fn check_closely(bytes: &[u8], cut: usize, more: &[u8]) {
    let whole = check(bytes);
    let cut = cut % (bytes.len() + 1);
    stays(bytes, cut, &head::parse(&bytes[..cut]), &whole);
    stays(bytes, bytes.len(), &whole, &head::parse(&[bytes, more].concat()));
    match whole {
        Ok(None) => {}
        Ok(Some(head)) => {
            assert_eq!(check(&bytes[..head.length]).as_ref(), Ok(&Some(head.clone())));
            let less = head::parse(&bytes[..cut.min(head.length - 1)]);
            assert_eq!(less, Ok(None), "{}", bytes.escape_ascii());
        }
        Err(problem) => is_an_answer(problem),
    }
}

fn stays(bytes: &[u8], cut: usize, before: &Parsed, after: &Parsed) {
    let stays = match (before, after) {
        (Ok(None), _) | (Err(_), Err(_)) => true,
        (Ok(Some(before)), Ok(Some(after))) => before == after,
        _ => false,
    };
    assert!(stays, "{} at {cut}: {before:?}, then {after:?}", bytes.escape_ascii());
}

/// Whatever is quoted in it, it has the header lines that we wrote and no others.
fn is_an_answer(problem: Problem) {
    let status = problem.status;
    assert!([400, 411, 413, 417, 431, 501, 505].contains(&status), "{problem:?}");
    let bytes = refusal(problem);
    let mut headers = [httparse::EMPTY_HEADER; 4];
    let mut answer = httparse::Response::new(&mut headers);
    let head = answer.parse(&bytes).unwrap().unwrap();
    assert_eq!((answer.code, answer.headers.len()), (Some(status), 3));
    let length = answer.headers.iter().find(|header| header.name == "Content-Length").unwrap();
    assert_eq!(length.value, (bytes.len() - head).to_string().as_bytes());
}
