//! HTTP/1.1 as plain async fns over a TCP stream: made to be stepped through, not to be complete.
//!
//! ```text
//!   accept --spawn--> connection: again and again, until one side has had enough
//!                       read_head    bytes -> Head       head.rs, body.rs: pure functions
//!                       read_body    as many bytes as the head has announced
//!                       answer       Request -> Response     crate::app, the path operations
//!                       send         Response -> bytes       response.rs
//! ```
//!
//! The one rule: *whatever a client sends, it costs a bounded amount of memory and of time.* The
//! amounts are in [`Limits`], in `head.rs` and in `body.rs`. When a request is refused, the
//! connection closes after the answer: who was misunderstood once would be misunderstood again.
//!
//! Read in this order: `server.rs`, `connection.rs`, `head.rs`, `body.rs`; `client.rs` is the other
//! side.

mod body;
pub(crate) mod client;
mod connection;
mod head;
mod notes;
mod request;
mod response;
mod server;

pub(crate) use notes::{Amount, Note, Wait};
pub(crate) use request::Request;
pub(crate) use response::{Live, Problem, Response};
pub(crate) use server::{Limits, Server};
