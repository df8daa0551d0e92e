//! A spec and its build context on disk, read as a build would read them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::ignore;
use crate::lint::{self, Levels, Subject};
use crate::paths::parent;
use crate::plan::Plan;
use crate::recipe::{self, Facts, Folder, Name, Need, NeedKind};
use crate::spec::{Loaded, Lock, Service, Spec, Variables, load};
use crate::target::Target;

/// Where the spec and its context are.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The spec file; `-` reads it from stdin
    #[arg(short, long, default_value = "compose.yaml")]
    pub(super) file: PathBuf,
    /// A component, or a component's stage (`api`, `api:build`); all components without it
    #[arg(long)]
    pub(super) target: Option<String>,
    /// A variable, as in `docker buildx build`
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    pub(super) build_args: Vec<String>,
    /// The build context
    #[arg(default_value = ".")]
    pub(super) context: PathBuf,
}

/// A spec, read, with the plans of what is asked about.
pub(super) struct Project {
    /// What the file says; none if it cannot be read as a spec.
    pub(super) spec: Option<Spec>,
    /// What is wrong, or had better be otherwise, in the order of the file.
    pub(super) problems: Vec<Diagnostic>,
    /// The components that could be planned, each with the stage that was asked for.
    pub(super) planned: Vec<Planned>,
}

/// A component, planned.
pub(super) struct Planned {
    /// Which of the spec's components it is.
    index: usize,
    pub(super) plan: Plan,
    pub(super) stage: Option<String>,
    facts: Facts,
}

impl Project {
    /// The component of a plan.
    pub(super) fn service(&self, planned: &Planned) -> Option<&Service> {
        self.spec.as_ref()?.components.get(planned.index)
    }

    /// The plans alone.
    pub(super) fn plans(&self) -> Vec<&Plan> {
        self.planned.iter().map(|planned| &planned.plan).collect()
    }
}

