//! Targets: `[component][:stage]`, as `--target` gives them. In the stage's place may stand what is
//! made of files about the component; without a component, about all of them.

use crate::bundle::Kind;
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::plan::{Archetype, Plan, VERIFY};
use crate::spec::{Service, Spec};

/// What `--target` asks for.
#[derive(Clone, Debug)]
pub enum Goal<'s> {
    /// An image, or a stage on the way to it.
    Stage(Target<'s>),
    /// Files about these components.
    Files(Vec<&'s Service>, Files),
    /// Every image, and the bundle that deploys them.
    All,
}

/// A kind of files about components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// Each component as a Dockerfile.
    Dockerfiles,
    /// The digests of all images that builds start from.
    Lock,
    /// The contract is proven; what was found, for programs.
    Verify,
    /// What the proof found, as a page; broken promises are no error.
    Report,
    /// About the whole project alone.
    Project(Kind),
}

impl Files {
    /// All of them, by the name that stands in a stage's place, and what they are.
    pub const ALL: [(&'static str, Self, &'static str); 8] = [
        ("bundle", Self::Project(Kind::Bundle), "what deploys without the sources"),
        ("dockerfiles", Self::Dockerfiles, "each component as a Dockerfile"),
        ("dockerignore", Self::Project(Kind::Ignore), "what stays out of build contexts"),
        ("kubernetes", Self::Project(Kind::Kubernetes), "manifests for Kubernetes"),
        ("lock", Self::Lock, "the digests of all images that builds start from"),
        (VERIFY, Self::Verify, "proves the contract inside the build"),
        ("report", Self::Report, "a page about what the proof found"),
        ("workflows", Self::Project(Kind::Workflows), "what CI runs, and a file for bake"),
    ];

    /// The names of those that can be about one component.
    pub fn of_components() -> Vec<&'static str> {
        Self::ALL
            .iter()
            .filter(|(_, files, _)| !matches!(files, Self::Project(_)))
            .map(|(name, ..)| *name)
            .collect()
    }

    /// The one of this name. No stage can have it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, ..)| *known == name).map(|(_, files, _)| *files)
    }
}

impl<'s> Goal<'s> {
    /// Finds out what is asked for. For `problems` see [`Target::choose`].
    pub fn choose(
        spec: &'s Spec,
        problems: &[Diagnostic],
        given: Option<&'s str>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let Some((name, files)) = given.and_then(|given| given.split_once(':')) else {
            let is_several = spec.components.len() + spec.unreadable.len() > 1;
            if given.is_none() && is_several {
                return all(spec, problems).map(|()| Self::All);
            }
            return Target::choose(spec, problems, given).map(Self::Stage);
        };
        match (name, Files::named(files)) {
            ("", Some(files)) => {
                all(spec, problems)?;
                Ok(Self::Files(spec.components.iter().collect(), files))
            }
            ("", None) => {
                let names = Files::ALL.map(|(name, ..)| name);
                let meant = did_you_mean(files, names).map(|meant| format!("did you mean `:{meant}`?"));
                let all = names.map(|name| format!(":{name}")).join(", ");
                Err(vec![
                    Diagnostic::new(Code::UnknownTarget, format!("there is no target `:{files}`"))
                        .help_if(meant)
                        .help(format!("for the whole project: {all}")),
                ])
            }
            (_, files) => {
                let target = Target::choose(spec, problems, given)?;
                match files {
                    Some(Files::Project(_)) => Err(vec![of_the_project(target.service, given)]),
                    Some(files) => Ok(Self::Files(vec![target.service], files)),
                    None => Ok(Self::Stage(target)),
                }
            }
        }
    }
}

/// Whether all components can be read. What is wrong is an error if one of them cannot.
fn all(spec: &Spec, problems: &[Diagnostic]) -> Result<(), Vec<Diagnostic>> {
    let errors: Vec<Diagnostic> = problems.iter().filter(|problem| problem.is_error()).cloned().collect();
    if errors.is_empty() || spec.unreadable.is_empty() { Ok(()) } else { Err(errors) }
}

fn of_the_project(service: &Service, given: Option<&str>) -> Diagnostic {
    let files = given.and_then(|given| given.split_once(':')).map_or("", |(_, files)| files);
    Diagnostic::new(
        Code::UnknownTarget,
        format!("`:{files}` is about the whole project, not about one component"),
    )
    .at(&service.name.span)
    .help(format!("--target :{files}"))
}

/// What to build.
#[derive(Clone, Copy, Debug)]
pub struct Target<'s> {
    /// The component.
    pub service: &'s Service,
    /// One of its stages, instead of its image.
    stage: Option<&'s str>,
}

