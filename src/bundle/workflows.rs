//! What CI runs: build, prove and publish; look for what is known to be unsafe; throw old images away.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Value, context};

use super::compose::registry_and_name;
use super::template::filled;
use super::{System, TextFiles, add};
use crate::plan::reach;
use crate::spec::SourceName;
use crate::spec::system::WorkflowsSpec;

const WORKFLOWS: [(&str, &str); 4] = [
    ("build-and-publish.yml", include_str!("templates/workflows/build-and-publish.yml")),
    ("cleanup.yml", include_str!("templates/workflows/cleanup.yml")),
    ("security.yml", include_str!("templates/workflows/security.yml")),
    ("license-scanning-node.yml", include_str!("templates/workflows/license-scanning-node.yml")),
];

/// What is kept of old images.
const KEEP: u32 = 10;

/// Adds the workflows.
pub(super) fn files(system: &System<'_>, files: &mut TextFiles) {
    let values = values(system);
    let has_node = !folders(system, &["node", "static"]).is_empty();
    for (name, template) in WORKFLOWS {
        if name.ends_with("node.yml") && !has_node {
            continue;
        }
        add(files, &format!(".github/workflows/{name}"), filled(name, template, values.clone()));
    }
}

/// The components that others are made from: their stages are shared.
pub(super) fn shared<'s>(system: &'s System<'_>) -> BTreeSet<&'s str> {
    let mut found = BTreeSet::new();
    for part in &system.parts {
        let stages: Vec<_> = part.plan.stages.iter().collect();
        for used in reach::images(&stages) {
            if let SourceName::Component(name) = system.spec.source(part.name(), &used.name)
                && let Some(other) = system.part(&name)
            {
                found.insert(other.name());
            }
        }
    }
    found
}

/// The folders of components of these recipes.
fn folders(system: &System<'_>, recipes: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = system
        .spec
        .components
        .iter()
        .filter(|service| {
            service.component.recipe.as_ref().is_some_and(|recipe| recipes.contains(&recipe.value.as_str()))
        })
        .map(|service| {
            let source = crate::recipe::source(service);
            if source.is_empty() { ".".to_owned() } else { source }
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn values(system: &System<'_>) -> Value {
    let given: Option<&WorkflowsSpec> =
        system.spec.project.as_ref().and_then(|project| project.workflows.as_ref());
    let list = |list: Option<&crate::spec::values::OneOrMany>, default: &str| -> Vec<String> {
        let given: Vec<String> = list.iter().flat_map(|list| &list.0).map(|one| one.value.clone()).collect();
        if given.is_empty() { vec![default.to_owned()] } else { given }
    };
    let branches = list(given.map(|given| &given.branches), "main");
    let platforms = list(given.map(|given| &given.platforms), "linux/amd64");
    let shared = shared(system);
    let components: Vec<Value> = system
        .parts
        .iter()
        .map(|part| {
            let (registry, image) = image(system, part.name());
            context! { name => part.name().to_owned(), image => format!("{registry}/{image}"), package => image }
        })
        .collect();
    let mut paths: BTreeSet<String> =
        system
            .parts
            .iter()
            .map(|part| {
                if part.plan.source.is_empty() { "**".to_owned() } else { format!("{}/**", part.plan.source) }
            })
            .collect();
    if paths.contains("**") {
        paths = BTreeSet::from(["**".to_owned()]);
    }
    let stem = system.file.trim_end_matches(".yaml").trim_end_matches(".yml");
    paths.extend([
        system.file.clone(),
        format!("{stem}.lock.yaml"),
        ".dockerignore".to_owned(),
        ".github/workflows/**".to_owned(),
    ]);
    let mut registries: Vec<String> = system.parts.iter().map(|part| image(system, part.name()).0).collect();
    registries.sort();
    registries.dedup();
    context! {
        spec => system.file.clone(),
        name => system.name.clone(),
        prefix => system.prefix(),
        branches => branches.clone(),
        main => branches.first().cloned().unwrap_or_default(),
        platforms => platforms.join(","),
        emulated => platforms.len() > 1,
        keep => given.and_then(|given| given.keep.as_ref()).map_or(KEEP, |keep| keep.value),
        components,
        shared => shared.iter().copied().collect::<Vec<_>>().join(","),
        paths => paths.into_iter().collect::<Vec<_>>(),
        registry => registries.first().cloned().unwrap_or_default(),
        node => folders(system, &["node", "static"]),
        bun => folders(system, &["bun"]),
        python => folders(system, &["python"]),
        java => folders(system, &["java"]),
        dotnet => folders(system, &["dotnet"]),
        go => folders(system, &["go"]),
        rust => folders(system, &["rust"]),
    }
}

/// The registry and the name of a component's image in it; an image without a registry goes to GitHub's.
fn image(system: &System<'_>, name: &str) -> (String, String) {
    let Some(part) = system.part(name) else { return (String::new(), String::new()) };
    let written = crate::spec::filled(&system.image(part), &BTreeMap::new());
    let (registry, rest) = registry_and_name(&written);
    let bare = rest.split('@').next().unwrap_or(&rest);
    let bare = bare.rsplit_once(':').map_or(bare, |(name, _)| name).to_owned();
    match registry {
        Some(registry) => (registry, bare),
        None => ("ghcr.io".to_owned(), format!("${{{{ github.repository }}}}-{name}")),
    }
}
