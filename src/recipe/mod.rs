//! Recipes: how a service of one ecosystem becomes stages. One file each; the table below is
//! the only place that lists them.
//!
//! A recipe is a function from a service and a few small files of its folder ([`Facts`]) to
//! stages. It knows nothing of LLB and asks nobody: what it wants to read it names beforehand
//! ([`Recipe::needs`]), and the caller brings it, through the gateway or from the disk.

mod bun;
mod contract;
mod detect;
mod dev;
mod dotnet;
mod draft;
mod facts;
mod finish;
mod go;
mod image;
mod ingress;
mod init;
mod java;
mod keys;
mod mounts;
mod network;
mod nginx;
mod node;
mod packages;
mod printed;
mod python;
mod readiness;
mod runtime;
mod rust;
mod sanity;
mod stages;
mod static_site;
#[cfg(test)]
mod tests;
mod user;
mod versions;

use std::cell::RefCell;
use std::collections::BTreeSet;

pub use facts::{Facts, Folder, Name, Need, NeedKind};
pub(crate) use ingress::catalog;
pub use printed::printed;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span, did_you_mean};
use crate::plan::{Archetype, Finding, Image, Plan, RuntimeUser, Stage};
use crate::spec::component::BuildChoice;
use crate::spec::values::{CommandLine, Pairs};
use crate::spec::{Located, Service};

/// One ecosystem.
pub trait Recipe: Sync {
    /// What `recipe:` calls it.
    fn name(&self) -> &'static str;

    /// What it makes, in one line.
    fn summary(&self) -> &'static str;

    /// The keys of `x-slipway` that it reads beside those that every component may have.
    fn keys(&self) -> &'static [&'static str];

    /// The files that mark a folder as one of this kind; `*.end` for any name.
    fn marks(&self) -> &'static [&'static str];

    /// What of the build context it wants to see, given what has been seen. It is asked again
    /// until it names nothing new.
    fn needs(&self, service: &Service, facts: &Facts) -> Vec<Need>;

    /// The stages, and what the image declares unless the spec says otherwise. What is wrong
    /// goes to `problems`; with something wrong, the result may be `None`.
    fn make(&self, request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made>;
}

/// All recipes, by name.
pub const RECIPES: [&dyn Recipe; 9] = [
    &bun::Bun,
    &dotnet::DotNet,
    &go::Go,
    &java::Java,
    &nginx::Nginx,
    &node::Node,
    &python::Python,
    &rust::Rust,
    &static_site::StaticSite,
];

/// The Debian release that recipes build on where they have the choice.
const DEBIAN: &str = "bookworm";

/// The small image that has what a binary for glibc loads.
fn slim_base() -> String {
    format!("debian:{DEBIAN}-slim")
}

/// What a recipe works on.
pub struct Request<'a> {
    /// The service.
    pub service: &'a Service,
    /// Files of its folder.
    pub facts: &'a Facts,
    /// The user that will run.
    pub user: &'a RuntimeUser,
    /// Its folder in the build context, without slashes around; empty for the context itself.
    pub source: String,
    /// What kind of program it is.
    pub archetype: Archetype,
    findings: RefCell<Vec<Finding>>,
}

impl<'a> Request<'a> {
    fn new(service: &'a Service, facts: &'a Facts, user: &'a RuntimeUser) -> Self {
        Self {
            service,
            facts,
            user,
            source: source(service),
            archetype: Archetype::Service,
            findings: RefCell::default(),
        }
    }
}

