//! What every component gets, whatever made its stages: an init, the image's declaration, further
//! files, the user's accounts, the probe, folders, and what has to succeed first.

use std::collections::BTreeMap;

use super::{Made, Request, contract, draft, image, init, stages};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span, did_you_mean};
use crate::plan::{Action, Archetype, From, Image, MakeDir, Owner, Plan, Stage, Step, VERIFY};

/// What every component gets, whatever made its stages.
pub(super) fn finish(
    request: &Request<'_>,
    mut made: Made,
    labels: BTreeMap<String, String>,
    problems: &mut Diagnostics,
) -> Option<Plan> {
    let service = request.service;
    if request.archetype != Archetype::Library {
        init::add(request, &mut made, problems);
    }
    let mut image = image::complete(request, &made, problems)?;
    for (name, value) in labels {
        image.labels.entry(name).or_insert(value);
    }
    let requires = requires(request, &made, problems);
    let uses_probe = image::uses_probe(&image);
    let runtime = made.stages.iter_mut().find(|stage| stage.name == made.runtime)?;
    if request.archetype != Archetype::Library {
        complete_runtime(request, runtime, &image, uses_probe, problems);
    }
    let contract = Box::new(contract::contract(request, &image, problems));
    Some(Plan {
        component: service.name.value.clone(),
        stages: made.stages,
        runtime: made.runtime,
        image,
        contract,
        source: request.source.clone(),
        requires,
        archetype: request.archetype,
        found: request.findings.take(),
    })
}

/// What the runtime stage has beside what the recipe put there.
fn complete_runtime(
    request: &Request<'_>,
    runtime: &mut Stage,
    image: &Image,
    uses_probe: bool,
    problems: &mut Diagnostics,
) {
    let service = request.service;
    for file in &service.component.files {
        runtime.steps.extend(stages::copy_step(request, file, None, problems));
    }
    let accounts = |step: &Step| matches!(step.action, Action::Accounts(_));
    let runs_as_user = image.user.as_ref() == Some(request.user);
    if runs_as_user && !runtime.steps.iter().any(accounts) {
        runtime
            .steps
            .push(Step { action: Action::Accounts(request.user.clone()), origin: service.extension.clone() });
    }
    if uses_probe {
        let health = service.component.contract.as_ref().and_then(|contract| contract.health.as_ref());
        let copy = draft::layer(From::Tools, image::PROBE_NAME, image::PROBE);
        let origin = health.map_or(&service.extension, |health| &health.span).clone();
        runtime.steps.push(Step { action: Action::Copy(copy), origin });
    }
    // As a Dockerfile's WORKDIR does: an engine may not be able to make it under a read-only root.
    if let Some(path) = &service.compose.working_dir {
        let folder = MakeDir { path: path.value.clone(), mode: 0o755, owner: Owner::default(), link: false };
        runtime.steps.push(Step { action: Action::MakeDir(folder), origin: path.span.clone() });
    }
    // A volume takes its owner from the folder that the image has there.
    let owner = image.user.as_ref().map(|user| Owner { uid: user.uid, gid: user.gid }).unwrap_or_default();
    for volume in &service.compose.volumes.0 {
        let folder = MakeDir { path: volume.value.clone(), mode: 0o755, owner, link: false };
        runtime.steps.push(Step { action: Action::MakeDir(folder), origin: volume.span.clone() });
    }
}

/// The stages that have to succeed first.
fn requires(request: &Request<'_>, made: &Made, problems: &mut Diagnostics) -> Vec<(String, Span)> {
    let mut requires = Vec::new();
    let service = request.service;
    let defaults = service.defaults.as_ref().map(|defaults| &defaults.require);
    let written = service.component.require.as_ref().or(defaults);
    // There is no image of a library to prove anything of.
    let has_image = request.archetype != Archetype::Library;
    let wanted = written.iter().flat_map(|wanted| &wanted.0);
    for wanted in wanted.filter(|wanted| has_image || wanted.value != VERIFY) {
        let names: Vec<&str> = made
            .stages
            .iter()
            .map(|stage| stage.name.as_str())
            .filter(|name| *name != made.runtime)
            .collect();
        if names.contains(&wanted.value.as_str()) || wanted.value == VERIFY {
            requires.push((wanted.value.clone(), wanted.span.clone()));
            continue;
        }
        let meant = did_you_mean(&wanted.value, names.iter().copied());
        let help = match (wanted.value.as_str(), meant) {
            ("test", _) => "no tests were found: set `test` to the command that runs them".to_owned(),
            (_, Some(meant)) => format!("did you mean `{meant}`?"),
            (_, None) if names.is_empty() => "the image is its only stage".to_owned(),
            (_, None) => format!("its stages: {}", names.join(", ")),
        };
        problems.push(
            Diagnostic::new(Code::UnknownStage, format!("there is no stage `{}` to require", wanted.value))
                .at(&wanted.span)
                .help(help),
        );
    }
    requires
}
