//! `demo tour --record` and `--replay`: the same run once more, however fast the machine is.

mod common;

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;

use common::{Folder, LIMIT};

/// A recording, and what the demo said when it was made.
struct Recorded {
    folder: Folder,
    file: String,
    said: String,
}

fn record(name: &str) -> Recorded {
    let folder = Folder::new(name);
    let file = folder.0.join("tour.run").to_str().unwrap().to_owned();
    let output = demo(&["tour", "--record", &file], &folder);
    Recorded { said: succeeded(&output), folder, file }
}

impl Recorded {
    fn replay(&self) -> Output {
        demo(&["tour", "--replay", &self.file], &self.folder)
    }

    /// The request, as it was told when it was recorded.
    fn told(&self) -> &str {
        body(&self.said)
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    /// Replays it as something else.
    fn changed(&self, text: &str) -> Output {
        let file = self.folder.0.join("changed.run");
        fs::write(&file, text).unwrap();
        demo(&["tour", "--replay", file.to_str().unwrap()], &self.folder)
    }
}

fn demo(args: &[&str], folder: &Folder) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.args(args);
    within(command, folder)
}

fn within(mut command: Command, folder: &Folder) -> Output {
    let temporary = folder.0.join("temporary");
    fs::create_dir_all(&temporary).unwrap();
    command.env("TMPDIR", &temporary).env("TMP", &temporary).stdin(Stdio::null());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(command.output()));
    let output = receiver.recv_timeout(LIMIT * 3).expect("it ends").unwrap();
    assert_eq!(folder.list("temporary"), [""; 0], "it leaves nothing behind");
    output
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Its one line of error.
fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(error.starts_with("demo: ") && !error.contains("panicked"), "{error}");
    error
}

/// What is the same each time: all but the two lines that say what this is, and an empty one.
fn body(said: &str) -> &str {
    said.split_once("\n\n").expect("a heading").1
}

/// Keeps all processors busy as long as `f` runs.
fn while_busy<R>(f: impl FnOnce() -> R) -> R {
    let over = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let over = over.clone();
            thread::spawn(move || while !over.load(Relaxed) {})
        })
        .collect();
    let result = f();
    over.store(true, Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    result
}

/// Whether this program is there, and may do what it does.
fn works(command: &mut Command) -> bool {
    let works = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        println!("skipped: {command:?} does not work here");
    }
    works
}

#[test]
fn ten_replays_say_the_same_as_the_recorded_run() {
    let recorded = record("replay-ten");
    assert!(recorded.told().contains("GET / -> 200"), "{}", recorded.said);
    for _ in 0..10 {
        let said = succeeded(&recorded.replay());
        assert!(said.starts_with("replayed from "), "{said}");
        assert!(said.contains(": the same "), "{said}");
        assert_eq!(body(&said), recorded.told());
    }
}

#[test]
fn a_busy_machine_makes_no_difference() {
    let (quiet, busy) = (record("replay-quiet"), while_busy(|| record("replay-busy")));
    while_busy(|| {
        for _ in 0..3 {
            assert_eq!(body(&succeeded(&quiet.replay())), quiet.told());
        }
    });
    assert_eq!(body(&succeeded(&busy.replay())), busy.told());
}

#[test]
fn each_wait_is_told_with_what_it_was_parked_on() {
    let recorded = record("replay-parked");
    let line = |what: &str| {
        let line = recorded.told().lines().find(|line| line.contains(what));
        line.unwrap_or_else(|| panic!("{what}: {}", recorded.said)).to_owned()
    };
    assert!(line("a remote API operation").ends_with(" readable"), "{}", recorded.said);
    for job in ["file contents read", "a database query", "a database op", "file contents wri"] {
        assert!(line(job).contains("  blocking job "), "{}", recorded.said);
    }
}

#[test]
fn system_calls_that_take_longer_or_are_interrupted_make_no_difference() {
    let recorded = record("replay-strace");
    let strace = |args: &[&str]| {
        let mut command = Command::new("strace");
        command.args(args).args(["-f", "-o", "/dev/null"]);
        command
    };
    let slowly = ["-e", "inject=read,write,recvfrom,sendto,accept4,fsync:delay_enter=3000"];
    if !works(strace(&slowly).arg("true")) {
        return;
    }
    // And a signal is no answer: the call is made again.
    let interrupted = ["-e", "inject=recvfrom,sendto:error=EINTR:when=2+3"];
    for args in [&[][..], &slowly[..], &interrupted[..]] {
        let mut command = strace(args);
        command.args([env!("CARGO_BIN_EXE_demo"), "tour", "--replay", &recorded.file]);
        let mut output = within(command, &recorded.folder);
        output.stderr = without_the_remarks_of_strace(&output.stderr);
        assert_eq!(body(&succeeded(&output)), recorded.told());
    }
}

