//! What runs *inside* build steps: our own binary, mounted from the frontend's own image into a
//! step of the build. It works on the file systems of images without anything of theirs
//! having to run, and without the frontend having to pull them.

mod accounts;
mod make;
mod rootfs;
mod size;

use clap::Subcommand;

use crate::probe::{inspect, launch, report, start, verdict};

/// The programs for build steps.
#[derive(Debug, Subcommand)]
pub enum Step {
    /// Look at an image's files and configuration, and say what of its contract holds
    Inspect(inspect::Inspect),
    /// Become a program as an engine would start it
    Launch(launch::Launch),
    /// Make a folder, a link or a file
    Make(make::Make),
    /// Put together what was found of contracts
    Report(report::Put),
    /// Start an image's program, and say what of its contract holds
    Start(start::Start),
    /// Refuse an image whose contract is broken
    Verdict(verdict::Verdict),
    /// Add a user and its group to the accounts of a base file system
    Accounts(accounts::Accounts),
    /// Collect what a program needs to run from a base file system
    Rootfs(rootfs::Rootfs),
    /// Refuse an image that is too heavy
    Size(size::Size),
}

impl Step {
    /// Runs it; the error is what the build shows.
    pub fn run(&self) -> Result<(), String> {
        match self {
            Self::Accounts(accounts) => accounts.run(),
            Self::Inspect(inspect) => inspect.run(),
            Self::Launch(launch) => launch.run(),
            Self::Make(make) => make.run(),
            Self::Report(report) => report.run(),
            Self::Start(start) => start.run(),
            Self::Verdict(verdict) => verdict.run(),
            Self::Rootfs(rootfs) => rootfs.run(),
            Self::Size(size) => size.run(),
        }
    }
}
