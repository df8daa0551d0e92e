//! `check`: reads a spec, makes every component's plan from the files on disk, and says what is
//! wrong, as a build would.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::say;
use crate::diagnostic::{Diagnostic, render_all};
use crate::recipe::{self, Facts, Folder, parent};
use crate::spec::{Loaded, Service, Spec, Variables, load};

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The spec file
    #[arg(short, long, default_value = "compose.yaml")]
    file: PathBuf,
    /// A variable, as in `docker buildx build`
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    build_args: Vec<String>,
    /// The build context
    #[arg(default_value = ".")]
    context: PathBuf,
}

impl Check {
    /// 0 if nothing is wrong, 1 if something is, 2 if the file cannot be read.
    pub(super) fn run(&self) -> i32 {
        let bytes = match fs::read(&self.file) {
            Ok(bytes) => bytes,
            Err(error) => {
                eprintln!("slipway: {}: {error}", self.file.display());
                return 2;
            }
        };
        let (spec, mut problems) = self.load(&bytes);
        for service in spec.iter().flat_map(|spec| &spec.components) {
            if let Some(spec) = &spec {
                problems.extend(self.plan(spec, service).err().unwrap_or_default());
            }
        }
        if problems.is_empty() {
            let components = spec.map_or(0, |spec| spec.components.len());
            say(&format!("{}: {components} components, nothing wrong", self.file.display()));
            return 0;
        }
        eprintln!("{}", render_all(&problems));
        i32::from(problems.iter().any(|problem| !problem.code.is_warning()))
    }

    fn load(&self, bytes: &[u8]) -> (Option<Spec>, Vec<Diagnostic>) {
        let name = self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let variables: Variables = self
            .build_args
            .iter()
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut beside = BTreeMap::new();
        loop {
            match load(&name, bytes, &beside, &variables) {
                Loaded::Needs(names) => {
                    beside.extend(names.into_iter().map(|name| {
                        let content = fs::read(folder.join(&name)).ok();
                        (name, content)
                    }));
                }
                Loaded::Done(spec, problems) => return (spec.map(|spec| *spec), problems),
            }
        }
    }

    fn plan(&self, spec: &Spec, service: &Service) -> Result<(), Vec<Diagnostic>> {
        let mut facts = Facts::default();
        for path in recipe::needs(service) {
            if let Ok(content) = fs::read(self.context.join(&path)) {
                facts.add_file(path, content);
            }
        }
        let source = recipe::source(service);
        facts.add_folder(&source, self.folder(&source));
        recipe::plan(spec, service, &facts).map(|_| ())
    }

    fn folder(&self, folder: &str) -> Folder {
        if self.context.join(folder).is_dir() {
            return Folder::Exists;
        }
        let above = fs::read_dir(self.context.join(parent(folder)));
        let entries = above.into_iter().flatten().flatten().filter(|entry| entry.path().is_dir());
        Folder::Missing {
            neighbours: entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect(),
        }
    }
}