impl Request<'_> {
    /// Notes how something was settled that the spec left open.
    fn found(&self, what: &str, value: impl Into<String>, because: impl Into<String>) {
        let finding = Finding { what: what.to_owned(), value: value.into(), because: because.into() };
        self.findings.borrow_mut().push(finding);
    }

    /// A command of the spec with its place, or the recipe's own; none if the spec wants none.
    fn command(
        &self,
        choice: Option<&BuildChoice>,
        own: impl FnOnce() -> Option<CommandLine>,
    ) -> Option<(CommandLine, Span)> {
        match choice {
            Some(BuildChoice::No) => None,
            Some(BuildChoice::Command(command)) => Some((command.line.clone(), command.span.clone())),
            None => own().map(|command| (command, self.recipe_span().clone())),
        }
    }

    /// The command that tests.
    fn test(&self, own: impl FnOnce() -> Option<CommandLine>) -> Option<(CommandLine, Span)> {
        self.command(self.service.component.test.as_ref(), own)
    }

    /// Without a build there would be nothing to put into the image.
    fn has_to_build(&self, problems: &mut Diagnostics) {
        if let Some(BuildChoice::No) = self.service.component.build {
            problems.push(
                Diagnostic::new(Code::Value, "without a build there is no program to put into the image")
                    .at(self.recipe_span())
                    .help("remove `build: false`"),
            );
        }
    }

    /// A path in the component's folder, as a path in the build context.
    pub fn path(&self, name: &str) -> String {
        crate::paths::in_folder(&self.source, name)
    }

    /// The place to blame for the component's folder: its `source` key, or the recipe.
    pub fn source_span(&self) -> &Span {
        let component = &self.service.component;
        component
            .source
            .as_ref()
            .or(component.recipe.as_ref())
            .map_or(&self.service.extension, |key| &key.span)
    }

    /// The place of the `recipe` key.
    pub fn recipe_span(&self) -> &Span {
        self.service.component.recipe.as_ref().map_or(&self.service.extension, |recipe| &recipe.span)
    }

    /// The place that chose the version: its key, or the recipe.
    pub fn version_span(&self) -> &Span {
        self.service.component.version.as_ref().map_or(self.recipe_span(), |version| &version.span)
    }

    /// The only TCP port that the service exposes, if there is exactly one.
    pub fn only_port(&self) -> Option<u16> {
        let ports = image::ports(self.service);
        let mut tcp = ports.iter().filter(|port| port.protocol == "tcp");
        match (tcp.next(), tcp.next()) {
            (Some(port), None) => Some(port.number),
            _ => None,
        }
    }
}

/// What a recipe gives.
pub struct Made {
    /// The stages, each after those that it uses.
    pub stages: Vec<Stage>,
    /// The one that is the image.
    pub runtime: String,
    /// What the image declares unless the spec says otherwise.
    pub image: Image,
    /// How an image of this kind asks itself for a URL with what it has; without it, Slipway's own
    /// probe is put into the image.
    pub http_check: Option<fn(&str) -> Vec<String>>,
    /// What stands before the program's own words.
    pub init: Option<Vec<String>>,
}

impl Made {
    /// An image of the stage `runtime`.
    fn new(stages: Vec<Stage>, image: Image) -> Self {
        Self { stages, runtime: "runtime".to_owned(), image, http_check: None, init: None }
    }

    /// No image, but a stage with what is published instead.
    fn library(stages: Vec<Stage>, package: &str) -> Self {
        Self { runtime: package.to_owned(), ..Self::new(stages, Image::default()) }
    }
}

/// What has to be read before [`plan`] can be called, given what has been read: empty when that
/// is all.
pub fn needs(service: &Service, facts: &Facts, asked: &BTreeSet<Need>) -> BTreeSet<Need> {
    let mut needs = readiness::needs(service, facts);
    match (&service.component.recipe, &service.component.stages) {
        (Some(name), _) => {
            needs.extend(find(&name.value).map(|recipe| recipe.needs(service, facts)).unwrap_or_default());
        }
        (None, Some(_)) => {}
        (None, None) => {
            needs.extend(detect::needs(service));
            if let [(recipe, _)] = detect::candidates(&source(service), facts).as_slice() {
                needs.extend(recipe.needs(service, facts));
            }
        }
    }
    needs.into_iter().filter(|need| !asked.contains(need)).collect()
}

/// The component's folder in the build context, without slashes around.
pub fn source(service: &Service) -> String {
    let source = service.component.source.as_ref().map_or("", |source| source.value.as_str());
    let parts: Vec<&str> = source.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    parts.join("/")
}

/// The plan of a component.
pub fn plan(service: &Service, facts: &Facts) -> Result<Plan, Vec<Diagnostic>> {
    let mut problems = Diagnostics::default();
    problems.about(Some(&service.name.value));
    let user = user::user(service, &mut problems);
    let mut request = Request::new(service, facts, &user);
    if request.source.split('/').any(|part| part == "..") {
        problems.push(
            Diagnostic::new(Code::Value, "the source folder lies outside of the build context")
                .at(request.source_span())
                .help("paths are relative to the build context, as in a Dockerfile"),
        );
    }
    sanity::check(&request, &mut problems);
    for (key, pairs) in [("env", &service.component.env), ("build_env", &service.component.build_env)] {
        without_value(key, pairs, &service.component.span, &mut problems);
    }
    let evidence = readiness::check(&request, &mut problems);
    request.archetype = archetype(&request, &evidence, &mut problems);
    sanity::schedule(&request, &mut problems);
    let made = make(&request, &mut problems);
    let plan = made.and_then(|made| finish::finish(&request, made, evidence.labels, &mut problems));
    if let Some(plan) = &plan {
        sanity::images(plan, &mut problems);
    }
    match plan {
        Some(plan) if problems.is_empty() => Ok(plan),
        _ => Err(problems.into_sorted()),
    }
}

