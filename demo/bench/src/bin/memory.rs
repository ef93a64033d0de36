//! `bench-memory`: the rows of `bench memory`, with an allocator that counts.

use bench::memory::{CONNECTIONS, Counting, FULL, IDLE, PARKED, USUAL, raise_file_limit};
use bench::table;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    raise_file_limit().expect("this process may open files");
    println!("{}", table::head("heap bytes"));
    for tasks in [FULL, USUAL] {
        let figures: Vec<_> = PARKED.iter().map(|(name, row)| (*name, row(tasks))).collect();
        println!("{}", table::line(&format!("parked task, one of {tasks}"), None, &figures));
    }
    let figures: Vec<_> = IDLE.iter().map(|(name, row)| (*name, row(CONNECTIONS))).collect();
    println!("{}", table::line(&format!("idle connection, one of {CONNECTIONS}"), None, &figures));
}
