//! Files of an image: in a folder, as build steps have them, or in an archive, as an engine gives them.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where files are.
#[derive(Clone, Debug)]
pub enum Tree {
    /// In a folder.
    Folder(PathBuf),
    /// In a tar archive, compressed by gzip or not.
    Archive(PathBuf),
}

/// What is done with each entry: its path, what it is, a way to read it.
type Visit<'a> = dyn FnMut(&str, &Entry, &mut dyn Read) -> Result<(), String> + 'a;

/// What something in a file system is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A link to this.
    Link(String),
    /// Anything else.
    Other,
}

/// Something in a file system.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) mode: u32,
    /// Bytes that nothing before it has; a second name of a file has none.
    pub(super) size: u64,
}

impl Tree {
    /// Everything in it.
    pub fn files(&self) -> Result<Files, String> {
        let mut files = Files::default();
        self.each(&mut |path, entry, _| {
            files.0.insert(path.to_owned(), entry.clone());
            Ok(())
        })?;
        Ok(files)
    }

    /// Visits everything, with a way to read it.
    pub(super) fn each(&self, visit: &mut Visit<'_>) -> Result<(), String> {
        match self {
            Self::Folder(root) => folder(root, visit),
            Self::Archive(path) => archive(path, visit),
        }
    }
}

/// A file that is opened only if somebody reads it.
struct Lazy<'a>(&'a Path, Option<File>);

impl Read for Lazy<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.1.is_none() {
            self.1 = Some(File::open(self.0)?);
        }
        self.1.as_mut().map_or(Ok(0), |file| file.read(buffer))
    }
}

fn folder(root: &Path, visit: &mut Visit<'_>) -> Result<(), String> {
    let mut seen = HashSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        let mut entries: Vec<_> =
            fs::read_dir(&folder).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let metadata = entry.metadata().map_err(failed)?;
            let path = entry.path();
            let kind = if metadata.is_dir() {
                folders.push(path.clone());
                Kind::Folder
            } else if metadata.is_file() {
                Kind::File
            } else if metadata.is_symlink() {
                Kind::Link(fs::read_link(&path).map_err(failed)?.to_string_lossy().into_owned())
            } else {
                Kind::Other
            };
            let counts = kind == Kind::File && seen.insert((metadata.dev(), metadata.ino()));
            let size = if counts { metadata.len() } else { 0 };
            let inside = path.strip_prefix(root).unwrap_or(&path);
            let mode = metadata.permissions().mode();
            visit(&format!("/{}", inside.display()), &Entry { kind, mode, size }, &mut Lazy(&path, None))?;
        }
    }
    Ok(())
}

fn archive(path: &Path, visit: &mut Visit<'_>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut start = [0; 2];
    let packed =
        File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == [0x1f, 0x8b];
    let file = File::open(path).map_err(failed)?;
    let bytes: Box<dyn Read> =
        if packed { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let name = entry
            .path()
            .map_err(failed)?
            .to_string_lossy()
            .trim_matches('/')
            .trim_start_matches("./")
            .to_owned();
        let header = entry.header();
        let kind = match header.entry_type() {
            tar::EntryType::Directory => Kind::Folder,
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::Link => Kind::File,
            tar::EntryType::Symlink => {
                let target = entry.link_name().ok().flatten();
                Kind::Link(target.map(|target| target.to_string_lossy().into_owned()).unwrap_or_default())
            }
            _ => Kind::Other,
        };
        let mode = header.mode().unwrap_or_default();
        let size = if kind == Kind::File { entry.size() } else { 0 };
        visit(&format!("/{name}"), &Entry { kind, mode, size }, &mut entry)?;
    }
    Ok(())
}

/// Everything in a file system, by path.
#[derive(Clone, Debug, Default)]
pub struct Files(BTreeMap<String, Entry>);

impl Files {
    /// All paths.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// All files with their sizes.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0
            .iter()
            .filter(|(_, entry)| entry.kind == Kind::File)
            .map(|(path, entry)| (path.as_str(), entry.size))
    }

    /// Files that give their caller another user's or group's rights.
    pub(super) fn set_uid(&self) -> impl Iterator<Item = &str> {
        let special =
            |entry: &Entry| entry.kind == Kind::File && entry.mode & 0o6000 != 0 && entry.mode & 0o111 != 0;
        self.0.iter().filter(move |(_, entry)| special(entry)).map(|(path, _)| path.as_str())
    }

    /// Programs: files and links that can be run, or that lead to such.
    pub(super) fn programs(&self) -> impl Iterator<Item = &str> {
        let runs = |entry: &Entry| match &entry.kind {
            Kind::File => entry.mode & 0o111 != 0,
            Kind::Link(_) => true,
            _ => false,
        };
        self.0.iter().filter(move |(_, entry)| runs(entry)).map(|(path, _)| path.as_str())
    }

    /// Where a path leads, links followed; none if it leads nowhere.
    pub(super) fn resolve(&self, path: &str) -> Option<String> {
        let mut waiting: Vec<String> = path.rsplit('/').map(str::to_owned).collect();
        let mut place = String::new();
        let mut links = 0;
        while let Some(name) = waiting.pop() {
            match name.as_str() {
                "" | "." => continue,
                ".." => {
                    place.truncate(place.rfind('/').unwrap_or_default());
                    continue;
                }
                _ => {}
            }
            let next = format!("{place}/{name}");
            match &self.0.get(&next)?.kind {
                Kind::Link(target) => {
                    links += 1;
                    if links > 40 {
                        return None;
                    }
                    if target.starts_with('/') {
                        place.clear();
                    }
                    waiting.extend(target.rsplit('/').map(str::to_owned));
                }
                _ => place = next,
            }
        }
        Some(if place.is_empty() { "/".to_owned() } else { place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_somewhere_or_nowhere() {
        let entry = |kind| Entry { kind, mode: 0o755, size: 1 };
        let link = |target: &str| entry(Kind::Link(target.to_owned()));
        let files = Files(BTreeMap::from([
            ("/usr".to_owned(), entry(Kind::Folder)),
            ("/usr/bin".to_owned(), entry(Kind::Folder)),
            ("/usr/bin/node".to_owned(), entry(Kind::File)),
            ("/bin".to_owned(), link("usr/bin")),
            ("/usr/bin/nodejs".to_owned(), link("../bin/./node")),
            ("/a".to_owned(), link("/b")),
            ("/b".to_owned(), link("/a")),
        ]));
        assert_eq!(files.resolve("/bin/nodejs").as_deref(), Some("/usr/bin/node"));
        assert_eq!(files.resolve("/").as_deref(), Some("/"));
        assert_eq!(files.resolve("/bin/nothing"), None);
        assert_eq!(files.resolve("/a"), None);
    }
}
