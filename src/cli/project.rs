//! A spec and its build context on disk, read as a build would read them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::diagnostic::Diagnostic;
use crate::paths::parent;
use crate::plan::Plan;
use crate::recipe::{self, Facts, Folder, Name, Need, NeedKind};
use crate::spec::{Loaded, Service, Spec, Variables, load};

/// Where the spec and its context are.
#[derive(Debug, Args)]
pub(super) struct Project {
    /// The spec file
    #[arg(short, long, default_value = "compose.yaml")]
    pub(super) file: PathBuf,
    /// A variable, as in `docker buildx build`
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    build_args: Vec<String>,
    /// The build context
    #[arg(default_value = ".")]
    context: PathBuf,
}

impl Project {
    /// The plans of all components, and everything that is wrong.
    pub(super) fn plans(&self) -> std::io::Result<(Vec<Plan>, Vec<Diagnostic>)> {
        let (spec, mut problems) = self.load(&fs::read(&self.file)?);
        let mut plans = Vec::new();
        for service in spec.iter().flat_map(|spec| &spec.components) {
            match spec.as_ref().map(|spec| self.plan(spec, service)) {
                Some(Ok(plan)) => plans.push(plan),
                Some(Err(more)) => problems.extend(more),
                None => {}
            }
        }
        Ok((plans, problems))
    }

    /// All components with their stages in YAML, and everything that is wrong.
    pub(super) fn printed(&self) -> std::io::Result<(Vec<String>, Vec<Diagnostic>)> {
        let (spec, mut problems) = self.load(&fs::read(&self.file)?);
        let mut texts = Vec::new();
        if let Some(spec) = &spec {
            for service in &spec.components {
                match recipe::printed(spec, service, &self.facts(service)) {
                    Ok(text) => texts.push(text),
                    Err(more) => problems.extend(more),
                }
            }
        }
        Ok((texts, problems))
    }

    fn load(&self, bytes: &[u8]) -> (Option<Spec>, Vec<Diagnostic>) {
        let name = self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let pairs = self.build_args.iter().map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let variables: Variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut beside = BTreeMap::new();
        loop {
            match load(&name, bytes, &beside, &variables) {
                Loaded::Needs(names) => beside.extend(names.into_iter().map(|name| {
                    let content = fs::read(folder.join(&name)).ok();
                    (name, content)
                })),
                Loaded::Done(spec, problems) => return (spec.map(|spec| *spec), problems),
            }
        }
    }

    fn plan(&self, spec: &Spec, service: &Service) -> Result<Plan, Vec<Diagnostic>> {
        recipe::plan(spec, service, &self.facts(service))
    }

    /// What the recipe wants to know of the context.
    fn facts(&self, service: &Service) -> Facts {
        let mut facts = Facts::default();
        let mut asked = BTreeSet::new();
        loop {
            let needs = recipe::needs(service, &facts, &asked);
            if needs.is_empty() {
                break;
            }
            for need in &needs {
                self.look(need, &mut facts);
            }
            asked.extend(needs);
        }
        let source = recipe::source(service);
        facts.add_folder(&source, self.folder(&source));
        facts
    }

    fn look(&self, need: &Need, facts: &mut Facts) {
        let path = self.context.join(&need.path);
        match need.kind {
            NeedKind::Content => {
                if let Ok(content) = fs::read(path) {
                    facts.add_file(&need.path, content);
                }
            }
            NeedKind::Presence => {
                // A content that is known already stays.
                if path.is_file() && !facts.has(&need.path) {
                    facts.add_file(&need.path, Vec::new());
                }
            }
            NeedKind::Names => {
                let entries = fs::read_dir(path).into_iter().flatten().flatten();
                let names = entries.map(|entry| Name {
                    name: entry.file_name().to_string_lossy().into_owned(),
                    is_folder: entry.path().is_dir(),
                });
                facts.add_names(&need.path, names.collect());
            }
        }
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
