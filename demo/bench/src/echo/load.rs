//! The load generator: one thread, one mio loop, as many connections as are asked for.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::MESSAGE;

struct Connection {
    stream: TcpStream,
    /// How much of the answer has come.
    received: usize,
}

/// Opens the connections, waits for a line on stdin, makes the requests, and says on stdout how
/// many nanoseconds they took. It pauses before each request but the first.
///
/// # Errors
/// Those of the sockets.
pub fn load(
    address: SocketAddr,
    connections: usize,
    requests: usize,
    pause: Duration,
) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut all = Vec::with_capacity(connections);
    for n in 0..connections {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(n), Interest::READABLE)?;
        all.push(Connection { stream, received: 0 });
    }
    io::stdin().read_line(&mut String::new())?;
    let start = Instant::now();
    let (mut asked, mut answered) = (0, 0);
    for connection in all.iter_mut().take(requests) {
        asked += 1;
        connection.ask()?;
    }
    while answered < requests {
        poll.poll(&mut events, None)?;
        for event in &events {
            let connection = &mut all[event.token().0];
            if !connection.is_answered()? {
                continue;
            }
            answered += 1;
            if asked < requests {
                asked += 1;
                if !pause.is_zero() {
                    thread::sleep(pause);
                }
                connection.ask()?;
            }
        }
    }
    println!("{}", start.elapsed().as_nanos());
    Ok(())
}

impl Connection {
    fn ask(&mut self) -> io::Result<()> {
        // There is always room for the only request that is under way.
        self.stream.write_all(&[b'x'; MESSAGE])
    }

    fn is_answered(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 2 * MESSAGE];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => self.received += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let whole = self.received == MESSAGE;
        if whole {
            self.received = 0;
        }
        Ok(whole)
    }
}
