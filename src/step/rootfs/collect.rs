//! What is taken along, and how it is written: sorted by path, owned by root, with the times of
//! the files that it comes from, so that the same image gives the same layer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::elf;
use super::tree::Tree;

/// Files of a base, by their path without links.
#[derive(Debug, Default)]
pub(super) struct Collection {
    entries: BTreeMap<String, Entry>,
    strip: BTreeSet<String>,
    /// Files that nobody has looked into yet.
    fresh: Vec<String>,
    /// Folders whose content is taken along: a link may lead back into one of them.
    walked: BTreeSet<String>,
}

#[derive(Debug)]
enum Entry {
    /// A folder, with the mode of the base's unless said.
    Folder(Option<u32>),
    File,
    Link(String),
}

impl Collection {
    /// Takes a path along, with all below it and the links on the way; false if it is not there.
    pub(super) fn keep(&mut self, base: &Tree, path: &str) -> bool {
        self.keep_without(base, path, &|_| false)
    }

    /// Likewise, without what has certain names.
    pub(super) fn keep_without(&mut self, base: &Tree, path: &str, without: &dyn Fn(&str) -> bool) -> bool {
        let Some(found) = base.resolve(path) else { return false };
        for (link, target) in found.links {
            self.parents(&link);
            self.entries.insert(link, Entry::Link(target));
        }
        let real = found.real;
        if self.entries.contains_key(&real) && !matches!(self.entries.get(&real), Some(Entry::Folder(_))) {
            return true;
        }
        let Ok(metadata) = fs::symlink_metadata(base.place(&real)) else { return false };
        self.parents(&real);
        if metadata.is_dir() {
            self.entries.insert(real.clone(), Entry::Folder(None));
            if !self.walked.insert(real.clone()) {
                return true;
            }
            for name in base.names(&real) {
                if !without(&name) {
                    self.keep_without(base, &format!("{}/{name}", real.trim_end_matches('/')), without);
                }
            }
        } else if metadata.is_file() {
            self.fresh.push(real.clone());
            self.entries.insert(real, Entry::File);
        }
        true
    }

    /// Takes a file along; a folder without what is in it.
    pub(super) fn keep_file(&mut self, base: &Tree, path: &str) {
        let is_file = base.resolve(path).is_some_and(|found| base.place(&found.real).is_file());
        if is_file {
            self.keep(base, path);
        }
    }

    /// Whether a path is taken along.
    pub(super) fn has(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    /// Adds a link, unless something is there.
    pub(super) fn link(&mut self, path: &str, target: &str) {
        self.parents(path);
        self.entries.entry(path.to_owned()).or_insert_with(|| Entry::Link(target.to_owned()));
    }

    /// Adds an empty folder.
    pub(super) fn folder(&mut self, path: &str, mode: u32) {
        self.parents(path);
        self.entries.entry(path.to_owned()).or_insert(Entry::Folder(Some(mode)));
    }

    /// Drops symbols and debug information of a file when it is written.
    pub(super) fn strip(&mut self, path: &str) {
        self.strip.insert(path.to_owned());
    }

    /// Has a file looked into, without taking it along.
    pub(super) fn look_into(&mut self, path: &str) {
        self.fresh.push(path.to_owned());
    }

    /// The files that were added since this was last asked.
    pub(super) fn fresh(&mut self) -> Vec<String> {
        std::mem::take(&mut self.fresh)
    }

    fn parents(&mut self, path: &str) {
        let mut folder = crate::paths::parent(path);
        while !folder.is_empty() {
            self.entries.entry(folder.to_owned()).or_insert(Entry::Folder(None));
            folder = crate::paths::parent(folder);
        }
    }

    /// Writes everything to a folder that is empty.
    pub(super) fn write(mut self, base: &Tree, out: &Path, epoch: u64) -> Result<(), String> {
        self.folder("/tmp", 0o1777);
        let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(epoch);
        for (path, entry) in &self.entries {
            let target = out.join(path.trim_start_matches('/'));
            let failed = |error: std::io::Error| format!("{path}: {error}");
            match entry {
                Entry::Folder(mode) => {
                    let mode = mode.or_else(|| {
                        fs::metadata(base.place(path)).ok().map(|metadata| metadata.mode() & 0o7777)
                    });
                    fs::create_dir_all(&target).map_err(failed)?;
                    let mode = fs::Permissions::from_mode(mode.unwrap_or(0o755));
                    fs::set_permissions(&target, mode).map_err(failed)?;
                }
                Entry::Link(to) => {
                    // There may be one of another collection, in a root that gets several.
                    if target.is_symlink() {
                        fs::remove_file(&target).map_err(failed)?;
                    }
                    symlink(to, &target).map_err(failed)?;
                }
                Entry::File => self.file(base, path, &target).map_err(failed)?,
            }
        }
        // Last, for writing into a folder changes its time.
        let folders = self.entries.iter().filter(|(_, entry)| matches!(entry, Entry::Folder(_)));
        for path in folders.map(|(path, _)| path.as_str()).chain(["/"]) {
            let folder = File::open(out.join(path.trim_start_matches('/')));
            let stamped = folder.and_then(|folder| folder.set_times(times(epoch)));
            stamped.map_err(|error| format!("{path}: {error}"))?;
        }
        Ok(())
    }

    fn file(&self, base: &Tree, path: &str, target: &Path) -> std::io::Result<()> {
        let source = base.place(path);
        let metadata = fs::metadata(&source)?;
        let stripped = if self.strip.contains(path) { elf::stripped(&fs::read(&source)?) } else { None };
        match stripped {
            Some(bytes) => fs::write(target, bytes)?,
            None => fs::copy(&source, target).map(|_| ())?,
        }
        // Set-uid programs have no place in an image for one user.
        fs::set_permissions(target, fs::Permissions::from_mode(metadata.mode() & 0o777))?;
        File::open(target)?.set_times(times(metadata.modified()?))
    }
}

fn times(time: SystemTime) -> FileTimes {
    FileTimes::new().set_accessed(time).set_modified(time)
}