/// In Compose a variable without a value comes from the shell; a build has none.
fn without_value(key: &str, pairs: &Pairs, span: &Span, problems: &mut Diagnostics) {
    for (name, _) in pairs.0.iter().filter(|(_, value)| value.is_none()) {
        problems.push(
            Diagnostic::new(Code::Value, format!("`{name}` in `{key}` has no value"))
                .at(pairs.1.as_ref().unwrap_or(span))
                .help(format!("write `{name}: ${{{name}}}` to take it from a build argument of that name")),
        );
    }
}

fn find(name: &str) -> Option<&'static dyn Recipe> {
    RECIPES.into_iter().find(|recipe| recipe.name() == name)
}

fn make(request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
    let component = &request.service.component;
    match (&component.recipe, &component.stages) {
        (Some(recipe), None) => {
            let Some(found) = find(&recipe.value) else {
                problems.push(unknown_recipe(recipe));
                return None;
            };
            made_by(found, request, problems)
        }
        (None, Some(_)) => {
            keys::unread(request, &["target"], "hand-written `stages`", problems);
            stages::make(request, problems)
        }
        (Some(recipe), Some(_)) => {
            problems.push(
                Diagnostic::new(Code::Value, "a component has a `recipe` or its own `stages`, not both")
                    .at(&recipe.span)
                    .help("remove one of the two"),
            );
            None
        }
        (None, None) => {
            missing_folder(request, problems)?;
            made_by(detect::recipe(request, problems)?, request, problems)
        }
    }
}

fn made_by(recipe: &dyn Recipe, request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
    keys::unread(request, recipe.keys(), &format!("recipe `{}`", recipe.name()), problems);
    missing_folder(request, problems)?;
    let mut made = recipe.make(request, problems)?;
    stages::inherit_platforms(&mut made.stages, &|_| false);
    Some(made)
}

/// What kind of program it is: the spec's word, or the evidence's, which must not contradict it.
fn archetype(request: &Request<'_>, evidence: &readiness::Evidence, problems: &mut Diagnostics) -> Archetype {
    let given = request.service.component.archetype.as_ref();
    let said = given.and_then(|given| {
        let known = readiness::archetype(&given.value);
        if known.is_none() {
            problems.push(
                Diagnostic::new(Code::Value, format!("there is no archetype `{}`", given.value))
                    .at(&given.span)
                    .help_if(
                        did_you_mean(&given.value, ["service", "cli", "job", "library"])
                            .map(|meant| format!("did you mean `{meant}`?")),
                    )
                    .help("service, cli, job or library"),
            );
        }
        known
    });
    match (said, &evidence.archetype, given) {
        (Some(said), Some((found, word)), Some(given)) if said != *found => {
            problems.push(
                Diagnostic::new(
                    Code::Value,
                    format!("the spec says `{}`, and the assertions say `{word}`", given.value),
                )
                .at(&given.span)
                .help("remove one of the two, or make them agree"),
            );
            said
        }
        (Some(said), ..) => said,
        (None, Some((found, word)), _) => {
            request.found("archetype", found.to_string(), format!("`{word}` in the assertions"));
            *found
        }
        (None, None, _) => Archetype::Service,
    }
}

fn unknown_recipe(recipe: &Located<String>) -> Diagnostic {
    let names: Vec<&str> = RECIPES.iter().map(|recipe| recipe.name()).collect();
    let help = match did_you_mean(&recipe.value, names.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("recipes: {}; or write the component's `stages` by hand", names.join(", ")),
    };
    Diagnostic::new(Code::UnknownRecipe, format!("there is no recipe `{}`", recipe.value))
        .at(&recipe.span)
        .help(help)
}

fn missing_folder(request: &Request<'_>, problems: &mut Diagnostics) -> Option<()> {
    let Some(Folder::Missing { neighbours }) = request.facts.folder(&request.source) else { return Some(()) };
    let name = request.source.rsplit('/').next().unwrap_or_default();
    let help = did_you_mean(name, neighbours.iter().map(String::as_str)).map_or_else(
        || "paths are relative to the build context; is the folder excluded by .dockerignore?".to_owned(),
        |meant| {
            format!(
                "did you mean `{}`?",
                crate::paths::in_folder(crate::paths::parent(&request.source), meant)
            )
        },
    );
    problems.push(
        Diagnostic::new(Code::MissingSource, format!("the build context has no folder `{}`", request.source))
            .at(request.source_span())
            .label("not there")
            .help(help),
    );
    None
}
