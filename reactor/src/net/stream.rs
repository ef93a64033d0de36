//! What TCP and Unix streams have in common: bytes in, bytes out, and an end.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll};

use mio::event;

use crate::io::{Async, Io};
use crate::source::Direction;

/// A `mio` socket that carries a stream of bytes.
pub trait Stream: event::Source {
    /// Whether a read that gives less than was asked for has taken all there was, so that the next
    /// one can wait for an event without trying first. It is not so for Unix streams: a read stops
    /// short where a file descriptor was sent along.
    const SHORT_READ_TAKES_ALL: bool = false;

    /// One non-blocking read.
    ///
    /// # Errors
    /// Those of [`std::io::Read::read`].
    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// One non-blocking write.
    ///
    /// # Errors
    /// Those of [`std::io::Write::write`].
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Shuts down one direction, or both.
    ///
    /// # Errors
    /// If it is not connected.
    fn try_shutdown(&self, how: Shutdown) -> io::Result<()>;
}

impl Stream for mio::net::TcpStream {
    const SHORT_READ_TAKES_ALL: bool = true;

    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn try_shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.shutdown(how)
    }
}

#[cfg(unix)]
impl Stream for mio::net::UnixStream {
    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn try_shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.shutdown(how)
    }
}

impl<S: Stream> Async<S> {
    /// Reads what is there, at most `buffer.len()` bytes; 0 is the end of the stream.
    ///
    /// Cancelling the await loses nothing.
    ///
    /// # Errors
    /// Those of the socket, and if this is not the thread of its reactor.
    #[track_caller]
    pub fn read<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> Io<'a, S, impl FnMut(&Async<S>) -> io::Result<usize>> {
        self.io(Direction::Read, |stream| stream.read_now(buffer))
    }

    /// Writes what there is room for, at most `bytes.len()` bytes.
    ///
    /// Cancelling the await writes nothing.
    ///
    /// # Errors
    /// Those of the socket, and if this is not the thread of its reactor.
    #[track_caller]
    pub fn write<'a>(
        &'a self,
        bytes: &'a [u8],
    ) -> Io<'a, S, impl FnMut(&Async<S>) -> io::Result<usize>> {
        self.io(Direction::Write, |stream| stream.write_now(bytes))
    }

    /// Writes all of `bytes`.
    ///
    /// Cancelling the await may leave a part of them written.
    ///
    /// # Errors
    /// As [`write`](Async::write) has; then an unknown part of them has been written.
    #[track_caller]
    pub fn write_all<'a>(
        &'a self,
        mut bytes: &'a [u8],
    ) -> Io<'a, S, impl FnMut(&Async<S>) -> io::Result<()>> {
        self.io(Direction::Write, move |stream| {
            while !bytes.is_empty() {
                match stream.write_now(bytes)? {
                    0 => return Err(io::ErrorKind::WriteZero.into()),
                    // If the next one would block, the attempt goes on from here.
                    written => bytes = &bytes[written..],
                }
            }
            Ok(())
        })
    }

    /// [`read`](Async::read) for hand-written futures and adapters.
    ///
    /// # Errors
    /// As `read` has.
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_io(Direction::Read, cx, |stream| stream.read_now(buffer))
    }

    /// [`write`](Async::write) for hand-written futures and adapters.
    ///
    /// # Errors
    /// As `write` has.
    pub fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_io(Direction::Write, cx, |stream| stream.write_now(bytes))
    }

    /// Says that nothing more will be written or read: the other side reads the end of the stream.
    ///
    /// # Errors
    /// If it is not connected.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.get_ref().try_shutdown(how)
    }

    /// Two halves for two owners, on this thread. The stream closes when both are gone.
    #[must_use]
    pub fn into_split(self) -> (ReadHalf<S>, WriteHalf<S>) {
        let stream = Arc::new(self);
        (ReadHalf { stream: stream.clone() }, WriteHalf { stream })
    }

    // A short read has emptied the kernel's buffer: that saves a system call to be told so.
    fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.get_ref().try_read(buffer)?;
        if S::SHORT_READ_TAKES_ALL && 0 < length && length < buffer.len() {
            self.drained(Direction::Read);
        }
        Ok(length)
    }

    // And a short write has filled it.
    fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.get_ref().try_write(bytes)?;
        if length < bytes.len() {
            self.drained(Direction::Write);
        }
        Ok(length)
    }
}

/// The half of a stream that reads; see [`Async::into_split`].
#[derive(Debug)]
pub struct ReadHalf<S: Stream> {
    stream: Arc<Async<S>>,
}

/// The half of a stream that writes. When it is dropped, the other side reads the end of the
/// stream.
#[derive(Debug)]
pub struct WriteHalf<S: Stream> {
    stream: Arc<Async<S>>,
}

impl<S: Stream> Drop for WriteHalf<S> {
    fn drop(&mut self) {
        // If it is not connected any more, the other side knows.
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}

impl<S: Stream> std::ops::Deref for ReadHalf<S> {
    type Target = Async<S>;

    fn deref(&self) -> &Async<S> {
        &self.stream
    }
}

impl<S: Stream> std::ops::Deref for WriteHalf<S> {
    type Target = Async<S>;

    fn deref(&self) -> &Async<S> {
        &self.stream
    }
}
