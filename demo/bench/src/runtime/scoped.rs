//! A thread-local reference to something on the stack, for runtimes that have none of their own.

use std::cell::Cell;
use std::ptr;

pub(super) struct Scoped<T>(Cell<*const T>);

impl<T> Scoped<T> {
    pub(super) const fn new() -> Scoped<T> {
        Scoped(Cell::new(ptr::null()))
    }

    /// While `f` runs, `with` finds `value`.
    pub(super) fn set<R>(&self, value: &T, f: impl FnOnce() -> R) -> R {
        struct Reset<'a, T>(&'a Cell<*const T>);
        impl<T> Drop for Reset<'_, T> {
            fn drop(&mut self) {
                self.0.set(ptr::null());
            }
        }
        assert!(self.0.get().is_null(), "one runtime at a time");
        self.0.set(value);
        let _reset = Reset(&self.0);
        f()
    }

    #[inline]
    pub(super) fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        // SAFETY: the pointer is null, or comes from a reference that outlives the call of `set`
        // which put it there; that call sets null before it ends, however it ends.
        f(unsafe { self.0.get().as_ref() }.expect("inside of `block_on`"))
    }
}
