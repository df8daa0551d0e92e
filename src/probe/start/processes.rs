//! All processes of the step. Whoever is the first process of a container inherits every orphan, and
//! has to reap it; so all ends are collected in one place.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
}

impl Ended {
    /// As a shell would say it.
    pub(super) fn code(self) -> i32 {
        match self {
            Self::Status(status) => status,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "ended with status {status}"),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
        }
    }
}

/// The ends that were seen.
#[derive(Debug, Default)]
pub(super) struct Processes {
    ended: BTreeMap<i32, Ended>,
}

impl Processes {
    /// How a process ended, if it has.
    pub(super) fn end_of(&mut self, pid: Pid) -> Option<Ended> {
        self.reap();
        self.ended.get(&pid.as_raw_nonzero().get()).copied()
    }

    /// A number that is used again has not ended.
    pub(super) fn forget(&mut self, pid: Pid) {
        self.ended.remove(&pid.as_raw_nonzero().get());
    }

    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            self.ended.insert(pid.as_raw_nonzero().get(), ended(status));
        }
    }

    /// Ends everything but this process and these families, as a container's end does: whatever a
    /// program leaves behind must not be there at the next start.
    pub(super) fn end_others(&mut self, keep: &[i32]) {
        // Elsewhere than in a container of its own, this is somebody's machine.
        if std::process::id() != 1 {
            return;
        }
        for _ in 0..100 {
            let mut kept: Vec<i32> =
                keep.iter().flat_map(|root| family(*root)).map(|process| process.pid).collect();
            kept.push(1);
            let others: Vec<i32> = all()
                .into_iter()
                .filter(|process| !kept.contains(&process.pid))
                .map(|process| process.pid)
                .collect();
            for pid in others.iter().filter_map(|pid| Pid::from_raw(*pid)) {
                let _ = kill_process(pid, Signal::KILL);
            }
            self.reap();
            if others.is_empty() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

fn ended(status: WaitStatus) -> Ended {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => Ended::Status(status),
        (None, signal) => Ended::Signal(signal.unwrap_or_default()),
    }
}

/// A process, by `/proc` (proc(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) name: String,
    pub(super) zombie: bool,
    /// Real, effective, saved.
    pub(super) uids: Vec<u32>,
    /// Likewise, and the further groups.
    pub(super) gids: Vec<u32>,
    /// The most memory that it had, in bytes.
    pub(super) peak: u64,
}

/// All processes that there are.
pub(super) fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: i32| parse(pid, &fs::read_to_string(format!("/proc/{pid}/status")).ok()?)).collect()
}

fn parse(pid: i32, status: &str) -> Option<Process> {
    let field = |name: &str| {
        status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    };
    let number = |text: &str| text.split_whitespace().next()?.parse().ok();
    let numbers = |name: &str| -> Option<Vec<u32>> {
        field(name).map(|ids| ids.split_whitespace().filter_map(|id| id.parse().ok()).collect())
    };
    Some(Process {
        pid,
        parent: field("PPid").and_then(|text| text.parse().ok())?,
        name: field("Name").unwrap_or_default().to_owned(),
        zombie: field("State").is_some_and(|state| state.starts_with('Z')),
        uids: numbers("Uid")?.into_iter().take(3).collect(),
        gids: numbers("Gid")?.into_iter().take(3).chain(numbers("Groups").unwrap_or_default()).collect(),
        peak: field("VmHWM").and_then(number).map_or(0, |kilobytes: u64| kilobytes << 10),
    })
}

/// A process and all that it started.
pub(super) fn family(root: i32) -> Vec<Process> {
    let all = all();
    let mut members = vec![root];
    let mut index = 0;
    while let Some(parent) = members.get(index).copied() {
        members.extend(all.iter().filter(|process| process.parent == parent).map(|process| process.pid));
        index += 1;
    }
    all.into_iter().filter(|process| members.contains(&process.pid)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_file() {
        let text = "Name:\tnode\nState:\tZ (zombie)\nPPid:\t7\nUid:\t1001\t1001\t1001\t1001\nGid:\t1002\t1002\t1002\t1002\nGroups:\t50 \nVmHWM:\t   2048 kB\n";
        let process = parse(9, text).expect("read");
        assert!(process.zombie && process.parent == 7 && process.peak == 2 << 20);
        assert_eq!((process.uids, process.gids), (vec![1001; 3], vec![1002, 1002, 1002, 50]));
        assert!(family(std::process::id().cast_signed()).iter().any(|process| process.parent > 0));
    }
}
