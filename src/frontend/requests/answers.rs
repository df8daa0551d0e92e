//! The way from a question to its answer: open the spec, plan what is asked about, describe it.

use std::collections::BTreeMap;

use buildkit_llb::{Definition, json as llb_json};
use futures_util::future::try_join_all;

use super::Answer;
use crate::describe::{self, Component, Said};
use crate::diagnostic::Diagnostic;
use crate::frontend::build::can_build;
use crate::frontend::epoch;
use crate::frontend::errors::Failure;
use crate::frontend::gateway::Gateway;
use crate::frontend::graph::{Graph, Wanted};
use crate::frontend::options::Options;
use crate::frontend::project::{Planned, Project};
use crate::frontend::session::Session;
use crate::plan::Plan;
use crate::spec::{Service, Spec};
use crate::target::Target;

pub(super) fn schema() -> Said {
    let json = crate::schema::schema();
    let text = serde_json::to_string_pretty(&json).unwrap_or_default();
    Said { json, text }
}

pub(super) async fn targets(gateway: &Gateway, options: &Options) -> Result<Said, Failure> {
    Ok(describe::targets(&Project::open(gateway, options).await?.spec))
}

/// What is wrong is an answer here, not a failure: the client shows it, and takes the status.
pub(super) async fn lint(gateway: &Gateway, options: &Options) -> Result<Answer, Failure> {
    let project = match Project::open(gateway, options).await {
        Ok(project) => project,
        Err(Failure::Spec(diagnostics)) => return Ok(checked(None, &diagnostics)),
        Err(failure) => return Err(failure),
    };
    let mut diagnostics = Vec::new();
    let services: Vec<&Service> = match options.target() {
        None => {
            diagnostics.clone_from(&project.problems);
            project.spec.components.iter().collect()
        }
        Some(_) => match Target::choose(&project.spec, &project.problems, options.target()) {
            Ok(target) => {
                diagnostics.extend(project.problems_of(target.service));
                vec![target.service]
            }
            Err(problems) => return Ok(checked(Some(&project), &problems)),
        },
    };
    for service in services {
        match project.plan(service).await {
            Ok(planned) => diagnostics.extend(project.lint(service, &planned)),
            Err(Failure::Spec(problems)) => diagnostics.extend(problems),
            Err(failure) => return Err(failure),
        }
    }
    Ok(checked(Some(&project), &sorted(diagnostics)))
}

fn sorted(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut all = crate::diagnostic::Diagnostics::default();
    all.extend(diagnostics);
    all.into_sorted()
}

fn checked(project: Option<&Project<'_>>, diagnostics: &[Diagnostic]) -> Answer {
    let checked = describe::checked(project.map(|project| &project.spec), diagnostics);
    Answer { said: checked.said, status: Some(u8::from(!checked.is_well)) }
}

pub(super) async fn outline(gateway: &Gateway, options: &Options) -> Result<Said, Failure> {
    let project = Project::open(gateway, options).await?;
    let target = Target::choose(&project.spec, &project.problems, options.target())?;
    let planned = project.plan(target.service).await?;
    // A library has an outline, though it has no image.
    let stage = target.stage(&planned.plan).ok();
    let (spec, service, plan) = (&project.spec, target.service, &planned.plan);
    Ok(describe::outline(&Component { spec, service, plan, stage }))
}

pub(super) async fn plan(gateway: &Gateway, options: &Options) -> Result<Said, Failure> {
    asked(gateway, options, |_, plans| describe::plans(plans)).await
}

pub(super) async fn graph(gateway: &Gateway, options: &Options) -> Result<Said, Failure> {
    asked(gateway, options, describe::graph).await
}

/// Plans the target, or without one all components.
async fn asked(
    gateway: &Gateway,
    options: &Options,
    describe: impl FnOnce(&Spec, &[&Plan]) -> Said,
) -> Result<Said, Failure> {
    let project = Project::open(gateway, options).await?;
    let planned = planned(&project, options).await?;
    let plans: Vec<&Plan> = planned.iter().map(|(_, planned)| &planned.plan).collect();
    Ok(describe(&project.spec, &plans))
}

async fn planned<'p>(
    project: &'p Project<'_>,
    options: &'p Options,
) -> Result<Vec<(&'p Service, Planned)>, Failure> {
    let services: Vec<&Service> = if options.target().is_some() {
        vec![Target::choose(&project.spec, &project.problems, options.target())?.service]
    } else {
        let errors: Vec<Diagnostic> =
            project.problems.iter().filter(|problem| problem.is_error()).cloned().collect();
        if !errors.is_empty() {
            return Err(errors.into());
        }
        project.spec.components.iter().collect()
    };
    try_join_all(
        services.into_iter().map(|service| async move { Ok((service, project.plan(service).await?)) }),
    )
    .await
}

/// The images of the target, or of all components, with their digests where they can be had.
pub(super) async fn images(gateway: &Gateway, options: &Options) -> Result<Said, Failure> {
    let (caps, project) = tokio::try_join!(gateway.ping(), Project::open(gateway, options))?;
    let all = planned(&project, options).await?;
    let plans: Vec<Plan> = all.iter().map(|(_, planned)| planned.plan.clone()).collect();
    let mut digests = BTreeMap::new();
    for (service, planned) in all {
        let stage = planned.plan.runtime.clone();
        let wanted = Wanted { planned, stage, proves: false };
        // An image that cannot be found is listed all the same: it is what a mirror lacks.
        let session = Session { gateway, options, caps: &caps, project: &project };
        if let Ok(graph) = Graph::of(session, service, wanted, None).await {
            digests.extend(graph.digests());
        }
    }
    Ok(describe::images(&project.spec, &plans.iter().collect::<Vec<_>>(), &digests))
}

/// The graph of the target, for its first platform.
pub(super) async fn llb(gateway: &Gateway, options: &Options) -> Result<Said, Failure> {
    let (caps, project) = tokio::try_join!(gateway.ping(), Project::open(gateway, options))?;
    can_build(&caps)?;
    let target = Target::choose(&project.spec, &project.problems, options.target())?;
    let planned = project.plan(target.service).await?;
    let stage = target.stage(&planned.plan)?;
    let epoch = epoch::find(gateway, options, &caps).await?;
    let wanted = Wanted { planned, stage, proves: false };
    let session = Session { gateway, options, caps: &caps, project: &project };
    let graph = Graph::of(session, target.service, wanted, epoch).await?;
    let lowered = graph.lowered(graph.platforms.first().unwrap_or(&graph.host))?;
    let definition = match &lowered.output {
        Some(output) => graph.definition(output)?,
        None => Definition::default(),
    };
    let json = llb_json(&definition);
    let text = serde_json::to_string_pretty(&json).unwrap_or_default();
    Ok(Said { json, text })
}
