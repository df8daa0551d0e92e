//! Looking at a folder: what lies where, which ecosystem a folder belongs to, and which folders are
//! programs of their own.
//!
//! Folders that hold what others made (packages, build results) and hidden ones are passed over, and
//! nothing is looked for deeper than [`DEPTH`]. The marks of an ecosystem are the recipes' own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::paths::{in_folder, parent};
use crate::recipe::RECIPES;

/// How far down programs are looked for.
const DEPTH: usize = 3;

/// Folders with what is not the project's own.
const PASSED_OVER: [&str; 6] = ["node_modules", "target", "dist", "vendor", "venv", "__pycache__"];

/// Larger files are no sources that a person wrote.
const LARGEST: u64 = 1 << 20;

/// A folder on disk, with the names in it and below.
pub(super) struct Tree {
    root: PathBuf,
    /// The names of files in each folder, by its path from the root.
    files: BTreeMap<String, BTreeSet<String>>,
}

/// What a folder is a program of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The recipe.
    pub(super) recipe: &'static str,
    /// What says so.
    pub(super) why: String,
}

impl Tree {
    /// Reads the names. An error is a root that cannot be read.
    pub(super) fn read(root: &Path) -> std::io::Result<Self> {
        let mut tree = Self { root: root.to_owned(), files: BTreeMap::new() };
        fs::read_dir(root)?;
        tree.walk("", 0);
        Ok(tree)
    }

