//! The live page: a window on the loop of `demo serve`, at `/loop`.
//!
//! ```text
//!   the stand's thread                           the page's thread
//!   ------------------                           -----------------
//!   executor + reactor, watched                  executor + reactor, not watched
//!     each event --> Recorder (a ring, a gate)     GET  /loop          the page
//!                        ^   |                     GET  /loop/events   what happens, as it happens
//!                        |   +-- read ------------ GET  /loop/state    what is so now
//!                        +------ pause, step ----- POST /loop/control
//!     GET /  <-------- real HTTP requests -------- POST /loop/order
//! ```
//!
//! It is the same runtime a second time, on a thread of its own: so the loop that is watched does not
//! watch itself, and the page still answers when that loop is stopped. `guard.rs` is why no foreign
//! web page can read or order anything here.

mod events;
mod hold;
mod order;
mod routes;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use executor::spawn;
use reactor::net::TcpListener;
use watch::Recorder;

use crate::cli::Failure;
use crate::http::{Limits, Server};
use crate::runtime;
use crate::shutdown::{self, Flag};
pub(crate) use hold::hold;
use routes::Desk;

/// Where the page is served.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) host: String,
    /// 0 is any that is free.
    pub(crate) port: u16,
    /// This port or none. Otherwise, if it is taken, any that is free.
    pub(crate) only: bool,
    /// For a viewer to take what it is sent.
    pub(crate) write_timeout: Duration,
}

/// A page that is served. Dropped, it is closed.
pub(crate) struct LoopPage {
    pub(crate) url: String,
    over: Arc<Flag>,
    thread: Option<JoinHandle<()>>,
}

impl LoopPage {
    /// Opens the page that shows what `recorder` records of the stand at `stand`.
    pub(crate) fn open(
        recorder: Arc<Recorder>,
        place: Place,
        stand: SocketAddr,
    ) -> Result<LoopPage, Failure> {
        let (opened, opens) = mpsc::channel();
        let over = Arc::new(Flag::new());
        let flag = over.clone();
        let serve = move || {
            let serve = serve(recorder, &place, stand, &opened, &flag);
            if let Err(error) = runtime::run(serve) {
                let _ = opened.send(Err(error.to_string()));
            }
        };
        let no_page = |why: String| format!("the page cannot be opened: {why}; or use --no-watch");
        let thread = thread::Builder::new().name("loop-page".to_owned()).spawn(serve);
        let thread = thread.map_err(|error| no_page(format!("{error}: allow one thread more")))?;
        let address = opens.recv().map_err(|_| no_page("its thread panicked".to_owned()))?;
        let address = address.map_err(no_page)?;
        Ok(LoopPage { url: format!("http://{address}/loop"), over, thread: Some(thread) })
    }
}

impl Drop for LoopPage {
    fn drop(&mut self) {
        self.over.raise();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // its panic has been printed
        }
    }
}

/// What the page's thread does: opens the page, says where it is, and serves it until `over`.
async fn serve(
    recorder: Arc<Recorder>,
    place: &Place,
    stand: SocketAddr,
    opened: &Sender<Result<SocketAddr, String>>,
    over: &Flag,
) {
    // Ctrl-C must reach the stand also while it stands before the gate.
    let gate = recorder.clone();
    spawn(async move {
        shutdown::also_ctrl_c().await;
        gate.release();
    })
    .named("ctrl-c");
    match start(recorder, place, stand).await {
        Ok(server) => {
            let _ = opened.send(Ok(server.address));
            over.raised().await;
            server.stop().await;
        }
        Err(why) => drop(opened.send(Err(why))),
    }
}

async fn start(
    recorder: Arc<Recorder>,
    place: &Place,
    mut stand: SocketAddr,
) -> Result<Server, String> {
    let listener = listen(place).await?;
    if stand.ip().is_unspecified() {
        stand.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let desk = Desk::new(recorder, format!("http://{stand}").parse()?, &place.host);
    let limits = Limits {
        write: place.write_timeout,
        grace: Duration::from_secs(1),
        connections: 256,
        ..Limits::default()
    };
    let server = Server::start(listener, routes::routes(desk), limits, "viewer");
    server.map_err(|error| error.to_string())
}

async fn listen(place: &Place) -> Result<TcpListener, String> {
    let Place { host, port, only, .. } = place;
    let listener = match TcpListener::bind((host.as_str(), *port)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && !only => {
            TcpListener::bind((host.as_str(), 0)).await
        }
        listener => listener,
    };
    listener.map_err(|error| {
        let next = match error.kind() {
            io::ErrorKind::AddrInUse => "take another port with --loop-port",
            _ if runtime::is_out_of_files(&error) => "raise the limit with `ulimit -n`",
            _ => "see if --loop-host names this machine",
        };
        format!("it cannot listen on {host}:{port}: {error}; {next}")
    })
}
