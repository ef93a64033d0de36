//! `bench`: see the crate `bench` for what is measured and how.

use std::env;
use std::process::ExitCode;

use bench::rows::{ROWS, Row};
use bench::{instructions, rows, table, wall};

const USAGE: &str = "\
Compares the executor and the reactor with other runtimes.

Usage: bench COMMAND

  instructions [ROW...]      instructions per operation, under valgrind
  wall [ROW...]              nanoseconds per operation, all runtimes in turn
  run ROW RUNTIME ROUNDS     one body, once: for a profiler
  rows                       what the rows are
";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["instructions", ref names @ ..] => selected(names).map(print_instructions),
        ["wall", ref names @ ..] => selected(names).map(print_wall),
        ["run", row, runtime, rounds] => run(row, runtime, rounds),
        ["rows"] => Ok(print_rows()),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprint!("{message}");
            ExitCode::from(2)
        }
    }
}

/// The rows of these names; all of them if there are none.
fn selected(names: &[&str]) -> Result<Vec<&'static Row>, String> {
    if names.is_empty() {
        return Ok(ROWS.iter().collect());
    }
    names.iter().map(|name| row(name)).collect()
}

fn row(name: &str) -> Result<&'static Row, String> {
    rows::find(name).ok_or_else(|| format!("there is no row `{name}`; `bench rows` lists them\n"))
}

fn print_instructions(rows: Vec<&Row>) {
    println!("{}", table::head("instructions"));
    for row in rows.into_iter().filter(|row| !row.threads) {
        let names = row.bodies.iter().map(|(name, _)| *name);
        let figures: Vec<_> =
            names.map(|name| (name, instructions::per_operation(row, name))).collect();
        println!("{}", table::line(row, &figures));
    }
}

fn print_wall(rows: Vec<&Row>) {
    println!("{}", table::head("nanoseconds"));
    for row in rows {
        println!("{}", table::line(row, &wall::per_operation(row)));
    }
}

fn run(name: &str, runtime: &str, rounds: &str) -> Result<(), String> {
    let body = row(name)?
        .body(runtime)
        .ok_or_else(|| format!("`{runtime}` takes no part in the row `{name}`\n"))?;
    let rounds = rounds.parse().map_err(|_| format!("`{rounds}` is no number of rounds\n"))?;
    println!("{:?}", body(rounds));
    Ok(())
}

fn print_rows() {
    for row in ROWS {
        println!("{:20}{}", row.name, row.operation);
    }
}
