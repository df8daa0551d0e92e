//! What stays out of build contexts: what every project has that no image needs, and what each ecosystem
//! leaves in its folders.

use super::System;

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
    (&["bun"], "Bun", &["**/node_modules", "**/dist", "**/specs/", "**/tests/"]),
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
    let mut known: Vec<&str> = Vec::new();
    for (title, patterns) in sections {
        let new: Vec<&str> = patterns.iter().copied().filter(|pattern| !known.contains(pattern)).collect();
        if !new.is_empty() {
            text += &format!("\n# {title}\n{}\n", new.join("\n"));
        }
        known.extend(new);
    }
    let copied = copied(system);
    if !copied.is_empty() {
        text += "\n# what components copy by name\n";
        for path in copied {
            text += &format!("!{path}\n");
        }
    }
    text
}

/// Paths of the build context that a plan names itself, and a pattern above would keep out.
fn copied(system: &System<'_>) -> Vec<String> {
    use crate::plan::{Action, From};
    let mut paths = Vec::new();
    for part in &system.parts {
        let steps = part.plan.stages.iter().flat_map(|stage| &stage.steps);
        for step in steps {
            let Action::Copy(copy) = &step.action else { continue };
            if copy.from != From::Context {
                continue;
            }
            for source in &copy.sources {
                let path = source.trim_matches('/');
                let names: Vec<&str> = path.split('/').collect();
                let kept_out = ["dist", "build", "docs", "tests", "specs", "logs", "tmp", "target", "bin"];
                if names.iter().any(|name| kept_out.contains(name) || name.ends_with(".md")) {
                    paths.push(path.to_owned());
                }
            }
        }
    }
    paths.sort();
    paths.dedup();
    paths
}
