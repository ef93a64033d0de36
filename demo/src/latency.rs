//! `demo latency`: how slow input and output are "compared to the speed of the processor and the
//! RAM memory", as the page says. Every figure is a median, measured in this run.

#[cfg(feature = "sqlite")]
mod database;
mod processor;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process;
use std::time::{Duration, Instant, SystemTime};

use executor::{spawn, yield_now};
use reactor::fs::File;
use reactor::net::{TcpListener, TcpStream};

use crate::cli::{Failure, Out};
use crate::{chart, runtime};

/// So long is each kind of wait measured, and so often at most.
const BUDGET: Duration = Duration::from_millis(150);
const SAMPLES: usize = 1000;
/// But so often at least, on a very slow disk.
const FEW_SAMPLES: usize = 3;
const BAR: f64 = 19.0;
const LOCAL: &str = "127.0.0.1:0";
const FILE: [u8; 4096] = [b'*'; 4096];
const REQUEST: &[u8] = b"GET /toppings HTTP/1.1\r\nHost: kitchen\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[\"cheese\"]";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The page lists what a program waits for: data from the client, data to the
client, files, remote APIs, databases. Each is done here many times, for real,
on this machine. The table shows the median, as the coroutine that awaits it
sees it.

It takes about 2 seconds. The few files that it makes are in a folder of its
own, in the temporary folder, and are removed.")]
pub(crate) struct Args {}

struct Row {
    what: &'static str,
    nanos: f64,
}

pub(crate) fn run(_args: &Args, out: Out<'_>) -> Result<(), Failure> {
    let addition = Row { what: "an addition", nanos: processor::an_addition() };
    let memory =
        Row { what: "a memory access, at random in 64 MiB", nanos: processor::a_memory_access() };
    let title = format!("{:<38} {:>9}  if an addition took 1 second", "", "measured");
    writeln!(out, "{}", chart::bold(&title))?;
    let title = format!("{:<61}## = ten times", "the processor and the memory");
    writeln!(out, "{}", chart::bold(&title))?;
    print(out, &addition, &addition)?;
    print(out, &memory, &addition)?;

    writeln!(out, "{}", chart::bold("what a coroutine waits for"))?;
    let folder = Folder::new()?;
    let waits = runtime::run(waits(&folder))??;
    for row in &waits {
        print(out, row, &addition)?;
    }
    if cfg!(not(feature = "sqlite")) {
        writeln!(out, "  (no database: this program was built without its feature `sqlite`)")?;
    }
    conclude(out, &waits, &addition)
}

// The waits of the page ---------------------------------------------------------------------------

async fn waits(folder: &Folder) -> Result<Vec<Row>, Failure> {
    let network = |error| format!("no sockets on 127.0.0.1 ({error}): allow them, and try again");
    let disk = |error| {
        let folder = folder.0.display();
        format!("no files in {folder} ({error}): let TMPDIR name a folder with room to write")
    };
    let mut rows = Vec::new();
    let mut row = |what, nanos| rows.push(Row { what, nanos });
    row("data from the client: 1 byte, echoed", from_client().await.map_err(network)?);
    row("data to the client: 128 bytes sent", to_client().await.map_err(network)?);
    row("a file read: 4 KiB, already cached", file_read(folder).await.map_err(disk)?);
    row("a file written: 4 KiB, to the cache", file_written(folder).await.map_err(disk)?);
    row("a file written and synced to disk", file_synced(folder).await.map_err(disk)?);
    row("a remote API: connect, ask, answer", remote_api().await.map_err(network)?);
    #[cfg(feature = "sqlite")]
    {
        let database = database::Database::create(folder.0.join("burgers.db")).await?;
        row("a database operation: insert, commit", database.operation().await?);
        row("a database query: 1 row of 1000", database.query().await?);
    }
    Ok(rows)
}

