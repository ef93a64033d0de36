//! Who may come in: people, and their tools such as curl. No foreign web page.
//!
//! Whoever asks the stand orders burgers, and the page of its loop can stop a thread. Every web page in
//! the same browser can send requests to this machine. Three checks keep them out:
//!
//! * `Host` is an address, `localhost`, or the name that --host (for the page, --loop-host) gave. A
//!   foreign page that lets its own name point here ("DNS rebinding") sends its own name.
//! * `Origin` and `Sec-Fetch-Site`, where there are any, say that the request comes from no other site.
//!   Browsers send them with everything that one site does to another one.
//! * What changes something at the page is JSON, and says so. Without asking first, a foreign page can
//!   send forms and plain text only; and we never answer such a question with yes.

use std::net::IpAddr;

use crate::app::Routes;
use crate::http::{Problem, Request, Response};

/// Nothing from elsewhere, nothing inside of somebody else's page.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// For the stand: a request that a browser has sent must be one of this site, or of nobody's.
pub(crate) fn guarded(routes: Routes, own_name: &str) -> Routes {
    let own_name = own_name.to_owned();
    routes.guarded(move |request| {
        let browser = ["origin", "sec-fetch-site"].iter().any(|it| request.header(it).is_some());
        if browser { read(request, &own_name) } else { Ok(()) }
    })
}

/// The page itself: a link may lead here from anywhere, but only by a name of ours.
pub(crate) fn visit(request: &Request, own_name: &str) -> Result<(), Problem> {
    let host = request.header("host").unwrap_or_default();
    let name = without_port(&host);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let ours = bare.parse::<IpAddr>().is_ok()
        || [own_name, "localhost"].iter().any(|ours| name.eq_ignore_ascii_case(ours));
    if ours {
        return Ok(());
    }
    Err(Problem::new(421, format!("nobody here is called {name:?}: ask for an address, by number")))
}

/// What the page reads.
pub(crate) fn read(request: &Request, own_name: &str) -> Result<(), Problem> {
    visit(request, own_name)?;
    let host = request.header("host").unwrap_or_default();
    let origin = request.header("origin");
    let foreign = origin.is_some_and(|origin| origin != format!("http://{host}"));
    let site = request.header("sec-fetch-site");
    if foreign || site.is_some_and(|site| site != "same-origin" && site != "none") {
        let message = "no web page from elsewhere may ask this: enter the address yourself";
        return Err(Problem::new(403, message));
    }
    Ok(())
}

/// What the page orders and controls.
pub(crate) fn write(request: &Request, own_name: &str) -> Result<(), Problem> {
    read(request, own_name)?;
    let content = request.header("content-type").unwrap_or_default();
    if content.split(';').next().is_none_or(|kind| kind.trim() != "application/json") {
        return Err(Problem::new(415, "send JSON, with `Content-Type: application/json`"));
    }
    Ok(())
}

/// The answer, with all that a browser should know of it.
pub(crate) fn sealed(response: Response) -> Response {
    response
        .header("Content-Security-Policy", POLICY)
        .header("Cross-Origin-Resource-Policy", "same-origin")
        .header("X-Content-Type-Options", "nosniff")
        .header("X-Frame-Options", "DENY")
        .header("Referrer-Policy", "no-referrer")
        .header("Cache-Control", "no-store")
}

/// `localhost:8001` is `localhost`, `[::1]:8001` is `[::1]`.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}
