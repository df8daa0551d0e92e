//! .NET: restored by the project files alone, published, and run on the ASP.NET runtime or its
//! chiseled variant, which has no shell.

use super::draft::{Draft, layer, run, shell, source, stage};
use super::runtime::{self, Choice};
use super::{Facts, Made, Need, Recipe, Request, network};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::paths::in_folder;
use crate::plan::{Action, Archetype, Copy, Image, Network, Run, Sharing, StagePlatform};
use crate::spec::Service;
use crate::spec::component::BuildChoice;

/// See the module.
pub(super) struct DotNet;

const APP: &str = "/src";
const DEFAULT_VERSION: &str = "9.0";
const NOT_SOURCE: [&str; 4] = ["**/bin", "**/obj", "**/.git", "**/.env"];
/// What decides about packages, beside the project file.
const SHARED: [&str; 6] = [
    "global.json",
    "nuget.config",
    "NuGet.config",
    "Directory.Build.props",
    "Directory.Packages.props",
    "packages.lock.json",
];

impl Recipe for DotNet {
    fn name(&self) -> &'static str {
        "dotnet"
    }

    fn summary(&self) -> &'static str {
        ".NET: an ASP.NET service or a console program"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["base", "build", "build_env", "main", "network", "packages", "test", "version"]
    }

    fn marks(&self) -> &'static [&'static str] {
        &["global.json", "*.csproj", "*.sln", "*.fsproj"]
    }

    fn needs(&self, service: &Service, facts: &Facts) -> Vec<Need> {
        let source = super::source(service);
        let mut needs = vec![Need::names(source.clone())];
        needs.push(Need::content(in_folder(&source, "global.json")));
        // A project may lie one folder further down.
        let folders =
            facts.names(&source).iter().filter(|name| name.is_folder && !name.name.starts_with('.'));
        // Or two: `src/Api/Api.csproj` beside a solution.
        for folder in folders {
            let folder = in_folder(&source, &folder.name);
            let below =
                facts.names(&folder).iter().filter(|name| name.is_folder && !name.name.starts_with('.'));
            needs.extend(below.map(|below| Need::names(in_folder(&folder, &below.name))));
            needs.push(Need::names(folder));
        }
        needs.extend(
            projects(&source, facts).into_iter().map(|project| Need::content(in_folder(&source, &project))),
        );
        needs
    }

    fn make(&self, request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
        request.has_to_build(problems);
        let network = network::of_build(request.service, network::Default::Sandbox, problems);
        let project = project(request, problems)?;
        let text = request.facts.text(&request.path(&project)).unwrap_or_default();
        let version = version(request, &text);
        let web = text.contains("Microsoft.NET.Sdk.Web");
        let file = project.rsplit('/').next().unwrap_or(&project);
        let assembly = tag(&text, "AssemblyName").unwrap_or_else(|| stem(file).to_owned());
        let origin = request.version_span();
        let names = |folder: &str| request.facts.names(folder);
        let shared =
            SHARED.iter().filter(|file| names(&request.source).iter().any(|name| name.name == **file));
        // A project may refer to others: all of them are restored, each by its lock file.
        let mut include: Vec<String> = shared.map(|file| (*file).to_owned()).collect();
        let mut locked = names(&request.source).iter().any(|name| name.name == "packages.lock.json");
        for project in projects(&request.source, request.facts) {
            let folder = crate::paths::parent(&project).to_owned();
            if !folder.is_empty()
                && names(&request.path(&folder)).iter().any(|name| name.name == "packages.lock.json")
            {
                include.push(in_folder(&folder, "packages.lock.json"));
                locked = true;
            }
            include.push(project);
        }
        let manifests = Copy {
            sources: vec![format!("{}/", request.source)],
            target: format!("{APP}/"),
            include,
            ..Copy::default()
        };
        let tool = |command: String| -> Run {
            run(shell(command))
                .with_env([("DOTNET_CLI_TELEMETRY_OPTOUT", "1"), ("DOTNET_NOLOGO", "1")])
                .with_build_env(request)
                .cached("/root/.nuget/packages", "nuget", Sharing::Shared)
        };
        let lock = if locked { " --locked-mode" } else { "" };
        let deps = Draft::on_image(
            request,
            "deps",
            format!("mcr.microsoft.com/dotnet/sdk:{}", sdk(request).unwrap_or_else(|| version.clone())),
        )
        .chosen_at(origin)
        .platform(StagePlatform::Build)
        .workdir(APP)
        .copy_at(manifests, request.source_span())
        .run(tool(format!("dotnet restore{lock} {project}")))
        .done();
        let source = source(request, APP, &NOT_SOURCE);
        let source = Draft::on_stage(request, "source", "deps").copy_at(source, request.source_span()).done();
        let (process, command_origin) = match &request.service.component.build {
            Some(BuildChoice::Command(command)) => {
                (Run { command: command.line.clone(), ..tool(String::new()) }, command.span.clone())
            }
            _ => (
                tool(format!(
                    "dotnet publish {project} --no-restore -c Release -o /out -p:UseAppHost=false -p:ContinuousIntegrationBuild=true"
                )),
                request.recipe_span().clone(),
            ),
        };
        let build = Draft::on_stage(request, "build", "source")
            .run_at(process.on_network(network), &command_origin)
            .done();
        let mut stages = vec![deps, source, build];
        if let Some(BuildChoice::Command(command)) = &request.service.component.test {
            let process =
                Run { command: command.line.clone(), ..tool(String::new()) }.on_network(Network::Default);
            stages.push(Draft::on_stage(request, "test", "source").run_at(process, &command.span).done());
        }
        if request.archetype == Archetype::Library {
            return Some(Made::library(stages, "build"));
        }
        stages.push(runtime(request, &version, web, origin));
        let image = Image {
            entrypoint: Some(vec![]),
            command: Some(vec!["dotnet".to_owned(), format!("{assembly}.dll")]),
            working_dir: Some("/app".to_owned()),
            ..Image::default()
        };
        Some(Made::new(stages, image))
    }
}

