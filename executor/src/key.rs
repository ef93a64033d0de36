//! A waker is just a number.
//!
//! ```text
//!  63        48 47        32 31                     0
//! +------------+------------+------------------------+
//! |  executor  |   serial   |          slot          |   printed: 0xEEEE_SSSS_IIII_IIII
//! +------------+------------+------------------------+
//! ```
//!
//! The data pointer of our `RawWaker` is no address. It is this key: which executor, which slot
//! of its slab, and the low bits of the id of the task that lived there when the waker was made.
//! So a waker owns nothing. Cloning copies a number, dropping does nothing, and a waker that
//! outlives its task, its slot or its whole executor finds nothing when it is looked up.
//!
//! The serial is 16 bits wide, so it repeats after 65,536 tasks. A waker that old can hit a
//! task that is not its own. That task is then polled once for nothing, which the contract of
//! [`Future`] allows. It is never the other way round: the waker of a
//! living task always matches.

use std::ptr;
use std::task::{RawWaker, RawWakerVTable, Waker};

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "this executor keeps a 64-bit key in the data pointer of a Waker, so it needs a 64-bit target; \
     on 32 bits the serial would be too short to tell an old waker from a new one"
);

/// Names a task to its executor. This is what every waker carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(usize);

impl Key {
    pub(crate) fn new(executor: u16, serial: u16, slot: u32) -> Key {
        Key((usize::from(executor) << 48) + (usize::from(serial) << 32) + slot as usize)
    }

    pub(crate) fn executor(self) -> u16 {
        (self.0 >> 48) as u16
    }

    pub(crate) fn serial(self) -> u16 {
        (self.0 >> 32) as u16
    }

    pub(crate) fn slot(self) -> usize {
        self.0 as u32 as usize
    }

    /// The hand-written waker for this key. There are two vtables: the one below, and the one in
    /// `counted.rs` on an executor that is watched.
    #[expect(unsafe_code, reason = "a RawWaker's vtable is what this file is about")]
    pub(crate) fn waker(self, vtable: &'static RawWakerVTable) -> Waker {
        // SAFETY: `Waker::new` asks that the vtable keeps the contract of `RawWaker`: thread-safe
        // functions, and resources that live until `drop`. All that these functions are ever
        // given is a number. There is nothing to keep alive, nothing to free, and nothing that
        // two threads could race on; `wake` goes on with a copy of the number. (The counts of
        // `counted.rs` are under a lock, and a wrong count would be wrong, not unsafe.)
        unsafe { Waker::new(ptr::without_provenance(self.0), vtable) }
    }

    /// The key in a waker's data pointer.
    pub(crate) fn of(data: *const ()) -> Key {
        Key(data.addr())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#06x}_{:04x}_{:08x}", self.executor(), self.serial(), self.slot())
    }
}

// One static, not a const: `Waker::will_wake` compares the address of the vtable.
pub(crate) static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, drop);

fn clone(data: *const ()) -> RawWaker {
    RawWaker::new(data, &VTABLE)
}

// Serves `wake` and `wake_by_ref`: to consume a number is not to consume anything. (A landmark: all
// wakes come by here, on whatever thread.)
#[cfg_attr(debug_assertions, inline(never))]
pub(crate) fn wake(data: *const ()) {
    crate::current::wake(Key::of(data));
}

fn drop(_data: *const ()) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_the_trip_through_a_waker() {
        let key = Key::new(0xFFFE, 0x1234, u32::MAX - 1);
        assert_eq!(key.executor(), 0xFFFE);
        assert_eq!(key.serial(), 0x1234);
        assert_eq!(key.slot(), u32::MAX as usize - 1);
        let waker = key.waker(&VTABLE);
        assert_eq!(Key::of(waker.data()), key);
        assert_eq!(Key::of(waker.clone().data()), key);
        assert_eq!(format!("{key:?}"), "0xfffe_1234_fffffffe");
    }

    #[test]
    fn two_wakers_are_the_same_exactly_when_their_keys_are() {
        let waker = Key::new(1, 2, 3).waker(&VTABLE);
        assert!(waker.will_wake(&Key::new(1, 2, 3).waker(&VTABLE)));
        assert!(!waker.will_wake(&Key::new(1, 3, 3).waker(&VTABLE)));
        assert!(!waker.will_wake(&Key::new(1, 2, 4).waker(&VTABLE)));
        assert!(!waker.will_wake(&Key::new(2, 2, 3).waker(&VTABLE)));
    }
}
