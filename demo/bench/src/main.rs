//! `bench`: see the crate `bench` for what is measured and how.

use std::env;
use std::process::{Command, ExitCode};
use std::time::Duration;

use bench::rows::{ROWS, Row};
use bench::{echo, instructions, rows, table, wall};

const USAGE: &str = "\
Compares the executor and the reactor with other runtimes.

Usage: bench COMMAND

  instructions [ROW...]      instructions per operation, under valgrind
  wall [ROW...]              nanoseconds per operation, all runtimes in turn
  memory                     heap bytes of a parked task and of an idle connection
  echo [CONNECTIONS...]      a TCP echo server under load from another process
  syscalls                   its system calls per request, under strace
  table                      all of it; takes a quarter of an hour

  rows                       what the rows are
  run ROW RUNTIME ROUNDS     one body, once: for a profiler
";

/// How many connections an echo server has.
const CONNECTIONS: [usize; 3] = [1, 64, 1_000];

/// Or a message, with the end of its line.
type Done = Result<(), String>;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["instructions", ref names @ ..] => selected(names).and_then(print_instructions),
        ["wall", ref names @ ..] => selected(names).and_then(print_wall),
        ["memory"] => print_memory(),
        ["echo"] => print_echo(&CONNECTIONS),
        ["echo", ref counts @ ..] => numbers(counts).and_then(|counts| print_echo(&counts)),
        ["syscalls"] => print_system_calls(),
        ["table"] => print_all(),
        ["rows"] => print_rows(),
        ["run", row, runtime, rounds] => run(row, runtime, rounds),
        ["serve", runtime, connections] => serve(runtime, connections),
        ["load", address, ref numbers @ ..] => load(address, numbers),
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

fn print_instructions(rows: Vec<&Row>) -> Done {
    println!("{}", table::head("instructions"));
    for row in rows.into_iter().filter(|row| !row.threads) {
        let names = row.bodies.iter().map(|(name, _)| *name);
        let figures: Vec<_> =
            names.map(|name| (name, instructions::per_operation(row, name))).collect();
        println!("{}", table::line(row.name, row.target, &figures));
    }
    Ok(())
}

fn print_wall(rows: Vec<&Row>) -> Done {
    println!("{}", table::head("nanoseconds"));
    for row in rows {
        println!("{}", table::line(row.name, None, &wall::per_operation(row)));
    }
    Ok(())
}

fn print_memory() -> Done {
    let program = env::current_exe().expect("a path to this program");
    let program = program.with_file_name("bench-memory");
    match Command::new(&program).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{}: {status}\n", program.display())),
        Err(error) => Err(format!(
            "{}: {error}\n(`cargo build --release` makes it, beside `bench`)\n",
            program.display()
        )),
    }
}

fn print_echo(counts: &[usize]) -> Done {
    let measured: Vec<_> = counts.iter().map(|count| (count, echo::measure(*count))).collect();
    println!("{}", table::head("µs per request"));
    for (connections, figures) in &measured {
        let rates: Vec<_> =
            figures.iter().map(|(name, figures)| (*name, 1e6 / figures.rate)).collect();
        println!("{}", table::line(&format!("echo, {connections} connections"), None, &rates));
    }
    println!("\n{}", table::head("µs of the server's processor time per request"));
    for (connections, figures) in &measured {
        let times: Vec<_> =
            figures.iter().map(|(name, figures)| (*name, figures.processor)).collect();
        println!("{}", table::line(&format!("echo, {connections} connections"), None, &times));
    }
    Ok(())
}

fn print_system_calls() -> Done {
    println!("{}", table::head("system calls per request"));
    let names = echo::SERVERS.iter().map(|(name, _)| *name);
    let figures: Vec<_> = names.map(|name| (name, echo::system_calls(name))).collect();
    println!("{}", table::line("echo, 1 connection", None, &figures));
    Ok(())
}

fn print_all() -> Done {
    print_instructions(ROWS.iter().collect())?;
    println!();
    print_wall(ROWS.iter().collect())?;
    println!();
    print_memory()?;
    println!();
    print_echo(&CONNECTIONS)?;
    println!();
    print_system_calls()
}

fn serve(runtime: &str, connections: &str) -> Done {
    let server = echo::server(runtime).ok_or_else(|| format!("`{runtime}` has no server\n"))?;
    server(number(connections)?);
    Ok(())
}

fn load(address: &str, numbers: &[&str]) -> Done {
    let numbers = self::numbers(numbers)?;
    let [connections, requests, pause] = numbers[..] else { return Err(USAGE.into()) };
    let pause = Duration::from_micros(pause as u64);
    let address = address.parse().map_err(|_| format!("`{address}` is no address\n"))?;
    echo::load(address, connections, requests, pause)
        .map_err(|error| format!("load on {address}: {error}\n"))
}

fn numbers(texts: &[&str]) -> Result<Vec<usize>, String> {
    texts.iter().map(|text| number(text)).collect()
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("`{text}` is no number\n"))
}

fn run(name: &str, runtime: &str, rounds: &str) -> Done {
    let body = row(name)?
        .body(runtime)
        .ok_or_else(|| format!("`{runtime}` takes no part in the row `{name}`\n"))?;
    println!("{:?}", body(number(rounds)?));
    Ok(())
}

fn print_rows() -> Done {
    for row in ROWS {
        println!("{:20}{}", row.name, row.operation);
    }
    Ok(())
}
