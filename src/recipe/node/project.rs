//! A Node project: its manifest, its package manager, the workspace around it, and the stages
//! that install, build, test and develop it. The recipes `node` and `static` share it.

use serde_json::Value;

use super::super::dev::{self, Dev};
use super::super::draft::{Draft, patterns, run, shell, source};
use super::super::{Facts, Need, Request, runtime};
use super::manager::{self, Manager};
use super::workspace::{self, Workspace};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::paths::{in_folder, parent};
use crate::plan::{Copy, Network, Sharing, Stage, StagePlatform};
use crate::spec::Service;
use crate::spec::values::CommandLine;

/// Where the project lies in its stages.
pub(in crate::recipe) const APP: &str = "/app";

/// What install and build make themselves; never copied from a source folder.
pub(in crate::recipe) const NOT_SOURCE: &[&str] = &["**/node_modules", "**/.git", "**/npm-debug.log*"];

/// What tends to hold secrets; it may serve a build, and is never in an image.
pub(in crate::recipe) const NOT_IN_IMAGE: &[&str] = &["**/.env", "**/.env.*", "**/.npmrc"];

/// What a build leaves for developers only.
pub(in crate::recipe) const NOT_OUTPUT: &[&str] = &["**/*.map", "**/*.tsbuildinfo"];

/// A project that can be installed reproducibly.
pub(in crate::recipe) struct Project {
    /// The manifest of the component itself.
    pub(in crate::recipe) manifest: Value,
    manager: Manager,
    /// The image that has Node and npm.
    pub(in crate::recipe) image: String,
    /// The folder that is installed, in the build context.
    root: String,
    /// The workspace that the component is a member of.
    pub(in crate::recipe) workspace: Option<Workspace>,
}

/// The files that say how to install and build.
pub(in crate::recipe) fn needs(service: &Service, facts: &Facts) -> Vec<Need> {
    let source = super::super::source(service);
    let mut needs = vec![Need::content(in_folder(&source, "package.json"))];
    let above = workspace::above(&source);
    for folder in std::iter::once(&source).chain(&above) {
        let path = |name: &str| in_folder(folder, name);
        let locks = manager::LOCKS.iter().map(|(lock, _)| *lock).chain(manager::FOREIGN_LOCKS);
        needs.extend(locks.chain(manager::SETTINGS).map(|name| Need::presence(path(name))));
        needs.push(Need::content(path("pnpm-workspace.yaml")));
        needs.extend([".nvmrc", ".node-version"].map(|name| Need::content(path(name))));
        // Which version of a manager wrote a lock is in its first lines; npm's does not matter.
        let locks = ["pnpm-lock.yaml", "yarn.lock"].into_iter().filter(|lock| facts.has(&path(lock)));
        needs.extend(locks.map(|lock| Need::content(path(lock))));
    }
    needs.extend(workspace::needs(&source, facts));
    needs
}

impl Project {
    /// Reads the manifest, and finds the workspace, the lock and the versions.
    pub(in crate::recipe) fn read(request: &Request<'_>, problems: &mut Diagnostics) -> Option<Self> {
        let before = problems.len();
        let workspace = Workspace::find(request, problems);
        if problems.len() > before {
            return None;
        }
        let root =
            workspace.as_ref().map_or_else(|| request.source.clone(), |workspace| workspace.root.clone());
        let manifest = manifest(request, &request.path("package.json"), problems)?;
        let root_manifest = if root == request.source {
            manifest.clone()
        } else {
            self::manifest(request, &in_folder(&root, "package.json"), problems)?
        };
        let manager = Manager::find(request, &root, &root_manifest, problems)?;
        let mut folders = vec![request.source.clone()];
        if root != request.source {
            folders.push(root.clone());
        }
        let version = manager::node_version(request, &folders, problems);
        let image = image(&version, runtime::is_alpine(request));
        Some(Self { manifest, manager, image, root, workspace })
    }

    /// The component's own folder in the stages and in the image.
    pub(in crate::recipe) fn folder(&self) -> String {
        match &self.workspace {
            Some(workspace) => format!("{APP}/{}", workspace.member(true).path),
            None => APP.to_owned(),
        }
    }

    /// Whether the manifest lists packages for production. In a workspace others' count as well.
    pub(in crate::recipe) fn has_production_dependencies(&self) -> bool {
        let lists =
            |kind| self.manifest.get(kind).and_then(Value::as_object).is_some_and(|map| !map.is_empty());
        ["dependencies", "optionalDependencies"].into_iter().any(lists)
    }

    fn depends_on(&self, name: &str) -> bool {
        let kinds = ["dependencies", "devDependencies"];
        kinds.iter().any(|kind| self.manifest.get(kind).is_some_and(|packages| packages.get(name).is_some()))
    }

    /// Whether the manifest has a script of this name.
    pub(in crate::recipe) fn script(&self, name: &str) -> Option<&str> {
        self.manifest.get("scripts")?.get(name)?.as_str()
    }

