//! `demo trace`: real requests to the stand, recorded, and kept as files.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use executor::JoinHandle;
use reactor::time;
use watch::{Form, Options, Recorder, Recording};

use crate::cli::{Failure, Out};
use crate::http::client::{Answer, Url};
use crate::serve::{self, Folder};
use crate::visit;

/// More connections need more files than a process may usually open.
const MOST: u32 = 200;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Keeps it in this file: .html (a page to step through), .svg (a picture), .json (for
    /// Perfetto) or .txt; can be given more than once [default: prints it as text]
    #[arg(long, value_name = "FILE", value_parser = file)]
    out: Vec<PathBuf>,
    /// How many requests there are
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST)))]
    requests: u32,
    /// Each request waits for the one before; without this they are all made at once
    #[arg(long)]
    one_after_another: bool,
}

/// Checked before anything runs.
fn file(path: &str) -> io::Result<PathBuf> {
    let path = PathBuf::from(path);
    Form::of(&path).map(|_| path)
}

pub(crate) fn run(args: &Args, out: Out<'_>) -> Result<(), Failure> {
    let recording = record(args)?;
    if args.out.is_empty() {
        write!(out, "{}", recording.drawn(Form::Text))?;
        return Ok(writeln!(
            out,
            "\nto keep it: demo trace --out run.html   (or .svg, .json, .txt)"
        )?);
    }
    let events = recording.events.len();
    writeln!(out, "{}: {events} events", recording.title)?;
    for path in &args.out {
        recording.save(path)?;
        writeln!(out, "  {}: {}", path.display(), what_to_do(Form::of(path)?))?;
    }
    Ok(())
}

fn what_to_do(form: Form) -> &'static str {
    match form {
        Form::Page => "open it in a browser, and step back and forth",
        Form::Picture => "a picture for a slide; a browser shows it, too",
        Form::Trace => "drag it onto https://ui.perfetto.dev (nothing is sent anywhere)",
        Form::Text => "open it in an editor",
    }
}

/// What happens from the first request to the last answer.
fn record(args: &Args) -> Result<Recording, Failure> {
    let folder = Folder::open(None)?;
    let recorder = Recorder::new(Options::default());
    let (begin, end) = recorder.run(visits(recorder.clone(), &folder, args))??;
    Ok(Recording::of(&recorder).between(begin, end).titled(title(args)))
}

fn title(args: &Args) -> String {
    match (args.requests, args.one_after_another) {
        (1, _) => "one request".to_owned(),
        (n, true) => format!("{n} requests, one after another"),
        (n, false) => format!("{n} requests at once"),
    }
}

/// Opens the stand, visits it, and closes it. Says when the visits were.
async fn visits(
    recorder: Arc<Recorder>,
    folder: &Folder,
    args: &Args,
) -> Result<(Duration, Duration), Failure> {
    let service = serve::open(&serve::Args::anywhere(), folder).await?;
    let url: Url = format!("http://{}", service.stand.address).parse()?;
    let begin = recorder.when(time::now());
    let mut clients = Vec::new();
    for _ in 0..args.requests {
        clients.push(visit::client(&url));
        if args.one_after_another {
            answers(&mut clients).await?;
        }
    }
    answers(&mut clients).await?;
    let end = recorder.when(time::now());
    service.stop().await;
    Ok((begin, end))
}

async fn answers(clients: &mut Vec<JoinHandle<io::Result<Answer>>>) -> Result<(), Failure> {
    for client in clients.drain(..) {
        client.await?.map_err(|error| format!("the stand gave no answer: {error}"))?;
    }
    Ok(())
}