impl Place {
    /// Reads the spec, plans and lints. An error is a file that cannot be read.
    pub(super) fn open(&self) -> std::io::Result<Project> {
        let bytes = if self.file == Path::new("-") {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes)?;
            bytes
        } else {
            fs::read(&self.file)?
        };
        if !self.context.is_dir() {
            let message = format!("the build context `{}` is no folder", self.context.display());
            return Err(std::io::Error::new(std::io::ErrorKind::NotFound, message));
        }
        let (spec, problems) = self.load(&bytes);
        let mut all = Diagnostics::default();
        all.extend(problems);
        let Some(spec) = spec else {
            return Ok(Project { spec: None, problems: all.into_sorted(), planned: Vec::new() });
        };
        let (levels, wrong) = Levels::of(&spec);
        all.extend(wrong);
        let known = all.clone().into_sorted();
        let mut planned = Vec::new();
        match self.wanted(&spec, &known) {
            Err(problems) => all.extend(problems),
            Ok(wanted) => {
                let ignore = self.ignore();
                for index in wanted {
                    let Some(service) = spec.components.get(index) else { continue };
                    let facts = self.facts(service);
                    match recipe::plan(service, &facts) {
                        Err(problems) => all.extend(problems),
                        Ok(plan) => {
                            let subject =
                                Subject { spec: &spec, service, plan: &plan, facts: &facts, ignore: &ignore };
                            all.extend(lint::component(&subject));
                            let stage = self.stage(&spec, &plan, &known);
                            match stage {
                                Ok(stage) => planned.push(Planned { index, plan, stage, facts }),
                                Err(problems) => all.extend(problems),
                            }
                        }
                    }
                }
            }
        }
        let problems = levels.apply(all.into_sorted());
        Ok(Project { spec: Some(spec), problems, planned })
    }

    /// The components that are asked about, by their place in the spec.
    fn wanted(&self, spec: &Spec, problems: &[Diagnostic]) -> Result<Vec<usize>, Vec<Diagnostic>> {
        if self.target.is_none() {
            return Ok((0..spec.components.len()).collect());
        }
        let target = Target::choose(spec, problems, self.target.as_deref())?;
        Ok(spec
            .components
            .iter()
            .position(|service| service.name == target.service.name)
            .into_iter()
            .collect())
    }

    /// The stage that is asked for.
    fn stage(
        &self,
        spec: &Spec,
        plan: &Plan,
        problems: &[Diagnostic],
    ) -> Result<Option<String>, Vec<Diagnostic>> {
        match &self.target {
            Some(target) if target.contains(':') => {
                Target::choose(spec, problems, self.target.as_deref())?.stage(plan).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// All components with their stages in YAML, and everything that is wrong.
    pub(super) fn printed(&self) -> std::io::Result<(Vec<String>, Vec<Diagnostic>)> {
        let project = self.open()?;
        let mut problems: Vec<Diagnostic> =
            project.problems.iter().filter(|p| p.is_error()).cloned().collect();
        let mut texts = Vec::new();
        for planned in &project.planned {
            if let Some(service) = project.service(planned) {
                match recipe::printed(service, &planned.facts) {
                    Ok(text) => texts.push(text),
                    Err(more) => problems.extend(more),
                }
            }
        }
        Ok((texts, problems))
    }

    /// The file's name as a build would know it.
    fn name(&self) -> String {
        self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    pub(super) fn load(&self, bytes: &[u8]) -> (Option<Spec>, Vec<Diagnostic>) {
        let name = self.name();
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let variables = self.variables();
        let lock = Lock::name_of(&name);
        let content = fs::read(folder.join(&lock)).ok();
        let mut beside = BTreeMap::from([(lock, content)]);
        loop {
            match load(&name, bytes, &beside, &variables) {
                Loaded::Needs(names) => beside.extend(names.into_iter().map(|name| {
                    let content = fs::read(folder.join(&name)).ok();
                    (name, content)
                })),
                Loaded::Done(spec, mut problems) => {
                    if let Some(spec) = &spec {
                        problems.extend(lint::unused_arguments(spec, &variables));
                    }
                    return (spec.map(|spec| *spec), problems);
                }
            }
        }
    }

    /// `--build-arg`
    fn variables(&self) -> Variables {
        let pairs = self.build_args.iter().map(|pair| match pair.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            // As with `docker build`: the value comes from the environment.
            None => (pair.clone(), std::env::var(pair).unwrap_or_default()),
        });
        pairs.collect()
    }

    /// What is kept out of the context: the patterns beside the spec, or those in the context.
    pub(super) fn ignore(&self) -> Vec<String> {
        let mut beside = self.file.clone().into_os_string();
        beside.push(".dockerignore");
        let bytes = fs::read(beside).or_else(|_| fs::read(self.context.join(".dockerignore")));
        bytes.map(|bytes| ignore::patterns(&bytes)).unwrap_or_default()
    }

    /// What the recipe wants to know of the context, without what is kept out of it.
    pub(super) fn facts(&self, service: &Service) -> Facts {
        let ignore = self.ignore();
        let mut facts = Facts::default();
        let mut asked = BTreeSet::new();
        loop {
            let needs = recipe::needs(service, &facts, &asked);
            if needs.is_empty() {
                break;
            }
            for need in needs.iter().filter(|need| !ignore::is_ignored(&need.path, &ignore)) {
                self.look(need, &ignore, &mut facts);
            }
            asked.extend(needs);
        }
        let source = recipe::source(service);
        facts.add_folder(&source, self.folder(&source));
        facts
    }

    fn look(&self, need: &Need, ignore: &[String], facts: &mut Facts) {
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
                let inside = |name: &Name| {
                    !ignore::is_ignored(&crate::paths::in_folder(&need.path, &name.name), ignore)
                };
                facts.add_names(&need.path, names.filter(inside).collect());
            }
        }
    }

    fn folder(&self, folder: &str) -> Folder {
        let ignored = !folder.is_empty() && ignore::is_ignored(folder, &self.ignore());
        if self.context.join(folder).is_dir() && !ignored {
            return Folder::Exists;
        }
        let above = fs::read_dir(self.context.join(parent(folder)));
        let entries = above.into_iter().flatten().flatten().filter(|entry| entry.path().is_dir());
        Folder::Missing {
            neighbours: entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect(),
        }
    }
}
