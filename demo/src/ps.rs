//! `demo ps`: the coroutines of a `demo serve` that is running, as a tree.
//!
//! ```text
//!   demo ps  --GET /loop-->        the stand          says where its page is
//!            --GET /loop/state-->  the page's thread  says what is so now
//! ```
//!
//! The page has a thread and a runtime of its own, so it answers even if the stand is stopped.

mod tree;

use std::io;
use std::time::Duration;

use serde_json::Value;

use crate::cli::{Failure, Out};
use crate::http::client::{self, Answer, Url};
use crate::runtime;

/// How long the stand, or its page, may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest state that is read: some hundred thousand coroutines.
const LONGEST: usize = 256 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the stand listens
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The stand's port
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Prints what the stand says, as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, out: Out<'_>) -> Result<(), Failure> {
    let found = runtime::run(find(args))??;
    if args.json {
        writeln!(out, "{}", found.state)?;
        return Ok(());
    }
    if let Some(remark) = &found.remark {
        writeln!(out, "{remark}")?;
    }
    tree::draw(&found.state, &format!("{}:{}", args.host, args.port), out)
}

/// What is so in the stand.
struct Found {
    state: Value,
    /// What is strange about it.
    remark: Option<String>,
}

/// Asks the stand where its page is, and the page what is so.
async fn find(args: &Args) -> Result<Found, Failure> {
    let stand = url(&args.host, args.port)?;
    match client::get(&stand, "/loop", PATIENCE).await {
        Ok(Answer { status: 307, location: Some(page), .. }) => {
            let state = ask(&page.parse::<Url>()?, "/state")
                .await
                .map_err(|why| format!("the page of {stand} is at {page}, but there: {why}"))?;
            Ok(Found { state, remark: None })
        }
        Ok(Answer { status: 404, body, .. }) if says_nobody_watches(&body) => {
            Err(format!("{stand} is not watched: start it without --no-watch").into())
        }
        // Perhaps it is the page itself.
        Ok(_) => match ask(&stand, "/loop/state").await {
            Ok(state) => Ok(Found { state, remark: None }),
            Err(_) => Err(format!("{stand} is no `demo serve`; is --port right?").into()),
        },
        Err(error) if error.kind() == io::ErrorKind::TimedOut => behind(args, &stand).await,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Err(format!(
            "nobody listens at {stand}: start `demo serve`, or say where it is with --port"
        )
        .into()),
        Err(error) => Err(format!("{stand}: {error}; is it a `demo serve`?").into()),
    }
}

/// The stand does not answer. Its page is usually behind the next port.
async fn behind(args: &Args, stand: &Url) -> Result<Found, Failure> {
    let silent = format!("{stand} does not answer within {} s", PATIENCE.as_secs());
    let port = args.port.checked_add(1).ok_or_else(|| silent.clone())?;
    let page = url(&args.host, port)?;
    match ask(&page, "/loop/state").await {
        Ok(state) => {
            let why = match state["gate"]["stands"].as_bool() {
                Some(true) => "it is stopped",
                _ => "its thread is busy",
            };
            let remark = format!("{silent}, since {why}. This says its page at {page}:\n");
            Ok(Found { state, remark: Some(remark) })
        }
        Err(_) => Err(format!(
            "{silent}, and its page is not at {page}; where it is was told when the stand opened \
             (`watch it at`): take that port for --port"
        )
        .into()),
    }
}

/// An answer that is a state, or why it is none.
async fn ask(page: &Url, path: &str) -> Result<Value, Failure> {
    let answer = client::get_at_most(LONGEST, page, path, PATIENCE).await?;
    let state: Value = match answer.status {
        200 => serde_json::from_slice(&answer.body)?,
        status => return Err(format!("it answers with status {status}").into()),
    };
    match state["coroutines"].is_array() {
        true => Ok(state),
        false => Err("it does not answer with coroutines".into()),
    }
}

fn url(host: &str, port: u16) -> Result<Url, Failure> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let not_a_host = |_| format!("{host:?} is no name of a machine; see --host").into();
    format!("http://{host}:{port}").parse().map_err(not_a_host)
}

fn says_nobody_watches(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["detail"].as_str().is_some_and(|detail| detail.contains("--no-watch"))
}
