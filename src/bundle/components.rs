//! What each component is, for programs; and how all of them hang together, for people.

use serde_json::{Value, json};

use super::{Part, System, TextFiles, add};
use crate::plan::contract::Question;
use crate::spec::routes::{Answer, api};

/// Adds a manifest for each component, and the picture.
pub(super) fn files(system: &System<'_>, files: &mut TextFiles) {
    for part in &system.parts {
        let path = format!("components/{}/SPEC.manifest.json", part.name());
        add(files, &path, format!("{:#}\n", manifest(system, part)));
    }
    add(files, "ARCHITECTURE.md", architecture(system));
}

fn manifest(system: &System<'_>, part: &Part<'_>) -> Value {
    let (service, plan) = (part.service, &part.plan);
    let promise = &plan.contract.promise;
    let component = &service.component;
    let ports: Vec<String> = plan.image.ports.iter().flatten().map(ToString::to_string).collect();
    let depends_on: Vec<&str> =
        service.running.depends_on.iter().map(|other| other.service.value.as_str()).collect();
    let routes: Vec<&str> = system
        .ingress()
        .map(|ingress| ingress.routes.as_slice())
        .unwrap_or_default()
        .iter()
        .filter(|route| matches!(&route.answer, Answer::Proxy { service, .. } if service == part.name()))
        .map(|route| route.path.as_str())
        .collect();
    let own_api = system.ingress().and_then(|ingress| api(service, &ingress.routes));
    let found: Vec<String> = plan.found.iter().map(ToString::to_string).collect();
    let line = service.name.span.line();
    json!({
        "id": part.name(),
        "kind": plan.archetype.to_string(),
        "recipe": component.recipe.as_ref().map(|recipe| &recipe.value),
        "version": component.version.as_ref().map(|version| &version.value),
        "found": found,
        "paths": { "source": plan.source, "spec": system.file },
        "image": system.image(part),
        "runtime": {
            "ports": ports,
            "dependsOn": depends_on,
            "routes": routes,
            "requiredEnv": promise.required,
            "env": service.running.environment.iter().map(|setting| &setting.name).collect::<Vec<_>>(),
            "user": part.user().map(|(uid, gid)| format!("{uid}:{gid}")),
            "health": promise.health.as_ref().map(health),
            "stopSeconds": promise.stop.within.as_secs(),
            "sizeLimit": promise.size,
        },
        "contract": own_api.map(|api| api.openapi),
        "traceability": { "state": system.state().map(|state| &state.id.value), "spec": format!("{}:{line}", system.file) },
    })
}

fn health(question: &Question) -> Value {
    match question {
        Question::Http { port, path, .. } => json!({ "http": path, "port": port }),
        Question::Tcp { port } => json!({ "tcp": port }),
        Question::Command(words) => json!({ "command": words }),
    }
}

/// Who waits for whom, and where the ingress leads to, as a picture that hosts of repositories draw.
fn architecture(system: &System<'_>) -> String {
    let mut text = format!(
        "# {}\n\nGenerated from `{}` by Slipway.\n\n```mermaid\nflowchart LR\n",
        system.name, system.file
    );
    // Names may have what the language of the picture has a meaning for.
    let id = |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    for (name, _) in &system.spec.document.services {
        if system.part(name).is_some() {
            text += &format!("  {}[\"{name}\"]\n", id(name));
        } else if system.others().any(|other| other == name) && !system.is_left_out(name) {
            text += &format!("  {}[(\"{name}\")]\n", id(name));
        }
    }
    if let Some(ingress) = system.ingress() {
        text += &format!("  browser([\"browser\"]) --> {}\n", id(ingress.name()));
        for route in &ingress.routes {
            if let Answer::Proxy { service, .. } = &route.answer {
                text += &format!("  {} -->|\"{}\"| {}\n", id(ingress.name()), route.path, id(service));
            }
        }
    }
    for part in &system.parts {
        let upstreams = part.upstreams();
        for other in &part.service.running.depends_on {
            let name = other.service.value.as_str();
            if !upstreams.contains(&name) {
                text += &format!("  {} -.-> {}\n", id(part.name()), id(name));
            }
        }
    }
    text + "```\n\nArrows are routes; dotted ones lead to what a service waits for.\n"
}
