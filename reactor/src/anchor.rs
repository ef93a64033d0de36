//! For debuggers: where the reactors of this process are.
//!
//! A reactor belongs to one thread, and only that thread can find it. A debugger starts at what is
//! static, and reads on from there without running any code: so here is a list of addresses. The
//! program itself never follows them.

use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::reactor::Inner;

/// Atomic only because a plain pointer may not be in a static.
static REACTORS: Mutex<Vec<AtomicPtr<Inner>>> = Mutex::new(Vec::new());

/// A reactor has come to the place where it will stay.
pub(crate) fn add(reactor: *const Inner) {
    let mut reactors = REACTORS.lock().unwrap_or_else(PoisonError::into_inner);
    reactors.push(AtomicPtr::new(reactor.cast_mut()));
}

/// It is being dropped.
pub(crate) fn remove(reactor: *const Inner) {
    let mut reactors = REACTORS.lock().unwrap_or_else(PoisonError::into_inner);
    reactors.retain(|other| !std::ptr::eq(other.load(Ordering::Relaxed), reactor));
}
