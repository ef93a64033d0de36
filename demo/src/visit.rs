//! One real request to the stand, by a client that is a coroutine like the others, and recorded.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use executor::{JoinHandle, spawn};
use reactor::time;
use watch::{Event, Options, Recorder, World};

use crate::cli::Failure;
use crate::http::Note;
use crate::http::client::{self, Answer, Url};
use crate::serve::{self, Folder};

/// How long the client waits for its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was seen of it.
pub(crate) struct Visit {
    pub(crate) answer: Answer,
    pub(crate) notes: Vec<Note>,
    /// The client's coroutine.
    pub(crate) client: u64,
    pub(crate) recorder: Arc<Recorder>,
    /// What was so before the first event, and all that happened until the answer was there.
    pub(crate) base: World,
    pub(crate) log: Vec<Event>,
    /// When the client began, and when it had the answer.
    pub(crate) begin: Duration,
    pub(crate) end: Duration,
}

impl Visit {
    pub(crate) fn make(folder: &Folder) -> Result<Visit, Failure> {
        let recorder = Recorder::new(Options::default());
        recorder.run(order(recorder.clone(), folder))?
    }
}

/// Opens the stand, orders, and closes it. Runs on a thread that `recorder` watches.
pub(crate) async fn order(recorder: Arc<Recorder>, folder: &Folder) -> Result<Visit, Failure> {
    order_at(&serve::Args::anywhere(), recorder, folder).await
}

/// The same with the stand at a place of one's choice.
pub(crate) async fn order_at(
    place: &serve::Args,
    recorder: Arc<Recorder>,
    folder: &Folder,
) -> Result<Visit, Failure> {
    let service = serve::open(place, folder).await?;
    let url: Url = format!("http://{}", service.stand.address).parse()?;
    let begin = recorder.when(time::now());
    let client = client(&url);
    let id = client.id().get();
    let answer = client.await?.map_err(|error| format!("the stand gave no answer: {error}"))?;
    let (end, (base, log)) = (recorder.when(time::now()), recorder.recording());
    let notes = service.notes();
    let visit = Visit { answer, notes, client: id, recorder, base, log, begin, end };
    service.stop().await;
    Ok(visit)
}

/// A client that asks for a burger.
pub(crate) fn client(url: &Url) -> JoinHandle<io::Result<Answer>> {
    let url = url.clone();
    spawn(async move { client::get(&url, "/", PATIENCE).await }).named("client")
}
