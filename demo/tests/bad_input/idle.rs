//! Ten thousand connections that say nothing. Who opens them is a process of its own, since no
//! process may have files enough for both ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use std::{env, io};

use crate::common::{Demo, LIMIT, get};
use crate::process::{Process, may_open};

const MANY: usize = 10_000;

/// The test binary again, as the one that holds the connections. Dropped, it is killed.
struct Holder(Child);

impl Holder {
    /// Returns when all of them are open.
    fn start(address: SocketAddr) -> Holder {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "idle::holds_connections", "--ignored", "--nocapture"])
            .env("BAD_INPUT_ADDRESS", address.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let holder = Holder(child);
        let open = lines.any(|line| line.is_ok_and(|line| line.ends_with("all are open")));
        assert!(open, "it cannot open them");
        holder
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn ten_thousand_idle_connections_cost_little_and_disturb_nobody() {
    if !may_open(MANY + 200) {
        println!("skipped: this system does not let a process open {} files", MANY + 200);
        return;
    }
    let demo = Demo::serve(&["--no-watch", "--kitchen-delay-ms", "0"]);
    assert_eq!(demo.get("/").status, 200);
    let process = Process::of(&demo);
    let (memory, descriptors) = (process.memory(), process.descriptors_at_rest());

    let begin = Instant::now();
    let holder = Holder::start(demo.address);
    assert!(process.descriptors() >= descriptors + MANY, "all of them were let in");
    let each = (process.memory().saturating_sub(memory)) * 1024 / MANY;
    println!("{MANY} connections in {:?}, {each} bytes of memory for each", begin.elapsed());
    assert!(each < 10_000, "{each} bytes for a connection that waits");

    let begin = Instant::now();
    for _ in 0..20 {
        assert_eq!(demo.get("/orders").status, 200);
    }
    assert_eq!(demo.get("/").status, 200);
    println!("21 requests beside them in {:?}", begin.elapsed());
    drop(holder);
    process.descriptors_return_to(descriptors);
    assert_eq!(demo.get("/").status, 200);
}

#[test]
#[ignore = "not a test: the process that holds the connections"]
fn holds_connections() {
    let address: SocketAddr = env::var("BAD_INPUT_ADDRESS").unwrap().parse().unwrap();
    let mut streams = Vec::new();
    for number in 1..=MANY {
        let mut stream = TcpStream::connect_timeout(&address, LIMIT).unwrap();
        // The system's line of those who wait to be let in has 128 places, and whoever finds it
        // full asks again a second later. Now and then the last one waits until it is served.
        if number % 100 == 0 {
            stream.write_all(get("/burgers/0").as_bytes()).unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        }
        streams.push(stream);
    }
    println!("\nall are open");
    let _ = io::stdin().read(&mut [0]); // until the test drops us
}
