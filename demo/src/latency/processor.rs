//! What the waits are compared with: the processor and the memory.

use std::hint::black_box;
use std::time::Instant;

use super::{SAMPLES, median};
use crate::chart;

/// More than the processor's caches hold, on most machines.
const MEMORY: usize = 64 << 20;

/// Each addition needs the result of the one before (they are Fibonacci's numbers), so that the
/// processor cannot do two at once, nor the compiler do without.
pub(super) fn an_addition() -> f64 {
    const ROUNDS: usize = 200;
    let batch = || {
        let (mut a, mut b) = black_box((0_u64, 1_u64));
        for _ in 0..ROUNDS {
            for _ in 0..5 {
                a = a.wrapping_add(b);
                b = b.wrapping_add(a);
            }
        }
        black_box((a, b));
    };
    median((0..SAMPLES).map(|_| timed(batch)).collect()) / (ROUNDS * 10) as f64
}

/// One cache line. Each says which one comes next.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line {
    next: u32,
}

pub(super) fn a_memory_access() -> f64 {
    const STEPS: usize = 1000;
    let lines = one_big_circle(MEMORY / size_of::<Line>());
    let mut at = 0;
    let mut batch = || {
        for _ in 0..STEPS {
            at = lines[at].next as usize;
        }
        black_box(at);
    };
    median((0..200).map(|_| timed(&mut batch)).collect()) / STEPS as f64
}

/// A circle through all lines in random order (Sattolo's shuffle): nobody can guess the next one.
fn one_big_circle(length: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = (0..length as u32).map(|next| Line { next }).collect();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for last in (1..length).rev() {
        random ^= random << 13; // xorshift: not for secrets, but fast
        random ^= random >> 7;
        random ^= random << 17;
        lines.swap(last, (random % last as u64) as usize);
    }
    lines
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    chart::nanos(start.elapsed())
}
