//! gdb and lldb, without anybody at the keyboard.

#![allow(unreachable_pub, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::process::Command;

use super::common::{Folder, Parked, folder, installed, output, plain, skip};

pub trait Front {
    /// What it answers on a process that runs; None if it may not attach.
    fn attached(&self, process: &str, commands: &[&str]) -> Option<Vec<String>>;
    fn on_core(&self, program: &Path, core: &Path, commands: &[&str]) -> Vec<String>;
    /// All that it says, refusals too.
    fn text_on_core(&self, program: &Path, core: &Path, commands: &[&str]) -> String;
    /// What it says after a start and a stop at `at`. A command that begins with `-` is its own.
    fn started(&self, program: &Path, at: &str, commands: &[&str]) -> Option<String>;
    fn not_started(&self, program: &Path, commands: &[&str]) -> String;
}

/// All of them are there, in this order.
pub fn in_order(text: &str, wanted: &[&str]) {
    assert!(!text.contains("Traceback"), "{text}");
    let mut rest = text;
    for part in wanted {
        let place = rest.find(part).unwrap_or_else(|| panic!("{part} is not there:\n{text}"));
        rest = &rest[place + part.len()..];
    }
}

pub fn is_unoptimised(program: &Path) -> bool {
    !program.to_str().unwrap().contains("release")
}

/// The answers between the marks that `run` has put before each command.
fn between(text: &str, mark: impl Fn(&str) -> String, commands: &[&str]) -> Vec<String> {
    let mut answers = Vec::new();
    for command in commands {
        let begin = mark(command);
        let from = text.find(&begin).unwrap_or_else(|| panic!("no {begin} in\n{text}"));
        let answer = &text[from + begin.len()..];
        let end = answer.find(END).unwrap_or_else(|| panic!("no end in\n{answer}"));
        answers.push(plain(&answer[..end]));
    }
    answers
}

const END: &str = "(end)";

fn async_or_own(command: &str) -> String {
    command.strip_prefix("- ").map_or_else(|| format!("async {command}"), str::to_owned)
}

pub struct Gdb;

impl Gdb {
    pub fn found() -> Option<Gdb> {
        if installed("gdb", "--version") {
            return Some(Gdb);
        }
        skip("gdb is not installed");
        None
    }

    fn run(arguments: &[&str], commands: &[String]) -> String {
        let mut gdb = Command::new("gdb");
        gdb.env("LC_ALL", "C.UTF-8").args(["-nx", "-q", "-batch", "-iex", "set width 0"]);
        gdb.args([
            "-iex",
            "set debuginfod enabled off",
            "-iex",
            "set auto-load python-scripts off",
        ]);
        gdb.args(arguments).args(["-ex", &format!("source {}/for_gdb.py", folder().display())]);
        for command in commands {
            gdb.args(["-ex", command]);
        }
        output(gdb).0
    }

    fn marked(commands: &[&str]) -> Vec<String> {
        let around = |command: &&str| {
            [
                format!("echo (begin {command})\\n"),
                format!("async {command}"),
                format!("echo {END}\\n"),
            ]
        };
        commands.iter().flat_map(around).collect()
    }

    fn answers(text: &str, commands: &[&str]) -> Vec<String> {
        between(text, |command| format!("(begin {command})\n"), commands)
    }

    /// Writes a core file of the process.
    pub fn core_of(&self, parked: &Parked) -> Option<Core> {
        let folder = Folder::new("core");
        let core = Core { path: folder.0.join("core"), _folder: folder };
        let write = format!("generate-core-file {}", core.path.display());
        let text = Gdb::run(&["-p", &parked.id()], &[write]);
        if core.path.exists() {
            return Some(core);
        }
        skip(&format!("no core file can be written: {text}"));
        None
    }
}

/// A core file. It is removed with its folder.
pub struct Core {
    pub path: PathBuf,
    _folder: Folder,
}

impl Front for Gdb {
    fn attached(&self, process: &str, commands: &[&str]) -> Option<Vec<String>> {
        let text = Gdb::run(&["-p", process], &Gdb::marked(commands));
        if text.contains("ptrace: Operation not permitted") {
            skip("gdb may not attach to a process here (ptrace)");
            return None;
        }
        Some(Gdb::answers(&text, commands))
    }

    fn on_core(&self, program: &Path, core: &Path, commands: &[&str]) -> Vec<String> {
        Gdb::answers(&self.text_on_core(program, core, commands), commands)
    }

