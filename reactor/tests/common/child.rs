//! A test that runs itself once more, in a process of its own: for limits and signals.

use std::process::{Command, Output};

use super::{test_name, within};

const CHILD: &str = "REACTOR_TEST_CHILD";

/// Runs `body` in a child process that is this very test, started by a shell after `setup`. The
/// child has a time limit, and must succeed. In the parent: what it wrote to stderr.
pub(crate) fn as_child<F: FnOnce() + Send + 'static>(setup: &str, body: F) -> Option<String> {
    let name = test_name::<F>();
    if std::env::var(CHILD).is_ok_and(|child| child == name) {
        // What it prints on the way out tells that it was not some other test that succeeded.
        within(body);
        println!("{name} is done");
        return None;
    }
    let child = Command::new("sh")
        .args(["-c", &format!("{setup}\nexec \"$@\""), "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, name)
        .output()
        .expect("sh starts");
    Some(check(name, &child))
}

fn check(name: &str, child: &Output) -> String {
    let [stdout, stderr] = [&child.stdout, &child.stderr].map(|text| String::from_utf8_lossy(text));
    let done = child.status.success() && stdout.contains(&format!("{name} is done"));
    assert!(done, "the child failed: {}\n{stdout}\n{stderr}", child.status);
    stderr.into_owned()
}

/// Whether this shell can do it; if not, says so. The child need not ask again, and might be
/// refused: nobody can be held by two straces.
pub(crate) fn limits_can_be_set(setup: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let able = Command::new("sh").args(["-c", setup]).output().is_ok_and(|o| o.status.success());
    if !able {
        println!("skipped: `sh -c {setup:?}` does not work here");
    }
    able
}
