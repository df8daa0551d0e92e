//! Bun: web services, command-line tools compiled into one file, and jobs.
//!
//! A service is bundled with `bun build`, a tool is compiled with `bun build --compile` and stands
//! on nothing but the libraries that it loads, a job runs its source as it is.

use std::collections::BTreeMap;

use serde_json::Value;

use super::dev::{self, Dev};
use super::draft::{Draft, layer, published, run, shell, source, stage};
use super::runtime::{self, Family};
use super::{Facts, Made, Need, Recipe, Request};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::paths::in_folder;
use crate::plan::{
    Action, Archetype, Base, Copy, From, Image, Network, RuntimeKind, Scan, Sharing, Stage, Step,
};
use crate::spec::Service;
use crate::spec::component::BuildChoice;
use crate::spec::values::CommandLine;

/// See the module.
pub(super) struct Bun;

const APP: &str = "/app";
const DEFAULT_VERSION: &str = "1";
const LOCKS: [&str; 2] = ["bun.lock", "bun.lockb"];
const NOT_SOURCE: [&str; 3] = ["**/node_modules", "**/.git", "**/*.log"];
const NOT_IN_IMAGE: [&str; 9] = [
    "**/node_modules",
    "**/.git",
    "**/.env",
    "**/.env.*",
    "**/.npmrc",
    "**/*.test.ts",
    "**/*.spec.ts",
    "**/*.map",
    "**/coverage",
];

struct Project<'r, 'a> {
    request: &'r Request<'a>,
    manifest: Value,
    lock: &'static str,
    version: String,
}

impl Recipe for Bun {
    fn name(&self) -> &'static str {
        "bun"
    }

    fn summary(&self) -> &'static str {
        "Bun: a bundled web service, a tool compiled into one file, or a job"
    }

    fn keys(&self) -> &'static [&'static str] {
        &[
            "base",
            "build",
            "build_env",
            "build_packages",
            "dev",
            "main",
            "output",
            "packages",
            "test",
            "version",
        ]
    }

    fn marks(&self) -> &'static [&'static str] {
        &["bun.lock", "bun.lockb"]
    }

    fn needs(&self, service: &Service, _: &Facts) -> Vec<Need> {
        let source = super::source(service);
        let path = |name: &str| in_folder(&source, name);
        let content = ["package.json", ".bun-version"].map(|name| Need::content(path(name)));
        let present = ["bun.lock", "bun.lockb", "bunfig.toml", ".npmrc", "src/index.ts", "index.ts"];
        let present = present.map(|name| Need::presence(path(name)));
        content.into_iter().chain(present).chain([Need::names(source.clone())]).collect()
    }

    fn make(&self, request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
        let project = Project::read(request, problems)?;
        let mut stages = vec![project.install("deps", false)];
        stages.extend(project.test());
        stages.extend(project.dev());
        match request.archetype {
            Archetype::Library => {
                stages.extend(project.package());
                Some(Made::library(stages, "package"))
            }
            Archetype::Cli => {
                request.has_to_build(problems);
                if let Some(output) = request.service.component.output.0.first() {
                    problems.push(
                        Diagnostic::new(Code::Value, "a compiled tool is one file, so it has no `output`")
                            .at(&output.span)
                            .help("further files have a key of their own: `files`"),
                    );
                }
                let name = request.service.name.value.clone();
                stages.push(project.compiled(&name, problems)?);
                let (more, runtime) = project.tool(&name);
                stages.extend(more);
                stages.push(runtime);
                let image = Image { entrypoint: Some(vec![name]), command: Some(vec![]), ..Image::default() };
                Some(Made::new(stages, image))
            }
            archetype => {
                let build = if archetype == Archetype::Service { project.build(problems) } else { None };
                let command = project.command(build.is_some(), problems);
                let built = build.is_some();
                stages.extend(build);
                if project.has_production_dependencies() {
                    stages.push(project.install("prod-deps", true));
                }
                let (more, runtime) = project.runtime(built);
                stages.extend(more);
                stages.push(runtime);
                let image = Image {
                    entrypoint: Some(vec![]),
                    command,
                    working_dir: Some(APP.to_owned()),
                    env: BTreeMap::from([("NODE_ENV".to_owned(), "production".to_owned())]),
                    ..Image::default()
                };
                Some(Made::new(stages, image))
            }
        }
    }
}

