//! The crowd: a thread for each customer. They order, read quickly or slowly, hang up before the
//! answer comes or within the order, or reset the connection. What each was told goes to standard
//! output:
//!
//! ```text
//!   asked NAME             the whole order was sent; whether it was placed is not known
//!   told NAME STATUS N     and this was the answer, N the number of the order
//!   never NAME             only a part of the order was sent
//!   trouble ...            what should not have happened
//! ```

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::common::{LIMIT, get, post};
use crate::random::Random;
use crate::{duration, number};

const CUSTOMERS: u64 = 32;

struct Customer {
    address: SocketAddr,
    number: u64,
    orders: u64,
    random: Random,
    /// When it goes home.
    end: Instant,
    /// Reads some bytes at a time, with pauses.
    slow: bool,
    log: String,
    /// How long each answer took, in microseconds.
    took: Vec<u128>,
}

#[test]
#[ignore = "not a test: the process of the customers"]
fn comes() {
    let address: SocketAddr = env::var("LOAD_ADDRESS").unwrap().parse().unwrap();
    let seed = number("LOAD_SEED", 1);
    let end = Instant::now() + duration();
    let customers = (0..CUSTOMERS).map(|number| {
        let mut customer = Customer {
            address,
            number,
            orders: 0,
            random: Random::new(seed * CUSTOMERS + number),
            end,
            slow: number % 2 == 1,
            log: String::new(),
            took: Vec::new(),
        };
        thread::spawn(move || {
            while Instant::now() < end {
                if let Err(trouble) = customer.visit() {
                    let _ = writeln!(customer.log, "trouble {trouble}");
                }
            }
            (customer.log, customer.took)
        })
    });
    let customers: Vec<_> = customers.collect();
    let mut took = Vec::new();
    println!();
    for customer in customers {
        let (log, times) = customer.join().unwrap();
        print!("{log}");
        took.extend(times);
    }
    println!("{}", percentiles(took));
}

fn percentiles(mut took: Vec<u128>) -> String {
    took.sort_unstable();
    let at =
        |percent: usize| took.get(took.len() * percent / 100).map_or(0., |us| *us as f64 / 1e3);
    let (half, most) = (at(50), at(99));
    format!(
        "summary {} orders answered to those who read at once: p50 {half:.1} ms, p99 {most:.1} ms, \
         {:.1} times as much",
        took.len(),
        most / half
    )
}

impl Customer {
    /// One connection, with some orders on it, that ends in one of four ways.
    fn visit(&mut self) -> Result<(), String> {
        let mut stream = TcpStream::connect_timeout(&self.address, LIMIT).map_err(tell)?;
        stream.set_nodelay(true).map_err(tell)?;
        stream.set_read_timeout(Some(LIMIT)).map_err(tell)?;
        for _ in 0..self.random.below(8) {
            if Instant::now() > self.end {
                return Ok(());
            }
            if self.random.one_in(10) {
                stream.write_all(get("/orders").as_bytes()).map_err(tell)?;
                self.answer(&mut stream)?;
            }
            self.order(&mut stream)?;
        }
        let (name, order) = self.next_order();
        match self.random.below(4) {
            0 => {
                let cut = self.random.below(order.len());
                let _ = writeln!(self.log, "never {name}");
                stream.write_all(&order[..cut]).map_err(tell)?;
            }
            1 => {
                let _ = writeln!(self.log, "asked {name}");
                stream.write_all(&order).map_err(tell)?;
            }
            2 => {
                // With an answer in its buffer that was not read, closing is a reset.
                let _ = writeln!(self.log, "asked {name}");
                let both = [get("/burgers/0").as_bytes(), &order].concat();
                stream.write_all(&both).map_err(tell)?;
                stream.peek(&mut [0]).map_err(tell)?;
            }
            _ => {} // goodbye
        }
        Ok(())
    }

    /// An order nobody else has placed: its name, and the request.
    fn next_order(&mut self) -> (String, Vec<u8>) {
        self.orders += 1;
        let name = format!("customer-{}-{}", self.number, self.orders);
        let burgers = 1 + self.random.below(6);
        let body = format!(r#"{{"burgers":{burgers},"customer":"{name}"}}"#);
        (name, post("/orders", &body).into_bytes())
    }

    fn order(&mut self, stream: &mut TcpStream) -> Result<(), String> {
        let (name, order) = self.next_order();
        let _ = writeln!(self.log, "asked {name}");
        let begin = Instant::now();
        stream.write_all(&order).map_err(tell)?;
        let (status, body) = self.answer(stream)?;
        if !self.slow {
            self.took.push(begin.elapsed().as_micros());
        }
        let body: serde_json::Value = serde_json::from_slice(&body).map_err(tell)?;
        if status == 201 && body["customer"] != name {
            return Err(format!("{name} got the answer to {}", body["customer"]));
        }
        let _ = writeln!(self.log, "told {name} {status} {}", body["order"].as_i64().unwrap_or(0));
        Ok(())
    }

    fn answer(&mut self, stream: &mut TcpStream) -> Result<(u16, Vec<u8>), String> {
        let mut bytes = Vec::new();
        loop {
            let mut chunk = [0; 4096];
            let most = if self.slow { 1 + self.random.below(100) } else { chunk.len() };
            let length = stream.read(&mut chunk[..most]).map_err(tell)?;
            bytes.extend_from_slice(&chunk[..length]);
            let mut headers = [httparse::EMPTY_HEADER; 8];
            let mut answer = httparse::Response::new(&mut headers);
            if let httparse::Status::Complete(head) = answer.parse(&bytes).map_err(tell)? {
                let length = answer.headers.iter().find(|line| line.name == "Content-Length");
                let length = length.and_then(|line| str::from_utf8(line.value).ok()?.parse().ok());
                let length: usize = length.ok_or("an answer without a length")?;
                if bytes.len() >= head + length {
                    return Ok((answer.code.unwrap_or(0), bytes.split_off(head)));
                }
            }
            if length == 0 {
                return Err("it closes instead of answering".to_owned());
            }
            if self.slow {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

fn tell(error: impl std::fmt::Display) -> String {
    error.to_string()
}
