//! Becomes a program as an engine would start it in a container: in its working directory, as its user
//! without further groups, as the parent of what its children leave behind.
//!
//! This is a program of its own because all of that has to happen between `fork` and `exec`; a
//! process that starts another one cannot do it for that one without unsafe code.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use rustix::process::{Gid, Uid, getpid, set_child_subreaper};
use rustix::thread::{
    CapabilitySet, CapabilitySets, configure_capability_in_ambient_set, set_capabilities,
    set_keep_capabilities, set_no_new_privs, set_thread_gid, set_thread_groups, set_thread_uid,
};

/// What the file says of a program that the machine cannot run.
pub(super) const FOREIGN: &str = "foreign";

/// Why there is no program.
enum Failed {
    /// Something before it.
    Before(String),
    /// The program itself.
    Exec(std::io::Error),
}

/// See the module.
#[derive(Debug, Args)]
pub struct Launch {
    /// The user
    #[arg(long)]
    uid: u32,
    /// Its group
    #[arg(long)]
    gid: u32,
    /// The working directory
    #[arg(long, default_value = "/")]
    cwd: PathBuf,
    /// Another root directory
    #[arg(long)]
    root: Option<PathBuf>,
    /// Gain nothing by set-uid files
    #[arg(long)]
    no_new_privileges: bool,
    /// The file that gets the reason if it cannot be started: `foreign`, or words
    #[arg(long)]
    failed: PathBuf,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    program: Vec<String>,
}

impl Launch {
    /// Does not return if all goes well.
    pub fn run(&self) -> Result<(), String> {
        // While it can still be reached. It is closed when the program begins.
        let mut failed = std::fs::File::create(&self.failed)
            .map_err(|error| format!("{}: {error}", self.failed.display()))?;
        let why = match self.become_program() {
            // ENOEXEC: a program of another machine, or a script without `#!`.
            Err(Failed::Exec(error)) if error.raw_os_error() == Some(8) => FOREIGN.to_owned(),
            Err(Failed::Exec(error)) => error.to_string(),
            Err(Failed::Before(why)) => why,
            Ok(()) => return Ok(()),
        };
        let _ = failed.write_all(why.as_bytes());
        std::process::exit(125)
    }

    fn become_program(&self) -> Result<(), Failed> {
        if let Some(root) = &self.root {
            std::os::unix::fs::chroot(root)
                .map_err(|error| Failed::Before(format!("chroot {}: {error}", root.display())))?;
        }
        std::env::set_current_dir(&self.cwd)
            .map_err(|error| Failed::Before(format!("cannot work in {}: {error}", self.cwd.display())))?;
        self.become_user()
            .map_err(|error| Failed::Before(format!("cannot run as {}:{}: {error}", self.uid, self.gid)))?;
        let Some((program, args)) = self.program.split_first() else { return Ok(()) };
        Err(Failed::Exec(Command::new(program).args(args).exec()))
    }

    fn become_user(&self) -> rustix::io::Result<()> {
        set_child_subreaper(Some(getpid()))?;
        // As runc does: a program that opens `/dev/stdout` opens the pipe behind it.
        for pipe in [rustix::stdio::stdout(), rustix::stdio::stderr()] {
            rustix::fs::fchown(pipe, Some(Uid::from_raw(self.uid)), None)?;
        }
        let keeps = self.uid != 0;
        if keeps {
            set_keep_capabilities(true)?;
        }
        set_thread_groups(&[])?;
        set_thread_gid(Gid::from_raw(self.gid))?;
        set_thread_uid(Uid::from_raw(self.uid))?;
        if keeps {
            // Engines open ports below 1024 to every user of a container; a build step's network does not.
            let low_ports = CapabilitySet::NET_BIND_SERVICE;
            let sets = CapabilitySets { effective: low_ports, permitted: low_ports, inheritable: low_ports };
            set_capabilities(None, sets)?;
            configure_capability_in_ambient_set(low_ports, true)?;
        }
        if self.no_new_privileges {
            set_no_new_privs(true)?;
        }
        Ok(())
    }
}
