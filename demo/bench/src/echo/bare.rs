//! The echo server without any runtime: a mio loop over a slab of connections.
//!
//! It does what the others do (a message that cannot be sent at once is kept, and sent when there
//! is room), and like them it does not ask a socket again that has just given less than the buffer
//! holds.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::ops::Range;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

use super::{BUFFER, processor_time};

struct Connection {
    stream: TcpStream,
    buffer: [u8; BUFFER],
    /// What is in the buffer and has not been sent.
    unsent: Range<usize>,
    /// The other side has hung up, so a short read does not mean that nothing is left.
    closed: bool,
}

pub(super) fn serve(connections: usize) {
    let mut poll = Poll::new().expect("epoll");
    let mut events = Events::with_capacity(1024);
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut listener = TcpListener::bind(address).expect("a free port");
    println!("{}", listener.local_addr().expect("its address"));
    const LISTENER: Token = Token(usize::MAX - 1);
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("epoll");
    let mut slab: Slab<Connection> = Slab::with_capacity(connections);
    let mut start = processor_time();
    let mut left = connections;
    while left > 0 {
        poll.poll(&mut events, None).expect("epoll");
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true).expect("a living socket");
                    let entry = slab.vacant_entry();
                    let both = Interest::READABLE | Interest::WRITABLE;
                    let token = Token(entry.key());
                    poll.registry().register(&mut stream, token, both).expect("epoll");
                    let buffer = [0; BUFFER];
                    entry.insert(Connection { stream, buffer, unsent: 0..0, closed: false });
                    if slab.len() == connections {
                        start = processor_time();
                        println!("ready");
                    }
                }
                continue;
            }
            let connection = &mut slab[event.token().0];
            connection.closed |= event.is_read_closed();
            if connection.is_over() {
                poll.registry().deregister(&mut connection.stream).expect("epoll");
                slab.remove(event.token().0);
                left -= 1;
            }
        }
    }
    println!("{}", (processor_time() - start).as_nanos());
}

impl Connection {
    /// Goes on until the socket has nothing more, or no more room. True: the connection is over.
    fn is_over(&mut self) -> bool {
        match self.echo() {
            Ok(over) => over,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    fn echo(&mut self) -> io::Result<bool> {
        self.send()?;
        loop {
            let n = self.stream.read(&mut self.buffer)?;
            if n == 0 {
                return Ok(true);
            }
            self.unsent = 0..n;
            self.send()?;
            if n < BUFFER && !self.closed {
                return Ok(false);
            }
        }
    }

    fn send(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            self.unsent.start += self.stream.write(&self.buffer[self.unsent.clone()])?;
        }
        Ok(())
    }
}
