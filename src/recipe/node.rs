//! Node services: npm with a lock file, TypeScript or plain.
//!
//! Dependencies are installed twice, side by side: all of them for the build, and those of
//! production for the image. Neither sees the source, so a change of the source runs neither.

use std::collections::BTreeMap;

use super::npm::{self, Package};
use super::{Made, Need, Recipe, Request};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::plan::{Action, Base, Copy, From, Image, Stage, StagePlatform, Step};
use crate::spec::Service;

/// See the module.
pub(super) struct Node;

impl Recipe for Node {
    fn name(&self) -> &'static str {
        "node"
    }

    fn summary(&self) -> &'static str {
        "a Node service: npm with a lock file, TypeScript or plain"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["base", "version", "build", "build_env", "network", "output"]
    }

    fn needs(&self, service: &Service) -> Vec<Need> {
        npm::needs(service)
    }

    fn make(&self, request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
        command_is_known(request, problems);
        let network = npm::build_network(request.service, problems);
        let package = Package::read(request, problems)?;
        let mut stages = Vec::new();
        let build = package.build(request);
        let built = build.is_some();
        npm::nothing_built(request, built, problems);
        if let Some(command) = build {
            stages.push(package.install_stage(request, "deps", StagePlatform::Target, false));
            stages.push(npm::build_stage(request, "deps", StagePlatform::Target, command, network));
        }
        let production =
            ["dependencies", "optionalDependencies"].into_iter().any(|kind| package.has_dependencies(kind));
        if production {
            stages.push(package.install_stage(request, "prod-deps", StagePlatform::Target, true));
        }
        stages.push(runtime(request, built, production));
        let image = Image {
            entrypoint: Some(vec![]),
            env: BTreeMap::from([("NODE_ENV".to_owned(), "production".to_owned())]),
            ..Image::default()
        };
        Some(Made { stages, runtime: "runtime".to_owned(), image, http_check: Some(http_check) })
    }
}

/// Without a command the image would start whatever the base starts.
fn command_is_known(request: &Request<'_>, problems: &mut Diagnostics) {
    let compose = &request.service.compose;
    if compose.command.is_none() && compose.entrypoint.is_none() {
        problems.push(
            Diagnostic::new(Code::MissingKey, format!("`{}` has no `command`", request.service.name.value))
                .at(&request.service.name.span)
                .help("say what starts it, such as `command: [node, dist/main.js]`"),
        );
    }
}

fn runtime(request: &Request<'_>, built: bool, production: bool) -> Stage {
    let component = &request.service.component;
    let step = |action| Step { action, origin: request.recipe_span().clone() };
    let layer = |from: From, source: String, target: String| {
        step(Action::Copy(Copy { from, sources: vec![source], target, link: true, ..Copy::default() }))
    };
    let mut steps = vec![step(Action::Accounts(request.user.clone()))];
    let (base, origin) = match &component.base {
        // The family's own slim image, npm and all.
        Some(base) if base.value == "slim" => (npm::image(request.service), base.span.clone()),
        Some(base) => (base.value.clone(), base.span.clone()),
        None => {
            let node = "/usr/local/bin/node".to_owned();
            let mut copy = layer(From::Image(npm::image(request.service)), node.clone(), node);
            copy.origin = npm::version_span(request).clone();
            steps.push(copy);
            (npm::slim_base(), request.recipe_span().clone())
        }
    };
    steps.push(step(Action::Workdir(npm::APP.to_owned())));
    if production {
        let modules = format!("{}/node_modules", npm::APP);
        steps.push(layer(From::Stage("prod-deps".to_owned()), modules.clone(), modules));
    }
    steps.extend(application(request, built));
    Stage {
        name: "runtime".to_owned(),
        from: Base::Image(base),
        platform: StagePlatform::Target,
        steps,
        origin,
    }
}

/// What of the component itself the image holds: what the build made, or the source as it is.
fn application(request: &Request<'_>, built: bool) -> Vec<Step> {
    let output = &request.service.component.output.0;
    let exclude = |patterns: &[&[&str]]| patterns.concat().into_iter().map(str::to_owned).collect();
    let origin = |index: usize| output.get(index).map_or(request.recipe_span(), |path| &path.span).clone();
    if !built && output.is_empty() {
        let whole = Copy {
            link: true,
            exclude: exclude(&[npm::NOT_SOURCE, npm::NOT_OUTPUT, npm::NOT_IN_IMAGE]),
            ..npm::source_copy(request)
        };
        return vec![Step { action: Action::Copy(whole), origin: request.source_span().clone() }];
    }
    let mut paths: Vec<String> = output.iter().map(|path| path.value.trim_matches('/').to_owned()).collect();
    if paths.is_empty() {
        paths.push("dist".to_owned());
    }
    let manifest = Copy {
        sources: vec![request.path("package.json")],
        target: format!("{}/", npm::APP),
        exclude: npm::not_source(),
        link: true,
        ..Copy::default()
    };
    let mut steps = vec![Step { action: Action::Copy(manifest), origin: request.recipe_span().clone() }];
    steps.extend(paths.into_iter().enumerate().map(|(index, path)| {
        let (from, source) = if built {
            (From::Stage("build".to_owned()), format!("{}/{path}", npm::APP))
        } else {
            (From::Context, request.path(&path))
        };
        let copy = Copy {
            from,
            sources: vec![source],
            target: format!("{}/{path}", npm::APP),
            exclude: exclude(&[npm::NOT_SOURCE, npm::NOT_OUTPUT, npm::NOT_IN_IMAGE]),
            link: true,
            ..Copy::default()
        };
        Step { action: Action::Copy(copy), origin: origin(index) }
    }));
    steps
}

/// Node asks for itself: no further tool has to be in the image.
fn http_check(url: &str) -> Vec<String> {
    let script = format!("fetch({url:?}).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))");
    ["CMD", "node", "-e", &script].map(str::to_owned).into()
}
