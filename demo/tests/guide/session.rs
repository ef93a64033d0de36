//! Runs a session without anybody at the keyboard.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::common::{self, Folder, example, skip};
use super::page::{Session, folder_of_workspace};

/// One at a time: the recording that they replay has ports in it.
static ONE: Mutex<()> = Mutex::new(());

fn limit() -> Duration {
    let factor = std::env::var("TEST_TIME_FACTOR").map_or(1.0, |factor| factor.parse().unwrap());
    Duration::from_secs(120).mul_f64(factor)
}

enum Start {
    /// The debugger starts it.
    Run(PathBuf, Vec<String>),
    /// It runs already.
    Attach(PathBuf),
    /// It has died.
    Core(PathBuf),
}

impl Session {
    /// The answers, as they came; None if that is not possible here.
    pub(crate) fn run(&self) -> Option<Vec<String>> {
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Folder::new(&format!("guide-{}-{}", self.debugger, self.name));
        let (mut words, mut running) = (Vec::new(), None);
        match self.start()? {
            Start::Run(program, arguments) => {
                words.push(program.display().to_string());
                words.extend(arguments);
            }
            Start::Attach(program) => {
                let process = Running::start(&program);
                words.extend(["-p".to_owned(), process.id()]);
                running = Some(process);
            }
            Start::Core(program) => {
                let core = core_of(&program, &folder.0).display().to_string();
                words.extend(["-c".to_owned(), core, program.display().to_string()]);
            }
        }
        let text = match self.debugger.as_str() {
            "gdb" => self.gdb(&words, &folder.0),
            _ => self.lldb(&words, &folder.0),
        };
        drop(running);
        for reason in ["Operation not permitted", "attach failed", "Could not attach"] {
            if text.contains(reason) {
                skip(&format!("{} may not trace a process here: {reason}", self.debugger));
                return None;
            }
        }
        Some(self.split(&text))
    }

    /// `cargo dbg --example NAME -- ARGUMENT...`, `start gdb -p $(pgrep -x NAME)`, or
    /// `start gdb -c CORE target/debug/examples/NAME`.
    fn start(&self) -> Option<Start> {
        let words: Vec<&str> = self.start.split_whitespace().collect();
        let after = |word| words.iter().skip_while(move |it| **it != word).skip(1);
        let last = words.last().expect("a session says how it is started").trim_end_matches(')');
        if self.start.contains("pgrep -x") {
            return Some(Start::Attach(example(last)?));
        }
        if self.start.contains(" -c ") {
            return Some(Start::Core(example(last.rsplit('/').next().unwrap())?));
        }
        let program = match after("--example").next() {
            Some(name) => example(name)?,
            None => PathBuf::from(env!("CARGO_BIN_EXE_demo")),
        };
        Some(Start::Run(program, after("--").map(|&word| word.to_owned()).collect()))
    }

    /// A script of Python, since one of gdb ends at the first command that fails.
    fn gdb(&self, words: &[String], folder: &Path) -> String {
        let script = folder.join("session.py");
        let commands: Vec<_> = self.steps.iter().map(|step| &step.command).collect();
        let text = GDB.replace("COMMANDS", &format!("{commands:?}")).replace("BEGIN", BEGIN);
        std::fs::write(&script, text).unwrap();
        let options = format!("-nx -batch -x {}", script.display());
        within_limit(self.debugger(words, &options))
    }

    /// Two scripts, for the same reason.
    fn lldb(&self, words: &[String], folder: &Path) -> String {
        let (outer, inner) = (folder.join("outer"), folder.join("inner"));
        std::fs::write(&outer, format!("command source -e false {}\n", inner.display())).unwrap();
        let mark = format!("script print({BEGIN:?})\n");
        let commands: String =
            self.steps.iter().map(|step| format!("{mark}{}\n", step.command)).collect();
        std::fs::write(&inner, commands + &mark).unwrap();
        let options = format!("-x -b -s {}", outer.display());
        let text = within_limit(self.debugger(words, &options));
        text.replace(&format!("(lldb) {mark}"), "")
    }

