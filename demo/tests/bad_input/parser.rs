//! The parser of the program, file by file: it lives in the binary, which a test cannot link to.

#![allow(dead_code, reason = "only a part of it is tried out here")]

#[path = "../../src/http/body.rs"]
mod body;
#[path = "../../src/http/head.rs"]
pub(crate) mod head;
#[path = "../../src/http/response.rs"]
mod response;

pub(crate) use body::MAX_BODY;
pub(crate) use response::{Problem, Response};

/// The bytes in which a refusal goes over the wire.
pub(crate) fn refusal(problem: Problem) -> Vec<u8> {
    Response::from(problem).header("Connection", "close").encode(true)
}
