//! Python services: uv or Poetry with a lock file, or pip with pinned requirements.
//!
//! The packages are installed into a virtual environment, `/app/.venv`, in a stage that sees the
//! lock and the manifest alone; the image gets the environment and the source. With pip, wheels
//! are built in one stage and installed from there in another one, without network. Neither pip
//! nor a compiler gets into the environment. Modules are not compiled, and at run time nothing is
//! written, unless `bytecode: true` compiles them once, by content rather than by time.

pub(super) mod beside;
mod install;
mod manager;

use std::collections::BTreeMap;

use super::dev::{self, Dev};
use super::draft::{Draft, layer, patterns, published, run, shell, source, stage};
use super::runtime::{self, Choice, Family};
use super::{Facts, Made, Need, Recipe, Request};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::paths::in_folder;
use crate::plan::{Action, Archetype, Base, Copy, From, Image, Network, RuntimeKind, Scan, Stage, Step};
use crate::spec::Service;
use crate::spec::component::{BuildChoice, DevChoice};
use install::QUIET_PIP;
use manager::Manager;

/// See the module.
pub(super) struct Python;

const APP: &str = "/app";
const VENV: &str = "/app/.venv";

/// What belongs to development, caches and secrets; never in an image.
const NOT_IN_IMAGE: [&str; 16] = [
    "**/.git",
    "**/.venv",
    "**/venv",
    "**/__pycache__",
    "**/*.pyc",
    "**/.pytest_cache",
    "**/.mypy_cache",
    "**/.ruff_cache",
    "**/.env",
    "**/.env.*",
    "**/.tox",
    "**/*.egg-info",
    "**/.coverage",
    "**/node_modules",
    "**/.DS_Store",
    "**/.dockerignore",
];
/// What the application itself does not need to run.
const NOT_SHIPPED: [&str; 7] =
    ["tests", "test", "**/requirements-dev.txt", "uv.lock", "poetry.lock", "**/*.md", "**/*.spec.yaml"];

struct Project<'r, 'a> {
    request: &'r Request<'a>,
    manager: Manager,
    manifest: toml::Table,
    version: String,
}

impl Recipe for Python {
    fn name(&self) -> &'static str {
        "python"
    }

    fn summary(&self) -> &'static str {
        "a Python service: uv or Poetry with a lock file, or pip with pinned requirements"
    }

    fn keys(&self) -> &'static [&'static str] {
        &[
            "base",
            "build_env",
            "build_packages",
            "bytecode",
            "dev",
            "main",
            "manager",
            "output",
            "packages",
            "test",
            "version",
        ]
    }

    fn marks(&self) -> &'static [&'static str] {
        &["pyproject.toml", "requirements.txt", "uv.lock"]
    }

    fn needs(&self, service: &Service, _: &Facts) -> Vec<Need> {
        let source = super::source(service);
        let path = |name: &str| in_folder(&source, name);
        let content = ["pyproject.toml", ".python-version"].map(|name| Need::content(path(name)));
        let present = ["uv.lock", "poetry.lock", "requirements.txt", "requirements-dev.txt", "Pipfile.lock"];
        let present = present.map(|name| Need::presence(path(name)));
        content.into_iter().chain(present).chain([Need::names(source.clone())]).collect()
    }

    fn make(&self, request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
        let project = Project::read(request, problems)?;
        let mut stages = project.install("deps", false);
        let is_package = project.is_package();
        let venv = if is_package {
            stages.push(project.with_package());
            "build"
        } else {
            "deps"
        };
        stages.extend(project.test_stages());
        if request.archetype == Archetype::Library {
            stages.extend(project.package_stages());
            return Some(Made::library(stages, "package"));
        }
        let command = project.command(problems);
        let image = Image {
            entrypoint: Some(vec![]),
            command,
            working_dir: Some(APP.to_owned()),
            env: Project::env(),
            ..Image::default()
        };
        let (more, runtime) = project.runtime(venv, is_package);
        stages.extend(more);
        stages.push(runtime);
        Some(Made::new(stages, image))
    }
}

