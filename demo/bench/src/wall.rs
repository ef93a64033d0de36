//! Wall time: all runtimes take turns in one process, round by round.
//!
//! Whatever else the machine does meanwhile hits all of them alike. The figures are medians over
//! the rounds; what counts is how they compare, not what they are.

use crate::rows::Row;

/// How often each runtime has its turn.
const TURNS: usize = 31;

/// The median nanoseconds of one operation, for each runtime that takes part in the row.
#[must_use]
pub fn per_operation(row: &Row) -> Vec<(&'static str, f64)> {
    let mut samples = vec![Vec::with_capacity(TURNS); row.bodies.len()];
    let turns = if row.per_round * row.rounds >= 100_000 { TURNS / 3 } else { TURNS };
    for turn in 0..=turns {
        for place in 0..row.bodies.len() {
            // Somebody else begins each time.
            let who = (place + turn) % row.bodies.len();
            let elapsed = (row.bodies[who].1)(row.rounds);
            // The first turn only warms up.
            if turn > 0 {
                let operations = (row.rounds * row.per_round) as f64;
                samples[who].push(elapsed.as_nanos() as f64 / operations);
            }
        }
    }
    let medians = samples.into_iter().map(median);
    row.bodies.iter().map(|(name, _)| *name).zip(medians).collect()
}

/// The one in the middle.
#[must_use]
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
