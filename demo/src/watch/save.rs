//! A recording as a file: the ending of its name says in which form.
//!
//! ```text
//!   run.html   the page, with the recording in it: step back and forth, without a server
//!   run.svg    a picture for a slide
//!   run.json   for https://ui.perfetto.dev
//!   run.txt    lanes and events as text
//! ```

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::{fs, io, process};

use crate::page::page_of;
use crate::perfetto::perfetto;
use crate::recorder::Recorder;
use crate::recording::Recording;
use crate::svg::svg;
use crate::txt::txt;

/// In which form a recording is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `.html`: a page that is complete in itself.
    Page,
    /// `.svg`: a picture.
    Picture,
    /// `.json`: a trace for Perfetto.
    Trace,
    /// `.txt`: text.
    Text,
}

/// Keeps what was recorded so far in a file. Its ending says in which form: `.html`, `.svg`, `.json`
/// or `.txt`. A file that is there already is replaced, or, if this fails, left as it was.
///
/// ```
/// let recorder = watch::Recorder::new(watch::Options::default());
/// let burgers = recorder.run(async { 2 })?;
/// # let path = std::env::temp_dir().join(format!("watch-doc-{}.svg", std::process::id()));
/// # let run = path.as_path();
/// watch::save(&recorder, run)?;
/// # assert!(std::fs::read_to_string(run)?.starts_with("<svg"));
/// # std::fs::remove_file(run)?;
/// # std::io::Result::Ok(())
/// ```
///
/// # Errors
/// If it has another ending, or cannot be written.
pub fn save(recorder: &Recorder, path: impl AsRef<Path>) -> io::Result<()> {
    Recording::of(recorder).save(path)
}

impl Recording {
    /// Keeps it in a file, as [`save`] does.
    ///
    /// # Errors
    /// If it has another ending, or cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        let told = |error: io::Error| {
            let (kind, path) = (error.kind(), path.display());
            io::Error::new(kind, format!("{path} cannot be written: {error}"))
        };
        write(path, &self.drawn(Form::of(path).map_err(told)?)).map_err(told)
    }

    /// The text of such a file.
    #[must_use]
    pub fn drawn(&self, form: Form) -> String {
        match form {
            Form::Page => page_of(&self.base, &self.events),
            Form::Picture => svg(self),
            Form::Trace => perfetto(self),
            Form::Text => txt(self),
        }
    }
}

impl Form {
    /// What the ending of the path asks for.
    ///
    /// # Errors
    /// If it is none of the four.
    pub fn of(path: &Path) -> io::Result<Form> {
        let ending = path.extension().map(OsStr::to_ascii_lowercase);
        match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("html") => Ok(Form::Page),
            Some("svg") => Ok(Form::Picture),
            Some("json") => Ok(Form::Trace),
            Some("txt") => Ok(Form::Text),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the name of the file must end with .html (a page to step through), .svg (a \
                 picture), .json (for Perfetto) or .txt (text)",
            )),
        }
    }
}

/// All of it or nothing: into a temporary file beside it, which then takes its name.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(format!(".{}.part", process::id()));
    let part = path.with_file_name(name);
    let written = fs::write(&part, text).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}
