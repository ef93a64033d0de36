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
//! ```standalone_crate
//! let recorder = watch::Recorder::new(watch::Options::default());
//! let burgers = recorder.run(async { executor::spawn(async { 2 }).await.unwrap() })?;
//! # let folder = std::env::temp_dir().join(format!("watch-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let _ = std::env::set_current_dir(&folder);
//! watch::save(&recorder, "run.html")?; // or .svg, .json for ui.perfetto.dev, .txt
//! # assert_eq!(burgers, 2);
//! # std::fs::remove_dir_all(&folder)?;
//! # std::io::Result::Ok(())
//! ```

mod coroutine;
mod diagnose;
mod ear;
mod event;
mod gate;
mod json;
mod lanes;
mod log;
mod page;
mod parked;
mod perfetto;
mod recorder;
mod recording;
mod save;
mod svg;
mod track;
mod tracks;
mod txt;
mod wait;
mod words;
mod world;

pub use coroutine::{Coroutine, State};
pub use diagnose::Kind;
pub use event::{By, Event, What};
pub use gate::Gate;
pub use json::{event_json, gate_json, world_json};
pub use lanes::{Lane, Lanes};
pub use log::{LOG_WIDTH, log_footer, log_legend, log_line, log_lines};
pub use page::{page, page_of};
pub use perfetto::perfetto;
pub use recorder::{Batch, Options, Reader, Recorder};
pub use recording::Recording;
pub use save::{Form, save};
pub use svg::svg;
pub use txt::txt;
pub use wait::Wait;
pub use words::{line, ms};
pub use world::{Job, Phase, Source, World};

pub use executor::observe::{End, Outcome};
pub use reactor::Direction;
