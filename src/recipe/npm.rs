//! What all recipes that build with Node and npm share: the files they look at, the image that
//! builds, the install step.

use super::{Need, Request};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::plan::{self, Action, Base, Copy, From, Mount, Network, Run, Sharing, Stage, StagePlatform, Step};
use crate::spec::Service;
use crate::spec::component::BuildChoice;
use crate::spec::values::CommandLine;

/// The Debian release of the images that build and run.
const DEBIAN: &str = "bookworm";
const DEFAULT_VERSION: &str = "22";
/// Where the component lies in its stages.
pub(super) const APP: &str = "/app";

/// What install and build make themselves; never copied from a source folder.
pub(super) const NOT_SOURCE: &[&str] = &["**/node_modules", "**/.git", "**/npm-debug.log*"];

/// What tends to hold secrets; it may serve a build, and is never in an image.
pub(super) const NOT_IN_IMAGE: &[&str] = &["**/.env", "**/.env.*", "**/.npmrc"];

/// What a build leaves for developers only.
pub(super) const NOT_OUTPUT: &[&str] = &["**/*.map", "**/*.tsbuildinfo"];

const LOCKS: [&str; 2] = ["package-lock.json", "npm-shrinkwrap.json"];
const OTHER_LOCKS: [(&str, &str); 4] =
    [("yarn.lock", "Yarn"), ("pnpm-lock.yaml", "pnpm"), ("bun.lock", "Bun"), ("bun.lockb", "Bun")];

/// The files that say how to install and build.
pub(super) fn needs(service: &Service) -> Vec<Need> {
    let source = super::source(service);
    let others = OTHER_LOCKS.map(|(name, _)| name);
    let present = [".npmrc"].into_iter().chain(LOCKS).chain(others);
    let present = present.map(|name| Need::presence(crate::paths::in_folder(&source, name)));
    std::iter::once(Need::content(crate::paths::in_folder(&source, "package.json"))).chain(present).collect()
}

/// The image that has Node and npm.
pub(super) fn image(service: &Service) -> String {
    let version =
        service.component.version.as_ref().map_or(DEFAULT_VERSION, |version| version.value.as_str());
    format!("node:{version}-{DEBIAN}-slim")
}

/// The small image that has what a Node binary loads.
pub(super) fn slim_base() -> String {
    format!("debian:{DEBIAN}-slim")
}

/// A package that npm can install reproducibly.
pub(super) struct Package {
    manifest: serde_json::Value,
    lock: &'static str,
    has_npmrc: bool,
}

impl Package {
    /// Reads the manifest and finds the lock.
    pub(super) fn read(request: &Request<'_>, problems: &mut Diagnostics) -> Option<Self> {
        let path = request.path("package.json");
        let Some(bytes) = request.facts.file(&path) else {
            problems.push(
                Diagnostic::new(Code::MissingFile, format!("the build context has no `{path}`"))
                    .at(request.source_span())
                    .help("set `source` to the folder that has the package.json; does .dockerignore exclude it?"),
            );
            return None;
        };
        let manifest = match serde_json::from_slice(bytes) {
            Ok(manifest @ serde_json::Value::Object(_)) => manifest,
            Ok(_) => return invalid(request, &path, "it is no object", problems),
            Err(error) => return invalid(request, &path, &error.to_string(), problems),
        };
        let lock = LOCKS.into_iter().find(|name| request.facts.has(&request.path(name)));
        let Some(lock) = lock else {
            problems.push(missing_lock(request));
            return None;
        };
        Some(Self { manifest, lock, has_npmrc: request.facts.has(&request.path(".npmrc")) })
    }

    /// Whether the manifest lists packages under this key.
    pub(super) fn has_dependencies(&self, key: &str) -> bool {
        self.manifest
            .get(key)
            .and_then(serde_json::Value::as_object)
            .is_some_and(|packages| !packages.is_empty())
    }

    /// The command that builds, with the place that asked for it: the spec's own, or the
    /// manifest's `build` script.
    pub(super) fn build(&self, request: &Request<'_>) -> Option<(CommandLine, Span)> {
        match &request.service.component.build {
            Some(BuildChoice::No) => None,
            Some(BuildChoice::Command(command)) => Some((command.line.clone(), command.span.clone())),
            None => {
                let script = self.manifest.get("scripts").and_then(|scripts| scripts.get("build"));
                script
                    .map(|_| (CommandLine::Shell("npm run build".to_owned()), request.recipe_span().clone()))
            }
        }
    }

