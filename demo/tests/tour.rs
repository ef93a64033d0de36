//! `cargo run`: the tour, as a newcomer sees it.

use std::fs;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A tour that hangs says so.
const LIMIT: Duration = Duration::from_secs(60);

/// Takes the tour in a temporary folder of its own. Gives its output, and what it left behind.
fn tour(name: &str, args: &[&str]) -> (Output, Vec<String>) {
    let folder = std::env::temp_dir().join(format!("tour-test-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.args(args).env("TMPDIR", &folder);
    let output = within(command);
    let left = fs::read_dir(&folder).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let left = left.collect();
    fs::remove_dir_all(&folder).unwrap();
    (output, left)
}

fn within(mut command: Command) -> Output {
    command.stdin(Stdio::null());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(command.output()));
    receiver.recv_timeout(LIMIT).expect("the tour ends").unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_tour_is_short_and_leaves_nothing_behind() {
    let (output, left) = tour("short", &[]);
    let text = text(&output);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(text.lines().count() <= 45, "{text}");
    let longest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(longest.chars().count() <= 80, "{longest:?}");
    assert!(!text.contains('\x1b'), "no colours into a pipe: {text:?}");
    assert_eq!(left, [""; 0]);
}

#[test]
fn the_tour_shows_all_seven_waits_of_one_request() {
    let (output, _) = tour("waits", &["tour"]);
    let text = text(&output);
    assert!(text.contains("GET / -> 200  {\"burgers\":[\"Classic\",\"Double\"]"), "{text}");
    for wait in [
        "data from the client, over the network",
        "file contents read from disk: recipe.txt",
        "a remote API operation: GET /toppings/2",
        "a database query: SELECT",
        "a database operation: INSERT",
        "file contents written to disk: 1.json",
        "data sent by the program, to the client",
    ] {
        assert_eq!(text.matches(wait).count(), 1, "{wait}: {text}");
    }
    // The kitchen takes its time, and that is what the connection is parked on.
    let remote = text.lines().find(|line| line.contains("a remote API operation")).unwrap();
    assert!(remote.contains("socket") && remote.ends_with("readable"), "{remote}");
}

#[test]
fn the_lanes_of_the_tour_come_from_what_happened() {
    let (output, _) = tour("lanes", &["tour"]);
    let text = text(&output);
    let lane = |name: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(name));
        line.unwrap_or_else(|| panic!("{name}: {text}")).to_owned()
    };
    // How much of each there is depends on the machine.
    for name in ["client ", "connection ", "remote API "] {
        let lane = lane(name);
        assert!(lane.contains('#') && lane.contains('.'), "polled, and parked: {lane}");
    }
    assert!(lane("client ").ends_with('#'), "the client is polled last: {text}");
    assert!(lane("the thread").contains('z'), "asleep while all are parked: {text}");
}

#[test]
fn with_data_the_order_and_its_receipt_are_kept() {
    let folder = std::env::temp_dir().join(format!("tour-test-data-{}", std::process::id()));
    let (output, left) = tour("kept", &["tour", "--data", folder.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(left, [""; 0]);
    let receipt = fs::read_to_string(folder.join("receipts/1.json")).unwrap();
    assert!(receipt.contains("\"Classic\""), "{receipt}");
    fs::remove_dir_all(folder).unwrap();
}
