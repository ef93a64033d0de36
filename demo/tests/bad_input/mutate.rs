//! A request that is nearly the one that somebody meant.

use crate::random::Random;

/// Changes `bytes` in one to four places: flips, inserts, cuts, or splices in a part of `other`.
pub(crate) fn mutate(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    /// Bytes that mean something in a head.
    const TELLING: &[u8] = b"\r\n\t :,;/?#%+-0159\0\x0b\x7f\x80\xc3\xff";
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = TELLING[random.below(TELLING.len())],
            2 => bytes.insert(at, TELLING[random.below(TELLING.len())]),
            3 => {
                let end = (at + 1 + random.below(8)).min(bytes.len());
                bytes.drain(at.min(end)..end);
            }
            _ if !other.is_empty() => {
                let start = random.below(other.len());
                let end = (start + 1 + random.below(32)).min(other.len());
                bytes.splice(at..at, other[start..end].iter().copied());
            }
            _ => {}
        }
    }
}
