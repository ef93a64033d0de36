//! strace, which makes system calls fail as if the kernel had said so.
//!
//! It attaches to a stand that is open already, so that a fault can be aimed at files whose names
//! have the process id in them, and lets go of it while it runs: so one sees whether it recovers.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::stand::skip;
use crate::common::{Folder, LIMIT};

/// Dropped, it lets go.
pub struct Strace {
    child: Child,
    own: Folder,
    remarks: Receiver<String>,
}

/// True if there is no strace here, or it may not trace; why is printed.
pub fn is_missing() -> bool {
    static TRIED: OnceLock<Result<(), String>> = OnceLock::new();
    let tried = TRIED.get_or_init(|| {
        let mut sleeper = Command::new("sleep").arg("20").spawn().unwrap();
        let attached = Strace::try_attach(sleeper.id(), &[]).map(drop);
        let _ = sleeper.kill();
        let _ = sleeper.wait();
        attached
    });
    tried.as_ref().is_err_and(|reason| skip(reason))
}

impl Strace {
    fn try_attach(process: u32, args: &[String]) -> Result<Strace, String> {
        let own = Folder::new("strace");
        let mut command = Command::new("strace");
        command.args(["-f", "-y", "-p", &process.to_string(), "-o"]).arg(own.0.join("log"));
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| format!("there is no strace: {error}"))?;
        let (sender, remarks) = channel();
        let mut strace = Strace { child, own, remarks };
        let stderr = strace.child.stderr.take().unwrap();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        match strace.remarks.recv_timeout(LIMIT) {
            Ok(line) if line.contains("attached") => Ok(strace),
            other => Err(format!("strace may not trace here: {other:?}")),
        }
    }

    /// Returns when all its threads are traced.
    pub fn attach(process: u32, args: &[String]) -> Strace {
        Strace::try_attach(process, args).unwrap_or_else(|error| panic!("{error}; {args:?}"))
    }

    /// Lets go, and gives the log.
    pub fn detach(mut self) -> String {
        self.let_go();
        fs::read_to_string(self.own.0.join("log")).unwrap()
    }

    fn let_go(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            // Not SIGKILL: then it could not put its processes right.
            let _ = Command::new("kill").arg(self.child.id().to_string()).status();
            let _ = self.child.wait();
        }
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Makes `calls` fail with `error`, in each thread the ones that `when` says (`3+5`: the third and
/// then every fifth), and only on these files if there are any.
pub fn inject(calls: &str, error: &str, when: &str, files: &[String]) -> Vec<String> {
    let mut args = vec!["-e".to_owned(), format!("trace={calls}")];
    args.extend(["-e".to_owned(), format!("inject={calls}:error={error}:when={when}")]);
    args.extend(files.iter().flat_map(|file| ["-P".to_owned(), file.clone()]));
    args
}

/// How often the fault was there.
pub fn injected(log: &str) -> usize {
    log.matches("(INJECTED)").count()
}