    /// A stage with the packages installed, which depends on nothing but the manifests.
    pub(super) fn install_stage(
        &self,
        request: &Request<'_>,
        name: &str,
        platform: StagePlatform,
        production: bool,
    ) -> Stage {
        let npmrc = self.has_npmrc.then_some(".npmrc");
        let manifests =
            ["package.json", self.lock].into_iter().chain(npmrc).map(|name| request.path(name)).collect();
        let command = if production { "npm ci --omit=dev" } else { "npm ci" };
        let quiet = ["NPM_CONFIG_AUDIT", "NPM_CONFIG_FUND", "NPM_CONFIG_UPDATE_NOTIFIER"]
            .map(|name| (name.to_owned(), "false".to_owned()));
        let run = Run {
            env: quiet.into_iter().chain(build_env(request)).collect(),
            mounts: vec![Mount::Cache {
                target: "/root/.npm".to_owned(),
                id: "npm".to_owned(),
                sharing: Sharing::Shared,
            }],
            ..Run::new(CommandLine::Shell(command.to_owned()))
        };
        let origin = request.recipe_span();
        let step = |action, origin: &Span| Step { action, origin: origin.clone() };
        Stage {
            name: name.to_owned(),
            from: Base::Image(image(request.service)),
            platform,
            steps: vec![
                step(Action::Workdir(APP.to_owned()), origin),
                step(
                    Action::Copy(Copy {
                        sources: manifests,
                        target: format!("{APP}/"),
                        exclude: not_source(),
                        ..Copy::default()
                    }),
                    request.source_span(),
                ),
                step(Action::Run(Box::new(run)), origin),
            ],
            origin: version_span(request).clone(),
        }
    }
}

/// The place that chose the image which builds.
pub(super) fn version_span<'a>(request: &'a Request<'_>) -> &'a Span {
    request.service.component.version.as_ref().map_or(request.recipe_span(), |version| &version.span)
}

/// A stage in which the source is built, on top of the installed packages.
pub(super) fn build_stage(
    request: &Request<'_>,
    deps: &str,
    platform: StagePlatform,
    (command, origin): (CommandLine, Span),
    network: Network,
) -> Stage {
    let run = Run { network, env: build_env(request).collect(), ..Run::new(command) };
    Stage {
        name: "build".to_owned(),
        from: Base::Stage(deps.to_owned()),
        platform,
        steps: vec![
            Step { action: Action::Copy(source_copy(request)), origin: request.source_span().clone() },
            Step { action: Action::Run(Box::new(run)), origin },
        ],
        origin: request.recipe_span().clone(),
    }
}

fn build_env(request: &Request<'_>) -> impl Iterator<Item = (String, String)> {
    let pairs = request.service.component.build_env.with_values();
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// [`NOT_SOURCE`] for a copy. On a copy of single files it says that they are none of these, so
/// that whole folders need not be sent.
pub(super) fn not_source() -> Vec<String> {
    NOT_SOURCE.iter().map(|pattern| (*pattern).to_owned()).collect()
}

/// A copy of the component's folder.
pub(super) fn source_copy(request: &Request<'_>) -> Copy {
    Copy {
        from: From::Context,
        sources: vec![format!("{}/", request.source)],
        target: format!("{APP}/"),
        exclude: not_source(),
        ..Copy::default()
    }
}

/// The network of the build command: none, unless the spec asks for one.
pub(super) fn build_network(service: &Service, problems: &mut Diagnostics) -> plan::Network {
    match service.component.network.as_ref().map(|key| (key.value.as_str(), key)) {
        None | Some(("none", _)) => Network::None,
        Some(("default", _)) => Network::Default,
        Some((other, key)) => {
            problems.push(
                Diagnostic::new(Code::Value, format!("a build has no network `{other}`"))
                    .at(&key.span)
                    .help("`none` (the default) or `default`"),
            );
            Network::None
        }
    }
}

/// Settings of a build that does not take place would be a promise that nobody keeps.
pub(super) fn nothing_built(request: &Request<'_>, built: bool, problems: &mut Diagnostics) {
    if let (false, Some(network)) = (built, &request.service.component.network) {
        problems.push(
            Diagnostic::new(Code::Value, "`network` is of the build command, and there is none")
                .at(&network.span)
                .help("give `build`, or the package a `build` script"),
        );
    }
}

fn invalid<T>(request: &Request<'_>, path: &str, why: &str, problems: &mut Diagnostics) -> Option<T> {
    problems.push(
        Diagnostic::new(Code::Value, format!("`{path}` is not a valid package manifest: {why}"))
            .at(request.source_span()),
    );
    None
}

fn missing_lock(request: &Request<'_>) -> Diagnostic {
    let path = request.path(LOCKS[0]);
    let diagnostic =
        Diagnostic::new(Code::MissingFile, format!("the build context has no lock file `{path}`"))
            .at(request.source_span())
            .label("what gets installed would depend on the day");
    let other = OTHER_LOCKS.into_iter().find(|(name, _)| request.facts.has(&request.path(name)));
    match other {
        Some((name, manager)) => diagnostic.help(format!(
            "there is `{}`, but this version installs with npm alone: add npm's lock, or build {manager} packages with hand-written `stages`",
            request.path(name)
        )),
        None => diagnostic
            .help("run `npm install --package-lock-only` in that folder and commit the file")
            .help("if it is there, does .dockerignore exclude it?"),
    }
}