impl<'r, 'a> Project<'r, 'a> {
    fn read(request: &'r Request<'a>, problems: &mut Diagnostics) -> Option<Self> {
        let manifest = match request.facts.text(&request.path("pyproject.toml")).map(|text| text.parse()) {
            None => toml::Table::new(),
            Some(Ok(manifest)) => manifest,
            Some(Err(error)) => {
                let error: toml::de::Error = error;
                problems.push(
                    Diagnostic::new(
                        Code::Value,
                        format!("`{}` is no valid TOML: {}", request.path("pyproject.toml"), error.message()),
                    )
                    .at(request.source_span()),
                );
                return None;
            }
        };
        let manager = manager::manager(request, problems)?;
        let version = manager::version(request, &manifest, problems);
        Some(Self { request, manager, manifest, version })
    }

    fn source(&self, not: &[&str]) -> Copy {
        source(self.request, APP, &[&NOT_IN_IMAGE, not].concat())
    }

    /// Whether the project itself is installed, rather than run from its folder: it says how it is
    /// built, and does not say that it is none.
    fn is_package(&self) -> bool {
        let tool = |tool: &str, key: &str| self.manifest.get("tool")?.get(tool)?.get(key)?.as_bool();
        self.manager != Manager::Pip
            && self.manifest.contains_key("build-system")
            && tool("uv", "package") != Some(false)
            && tool("poetry", "package-mode") != Some(false)
    }

    /// Tests and development share an environment that has the packages of both.
    fn test_stages(&self) -> Vec<Stage> {
        let component = &self.request.service.component;
        let request = self.request;
        let text = |table: &toml::Value| table.to_string().contains("pytest");
        let uses_pytest =
            ["dependency-groups", "tool"].iter().any(|key| self.manifest.get(*key).is_some_and(text))
                || (self.manager == Manager::Pip && request.facts.has(&request.path("requirements-dev.txt")));
        let has_tests =
            request.facts.names(&request.source).iter().any(|name| name.is_folder && name.name == "tests");
        let test = match &component.test {
            Some(BuildChoice::Command(command)) => Some((command.line.clone(), command.span.clone())),
            None if uses_pytest && has_tests => {
                Some((shell("python -m pytest -q"), request.recipe_span().clone()))
            }
            None | Some(BuildChoice::No) => None,
        };
        let dev = matches!(component.dev, Some(DevChoice::Stage(_)));
        if test.is_none() && !dev {
            return Vec::new();
        }
        let mut stages = self.install("dev-deps", true);
        let with_source = |name: &str| {
            let draft = Draft::on_stage(request, name, "dev-deps");
            let draft = Self::env().into_iter().fold(draft, |draft, (name, value)| draft.env(&name, &value));
            draft.copy_at(self.source(&[]), request.source_span())
        };
        if let Some((command, origin)) = test {
            let process = run(command).on_network(Network::None).with_build_env(request);
            stages.push(with_source("test").run_at(process, &origin).done());
        }
        let source = with_source("dev").done();
        let dev =
            Dev { below: "dev-deps", command: None, debugger: None, env: Self::env(), source, folder: None };
        stages.extend(dev::stage(request, dev));
        stages
    }

    /// Wheel and source archive, as an index would get them.
    fn package_stages(&self) -> [Stage; 2] {
        let process = match self.manager {
            Manager::Uv => self.uv("uv build --out-dir /package"),
            _ => run(shell("pip wheel --no-deps --wheel-dir /package .")).with_env(QUIET_PIP),
        };
        let request = self.request;
        let pack = Draft::on_stage(request, "pack", "deps")
            .copy_at(self.source(&[]), request.source_span())
            .run(process)
            .done();
        [pack, published(request)]
    }

