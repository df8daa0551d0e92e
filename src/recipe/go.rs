//! Go: a static binary on nothing but CA certificates and time zones.

use super::draft::{Draft, run, shell, source};
use super::runtime;
use super::{Facts, Made, Need, Recipe, Request, network};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::paths::in_folder;
use crate::plan::{Archetype, Copy, Network, PlatformFact, Sharing, StagePlatform};
use crate::spec::Service;
use crate::spec::component::BuildChoice;

/// See the module.
pub(super) struct Go;

const APP: &str = "/src";
const DEFAULT_VERSION: &str = "1.25";
const NOT_SOURCE: [&str; 2] = ["**/.git", "**/.env"];

impl Recipe for Go {
    fn name(&self) -> &'static str {
        "go"
    }

    fn summary(&self) -> &'static str {
        "Go: a static binary on nothing"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["base", "build", "build_env", "main", "network", "packages", "test", "version"]
    }

    fn marks(&self) -> &'static [&'static str] {
        &["go.mod"]
    }

    fn needs(&self, service: &Service, _: &Facts) -> Vec<Need> {
        let source = super::source(service);
        let path = |name: &str| in_folder(&source, name);
        vec![
            Need::content(path("go.mod")),
            Need::presence(path("go.sum")),
            Need::presence(path("main.go")),
            Need::names(path("cmd")),
        ]
    }

    fn make(&self, request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
        let Some(module) = request.facts.text(&request.path("go.mod")) else {
            problems.push(
                Diagnostic::new(
                    Code::MissingFile,
                    format!("the build context has no `{}`", request.path("go.mod")),
                )
                .at(request.source_span())
                .help("set `source` to the folder that has the go.mod; does .dockerignore exclude it?"),
            );
            return None;
        };
        runtime::no_packages_on_nothing(request, problems);
        request.has_to_build(problems);
        let network = network::of_build(request.service, network::Default::None, problems);
        let version = version(request, &module);
        let name = request.service.name.value.clone();
        let image = format!("golang:{version}");
        let has_sum = request.facts.has(&request.path("go.sum"));
        let mut files = vec![request.path("go.mod")];
        files.extend(has_sum.then(|| request.path("go.sum")));
        // A module that is replaced by a folder has to be there.
        let sources = if module.contains("=> .") { vec![format!("{}/", request.source)] } else { files };
        let manifests = Copy {
            sources,
            target: format!("{APP}/"),
            exclude: NOT_SOURCE.map(str::to_owned).into(),
            ..Copy::default()
        };
        // Go compiles for any platform on any: nothing has to be emulated.
        let deps = Draft::on_image(request, "deps", &image)
            .platform(StagePlatform::Build)
            .workdir(APP)
            .copy_at(manifests, request.source_span())
            .run(run(shell("go mod download")).with_build_env(request))
            .done();
        let source = source(request, APP, &NOT_SOURCE);
        let source = Draft::on_stage(request, "source", "deps").copy_at(source, request.source_span()).done();
        let (command, origin) = match &request.service.component.build {
            Some(BuildChoice::Command(command)) => (command.line.clone(), command.span.clone()),
            _ => {
                let package = package(request, &name, problems)?;
                let command = format!(
                    "go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o /out/{name} {package}"
                );
                (shell(command), request.recipe_span().clone())
            }
        };
        let process = run(command)
            .with_env([("CGO_ENABLED", "0")])
            .for_platform([
                ("GOARCH", PlatformFact::Arch),
                ("GOARM", PlatformFact::Arm),
                ("GOOS", PlatformFact::Os),
            ])
            .with_build_env(request)
            .cached("/root/.cache/go-build", "go-build", Sharing::Shared)
            .on_network(network);
        let build = Draft::on_stage(request, "build", "source").run_at(process, &origin).done();
        let mut stages = vec![deps, source, build];
        stages.extend(test(request));
        if request.archetype == Archetype::Library {
            return Some(Made::library(stages, "source"));
        }
        let (runtime, image) = runtime::static_program(request, &name);
        stages.push(runtime);
        Some(Made::new(stages, image))
    }
}

fn test(request: &Request<'_>) -> Option<crate::plan::Stage> {
    let (command, origin) = request.test(|| Some(shell("go test ./...")))?;
    let process = run(command)
        .with_env([("CGO_ENABLED", "0")])
        .with_build_env(request)
        .cached("/root/.cache/go-build", "go-build", Sharing::Shared)
        .on_network(Network::None);
    Some(Draft::on_stage(request, "test", "source").run_at(process, &origin).done())
}

/// Go's version: the spec's, or that of `go.mod`: its toolchain, or its language.
fn version(request: &Request<'_>, module: &str) -> String {
    if let Some(version) = &request.service.component.version {
        return version.value.clone();
    }
    let line = |key: &str| module.lines().find_map(|line| line.trim().strip_prefix(key)).map(str::trim);
    // Images are named by minor version as well.
    let minor = |version: &str| version.split('.').take(2).collect::<Vec<_>>().join(".");
    if let Some(toolchain) = line("toolchain go") {
        let version = minor(toolchain);
        request.found("Go version", &version, format!("`toolchain` in {}", request.path("go.mod")));
        return version;
    }
    // The language version is the least that will do.
    let least = line("go ").map(minor).unwrap_or_default();
    let number =
        |version: &str| version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok()).unwrap_or(0);
    if number(&least) > number(DEFAULT_VERSION) {
        request.found("Go version", &least, format!("`go` in {}", request.path("go.mod")));
        return least;
    }
    request.found("Go version", DEFAULT_VERSION, "the default");
    DEFAULT_VERSION.to_owned()
}

/// The package that is the program.
fn package(request: &Request<'_>, name: &str, problems: &mut Diagnostics) -> Option<String> {
    if let Some(main) = &request.service.component.main {
        return Some(format!("./{}", main.value.trim_start_matches("./")));
    }
    if request.facts.has(&request.path("main.go")) {
        return Some(".".to_owned());
    }
    let commands: Vec<&str> = request
        .facts
        .names(&request.path("cmd"))
        .iter()
        .filter(|name| name.is_folder)
        .map(|name| name.name.as_str())
        .collect();
    let found = commands.iter().find(|command| **command == name).or(match commands.as_slice() {
        [only] => Some(only),
        _ => None,
    });
    if let Some(found) = found {
        request.found("entry point", format!("./cmd/{found}"), request.path("cmd"));
        return Some(format!("./cmd/{found}"));
    }
    let code = if commands.is_empty() { Code::MissingKey } else { Code::Ambiguous };
    let diagnostic =
        Diagnostic::new(code, format!("`{name}` has no entry point: no main.go, and no `cmd/{name}`"))
            .at(request.source_span())
            .help("set `main` to the package, such as `main: cmd/server`");
    problems.push(if commands.is_empty() {
        diagnostic
    } else {
        diagnostic.help(format!("under cmd: {}", commands.join(", ")))
    });
    None
}