/// On a busy machine strace may say something of its own, "pid 7 has delayed wait data set already".
fn without_the_remarks_of_strace(stderr: &[u8]) -> Vec<u8> {
    let lines = stderr.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !line.starts_with(b"strace: ")).flatten().copied().collect()
}

/// What a debugger needs to go back: run it again, and stop at the n-th poll.
#[test]
fn the_nth_poll_is_the_same_each_time_also_after_a_breakpoint() {
    if !works(Command::new("gdb").args(["-batch", "-ex", "run", "--args", "true"])) {
        return;
    }
    let recorded = record("replay-gdb");
    let text = recorded.text();
    let polls: Vec<&str> = text.lines().filter(|line| line.ends_with(" is polled")).collect();
    for n in [3, polls.len() / 2, polls.len() - 1] {
        let mut gdb = Command::new("gdb");
        gdb.args(["-nx", "-batch", "-ex", "set debuginfod enabled off"]);
        gdb.args(["-ex", "break executor::scheduler::Scheduler::report_poll"]);
        gdb.args(["-ex", &format!("ignore 1 {}", n - 1), "-ex", "run"]);
        // Long enough for any timer of the request; it must not matter.
        gdb.args(["-ex", "print self.polling", "-ex", "shell sleep 0.2", "-ex", "delete"]);
        gdb.args(["-ex", "continue", "--args", env!("CARGO_BIN_EXE_demo")]);
        gdb.args(["tour", "--replay", &recorded.file]);
        let output = within(gdb, &recorded.folder);
        let said = String::from_utf8_lossy(&output.stdout);
        let task = polls[n - 1].trim_start_matches("# event: #").trim_end_matches(" is polled");
        assert!(said.contains(&format!("NonZeroU64Inner ({task})")), "poll {n}: {said}");
        assert!(said.contains(recorded.told()), "{said}");
    }
}

#[test]
fn if_the_ports_are_taken_it_takes_others_and_says_so() {
    let recorded = record("replay-ports");
    let text = recorded.text();
    let ports = text.lines().find_map(|line| line.strip_prefix("# ports: ")).unwrap();
    let taken = ports.split(' ').map(|port| TcpListener::bind(format!("127.0.0.1:{port}")));
    let taken: Vec<_> = taken.collect();
    let said = succeeded(&recorded.replay());
    assert!(said.contains("on other ports, since those are taken"), "{said}");
    assert_eq!(body(&said), recorded.told());
    drop(taken);
}

#[test]
fn another_run_is_told_from_the_same_one() {
    let recorded = record("replay-other");
    let text = recorded.text();

    // Another order of events, or another answer.
    let (first, second) = ("# event: #1 is polled\n", "# event: nobody is polled\n");
    let error = failed(&recorded.changed(&text.replacen(first, second, 1)));
    assert!(error.contains("was \"nobody is polled\", and is \"#1 is polled\" now"), "{error}");
    let error = failed(&recorded.changed(&text.replacen("GET / -> 200", "GET / -> 404", 1)));
    assert!(error.contains("line 2 was ") && error.contains("404"), "{error}");

    // Other answers from outside.
    let error = failed(&recorded.changed(&text.replacen(" sources=3 ", " sources=7 ", 1)));
    assert!(error.contains("differs in turn "), "{error}");
    assert!(error.contains("there were 7 sources when it parked, and now 3"), "{error}");
    let error = failed(&recorded.changed(&text.replacen(":write:done", ":read:done", 1)));
    assert!(error.contains("the recorded run read from source"), "{error}");

    // It ends too early.
    let turns = text.lines().position(|line| line.starts_with("turn=9 ")).unwrap();
    let cut: String = text.lines().take(turns).map(|line| format!("{line}\n")).collect();
    let error = failed(&recorded.changed(&cut));
    assert!(error.contains("the recording breaks off here"), "{error}");
}

#[test]
fn what_is_no_recording_is_an_error_that_says_what_to_do() {
    let recorded = record("replay-garbage");
    let error = failed(&demo(&["tour", "--replay", "/nowhere/tour.run"], &recorded.folder));
    assert!(error.contains("`demo tour --record /nowhere/tour.run` makes one"), "{error}");
    let error = failed(&recorded.changed("burgers\n"));
    assert!(error.contains("this is no recording"), "{error}");
    let library = "reactor recording, version 1\nturn=0 at=0.000000ms sources=0 timers=0\nend\n";
    let error = failed(&recorded.changed(library));
    assert!(error.contains("this is no recording of the tour"), "{error}");
    let error = failed(&recorded.changed(&recorded.text()[..300 + 200]));
    assert!(error.contains("line "), "{error}");
    let error = failed(&demo(&["tour", "--record", "/nowhere/tour.run"], &recorded.folder));
    assert!(error.contains("/nowhere/tour.run: "), "{error}");
    let both = demo(&["tour", "--record", "a", "--data", "b"], &recorded.folder);
    assert_eq!(both.status.code(), Some(2), "{both:?}");
}