    /// A command that runs a script of the component, wherever its stage works.
    fn run_script(&self, name: &str) -> CommandLine {
        let script = self.manager.script(name);
        match &self.workspace {
            // Nx builds what the component needs first.
            Some(workspace) if workspace.nx => {
                shell(format!("npx nx run {}:{name}", workspace.member(false).name))
            }
            Some(workspace) => {
                let member = workspace.member(false);
                let first: Vec<String> = if name == "build" {
                    let local = member.local.iter();
                    local.map(|path| format!("(cd {path} && {script}) && ")).collect()
                } else {
                    Vec::new()
                };
                shell(format!("{}cd {} && {script}", first.concat(), member.path))
            }
            None => shell(script),
        }
    }

    /// The command that builds, with the place that asked for it: the spec's own, or the
    /// manifest's `build` script.
    pub(in crate::recipe) fn build(&self, request: &Request<'_>) -> Option<(CommandLine, Span)> {
        let own = || {
            self.script("build")?;
            request.found("build", "the script `build`", request.path("package.json"));
            Some(self.run_script("build"))
        };
        request.command(request.service.component.build.as_ref(), own)
    }

    /// A stage with the packages installed, which depends on nothing but the manifests.
    pub(in crate::recipe) fn install_stage(
        &self,
        request: &Request<'_>,
        name: &str,
        platform: StagePlatform,
        production: bool,
    ) -> Stage {
        let mut draft = Draft::on_image(request, name, self.image.clone())
            .chosen_at(request.version_span())
            .platform(platform);
        draft = draft.build_packages(request);
        if let Some(setup) = self.manager.setup() {
            draft = draft.run(setup);
        }
        draft = draft.workdir(APP);
        let settings =
            manager::SETTINGS.into_iter().filter(|name| request.facts.has(&in_folder(&self.root, name)));
        let top = ["package.json", self.manager.lock].into_iter().chain(settings).map(str::to_owned);
        let member = self.workspace.as_ref().map(|workspace| workspace.member(true));
        draft = match &self.workspace {
            None => {
                let sources = top.map(|name| in_folder(&self.root, &name)).collect();
                let copy = Copy {
                    sources,
                    target: format!("{APP}/"),
                    exclude: patterns(NOT_SOURCE),
                    ..Copy::default()
                };
                draft.copy_at(copy, request.source_span())
            }
            Some(workspace) => {
                let copy = Copy {
                    sources: vec![format!("{}/", self.root)],
                    target: format!("{APP}/"),
                    include: top.chain(workspace.manifests()).collect(),
                    exclude: patterns(NOT_SOURCE),
                    ..Copy::default()
                };
                draft.copy_at(copy, request.source_span())
            }
        };
        let mut install = self.manager.install(production, member.as_ref());
        // The project's own scripts want tools of development, which production has not.
        let scripts = LIFECYCLE.into_iter().filter(|name| self.script(name).is_some());
        let own: String = scripts.map(|name| format!(" scripts.{name}")).collect();
        if production && self.workspace.is_none() && !own.is_empty() {
            install.command = shell(format!("npm pkg delete{own} && {}", install.command));
        }
        draft.run(install.with_build_env(request)).done()
    }

    /// The component's source on top of the installed packages, in a stage of this name.
    fn with_source(&self, request: &Request<'_>, name: &str, deps: &str) -> Draft {
        let copy = match &self.workspace {
            None => source(request, APP, NOT_SOURCE),
            Some(workspace) => {
                let member = workspace.member(false);
                let folders = std::iter::once(member.path).chain(member.local.iter().copied());
                let folders: Vec<String> = folders.map(|path| format!("{path}/**")).collect();
                Copy {
                    sources: vec![format!("{}/", self.root)],
                    target: format!("{APP}/"),
                    include: folders.into_iter().chain(workspace.root_files.clone()).collect(),
                    exclude: patterns(NOT_SOURCE),
                    ..Copy::default()
                }
            }
        };
        Draft::on_stage(request, name, deps).copy_at(copy, request.source_span())
    }

    /// A stage in which the source is built, on top of the installed packages. What frameworks
    /// keep from build to build stays in caches.
    pub(in crate::recipe) fn build_stage(
        &self,
        request: &Request<'_>,
        deps: &str,
        (command, origin): (CommandLine, Span),
        network: Network,
    ) -> Stage {
        let mut process = run(command).on_network(network).with_env(self.manager.env().iter().copied());
        for folder in self.framework_caches() {
            let source = if request.source.is_empty() { "." } else { &request.source };
            let id = format!("{source}{folder}");
            process = process.cached(&folder, &id, Sharing::Locked);
        }
        if self.workspace.as_ref().is_some_and(|workspace| workspace.nx) {
            process = process.with_env(NX);
        }
        let process = process.with_build_env(request);
        self.with_source(request, "build", deps).run_at(process, &origin).done()
    }

