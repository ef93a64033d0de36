//! One connection: a conversation, from the first request to the last answer.
//!
//! Requests are answered one after the other, in the order in which they came, whether the client
//! waits for each answer or not. A connection that has answered does not read on before the client
//! has taken the answer, so a client that only sends fills its own buffers, not ours.

use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use executor::{Either, race};
use reactor::time::timeout;

use super::head::{self, Head};
use super::notes::{Amount, Notes, Wait};
use super::response::Live;
use super::server::{Guest, House};
use super::{Problem, Request, Response};

/// How much is read at once. It is also what an idle connection needs, so it is not much.
const CHUNK: usize = 2048;
/// So many bytes of line breaks may come before a request.
const STRAY_BREAKS: usize = 16;
/// How much of what a client still sends is thrown away, so that it comes to read our answer.
const DRAIN: usize = 256 * 1024;

pub(super) struct Connection {
    pub(super) guest: Rc<Guest>,
    pub(super) house: Rc<House>,
    /// What has come and was not used yet.
    pub(super) buffer: Vec<u8>,
}

/// Why a conversation ends early.
enum End {
    /// The client has gone, or does not speak any more: there is nobody to answer.
    Gone,
    /// It gets this answer, and that is the last one.
    Refused(Problem),
}

impl Connection {
    pub(super) async fn run(mut self) {
        match self.converse().await {
            Ok(()) => self.linger().await,
            Err(End::Gone) => {}
            Err(End::Refused(problem)) => {
                let answer = Response::from(problem).header("Connection", "close");
                if self.send(&answer.encode(true)).await.is_ok() {
                    self.linger().await;
                }
            }
        }
    }

    /// Request, answer; request, answer; until the last answer is given.
    async fn converse(&mut self) -> Result<(), End> {
        loop {
            let (head, request) = self.next_request().await?;
            let notes = request.notes.clone();
            let answer = self.house.routes.answer(request).await;
            let last = !head.keep_alive || self.house.closing.get() || answer.is_live();
            self.answer(&head, answer, last, notes).await?;
            if last {
                return Ok(());
            }
        }
    }