fn runtime(request: &Request<'_>, version: &str, web: bool, origin: &Span) -> crate::plan::Stage {
    let family = if web { "aspnet" } else { "runtime" };
    let image = format!("mcr.microsoft.com/dotnet/{family}:{version}");
    let draft = match runtime::choice(request) {
        Choice::Default => runtime::on_image(request, &image, origin),
        Choice::Slim => runtime::on_image(request, &image, runtime::base_span(request)),
        // Microsoft's own: no shell, no package manager.
        Choice::Minimal => {
            runtime::on_image(request, &format!("{image}-noble-chiseled"), runtime::base_span(request))
        }
        Choice::Image(base) => runtime::on_image(request, base, runtime::base_span(request)),
    };
    draft
        .step(Action::Accounts(request.user.clone()))
        .workdir("/app")
        // A diagnostic port is a file in /tmp, which nobody asked for.
        .env("DOTNET_EnableDiagnostics", "0")
        .copy(layer(stage("build"), "/out/", "/app/"))
        .done()
}

/// Project files in a folder and up to two levels below it.
fn projects(source: &str, facts: &Facts) -> Vec<String> {
    let is_project = |name: &str| [".csproj", ".fsproj", ".vbproj"].iter().any(|end| name.ends_with(end));
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for name in facts.names(&in_folder(source, &folder)) {
            let path = in_folder(&folder, &name.name);
            if name.is_folder && path.matches('/').count() < 2 {
                folders.push(path);
            } else if is_project(&name.name) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The project that is the program.
fn project(request: &Request<'_>, problems: &mut Diagnostics) -> Option<String> {
    let all = projects(&request.source, request.facts);
    if let Some(main) = &request.service.component.main {
        if all.contains(&main.value) {
            return Some(main.value.clone());
        }
        problems.push(
            Diagnostic::new(
                Code::MissingFile,
                format!("there is no project `{}`", request.path(&main.value)),
            )
            .at(&main.span)
            .help(format!("projects: {}", all.join(", "))),
        );
        return None;
    }
    let programs: Vec<&String> =
        all.iter().filter(|project| !project.to_lowercase().contains("test")).collect();
    match programs.as_slice() {
        [only] => {
            request.found("project", only.as_str(), "the only one in the folder");
            Some((*only).clone())
        }
        [] => {
            problems.push(
                Diagnostic::new(
                    Code::MissingFile,
                    format!("the folder `{}` has no project file", request.source),
                )
                .at(request.source_span())
                .help(
                    "a .csproj, .fsproj or .vbproj in it or one folder below; does .dockerignore exclude it?",
                ),
            );
            None
        }
        several => {
            let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            problems.push(
                Diagnostic::new(Code::Ambiguous, "the folder has several projects")
                    .at(request.source_span())
                    .help(format!("set `main` to one of: {}", names.join(", "))),
            );
            None
        }
    }
}

/// .NET's version: the spec's, the project's, `global.json`'s, or the default.
fn version(request: &Request<'_>, text: &str) -> String {
    if let Some(version) = &request.service.component.version {
        return version.value.clone();
    }
    if let Some(version) =
        tag(text, "TargetFramework").and_then(|framework| Some(framework.strip_prefix("net")?.to_owned()))
    {
        request.found(".NET version", &version, "`TargetFramework` of the project");
        return version;
    }
    if let Some(sdk) = sdk(request) {
        let version = sdk.split('.').take(2).collect::<Vec<_>>().join(".");
        request.found(".NET version", &version, request.path("global.json"));
        return version;
    }
    request.found(".NET version", DEFAULT_VERSION, "the default");
    DEFAULT_VERSION.to_owned()
}

/// The SDK that `global.json` pins: only it, or a newer one of its band, will do.
fn sdk(request: &Request<'_>) -> Option<String> {
    let global = request.facts.file(&request.path("global.json"))?;
    let global: serde_json::Value = serde_json::from_slice(global).ok()?;
    Some(global.pointer("/sdk/version")?.as_str()?.to_owned())
}

fn tag(text: &str, name: &str) -> Option<String> {
    let start = text.find(&format!("<{name}>"))? + name.len() + 2;
    let rest = &text[start..];
    Some(rest[..rest.find("</")?].trim().to_owned())
}

fn stem(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}
