//! What a recipe may know about the build context: a few small files, and whether a folder is
//! there.

use std::collections::BTreeMap;

/// Something of the build context that a recipe wants to know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Its path in the build context.
    pub path: String,
    /// What of it.
    pub kind: NeedKind,
}

/// What a recipe wants to know of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NeedKind {
    /// The file's content.
    Content,
    /// The names in the folder.
    Names,
    /// Whether the file is there. (Lock files are large.)
    Presence,
}

impl Need {
    /// The file's content.
    pub fn content(path: impl Into<String>) -> Self {
        Self { path: path.into(), kind: NeedKind::Content }
    }

    /// The names in a folder.
    pub fn names(path: impl Into<String>) -> Self {
        Self { path: path.into(), kind: NeedKind::Names }
    }

    /// Whether the file is there.
    pub fn presence(path: impl Into<String>) -> Self {
        Self { path: path.into(), kind: NeedKind::Presence }
    }
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The name.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Files and folders of the build context, read beforehand.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    files: BTreeMap<String, Vec<u8>>,
    folders: BTreeMap<String, Folder>,
    names: BTreeMap<String, Vec<Name>>,
}

/// What is known of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folder {
    /// It is there.
    Exists,
    /// It is not; these stand where it should.
    Missing {
        /// Names beside it.
        neighbours: Vec<String>,
    },
}

impl Facts {
    /// Adds a file that is there; its content may be left empty where it does not matter.
    pub fn add_file(&mut self, path: impl Into<String>, content: Vec<u8>) {
        self.files.insert(path.into(), content);
    }

    /// Adds what is known of a folder.
    pub fn add_folder(&mut self, path: impl Into<String>, folder: Folder) {
        self.folders.insert(path.into(), folder);
    }

    /// Adds the names in a folder.
    pub fn add_names(&mut self, path: impl Into<String>, mut names: Vec<Name>) {
        names.sort();
        self.names.insert(path.into(), names);
    }

    /// The names in a folder, sorted; none if it was not looked into or is not there.
    pub fn names(&self, folder: &str) -> &[Name] {
        self.names.get(folder).map(Vec::as_slice).unwrap_or_default()
    }

    /// A file's text.
    pub fn text(&self, path: &str) -> Option<String> {
        self.file(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// A file's content; none if it is not there.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Whether a file is there.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Whether a file or name in the folder is known, so that it is there.
    pub fn knows_of(&self, folder: &str) -> bool {
        self.files.keys().any(|path| crate::paths::parent(path) == folder)
            || self.names.get(folder).is_some_and(|names| !names.is_empty())
    }

    /// What is known of a folder; folders that hold a known file are there without saying.
    pub fn folder(&self, path: &str) -> Option<&Folder> {
        self.folders.get(path)
    }
}