/// Measures one wait, again and again.
async fn sampled(mut wait: impl AsyncFnMut() -> io::Result<()>) -> io::Result<f64> {
    wait().await?; // to warm up
    let mut samples = Vec::new();
    let start = Instant::now();
    while samples.len() < FEW_SAMPLES || (samples.len() < SAMPLES && start.elapsed() < BUDGET) {
        let before = Instant::now();
        wait().await?;
        samples.push(chart::nanos(before.elapsed()));
        yield_now().await;
    }
    Ok(median(samples))
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

async fn from_client() -> io::Result<f64> {
    let (client, server) = connected().await?;
    spawn(async move {
        let mut byte = [0];
        while server.read(&mut byte).await? == 1 {
            server.write_all(&byte).await?;
        }
        io::Result::Ok(())
    });
    sampled(async || {
        client.write_all(b"2").await?;
        client.read(&mut [0]).await.map(drop)
    })
    .await
}

async fn to_client() -> io::Result<f64> {
    let (client, server) = connected().await?;
    spawn(async move {
        let mut buffer = [0; 4096];
        while client.read(&mut buffer).await? > 0 {}
        io::Result::Ok(())
    });
    sampled(async || server.write_all(&[b'*'; 128]).await).await
}

async fn connected() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(LOCAL).await?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    Ok((client, server))
}

async fn file_read(folder: &Folder) -> io::Result<f64> {
    let menu = folder.0.join("menu.txt");
    reactor::fs::write(&menu, FILE).await?;
    sampled(async || reactor::fs::read(&menu).await.map(drop)).await
}

async fn file_written(folder: &Folder) -> io::Result<f64> {
    let receipt = folder.0.join("receipt.txt");
    sampled(async || File::create(&receipt).await?.write_all(FILE).await).await
}

async fn file_synced(folder: &Folder) -> io::Result<f64> {
    let receipt = folder.0.join("receipt.txt");
    sampled(async || {
        let file = File::create(&receipt).await?;
        file.write_all(FILE).await?;
        file.sync_all().await
    })
    .await
}

async fn remote_api() -> io::Result<f64> {
    let listener = TcpListener::bind(LOCAL).await?;
    let kitchen = listener.local_addr()?;
    let server = spawn(async move {
        while let Ok((guest, _)) = listener.accept().await {
            // If the guest has gone, it sees for itself that there is no answer.
            let _ = guest.read(&mut [0; 512]).await;
            let _ = guest.write_all(ANSWER).await;
        }
    });
    let nanos = sampled(async || {
        let client = TcpStream::connect(kitchen).await?;
        client.write_all(REQUEST).await?;
        client.read(&mut [0; 512]).await.map(drop)
    })
    .await;
    server.abort();
    nanos
}

/// A temporary folder of our own. It goes when this does, in success and in failure.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder, Failure> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
        let folder = std::env::temp_dir().join(format!("demo-latency-{}-{now}", process::id()));
        match fs::create_dir(&folder) {
            Ok(()) => Ok(Folder(folder)),
            Err(error) => Err(format!(
                "cannot make the folder {} ({error}): let TMPDIR name one that can be written",
                folder.display()
            )
            .into()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // There is nobody to tell; the system clears its temporary folder in the end.
        let _ = fs::remove_dir_all(&self.0);
    }
}

// What is printed ---------------------------------------------------------------------------------

fn print(out: Out<'_>, row: &Row, addition: &Row) -> io::Result<()> {
    let times = (row.nanos / addition.nanos).max(1.0);
    let bar = chart::bar((2.0 * times.log10()).min(BAR));
    let (time, patience) = (chart::time(row.nanos), chart::patience(times));
    writeln!(out, "  {:<36} {time:>9}  {patience:<10} {bar}", row.what)
}

fn conclude(out: Out<'_>, waits: &[Row], addition: &Row) -> Result<(), Failure> {
    let longest = waits.iter().max_by(|a, b| a.nanos.total_cmp(&b.nanos)).ok_or("no waits")?;
    let additions = chart::about(longest.nanos / addition.nanos);
    writeln!(out)?;
    let text = format!(
        "The longest wait here is worth about {additions} additions. That is why a coroutine pauses at \
         its `.await` and lets others have the thread. (Files and databases are left to a pool \
         of threads; the way there and back is included.) Nothing here left this machine: a real \
         network is far slower, and so is a disk that has to look for a file."
    );
    chart::paragraph(out, &text)?;
    if cfg!(debug_assertions) {
        writeln!(out)?;
        let text = "This is a debug build, in which the processor is slower than it could be. For \
                    its true speed: cargo run --release -- latency";
        chart::paragraph(out, text)?;
    }
    Ok(())
}
