//! Services that run beside the one that is verified: a database, another component. Each has its own
//! root, a copy that forgets; all share the step's loopback, on which their names lead.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::accounts;
use super::processes::Processes;
use super::service::{How, NotStarted, Running};
use super::sockets::listening;
use crate::probe::{Program, println};

/// How long one may take until its port is open.
const OPEN_WITHIN: Duration = Duration::from_mins(1);

/// A service that runs beside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Its name.
    pub name: String,
    /// Where its file system is mounted.
    pub root: PathBuf,
    /// What it runs.
    pub program: Program,
    /// Its environment, beside that of its image.
    pub env: BTreeMap<String, String>,
    /// Its TCP ports.
    pub ports: BTreeSet<u16>,
}

/// Starts all of them, each when the one before is up, and gives their numbers.
pub(super) fn start(
    neighbours: &[Neighbour],
    notes: &Path,
    processes: &mut Processes,
) -> Result<Vec<i32>, String> {
    let mut started = Vec::new();
    for neighbour in neighbours {
        let one = one(neighbour, notes, processes);
        started.push(one.map_err(|why| format!("`{}` does not run beside it: {why}", neighbour.name))?);
    }
    Ok(started)
}

fn one(neighbour: &Neighbour, notes: &Path, processes: &mut Processes) -> Result<i32, String> {
    let before: BTreeSet<u16> = listening().into_keys().collect();
    if let Some(port) = neighbour.ports.intersection(&before).next() {
        return Err(format!("another service has its port {port}, and they share one loopback"));
    }
    furnish(&neighbour.root).map_err(|error| format!("its root cannot be furnished: {error}"))?;
    let mut env: BTreeMap<String, String> = neighbour.program.env.iter().cloned().collect();
    env.extend(neighbour.env.clone());
    let since = Instant::now();
    let how = How {
        args: &neighbour.program.args,
        env,
        user: accounts::ids(&neighbour.program.user, &neighbour.root)?,
        cwd: if neighbour.program.cwd.is_empty() { "/".to_owned() } else { neighbour.program.cwd.clone() },
        root: Some(&neighbour.root),
        no_new_privileges: false,
        notes: notes.to_owned(),
    };
    let running = Running::start(&how, processes)?;
    loop {
        let open: BTreeSet<u16> = listening().into_keys().filter(|port| !before.contains(port)).collect();
        let up = if neighbour.ports.is_empty() {
            !open.is_empty() || since.elapsed() > Duration::from_secs(3)
        } else {
            neighbour.ports.is_subset(&open)
        };
        if up {
            println(&format!("    {} runs beside it ({} ms)", neighbour.name, since.elapsed().as_millis()));
            return Ok(running.pid.as_raw_nonzero().get());
        }
        if let Some(ended) = processes.end_of(running.pid) {
            if let Some(NotStarted::Because(why)) = running.not_started() {
                return Err(format!("it cannot be started: {why}"));
            }
            return Err(format!("it {ended}: {}", running.last_words().join(" / ")));
        }
        if since.elapsed() > OPEN_WITHIN {
            return Err(format!(
                "its port is not open after {OPEN_WITHIN:?}: {}",
                running.last_words().join(" / ")
            ));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What an engine puts into every container, as far as a build step can.
fn furnish(root: &Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
    for (name, mode) in
        [("dev", 0o755), ("etc", 0o755), ("tmp", 0o1777), ("run", 0o1777), ("dev/shm", 0o1777)]
    {
        let path = root.join(name);
        std::fs::create_dir_all(&path)?;
        if name != "etc" {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
        }
    }
    std::fs::copy("/etc/hosts", root.join("etc/hosts"))?;
    for (name, minor) in [("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)] {
        let path = root.join("dev").join(name);
        if !path.exists() {
            mknodat(CWD, &path, FileType::CharacterDevice, Mode::from_raw_mode(0o666), makedev(1, minor))?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666))?;
        }
    }
    Ok(())
}
