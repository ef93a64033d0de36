//! A state as a tree: who spawned whom, and what each one waits for.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde_json::Value;
use watch::ms;

use crate::chart::bold;
use crate::cli::{Failure, Out};

/// How wide the names and the branches before them are, at least.
const NAMES: usize = 22;
/// A line that would be longer is two.
const WIDTH: usize = 98;

/// A coroutine in the tree.
struct Node<'a> {
    it: &'a Value,
    /// What is drawn before its name, and before the lines below it.
    branch: String,
    below: String,
}

/// All of a state.
struct State<'a> {
    json: &'a Value,
    by_id: BTreeMap<u64, &'a Value>,
    children: BTreeMap<u64, Vec<&'a Value>>,
    now: f64,
}

pub(super) fn draw(state: &Value, stand: &str, out: Out<'_>) -> Result<(), Failure> {
    let state = State::of(state);
    state.draw_head(stand, out)?;
    let nodes = state.nodes();
    let names = nodes.iter().map(|node| length(&node.branch) + length(&state.name(node.it))).max();
    let width = names.unwrap_or_default().clamp(NAMES, 2 * NAMES);
    let columns =
        format!("{:<width$}  {:<7} {:>8} {:>7} {:>9}", "", "state", "age", "polls", "busy");
    writeln!(out, "{columns}  spawned at")?;
    for node in &nodes {
        state.draw_node(node, width, out)?;
    }
    Ok(())
}

impl<'a> State<'a> {
    fn of(json: &'a Value) -> State<'a> {
        let list = json["coroutines"].as_array().map_or(&[][..], Vec::as_slice);
        let by_id: BTreeMap<u64, &Value> = list.iter().map(|it| (id(it), it)).collect();
        let mut children: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
        for it in by_id.values() {
            if let Some(parent) = it["parent"].as_u64() {
                children.entry(parent).or_default().push(it);
            }
        }
        let now = json["now"].as_f64().or(json["t"].as_f64()).unwrap_or_default();
        State { json, by_id, children, now }
    }

    fn draw_head(&self, stand: &str, out: Out<'_>) -> io::Result<()> {
        let doing = match self.json["phase"]["k"].as_str() {
            Some("polling") => format!("polls {}", self.name_of(&self.json["phase"]["task"])),
            Some("asleep") => "sleeps".to_owned(),
            _ => "is between two polls".to_owned(),
        };
        let count = self.by_id.len();
        let coroutines = if count == 1 { "coroutine" } else { "coroutines" };
        let head = format!("{stand}: {count} {coroutines}; the thread {doing}");
        writeln!(out, "{}", bold(&head))?;
        if self.json["gate"]["stands"] == Value::Bool(true) {
            writeln!(out, "stopped behind event {}", self.json["n"])?;
        }
        let ready = self.json["ready"].as_array().map_or(&[][..], Vec::as_slice);
        let ready: Vec<String> = ready.iter().map(|task| self.name_of(task)).collect();
        match ready.is_empty() {
            true => writeln!(out, "ready queue: empty\n"),
            false => writeln!(out, "ready queue: {}\n", ready.join(", ")),
        }
    }

    /// Parents before their children. A coroutine whose parent has ended is a root.
    fn nodes(&self) -> Vec<Node<'a>> {
        let is_root = |it: &&&Value| {
            it["parent"].as_u64().is_none_or(|parent| !self.by_id.contains_key(&parent))
        };
        let root = |it: &&'a Value| Node { it, branch: String::new(), below: String::new() };
        // A stack instead of recursion: a chain of spawns may be long.
        let mut open: Vec<Node<'_>> = self.by_id.values().filter(is_root).rev().map(root).collect();
        let mut nodes = Vec::new();
        while let Some(mut node) = open.pop() {
            let children = self.children.get(&id(node.it)).map_or(&[][..], Vec::as_slice);
            for (place, it) in children.iter().enumerate().rev() {
                let last = place + 1 == children.len();
                let (branch, below) = if last { ("`-- ", "    ") } else { ("|-- ", "|   ") };
                let branch = format!("{}{branch}", node.below);
                open.push(Node { it, branch, below: format!("{}{below}", node.below) });
            }
            if !children.is_empty() {
                node.below.push('|');
            }
            nodes.push(node);
        }
        nodes
    }

