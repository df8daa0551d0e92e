//! A spec as one request sees it: what it says, where its files are, and what is wrong with it.
//! Builds and questions both start here.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{Sources, SpecFile};
use super::errors::Failure;
use super::gateway::Gateway;
use super::options::Options;
use crate::diagnostic::{Code, Diagnostic};
use crate::lint::{self, Levels, Subject};
use crate::plan::Plan;
use crate::recipe::{self, Facts};
use crate::spec::{Loaded, Service, Spec, load};

/// A spec, read.
pub(super) struct Project<'a> {
    pub(super) sources: Sources<'a>,
    pub(super) file: SpecFile,
    pub(super) spec: Spec,
    /// What is wrong with it, or had better be otherwise; findings at their levels.
    pub(super) problems: Vec<Diagnostic>,
    levels: Levels,
    /// What is kept out of the build context.
    pub(super) ignore: Vec<String>,
}

/// A component, planned.
pub(super) struct Planned {
    pub(super) plan: Plan,
    facts: Facts,
}

impl Planned {
    /// The files that its recipe saw.
    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl<'a> Project<'a> {
    /// Reads the spec and what lies beside it. An error is a file that says nothing at all.
    pub(super) async fn open(gateway: &'a Gateway, options: &'a Options) -> Result<Self, Failure> {
        let sources = Sources::find(gateway, options).await?;
        // Each look at a client's files is a round trip, so what can be asked together is.
        let (file, ignore) = tokio::try_join!(sources.spec_file(), sources.ignore_file())?;
        let (spec, mut problems) = read_spec(&sources, &file, options).await?;
        let (levels, wrong) = Levels::of(&spec);
        problems.extend(wrong);
        problems.extend(lint::unused_arguments(&spec, &options.variables()));
        let levels = match options.build_arg("BUILDKIT_DOCKERFILE_CHECK") {
            None => levels,
            Some(option) => {
                let (levels, unknown) = levels.with_option(option);
                problems.extend(unknown.into_iter().map(|word| {
                    Diagnostic::new(
                        Code::Option,
                        format!("`BUILDKIT_DOCKERFILE_CHECK` has `{word}`, which says nothing"),
                    )
                    .help("`skip=RuleA,RuleB`, `skip=all` and `error=true`, separated by `;`")
                }));
                levels
            }
        };
        let ignore = sources.ignore_patterns(&file, ignore);
        let problems = levels.apply(problems);
        Ok(Self { sources, file, spec, problems, levels, ignore })
    }

    /// Makes the plan of a component, with the files that its recipe wants to see.
    pub(super) async fn plan(&self, service: &Service) -> Result<Planned, Failure> {
        let mut facts = Facts::default();
        let mut asked = BTreeSet::new();
        loop {
            let needs = recipe::needs(service, &facts, &asked);
            if needs.is_empty() {
                break;
            }
            self.sources.look(&needs, &self.ignore, &mut facts).await?;
            asked.extend(needs);
        }
        if !asked.is_empty() {
            self.sources.look_for(&recipe::source(service), &self.ignore, &mut facts).await?;
        }
        let plan = recipe::plan(service, &facts)?;
        Ok(Planned { plan, facts })
    }

    /// What lint rules find in a planned component.
    pub(super) fn lint(&self, service: &Service, planned: &Planned) -> Vec<Diagnostic> {
        let subject = Subject {
            spec: &self.spec,
            service,
            plan: &planned.plan,
            facts: &planned.facts,
            ignore: &self.ignore,
        };
        self.levels.apply(lint::component(&subject))
    }

    /// Findings of rules that look elsewhere, at their levels.
    pub(super) fn levelled(&self, findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
        self.levels.apply(findings)
    }

    /// What is wrong as far as building this component goes. A variable that only another
    /// component needs is neither an error nor a warning.
    pub(super) fn problems_of(&self, service: &Service) -> Vec<Diagnostic> {
        let elsewhere = |problem: &&Diagnostic| {
            let of_a_variable = matches!(problem.code, Code::MissingVariable | Code::Rule("UnsetVariable"));
            let other = problem.service.as_ref().is_some_and(|name| *name != service.name.value);
            of_a_variable && other
        };
        self.problems.iter().filter(|problem| !elsewhere(problem)).cloned().collect()
    }

    /// What caches of this project are called. A file without a name gives its own.
    pub(super) fn name(&self) -> String {
        self.spec.name.clone().unwrap_or_else(|| {
            let name = self.file.source.filename.rsplit('/').next().unwrap_or_default();
            name.split('.').next().unwrap_or(name).to_owned()
        })
    }
}

/// The spec, with what was wrong in it.
async fn read_spec(
    sources: &Sources<'_>,
    file: &SpecFile,
    options: &Options,
) -> Result<(Spec, Vec<Diagnostic>), Failure> {
    let variables = options.variables();
    let mut beside = BTreeMap::from([file.lock.clone()]);
    loop {
        match load(&file.source.filename, &file.source.data, &beside, &variables) {
            Loaded::Needs(names) => beside.extend(sources.beside(&names).await?),
            Loaded::Done(Some(spec), problems) => return Ok((*spec, problems)),
            Loaded::Done(None, problems) => return Err(problems.into()),
        }
    }
}
