//! The folders that a program may write to, as a new container has them: empty ones, and volumes with what
//! the image has there.

use std::fs::{self, Permissions};
use std::io::Result;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Bench;

impl Bench {
    /// Every start begins with the same folders, as that of a new container does.
    pub(super) fn fresh_folders(&self) {
        for folder in &self.promise.tmpfs {
            clear(Path::new(folder));
            // As an engine makes them.
            let _ = fs::set_permissions(folder, Permissions::from_mode(0o1777));
        }
        for (folder, image) in &self.volumes {
            clear(folder);
            let _ = copy(image, folder);
        }
    }

    /// Files that look like logs, where it may write, from this start on.
    pub(super) fn log_files(&self, since: SystemTime) -> Vec<String> {
        let mut folders: Vec<PathBuf> =
            self.promise.tmpfs.iter().chain(&self.promise.volumes).map(PathBuf::from).collect();
        if !self.promise.read_only {
            folders.push(PathBuf::from("/var/log"));
            folders.extend(Some(PathBuf::from(&self.program.cwd)).filter(|cwd| cwd.parent().is_some()));
        }
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let Ok(metadata) = entry.metadata() else { continue };
                let is_log = path.extension().is_some_and(|end| end == "log") || path.starts_with("/var/log");
                let is_new = metadata.modified().is_ok_and(|time| time >= since);
                if metadata.is_dir() {
                    folders.push(path);
                } else if metadata.is_file() && metadata.len() > 0 && is_log && is_new {
                    found.push(path.display().to_string());
                }
            }
        }
        found.sort();
        found
    }
}

fn clear(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
    }
}

/// Copies what is in a folder, with owners and modes.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&source, &target)?;
        } else if metadata.is_symlink() {
            symlink(fs::read_link(&source)?, &target)?;
        } else if metadata.is_file() {
            fs::copy(&source, &target)?;
        } else {
            continue;
        }
        lchown(&target, Some(metadata.uid()), Some(metadata.gid()))?;
        if !metadata.is_symlink() {
            fs::set_permissions(&target, Permissions::from_mode(metadata.mode() & 0o7777))?;
        }
    }
    let metadata = fs::metadata(from)?;
    lchown(to, Some(metadata.uid()), Some(metadata.gid()))?;
    fs::set_permissions(to, Permissions::from_mode(metadata.mode() & 0o7777))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_as_it_was() {
        let root = std::env::temp_dir().join(format!("slipway-folders-{}", std::process::id()));
        fs::create_dir_all(root.join("image/a")).expect("a folder");
        fs::write(root.join("image/a/x"), "x").expect("a file");
        fs::set_permissions(root.join("image/a/x"), Permissions::from_mode(0o640)).expect("a mode");
        symlink("a/x", root.join("image/link")).expect("a link");
        fs::create_dir_all(root.join("volume")).expect("a folder");
        fs::write(root.join("volume/lock"), "stale").expect("a file");
        clear(&root.join("volume"));
        copy(&root.join("image"), &root.join("volume")).expect("copied");
        let mode = fs::metadata(root.join("volume/link")).expect("there").mode() & 0o7777;
        let stale = root.join("volume/lock").exists();
        fs::remove_dir_all(&root).expect("it was there");
        assert_eq!((mode, stale), (0o640, false));
    }
}
