//! Why a blocking job has no result.

use std::any::Any;
use std::fmt;
use std::io;

/// Why a job has no result.
pub enum JoinError {
    /// The reactor was dropped before the job started, or no thread could be started for it.
    Cancelled,
    /// It panicked with this payload.
    Panicked(Box<dyn Any + Send>),
}

impl JoinError {
    /// Whether the job was cancelled before it ran.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, JoinError::Cancelled)
    }

    /// Whether the job panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self, JoinError::Panicked(_))
    }

    /// The payload of the panic, for [`std::panic::resume_unwind`].
    ///
    /// # Panics
    /// If the job was cancelled instead.
    #[must_use]
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        match self {
            JoinError::Panicked(payload) => payload,
            JoinError::Cancelled => panic!("`into_panic` on a job that was cancelled"),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JoinError::Cancelled => "the blocking job was cancelled before it ran",
            JoinError::Panicked(_) => "the blocking job panicked",
        })
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JoinError::Cancelled => "Cancelled",
            JoinError::Panicked(_) => "Panicked(..)",
        })
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(error.to_string())
    }
}
