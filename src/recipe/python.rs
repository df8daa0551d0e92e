//! Python services: uv or Poetry with a lock file, or pip with pinned requirements.
//!
//! The packages are installed into a virtual environment, `/app/.venv`, in a stage that sees the
//! lock and the manifest alone; the image gets the environment and the source. With pip, wheels
//! are built in one stage and installed from there in another one, without network. Neither pip
//! nor a compiler gets into the environment. Modules are not compiled, and at run time nothing is
//! written, unless `bytecode: true` compiles them once, by content rather than by time.

use std::collections::BTreeMap;

use super::draft::{Draft, layer, run, shell, stage};
use super::runtime::{self, Choice, Family};
use super::{Facts, Made, Need, Recipe, Request, packages, versions};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::paths::in_folder;
use crate::plan::{
    Action, Archetype, Copy, From, Image, Network, Rootfs, Run, RuntimeKind, Scan, Sharing, Stage, Step,
};
use crate::spec::component::{BuildChoice, DevChoice, PythonSpec};
use crate::spec::values::Port;
use crate::spec::{Located, Service};

/// See the module.
pub(super) struct Python;

const APP: &str = "/app";
const VENV: &str = "/app/.venv";
/// The preferred one first.
const VERSIONS: [&str; 6] = ["3.13", "3.12", "3.14", "3.11", "3.10", "3.9"];
const UV: &str = "ghcr.io/astral-sh/uv:0.9";
const POETRY: &str = "poetry==2.5.1 poetry-plugin-export==1.10.0";

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
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
        let is_package = project.manager != Manager::Pip && project.manifest.contains_key("build-system");
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
        let manager = manager(request, problems)?;
        let version = version(request, &manifest, problems);
        Some(Self { request, manager, manifest, version })
    }

    fn image(&self) -> String {
        let variant = if runtime::is_alpine(self.request) { "alpine" } else { "slim" };
        format!("python:{}-{variant}", self.version)
    }

    fn version_span(&self) -> &Span {
        self.request
            .service
            .component
            .version
            .as_ref()
            .map_or(self.request.recipe_span(), |version| &version.span)
    }

    /// The start of a stage that installs: the interpreter, the spec's packages, the manager.
    fn builder(&self, name: &str) -> Draft {
        let draft = Draft::on_image(self.request, name, self.image()).chosen_at(self.version_span());
        let wanted = &self.request.service.component.build_packages.0;
        let draft = match wanted.first() {
            Some(first) => {
                let names: Vec<String> = wanted.iter().map(|package| package.value.clone()).collect();
                draft.step_at(Action::Run(Box::new(packages::install(&names))), &first.span)
            }
            None => draft,
        };
        match self.manager {
            Manager::Uv => draft.copy(layer(From::Image(UV.to_owned()), "/uv", "/usr/local/bin/uv")),
            Manager::Poetry | Manager::Pip => draft,
        }
        .workdir(APP)
    }

    /// The stages that install into the environment, the last one under this name.
    fn install(&self, name: &str, dev: bool) -> Vec<Stage> {
        let request = self.request;
        let manifests = |names: &[&str]| Copy {
            sources: names.iter().map(|name| request.path(name)).collect(),
            target: format!("{APP}/"),
            ..Copy::default()
        };
        let copied = |draft: Draft, names: &[&str]| {
            draft.step_at(Action::Copy(manifests(names)), request.source_span())
        };
        match self.manager {
            Manager::Uv => {
                let groups = if dev { "" } else { " --no-dev" };
                let process = self.uv(&format!("uv sync --locked --no-install-project{groups}"));
                vec![copied(self.builder(name), &["pyproject.toml", "uv.lock"]).run(process).done()]
            }
            // Poetry says what is locked; pip, which is there already, installs it.
            Manager::Poetry => {
                let groups = if dev { " --all-groups" } else { " --only main" };
                let export = format!(
                    "pip install -q --no-compile --root-user-action=ignore {POETRY} && \
                     mkdir -p /requirements && poetry export --no-interaction{groups} -o /requirements/requirements.txt"
                );
                let export = run(shell(export))
                    .titled(format!("poetry export{groups}"))
                    .with_env(QUIET_PIP)
                    .with_build_env(request)
                    .cached("/root/.cache/pip", "pip", Sharing::Shared);
                let exported = if dev { "dev-requirements" } else { "requirements" };
                let first =
                    copied(self.builder(exported), &["pyproject.toml", "poetry.lock"]).run(export).done();
                let bound = |process: Run| process.bound(stage(exported), "/requirements", "/requirements");
                let [wheels, packages] = self.wheels(dev, " -r /requirements/requirements.txt");
                let wheels = self.builder(wheels_name(dev)).run(bound(wheels)).done();
                vec![first, wheels, self.builder(name).run(bound(packages)).done()]
            }
            Manager::Pip => {
                let has_dev = request.facts.has(&request.path("requirements-dev.txt"));
                let files: &[&str] = if dev && has_dev {
                    &["requirements.txt", "requirements-dev.txt"]
                } else {
                    &["requirements.txt"]
                };
                let listed: String = files.iter().map(|file| format!(" -r {file}")).collect();
                let [wheels, packages] = self.wheels(dev, &listed);
                vec![
                    copied(self.builder(wheels_name(dev)), files).run(wheels).done(),
                    copied(self.builder(name), files).run(packages).done(),
                ]
            }
        }
    }

    /// The process that builds wheels, and the one that installs from them, without network.
    fn wheels(&self, dev: bool, listed: &str) -> [Run; 2] {
        let build = run(shell(format!("pip wheel --wheel-dir /wheels{listed}")))
            .with_env(QUIET_PIP)
            .with_build_env(self.request)
            .cached("/root/.cache/pip", "pip", Sharing::Shared);
        let install = run(shell(format!(
            "python -m venv --without-pip {VENV} && pip --python {VENV}/bin/python install --no-index --no-deps \
             --find-links /wheels --no-compile --root-user-action=ignore /wheels/*.whl"
        )))
        .titled("install the wheels")
        .with_env(QUIET_PIP)
        .bound(stage(wheels_name(dev)), "/wheels", "/wheels")
        .on_network(Network::None);
        [build, install]
    }

    fn uv(&self, command: &str) -> Run {
        run(shell(command))
            .with_env([
                ("UV_LINK_MODE", "copy"),
                ("UV_PYTHON_DOWNLOADS", "never"),
                ("UV_PROJECT_ENVIRONMENT", VENV),
                ("UV_NO_PROGRESS", "1"),
            ])
            .with_build_env(self.request)
            .cached("/root/.cache/uv", "uv", Sharing::Shared)
    }

    /// A project that is a package itself is installed like the others.
    fn with_package(&self) -> Stage {
        let process = match self.manager {
            Manager::Uv => self.uv("uv sync --locked --no-dev --no-editable"),
            // What builds the wheel is fetched for it alone, and does not stay.
            Manager::Poetry | Manager::Pip => run(shell(format!(
                "pip wheel -q --no-deps --wheel-dir /tmp/wheel . && pip --python {VENV}/bin/python install \
                 --no-index --no-deps --no-compile --root-user-action=ignore /tmp/wheel/*.whl && rm -r /tmp/wheel"
            )))
            .titled("install the project")
            .with_env(QUIET_PIP),
        };
        Draft::on_stage(self.request, "build", "deps")
            .step_at(Action::Copy(self.source(&[])), self.request.source_span())
            .run(process)
            .done()
    }

    fn source(&self, not: &[&str]) -> Copy {
        Copy {
            sources: vec![format!("{}/", self.request.source)],
            target: format!("{APP}/"),
            exclude: NOT_IN_IMAGE.iter().chain(not).map(|pattern| (*pattern).to_owned()).collect(),
            ..Copy::default()
        }
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
        let dev = match &component.dev {
            Some(DevChoice::Stage(settings)) => Some(settings),
            _ => None,
        };
        if test.is_none() && dev.is_none() {
            return Vec::new();
        }
        let mut stages = self.install("dev-deps", true);
        let with_source = |name: &str| {
            let draft = Draft::on_stage(request, name, "dev-deps");
            let draft = Self::env().into_iter().fold(draft, |draft, (name, value)| draft.env(&name, &value));
            draft.step_at(Action::Copy(self.source(&[])), request.source_span())
        };
        if let Some((command, origin)) = test {
            let process = run(command).on_network(Network::None).with_build_env(request);
            stages.push(with_source("test").step_at(Action::Run(Box::new(process)), &origin).done());
        }
        if let Some(settings) = dev {
            let names: Vec<String> = std::iter::once("git".to_owned())
                .chain(settings.packages.0.iter().map(|package| package.value.clone()))
                .collect();
            let ports = settings.ports.iter().filter_map(|port| u16::try_from(port.value).ok());
            let ports = ports.map(|number| Port { number, protocol: "tcp".to_owned() });
            let env = settings.env.with_values().map(|(name, value)| (name.to_owned(), value.to_owned()));
            let image = Image {
                entrypoint: Some(vec![]),
                command: settings.command.as_ref().map(|command| command.words.clone()),
                env: Self::env().into_iter().chain(env).collect(),
                ports: Some(ports.chain(super::image::ports(request.service)).collect()),
                ..Image::default()
            };
            let tools = Draft::on_stage(request, "dev", "dev-deps")
                .step_at(Action::Run(Box::new(packages::install(&names))), &settings.span)
                .done();
            let source = with_source("dev").done().steps;
            stages.push(
                Draft::on_stage(request, "dev", "dev-deps")
                    .steps(tools.steps)
                    .steps(source)
                    .image(image)
                    .done(),
            );
        }
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
            .step_at(Action::Copy(self.source(&[])), request.source_span())
            .run(process)
            .done();
        let package = Draft::new(request, "package", crate::plan::Base::Scratch)
            .copy(layer(stage("pack"), "/package/", "/"))
            .done();
        [pack, package]
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
        let is_package = self.manifest.contains_key("build-system");
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
            (_, [main]) => {
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
            more.push(
                Draft::on_stage(request, "bytecode", venv)
                    .step_at(Action::Run(Box::new(process)), origin)
                    .done(),
            );
            "bytecode"
        } else {
            venv
        };
        let origin = self.version_span();
        let draft = match runtime::choice(request) {
            Choice::Default => runtime::on_image(request, &self.image(), origin),
            Choice::Slim => runtime::on_image(request, &self.image(), runtime::base_span(request)),
            Choice::Image(base) => runtime::on_image(request, base, runtime::base_span(request)),
            Choice::Minimal => {
                let family = Family {
                    image: self.image(),
                    stage: None,
                    origin,
                    kind: RuntimeKind::Python,
                    program: "python3",
                };
                let scan = Scan { from: stage(venv), path: VENV.to_owned() };
                let (files, draft) = runtime::minimal(request, &family, vec![scan]);
                more.push(files);
                draft
            }
        };
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
                exclude: NOT_IN_IMAGE.iter().map(|pattern| (*pattern).to_owned()).collect(),
                ..layer(From::Context, request.path(name), format!("{APP}/{name}"))
            };
            Step { action: Action::Copy(copy), origin: path.span.clone() }
        });
        copies.collect()
    }
}

