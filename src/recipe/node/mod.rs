//! Node services: npm, pnpm or Yarn with a lock file, alone or in a workspace, TypeScript or plain.
//!
//! Dependencies are installed twice, side by side: all of them for the build, and those of
//! production for the image. Neither sees the source, so a change of the source runs neither.

pub(super) mod manager;
pub(super) mod project;
mod workspace;

use std::collections::BTreeMap;

use super::draft::{Draft, layer, patterns, published, run, shell, source, stage};
use super::python::beside;
use super::runtime::{self, Choice, Family};
use super::{Facts, Made, Need, Recipe, Request, network};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::plan::{
    Action, Archetype, Base, Copy, From, Image, Network, RuntimeKind, Scan, Stage, StagePlatform, Step,
};
use crate::spec::Service;
use project::{APP, NOT_IN_IMAGE, NOT_OUTPUT, NOT_SOURCE, Project};

/// See the module.
pub(super) struct Node;

impl Recipe for Node {
    fn name(&self) -> &'static str {
        "node"
    }

    fn summary(&self) -> &'static str {
        "a Node service: npm, pnpm or Yarn with a lock file, alone or in a workspace, TypeScript or plain"
    }

    fn keys(&self) -> &'static [&'static str] {
        &[
            "base",
            "build",
            "build_env",
            "build_packages",
            "dev",
            "manager",
            "network",
            "output",
            "packages",
            "python",
            "test",
            "version",
        ]
    }

    fn marks(&self) -> &'static [&'static str] {
        &["package.json"]
    }

    fn needs(&self, service: &Service, facts: &Facts) -> Vec<Need> {
        project::needs(service, facts)
    }

    fn make(&self, request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
        let network = network::of_build(request.service, network::Default::None, problems);
        let project = Project::read(request, problems)?;
        let mut stages = Vec::new();
        let build = project.build(request);
        let built = build.is_some();
        network::nothing_built(request, built, problems);
        // What a build leaves is JavaScript, the same for every platform: it is made once.
        let once = built && portable(request);
        let platform = if once { StagePlatform::Build } else { StagePlatform::Target };
        stages.push(project.install_stage(request, "deps", platform, false));
        if let Some(command) = build {
            stages.push(project.build_stage(request, "deps", command, network));
        }
        let below = if built { "build" } else { "deps" };
        stages.extend(project.test_stage(request, below, built));
        if once && project.dev_stage(request, "dev-deps").is_some() {
            // Development runs in the image's platform, with all that was installed for it.
            stages.push(project.install_stage(request, "dev-deps", StagePlatform::Target, false));
            stages.extend(project.dev_stage(request, "dev-deps"));
        } else {
            stages.extend(project.dev_stage(request, "deps"));
        }
        if request.archetype == Archetype::Library {
            stages.extend(package_stages(request, &project, below));
            return Some(Made::library(stages, "package"));
        }
        let image = Image {
            entrypoint: Some(vec![]),
            command: command(request, &project, built, problems),
            working_dir: Some(project.folder()),
            env: BTreeMap::from([("NODE_ENV".to_owned(), "production".to_owned())]),
            ..Image::default()
        };
        let production = project.workspace.is_some() || project.has_production_dependencies();
        if production {
            stages.push(project.install_stage(request, "prod-deps", StagePlatform::Target, true));
        }
        if let Some(python) = &request.service.component.python {
            stages.extend(beside::stages(request, python, problems));
        }
        let (more, runtime) = runtime(request, &project, built, production);
        stages.extend(more);
        stages.push(runtime);
        let asks = matches!(runtime::choice(request), Choice::Image(_));
        Some(Made { http_check: (!asks).then_some(http_check as _), ..Made::new(stages, image) })
    }
}

/// What starts the program: without a command the image would start whatever the base starts.
fn command(
    request: &Request<'_>,
    project: &Project,
    built: bool,
    problems: &mut Diagnostics,
) -> Option<Vec<String>> {
    let compose = &request.service.compose;
    if compose.command.is_some() || compose.entrypoint.is_some() {
        return None;
    }
    if let Some((words, key)) = project.entry() {
        let file = words.get(1).map(String::as_str).unwrap_or_default();
        let shipped = |output: &str| file.starts_with(output.trim_matches('/'));
        let outputs = &request.service.component.output.0;
        let in_output =
            outputs.iter().any(|output| shipped(&output.value)) || (outputs.is_empty() && file.contains('/'));
        if built && !in_output {
            problems.push(
                Diagnostic::new(
                    Code::Ambiguous,
                    format!("{key} of the manifest starts `{file}`, which is not in what the image gets of the build"),
                )
                .at(request.recipe_span())
                .help("say what starts it, such as `command: [node, dist/main.js]`")
                .help("or what of the build's result goes into the image: `output`"),
            );
        }
        request.found("command", words.join(" "), format!("{key} in {}", request.path("package.json")));
        return Some(words);
    }
    problems.push(
        Diagnostic::new(
            Code::MissingKey,
            format!(
                "`{}` has no `command`, and its manifest names no entry point",
                request.service.name.value
            ),
        )
        .at(&request.service.name.span)
        .help("say what starts it, such as `command: [node, dist/main.js]`")
        .help("or give the manifest a `start` script like `node dist/main.js`, or `main`"),
    );
    None
}

/// Whether the build's result is the same for every platform. Frameworks that put packages into
/// what they build (`.next/standalone`, `.output`) may put native modules there.
fn portable(request: &Request<'_>) -> bool {
    let outputs = &request.service.component.output.0;
    let command = request.service.compose.command.iter().flat_map(|command| &command.words);
    let words = outputs.iter().map(|output| &output.value).chain(command);
    let framework = |path: &String| {
        let path = path.trim_start_matches("./");
        path.starts_with('.') || path.contains("node_modules")
    };
    !words.into_iter().any(framework)
}

