//! Contracts: the targets `:verify` and `:report`, and images that require their proof.
//!
//! The proof is part of the graph. That a promise is broken is in the report that it leaves, which is
//! read here, so that each finding is shown at the line of the spec where the promise stands.

use std::collections::BTreeMap;

use buildkit_llb::{Output, Platform};
use buildkit_proto::frontend::Result as BuildResult;
use futures_util::future::try_join_all;

use super::epoch;
use super::errors::Failure;
use super::gateway::{Gateway, Reference};
use super::graph::{Graph, Wanted};
use super::options::Options;
use super::result::{Solved, result};
use super::session::Session;
use super::warnings::warn_and_stop;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::lower::proof::{Proof, files, report};
use crate::lower::setting::{FoundImages, NeighbourSetting, ProofSetting};
use crate::plan::contract::Beside;
use crate::plan::reach::ImageUse;
use crate::plan::{Archetype, Plan, Report as PlanReport, StagePlatform};
use crate::probe::report::Report;
use crate::spec::Service;
use crate::spec::running::stand_in;

impl Graph<'_> {
    /// Whether the contract of what this stage is gets proven: if it is asked for, or required.
    pub(super) fn is_proven(&self, plan: &Plan, stage: &str, is_target: bool) -> bool {
        stage == plan.runtime && (is_target && self.proves || plan.requires_proof().is_some())
    }

    /// The services that run beside a component, by name, with their images.
    pub(super) fn beside<'p>(&self, plan: &'p Plan) -> Result<Vec<(&'p Beside, ImageUse)>, Failure> {
        let mut found = Vec::new();
        for beside in &plan.contract.with {
            let Beside { service: name, origin, .. } = beside;
            let fail = |message: String, help: &str| {
                Err(Failure::spec(Diagnostic::new(Code::Value, message).at(origin).help(help)))
            };
            let Some(running) = self.project().spec.running_of(name) else {
                return fail(
                    format!("there is no service `{name}` to run beside it"),
                    "name a service of the file",
                );
            };
            if *name == plan.component {
                return fail(format!("`{name}` cannot run beside itself"), "remove it");
            }
            let is_component =
                self.project().spec.components.iter().any(|service| service.name.value == *name);
            let image = match (&running.image, is_component) {
                (_, true) => name.clone(),
                (Some(image), false) => image.value.clone(),
                (None, false) => {
                    return fail(format!("the service `{name}` has no image to run"), "give it an `image`");
                }
            };
            let used = ImageUse { name: image, platform: StagePlatform::Target, origin: origin.clone() };
            found.push((beside, used));
        }
        Ok(found)
    }

    /// What proving a plan's contract takes.
    pub(super) fn proof_setting(
        &self,
        plan: &Plan,
        images: &FoundImages,
        platform: &Platform,
    ) -> Result<ProofSetting, Failure> {
        let spec = &self.project().spec;
        let hosts = spec
            .running
            .iter()
            .map(|running| running.name.value.clone())
            .filter(|name| *name != "localhost")
            .collect();
        let mut neighbours = Vec::new();
        for (beside, used) in self.beside(plan)? {
            let running = spec.running_of(&beside.service);
            let Some((image, running)) = images.get(&(used.name.clone(), platform.clone())).zip(running)
            else {
                continue;
            };
            let component = spec.components.iter().find(|service| service.name.value == beside.service);
            let contract = component.and_then(|service| service.component.contract.as_ref());
            let own = contract.into_iter().flat_map(|contract| {
                let required =
                    contract.required.0.iter().map(|name| (name.value.clone(), stand_in(&name.value)));
                let given =
                    contract.env.with_values().map(|(name, value)| (name.to_owned(), value.to_owned()));
                required.chain(given)
            });
            let value =
                |setting: &crate::spec::running::Setting| (setting.name.clone(), setting.filled.clone());
            neighbours.push(NeighbourSetting {
                name: beside.service.clone(),
                image: image.clone(),
                env: running.environment.iter().map(value).chain(own).chain(beside.env.clone()).collect(),
                ports: running
                    .ports
                    .iter()
                    .filter(|port| port.protocol == "tcp")
                    .map(|port| port.number)
                    .collect(),
                words: running.words.clone(),
            });
        }
        Ok(ProofSetting { hosts, neighbours })
    }
}

