//! The real binary on a port of its own, and a client made of blocking sockets.
//!
//! Nothing sleeps here, and nothing waits for ever: each wait has the limit [`LIMIT`].

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// No test waits longer for anything.
pub const LIMIT: Duration = Duration::from_secs(20);

fn command(args: &[&str], temporary: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.env("TMPDIR", &temporary.0).env("TMP", &temporary.0);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A `demo serve` or `demo kitchen` that runs. Dropped, it is killed.
pub struct Demo {
    child: Child,
    pub address: SocketAddr,
    pub said: Vec<String>,
    lines: Receiver<String>,
    /// Where it makes its temporary folder. One that is killed cannot clear it away.
    pub temporary: Folder,
}

/// How it ended.
pub struct Ended {
    pub code: Option<i32>,
    pub said: String,
    pub errors: String,
    /// What is in the folder for temporary files.
    pub left_behind: Vec<String>,
}

impl Demo {
    pub fn serve(args: &[&str]) -> Demo {
        Demo::start(&[&["serve", "--port", "0"], args].concat())
    }

    pub fn kitchen(args: &[&str]) -> Demo {
        Demo::start(&[&["kitchen", "--port", "0"], args].concat())
    }

    /// Returns when it has said where it listens.
    fn start(args: &[&str]) -> Demo {
        let temporary = Folder::new("temporary");
        let mut child = command(args, &temporary).spawn().expect("the demo starts");
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let address = ([127, 0, 0, 1], 0).into();
        let mut demo = Demo { child, address, said: Vec::new(), lines, temporary };
        let line = demo.hear("is open:");
        demo.address = address_in(&line);
        demo
    }

    /// Its next line with this in it.
    pub fn hear(&mut self, part: &str) -> String {
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) => self.said.push(line.clone()),
                Err(_) => panic!("it never said {part:?}, only {:?}", self.said),
            }
            if let Some(line) = self.said.last().filter(|line| line.contains(part)) {
                return line.clone();
            }
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// One request on a connection of its own.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut client = self.connect();
        client.send(request);
        client.answer()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(get(path))
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has ended, by itself.
    pub fn wait(mut self) -> Ended {
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(_) => panic!("it does not end"),
            }
        }
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        let code = self.child.wait().unwrap().code();
        let left_behind = self.temporary.list("");
        Ended { code, said: self.said.join("\n"), errors, left_behind }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address_in(line: &str) -> SocketAddr {
    let url = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
    url.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("no address in {line:?}"))
}

/// Runs it to its end.
pub fn run(args: &[&str]) -> Ended {
    let temporary = Folder::new("temporary");
    let output = command(args, &temporary).output().unwrap();
    Ended {
        code: output.status.code(),
        said: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
        left_behind: temporary.list(""),
    }
}

pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: stand\r\n\r\n")
}

pub fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: stand\r\nContent-Length: {length}\r\n\r\n{body}")
}

pub struct Client {
    pub stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub body: String,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect_timeout(&address, LIMIT).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        Client { stream, buffer: Vec::new() }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    pub fn ends_sending(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    pub fn answer(&mut self) -> Answer {
        let head = self.head();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        let body = String::from_utf8(self.take(length)).unwrap();
        Answer { status: status(&head), head, body }
    }

    /// An answer without a body, whatever its length says: to HEAD, or 100.
    pub fn answer_head(&mut self) -> Answer {
        let head = self.head();
        Answer { status: status(&head), head, body: String::new() }
    }

    fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|end| end == b"\r\n\r\n") {
                return String::from_utf8(self.take(end + 4)).unwrap().to_lowercase();
            }
            assert!(self.more(), "it closes instead of answering: {:?}", self.buffer);
        }
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            assert!(self.more(), "it closes within an answer");
        }
        self.buffer.drain(..length).collect()
    }

    fn more(&mut self) -> bool {
        let mut chunk = [0; 4096];
        let length = loop {
            match self.stream.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                length => break length.unwrap(),
            }
        };
        self.buffer.extend_from_slice(&chunk[..length]);
        length > 0
    }

    /// The server sends nothing more and closes, in one way or the other.
    pub fn is_closed(&mut self) -> bool {
        let mut chunk = [0; 1];
        match self.stream.read(&mut chunk) {
            Ok(length) => length == 0 && self.buffer.is_empty(),
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

impl Answer {
    pub fn closes(&self) -> bool {
        self.head.contains("connection: close\r\n")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// What is said in an error.
    pub fn detail(&self) -> String {
        assert!(self.head.contains("content-type: application/json\r\n"), "{self:?}");
        self.json()["detail"].as_str().expect("an error has a detail").to_owned()
    }
}

/// A folder for one test. Dropped, it is removed.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{process}-{number}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub fn list(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.0.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