    /// Folders in which the project's build tools keep what they may use again. TypeScript's own
    /// record is among them where it only checks types, as Vite's templates have it; where it also
    /// writes the program, it would take what it wrote the last time for still written.
    fn framework_caches(&self) -> Vec<String> {
        let folder = self.folder();
        let mut caches = Vec::new();
        for (package, cache) in [
            ("@angular/cli", ".angular/cache"),
            ("next", ".next/cache"),
            ("gatsby", ".cache"),
            ("astro", "node_modules/.astro"),
            ("vite", "node_modules/.tmp"),
        ] {
            if self.depends_on(package) {
                caches.push(format!("{folder}/{cache}"));
            }
        }
        if self.workspace.as_ref().is_some_and(|workspace| workspace.nx) {
            caches.push(format!("{APP}/.nx/cache"));
        }
        caches
    }

    /// A stage that tests, if the project has tests: the spec's command, or the `test` script.
    pub(in crate::recipe) fn test_stage(
        &self,
        request: &Request<'_>,
        below: &str,
        has_source: bool,
    ) -> Option<Stage> {
        let own = || {
            // `npm init` writes a script that only complains.
            let script = self.script("test").filter(|script| !script.contains("no test specified"));
            script.map(|_| self.run_script("test"))
        };
        let (command, origin) = request.test(own)?;
        let draft = if has_source {
            Draft::on_stage(request, "test", below)
        } else {
            self.with_source(request, "test", below)
        };
        let process = run(command)
            .on_network(Network::None)
            .with_env(self.manager.env().iter().copied())
            .with_env([("CI", "true")])
            .with_env(NX)
            .with_build_env(request);
        Some(draft.run_at(process, &origin).done())
    }

    /// A stage for development, if there is a command for it: the spec's, or the `dev` script.
    pub(in crate::recipe) fn dev_stage(&self, request: &Request<'_>, deps: &str) -> Option<Stage> {
        let script = || self.manager.script("dev").split(' ').map(str::to_owned).collect();
        let env = [("NODE_ENV", "development")].into_iter().chain(self.manager.env().iter().copied());
        let dev = Dev {
            below: deps,
            command: self.script("dev").map(|_| script()),
            debugger: Some(9229),
            env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            source: self.with_source(request, "dev", deps).done(),
            folder: Some(self.folder()),
        };
        dev::stage(request, dev)
    }

    /// What the image holds of what a workspace installed, relative to [`APP`].
    pub(in crate::recipe) fn installed(&self) -> Vec<String> {
        let Some(workspace) = &self.workspace else { return Vec::new() };
        let member = workspace.member(true);
        let folders = std::iter::once(member.path).chain(member.local.iter().copied());
        let own = folders.flat_map(|path| [format!("{path}/package.json"), format!("{path}/node_modules")]);
        ["package.json".to_owned(), "node_modules".to_owned()].into_iter().chain(own).collect()
    }

    /// What starts the program, if the manifest says it: a `start` script that is a plain `node`
    /// command, or else `main`.
    pub(in crate::recipe) fn entry(&self) -> Option<(Vec<String>, &'static str)> {
        let start = self.script("start").and_then(|script| {
            let words: Vec<String> = script.split_whitespace().map(str::to_owned).collect();
            let words: Vec<String> = words.into_iter().skip_while(|word| is_assignment(word)).collect();
            let plain = words.iter().all(|word| !word.contains(['&', '|', ';', '$', '"', '\'', '>', '<']));
            (plain && words.len() > 1 && words.first().is_some_and(|word| word == "node")).then_some(words)
        });
        let main = || {
            let main = self.manifest.get("main").and_then(Value::as_str)?;
            Some(vec!["node".to_owned(), main.trim_start_matches("./").to_owned()])
        };
        start.map(|words| (words, "`scripts.start`")).or_else(|| Some((main()?, "`main`")))
    }
}

/// What package managers run of a project itself when they install.
const LIFECYCLE: [&str; 4] = ["prepare", "preinstall", "install", "postinstall"];

/// Nx works by itself in a build: no process stays behind, nothing is sent.
const NX: [(&str, &str); 3] = [("NX_DAEMON", "false"), ("NX_NO_CLOUD", "true"), ("NX_TUI", "false")];

/// The image that has a version of Node.
fn image(version: &str, alpine: bool) -> String {
    if alpine {
        format!("node:{version}-alpine")
    } else {
        format!("node:{version}-{}-slim", super::super::DEBIAN)
    }
}

/// `NAME=value` before a command.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

fn manifest(request: &Request<'_>, path: &str, problems: &mut Diagnostics) -> Option<Value> {
    let mut invalid = |why: &str| {
        problems.push(
            Diagnostic::new(Code::Value, format!("`{path}` is not a valid package manifest: {why}"))
                .at(request.source_span()),
        );
        None
    };
    match request.facts.file(path).map(serde_json::from_slice) {
        Some(Ok(manifest @ Value::Object(_))) => Some(manifest),
        Some(Ok(_)) => invalid("it is no object"),
        Some(Err(error)) => invalid(&error.to_string()),
        None => {
            let folder = parent(path);
            problems.push(
                Diagnostic::new(Code::MissingFile, format!("the build context has no `{path}`"))
                    .at(request.source_span())
                    .help(if folder == request.source {
                        "set `source` to the folder that has the package.json; does .dockerignore exclude it?"
                    } else {
                        "it is the manifest of the workspace; does .dockerignore exclude it?"
                    }),
            );
            None
        }
    }
}