    async fn next_request(&mut self) -> Result<(Head, Request), End> {
        let notes = Rc::new(Notes::start());
        self.wait_idle().await?;
        let limits = self.house.limits;
        let head = in_time(limits.head, self.read_head()).await?;
        if head.waits_for_continue && self.buffer.len() < head.length + head.body {
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let bytes = in_time(limits.body, self.read_request(&head)).await?;
        let body = bytes[head.length..].to_vec();
        let (method, path) = (head.method.clone(), head.path.clone());
        let request = Request { method, path, params: Vec::new(), body, head: bytes, notes };
        let bytes = Amount::Bytes(head.length + head.body);
        request.note(Wait::FromClient, bytes, format!("{} {}", head.method, head.path));
        Ok((head, request))
    }

    /// Between two requests. Nothing is owed to the client here, so the house may close.
    async fn wait_idle(&mut self) -> Result<(), End> {
        let idle = self.house.limits.idle;
        self.guest.idle.set(true);
        let begun = timeout(idle, self.begin()).await;
        self.guest.idle.set(false);
        match begun {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        }
    }

    /// Waits for the first byte of a request. A few line breaks before it are not part of it: some
    /// clients send one too many behind a body. More of them count as its head.
    async fn begin(&mut self) -> io::Result<()> {
        let mut ignored = 0..STRAY_BREAKS;
        loop {
            let breaks = self.buffer.iter().zip(&mut ignored);
            let breaks = breaks.take_while(|(byte, _)| b"\r\n".contains(byte)).count();
            self.buffer.drain(..breaks);
            if !self.buffer.is_empty() {
                return Ok(());
            }
            if self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn read_head(&mut self) -> Result<Head, End> {
        loop {
            if let Some(head) = head::parse(&self.buffer)? {
                return Ok(head);
            }
            self.need_more().await?;
        }
    }

    /// Takes the whole request out of the buffer. What is left begins the next one.
    async fn read_request(&mut self, head: &Head) -> Result<Vec<u8>, End> {
        let end = head.length + head.body;
        while self.buffer.len() < end {
            self.need_more().await?;
        }
        // An idle connection needs no memory: if this was all, the buffer is given away.
        let rest = self.buffer.split_off(end);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    async fn need_more(&mut self) -> Result<(), End> {
        match self.fill().await? {
            0 => Err(Problem::new(400, "the request breaks off").into()),
            _ => Ok(()),
        }
    }

    /// Waits for the client to send: this is where a connection is parked most of its life.
    async fn fill(&mut self) -> io::Result<usize> {
        let mut chunk = [0; CHUNK];
        let length = self.guest.stream.read(&mut chunk).await?;
        self.buffer.extend_from_slice(&chunk[..length]);
        Ok(length)
    }

    async fn answer(
        &self,
        head: &Head,
        mut answer: Response,
        last: bool,
        notes: Rc<Notes>,
    ) -> Result<(), End> {
        if last {
            answer = answer.header("Connection", "close");
        } else if head.old {
            answer = answer.header("Connection", "keep-alive");
        }
        let bytes = answer.encode(head.method != "HEAD");
        self.send(&bytes).await?;
        notes.add(Wait::ToClient, Amount::Bytes(bytes.len()), answer.status.to_string().into());
        self.house.last.replace(notes);
        match answer.into_live() {
            Some(body) if head.method != "HEAD" => self.send_live(body).await,
            _ => Ok(()),
        }
    }

    /// One piece after the other, until there are no more, or nobody reads them.
    async fn send_live(&self, mut body: Box<dyn Live>) -> Result<(), End> {
        self.guest.idle.set(true); // nothing that must be finished before the house closes
        while let Either::Left(Some(piece)) = race(body.next(), self.hangs_up()).await {
            self.send(&piece).await?;
        }
        Ok(())
    }

    /// The client closes. What it still says is not listened to.
    async fn hangs_up(&self) {
        while let Ok(1..) = self.guest.stream.read(&mut [0; 64]).await {}
    }

    /// Waits for the client to take it.
    async fn send(&self, bytes: &[u8]) -> Result<(), End> {
        match timeout(self.house.limits.write, self.guest.stream.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        }
    }

    /// Closes so that the client can read the last answer. If a socket is closed while it holds
    /// bytes that were not read, the other side gets a reset, and loses what it had not read yet.
    async fn linger(mut self) {
        let limit = self.house.limits.linger;
        let _ = timeout(limit, self.drain()).await;
    }

    async fn drain(&mut self) -> io::Result<()> {
        self.guest.stream.shutdown(Shutdown::Write)?;
        for _ in 0..DRAIN / CHUNK {
            self.buffer.clear();
            if self.fill().await? == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Whoever sends too slowly is told so.
async fn in_time<T>(limit: Duration, work: impl Future<Output = Result<T, End>>) -> Result<T, End> {
    match timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(Problem::new(408, format!("the request took longer than {limit:?}")).into()),
    }
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> End {
        End::Gone
    }
}

impl From<Problem> for End {
    fn from(problem: Problem) -> End {
        End::Refused(problem)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reactor::net::TcpListener;

    use crate::app::{Answer, App};
    use crate::http::{Limits, Request, Response, Server, client};
    use crate::runtime;

    async fn panics(_: std::rc::Rc<()>, _: Request) -> Answer {
        panic!("an operation that panics, as the test wants it")
    }

    async fn works(_: std::rc::Rc<()>, _: Request) -> Answer {
        Ok(Response::json(200, &serde_json::Value::Null))
    }

    #[test]
    fn an_operation_that_panics_costs_its_connection_and_nothing_else() {
        let status = runtime::run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let routes = App::new(()).get("/panics", panics).get("/", works).into_routes();
            let server = Server::start(listener, routes, Limits::default(), "connection")?;
            let url = format!("http://{}", server.address).parse().unwrap();
            for _ in 0..3 {
                let answer = client::get(&url, "/panics", Duration::from_secs(5)).await;
                assert_eq!(answer.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
            }
            let answer = client::get(&url, "/", Duration::from_secs(5)).await?;
            server.stop().await;
            std::io::Result::Ok(answer.status)
        });
        assert_eq!(status.unwrap().unwrap(), 200);
    }
}
