//! `LockFileIgnored`: an install that takes whatever is newest, though a lock file could say what.

use crate::ignore::is_ignored;
use crate::lint::{Found, Subject};
use crate::plan::Action;

/// Lock files, by name.
const LOCKS: [&str; 12] = [
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
    "bun.lockb",
    "uv.lock",
    "poetry.lock",
    "Cargo.lock",
    "go.sum",
    "packages.lock.json",
    "gradle.lockfile",
];

/// A command that installs, what of it heeds the lock, and what to write instead.
const INSTALLS: [(&str, &[&str], &str); 6] = [
    ("npm install", &["-g", "--global", "--package-lock-only"], "npm ci"),
    ("pnpm install", &["--frozen-lockfile", "--offline"], "pnpm install --frozen-lockfile"),
    ("yarn install", &["--frozen-lockfile", "--immutable"], "yarn install --immutable"),
    ("bun install", &["--frozen-lockfile"], "bun install --frozen-lockfile"),
    ("uv sync", &["--locked", "--frozen"], "uv sync --locked"),
    ("cargo build", &["--locked", "--frozen"], "cargo build --locked"),
];

/// Looks at the commands that the spec gives, and at what .dockerignore keeps out.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in &subject.plan.stages {
        for step in &stage.steps {
            let Action::Run(run) = &step.action else { continue };
            let command = run.command.to_string();
            for (install, heeds, instead) in INSTALLS {
                let Some(rest) = command.split(install).nth(1) else { continue };
                let part = rest.split(['&', ';', '|']).next().unwrap_or_default();
                // `npm install left-pad` is another matter than `npm install`.
                let named = part.split_whitespace().any(|word| !word.starts_with('-'));
                let words: Vec<&str> = part.split_whitespace().collect();
                if !named && !heeds.iter().any(|heed| words.contains(heed)) {
                    let finding = found
                        .finding(format!(
                            "`{install}` in `{}` may install other versions than the lock file names",
                            stage.name
                        ))
                        .at(&step.origin)
                        .help(format!("`{instead}` installs exactly those, or fails"));
                    found.push(finding);
                }
            }
        }
    }
    for lock in LOCKS {
        let path = crate::paths::in_folder(&subject.plan.source, lock);
        if is_ignored(&path, subject.ignore) {
            let finding = found
                .finding(format!(".dockerignore keeps the lock file `{path}` out of the build"))
                .at(subject.service.component.source.as_ref().map_or(&subject.service.extension, |s| &s.span))
                .help(format!("take it back in: `!{path}`"));
            found.push(finding);
        }
    }
}
