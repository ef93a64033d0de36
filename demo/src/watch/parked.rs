//! What a coroutine is parked on, in a few words for pictures.

use std::time::Duration;

use crate::wait::Wait;
use crate::words::{adjective, ms};

/// What it waits for, the longest form first. Most waits have a time limit as well: that is not
/// what they wait for.
pub(crate) fn parked_on(waits: &[Wait], now: Duration) -> Vec<String> {
    let is_timer = |wait: &&Wait| matches!(wait, Wait::Timer { .. });
    match waits.iter().find(|wait| !is_timer(wait)).or(waits.first()) {
        Some(wait) => vec![in_words(wait, now), in_short(wait)],
        None => vec!["waits for somebody unknown".into(), "unknown".into()],
    }
}

/// `socket 4 readable`
pub(crate) fn in_words(wait: &Wait, now: Duration) -> String {
    match wait {
        Wait::Source { source, direction, .. } => {
            format!("socket {source} {}", adjective(*direction))
        }
        Wait::Timer { deadline: Some(deadline), .. } => {
            format!("timer, {}", ms(deadline.saturating_sub(now)))
        }
        Wait::Timer { deadline: None, .. } => "timer, never due".into(),
        Wait::Job { job, .. } => format!("blocking job {job}"),
        Wait::Join(task) => format!("the end of #{task}"),
        Wait::Send { .. } => "room in a channel".into(),
        Wait::Receive { .. } => "a value in a channel".into(),
        Wait::Yield { .. } => "its next turn".into(),
    }
}

/// `socket 4`
fn in_short(wait: &Wait) -> String {
    match wait {
        Wait::Source { source, .. } => format!("socket {source}"),
        Wait::Timer { .. } => "timer".into(),
        Wait::Job { job, .. } => format!("job {job}"),
        Wait::Join(task) => format!("end #{task}"),
        Wait::Send { .. } | Wait::Receive { .. } => "channel".into(),
        Wait::Yield { .. } => "next turn".into(),
    }
}