impl<'r, 'a> Project<'r, 'a> {
    fn read(request: &'r Request<'a>, problems: &mut Diagnostics) -> Option<Self> {
        let path = request.path("package.json");
        let manifest = match request.facts.file(&path).map(serde_json::from_slice) {
            Some(Ok(manifest @ Value::Object(_))) => manifest,
            Some(_) => {
                problems.push(
                    Diagnostic::new(Code::Value, format!("`{path}` is not a valid package manifest"))
                        .at(request.source_span()),
                );
                return None;
            }
            None => {
                problems.push(
                    Diagnostic::new(Code::MissingFile, format!("the build context has no `{path}`"))
                        .at(request.source_span())
                        .help("set `source` to the folder that has the package.json; does .dockerignore exclude it?"),
                );
                return None;
            }
        };
        let Some(lock) = LOCKS.into_iter().find(|lock| request.facts.has(&request.path(lock))) else {
            problems.push(
                Diagnostic::new(
                    Code::MissingFile,
                    format!("the build context has no lock file `{}`", request.path(LOCKS[0])),
                )
                .at(request.source_span())
                .label("what gets installed would depend on the day")
                .help("run `bun install --lockfile-only` in that folder and commit the file"),
            );
            return None;
        };
        let version = match &request.service.component.version {
            Some(version) => version.value.clone(),
            None => match pinned(request, &manifest) {
                Some((version, because)) => {
                    request.found("Bun version", &version, because);
                    version
                }
                None => {
                    request.found("Bun version", DEFAULT_VERSION, "the default");
                    DEFAULT_VERSION.to_owned()
                }
            },
        };
        Some(Self { request, manifest, lock, version })
    }

    fn has_production_dependencies(&self) -> bool {
        self.manifest.get("dependencies").and_then(Value::as_object).is_some_and(|map| !map.is_empty())
    }

    fn script(&self, name: &str) -> Option<&str> {
        self.manifest.get("scripts")?.get(name)?.as_str()
    }

    /// The file that starts the program.
    fn main(&self, problems: &mut Diagnostics) -> Option<String> {
        let request = self.request;
        if let Some(main) = &request.service.component.main {
            return Some(main.value.clone());
        }
        if let Some(main) =
            self.manifest.get("module").or_else(|| self.manifest.get("main")).and_then(Value::as_str)
        {
            let main = main.trim_start_matches("./");
            request.found(
                "entry point",
                main,
                format!("`module` or `main` in {}", request.path("package.json")),
            );
            return Some(main.to_owned());
        }
        let known =
            ["src/index.ts", "index.ts"].into_iter().find(|file| request.facts.has(&request.path(file)));
        if let Some(file) = known {
            request.found("entry point", file, request.path(file));
            return Some(file.to_owned());
        }
        problems.push(
            Diagnostic::new(Code::MissingKey, format!("`{}` has no entry point", request.service.name.value))
                .at(request.source_span())
                .help("set `main`, such as `main: src/index.ts`"),
        );
        None
    }

    fn install(&self, name: &str, production: bool) -> Stage {
        let request = self.request;
        let settings =
            ["bunfig.toml", ".npmrc"].into_iter().filter(|name| request.facts.has(&request.path(name)));
        let copy = Copy {
            sources: ["package.json", self.lock]
                .into_iter()
                .chain(settings)
                .map(|name| request.path(name))
                .collect(),
            target: format!("{APP}/"),
            exclude: NOT_SOURCE.map(str::to_owned).into(),
            ..Copy::default()
        };
        let draft = Draft::on_image(request, name, format!("oven/bun:{}", self.version))
            .chosen_at(self.request.version_span());
        let draft = draft.build_packages(request);
        let flag = if production { " --production" } else { "" };
        let process = run(shell(format!("bun install --frozen-lockfile{flag}")))
            .with_build_env(request)
            .cached("/root/.bun/install/cache", "bun", Sharing::Shared);
        draft.workdir(APP).copy_at(copy, request.source_span()).run(process).done()
    }

    fn with_source(&self, name: &str) -> Draft {
        let copy = source(self.request, APP, &NOT_SOURCE);
        Draft::on_stage(self.request, name, "deps").copy_at(copy, self.request.source_span())
    }

    fn process(&self, command: CommandLine, origin: &Span, stage: Draft) -> Stage {
        let process = run(command).on_network(Network::None).with_build_env(self.request);
        stage.run_at(process, origin).done()
    }

    /// Bundles a service.
    fn build(&self, problems: &mut Diagnostics) -> Option<Stage> {
        let request = self.request;
        let (command, origin) = match &request.service.component.build {
            Some(BuildChoice::No) => return None,
            Some(BuildChoice::Command(command)) => (command.line.clone(), command.span.clone()),
            None if self.script("build").is_some() => {
                request.found("build", "the script `build`", request.path("package.json"));
                (shell("bun run build"), request.recipe_span().clone())
            }
            None => {
                let main = self.main(problems)?;
                (shell(format!("bun build {main} --outdir dist --target bun")), request.recipe_span().clone())
            }
        };
        Some(self.process(command, &origin, self.with_source("build")))
    }

    /// Compiles a tool into `/out/NAME`.
    fn compiled(&self, name: &str, problems: &mut Diagnostics) -> Option<Stage> {
        let (command, origin) = match &self.request.service.component.build {
            Some(BuildChoice::Command(command)) => (command.line.clone(), command.span.clone()),
            _ => {
                let main = self.main(problems)?;
                let command = format!("bun build {main} --compile --outfile /out/{name}");
                (shell(command), self.request.recipe_span().clone())
            }
        };
        Some(self.process(command, &origin, self.with_source("build")))
    }

