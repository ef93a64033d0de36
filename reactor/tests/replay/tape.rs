//! A run on paper, and the same run from it.

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, Write};
use std::rc::Rc;

use executor::{Either, race};
use reactor::Reactor;
use reactor::time::sleep;

use crate::common::{paired, tcp_pair};

/// Where a recording is written to.
#[derive(Clone, Default)]
pub(crate) struct Paper(Rc<RefCell<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

/// Runs it once, and gives what it gave and the recording.
pub(crate) fn record<F: Future>(main: F) -> (F::Output, String) {
    let paper = Paper::default();
    let reactor = Reactor::with_recording(paper.clone()).unwrap();
    let output = paired(&reactor, main);
    reactor.end_tape().unwrap();
    (output, paper.text())
}

/// Runs it again. An error is where it is another run.
pub(crate) fn replay<F: Future>(recording: &str, main: F) -> Result<F::Output, String> {
    let reactor = Reactor::with_replay(recording).map_err(|error| error.to_string())?;
    let diverged = reactor.diverged();
    match paired(&reactor, race(main, diverged)) {
        Either::Left(output) => {
            reactor.end_tape().map_err(|error| error.to_string())?;
            Ok(output)
        }
        Either::Right(why) => Err(why.to_string()),
    }
}

/// A small program.
pub(crate) async fn echo(rounds: usize) {
    let (client, server) = tcp_pair().await;
    let mut buffer = [0; 16];
    for _ in 0..rounds {
        client.write_all(b"hello").await.unwrap();
        let _ = server.read(&mut buffer).await.unwrap();
        sleep(crate::MS).await;
    }
}