    fn text_on_core(&self, program: &Path, core: &Path, commands: &[&str]) -> String {
        let files = [program.to_str().unwrap(), core.to_str().unwrap()];
        Gdb::run(&files, &Gdb::marked(commands))
    }

    fn started(&self, program: &Path, at: &str, commands: &[&str]) -> Option<String> {
        let start = [format!("break {at}"), "run </dev/null".to_owned(), "delete".to_owned()];
        let commands =
            start.into_iter().chain(commands.iter().map(|command| async_or_own(command)));
        let text = Gdb::run(&[program.to_str().unwrap()], &commands.collect::<Vec<_>>());
        if text.contains("Operation not permitted") {
            skip("gdb may not trace a process here (ptrace)");
            return None;
        }
        Some(text)
    }

    fn not_started(&self, program: &Path, commands: &[&str]) -> String {
        let commands: Vec<_> = commands.iter().map(|command| async_or_own(command)).collect();
        Gdb::run(&[program.to_str().unwrap()], &commands)
    }
}

pub struct Lldb;

impl Lldb {
    pub fn found() -> Option<Lldb> {
        let here = ["lldb", "lldb-19", "lldb-18", "lldb-17", "lldb-16", "lldb-15", "lldb-14"];
        if here.iter().any(|lldb| installed(lldb, "--version")) {
            return Some(Lldb);
        }
        skip("lldb is not installed");
        None
    }

    /// Through `start`, which finds lldb and its Python.
    fn run(arguments: &[&str], commands: &[String]) -> String {
        let scripts = Folder::new("lldb");
        let (outer, inner) = (scripts.0.join("outer"), scripts.0.join("inner"));
        // A command that fails must not end the others.
        std::fs::write(&outer, format!("command source -e false {}\n", inner.display())).unwrap();
        std::fs::write(&inner, commands.join("\n") + "\n").unwrap();
        let mut lldb = Command::new(folder().join("start"));
        lldb.env("LC_ALL", "C.UTF-8");
        lldb.env("DEBUGGER_OPTIONS", format!("-x -b -s {}", outer.display()));
        lldb.arg("lldb").args(arguments);
        output(lldb).0
    }

    fn marked(commands: &[&str]) -> Vec<String> {
        let around =
            |command: &&str| [format!("async {command}"), format!("script print('{END}')")];
        commands.iter().flat_map(around).collect()
    }

    fn answers(text: &str, commands: &[&str]) -> Vec<String> {
        let text = text.replace("(lldb) script print('(end)')\n", "");
        between(&text, |command| format!("(lldb) async {command}\n"), commands)
    }
}

impl Front for Lldb {
    fn attached(&self, process: &str, commands: &[&str]) -> Option<Vec<String>> {
        let commands_with: Vec<_> = std::iter::once(format!("process attach --pid {process}"))
            .chain(Lldb::marked(commands))
            .collect();
        let text = Lldb::run(&[], &commands_with);
        if text.contains("attach failed") {
            skip("lldb may not attach to a process here (ptrace)");
            return None;
        }
        Some(Lldb::answers(&text, commands))
    }

    fn on_core(&self, program: &Path, core: &Path, commands: &[&str]) -> Vec<String> {
        Lldb::answers(&self.text_on_core(program, core, commands), commands)
    }

    fn text_on_core(&self, program: &Path, core: &Path, commands: &[&str]) -> String {
        let open = format!("target create {} --core {}", program.display(), core.display());
        let commands_with: Vec<_> = std::iter::once(open).chain(Lldb::marked(commands)).collect();
        Lldb::run(&[], &commands_with)
    }

    fn started(&self, program: &Path, at: &str, commands: &[&str]) -> Option<String> {
        let open = format!("target create {}", program.display());
        let start =
            [open, format!("b {at}"), "run </dev/null".into(), "breakpoint delete -f".into()];
        let commands =
            start.into_iter().chain(commands.iter().map(|command| async_or_own(command)));
        let text = Lldb::run(&[], &commands.collect::<Vec<_>>());
        if text.contains("Operation not permitted") {
            skip("lldb may not trace a process here (ptrace)");
            return None;
        }
        Some(text)
    }

    fn not_started(&self, program: &Path, commands: &[&str]) -> String {
        let open = format!("target create {}", program.display());
        let commands =
            std::iter::once(open).chain(commands.iter().map(|command| async_or_own(command)));
        Lldb::run(&[], &commands.collect::<Vec<_>>())
    }
}