    /// Python writes nothing, and what it prints is seen at once.
    fn env() -> BTreeMap<String, String> {
        [
            ("PATH", "/app/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("PYTHONUNBUFFERED", "1"),
            ("VIRTUAL_ENV", VENV),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    /// What starts the program, where Compose does not say it.
    fn command(&self, problems: &mut Diagnostics) -> Option<Vec<String>> {
        let request = self.request;
        let compose = &request.service.compose;
        if compose.command.is_some() || compose.entrypoint.is_some() {
            return None;
        }
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        if let Some(main) = &request.service.component.main {
            return Some(match main.value.strip_suffix(".py") {
                Some(_) => words(&["python", &main.value]),
                None => words(&["python", "-m", &main.value]),
            });
        }
        let scripts = self.manifest.get("project").and_then(|project| project.get("scripts")?.as_table());
        let scripts: Vec<&String> = scripts.into_iter().flat_map(toml::Table::keys).collect();
        let is_package = self.is_package();
        let files = request.facts.names(&request.source);
        let mains: Vec<&str> = ["main.py", "app.py"]
            .into_iter()
            .filter(|main| files.iter().any(|name| !name.is_folder && name.name == *main))
            .collect();
        match (scripts.as_slice(), mains.as_slice()) {
            ([script], _) if is_package => {
                request.found(
                    "command",
                    *script,
                    format!("`project.scripts` in {}", request.path("pyproject.toml")),
                );
                Some(words(&[script]))
            }
            (_, [main]) if !is_package => {
                request.found("command", format!("python {main}"), request.path(main));
                Some(words(&["python", main]))
            }
            (several, mains) => {
                let found: Vec<&str> =
                    several.iter().map(|script| script.as_str()).chain(mains.iter().copied()).collect();
                let diagnostic = Diagnostic::new(
                    if found.is_empty() { Code::MissingKey } else { Code::Ambiguous },
                    format!(
                        "`{}` has no `command`, and its folder names no entry point",
                        request.service.name.value
                    ),
                )
                .at(&request.service.name.span)
                .help("say what starts it, such as `command: [python, -m, app]`");
                problems.push(if found.is_empty() {
                    diagnostic
                } else {
                    diagnostic.help(format!("found: {}", found.join(", ")))
                });
                None
            }
        }
    }

    fn runtime(&self, venv: &str, is_package: bool) -> (Vec<Stage>, Stage) {
        let request = self.request;
        let mut more = Vec::new();
        let venv = if self.request.service.component.bytecode.as_ref().is_some_and(|key| key.value) {
            let compile = format!("python -m compileall -q --invalidation-mode unchecked-hash {VENV}/lib");
            let origin =
                request.service.component.bytecode.as_ref().map_or(request.recipe_span(), |key| &key.span);
            let process = run(shell(compile)).on_network(Network::None);
            more.push(Draft::on_stage(request, "bytecode", venv).run_at(process, origin).done());
            "bytecode"
        } else {
            venv
        };
        let family = Family {
            from: Base::Image(self.image()),
            kind: RuntimeKind::Python,
            program: "python3",
            slim: self.image(),
            otherwise: Some(self.image()),
        };
        let scan = Scan { from: stage(venv), path: VENV.to_owned() };
        let (files, draft) = runtime::start(request, &family, vec![scan]);
        more.extend(files);
        let draft = draft.step(Action::Accounts(request.user.clone())).workdir(APP).copy(Copy {
            exclude: not_installed(runtime::choice(request) == Choice::Minimal),
            ..layer(stage(venv), format!("{VENV}/"), format!("{VENV}/"))
        });
        (more, draft.steps(self.application(is_package)).done())
    }

    /// What of the source the image holds: what the spec says, or all but what belongs to
    /// development. A package is in the environment already.
    fn application(&self, is_package: bool) -> Vec<Step> {
        let request = self.request;
        let output = &request.service.component.output.0;
        if output.is_empty() {
            if is_package {
                return Vec::new();
            }
            let copy = Copy { link: true, ..self.source(&NOT_SHIPPED) };
            return vec![Step { action: Action::Copy(copy), origin: request.source_span().clone() }];
        }
        let copies = output.iter().map(|path| {
            let name = path.value.trim_matches('/');
            let copy = Copy {
                exclude: patterns(&NOT_IN_IMAGE),
                ..layer(From::Context, request.path(name), format!("{APP}/{name}"))
            };
            Step { action: Action::Copy(copy), origin: path.span.clone() }
        });
        copies.collect()
    }
}

/// What of a virtual environment serves nobody at run time. Packages' own tests can be as large as
/// the packages; a minimal image does without.
fn not_installed(minimal: bool) -> Vec<String> {
    let always = ["**/.gitignore", "**/.lock", "**/CACHEDIR.TAG", "**/bin/activate*", "**/bin/Activate.ps1"];
    let tests: &[&str] = if minimal { &["**/site-packages/**/tests"] } else { &[] };
    always.iter().chain(tests).map(|pattern| (*pattern).to_owned()).collect()
}