fn runtime(request: &Request<'_>, project: &Project, built: bool, production: bool) -> (Vec<Stage>, Stage) {
    let family = Family {
        from: Base::Image(project.image.clone()),
        kind: RuntimeKind::Node,
        program: "node",
        // npm and all.
        slim: project.image.clone(),
        otherwise: Some(super::slim_base()),
    };
    let scan = production.then(|| Scan { from: stage("prod-deps"), path: APP.to_owned() });
    let (more, draft) = runtime::start(request, &family, scan.into_iter().collect());
    let draft = match runtime::choice(request) {
        Choice::Default => {
            let node = "/usr/local/bin/node";
            draft.copy_at(layer(From::Image(project.image.clone()), node, node), request.version_span())
        }
        _ => draft,
    };
    let draft = match request.service.component.python {
        Some(_) => beside::add(request, draft),
        None => draft,
    };
    let draft = draft.step(Action::Accounts(request.user.clone())).workdir(&project.folder());
    let draft = match (production, &project.workspace) {
        (false, _) => draft,
        (true, None) => {
            let modules = format!("{APP}/node_modules");
            draft.copy(Copy { exclude: clocks(), ..layer(stage("prod-deps"), modules.clone(), modules) })
        }
        (true, Some(_)) => {
            let app = format!("{APP}/");
            draft.copy(Copy {
                include: project.installed(),
                exclude: clocks(),
                ..layer(stage("prod-deps"), app.clone(), app)
            })
        }
    };
    (more, draft.steps(application(request, project, built)).done())
}

/// What pnpm writes down for itself, with the time of the install in it.
fn clocks() -> Vec<String> {
    ["**/.modules.yaml", "**/.pnpm-workspace-state*.json"].map(str::to_owned).into()
}

/// What of the component itself the image holds: what the build made, or the source as it is.
fn application(request: &Request<'_>, project: &Project, built: bool) -> Vec<Step> {
    let output = &request.service.component.output.0;
    let exclude = || patterns(&[NOT_SOURCE, NOT_OUTPUT, NOT_IN_IMAGE].concat());
    let folder = project.folder();
    let step = |action| Step { action, origin: request.recipe_span().clone() };
    let mut steps = Vec::new();
    if let Some(workspace) = &project.workspace {
        // What the other members publish; their packages are links to these folders.
        for path in workspace.member(true).local {
            let include =
                workspace.published(path).into_iter().flat_map(|file| [file.clone(), format!("{file}/**")]);
            let (from, source) = if built {
                (stage("build"), format!("{APP}/{path}/"))
            } else {
                (From::Context, format!("{}/", crate::paths::in_folder(&workspace.root, path)))
            };
            let copy = Copy {
                include: include.collect(),
                exclude: exclude(),
                ..layer(from, source, format!("{APP}/{path}/"))
            };
            steps.push(step(Action::Copy(copy)));
        }
    }
    if !built && output.is_empty() {
        let whole = Copy {
            link: true,
            target: format!("{folder}/"),
            exclude: exclude(),
            ..source(request, APP, NOT_SOURCE)
        };
        steps.push(Step { action: Action::Copy(whole), origin: request.source_span().clone() });
        return steps;
    }
    if project.workspace.is_none() {
        let manifest = Copy {
            exclude: patterns(NOT_SOURCE),
            ..layer(From::Context, request.path("package.json"), format!("{APP}/"))
        };
        steps.push(step(Action::Copy(manifest)));
    }
    let mut paths: Vec<String> = output.iter().map(|path| path.value.trim_matches('/').to_owned()).collect();
    if paths.is_empty() {
        paths.push(built_folder(request, project));
    }
    steps.extend(paths.into_iter().enumerate().map(|(index, path)| {
        let (from, source) = if built {
            (stage("build"), format!("{folder}/{path}"))
        } else {
            (From::Context, request.path(&path))
        };
        let copy = Copy { exclude: exclude(), ..layer(from, source, format!("{folder}/{path}")) };
        let origin = output.get(index).map_or(request.recipe_span(), |path| &path.span);
        Step { action: Action::Copy(copy), origin: origin.clone() }
    }));
    steps
}

/// The folder that the build leaves, where the spec does not say it: the one in which the program
/// starts.
fn built_folder(request: &Request<'_>, project: &Project) -> String {
    let given = request.service.compose.command.as_ref().map(|command| command.words.clone());
    let words = given.or_else(|| project.entry().map(|(words, _)| words)).unwrap_or_default();
    let file = words.iter().skip(1).find(|word| !word.starts_with('-') && word.ends_with("js"));
    let folder = file.and_then(|file| file.trim_start_matches("./").split_once('/'));
    folder.map_or_else(|| "dist".to_owned(), |(folder, _)| folder.to_owned())
}

/// What a registry would get: the package as npm packs it, and nothing else.
fn package_stages(request: &Request<'_>, project: &Project, below: &str) -> [Stage; 2] {
    let packed = run(shell(format!(
        "mkdir -p /package && cd {} && npm pack --pack-destination /package",
        project.folder()
    )));
    let pack = Draft::on_stage(request, "pack", below).run(packed.on_network(Network::None)).done();
    [pack, published(request)]
}

/// Node asks for itself: no further tool has to be in the image.
pub(super) fn http_check(url: &str) -> Vec<String> {
    let script = format!("fetch({url:?}).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))");
    ["CMD", "node", "-e", &script].map(str::to_owned).into()
}
