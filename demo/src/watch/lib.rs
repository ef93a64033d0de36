//! Watches a runtime: one stream of events, and every picture is made of it.
//!
//! ```text
//!   executor --Event--+                       +--> World      what is so after each event
//!                     +--> ear --> Recorder --+--> words      each event as a sentence
//!   reactor  --Event--+            (a ring)   +--> diagnoses  what is wrong, in plain words
//!                                     ^       +--> lanes, pages, files
//!                                     |
//!                        a gate: pause, one event, go on
//! ```
//!
//! An own program is watched with three lines more:
//!
//! ```
//! let recorder = watch::Recorder::new(watch::Options::default());
//! let burgers = recorder.run(async { executor::spawn(async { 2 }).await.unwrap() })?;
//! # assert_eq!(burgers, 2);
//! # std::io::Result::Ok(())
//! ```

mod diagnose;
mod ear;
mod event;
mod json;
mod lanes;
mod recorder;
mod words;
mod world;

pub use diagnose::Kind;
pub use event::{By, Event, Wait, What};
pub use json::{event_json, world_json};
pub use lanes::{Lane, Lanes};
pub use recorder::{Batch, Options, Reader, Recorder};
pub use world::{Coroutine, Job, Phase, Source, State, World};

pub use executor::observe::{End, Outcome};
pub use reactor::Direction;
