//! Which package manager a folder uses, and which Python.

use super::super::{Request, versions};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::Located;

/// The preferred one first.
const VERSIONS: [&str; 6] = ["3.13", "3.12", "3.14", "3.11", "3.10", "3.9"];

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    Uv,
    Poetry,
    Pip,
}

impl Manager {
    const ALL: [(&'static str, &'static str, Self); 3] = [
        ("uv", "uv.lock", Self::Uv),
        ("poetry", "poetry.lock", Self::Poetry),
        ("pip", "requirements.txt", Self::Pip),
    ];
}

/// The package manager, by its lock file or by the spec.
pub(super) fn manager(request: &Request<'_>, problems: &mut Diagnostics) -> Option<Manager> {
    let present: Vec<_> =
        Manager::ALL.into_iter().filter(|(_, file, _)| request.facts.has(&request.path(file))).collect();
    if let Some(named) = &request.service.component.manager {
        let found = Manager::ALL.into_iter().find(|(name, ..)| *name == named.value);
        return match found {
            Some((_, file, manager)) if request.facts.has(&request.path(file)) => Some(manager),
            Some((name, file, _)) => {
                problems.push(
                    Diagnostic::new(
                        Code::MissingFile,
                        format!(
                            "`manager` says {name}, but the build context has no `{}`",
                            request.path(file)
                        ),
                    )
                    .at(&named.span)
                    .help(format!("commit `{file}`; does .dockerignore exclude it?")),
                );
                None
            }
            None => {
                problems.push(
                    Diagnostic::new(
                        Code::Value,
                        format!("there is no package manager `{}` for Python here", named.value),
                    )
                    .at(&named.span)
                    .help("uv, poetry or pip"),
                );
                None
            }
        };
    }
    let locks: Vec<_> = present.iter().filter(|(name, ..)| *name != "pip").collect();
    match (locks.as_slice(), present.as_slice()) {
        ([(name, file, manager)], _) | ([], [(name, file, manager)]) => {
            request.found("package manager", *name, request.path(file));
            Some(*manager)
        }
        ([], _) => {
            problems.push(missing_lock(request));
            None
        }
        (several, _) => {
            let found: Vec<String> =
                several.iter().map(|(_, file, _)| format!("`{}`", request.path(file))).collect();
            problems.push(
                Diagnostic::new(
                    Code::Ambiguous,
                    format!("there are lock files of several package managers: {}", found.join(", ")),
                )
                .at(request.source_span())
                .help("remove those that do not count, or set `manager` to one of: uv, poetry"),
            );
            None
        }
    }
}

fn missing_lock(request: &Request<'_>) -> Diagnostic {
    let manifest = request.facts.has(&request.path("pyproject.toml"));
    let pipfile = request.facts.has(&request.path("Pipfile.lock"));
    let diagnostic = Diagnostic::new(
        Code::MissingFile,
        format!(
            "the build context has no lock file `{}`",
            request.path(if manifest { "uv.lock" } else { "requirements.txt" })
        ),
    )
    .at(request.source_span())
    .label("what gets installed would depend on the day");
    match (manifest, pipfile) {
        (_, true) => diagnostic
            .help("Pipenv's lock is not read: `pipenv requirements > requirements.txt` writes one that is"),
        (true, _) => diagnostic.help(
            "run `uv lock` in that folder and commit the file; poetry.lock and requirements.txt do as well",
        ),
        _ => diagnostic
            .help("pin the packages there with `pip freeze`, or use uv")
            .help("if it is there, does .dockerignore exclude it?"),
    }
}

/// Python's version: the spec's, `.python-version`, `requires-python`, or the default.
pub(super) fn version(request: &Request<'_>, manifest: &toml::Table, problems: &mut Diagnostics) -> String {
    if let Some(version) = &request.service.component.version {
        supported(version, problems);
        return version.value.clone();
    }
    if let Some(text) = request.facts.text(&request.path(".python-version")) {
        let version = text.lines().map(str::trim).find(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        if let Some(version) = version {
            request.found("Python version", version, request.path(".python-version"));
            return version.to_owned();
        }
    }
    let poetry = || manifest.get("tool")?.get("poetry")?.get("dependencies")?.get("python")?.as_str();
    let range =
        manifest.get("project").and_then(|project| project.get("requires-python")?.as_str()).or_else(poetry);
    if let Some(range) = range {
        if let Some(version) = versions::allowed(&VERSIONS, range) {
            request.found(
                "Python version",
                version,
                format!("`requires-python` {range} in {}", request.path("pyproject.toml")),
            );
            return version.to_owned();
        }
        problems.push(
            Diagnostic::new(
                Code::Value,
                format!(
                    "`{}` wants Python `{range}`, of which there is no image",
                    request.path("pyproject.toml")
                ),
            )
            .at(request.recipe_span())
            .help(format!("this recipe builds with {}; or set `version`", VERSIONS.join(", "))),
        );
    }
    request.found("Python version", VERSIONS[0], "the default");
    VERSIONS[0].to_owned()
}

pub(super) fn supported(version: &Located<String>, problems: &mut Diagnostics) {
    let mut numbers = version.value.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let known = numbers.next() == Some(3) && numbers.next().is_none_or(|minor| minor == 0 || minor >= 9);
    if !known {
        problems.push(
            Diagnostic::new(Code::Value, format!("Python {} is not supported", version.value))
                .at(&version.span)
                .help("3.9 is the oldest that this recipe builds with"),
        );
    }
}
