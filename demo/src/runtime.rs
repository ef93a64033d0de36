//! The whole runtime, on one slide: an executor that polls, and a reactor that it parks on.

use std::future::Future;
use std::io;

use executor::Executor;
use reactor::Reactor;

/// Runs `main`, and all that it spawns, on this thread.
pub(crate) fn run<F: Future>(main: F) -> io::Result<F::Output> {
    let reactor = Reactor::new().map_err(|error| cannot_start(&error))?;
    let _entered = reactor.enter(); // sockets and timers of this thread find it
    let executor = Executor::new(reactor.waker()); // other threads end the park through it

    // Poll whoever is ready. Nobody is? Then park, until the reactor (or another thread) has
    // woken somebody. Again.
    let park = |limit| reactor.turn(limit).expect("the system's event queue works");
    Ok(executor.block_on(main, park))
}

pub(crate) fn cannot_start(error: &io::Error) -> io::Error {
    let next = if is_out_of_files(error) { "; raise the limit with `ulimit -n`" } else { "" };
    io::Error::new(error.kind(), format!("the runtime cannot start: {error}{next}"))
}

/// EMFILE has no name of its own in the standard library.
pub(crate) fn is_out_of_files(error: &io::Error) -> bool {
    cfg!(unix) && error.raw_os_error() == Some(24)
}