/// The files of `:verify`, for which a broken promise is an error; or the page of `:report`.
pub(super) async fn build(
    session: Session<'_>,
    services: &[&Service],
    page: bool,
) -> Result<BuildResult, Failure> {
    let Session { gateway, options, caps, project } = session;
    let epoch = epoch::find(gateway, options, caps).await?;
    let mut graphs = Vec::new();
    for service in services {
        let planned = project.plan(service).await?;
        if planned.plan.archetype == Archetype::Library {
            if let [only] = services {
                return Err(Failure::spec(
                    Diagnostic::new(
                        Code::NoImage,
                        format!("`{}` is a library: there is no image to verify", only.name.value),
                    )
                    .at(&only.name.span),
                ));
            }
            continue;
        }
        let mut problems = project.problems_of(service);
        problems.extend(project.lint(service, &planned));
        warn_and_stop(gateway, caps, &project.file, problems).await?;
        let stage = planned.plan.runtime.clone();
        let wanted = Wanted { planned, stage, proves: true };
        graphs.push(Graph::of(session, service, wanted, epoch).await?);
    }
    let Some(first) = graphs.first() else {
        return Err(Failure::spec(Diagnostic::new(Code::NoImage, "there is no image to verify")));
    };
    let solve = |platform: &Platform| {
        let (graphs, platform) = (&graphs, platform.clone());
        async move {
            let mut proofs = Vec::new();
            for graph in graphs {
                proofs.extend(graph.lowered(&platform)?.proof);
            }
            let Some(whole) = report(&proofs, &graphs[0].host) else {
                return Err(Failure::spec(Diagnostic::new(Code::NoImage, "the image is empty")));
            };
            let found = read(gateway, &graphs[0], &whole, options).await?;
            let broken = findings(&found.0, graphs);
            if !page && !broken.is_empty() {
                return Err(Failure::Spec(broken));
            }
            let names: &[&str] = if page {
                &["index.html", "junit.xml", "report.json", "report.txt"]
            } else {
                &["junit.xml", "report.json", "report.txt"]
            };
            let output = files(&whole, &proofs, names).unwrap_or(whole);
            let reference = gateway.solve_definition(graphs[0].definition(&output)?, &[]).await?.0;
            Ok((Solved::files(reference, &platform), found.0))
        }
    };
    let solved = try_join_all(first.platforms.iter().map(solve)).await?;
    let (solved, reports): (Vec<_>, Vec<_>) = solved.into_iter().unzip();
    let report = PlanReport {
        text: summaries(&reports).join("\n"),
        details: serde_json::to_value(&reports).unwrap_or_default(),
    };
    Ok(result(&first.platforms, solved, first.multi, Some(report), &BTreeMap::new(), epoch))
}

/// What was found of each component, in a line.
pub(super) fn summaries(reports: &[Report]) -> Vec<String> {
    let components = reports.iter().flat_map(|report| &report.components);
    components
        .map(|component| format!("{} ({}): {}", component.component, component.platform, component.summary()))
        .collect()
}

/// What the proof of an image that requires it found, and the engine's name for its report; an error
/// if a promise is broken.
pub(super) async fn required(
    gateway: &Gateway,
    graph: &Graph<'_>,
    proof: &Proof,
    options: &Options,
) -> Result<(Report, Reference), Failure> {
    let Some(whole) = report(std::slice::from_ref(proof), &graph.host) else {
        return Err(Failure::spec(Diagnostic::new(Code::NoImage, "the image is empty")));
    };
    let found = read(gateway, graph, &whole, options).await?;
    let mut broken = findings(&found.0, std::slice::from_ref(graph));
    let untried = found.0.components.iter().find_map(|component| component.untried());
    if let Some((check, plan)) = untried.zip(graph.plan()) {
        let message = format!("its proof is required, and cannot be made: {}", check.message);
        broken.push(Diagnostic::new(Code::Contract, message).at_if(plan.requires_proof()));
    }
    if broken.is_empty() { Ok(found) } else { Err(Failure::Spec(broken)) }
}

async fn read(
    gateway: &Gateway,
    graph: &Graph<'_>,
    whole: &Output,
    options: &Options,
) -> Result<(Report, Reference), Failure> {
    let reference = gateway.solve_definition(graph.definition(whole)?, &options.cache_imports()?).await?;
    let bytes = gateway.read_file(&reference, "report.json").await?.unwrap_or_default();
    let report = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::spec(Diagnostic::new(
            Code::Engine,
            format!("the report of the proof cannot be read: {error}"),
        ))
    })?;
    Ok((report, reference))
}

/// The broken promises, where they stand.
fn findings(report: &Report, graphs: &[Graph<'_>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for component in &report.components {
        let plan = graphs.iter().filter_map(Graph::plan).find(|plan| plan.component == component.component);
        for check in component.failures() {
            let mut message = format!("{}: {}: {}", component.component, check.rule.name(), check.message);
            for line in &check.details {
                message.push_str("\n  ");
                message.push_str(line);
            }
            let subject = check.subject.as_deref();
            let place =
                plan.map(|plan| step_of(plan, subject).unwrap_or(plan.contract.place(check.rule, subject)));
            let diagnostic =
                Diagnostic::new(Code::Contract, message).at_if(place).help_if(check.help.clone());
            found.push(Diagnostic { service: Some(component.component.clone()), ..diagnostic });
        }
    }
    found
}

/// The place of the step that a finding is about: what it adds holds a secret.
fn step_of<'p>(plan: &'p Plan, subject: Option<&str>) -> Option<&'p Span> {
    let subject = subject?;
    let steps = plan.stages.iter().rev().flat_map(|stage| &stage.steps);
    steps.into_iter().find(|step| step.action.to_string() == subject).map(|step| &step.origin)
}