    fn debugger(&self, words: &[String], options: &str) -> Command {
        let mut start = Command::new(common::folder().join("start"));
        start.env("DEBUGGER_OPTIONS", options).arg(&self.debugger).args(words);
        start
    }

    fn split(&self, text: &str) -> Vec<String> {
        let parts: Vec<&str> = text.split(&format!("{BEGIN}\n")).collect();
        assert!(parts.len() > self.steps.len() + 1, "{} has ended early:\n{text}", self.name);
        let steps = self.steps.iter().zip(&parts[1..]);
        steps
            .map(|(step, part)| {
                let echo = format!("(lldb) {}\n", step.command);
                part.strip_prefix(&echo).unwrap_or(part).to_owned()
            })
            .collect()
    }
}

const BEGIN: &str = "---- the next command ----";

const GDB: &str = r#"import gdb
for setting in ("width 0", "height 0", "confirm off", "print thread-events off", "style enabled off"):
    gdb.execute("set " + setting)
for command in COMMANDS:
    gdb.write("BEGIN\n")
    gdb.flush()
    try:
        gdb.execute(command, True)
    except gdb.error as error:
        gdb.write(str(error) + "\n")
    gdb.flush()
gdb.write("BEGIN\n")
gdb.flush()
"#;

/// A program that has come to its end, where nothing moves.
struct Running {
    child: Child,
}

impl Running {
    fn start(program: &Path) -> Running {
        let mut command = Command::new(program);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut running = Running { child: child.expect("the example starts") };
        let mut lines = BufReader::new(running.child.stdout.take().unwrap()).lines();
        let said = lines.next().expect("it says something").unwrap();
        assert!(said.starts_with("process "), "{said}");
        thread::spawn(move || lines.for_each(drop));
        let begin = Instant::now();
        while !running.sleeps() {
            assert!(begin.elapsed() < limit(), "it does not come to rest");
            thread::sleep(Duration::from_millis(10)); // there is nobody who could tell
        }
        running
    }

    /// It waits in the system. (It has one thread, and a virtual clock: so it waits for ever.)
    fn sleeps(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('S'))
    }

    fn id(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Made as the page says it: by gdb, of the program at rest.
fn core_of(program: &Path, folder: &Path) -> PathBuf {
    let running = Running::start(program);
    let core = folder.join("core");
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-q", "-batch", "-p", &running.id()]);
    gdb.args(["-ex", &format!("generate-core-file {}", core.display())]);
    let text = within_limit(gdb);
    assert!(core.exists(), "no core file: {text}");
    core
}

/// What it says, on both streams in one. It has a process group of its own, and a limit.
fn within_limit(mut command: Command) -> String {
    // A demo that is killed by its debugger cannot clear its temporary folder away.
    let temporary = Folder(std::env::temp_dir().join(format!("guide-{}", std::process::id())));
    std::fs::create_dir_all(&temporary.0).unwrap();
    command.env("TMPDIR", &temporary.0);
    let (mut reader, writer) = std::io::pipe().unwrap();
    command.current_dir(folder_of_workspace()).env("LC_ALL", "C.UTF-8");
    command.env_remove("PYTHONPATH").env("NO_COLOR", "1").env("TERM", "dumb");
    command.stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut child = command.process_group(0).spawn().expect("the debugger starts");
    let (id, what) = (child.id(), format!("{command:?}"));
    drop(command); // and with it our ends of the pipe
    let (sender, ended) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = reader.read_to_end(&mut bytes);
        let _ = child.wait();
        let _ = sender.send(bytes);
    });
    let Ok(bytes) = ended.recv_timeout(limit()) else {
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{id}")]).status();
        panic!("{what} does not end");
    };
    String::from_utf8_lossy(&bytes).into_owned()
}
