//! What a process costs, as Linux counts it under `/proc`.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::process::{self, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Demo, LIMIT};

pub(crate) struct Process(u32);

impl Process {
    /// The one whose folder for temporary files is that of `demo`.
    pub(crate) fn of(demo: &Demo) -> Process {
        let mark = format!("TMPDIR={}\0", demo.temporary.text());
        let ids = fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        let has_mark = |id: &u32| {
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            environment.windows(mark.len()).any(|part| part == mark.as_bytes())
        };
        Process(ids.filter(|id| *id != process::id()).find(has_mark).expect("the demo runs"))
    }

    /// How much memory it has, in KiB.
    pub(crate) fn memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.0)).unwrap().count()
    }

    /// As many as it has when nothing happens for a while: the last connection has ended.
    pub(crate) fn descriptors_at_rest(&self) -> usize {
        let (mut least, mut since) = (usize::MAX, Instant::now());
        while since.elapsed() < Duration::from_millis(100) {
            if self.descriptors() < least {
                (least, since) = (self.descriptors(), Instant::now());
            }
            thread::sleep(Duration::from_millis(10));
        }
        least
    }

    /// Waits until it has so few descriptors again.
    pub(crate) fn descriptors_return_to(&self, start: usize) {
        let begin = Instant::now();
        while self.descriptors() > start {
            assert!(begin.elapsed() < LIMIT, "{} descriptors, not {start}", self.descriptors());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Raises the limit of open files for us and for those whom we start; false if it cannot be so high.
pub(crate) fn may_open(files: usize) -> bool {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let mut numbers = line.split_whitespace().map(|n| n.parse().unwrap_or(usize::MAX));
    let (soft, hard) = (numbers.next().unwrap(), numbers.next().unwrap());
    if soft >= files || hard < files {
        return soft >= files;
    }
    let (own, limit) = (process::id().to_string(), format!("--nofile={files}:{hard}"));
    let raised = Command::new("prlimit").args(["--pid", &own, &limit]).status();
    raised.is_ok_and(|status| status.success())
}