    fn walk(&mut self, folder: &str, depth: usize) {
        let Ok(entries) = fs::read_dir(self.root.join(folder)) else { return };
        let mut below = BTreeSet::new();
        let mut files = BTreeSet::new();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // A link to a folder could lead back up.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if !name.starts_with('.') && !PASSED_OVER.contains(&name.as_str()) {
                    below.insert(name);
                }
            } else {
                files.insert(name);
            }
        }
        self.files.insert(folder.to_owned(), files);
        if depth < DEPTH {
            for name in below {
                self.walk(&in_folder(folder, &name), depth + 1);
            }
        }
    }

    /// Where a path is on disk.
    pub(super) fn on_disk(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Whether there is a file of this path.
    pub(super) fn is_file(&self, path: &str) -> bool {
        self.on_disk(path).is_file()
    }

    /// Whether there is a folder of this path.
    pub(super) fn is_folder(&self, path: &str) -> bool {
        self.on_disk(path).is_dir()
    }

    /// A file's text, if it is there and of a size that a person writes.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let path = self.on_disk(path);
        let size = fs::metadata(&path).ok()?.len();
        let bytes = if size > LARGEST { return None } else { fs::read(path).ok()? };
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A JSON file's content.
    pub(super) fn json(&self, path: &str) -> Option<Value> {
        serde_json::from_str(&self.text(path)?).ok()
    }

    /// The names of a folder's files, wherever it lies.
    pub(super) fn names(&self, folder: &str) -> BTreeSet<String> {
        if let Some(known) = self.files.get(folder) {
            return known.clone();
        }
        let entries = fs::read_dir(self.on_disk(folder)).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.path().is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// The folders that were looked into, from the root down.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The recipes whose marks are in a folder, each with the mark.
    pub(super) fn marks(&self, folder: &str) -> Vec<Kind> {
        let names = self.names(folder);
        let fits = |mark: &str, name: &str| match mark.strip_prefix('*') {
            Some(end) => name.ends_with(end),
            None => name == mark,
        };
        let mut found: Vec<Kind> = RECIPES
            .iter()
            .filter_map(|recipe| {
                let name = names.iter().find(|name| recipe.marks().iter().any(|mark| fits(mark, name)))?;
                Some(Kind { recipe: recipe.name(), why: name.clone() })
            })
            .collect();
        if found.iter().any(|kind| kind.recipe == "bun") {
            found.retain(|kind| kind.recipe != "node");
        }
        if found.len() > 1 {
            found.retain(|kind| kind.recipe != "static");
        }
        found
    }

    /// What a folder is a program of, as far as its own files tell: a Node project that builds pages
    /// and starts no server is a site.
    pub(super) fn kind(&self, folder: &str) -> Option<Kind> {
        let found = self.marks(folder);
        let [kind] = found.as_slice() else { return None };
        if kind.recipe == "node" {
            let manifest = self.json(&in_folder(folder, "package.json")).unwrap_or_default();
            if let Some(bundler) = bundler(&manifest).filter(|_| !starts_node(&manifest)) {
                let why = format!("package.json builds with {bundler}");
                return Some(Kind { recipe: "static", why });
            }
        }
        Some(kind.clone())
    }

    /// Every Dockerfile, by folder; where a folder has several, the one with the plain name.
    pub(super) fn dockerfiles(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (folder, names) in &self.files {
            let plain = ["Dockerfile", "Containerfile"].into_iter().find(|name| names.contains(*name));
            let other =
                names.iter().find(|name| name.starts_with("Dockerfile.") || name.ends_with(".Dockerfile"));
            let other = other.filter(|name| !name.ends_with(".dockerignore"));
            if let Some(name) = plain.or(other.map(String::as_str)) {
                found.push(in_folder(folder, name));
            }
        }
        found
    }

    /// The folders that are programs, and in words those that look like one and are not.
    pub(super) fn programs(&self) -> (Vec<String>, Vec<String>) {
        let (mut found, mut passed) = (Vec::<String>::new(), Vec::new());
        let mut judged = BTreeSet::new();
        for folder in self.folders() {
            let marks = self.marks(folder);
            if marks.is_empty() || judged.contains(folder) {
                continue;
            }
            // What lies in a program is part of it.
            if let Some(above) = found.iter().find(|above| is_within(folder, above)) {
                let recipe = |folder: &str| self.kind(folder).map(|kind| kind.recipe);
                if recipe(folder) != recipe(above) && marks[0].recipe != "static" {
                    let above = if above.is_empty() { "." } else { above };
                    passed.push(format!("{folder}: taken for a part of {above}"));
                }
                continue;
            }
            if let Some(members) = self.members(folder) {
                let (services, libraries): (Vec<String>, Vec<String>) =
                    members.iter().cloned().partition(|member| self.is_service(member, &members));
                judged.extend(members);
                passed.extend(libraries.into_iter().map(|path| format!("{path}: nothing starts it")));
                found.extend(services);
                continue;
            }
            // A library, or at the root tools for the folders below, such as a formatter.
            if let [Kind { recipe: "node" | "bun", .. }] = marks.as_slice() {
                let manifest = self.json(&in_folder(folder, "package.json")).unwrap_or_default();
                let site = self.kind(folder).is_some_and(|kind| kind.recipe == "static");
                let nothing = !has_entry(&manifest) && entry_file(self, folder).is_none();
                if !site && (is_library(&manifest) || (nothing && folder.is_empty())) {
                    let manifest = in_folder(folder, "package.json");
                    passed.push(format!("{manifest}: nothing starts it"));
                    continue;
                }
            }
            found.push(folder.to_owned());
        }
        found.sort();
        found.dedup();
        // A workspace's members may have been met on the way before it.
        let own = found.clone();
        found.retain(|folder| !own.iter().any(|above| above != folder && is_within(folder, above)));
        (found, passed)
    }

    /// The members of the workspace that a folder is the root of.
    fn members(&self, folder: &str) -> Option<Vec<String>> {
        let manifest = self.json(&in_folder(folder, "package.json"));
        let listed = manifest.as_ref().and_then(|manifest| manifest.get("workspaces"));
        let listed =
            listed.and_then(|listed| listed.as_array().or_else(|| listed.get("packages")?.as_array()));
        let pnpm: Option<Value> = self
            .text(&in_folder(folder, "pnpm-workspace.yaml"))
            .and_then(|text| serde_saphyr::from_str(&text).ok());
        let pnpm = pnpm.as_ref().and_then(|file| file.get("packages")?.as_array());
        let patterns: Vec<&str> =
            listed.into_iter().chain(pnpm).flatten().filter_map(Value::as_str).collect();
        if patterns.is_empty() {
            return None;
        }
        let mut found = BTreeSet::new();
        for pattern in patterns.iter().filter(|pattern| !pattern.starts_with('!')) {
            let pattern = pattern.trim_start_matches("./").trim_end_matches('/').replace("/**", "/*");
            let Some((above, last)) = pattern.rsplit_once('/').or(Some(("", pattern.as_str()))) else {
                continue;
            };
            let (start, end) = last.split_once('*').unwrap_or((last, ""));
            let exact = !last.contains('*');
            let above = in_folder(folder, above);
            found.extend(self.folders().filter(|path| {
                let name = path.rsplit('/').next().unwrap_or_default();
                let fits = if exact {
                    name == start
                } else {
                    name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
                };
                !path.is_empty() && parent(path) == above && fits
            }));
        }
        let has_manifest = |path: &&str| self.is_file(&in_folder(path, "package.json"));
        Some(found.into_iter().filter(has_manifest).map(str::to_owned).collect())
    }

    /// Whether a workspace's member is started: it has a `start` script, is a site, or has a `main`
    /// that no other member uses as a library.
    fn is_service(&self, member: &str, members: &[String]) -> bool {
        let read = |path: &str| self.json(&in_folder(path, "package.json")).unwrap_or_default();
        let manifest = read(member);
        let script = manifest.get("scripts").and_then(|scripts| scripts.get("start")).is_some();
        if script || self.kind(member).is_some_and(|kind| kind.recipe == "static") {
            return true;
        }
        let name = manifest.get("name").and_then(Value::as_str).unwrap_or_default();
        let uses = |other: &String| {
            let other = read(other);
            let kinds = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];
            kinds.iter().any(|kind| other.get(kind).is_some_and(|list| list.get(name).is_some()))
        };
        manifest.get("main").is_some() && !members.iter().any(uses)
    }
}

