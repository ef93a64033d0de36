//! Tries out every interleaving of two threads that wake and an executor that dozes, parks,
//! rouses and is dropped, with every value that the memory model lets a thread see.
//!
//! `.ci/loom` runs it. One fault by hand:
//! `FAULT='rouse as a store' RUSTFLAGS='--cfg loom' cargo test --release -p executor --lib model`
//!
//! The bell is the real one. What it works with is played by something weaker: the channel by one
//! number for each sender, which promises only that *a send happens before the receive that finds
//! it*. A queue behind a mutex would promise more, and hide some of the faults below.

use std::array;
use std::cell::RefCell;
use std::env;
use std::process::Command;
use std::rc::Rc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicUsize as Count, Ordering::SeqCst};

use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicUsize;
use loom::sync::{Arc, RwLock};
use loom::thread;

use super::{ASLEEP, AWAKE, Bell, RUNG};

const WAKERS: usize = 2;

/// Everything that a fault can be put into.
#[derive(Clone, Copy)]
struct Protocol {
    rings_before_it_sends: bool,
    ring: fn(&Bell) -> bool,
    doze: fn(&Bell) -> bool,
    reads_before_it_rouses: bool,
    rouse: fn(&Bell) -> bool,
    /// How long a waker holds the registry's lock.
    holds: Holds,
    clones_the_entry: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Holds {
    UntilItHasRung,
    WhileItLooksUp,
    Never,
}

const RIGHT: Protocol = Protocol {
    rings_before_it_sends: false,
    ring: Bell::ring,
    doze: Bell::doze,
    reads_before_it_rouses: false,
    rouse: Bell::rouse,
    holds: Holds::UntilItHasRung,
    clones_the_entry: true,
};

/// A name, the test that must fail, what loom says then, and the fault.
type Fault = (&'static str, &'static str, &'static str, Protocol);

const LOST: &str = "no_wake_is_lost";
const DROPPED: &str = "nobody_is_reached_after_its_drop";

#[rustfmt::skip]
const FAULTS: &[Fault] = &[
    ("ring before send", LOST, "deadlock", Protocol { rings_before_it_sends: true, ..RIGHT }),
    ("ring relaxed", LOST, "deadlock", Protocol {
        ring: |bell| bell.0.swap(RUNG, Relaxed) == ASLEEP, ..RIGHT
    }),
    ("ring only if it seems asleep", LOST, "deadlock", Protocol {
        ring: |bell| bell.0.load(Acquire) == ASLEEP && bell.ring(), ..RIGHT
    }),
    ("doze as a store", LOST, "deadlock", Protocol {
        doze: |bell| { bell.0.store(ASLEEP, SeqCst); true }, ..RIGHT
    }),
    ("doze as a load and a store", LOST, "deadlock", Protocol {
        doze: |bell| {
            let awake = bell.0.load(Acquire) == AWAKE;
            if awake { bell.0.store(ASLEEP, Release); }
            awake
        },
        ..RIGHT
    }),
    ("sleep although somebody rang", LOST, "deadlock", Protocol {
        doze: |bell| { bell.doze(); true }, ..RIGHT
    }),
    ("read before rouse", LOST, "deadlock", Protocol { reads_before_it_rouses: true, ..RIGHT }),
    ("rouse relaxed", LOST, "deadlock", Protocol {
        rouse: |bell| bell.0.swap(AWAKE, Relaxed) == RUNG, ..RIGHT
    }),
    ("rouse as a store", LOST, "deadlock", Protocol {
        rouse: |bell| {
            let rung = bell.0.load(Acquire) == RUNG;
            bell.0.store(AWAKE, SeqCst);
            rung
        },
        ..RIGHT
    }),
    ("entry read without the lock", DROPPED, "Causality violation", Protocol {
        holds: Holds::Never, ..RIGHT
    }),
    ("send after the lock", DROPPED, "sent to one who is gone", Protocol {
        holds: Holds::WhileItLooksUp, ..RIGHT
    }),
    ("interrupt through a borrowed entry", DROPPED, "Causality violation", Protocol {
        clones_the_entry: false, ..RIGHT
    }),
];

/// What `remote.rs` calls `Remote`.
struct Remote {
    inbox: Inbox,
    bell: Bell,
    memory: Memory,
}

/// Stands for the memory that something lies in: loom sees who reads it and who frees it. It is
/// not really freed, or the faults would crash before loom can name them.
type Memory = Rc<UnsafeCell<()>>;

/// How many keys each waker has sent.
#[derive(Clone, Default)]
struct Inbox(Rc<[AtomicUsize; WAKERS]>);

impl Inbox {
    fn send(&self, waker: usize, nth: usize) {
        self.0[waker].store(nth, Release);
    }

    /// How many keys are found in it.
    fn look(&self) -> usize {
        self.0.iter().map(|sent| sent.load(Acquire)).sum()
    }
}

impl Remote {
    fn new() -> Arc<Remote> {
        let memory = Rc::new(UnsafeCell::new(()));
        Arc::new(Remote { inbox: Inbox::default(), bell: Bell::new(), memory })
    }

    /// `true`: the park must be interrupted.
    fn send_and_ring(&self, protocol: &Protocol, waker: usize, nth: usize) -> bool {
        if protocol.rings_before_it_sends {
            let asleep = (protocol.ring)(&self.bell);
            self.inbox.send(waker, nth);
            return asleep;
        }
        self.inbox.send(waker, nth);
        (protocol.ring)(&self.bell)
    }

    /// How many keys the executor has found, if it looks.
    fn open_inbox(&self, protocol: &Protocol) -> Option<usize> {
        let early = protocol.reads_before_it_rouses.then(|| self.inbox.look());
        let rung = (protocol.rouse)(&self.bell);
        rung.then(|| early.unwrap_or_else(|| self.inbox.look()))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.memory.with_mut(|_| ());
    }
}

/// Send, ring, doze, park, rouse: the loop of `block_on` comes to an end in every interleaving.
/// At first it has tasks to poll, for so many rounds.
fn wakes_arrive(protocol: &Protocol, wakes_of_each: usize, busy_rounds: usize) {
    let remote = Remote::new();
    for waker in 0..WAKERS {
        let (remote, protocol, sleeper) = (remote.clone(), *protocol, thread::current());
        thread::spawn(move || {
            for nth in 1..=wakes_of_each {
                if remote.send_and_ring(&protocol, waker, nth) {
                    sleeper.unpark();
                }
            }
        });
    }
    let mut received = 0;
    for _ in 0..busy_rounds {
        received = remote.open_inbox(protocol).unwrap_or(received);
    }
    while received < WAKERS * wakes_of_each {
        if (protocol.doze)(&remote.bell) {
            thread::park();
        }
        received = remote.open_inbox(protocol).unwrap_or(received);
    }
}

/// Where a waker looks an executor up.
struct Registry {
    lock: RwLock<()>,
    slot: RefCell<Option<Arc<Remote>>>,
    slot_memory: UnsafeCell<()>,
}

impl Registry {
    /// What `remote::wake` does. To interrupt is to use what lies in the entry: in this model
    /// nobody parks.
    fn wake(&self, protocol: &Protocol, waker: usize) {
        let guard = (protocol.holds != Holds::Never).then(|| self.lock.read().unwrap());
        self.slot_memory.with(|_| ());
        let Some(remote) = self.slot.borrow().clone() else { return };
        let guard = guard.filter(|_| protocol.holds == Holds::UntilItHasRung);
        if remote.send_and_ring(protocol, waker, 1) {
            let memory = remote.memory.clone();
            // The model has cloned the entry already, to look at it at all.
            let entry = protocol.clones_the_entry.then_some(remote);
            drop(guard);
            memory.with(|_| ());
            drop(entry);
        }
    }

    /// What `remote::unregister` does.
    fn unregister(&self) {
        let guard = self.lock.write().unwrap();
        let entry = self.slot.take();
        self.slot_memory.with_mut(|_| ());
        drop(guard);
        drop(entry);
    }
}

/// An executor goes while it is woken: its entry is not read while it is taken out or when it is
/// freed, and whoever finds it has sent before it is gone.
fn drop_is_safe(protocol: &Protocol) {
    let remote = Remote::new();
    let slot = RefCell::new(Some(remote.clone()));
    let registry = Registry { lock: RwLock::new(()), slot, slot_memory: UnsafeCell::new(()) };
    let registry = Arc::new(registry);
    let threads: [_; WAKERS] = array::from_fn(|waker| {
        let (registry, protocol) = (registry.clone(), *protocol);
        thread::spawn(move || registry.wake(&protocol, waker))
    });
    (protocol.doze)(&remote.bell);
    registry.unregister();
    let inbox = remote.inbox.clone();
    drop(remote);
    let sent = inbox.look();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(inbox.look(), sent, "sent to one who is gone");
}

/// Runs a model to its end, with the fault that the environment names.
fn explore(model: fn(&Protocol)) {
    let protocol = env::var("FAULT").map_or(RIGHT, |name| {
        FAULTS.iter().find(|fault| fault.0 == name).expect("one of FAULTS").3
    });
    let executions = std::sync::Arc::<Count>::default();
    let count = executions.clone();
    loom::model(move || {
        count.fetch_add(1, SeqCst);
        model(&protocol);
    });
    println!("{} executions", executions.load(SeqCst));
}

#[test]
fn no_wake_is_lost() {
    explore(|protocol| wakes_arrive(protocol, 1, 0));
}

#[test]
fn no_wake_is_lost_on_one_who_was_busy() {
    explore(|protocol| wakes_arrive(protocol, 1, 1));
}

#[test]
fn no_second_wake_is_lost() {
    explore(|protocol| wakes_arrive(protocol, 2, 0));
}

#[test]
fn nobody_is_reached_after_its_drop() {
    explore(drop_is_safe);
}

#[test]
fn each_fault_is_caught() {
    for (name, test, says, _) in FAULTS {
        // In a process of its own: loom cannot clean up after some of them, and aborts.
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", &format!("bell::model::{test}"), "--nocapture"]);
        let output = child.env("FAULT", name).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "`{name}` passes");
        let first = stderr.lines().skip_while(|line| !line.contains("panicked at")).nth(1);
        let first = first.unwrap_or_default();
        assert!(first.contains(says), "`{name}`: {stderr}");
        println!("{name:36} {first}");
    }
}