impl<'s> Target<'s> {
    /// Finds the target. `problems` are those of reading the spec: if the component could not
    /// be read, they are the answer.
    pub fn choose(
        spec: &'s Spec,
        problems: &[Diagnostic],
        given: Option<&'s str>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let errors: Vec<Diagnostic> = problems.iter().filter(|problem| problem.is_error()).cloned().collect();
        let Some(given) = given else {
            return match spec.components.as_slice() {
                [only] if spec.unreadable.is_empty() => Ok(Self { service: only, stage: None }),
                _ if !errors.is_empty() => Err(errors),
                several => Err(vec![which(several)]),
            };
        };
        let (name, stage) = match given.split_once(':') {
            Some(("", stage)) if Files::named(stage).is_some() => return Self::choose(spec, problems, None),
            // What is asked of files about a component is asked of the component.
            Some((name, stage)) => (name, Some(stage).filter(|stage| Files::named(stage).is_none())),
            None => (given, None),
        };
        let exact = spec.components.iter().find(|service| service.name.value == name);
        let any_case =
            || spec.components.iter().find(|service| service.name.value.eq_ignore_ascii_case(name));
        let unreadable = spec.unreadable.iter().any(|known| known.eq_ignore_ascii_case(name));
        match exact.or_else(any_case) {
            Some(service) => Ok(Self { service, stage }),
            None if unreadable && !errors.is_empty() => Err(errors),
            None => Err(vec![unknown(spec, name, given)]),
        }
    }

    /// The name of the stage to build.
    pub fn stage(&self, plan: &Plan) -> Result<String, Vec<Diagnostic>> {
        let Some(stage) = self.stage else {
            return if plan.archetype == Archetype::Library {
                Err(vec![self.no_image(plan)])
            } else {
                Ok(plan.runtime.clone())
            };
        };
        if plan.stage(stage).is_some() {
            return Ok(stage.to_owned());
        }
        let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
        let meant = did_you_mean(stage, names.iter().copied())
            .map(|meant| format!("did you mean `{}:{meant}`?", plan.component));
        Err(vec![
            Diagnostic::new(Code::UnknownTarget, format!("`{}` has no stage `{stage}`", plan.component))
                .at(&self.service.name.span)
                .help_if(meant)
                .help(format!(
                    "its stages: {}; and files: {}",
                    names.join(", "),
                    Files::of_components().join(", ")
                )),
        ])
    }
}

impl Target<'_> {
    /// A library is published, not run.
    fn no_image(&self, plan: &Plan) -> Diagnostic {
        let component = &self.service.component;
        let place = component.archetype.as_ref().map(|archetype| &archetype.span);
        let place = place.or(component.readiness.as_ref().map(|readiness| &readiness.assertions.span));
        let others = plan.stages.iter().map(|stage| stage.name.as_str()).filter(|name| *name == "test");
        let diagnostic = Diagnostic::new(
            Code::NoImage,
            format!("`{}` is a library: there is no image to build", plan.component),
        )
        .at(place.unwrap_or(&self.service.name.span))
        .help(format!(
            "`--target {0}:{1} --output DIR` gives what its registry gets; publish that",
            plan.component, plan.runtime
        ));
        others.fold(diagnostic, |diagnostic, stage| {
            diagnostic.help(format!("`--target {}:{stage}` runs its tests", plan.component))
        })
    }
}

fn names(services: &[Service]) -> String {
    services.iter().map(|service| service.name.value.as_str()).collect::<Vec<_>>().join(", ")
}

/// All components, those included in which something is wrong.
fn all_names(spec: &Spec) -> String {
    let readable = spec.components.iter().map(|service| service.name.value.as_str());
    readable.chain(spec.unreadable.iter().map(String::as_str)).collect::<Vec<_>>().join(", ")
}

fn which(services: &[Service]) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::UnknownTarget, "the file has several components; say which one to build")
            .help(format!("--target one of: {}", names(services)))
            .help("`docker buildx bake -f FILE` builds all of them");
    match services.first() {
        Some(first) => diagnostic.at(&first.name.span),
        None => diagnostic,
    }
}

fn unknown(spec: &Spec, name: &str, given: &str) -> Diagnostic {
    if spec.others.iter().any(|other| other == name) {
        return Diagnostic::new(
            Code::UnknownTarget,
            format!("the service `{name}` has no `x-slipway` key, so there is nothing to build"),
        )
        .help(format!("targets: {}", all_names(spec)))
        .at_if(spec.running_of(name).map(|running| &running.name.span));
    }
    let meant = did_you_mean(name, spec.components.iter().map(|service| service.name.value.as_str()));
    let place = spec
        .components
        .iter()
        .find(|service| Some(service.name.value.as_str()) == meant)
        .or(spec.components.first());
    let diagnostic = Diagnostic::new(Code::UnknownTarget, format!("there is no target `{given}`"))
        .help_if(meant.map(|meant| format!("did you mean `{meant}`?")))
        .help(format!("targets: {}", all_names(spec)));
    match place {
        Some(service) => diagnostic.at(&service.name.span),
        None => diagnostic,
    }
}
