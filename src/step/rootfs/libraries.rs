//! Which libraries a file loads, found as the dynamic loader would find them: first where the
//! file itself says (`DT_RUNPATH`, `$ORIGIN`), then in the folders of `ld.so.conf`, then in the
//! built-in ones (ld.so(8)). musl's loader reads `/etc/ld-musl-ARCH.path` (musl, ldso/dynlink.c).

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;

use super::collect::Collection;
use super::elf::{self, Elf};
use super::tree::Tree;

/// The loader of a base.
pub(super) struct Loader<'a> {
    base: &'a Tree,
    folders: Vec<String>,
    /// The processor and word size of the first program.
    machine: Option<(u16, bool)>,
    musl: bool,
}

/// A library that a module of the application wants and the base has not.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Missing {
    pub(super) module: String,
    pub(super) library: String,
}

const BUILT_IN: [&str; 4] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];
const MULTIARCH: [&str; 6] = [
    "x86_64-linux-gnu",
    "aarch64-linux-gnu",
    "arm-linux-gnueabihf",
    "riscv64-linux-gnu",
    "powerpc64le-linux-gnu",
    "s390x-linux-gnu",
];

impl<'a> Loader<'a> {
    pub(super) fn new(base: &'a Tree) -> Self {
        let musl = base.names("/lib").iter().any(|name| name.starts_with("ld-musl-"));
        let mut folders = if musl { musl_folders(base) } else { configured(base, "/etc/ld.so.conf", 0) };
        for triplet in MULTIARCH {
            folders.extend(["/lib", "/usr/lib"].map(|folder| format!("{folder}/{triplet}")));
        }
        folders.extend(BUILT_IN.map(str::to_owned));
        Self { base, folders, machine: None, musl }
    }

    pub(super) fn uses_glibc(&self) -> bool {
        !self.musl && self.machine.is_some()
    }

    /// Looks into all new files of the collection and adds what they load, until nothing is new.
    /// What the base itself lacks, its own files cannot have loaded there either.
    pub(super) fn follow(&mut self, collection: &mut Collection) {
        loop {
            let fresh = collection.fresh();
            if fresh.is_empty() {
                return;
            }
            for path in fresh {
                let Some(elf) = read_elf(&self.base.place(&path)) else { continue };
                self.machine.get_or_insert(elf.machine);
                if let Some(interpreter) = &elf.interpreter {
                    collection.keep(self.base, interpreter);
                }
                for name in &elf.needed {
                    if let Some(found) = self.find(name, &elf, crate::paths::parent(&path)) {
                        collection.keep(self.base, &found);
                    }
                }
            }
        }
    }

    /// Adds a library by its name, if the base has it.
    pub(super) fn want(&self, name: &str, collection: &mut Collection) {
        if let Some(found) = self.find(name, &Elf::default(), "/") {
            collection.keep(self.base, &found);
        }
    }

    /// Looks into the native modules below a folder of the application, which will be at `path`,
    /// and adds what they load of the base. Gives what neither has.
    pub(super) fn follow_modules(
        &mut self,
        path: &str,
        place: &Path,
        collection: &mut Collection,
    ) -> Vec<Missing> {
        let files = files(place);
        let own: BTreeSet<String> =
            files.iter().filter_map(|file| file.rsplit('/').next()).map(str::to_owned).collect();
        let mut missing = BTreeSet::new();
        for file in &files {
            let Some(elf) = read_elf(&place.join(file)) else { continue };
            if !self.is_ours(&elf) {
                continue;
            }
            let module = format!("{}/{file}", path.trim_end_matches('/'));
            for name in &elf.needed {
                // Packages bring libraries along and find them by $ORIGIN, or load them first
                // themselves, so that the name alone is enough.
                if own.contains(name) {
                    continue;
                }
                match self.find(name, &elf, crate::paths::parent(&module)) {
                    Some(found) => {
                        collection.keep(self.base, &found);
                    }
                    None => {
                        missing.insert(Missing { module: module.clone(), library: name.clone() });
                    }
                }
            }
        }
        self.follow(collection);
        missing.into_iter().collect()
    }

    /// Packages ship modules for several systems side by side; those for others are never loaded.
    fn is_ours(&self, elf: &Elf) -> bool {
        let needs = |wanted: &str| elf.needed.iter().any(|name| name == wanted);
        // Android's libc goes by the name of musl's.
        let for_android = needs("liblog.so") || needs("libandroid.so");
        let for_musl = needs("libc.so") || elf.needed.iter().any(|name| name.starts_with("libc.musl-"));
        let other_libc = for_android || if self.musl { needs("libc.so.6") } else { for_musl };
        !other_libc && self.machine.is_none_or(|machine| machine == elf.machine)
    }

    fn find(&self, name: &str, elf: &Elf, origin: &str) -> Option<String> {
        if name.contains('/') {
            return self.base.resolve(name).map(|_| name.to_owned());
        }
        let asked =
            elf.search.iter().map(|path| path.replace("${ORIGIN}", origin).replace("$ORIGIN", origin));
        let folders = asked.chain(self.folders.iter().cloned());
        folders.map(|folder| format!("{}/{name}", folder.trim_end_matches('/'))).find(|path| {
            let found = self.base.resolve(path);
            found
                .and_then(|found| read_elf(&self.base.place(&found.real)))
                .is_some_and(|found| self.machine.is_none_or(|machine| machine == found.machine))
        })
    }
}

/// The folders that `ld.so.conf` lists, with the files that it includes.
fn configured(base: &Tree, path: &str, depth: u8) -> Vec<String> {
    let mut folders = Vec::new();
    for line in base.text(path).unwrap_or_default().lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        match line.strip_prefix("include ") {
            Some(pattern) if depth < 4 => {
                let pattern = pattern.trim();
                let (folder, ending) = match pattern.rsplit_once("/*") {
                    Some((folder, ending)) => (folder, ending),
                    None => (crate::paths::parent(pattern), pattern.rsplit('/').next().unwrap_or_default()),
                };
                let names = base.names(folder).into_iter().filter(|name| name.ends_with(ending));
                folders
                    .extend(names.flat_map(|name| configured(base, &format!("{folder}/{name}"), depth + 1)));
            }
            None if line.starts_with('/') => folders.push(line.to_owned()),
            _ => {}
        }
    }
    folders
}

fn musl_folders(base: &Tree) -> Vec<String> {
    let files =
        base.names("/etc").into_iter().filter(|name| name.starts_with("ld-musl-") && name.ends_with(".path"));
    let listed = files.filter_map(|name| base.text(&format!("/etc/{name}")));
    let mut folders: Vec<String> = listed
        .flat_map(|text| text.split(['\n', ':']).map(|path| path.trim().to_owned()).collect::<Vec<_>>())
        .filter(|path| path.starts_with('/'))
        .collect();
    folders.extend(["/lib", "/usr/local/lib", "/usr/lib"].map(str::to_owned));
    folders
}

/// All files below a folder, sorted. Links are not followed.
fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).into_iter().flatten().flatten() {
            let name = crate::paths::in_folder(&folder, &entry.file_name().to_string_lossy());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(name),
                // A link's name is one by which a library is found.
                Ok(kind) if kind.is_file() || kind.is_symlink() => found.push(name),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

fn read_elf(path: &Path) -> Option<Elf> {
    let mut file = fs::File::open(path).ok()?;
    let mut start = [0; 4];
    file.read_exact(&mut start).ok()?;
    if !elf::is_elf(&start) {
        return None;
    }
    elf::read(&fs::read(path).ok()?)
}
