//! `demo step`: one request, event by event, as somebody types.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use common::{Folder, LIMIT};

fn demo(temporary: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.arg("step").env("TMPDIR", &temporary.0).env("TMP", &temporary.0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

struct Ended {
    code: Option<i32>,
    said: String,
    errors: String,
    left_behind: Vec<String>,
}

/// Types all of it, and then nothing more.
fn typed(keys: &str) -> Ended {
    let temporary = Folder::new("step");
    let mut child = demo(&temporary).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let keys = keys.to_owned();
    // It may end before it has read everything.
    thread::spawn(move || input.write_all(keys.as_bytes()));
    let (code, said, errors) = wait(child);
    Ended { code, said, errors, left_behind: temporary.list("") }
}

fn wait(child: Child) -> (Option<i32>, String, String) {
    let id = child.id().to_string();
    let (sender, ends) = channel();
    thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
    let output = ends.recv_timeout(LIMIT).unwrap_or_else(|_| {
        let _ = Command::new("kill").args(["-9", &id]).status();
        panic!("it does not end")
    });
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The texts behind the prompts: the first one is what was said before any key.
fn answers(said: &str) -> Vec<&str> {
    said.split("\n> ").collect()
}

#[test]
fn enter_goes_on_and_each_step_is_an_event_with_what_it_changed() {
    let ended = typed("\n\n\n\n\n\n\nq\n");
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    let answers = answers(&ended.said);
    assert_eq!(answers.len(), 9, "{}", ended.said);
    for (before, answer) in answers[..8].iter().enumerate() {
        let step = format!("--- step {} at ", before + 1);
        assert_eq!(answer.matches("--- step ").count(), 1, "{answer}");
        assert!(answer.contains(&step), "{step}: {answer}");
    }
    assert!(answers[0].contains("The executor begins with #1 main."), "{}", answers[0]);
    assert!(answers[0].contains("  * #1 main"), "it is new: {}", answers[0]);
    assert!(answers[1].contains("The executor polls #1 main."), "{}", answers[1]);
    assert!(answers[1].contains("ready queue (first in, first out): empty"), "{}", answers[1]);
    assert!(answers[1].contains("  - #1 main"), "it has left the queue: {}", answers[1]);
    assert_eq!(ended.left_behind, [""; 0]);
}

#[test]
fn b_shows_the_step_before_and_enter_the_same_one_again() {
    let ended = typed("\n\n\nb\nb\n\nq\n");
    let answers = answers(&ended.said);
    let step = |answer: &str| answer[answer.find("--- step").unwrap()..].to_owned();
    assert_eq!(step(answers[4]), step(answers[2]), "back");
    assert_eq!(step(answers[5]), step(answers[1]), "back once more");
    assert_eq!(step(answers[6]), step(answers[2]), "and on, from the recording");
}

#[test]
fn one_cannot_go_back_behind_the_first_event() {
    let ended = typed("b\nb\n\nq\n");
    let answers = answers(&ended.said);
    assert!(answers[1].contains("this is the first event") && answers[1].contains("step 1 "));
    assert!(answers[3].contains("step 2 "), "{}", answers[3]);
}

#[test]
fn r_runs_to_the_end_and_a_number_goes_to_that_step() {
    let ended = typed("r\n17\n\n\nq\n");
    let answers = answers(&ended.said);
    assert!(answers[1].contains("the run is over, after "), "{}", answers[1]);
    assert!(answers[1].contains("GET / -> 200  {\"burgers\":[\"Classic\",\"Double\"]"));
    assert!(answers[1].contains("#1 main has ended. Whoever is left is dropped."));
    assert!(answers[2].contains("--- step 17 "), "{}", answers[2]);
    assert!(answers[4].contains("--- step 19 "), "{}", answers[4]);
}

#[test]
fn a_number_beyond_the_end_is_the_end() {
    let ended = typed("999999999999\n\nq\n");
    let answers = answers(&ended.said);
    assert!(answers[1].contains("#1 main has ended"), "{}", answers[1]);
    assert!(answers[2].contains("the run is over"), "{}", answers[2]);
}

#[test]
fn n_goes_to_the_next_poll_of_the_same_coroutine() {
    let ended = typed("n\nn\nn\nq\n");
    let answers = answers(&ended.said);
    for answer in &answers[1..4] {
        assert!(answer.contains("The executor polls #1 main."), "{answer}");
    }
}

#[test]
fn the_clock_stands_still_until_all_wait_and_then_it_jumps() {
    let ended = typed(&"\n".repeat(400));
    let steps = ended.said.lines().filter(|line| line.starts_with("--- step "));
    let times: Vec<f64> = steps
        .map(|line| line.split(' ').nth(4).unwrap().parse().expect("a time in milliseconds"))
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    let mut jumps = times.clone();
    jumps.dedup();
    assert_eq!(jumps.len(), 2, "only the kitchen takes time, and that is 60 ms: {jumps:?}");
    assert!((jumps[1] - jumps[0] - 60.0).abs() < 0.002, "{jumps:?}");
}

#[test]
fn the_tables_show_who_waits_for_what() {
    let ended = typed(&"\n".repeat(400));
    let said = &ended.said;
    let has = |parts: &[&str]| {
        let line = said.lines().find(|line| parts.iter().all(|part| line.contains(part)));
        assert!(line.is_some(), "no line with {parts:?} in {said}");
    };
    has(&["* #2 accept", "parked", "waits for socket 1 readable"]);
    has(&["#1 main", "parked", "waits for the end of #4 client"]);
    has(&["token", "fd", "address -> peer", "wants", "waker of"]);
    has(&["* 0.0", "127.0.0.1:", "(listens)", "readable", "#3 accept"]);
    has(&["127.0.0.1:", " -> 127.0.0.1:", "readable", "#4 client"]);
    has(&["due in 60.0 ms", "#6 kitchen", "demo/src/kitchen.rs:"]);
    has(&["* job ", "#5 connection", ".rs:"]);
    has(&["A timer is due. The reactor wakes #6 kitchen: it goes to the end of the ready"]);
    // Where each event is told, a job is often done before anybody can wait for it.
    let flat = said.split_whitespace().collect::<Vec<&str>>().join(" ");
    if flat.contains("#5 connection cannot go on yet: it leaves its waker with the blocking pool") {
        has(&["#5 connection", "ready", "woken by thread blocking-"]);
    }
    assert!(!said.contains("Something is wrong"), "{said}");
}

#[test]
fn no_line_is_wider_than_a_terminal() {
    let ended = typed(&("\n".repeat(400) + "a\n?\nb\nr\nzz\nq\n"));
    for line in ended.said.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        assert_eq!(line.trim_end(), line.trim_end_matches([' ', '\n']), "{line:?}");
    }
    assert!(!ended.said.contains('\x1b'), "no colours into a pipe");
}

#[test]
fn p_tells_the_story_of_a_coroutine_as_far_as_it_is_shown() {
    let ended = typed("12\np 2\np 77\nr\np 4\nq\n");
    let answers = answers(&ended.said);
    assert!(answers[2].contains("#2 accept        spawned    by #1 main"), "{}", answers[2]);
    assert!(answers[2].contains("#2 lives"), "{}", answers[2]);
    assert!(!answers[2].contains("ended"), "not what comes later: {}", answers[2]);
    assert!(answers[3].contains("there is no #77 yet"), "{}", answers[3]);
    let story = answers[5];
    let order = ["spawned", "named", "poll", "waits for", "pending", "woken", "ready", "ended"];
    let places: Vec<usize> = order.iter().map(|word| story.find(word).unwrap()).collect();
    assert!(places.is_sorted(), "{story}");
    assert!(story.contains("#4 has ended"), "{story}");
    assert!(!story.contains("#5 connection    poll"), "only its own: {story}");
}

#[test]
fn a_shows_everything_and_a_question_mark_all_keys() {
    let ended = typed("30\na\n?\nnonsense\nq\n");
    let answers = answers(&ended.said);
    for table in ["coroutines", "ready queue", "sockets", "timers", "blocking jobs"] {
        assert!(answers[2].contains(&format!("\n  {table}")), "{table}: {}", answers[2]);
    }
    for key in ["Enter", "b ", "n ", "r ", "a ", "p 4", "q "] {
        assert!(answers[3].contains(&format!("\n  {key}")), "{key}: {}", answers[3]);
    }
    assert!(answers[4].contains("\"nonsense\" is no key here; ? lists them"), "{}", answers[4]);
}

#[test]
fn capital_letters_are_the_same_keys_and_p_alone_says_what_it_needs() {
    let ended = typed("P\n40\nP 1\nN\nR\nQ\n");
    let answers = answers(&ended.said);
    assert!(answers[1].contains("p needs an id, such as: p 4"), "{}", answers[1]);
    assert!(answers[3].contains("#1 main          spawned"), "{}", answers[3]);
    assert!(answers[4].contains("The executor polls "), "{}", answers[4]);
    assert!(answers[5].contains("the run is over, after "), "{}", answers[5]);
    assert!(answers[6].contains("nothing left this machine"), "{}", answers[6]);
}

#[test]
fn it_ends_with_its_input_wherever_it_stands() {
    for keys in ["", "\n\n\n", "\n\nb", "70\n", "r\n"] {
        let ended = typed(keys);
        assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{keys:?}");
        assert_eq!(ended.left_behind, [""; 0], "{keys:?}");
        assert!(ended.said.ends_with("nothing left this machine\n"), "{}", ended.said);
    }
}

#[test]
fn strange_input_is_told_and_survived() {
    let ended = typed(&format!("{}\n\u{1F354}\np 99999999999999999999\n-3\nq\n", "x".repeat(9000)));
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    assert!(ended.said.contains("is no key here"), "{}", ended.said);
    let temporary = Folder::new("step");
    let mut child = demo(&temporary).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"\xff\xfe\n\0\n").unwrap();
    assert_eq!(wait(child).0, Some(0));
}

#[test]
fn a_reader_that_has_enough_ends_it() {
    let temporary = Folder::new("step");
    let mut child = demo(&temporary).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    drop(lines);
    let mut input = child.stdin.take().unwrap();
    thread::spawn(move || while input.write_all(b"\n").is_ok() {});
    let (code, _, errors) = wait(child);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(temporary.list(""), [""; 0]);
}

/// Its lines, as they come.
fn lines_of(child: &mut Child) -> Receiver<String> {
    let (sender, lines) = channel();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    thread::spawn(move || {
        let mut line = String::new();
        while output.read_line(&mut line).is_ok_and(|length| length > 0) {
            let _ = sender.send(std::mem::take(&mut line));
        }
    });
    lines
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_and_leaves_nothing_behind() {
    let temporary = Folder::new("step");
    let mut child = demo(&temporary).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines = lines_of(&mut child);
    input.write_all(b"40\n").unwrap();
    while !lines.recv_timeout(LIMIT).unwrap().contains("step 40 ") {}
    assert_eq!(temporary.list("").len(), 1, "the stand keeps its files there");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let (code, _, errors) = wait(child);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(temporary.list(""), [""; 0]);
    drop(input);
}

#[test]
fn with_data_the_order_is_kept() {
    let (data, temporary) = (Folder::new("step-data"), Folder::new("step"));
    let mut child = demo(&temporary).args(["--data", data.text()]).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"r\nq\n").unwrap();
    assert_eq!(wait(child).0, Some(0));
    assert_eq!(data.list("receipts"), ["1.json"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let temporary = Folder::new("step");
    let mut child = demo(&temporary).args(["--data", "/dev/null/stand"]).spawn().unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(wait(child).0, Some(1));
    assert!(errors.starts_with("demo: /dev/null/stand: "), "{errors}");
}