    fn tool(&self, name: &str) -> (Vec<Stage>, Stage) {
        let request = self.request;
        let target = format!("/usr/local/bin/{name}");
        let program = format!("/out/{name}");
        // The file carries Bun itself; what it loads is the C library.
        let family = Family {
            from: Base::Stage("build".to_owned()),
            kind: RuntimeKind::Libraries,
            program: &program,
            slim: super::slim_base(),
            otherwise: None,
        };
        let (more, draft) = runtime::start(request, &family, Vec::new());
        let runtime = draft
            .step(Action::Accounts(request.user.clone()))
            .copy(Copy { mode: Some(0o755), ..layer(stage("build"), program, target) })
            .done();
        (more, runtime)
    }

    fn test(&self) -> Option<Stage> {
        let own = if self.script("test").is_some() { "bun run test" } else { "bun test" };
        let (command, origin) = self.request.test(|| Some(shell(own)))?;
        Some(self.process(command, &origin, self.with_source("test")))
    }

    fn dev(&self) -> Option<Stage> {
        let dev = Dev {
            below: "deps",
            command: self.script("dev").map(|_| ["bun", "run", "dev"].map(str::to_owned).into()),
            debugger: Some(6499),
            env: BTreeMap::from([("NODE_ENV".to_owned(), "development".to_owned())]),
            source: self.with_source("dev").done(),
            folder: None,
        };
        dev::stage(self.request, dev)
    }

    /// What starts a service or a job.
    fn command(&self, built: bool, problems: &mut Diagnostics) -> Option<Vec<String>> {
        let compose = &self.request.service.compose;
        if compose.command.is_some() || compose.entrypoint.is_some() {
            return None;
        }
        let main = self.main(problems)?;
        let file = if built {
            let name = main.rsplit('/').next().unwrap_or(&main);
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            format!("dist/{stem}.js")
        } else {
            main
        };
        Some(vec!["bun".to_owned(), "run".to_owned(), file])
    }

    fn runtime(&self, built: bool) -> (Vec<Stage>, Stage) {
        let request = self.request;
        let slim = format!("oven/bun:{}-slim", self.version);
        let family = Family {
            from: Base::Image(slim.clone()),
            kind: RuntimeKind::Plain,
            program: "bun",
            slim: slim.clone(),
            otherwise: Some(slim),
        };
        let modules = format!("{APP}/node_modules");
        let has_modules = self.has_production_dependencies();
        let scan = has_modules.then(|| Scan { from: stage("prod-deps"), path: modules.clone() });
        let (more, draft) = runtime::start(request, &family, scan.into_iter().collect());
        let mut draft = draft.step(Action::Accounts(request.user.clone())).workdir(APP);
        if has_modules {
            draft = draft.copy(layer(stage("prod-deps"), modules.clone(), modules));
        }
        let exclude: Vec<String> = NOT_IN_IMAGE.map(str::to_owned).into();
        let output = &request.service.component.output.0;
        let mut paths: Vec<(String, Span)> =
            output.iter().map(|path| (path.value.trim_matches('/').to_owned(), path.span.clone())).collect();
        if paths.is_empty() {
            // A job's program is its source.
            let named = request.service.component.main.as_ref().map(|main| main.value.as_str());
            let listed = || self.manifest.get("module").or_else(|| self.manifest.get("main"))?.as_str();
            let in_src =
                named.or_else(listed).is_none_or(|main| main.trim_start_matches("./").starts_with("src/"));
            let default = match (built, in_src) {
                (true, _) => "dist",
                (false, true) => "src",
                (false, false) => ".",
            };
            paths.push((default.to_owned(), request.recipe_span().clone()));
        }
        draft = draft.copy(Copy {
            exclude: NOT_SOURCE.map(str::to_owned).into(),
            ..layer(From::Context, request.path("package.json"), format!("{APP}/"))
        });
        let steps = paths.into_iter().map(|(path, origin)| {
            let (from, source) = if built {
                (stage("build"), format!("{APP}/{path}"))
            } else {
                (From::Context, request.path(&path))
            };
            let copy = Copy { exclude: exclude.clone(), ..layer(from, source, format!("{APP}/{path}")) };
            Step { action: Action::Copy(copy), origin }
        });
        (more, draft.steps(steps).done())
    }

    /// What a registry would get.
    fn package(&self) -> Vec<Stage> {
        let request = self.request;
        let own = || self.script("build").map(|_| shell("bun run build"));
        let build = request.command(request.service.component.build.as_ref(), own);
        let mut draft = self.with_source("pack");
        if let Some((command, origin)) = build {
            let process = run(command).on_network(Network::None).with_build_env(request);
            draft = draft.run_at(process, &origin);
        }
        let pack = self.process(shell("bun pm pack --destination /package"), request.recipe_span(), draft);
        vec![pack, published(request)]
    }
}

/// The version that the folder pins.
fn pinned(request: &Request<'_>, manifest: &Value) -> Option<(String, String)> {
    let file = request.path(".bun-version");
    if let Some(text) = request.facts.text(&file) {
        return Some((text.trim().trim_start_matches('v').to_owned(), file));
    }
    let version = manifest.get("packageManager")?.as_str()?.strip_prefix("bun@")?;
    Some((version.to_owned(), format!("`packageManager` in {}", request.path("package.json"))))
}
