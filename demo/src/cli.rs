//! The command line: what there is to run, and how a failure is told.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::{compare, goroutines, kitchen, latency, ps, serve, step, tour, trace};

/// What a command may fail with. Boxed, because all that is done with it is to print it: whoever
/// makes one says what happened and what to do next.
pub(crate) type Failure = Box<dyn Error>;

/// Where a command prints: standard output, which strips the colours if they are not wanted.
pub(crate) type Out<'a> = &'a mut dyn Write;

/// One thread, many coroutines: a burger stand on a runtime with nothing hidden
///
/// Without a command it takes the tour.
#[derive(Debug, Parser)]
#[command(name = "demo", version, arg_required_else_help = false)]
struct Cli {
    /// When to use colours (also: NO_COLOR)
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    /// If the output is a terminal
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One request and what it waited for, then many: the tour (this is the default)
    Tour(tour::Args),
    /// The same request, one event at a time: Enter goes on, b goes back
    Step(step::Args),
    /// The burger stand, for curl, wrk and a browser, until Ctrl-C
    Serve(serve::Args),
    /// Requests to the stand, recorded: a page, a picture, a trace for Perfetto, or text
    Trace(trace::Args),
    /// The coroutines of a stand that is open: who waits for whom, and for what
    Ps(ps::Args),
    /// The stand's kitchen as a process of its own
    Kitchen(kitchen::Args),
    /// Concurrency against parallelism, measured on this machine
    Compare(compare::Args),
    /// How slow input and output are, beside the processor and the memory
    Latency(latency::Args),
    /// Coroutines and channels by the hundred thousand, as in Go
    Goroutines(goroutines::Args),
}

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let choice = match cli.color {
        Color::Auto => anstream::AutoStream::choice(&io::stdout()),
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    let mut out = anstream::AutoStream::new(io::stdout(), choice);
    match run(cli.command, &mut out).and_then(|()| Ok(out.flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if is_closed_pipe(failure.as_ref()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "demo: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Option<Command>, out: Out<'_>) -> Result<(), Failure> {
    match command {
        None => tour::run(&tour::Args::default(), out),
        Some(Command::Tour(args)) => tour::run(&args, out),
        Some(Command::Step(args)) => step::run(&args, out),
        Some(Command::Serve(args)) => serve::run(&args, out),
        Some(Command::Trace(args)) => trace::run(&args, out),
        Some(Command::Ps(args)) => ps::run(&args, out),
        Some(Command::Kitchen(args)) => kitchen::run(&args, out),
        Some(Command::Compare(args)) => compare::run(&args, out),
        Some(Command::Latency(args)) => latency::run(&args, out),
        Some(Command::Goroutines(args)) => goroutines::run(&args, out),
    }
}

/// `demo … | head`: whoever reads has enough, and that is no failure.
fn is_closed_pipe(failure: &(dyn Error + 'static)) -> bool {
    let error = failure.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