fn wheels_name(dev: bool) -> &'static str {
    if dev { "dev-wheels" } else { "wheels" }
}

/// What of a virtual environment serves nobody at run time. Packages' own tests can be as large as
/// the packages; a minimal image does without.
fn not_installed(minimal: bool) -> Vec<String> {
    let always = ["**/.gitignore", "**/.lock", "**/CACHEDIR.TAG", "**/bin/activate*", "**/bin/Activate.ps1"];
    let tests: &[&str] = if minimal { &["**/site-packages/**/tests"] } else { &[] };
    always.iter().chain(tests).map(|pattern| (*pattern).to_owned()).collect()
}

const QUIET_PIP: [(&str, &str); 2] = [("PIP_DISABLE_PIP_VERSION_CHECK", "1"), ("PIP_PROGRESS_BAR", "off")];

fn manager(request: &Request<'_>, problems: &mut Diagnostics) -> Option<Manager> {
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
fn version(request: &Request<'_>, manifest: &toml::Table, problems: &mut Diagnostics) -> String {
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

fn supported(version: &Located<String>, problems: &mut Diagnostics) {
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

/// Where a Python beside another language has its packages.
const BESIDE: &str = "/opt/venv";

fn beside_image(spec: &PythonSpec) -> String {
    // Its libraries join those of the runtime's base, so it is of the same release of Debian.
    let version = spec.version.as_ref().map_or("3.11", |version| version.value.as_str());
    format!("python:{version}-slim-{}", super::DEBIAN)
}

/// The stages that install a Python beside another language.
pub(super) fn beside(request: &Request<'_>, spec: &PythonSpec, problems: &mut Diagnostics) -> Vec<Stage> {
    if let Some(version) = &spec.version {
        supported(version, problems);
    }
    let origin = &spec.span;
    let copy = |draft: Draft| {
        let copy = Copy {
            sources: vec![request.path(&spec.requirements.value)],
            target: "/requirements.txt".to_owned(),
            ..Copy::default()
        };
        draft.step_at(Action::Copy(copy), &spec.requirements.span)
    };
    let process = |command: String| -> Run { run(shell(command)).with_env(QUIET_PIP) };
    let wheels = process("pip wheel --wheel-dir /wheels -r /requirements.txt".to_owned()).cached(
        "/root/.cache/pip",
        "pip",
        Sharing::Shared,
    );
    let install = process(format!(
        "python -m venv --without-pip {BESIDE} && pip --python {BESIDE}/bin/python install --no-index \
         --find-links /wheels --no-compile --root-user-action=ignore -r /requirements.txt"
    ))
    .bound(stage("python-wheels"), "/wheels", "/wheels")
    .on_network(Network::None);
    let on = |name: &str| copy(Draft::on_image(request, name, beside_image(spec)).chosen_at(origin));
    vec![
        on("python-wheels").step_at(Action::Run(Box::new(wheels)), origin).done(),
        on("python-packages").step_at(Action::Run(Box::new(install)), origin).done(),
    ]
}

/// Adds the interpreter and the packages to a runtime stage.
pub(super) fn add_beside(request: &Request<'_>, draft: Draft) -> Draft {
    let Some(spec) = &request.service.component.python else { return draft };
    let rootfs = Rootfs {
        from: From::Image(beside_image(spec)),
        runtime: RuntimeKind::Python,
        program: Some("python3".to_owned()),
        keep: Vec::new(),
        scan: vec![Scan { from: stage("python-packages"), path: BESIDE.to_owned() }],
    };
    let copy = Copy {
        exclude: not_installed(runtime::choice(request) == Choice::Minimal),
        ..layer(stage("python-packages"), format!("{BESIDE}/"), format!("{BESIDE}/"))
    };
    let path = format!("{BESIDE}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    draft
        .step_at(Action::Rootfs(Box::new(rootfs)), &spec.span)
        .step_at(Action::Copy(copy), &spec.requirements.span)
        .env("PATH", &path)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1")
}
