//! `demo serve`: the stand, and its kitchen, until Ctrl-C; and a page that shows their loop.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::time::Duration;

use reactor::net::TcpListener;
use watch::{Options, Recorder};

use crate::cli::{Failure, Out};
use crate::guard;
use crate::http::client::Url;
use crate::http::{Limits, Note, Server};
use crate::kitchen::{self, Kitchen};
use crate::loop_page::{LoopPage, Place};
use crate::stand::{self, Stand};
use crate::store::KEEPS_ORDERS;
use crate::{runtime, shutdown};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen; 0.0.0.0 lets other machines in
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The port to listen on; 0 takes any that is free
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Keeps orders and receipts in this folder [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Asks this kitchen, such as http://127.0.0.1:8002 [default: one of our own]
    #[arg(long, value_name = "URL")]
    kitchen: Option<Url>,
    /// Where the page that shows the loop listens; others who reach it can stop the stand
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    loop_host: String,
    /// The port of that page [default: the one after the stand's, or any that is free]
    #[arg(long, value_name = "PORT")]
    loop_port: Option<u16>,
    /// Runs without being watched, and without that page
    #[arg(long)]
    no_watch: bool,
    /// The port of our own kitchen; 0 takes any that is free.
    #[arg(skip)]
    kitchen_port: u16,
    #[command(flatten)]
    patience: Patience,
}

/// So many events are kept for those who want to look back.
const KEPT: usize = 20_000;

/// How long to wait, in milliseconds, and for how many: to try out what happens when it is over.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Patience {
    #[arg(long, hide = true)]
    idle_timeout_ms: Option<u64>,
    #[arg(long, hide = true)]
    head_timeout_ms: Option<u64>,
    #[arg(long, hide = true)]
    body_timeout_ms: Option<u64>,
    #[arg(long, hide = true)]
    write_timeout_ms: Option<u64>,
    #[arg(long, hide = true)]
    kitchen_timeout_ms: Option<u64>,
    #[arg(long, hide = true)]
    kitchen_delay_ms: Option<u64>,
    #[arg(long, hide = true)]
    grace_ms: Option<u64>,
    #[arg(long, hide = true, value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: Option<u32>,
}

pub(crate) fn run(args: &Args, out: Out<'_>) -> Result<(), Failure> {
    // Made before the runtime and dropped after it: until then jobs may still write there.
    let folder = Folder::open(args.data.as_deref())?;
    if args.no_watch {
        return runtime::run(serve(args, &folder, None, out))?;
    }
    let options = Options { capacity: KEPT, ..Options::default() };
    let recorder = Recorder::with_warnings(options, |diagnosis| {
        let _ = writeln!(io::stderr(), "demo: {diagnosis}");
    });
    let main = serve(args, &folder, Some(recorder.clone()), out);
    recorder.run(main).map_err(|error| runtime::cannot_start(&error))?
}

async fn serve(
    args: &Args,
    folder: &Folder,
    recorder: Option<Arc<Recorder>>,
    out: Out<'_>,
) -> Result<(), Failure> {
    let ctrl_c = shutdown::ctrl_c()?; // before there is anything that would have to be cleared away
    let service = open_watched(args, folder, recorder.as_ref()).await?;
    tell(&service, folder, out)?;
    ctrl_c.await;
    if let Some(recorder) = recorder {
        recorder.release();
    }
    // Whether anybody reads this or not, the open orders are finished.
    let _ = writeln!(out, "\nclosing: no new orders, the open ones are finished");
    let _ = out.flush();
    service.stop().await;
    Ok(())
}

fn tell(service: &Service, folder: &Folder, out: Out<'_>) -> io::Result<()> {
    let url = format!("http://{}", service.stand.address);
    writeln!(out, "the stand is open:  {url}          Ctrl-C closes it")?;
    if let Some(page) = &service.page {
        writeln!(out, "watch it at:        {}", page.url)?;
    }
    writeln!(out, "the kitchen is at:  {}", service.kitchen_url)?;
    writeln!(out, "the orders are in:  {}\n", whereabouts(folder))?;
    writeln!(out, "  curl {url}/")?;
    writeln!(out, "  curl {url}/burgers/3")?;
    writeln!(out, "  curl {url}/orders")?;
    writeln!(out, "  curl {url}/orders -d '{{\"burgers\":1,\"customer\":\"Ann\"}}'")?;
    out.flush()
}

fn whereabouts(folder: &Folder) -> String {
    let path = folder.path.display();
    match (KEEPS_ORDERS, folder.temporary) {
        (false, _) => "memory, since this was built without the feature `sqlite`".to_owned(),
        (true, false) => path.to_string(),
        (true, true) => format!("{path}   (gone at the end; --data DIR keeps them)"),
    }
}

/// The stand and, if it has one of its own, the kitchen.
pub(crate) struct Service {
    pub(crate) stand: Server,
    kitchen: Option<Server>,
    pub(crate) kitchen_url: Url,
    /// The page that shows the loop on which they run. It closes after them.
    page: Option<LoopPage>,
}