    fn draw_node(&self, node: &Node<'_>, width: usize, out: Out<'_>) -> io::Result<()> {
        let it = node.it;
        let name = format!("{}{}", node.branch, self.name(it));
        let age = time(self.now - number(&it["born"]));
        let (polls, busy) = (number(&it["polls"]), time(number(&it["busy"])));
        let (state, at) = (text(&it["state"]), text(&it["at"]));
        writeln!(out, "{name:<width$}  {state:<7} {age:>8} {polls:>7} {busy:>9}  {at}")?;
        let below = format!("{:<1$}", node.below, length(&node.branch) + 4);
        let parent = it["parent"].as_u64().filter(|parent| !self.by_id.contains_key(parent));
        if let Some(parent) = parent {
            writeln!(out, "{below}spawned by #{parent}, which has ended")?;
        }
        for (wait, at) in self.waits(it) {
            match length(&below) + length(&wait) + length(&at) {
                _ if at.is_empty() => writeln!(out, "{below}{wait}")?,
                ..WIDTH => writeln!(out, "{below}{wait}  {at}")?,
                _ => writeln!(out, "{below}{wait}\n{below}    {at}")?,
            }
        }
        Ok(())
    }

    /// What it waits for, and the line that does.
    fn waits(&self, it: &Value) -> Vec<(String, String)> {
        let only = |text: String| vec![(text, String::new())];
        match (text(&it["state"]), it["waits"].as_array()) {
            ("ready", _) => only(format!("woken by {}", self.by(&it["by"]))),
            ("parked", Some(waits)) if waits.is_empty() => match it["lost"].as_bool() {
                Some(true) => only("waits for nobody: no waker of it is left".to_owned()),
                _ => only("waits for somebody else, perhaps another thread".to_owned()),
            },
            ("parked", Some(waits)) => {
                let wait = |(place, wait): (usize, &Value)| {
                    let word = if place == 0 { "waits for" } else { "or for" };
                    let at = wait["at"].as_str().map_or(String::new(), |at| format!("({at})"));
                    (format!("{word} {}", self.wait(wait)), at)
                };
                waits.iter().enumerate().map(wait).collect()
            }
            _ => Vec::new(),
        }
    }

    fn wait(&self, wait: &Value) -> String {
        match text(&wait["k"]) {
            "source" => {
                format!("{}{}", socket(wait), self.ends(&wait["source"]))
            }
            "timer" => match wait["deadline"].as_f64() {
                Some(deadline) => format!("a timer, due in {}", time(deadline - self.now)),
                None => "a timer that is never due".to_owned(),
            },
            "job" => format!("blocking job {}", wait["job"]),
            "join" => format!("the end of {}", self.name_of(&wait["task"])),
            "send" => "room in a channel".to_owned(),
            "receive" => "a value in a channel".to_owned(),
            _ => "its next turn".to_owned(),
        }
    }

    /// `, 127.0.0.1:8000 -> 127.0.0.1:51234`
    fn ends(&self, socket: &Value) -> String {
        let source = &self.json["sources"][socket.to_string()];
        match (source["local"].as_str(), source["peer"].as_str()) {
            (Some(local), Some(peer)) => format!(", {local} -> {peer}"),
            (Some(local), None) => format!(", {local}"),
            _ => String::new(),
        }
    }

    fn by(&self, by: &Value) -> String {
        match text(&by["k"]) {
            "spawn" => "its spawn".to_owned(),
            "task" => self.name_of(&by["task"]),
            "source" => format!("{}{}", socket(by), self.ends(&by["source"])),
            "timer" => "a timer".to_owned(),
            "thread" => format!("thread {}", by["name"].as_str().unwrap_or("without a name")),
            _ => "somebody outside".to_owned(),
        }
    }

    fn name_of(&self, task: &Value) -> String {
        let it = task.as_u64().and_then(|task| self.by_id.get(&task));
        it.map_or_else(|| format!("#{task}"), |it| self.name(it))
    }

    fn name(&self, it: &Value) -> String {
        format!("#{} {}", id(it), text(&it["name"]))
    }
}

/// `socket 4 readable`
fn socket(wait: &Value) -> String {
    let direction = if wait["direction"] == "write" { "writable" } else { "readable" };
    format!("socket {} {direction}", wait["source"])
}

fn id(it: &Value) -> u64 {
    it["task"].as_u64().unwrap_or_default()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn time(milliseconds: f64) -> String {
    ms(Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default())
}

fn length(text: &str) -> usize {
    text.chars().count()
}
