//! What runs *inside* build steps: our own binary, mounted from the frontend's own image into a
//! step of the build. It works on the file systems of images without anything of theirs
//! having to run, and without the frontend having to pull them.

mod accounts;
mod rootfs;
mod size;

use clap::Subcommand;

/// The programs for build steps.
#[derive(Debug, Subcommand)]
pub enum Step {
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
            Self::Rootfs(rootfs) => rootfs.run(),
            Self::Size(size) => size.run(),
        }
    }
}
