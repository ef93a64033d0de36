//! An own program, watched: three lines more, and there are pictures of what it did.
//!
//! ```sh
//! cargo run -p demo --example own_program            # writes run.html; open it in a browser
//! cargo run -p demo --example own_program -- run.svg run.json run.txt
//! ```
//!
//! Two coroutines and a channel between them: a cook, who waits for the oven and looks into a book,
//! and a waiter, who carries out what the cook has made. In a project of your own the dependencies
//! are `executor`, `reactor` and `demo`, whose library is called `watch`.

use std::time::Duration;

use executor::{channel, spawn};
use reactor::blocking::spawn_blocking;
use reactor::time::sleep;

fn main() -> std::io::Result<()> {
    let recorder = watch::Recorder::new(watch::Options::default()); // 1: something that remembers
    let served = recorder.run(restaurant())?; //                       2: instead of `block_on`
    println!("{served} burgers served");

    let files: Vec<String> = std::env::args().skip(1).collect();
    let files = if files.is_empty() { vec!["run.html".to_owned()] } else { files };
    for file in files {
        watch::save(&recorder, &file)?; //                             3: draw it
        println!("see {file}");
    }
    Ok(())
}

async fn restaurant() -> u32 {
    let (counter, burgers) = channel::bounded(1);
    spawn(cook(counter)).named("cook");
    let waiter = spawn(waiter(burgers)).named("waiter");
    waiter.await.expect("the waiter does not panic")
}

async fn cook(counter: channel::Sender<String>) {
    for number in 1..=3 {
        let recipe = spawn_blocking(look_up).await; // on another thread: this one is not held up
        sleep(Duration::from_millis(20)).await; //     the oven
        let burger = format!("burger {number}: {}", recipe.expect("it does not panic"));
        if counter.send(burger).await.is_err() {
            return; // nobody carries it out any more
        }
    }
}

/// The book is thick, and made of paper: who reads in it can do nothing else.
fn look_up() -> &'static str {
    std::thread::sleep(Duration::from_millis(5));
    "bun, cheese, bun"
}

async fn waiter(burgers: channel::Receiver<String>) -> u32 {
    let mut served = 0;
    while let Some(burger) = burgers.recv().await {
        println!("  {burger}");
        served += 1;
    }
    served
}
