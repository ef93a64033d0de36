//! The whole runtime, on one slide: an executor that polls, and a reactor that it parks on.

use std::future::Future;
use std::io;

use executor::Executor;
use reactor::Reactor;

/// Runs `main`, and all that it spawns, on this thread.
pub(crate) fn run<F: Future>(main: F) -> io::Result<F::Output> {
    let reactor = Reactor::new()?;
    let _entered = reactor.enter(); // sockets and timers of this thread find it
    let executor = Executor::new(reactor.waker()); // other threads end the park through it

    // Poll whoever is ready. Nobody is? Then park, until the reactor (or another thread) has
    // woken somebody. Again.
    Ok(executor
        .block_on(main, |limit| reactor.turn(limit).expect("the system's event queue works")))
}
