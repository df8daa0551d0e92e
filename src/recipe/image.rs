//! The image's declaration, from the Compose keys first, then `x-slipway`, then the recipe.

use std::collections::BTreeSet;

use super::{Made, Request};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::plan::{Action, Health, Image, Stage};
use crate::spec::Service;
use crate::spec::contract::HealthContract;
use crate::spec::values::Port;

/// The ports that Compose says the service listens on.
pub(super) fn ports(service: &Service) -> BTreeSet<Port> {
    service.compose.expose.0.iter().chain(&service.compose.ports.0).cloned().collect()
}

/// The recipe's image with all that the spec says laid over it.
pub(super) fn complete(request: &Request<'_>, made: &Made, problems: &mut Diagnostics) -> Option<Image> {
    let Service { compose, component, .. } = request.service;
    let defaults = request.service.defaults.as_ref();
    let runtime = made.stages.iter().find(|stage| stage.name == made.runtime)?;
    let mut image = made.image.clone();

    if let (true, Some(user)) = (switches_user(runtime), &component.user) {
        problems.push(
            Diagnostic::new(Code::Value, "the image's stage has a `user` step, so this user would not run")
                .at(&user.span)
                .help("remove one of the two"),
        );
    }
    if !switches_user(runtime) || compose.user.is_some() {
        image.user = Some(request.user.clone());
    }
    if let Some(entrypoint) = &compose.entrypoint {
        image.entrypoint = Some(entrypoint.words.clone());
        // As in a Dockerfile, a new entrypoint does not inherit arguments meant for another.
        image.command = None;
    }
    if let Some(init) = &made.init {
        image.entrypoint =
            Some(init.iter().cloned().chain(image.entrypoint.take().unwrap_or_default()).collect());
    }
    if let Some(command) = &compose.command {
        image.command = Some(command.words.clone());
    }
    image.working_dir = compose.working_dir.as_ref().map(|path| path.value.clone()).or(image.working_dir);
    image.stop_signal = compose.stop_signal.as_ref().map(|signal| signal.value.clone()).or(image.stop_signal);
    let ports = ports(request.service);
    if !ports.is_empty() {
        image.ports = Some(ports);
    }
    for env in [defaults.map(|defaults| &defaults.env), Some(&component.env)].into_iter().flatten() {
        image.env.extend(env.with_values().map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
    for annotations in
        [defaults.map(|defaults| &defaults.annotations), Some(&component.annotations)].into_iter().flatten()
    {
        let pairs = annotations.with_values().map(|(key, value)| (key.to_owned(), value.to_owned()));
        image.annotations.extend(pairs);
    }
    let build_labels = compose.build.as_ref().map(|build| &build.labels);
    for labels in [defaults.map(|defaults| &defaults.labels), build_labels, Some(&component.labels)]
        .into_iter()
        .flatten()
    {
        image
            .labels
            .extend(labels.0.iter().map(|(key, value)| (key.clone(), value.clone().unwrap_or_default())));
    }
    image.volumes.extend(compose.volumes.0.iter().map(|volume| volume.value.clone()));
    image.health = health(request, made, problems);
    Some(image)
}

/// Whether a hand-written stage chose its user itself.
fn switches_user(stage: &Stage) -> bool {
    stage.steps.iter().any(|step| matches!(step.action, Action::User(_)))
}

/// Compose's `healthcheck`, with the contract's question where it has no `test` of its own.
fn health(request: &Request<'_>, made: &Made, problems: &mut Diagnostics) -> Option<Health> {
    let times = request.service.compose.healthcheck.as_ref();
    if times.and_then(|check| check.disable) == Some(true) {
        return Some(Health { test: vec!["NONE".to_owned()], ..Health::default() });
    }
    let given = times.and_then(|check| check.test.clone()).map(|test| test.0);
    let contract = request.service.component.contract.as_ref().and_then(|contract| contract.health.as_ref());
    let test = match (given, contract) {
        (Some(test), _) => test,
        (None, Some(contract)) => question(request, made, contract, problems)?,
        (None, None) => return None,
    };
    Some(Health {
        test,
        interval: times.and_then(|check| check.interval),
        timeout: times.and_then(|check| check.timeout),
        start_period: times.and_then(|check| check.start_period),
        start_interval: times.and_then(|check| check.start_interval),
        retries: times.and_then(|check| check.retries),
    })
}

/// Where an image has Slipway's probe, and what the probe is called among the tools.
pub(super) const PROBE: &str = "/usr/local/bin/slipway-probe";
pub(super) const PROBE_NAME: &str = "slipway-probe";

/// Whether an image asks itself with Slipway's probe.
pub(super) fn uses_probe(image: &Image) -> bool {
    image.health.as_ref().is_some_and(|health| health.test.iter().any(|word| word == PROBE))
}

fn question(
    request: &Request<'_>,
    made: &Made,
    contract: &HealthContract,
    problems: &mut Diagnostics,
) -> Option<Vec<String>> {
    let mut fail = |diagnostic: Diagnostic| {
        problems.push(diagnostic);
        None
    };
    let refined = contract.status.as_ref().or(contract.contains.as_ref());
    if let (None, Some(key)) = (&contract.http, refined) {
        return fail(
            Diagnostic::new(Code::Value, "`status` and `contains` are of an answer over `http`")
                .at(&key.span)
                .help("give `http` a path, or remove them"),
        );
    }
    match (&contract.http, &contract.tcp, &contract.command) {
        (None, None, Some(command)) => {
            let mut test = vec!["CMD".to_owned()];
            test.extend(command.words.iter().cloned());
            Some(test)
        }
        (None, Some(port), None) => {
            Some(["CMD", PROBE, "tcp", &format!("127.0.0.1:{}", port.value.text)].map(str::to_owned).into())
        }
        (Some(path), None, None) => {
            if !path.value.starts_with('/') {
                return fail(
                    Diagnostic::new(Code::Value, format!("`{}` is no path", path.value))
                        .at(&path.span)
                        .help("write the path alone, such as `/health`; the port has a key of its own"),
                );
            }
            let given = contract.port.as_ref().map(|port| port.value.text.clone());
            let Some(port) = given.or_else(|| request.only_port().map(|port| port.to_string())) else {
                return fail(
                    Diagnostic::new(Code::MissingKey, "which port answers is not clear")
                        .at(&contract.span)
                        .help("set `port`, or let the service `expose` exactly one"),
                );
            };
            let url = format!("http://127.0.0.1:{port}{}", path.value);
            // What the image has itself can ask for a plain yes or no.
            if let (Some(check), None, false) = (made.http_check, refined, port.starts_with('$')) {
                return Some(check(&url));
            }
            let mut test = ["CMD", PROBE, "http", &url].map(str::to_owned).to_vec();
            for (flag, value) in [("--status", &contract.status), ("--contains", &contract.contains)] {
                test.extend(value.iter().flat_map(|value| [flag.to_owned(), value.value.clone()]));
            }
            Some(test)
        }
        // Said where values are looked at.
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => None,
        _ => fail(
            Diagnostic::new(Code::MissingKey, "`health` needs `http`, `tcp` or `command`, one of the three")
                .at(&contract.span)
                .help("for example `health: { http: /health, port: 8080 }`"),
        ),
    }
}
