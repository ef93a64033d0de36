//! For debuggers, in debug builds: room to lay out the stack of a parked coroutine.
//!
//! A parked coroutine has no stack. lldb can show it as a thread nevertheless, with frames and
//! variables, if somebody writes down what its stack would look like: see
//! `executor/debugger/lldb_threads.py`. The program itself never uses this.

use std::hint::black_box;
use std::sync::atomic::AtomicU64;

/// A megabyte that costs nothing before somebody writes to it. Atomic only so that it is not
/// taken for a constant.
static SCRATCH: [AtomicU64; 1 << 17] = [const { AtomicU64::new(0) }; 1 << 17];

/// Keeps the linker from leaving it out.
pub(crate) fn keep() {
    black_box(&SCRATCH);
}
