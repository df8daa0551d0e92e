//! What a recipe may know about the build context: a few small files, and whether a folder is
//! there.

use std::collections::BTreeMap;

/// A file that a recipe wants to know of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Its path in the build context.
    pub path: String,
    /// Whether its content matters; otherwise only whether it is there. (Lock files are large.)
    pub content: bool,
}

impl Need {
    /// The file's content.
    pub fn content(path: String) -> Self {
        Self { path, content: true }
    }

    /// Whether the file is there.
    pub fn presence(path: String) -> Self {
        Self { path, content: false }
    }
}

/// Files and folders of the build context, read beforehand.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    files: BTreeMap<String, Vec<u8>>,
    folders: BTreeMap<String, Folder>,
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

    /// A file's content; none if it is not there.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Whether a file is there.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// What is known of a folder; folders that hold a known file are there without saying.
    pub fn folder(&self, path: &str) -> Option<&Folder> {
        self.folders.get(path)
    }
}
