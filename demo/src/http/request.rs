//! A request, as the path operations see it.

use std::borrow::Cow;
use std::rc::Rc;
use std::str::FromStr;

use serde_json::Value;

use super::Problem;
use super::head;
use super::notes::{Amount, Notes, Wait};

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// What stood in the place of each `{name}` of the route.
    pub(crate) params: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// As it came over the wire.
    pub(super) head: Vec<u8>,
    pub(super) notes: Rc<Notes>,
}

impl Request {
    /// What stood in the place of `{name}`, as a `T`.
    pub(crate) fn param<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        let value = self.params.iter().find(|(param, _)| *param == name);
        let value = value.map_or("", |(_, value)| value);
        value.parse().map_err(|_| Problem::new(400, format!("{name} cannot be {value:?}")))
    }

    /// The value of a header line, if there is exactly one of that name, and it is text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        head::value(&self.head, name)
    }

    /// The body, read as JSON whatever its `Content-Type` says: `curl -d` says something else.
    pub(crate) fn json(&self) -> Result<Value, Problem> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Problem::new(400, format!("the body is not JSON: {error}")))
    }

    /// Notes down that a wait is over. It began when the one before it was over.
    pub(crate) fn note(&self, wait: Wait, amount: Amount, detail: impl Into<Cow<'static, str>>) {
        self.notes.add(wait, amount, detail.into());
    }
}
