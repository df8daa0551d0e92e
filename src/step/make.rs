//! Makes folders, links and files in a root where there may be no shell to make them: for Dockerfiles that
//! were written from a plan, whose graph needs no program for it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use clap::Args;

/// See the module.
#[derive(Debug, Args)]
pub struct Make {
    /// A folder: PATH:MODE:UID:GID
    #[arg(long)]
    dir: Option<String>,
    /// What is missing of this folder and those above it, plain
    #[arg(long)]
    parents: Option<String>,
    /// A link: PATH:TARGET
    #[arg(long)]
    link: Option<String>,
    /// A file: PATH:MODE:UID:GID
    #[arg(long)]
    file: Option<String>,
    /// What is in the file
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    content: String,
}

impl Make {
    pub(super) fn run(&self) -> Result<(), String> {
        if let Some(dir) = &self.dir {
            let (path, mode, uid, gid) = parts(dir)?;
            let failed = |error: std::io::Error| format!("{path}: {error}");
            parents(path).and_then(|()| fs::create_dir_all(path)).map_err(failed)?;
            owned(path, mode, uid, gid).map_err(failed)?;
        }
        if let Some(path) = &self.parents {
            fs::create_dir_all(path).map_err(|error| format!("{path}: {error}"))?;
        }
        if let Some(link) = &self.link {
            let (path, target) = link.split_once(':').ok_or_else(|| format!("`{link}` is no PATH:TARGET"))?;
            let failed = |error: std::io::Error| format!("{path}: {error}");
            parents(path).and_then(|()| symlink(target, path)).map_err(failed)?;
        }
        if let Some(file) = &self.file {
            let (path, mode, uid, gid) = parts(file)?;
            let failed = |error: std::io::Error| format!("{path}: {error}");
            parents(path).and_then(|()| fs::write(path, &self.content)).map_err(failed)?;
            owned(path, mode, uid, gid).map_err(failed)?;
        }
        Ok(())
    }
}

/// PATH:MODE:UID:GID; the path may have colons.
fn parts(text: &str) -> Result<(&str, u32, u32, u32), String> {
    let mut parts = text.rsplitn(4, ':');
    let (gid, uid, mode, path) = (parts.next(), parts.next(), parts.next(), parts.next());
    let found = || Some((path?, u32::from_str_radix(mode?, 8).ok()?, uid?.parse().ok()?, gid?.parse().ok()?));
    found().ok_or_else(|| format!("`{text}` is no PATH:MODE:UID:GID"))
}

/// The folders above a path: plain, whoever owns what is in them.
fn parents(path: &str) -> std::io::Result<()> {
    Path::new(path).parent().map_or(Ok(()), fs::create_dir_all)
}

fn owned(path: &str, mode: u32, uid: u32, gid: u32) -> std::io::Result<()> {
    chown(path, Some(uid), Some(gid))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}
