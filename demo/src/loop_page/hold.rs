//! `demo tour --hold`: serves the page of a recording until Ctrl-C.

use std::io;
use std::process::{Command, Stdio};
use std::rc::Rc;

use reactor::net::TcpListener;
use watch::{Event, World};

use crate::app::{Answer, App};
use crate::cli::{Failure, Out};
use crate::guard;
use crate::http::{Limits, Request, Response, Server};
use crate::{runtime, shutdown};

/// Serves it, says where, and with `open` shows it in the browser.
pub(crate) fn hold(
    base: &World,
    events: &[Event],
    open: bool,
    out: Out<'_>,
) -> Result<(), Failure> {
    let page = watch::page_of(base, events).into_bytes();
    runtime::run(async {
        let ctrl_c = shutdown::ctrl_c()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let routes = App::new(page).get("/", show).get("/loop", show).into_routes();
        let server = Server::start(listener, routes, Limits::default(), "viewer")?;
        let url = format!("http://{}/loop", server.address);
        writeln!(out, "\nsee it, event by event: {url}     Ctrl-C ends it")?;
        out.flush()?;
        if open {
            open_browser(&url);
        }
        ctrl_c.await;
        server.stop().await;
        Ok(())
    })?
}

async fn show(page: Rc<Vec<u8>>, request: Request) -> Answer {
    guard::visit(&request, "localhost")?;
    Ok(guard::sealed(Response::new(200, "text/html; charset=utf-8", page.to_vec())))
}

/// If there is no browser, the address has been printed.
fn open_browser(url: &str) {
    let command: &[&str] = match std::env::consts::OS {
        "macos" => &["open"],
        "windows" => &["cmd", "/C", "start", ""],
        _ => &["xdg-open"],
    };
    let started: io::Result<_> = Command::new(command[0])
        .args(&command[1..])
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    drop(started);
}
