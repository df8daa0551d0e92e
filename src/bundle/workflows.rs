//! What CI runs: build, prove and publish; look for what is known to be unsafe; throw old images away.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Value, context};

use super::name::Name;
use super::template::filled;
use super::{System, TextFiles, add, add_program};
use crate::plan::{Action, reach};
use crate::spec::SourceName;
use crate::spec::system::WorkflowsSpec;

const WORKFLOWS: [(&str, &str); 4] = [
    ("build-and-publish.yml", include_str!("templates/workflows/build-and-publish.yml")),
    ("cleanup.yml", include_str!("templates/workflows/cleanup.yml")),
    ("security.yml", include_str!("templates/workflows/security.yml")),
    ("license-scanning-node.yml", include_str!("templates/workflows/license-scanning-node.yml")),
];

/// The same for who has no such service: a shell.
const SCAN: &str = include_str!("templates/ci/scan.sh");
const BAKE: &str = include_str!("templates/ci/bake.sh");

/// What a linter of workflows is to know.
const ZIZMOR: &str =
    "# Actions are named by version; who pins them by digest lets an update bot do so, and removes this.
rules:
  unpinned-uses:
    config:
      policies:
        \"*\": ref-pin
";

/// What is kept of old images.
const KEEP: u32 = 10;

/// Adds the workflows.
pub(super) fn files(system: &System<'_>, files: &mut TextFiles) {
    add(files, ".github/zizmor.yml", ZIZMOR.to_owned());
    let values = values(system);
    let publishes = system.publishes();
    let has_node = !folders(system, &["node", "static"]).is_empty();
    for (name, template) in WORKFLOWS {
        if name.ends_with("node.yml") && !has_node {
            continue;
        }
        // A state on the way builds and scans its images; it publishes none.
        let name =
            if name.starts_with("build-and") && !publishes { "build-container-images.yml" } else { name };
        add(files, &format!(".github/workflows/{name}"), filled(name, template, values.clone()));
    }
    let name = &system.name;
    for (script, about, flags) in [
        ("build.sh", format!("Builds images of {name}: all of them, or those that are named."), "--load"),
        (
            "push.sh",
            format!("Builds and pushes images of {name}, and writes their digests to images.json."),
            "--push --metadata-file images.json",
        ),
    ] {
        let own = context! { spec => system.file.clone(), about, flags };
        add_program(files, &format!("ci/{script}"), filled(script, BAKE, own));
    }
    add_program(files, "ci/scan.sh", filled("scan.sh", SCAN, values));
}

/// A stage that several components have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shared {
    /// A component that has it.
    pub(super) component: String,
    /// The target that builds it.
    pub(super) target: String,
}

/// What several components are made from: other components, and stages that are the same in all of them, such as
/// the installation of a workspace's packages. It is built once, and cached under one name.
pub(super) fn shared(system: &System<'_>) -> Vec<Shared> {
    let mut found: Vec<Shared> = Vec::new();
    for part in &system.parts {
        let stages: Vec<_> = part.plan.stages.iter().collect();
        for used in reach::images(&stages) {
            if let SourceName::Component(name) = system.spec.source(part.name(), &used.name)
                && system.part(&name).is_some()
                && !found.iter().any(|known| known.component == name)
            {
                found.push(Shared { component: name.clone(), target: name });
            }
        }
    }
    let mut known: BTreeMap<String, (Shared, usize)> = BTreeMap::new();
    let mut order = Vec::new();
    for part in &system.parts {
        for stage in part.plan.stages.iter().filter(|stage| stage.name != part.plan.runtime) {
            // What only copies costs nothing.
            if !stage.steps.iter().any(|step| matches!(step.action, Action::Run(_))) {
                continue;
            }
            let actions: Vec<_> = stage.steps.iter().map(|step| &step.action).collect();
            let content = format!("{:?} {:?} {actions:?}", stage.from, stage.platform);
            let target = format!("{}:{}", part.name(), stage.name);
            let first = Shared { component: part.name().to_owned(), target };
            let entry = known.entry(content.clone()).or_insert_with(|| {
                order.push(content);
                (first, 0)
            });
            entry.1 += 1;
        }
    }
    let same = order.iter().filter_map(|content| known.get(content)).filter(|(_, count)| *count > 1);
    found.extend(same.map(|(shared, _)| shared.clone()));
    found
}

/// A component's name as bake takes it.
pub(super) fn bake_name(component: &str) -> String {
    component.replace('.', "_")
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
            let local = Name::of(system, part).untagged();
            context! { target => bake_name(part.name()), image => format!("{registry}/{image}"), package => image, local }
        })
        .collect();
    // What plans read is what images are made of, wherever it lies.
    let mut read = BTreeSet::new();
    let mut paths = BTreeSet::new();
    for part in &system.parts {
        let used = reach::context(&part.plan.stages);
        if used.everything {
            paths.insert("**".to_owned());
        }
        read.extend(used.paths);
    }
    let is_inside = |path: &str| read.iter().any(|other| path.starts_with(&format!("{other}/")));
    for path in read.iter().filter(|path| !is_inside(path)) {
        // It may be a file or a folder, and a pattern is one already.
        paths.extend([path.clone(), format!("{path}/**")]);
    }
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
        publishes => system.publishes(),
        workflow => if system.publishes() { "build-and-publish" } else { "build-container-images" },
        main => branches.first().cloned().unwrap_or_default(),
        platforms => platforms.join(","),
        emulated => platforms.len() > 1,
        keep => given.and_then(|given| given.keep.as_ref()).map_or(KEEP, |keep| keep.value),
        components,
        shared => shared
            .iter()
            .map(|shared| context! { bake => bake_name(&shared.component), target => shared.target.clone() })
            .collect::<Vec<_>>(),
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
    let image = Name::of(system, part);
    match image.registry {
        Some(registry) => (registry, image.path),
        None => ("ghcr.io".to_owned(), format!("${{{{ github.repository }}}}-{name}")),
    }
}
