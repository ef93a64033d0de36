//! The door: it lets connections in, knows who is there, and closes at the end.
//!
//! ```text
//!   Server::start   spawns "accept", which spawns one task for each connection
//!   Server::stop    1. the door is shut
//!                   2. who only waits is sent away (their tasks are aborted: dropping is closing)
//!                   3. who is being served has a while to finish
//!                   4. then all have to go
//! ```

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use executor::channel::{self, Receiver, Sender};
use executor::{JoinHandle, spawn};
use reactor::net::{TcpListener, TcpStream};
use reactor::time::{sleep, timeout};

use super::Note;
use super::connection::Connection;
use super::notes::Notes;
use crate::app::Routes;

/// How long the door stays shut when `accept` fails for a reason that nobody foresaw.
const BREATHER: Duration = Duration::from_millis(100);

/// How long we wait for a client, and for how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// For the next request to begin.
    pub(crate) idle: Duration,
    /// For the rest of its head.
    pub(crate) head: Duration,
    /// For its body.
    pub(crate) body: Duration,
    /// For the client to take the answer.
    pub(crate) write: Duration,
    /// For the client to close after the last answer.
    pub(crate) linger: Duration,
    /// For open requests, when the server closes.
    pub(crate) grace: Duration,
    /// So many connections at once. More wait in the operating system's line.
    pub(crate) connections: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            idle: Duration::from_secs(30),
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            write: Duration::from_secs(10),
            linger: Duration::from_secs(1),
            grace: Duration::from_secs(5),
            connections: 16 * 1024,
        }
    }
}

/// A server that is running. Dropped, it runs on: only [`stop`](Server::stop) ends it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    house: Rc<House>,
    accepting: JoinHandle<()>,
}

/// What all connections of a server share.
pub(super) struct House {
    pub(super) routes: Routes,
    pub(super) limits: Limits,
    pub(super) closing: Cell<bool>,
    /// The notes of the request that was answered last.
    pub(super) last: RefCell<Rc<Notes>>,
    /// What the tasks of its connections are called.
    name: &'static str,
    guests: RefCell<BTreeMap<u64, Present>>,
    /// Somebody has left: a bell, made of a channel for one.
    left: (Sender<()>, Receiver<()>),
}

/// What is known of a connection from outside.
pub(super) struct Guest {
    number: u64,
    pub(super) stream: TcpStream,
    /// It waits for a request to begin.
    pub(super) idle: Cell<bool>,
}

/// A guest, and the task that serves it.
struct Present {
    guest: Rc<Guest>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `routes` from now on. `name` is what the tasks of the connections are called.
    pub(crate) fn start(
        listener: TcpListener,
        routes: Routes,
        limits: Limits,
        name: &'static str,
    ) -> io::Result<Server> {
        let address = listener.local_addr()?;
        let house = Rc::new(House {
            routes,
            limits,
            closing: Cell::new(false),
            last: RefCell::new(Rc::new(Notes::start())),
            name,
            guests: RefCell::default(),
            left: channel::bounded(1),
        });
        let accepting = spawn(accept(listener, house.clone())).named("accept");
        Ok(Server { address, house, accepting })
    }

    /// What the request that was answered last has waited for.
    pub(crate) fn notes(&self) -> Vec<Note> {
        self.house.last.borrow().list()
    }

    /// Closes: nobody new comes in, and whoever is being served may finish.
    ///
    /// Cancelling leaves it half closed: the door shut, and the rest as it was.
    pub(crate) async fn stop(self) {
        self.accepting.abort();
        let _ = self.accepting.await; // now the listener is closed
        let house = self.house;
        house.closing.set(true);
        house.send_away(Guest::only_waits);
        let _ = timeout(house.limits.grace, house.room_for(0)).await;
        house.send_away(|_| true);
        // Aborted tasks end at their next turn, which is before any timer's.
        let _ = timeout(BREATHER, house.room_for(0)).await;
    }
}

async fn accept(listener: TcpListener, house: Rc<House>) {
    for number in 0.. {
        house.room_for(house.limits.connections - 1).await;
        match listener.accept().await {
            Ok((stream, _)) => house.welcome(number, stream),
            Err(error) => {
                let _ = writeln!(io::stderr(), "demo: no connection can be accepted: {error}");
                sleep(BREATHER).await;
            }
        }
    }
}

impl House {
    fn welcome(self: &Rc<House>, number: u64, stream: TcpStream) {
        // Answers are sent in one piece, so there is nothing to collect. If it fails, they are late.
        let _ = stream.set_nodelay(true);
        let guest = Rc::new(Guest { number, stream, idle: Cell::new(false) });
        let connection =
            Connection { guest: guest.clone(), house: self.clone(), buffer: Vec::new() };
        let task = spawn(connection.run()).named(self.name);
        self.guests.borrow_mut().insert(number, Present { guest, task });
    }

    /// Waits until at most so many guests are there.
    async fn room_for(&self, guests: usize) {
        while self.guests.borrow().len() > guests {
            self.left.1.recv().await;
        }
    }

    fn send_away(&self, whom: impl Fn(&Guest) -> bool) {
        for present in self.guests.borrow().values().filter(|present| whom(&present.guest)) {
            present.task.abort(); // which only queues it: nobody leaves under this borrow
        }
    }
}

impl Guest {
    /// Nothing of a request has come, not even as far as the operating system.
    fn only_waits(&self) -> bool {
        self.idle.get() && !matches!(self.stream.get_ref().peek(&mut [0]), Ok(1..))
    }
}

/// However its task ends, a connection leaves the list.
impl Drop for Connection {
    fn drop(&mut self) {
        let left = self.house.guests.borrow_mut().remove(&self.guest.number);
        drop(left);
        let _ = self.house.left.0.try_send(()); // if the bell rings already, that will do
    }
}