/// Whether a path is a folder or lies in it.
fn is_within(path: &str, folder: &str) -> bool {
    folder.is_empty() || path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a manifest says what starts it.
fn has_entry(manifest: &Value) -> bool {
    manifest.get("main").is_some()
        || manifest.get("scripts").is_some_and(|scripts| scripts.get("start").is_some())
}

/// Whether a manifest is for packages that import this one.
fn is_library(manifest: &Value) -> bool {
    let start = manifest.get("scripts").is_some_and(|scripts| scripts.get("start").is_some());
    let published = ["exports", "types", "publishConfig"];
    !start && manifest.get("bin").is_none() && published.iter().any(|key| manifest.get(key).is_some())
}

/// A file that by its name is the program, where it is the only one.
pub(super) fn entry_file(tree: &Tree, folder: &str) -> Option<&'static str> {
    let known = ["index.js", "server.js", "app.js", "main.js", "index.mjs", "server.mjs"];
    let mut found = known.into_iter().filter(|name| tree.is_file(&in_folder(folder, name)));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// What starts a folder of Python modules, where one thing does: a package that can be run, a script,
/// or an application with the server that is among the packages.
pub(super) fn python_entry(tree: &Tree, folder: &str) -> Option<(Vec<String>, String)> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut found = Vec::new();
    let mut applications = Vec::new();
    for path in tree.folders().filter(|path| is_within(path, folder)) {
        let name = path.rsplit('/').next().unwrap_or_default();
        if name.starts_with("test") {
            continue;
        }
        for file in tree.names(path).iter().filter(|file| file.ends_with(".py")) {
            let whole = in_folder(path, file);
            let text = tree.text(&whole).unwrap_or_default();
            if parent(path) == folder && path != folder && file == "__main__.py" {
                found.push((words(&["python", "-m", name]), whole.clone()));
            } else if path == folder && text.contains("if __name__ == ") {
                found.push((words(&["python", file]), whole.clone()));
            }
            let module = whole.strip_prefix(folder).unwrap_or(&whole).trim_start_matches('/');
            let module = module.trim_end_matches(".py").trim_end_matches("/__init__").replace('/', ".");
            applications.extend(text.lines().filter_map(|line| {
                let (name, made) = line.split_once(" = ")?;
                let framework = ["FastAPI(", "Flask("].into_iter().find(|call| made.starts_with(call))?;
                Some((framework, format!("{module}:{name}"), whole.clone()))
            }));
        }
    }
    // A package that is installed has no files to start from.
    let manifest = tree.text(&in_folder(folder, "pyproject.toml")).unwrap_or_default();
    let listed = manifest.clone() + &tree.text(&in_folder(folder, "requirements.txt")).unwrap_or_default();
    match (found.as_slice(), applications.as_slice()) {
        ([_], _) => found.pop(),
        ([], [(framework, application, path)]) if !manifest.contains("[build-system]") => {
            let server = match *framework {
                "FastAPI(" if listed.contains("uvicorn") => {
                    words(&["uvicorn", application, "--host", "0.0.0.0", "--port", "8000"])
                }
                "Flask(" if listed.contains("gunicorn") => {
                    words(&["gunicorn", application, "--bind", "0.0.0.0:8000"])
                }
                _ => return None,
            };
            Some((server, path.clone()))
        }
        _ => None,
    }
}

/// The tool that makes pages of a project, if its manifest names one and a script that builds.
fn bundler(manifest: &Value) -> Option<&'static str> {
    manifest.get("scripts")?.get("build")?;
    let known = ["vite", "@angular/cli", "react-scripts", "@vue/cli-service", "parcel", "astro"];
    let lists = ["dependencies", "devDependencies"];
    known
        .into_iter()
        .find(|name| lists.iter().any(|list| manifest.get(list).is_some_and(|list| list.get(name).is_some())))
}

/// Whether the `start` script runs a server of the project's own.
fn starts_node(manifest: &Value) -> bool {
    let start =
        manifest.get("scripts").and_then(|scripts| scripts.get("start")?.as_str()).unwrap_or_default();
    start.split_whitespace().any(|word| ["node", "tsx", "ts-node", "bun"].contains(&word))
}

/// The folder in which a site's build leaves the pages, where it is not `dist`.
pub(super) fn site_output(tree: &Tree, folder: &str) -> Option<&'static str> {
    let manifest = tree.json(&in_folder(folder, "package.json"))?;
    (bundler(&manifest)? == "react-scripts").then_some("build")
}