/// Opens both, on the runtime that this is called on.
pub(crate) async fn open(args: &Args, folder: &Folder) -> Result<Service, Failure> {
    open_watched(args, folder, None).await
}

async fn open_watched(
    args: &Args,
    folder: &Folder,
    recorder: Option<&Arc<Recorder>>,
) -> Result<Service, Failure> {
    let Args { host, port, patience, .. } = args;
    let listener = listen(host, *port).await?;
    let page = match recorder {
        Some(recorder) => {
            Some(LoopPage::open(recorder.clone(), args.place(), listener.local_addr()?)?)
        }
        None => None,
    };
    let (kitchen, kitchen_url) = match &args.kitchen {
        Some(url) => (None, url.clone()),
        None => {
            let delay = patience.kitchen_delay_ms.unwrap_or(kitchen::DELAY_MS);
            let kitchen = Kitchen::new(Duration::from_millis(delay), 0);
            let kitchen =
                kitchen.open(listen("127.0.0.1", args.kitchen_port).await?, Limits::default())?;
            let url = format!("http://{}", kitchen.address).parse()?;
            (Some(kitchen), url)
        }
    };
    let kitchen_timeout = or(patience.kitchen_timeout_ms, Duration::from_secs(5));
    let mut stand = Stand::open(&folder.path, kitchen_url.clone(), kitchen_timeout).await?;
    stand.loop_page = page.as_ref().map(|page| page.url.clone());
    let routes = guard::guarded(stand::app(stand).into_routes(), host);
    let stand = Server::start(listener, routes, patience.limits(), "connection")?;
    Ok(Service { stand, kitchen, kitchen_url, page })
}

impl Service {
    /// The stand first: its open requests still need the kitchen.
    pub(crate) async fn stop(self) {
        self.stand.stop().await;
        if let Some(kitchen) = self.kitchen {
            kitchen.stop().await;
        }
    }

    /// What the request that was answered last has waited for.
    pub(crate) fn notes(&self) -> Vec<Note> {
        self.stand.notes()
    }
}

impl Args {
    /// On this machine, on ports that the system chooses, with a kitchen of our own.
    pub(crate) fn anywhere() -> Args {
        Args {
            host: "127.0.0.1".to_owned(),
            port: 0,
            data: None,
            kitchen: None,
            loop_host: "127.0.0.1".to_owned(),
            loop_port: None,
            no_watch: true,
            kitchen_port: 0,
            patience: Patience::default(),
        }
    }

    /// The same on these ports.
    pub(crate) fn at(port: u16, kitchen_port: u16) -> Args {
        Args { port, kitchen_port, ..Args::anywhere() }
    }

    fn place(&self) -> Place {
        // If the stand takes any port that is free, so does the page.
        let next = if self.port == 0 { 0 } else { self.port.checked_add(1).unwrap_or(0) };
        Place {
            host: self.loop_host.clone(),
            port: self.loop_port.unwrap_or(next),
            only: self.loop_port.is_some(),
            write_timeout: self.patience.limits().write,
        }
    }
}

impl Patience {
    fn limits(&self) -> Limits {
        let usual = Limits::default();
        let connections = self.max_connections.map(|n| n as usize);
        Limits {
            idle: or(self.idle_timeout_ms, usual.idle),
            head: or(self.head_timeout_ms, usual.head),
            body: or(self.body_timeout_ms, usual.body),
            write: or(self.write_timeout_ms, usual.write),
            grace: or(self.grace_ms, usual.grace),
            connections: connections.unwrap_or(usual.connections),
            ..usual
        }
    }
}

fn or(milliseconds: Option<u64>, usual: Duration) -> Duration {
    milliseconds.map_or(usual, Duration::from_millis)
}

/// Listens, or says what to do about it.
pub(crate) async fn listen(host: &str, port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((host, port)).await.map_err(|error| {
        let next = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "another program has that port: end it, or take another one with --port \
                 (0 is any that is free)"
            }
            io::ErrorKind::PermissionDenied => "take a port above 1023 with --port",
            _ if runtime::is_out_of_files(&error) => "raise the limit with `ulimit -n`",
            _ => "see if --host names this machine",
        };
        format!("cannot listen on {host}:{port}: {error}; {next}").into()
    })
}

/// Where the stand keeps its files.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    /// It is removed at the end.
    pub(crate) temporary: bool,
}

impl Folder {
    /// This folder, made if need be; or a new temporary one.
    pub(crate) fn open(path: Option<&Path>) -> Result<Folder, Failure> {
        let temporary = path.is_none();
        let path = path.map_or_else(temporary_path, Path::to_owned);
        let made = if temporary { fs::create_dir(&path) } else { fs::create_dir_all(&path) };
        match made {
            Ok(()) => Ok(Folder { path, temporary }),
            Err(error) => {
                let path = path.display();
                Err(format!("{path}: {error}; use another folder with --data").into())
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// A name that no one else has: the process id, and the time for when that is used again.
fn temporary_path() -> PathBuf {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    std::env::temp_dir().join(format!("burger-stand-{}-{}", process::id(), now.as_nanos()))
}
