//! Who may come in: the page itself, and people with a tool such as curl. No foreign web page.
//!
//! The page stops a thread and orders burgers, and every web page in the same browser can send
//! requests to this machine. Three checks keep them out:
//!
//! * `Host` is an address, `localhost`, or the name that --loop-host gave. A foreign page that lets
//!   its own name point here ("DNS rebinding") sends its own name.
//! * `Origin` and `Sec-Fetch-Site`, where there are any, say that the request comes from this page.
//!   Browsers send them with everything that one site does to another one.
//! * What changes something is JSON, and says so. Without asking first, a foreign page can send
//!   forms and plain text only; and we never answer such a question with yes.

use std::net::IpAddr;

use crate::http::{Problem, Request, Response};

/// Nothing from elsewhere, nothing inside of somebody else's page.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The page itself: a link may lead here from anywhere, but only by a name of ours.
pub(super) fn visit(request: &Request, own_name: &str) -> Result<(), Problem> {
    let host = request.header("host").unwrap_or_default();
    let name = without_port(&host);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let ours = bare.parse::<IpAddr>().is_ok()
        || [own_name, "localhost"].iter().any(|ours| name.eq_ignore_ascii_case(ours));
    if ours {
        return Ok(());
    }
    Err(Problem::new(421, format!("nobody here is called {name:?}: use the address of this page")))
}

/// What the page reads.
pub(super) fn read(request: &Request, own_name: &str) -> Result<(), Problem> {
    visit(request, own_name)?;
    let host = request.header("host").unwrap_or_default();
    let origin = request.header("origin");
    let foreign = origin.is_some_and(|origin| origin != format!("http://{host}"));
    let site = request.header("sec-fetch-site");
    if foreign || site.is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(Problem::new(403, "this is for the page at /loop only"));
    }
    Ok(())
}

/// What the page orders and controls.
pub(super) fn write(request: &Request, own_name: &str) -> Result<(), Problem> {
    read(request, own_name)?;
    let content = request.header("content-type").unwrap_or_default();
    if content.split(';').next().is_none_or(|kind| kind.trim() != "application/json") {
        return Err(Problem::new(415, "send JSON, with `Content-Type: application/json`"));
    }
    Ok(())
}

/// The answer, with all that a browser should know of it.
pub(super) fn sealed(response: Response) -> Response {
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
