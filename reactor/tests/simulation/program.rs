//! Random programs: what the tasks of a run do, as plain data.

use std::rc::Rc;

pub(crate) type Ops = Rc<[Op]>;

/// One step of a task. Its numbers count what exists at that moment from the youngest, modulo how
/// many there are (see [`place`]), so that hardly any step is without effect.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Yield,
    /// So many nanoseconds.
    Sleep(u64),
    /// Leaves a waker for all to see, and goes on when it is polled again.
    Park,
    /// Leaves a waker, and goes on at once.
    Keep,
    Wake(usize),
    WakeClone(usize),
    /// From a thread that is joined at once: the executor is awake.
    WakeFromThread(usize),
    /// From a thread, as soon as the executor sleeps.
    WakeAsleep(usize),
    Spawn(Ops),
    /// So many tasks that do the same.
    Crowd(usize, Ops),
    Join(usize),
    /// Joins for so long, and keeps the handle if that was not enough.
    JoinFor(usize, u64),
    IsFinished(usize),
    Abort(usize),
    Both(Ops, Ops),
    Race(Ops, Ops),
    Timeout(u64, Ops),
    /// A channel of this capacity; 0 is one without a limit.
    Open(usize),
    CloneSender(usize),
    CloneReceiver(usize),
    Send(usize),
    TrySend(usize),
    Recv(usize),
    TryRecv(usize),
    Oneshot,
    OneshotSend(usize),
    OneshotRecv(usize),
    Drop(Kind, usize),
    /// Takes something that was for all: it goes with the one who holds it.
    Hold(Kind, usize),
    Panic,
}

/// What can be owned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Handle,
    Sender,
    Receiver,
    OneshotSender,
    OneshotReceiver,
}

/// Main coroutines that run one after the other on the same executor.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) mains: Vec<Ops>,
}

/// Which of `len` things the number `k` means: the youngest is 0.
pub(crate) fn place(len: usize, k: usize) -> Option<usize> {
    (len > 0).then(|| len - 1 - k % len)
}

/// Long enough for all others to end first.
const FAR: u64 = 1 << 50;
/// How deep tasks and branches are nested.
const DEPTH: usize = 3;

impl Program {
    pub(crate) fn random(seed: u64) -> Program {
        let mut rng = Rng::new(seed);
        // Each program has its own choice of operations: those it has meet more often.
        let choice = if rng.one_in(4) { u64::MAX } else { rng.next() };
        let threads = rng.one_in(12);
        let mut generator = Generator { rng, choice, threads, left: 150 };
        let mains = if generator.rng.one_in(6) { 2 } else { 1 };
        Program { mains: (0..mains).map(|_| generator.main()).collect() }
    }
}

struct Generator {
    rng: Rng,
    choice: u64,
    threads: bool,
    /// So many operations more.
    left: usize,
}

impl Generator {
    fn main(&mut self) -> Ops {
        let mut ops = Vec::new();
        for _ in 0..self.rng.below(3) {
            ops.push(Op::Open(self.rng.below(4)));
        }
        for _ in 0..1 + self.rng.below(3) {
            ops.push(Op::Spawn(self.ops(1)));
        }
        if self.rng.one_in(30) {
            let crowd = Op::Crowd(40 + self.rng.below(100), self.ops(DEPTH));
            ops.push(crowd);
        }
        ops.extend((0..self.rng.below(12)).map(|_| self.op(0)));
        if !self.rng.one_in(4) {
            ops.push(Op::Sleep(FAR));
        }
        ops.into()
    }

    fn ops(&mut self, depth: usize) -> Ops {
        let len = self.rng.below(8 - depth).min(self.left);
        self.left -= len;
        (0..len).map(|_| self.op(depth)).collect()
    }

    fn op(&mut self, depth: usize) -> Op {
        loop {
            let kind = self.rng.below(40);
            let chosen = kind < 4 || self.choice & (1 << kind) != 0;
            if chosen && let Some(op) = self.op_of_kind(kind, depth) {
                return op;
            }
        }
    }

    /// None: not here.
    fn op_of_kind(&mut self, kind: usize, depth: usize) -> Option<Op> {
        let k = if self.rng.one_in(2) { self.rng.below(3) } else { self.rng.below(64) };
        let nest = depth < DEPTH;
        Some(match kind {
            0 | 1 => Op::Yield,
            2 => Op::Park,
            3 | 4 if nest => Op::Spawn(self.ops(depth + 1)),
            3..=5 => Op::Wake(k),
            6 => Op::WakeClone(k),
            7 if self.threads => Op::WakeFromThread(k),
            8 if self.threads => Op::WakeAsleep(k),
            7..=9 => Op::Sleep(self.time()),
            10 => Op::Keep,
            11 | 12 => Op::Join(k),
            13 => Op::JoinFor(k, self.time()),
            14 => Op::IsFinished(k),
            15 | 16 => Op::Abort(k),
            17 | 18 if nest => Op::Both(self.ops(depth + 1), self.ops(depth + 1)),
            19 | 20 if nest => Op::Race(self.ops(depth + 1), self.ops(depth + 1)),
            21 | 22 if nest => Op::Timeout(self.time(), self.ops(depth + 1)),
            23 => Op::Open(self.rng.below(4)),
            24 => Op::CloneSender(k),
            25 => Op::CloneReceiver(k),
            26 | 27 => Op::Send(k),
            28 => Op::TrySend(k),
            29 | 30 => Op::Recv(k),
            31 => Op::TryRecv(k),
            32 => Op::Oneshot,
            33 => Op::OneshotSend(k),
            34 => Op::OneshotRecv(k),
            35 | 36 => Op::Drop(self.kind(), k),
            37 | 38 => Op::Hold(self.kind(), k),
            39 if depth > 0 || self.rng.one_in(8) => Op::Panic,
            _ => return None,
        })
    }

    /// Often the same: much is due at one instant.
    fn time(&mut self) -> u64 {
        *self.rng.choose(&[0, 1, 1, 2, 2, 3, 5, 1_000_000, 3_600_000_000_000])
    }

    fn kind(&mut self) -> Kind {
        use Kind::{Handle, OneshotReceiver, OneshotSender, Receiver, Sender};
        *self.rng.choose(&[
            Handle,
            Handle,
            Sender,
            Sender,
            Receiver,
            OneshotSender,
            OneshotReceiver,
        ])
    }
}

/// xorshift64*
struct Rng(u64);

impl Rng {
    fn new(seed: u64) -> Rng {
        // Neighbouring seeds must not give neighbouring programs.
        let mut rng = Rng((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 << 63);
        rng.next();
        rng
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 32) as usize % n
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn choose<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}
