//! A file system of an image, mounted somewhere: its links lead to places within it, never to
//! where it is mounted.

use std::fs;
use std::path::{Path, PathBuf};

/// A mounted file system.
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
}

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    /// The path without any link in it, from the tree's root.
    pub(super) real: String,
    /// The links on the way: path and target.
    pub(super) links: Vec<(String, String)>,
}

/// Linux gives up after as many.
const MOST_LINKS: usize = 40;

impl Tree {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Where a path of the tree is on this machine. The path must hold no links.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Follows a path; `None` if nothing is there.
    pub(super) fn resolve(&self, path: &str) -> Option<Resolved> {
        let mut links = Vec::new();
        let mut real = String::new();
        let mut rest: Vec<String> = parts(path).rev().collect();
        while let Some(part) = rest.pop() {
            if part == ".." {
                real.truncate(real.rfind('/').unwrap_or(0));
                continue;
            }
            let next = format!("{real}/{part}");
            let metadata = fs::symlink_metadata(self.place(&next)).ok()?;
            if !metadata.is_symlink() {
                real = next;
                continue;
            }
            if links.len() == MOST_LINKS {
                return None;
            }
            let target = fs::read_link(self.place(&next)).ok()?.to_string_lossy().into_owned();
            if target.starts_with('/') {
                real.clear();
            }
            rest.extend(parts(&target).rev());
            links.push((next, target));
        }
        let real = if real.is_empty() { "/".to_owned() } else { real };
        Some(Resolved { real, links })
    }

    /// The path of a program, as a shell would find it.
    pub(super) fn find_program(&self, name: &str, search: &str) -> Option<String> {
        if name.starts_with('/') {
            return self.resolve(name).map(|_| name.to_owned());
        }
        search
            .split(':')
            .map(|folder| format!("{}/{name}", folder.trim_end_matches('/')))
            .find(|path| self.resolve(path).is_some_and(|found| self.place(&found.real).is_file()))
    }

    /// A file's text, if it is there.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let found = self.resolve(path)?;
        fs::read(self.place(&found.real)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The names in a folder, sorted.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let Some(found) = self.resolve(folder) else { return Vec::new() };
        let entries = fs::read_dir(self.place(&found.real)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = String> + '_ {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned)
}
