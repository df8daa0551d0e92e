//! A program that runs: started through [`super::super::launch`], with what it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::capture::{Capture, last_lines};
use super::processes::{Ended, Processes, family};
use crate::probe::launch::FOREIGN;

/// How many were started.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// How a program is started.
#[derive(Clone, Debug)]
pub(super) struct How<'a> {
    pub(super) args: &'a [String],
    pub(super) env: BTreeMap<String, String>,
    pub(super) user: (u32, u32),
    pub(super) cwd: String,
    pub(super) root: Option<&'a Path>,
    pub(super) no_new_privileges: bool,
    /// A folder for notes of ours.
    pub(super) notes: PathBuf,
}

/// A program that runs, or has run.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) pid: Pid,
    pub(super) since: Instant,
    pub(super) out: Capture,
    pub(super) err: Capture,
    /// What the launcher says if it could not start it.
    failed: PathBuf,
}

/// Why a program did not start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotStarted {
    /// The machine cannot run it: it is of another one, or a script without `#!`.
    Foreign,
    /// For another reason.
    Because(String),
}

impl Running {
    /// Starts it. An error is one of this program, not of the one that is started.
    pub(super) fn start(how: &How<'_>, processes: &mut Processes) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let (uid, gid) = how.user;
        let mut command = Command::new(own);
        command.args([
            "step",
            "launch",
            "--uid",
            &uid.to_string(),
            "--gid",
            &gid.to_string(),
            "--cwd",
            &how.cwd,
        ]);
        if how.no_new_privileges {
            command.arg("--no-new-privileges");
        }
        if let Some(root) = how.root {
            command.arg("--root").arg(root);
        }
        let failed = how.notes.join(format!("launch-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        command.arg("--failed").arg(&failed);
        command.arg("--").args(how.args).env_clear().envs(&how.env);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let since = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("cannot start: {error}"))?;
        let pid =
            i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("a process without a number")?;
        processes.forget(pid);
        let (out, err) = (Capture::of(child.stdout.take()), Capture::of(child.stderr.take()));
        // Its end is collected with all others; see `Processes`.
        Ok(Self { pid, since, out, err, failed })
    }

    pub(super) fn signal(&self, signal: Signal) {
        let _ = kill_process(self.pid, signal);
    }

    /// Waits for its end.
    pub(super) fn wait(&self, processes: &mut Processes, within: Duration) -> Option<Ended> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(ended) = processes.end_of(self.pid) {
                return Some(ended);
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it and all that it started, at once.
    pub(super) fn end(&self, processes: &mut Processes) {
        for process in family(self.pid.as_raw_nonzero().get()) {
            if let Some(pid) = Pid::from_raw(process.pid) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        self.wait(processes, Duration::from_secs(5));
        let _ = std::fs::remove_file(&self.failed);
    }

    /// Why it did not even start, once it has ended.
    pub(super) fn not_started(&self) -> Option<NotStarted> {
        let why = std::fs::read_to_string(&self.failed).ok().filter(|why| !why.is_empty())?;
        Some(if why == FOREIGN { NotStarted::Foreign } else { NotStarted::Because(why) })
    }

    /// The last that it said: on stderr, or else on stdout.
    pub(super) fn last_words(&self) -> Vec<String> {
        let err = last_lines(&self.err.settled(), 8);
        if err.is_empty() { last_lines(&self.out.settled(), 8) } else { err }
    }

    /// All that it said.
    pub(super) fn words(&self) -> String {
        self.out.text() + &self.err.text()
    }
}
