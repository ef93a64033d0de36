//! The page: sessions in fenced blocks, each with commands and what they answer.
//!
//! ````text
//! ```gdb session=await
//! $ cargo dbg -- tour --replay demo/tests/guide/tour.run      how it is started, in its first block
//! (gdb) async next                                            a command
//! 92          let recipe = ...                                its answer; `...` is anything
//! ...                                                         also any number of lines
//! ```
//! ````

/// All blocks of one name and debugger, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) debugger: String,
    pub(crate) start: String,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) answer: Vec<String>,
    /// The place of its answer in the page: lines from here to there.
    pub(crate) lines: std::ops::Range<usize>,
}

pub(crate) fn sessions(page: &str) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    let mut inside: Option<usize> = None;
    for (n, line) in page.lines().enumerate() {
        if let Some((debugger, name)) = fence(line) {
            let same = |session: &Session| session.name == name && session.debugger == debugger;
            inside = Some(sessions.iter().position(same).unwrap_or_else(|| {
                let (name, debugger) = (name.to_owned(), debugger.to_owned());
                sessions.push(Session { name, debugger, ..Session::default() });
                sessions.len() - 1
            }));
        } else if line.starts_with("```") {
            inside = None;
        } else if let Some(session) = inside.map(|at| &mut sessions[at]) {
            session.read(n, line);
        }
    }
    sessions
}

fn fence(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("```")?.split_once(" session=")
}

impl Session {
    fn read(&mut self, n: usize, line: &str) {
        if let Some(start) = line.strip_prefix("$ ") {
            assert!(self.steps.is_empty(), "line {}: a session starts once", n + 1);
            start.clone_into(&mut self.start);
        } else if let Some(command) = line.strip_prefix(&format!("({}) ", self.debugger)) {
            let command = command.to_owned();
            self.steps.push(Step { command, answer: Vec::new(), lines: n + 1..n + 1 });
        } else {
            let step = self.steps.last_mut();
            let step = step.unwrap_or_else(|| panic!("line {}: an answer to nothing", n + 1));
            step.answer.push(line.to_owned());
            step.lines.end = n + 1;
        }
    }
}

/// Whether this is what the page says.
pub(crate) fn agrees(page: &[String], real: &[String]) -> bool {
    match page.split_first() {
        None => real.is_empty(),
        Some((any, rest)) if any == "..." => (0..=real.len()).any(|n| agrees(rest, &real[n..])),
        Some((first, rest)) => real.split_first().is_some_and(|(line, others)| {
            line_agrees(first.trim_end(), line.trim_end()) && agrees(rest, others)
        }),
    }
}

/// The new answer, with `...` where the page has it, if only numbers have changed.
pub(crate) fn merged(page: &[String], real: &[String]) -> Option<Vec<String>> {
    let Some((first, rest)) = page.split_first() else {
        return real.is_empty().then(Vec::new);
    };
    let (line, others) = if first == "..." {
        let others = (0..=real.len()).find_map(|n| merged(rest, &real[n..]));
        (first, others)
    } else {
        let (line, others) = real.split_first()?;
        if line_agrees(first, line) {
            (first, merged(rest, others))
        } else if line_agrees(&without_numbers(first), &without_numbers(line)) {
            (line, merged(rest, others))
        } else {
            return None;
        }
    };
    Some([vec![line.clone()], others?].concat())
}

fn without_numbers(line: &str) -> String {
    line.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn line_agrees(page: &str, real: &str) -> bool {
    let mut parts = page.split("...");
    let Some(mut real) = real.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return real.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return real.ends_with(part);
        }
        let Some(at) = real.find(part) else { return false };
        real = &real[at + part.len()..];
    }
    true
}

/// The page with other answers: (place of the old one, the new one), in order.
pub(crate) fn with_answers(
    page: &str,
    answers: &[(std::ops::Range<usize>, Vec<String>)],
) -> String {
    let lines: Vec<&str> = page.lines().collect();
    let (mut new, mut at) = (Vec::new(), 0);
    for (place, answer) in answers {
        new.extend(lines[at..place.start].iter().map(|&line| line.to_owned()));
        new.extend(answer.iter().cloned());
        at = place.end;
    }
    new.extend(lines[at..].iter().map(|&line| line.to_owned()));
    new.join("\n") + "\n"
}

