//! The kitchen: the remote API of the page. A service of its own, that takes its time.
//!
//! ```text
//!   GET /toppings/2   ->   (60 ms later)   {"toppings":["cheese","onions"]}
//! ```

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use reactor::net::TcpListener;
use reactor::time::sleep;
use serde_json::json;

use crate::app::{Answer, App};
use crate::cli::{Failure, Out};
use crate::http::{Limits, Problem, Request, Response, Server};
use crate::serve::listen;
use crate::{runtime, shutdown};

const TOPPINGS: [&str; 6] = ["cheese", "onions", "pickles", "tomato", "lettuce", "bacon"];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The port to listen on; 0 takes any that is free
    #[arg(long, default_value_t = 8002)]
    port: u16,
    /// How long it takes to prepare something, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = DELAY_MS)]
    delay_ms: u64,
    /// How many orders of a hundred fail
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=100))]
    fail_percent: u8,
}

/// Long enough to be seen, short enough to wait for.
pub(crate) const DELAY_MS: u64 = 60;

pub(crate) fn run(args: &Args, out: Out<'_>) -> Result<(), Failure> {
    runtime::run(serve(args, out))?
}

async fn serve(args: &Args, out: Out<'_>) -> Result<(), Failure> {
    let listener = listen(&args.host, args.port).await?;
    let kitchen = Kitchen::new(Duration::from_millis(args.delay_ms), args.fail_percent);
    let kitchen = kitchen.open(listener, Limits::default())?;
    let ctrl_c = shutdown::ctrl_c()?;
    let address = kitchen.address;
    writeln!(out, "the kitchen is open: http://{address}          Ctrl-C closes it\n")?;
    writeln!(out, "  demo serve --kitchen http://{address}\n  curl http://{address}/toppings/2")?;
    out.flush()?;
    ctrl_c.await;
    kitchen.stop().await;
    Ok(())
}

pub(crate) struct Kitchen {
    delay: Duration,
    fail_percent: u8,
    asked: Cell<u64>,
}

impl Kitchen {
    pub(crate) fn new(delay: Duration, fail_percent: u8) -> Kitchen {
        Kitchen { delay, fail_percent, asked: Cell::new(0) }
    }

    pub(crate) fn open(self, listener: TcpListener, limits: Limits) -> std::io::Result<Server> {
        let app = App::new(self).get("/toppings/{n}", toppings);
        Server::start(listener, app.into_routes(), limits, "kitchen")
    }

    /// Failures come at even distances, so that no luck is needed to see one.
    fn fails(&self) -> bool {
        let asked = self.asked.replace(self.asked.get() + 1);
        (asked % 100) * u64::from(self.fail_percent) % 100 >= 100 - u64::from(self.fail_percent)
    }
}

async fn toppings(kitchen: Rc<Kitchen>, request: Request) -> Answer {
    let n: usize = request.param("n")?;
    if n > 100 {
        return Err(Problem::new(400, "nobody eats that much"));
    }
    sleep(kitchen.delay).await;
    if kitchen.fails() {
        return Err(Problem::new(503, "something has burnt"));
    }
    let toppings: Vec<&str> = TOPPINGS.into_iter().cycle().take(n).collect();
    Ok(Response::json(200, &json!({ "toppings": toppings })))
}
