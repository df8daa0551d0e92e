//! What stays out of build contexts: what every project has that no image needs, and what each ecosystem
//! leaves in its folders.

use std::collections::BTreeSet;

use super::System;
use crate::ignore::is_ignored;
use crate::plan::reach;

/// What no image of any ecosystem needs.
const COMMON: &[(&str, &[&str])] = &[
    (
        "version control and CI",
        &[".git", ".gitignore", ".gitattributes", ".github", ".gitlab-ci.yml", ".circleci"],
    ),
    (
        "editors and operating systems",
        &[".idea", ".vscode", ".claude", "**/*.swp", "**/*~", "**/.DS_Store", "**/Thumbs.db"],
    ),
    ("secrets; examples may stay", &["**/.env", "**/.env.*", "!**/.env.example"]),
    ("logs, caches and what is left over", &["**/*.log", "**/logs", "**/tmp", "**/.cache", "**/coverage"]),
    ("pages for people", &["**/*.md", "docs"]),
];

/// What an ecosystem leaves behind, by its recipes.
const OWN: &[(&[&str], &str, &[&str])] = &[
    (
        &["node", "static"],
        "Node",
        &[
            "**/node_modules",
            "**/dist",
            "**/build",
            "**/.nx",
            "**/.turbo",
            "**/.next",
            "**/.npm",
            "**/*.tsbuildinfo",
        ],
    ),
    (&["bun"], "Bun", &["**/node_modules", "**/dist"]),
    (
        &["python"],
        "Python",
        &[
            "**/.venv",
            "**/venv",
            "**/__pycache__",
            "**/*.pyc",
            "**/.pytest_cache",
            "**/.mypy_cache",
            "**/.ruff_cache",
            "**/.tox",
            "**/.coverage",
            "**/htmlcov",
            "**/*.egg-info",
        ],
    ),
    (&["java"], "Java", &["**/target", "**/build", "**/.gradle"]),
    (&["dotnet"], ".NET", &["**/bin", "**/obj", "**/TestResults"]),
    (&["go"], "Go", &["**/*.test", "**/*.out"]),
    (&["rust"], "Rust", &["**/target"]),
];

/// `.dockerignore` for the components' ecosystems.
pub(super) fn file(system: &System<'_>) -> String {
    let mut text = format!(
        "# @generated from {} by Slipway: what no image of it needs. Each build takes only what its plan reads;\n\
         # this also keeps the rest from being looked at. What a component copies by name stays.\n",
        system.file
    );
    let recipes: Vec<&str> = system
        .spec
        .components
        .iter()
        .filter_map(|service| service.component.recipe.as_ref())
        .map(|recipe| recipe.value.as_str())
        .collect();
    let own = OWN.iter().filter(|(of, ..)| of.iter().any(|recipe| recipes.contains(recipe)));
    let sections = COMMON.iter().copied().chain(own.map(|(_, title, patterns)| (*title, *patterns)));
    // A project of one component keeps them beside its sources, and its tests run in a build.
    let is_below = system.spec.components.iter().all(|service| !crate::recipe::source(service).is_empty());
    let beside: &[&str] = if is_below && recipes.contains(&"bun") { &["specs", "tests"] } else { &[] };
    let sections = sections.chain([("what a specification is written in", beside)]);
    let mut known: Vec<&str> = Vec::new();
    for (title, patterns) in sections {
        let new: Vec<&str> = patterns.iter().copied().filter(|pattern| !known.contains(pattern)).collect();
        if !new.is_empty() {
            text += &format!("\n# {title}\n{}\n", new.join("\n"));
        }
        known.extend(new);
    }
    let kept = kept(system, &known);
    if !kept.is_empty() {
        text += "\n# what components read all the same\n";
        for path in kept {
            text += &format!("!{path}\n");
        }
    }
    text
}

/// Paths of the build context that plans read by name, and that the patterns would keep out.
fn kept(system: &System<'_>, patterns: &[&str]) -> Vec<String> {
    let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    let mut paths: BTreeSet<String> = BTreeSet::new();
    for part in &system.parts {
        paths.extend(reach::context(&part.plan.stages).paths);
        let component = &part.service.component;
        // What is looked at and not copied.
        let readiness = component.readiness.as_ref();
        let read = [
            readiness.map(|readiness| &readiness.assertions.value),
            readiness.and_then(|readiness| readiness.verification.as_ref()).map(|file| &file.value),
            component.template.as_ref().map(|file| &file.value),
        ];
        paths.extend(read.into_iter().flatten().map(|file| crate::paths::in_folder(&part.plan.source, file)));
        paths.extend(part.service.apis.iter().map(|api| api.openapi.clone()));
    }
    for service in system.spec.components.iter().filter(|service| system.part(&service.name.value).is_none())
    {
        let source = crate::recipe::source(service);
        let assertions = service.component.readiness.as_ref().map(|readiness| &readiness.assertions.value);
        paths.extend(assertions.map(|file| crate::paths::in_folder(&source, file)));
    }
    paths.into_iter().filter(|path| is_ignored(path.trim_end_matches(['*', '/']), &patterns)).collect()
}