// What is another in each run ---------------------------------------------------------------------

/// Lines that say nothing of the program.
const NOISE: [&str; 8] = [
    "[Thread debugging using",
    "Using host libthread_db",
    "[New Thread ",
    "[Thread 0x",
    "[Switching to Thread",
    "warning: ",
    "Warning:",
    "WARNING:",
];

/// An answer as it would stand in the page.
pub(crate) fn masked(answer: &str, folder: &str) -> Vec<String> {
    let root = format!("{}/", folder_of_workspace());
    let quiet = |line: &&str| {
        // lldb says when it starts and ends a process, sooner or later.
        let told = line.contains(" exited with status = 9") || line.contains(" launched: '");
        !told && !NOISE.iter().any(|noise| line.starts_with(noise))
    };
    let lines = answer.lines().filter(quiet).map(|line| {
        let line = line.replace(folder, "target/debug").replace(&root, "");
        mask(&line).trim_end().to_owned()
    });
    let mut lines: Vec<String> = lines.collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let empty = lines.iter().take_while(|line| line.is_empty()).count();
    lines.split_off(empty)
}

pub(crate) fn folder_of_workspace() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap().to_str().unwrap().to_owned()
}

fn mask(line: &str) -> String {
    let digit = |c: char| c.is_ascii_digit();
    let hex = |c: char| c.is_ascii_hexdigit();
    let mut line = line.to_owned();
    for before in ["127.0.0.1:", "fd ", "rocess ", "LWP ", "tid = ", "pid ", "PID "] {
        line = after(&line, before, digit);
    }
    for before in ["0x", "::h", "/rustc/"] {
        line = after(&line, before, hex);
    }
    for before in ["timer, ", "[", "  in "] {
        line = after(&line, before, |c| digit(c) || c == '.');
    }
    line = without_symbols(&line);
    // The pool's thread may have taken the job already.
    for state in [", in line  (", ", running  ("] {
        line = line.replace(state, ", ...  (");
    }
    without_parameters(&line.replace("...ms left", "...s left"))
}

/// gdb writes behind a pointer which symbol is there by chance: `cx=0x... <vtable+8>`.
fn without_symbols(line: &str) -> String {
    let (mut text, mut rest) = (String::new(), line);
    while let Some(at) = rest.find("0x... <") {
        let (head, symbol) = rest.split_at(at + "0x... ".len());
        let Some(end) = closing(symbol) else { break };
        text += head.trim_end();
        rest = &symbol[end + 1..];
    }
    text + rest
}

/// What stands behind these words: `...`.
fn after(line: &str, before: &str, is_one: impl Fn(char) -> bool) -> String {
    let (mut masked, mut rest) = (String::new(), line);
    while let Some(at) = rest.find(before) {
        let (head, tail) = rest.split_at(at + before.len());
        let end = tail.find(|c| !is_one(c)).unwrap_or(tail.len());
        let next = tail[end..].chars().next();
        let wanted = match before {
            "timer, " | "  in " => true,
            "[" => next == Some('s'), // a time: `[0.123s]`
            _ => !next.is_some_and(char::is_alphanumeric), // not `::have`
        };
        masked += head;
        masked += if end > 0 && wanted { "..." } else { &tail[..end] };
        rest = &tail[end..];
    }
    masked + rest
}

/// The parameters of a generic function or type, if they are long.
fn without_parameters(line: &str) -> String {
    const LONG: usize = 44;
    let (mut text, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('<') {
        let Some(end) = closing(&rest[at..]).map(|end| at + end) else { break };
        let closed = if end - at > LONG { "<...>" } else { &rest[at..=end] };
        text += &rest[..at];
        text += closed;
        rest = &rest[end + 1..];
    }
    text + rest
}

/// Where the bracket is closed with which this begins.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut last) = (0, ' ');
    for (n, c) in text.char_indices() {
        depth += match c {
            '<' => 1,
            '>' if last != '-' => -1,
            _ => 0,
        };
        last = c;
        if depth == 0 {
            return Some(n);
        }
    }
    None
}
