//! Static sites: a folder as it is, or one that a Node build makes, behind an unprivileged nginx.

use super::draft::{patterns, run, shell};
use super::node::project::{self, Project};
use super::{Facts, Made, Need, Recipe, Request, network, nginx};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::plan::{Action, Copy, From, Stage, StagePlatform, Step, Write};
use crate::spec::Service;
use crate::spec::component::BuildChoice;

/// See the module.
pub(super) struct StaticSite;

/// Where the site lies in the image.
const ROOT: &str = "/srv/www";

impl Recipe for StaticSite {
    fn name(&self) -> &'static str {
        "static"
    }

    fn summary(&self) -> &'static str {
        "a built single-page application or a plain folder, served by nginx"
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
            "spa",
            "template",
            "test",
            "version",
        ]
    }

    fn marks(&self) -> &'static [&'static str] {
        &["index.html"]
    }

    fn needs(&self, service: &Service, facts: &Facts) -> Vec<Need> {
        let source = super::source(service);
        let template = service.component.template.iter();
        let template =
            template.map(|template| Need::content(crate::paths::in_folder(&source, &template.value)));
        project::needs(service, facts).into_iter().chain(template).collect()
    }

    fn make(&self, request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
        let network = network::of_build(request.service, network::Default::None, problems);
        let component = &request.service.component;
        let mut stages = Vec::new();
        let has_manifest = request.facts.has(&request.path("package.json"));
        let wants_build = !matches!(component.build, Some(BuildChoice::No));
        let asks_for_build = matches!(component.build, Some(BuildChoice::Command(_)));
        let mut built = false;
        let mut folder = project::APP.to_owned();
        if asks_for_build || (wants_build && has_manifest) {
            let project = Project::read(request, problems)?;
            if let Some(command) = project.build(request) {
                // What comes out is the same on every platform, so the builder's own is the fastest.
                stages.push(project.install_stage(request, "deps", StagePlatform::Build, false));
                let mut build = project.build_stage(request, "deps", command, network);
                let output = component.output.0.first();
                let site = output.map_or("dist", |path| path.value.trim_matches('/'));
                build.steps.push(Step {
                    action: Action::Run(Box::new(look_for_page(&format!("{}/{site}", project.folder())))),
                    origin: output.map_or(request.recipe_span(), |path| &path.span).clone(),
                });
                stages.push(build);
                stages.extend(project.test_stage(request, "build", true));
                stages.extend(project.dev_stage(request, "deps"));
                folder = project.folder();
                built = true;
            }
        }
        network::nothing_built(request, built, problems);
        if let (false, Some(version)) = (built, &component.version) {
            problems.push(
                Diagnostic::new(Code::Value, "`version` is that of Node, and this site is not built")
                    .at(&version.span)
                    .help("remove it; `base` chooses another nginx"),
            );
        }
        if let [_, second, ..] = component.output.0.as_slice() {
            problems.push(
                Diagnostic::new(Code::Value, "a site is one folder, so `output` has one entry")
                    .at(&second.span),
            );
        }
        if let (Some(spa), Some(_)) = (&component.spa, &component.template) {
            problems.push(
                Diagnostic::new(Code::Value, "with a `template`, what unknown paths get is said there")
                    .at(&spa.span)
                    .help("remove `spa`"),
            );
        }
        let port = request.only_port().or_else(|| nginx::contract_port(request)).unwrap_or(8080);
        stages.extend(runtime(request, built.then_some(folder.as_str()), port, problems)?);
        let image = match component.template {
            Some(_) => nginx::templated_image(request, Some(port)),
            None => nginx::image(Some(port)),
        };
        Some(Made { http_check: nginx::http_check(request), ..Made::new(stages, image) })
    }
}

/// Without a page every request would be answered with 404, by an image that looks well.
fn look_for_page(folder: &str) -> crate::plan::Run {
    let script = format!(
        "[ -e {folder}/index.html ] || {{ echo \"the build left no {folder}/index.html; pages: \" >&2; \
         find . -name index.html -not -path '*/node_modules/*' >&2; \
         echo 'say in which folder the site is: output' >&2; exit 1; }}"
    );
    run(shell(script)).titled("look for the page").on_network(crate::plan::Network::None)
}

/// `built` is the folder in which the build took place, if one did.
fn runtime(
    request: &Request<'_>,
    built: Option<&str>,
    port: u16,
    problems: &mut Diagnostics,
) -> Option<Vec<Stage>> {
    let component = &request.service.component;
    let output = component.output.0.first();
    let folder = output.map(|path| path.value.trim_matches('/').to_owned());
    let (from, source) = if let Some(built) = built {
        let folder = folder.unwrap_or_else(|| "dist".to_owned());
        (From::Stage("build".to_owned()), format!("{built}/{folder}/"))
    } else {
        (From::Context, format!("{}/", request.path(&folder.unwrap_or_default())))
    };
    let site = Copy {
        from,
        sources: vec![source],
        target: format!("{ROOT}/"),
        exclude: patterns(&[project::NOT_OUTPUT, project::NOT_SOURCE, project::NOT_IN_IMAGE].concat()),
        link: true,
        ..Copy::default()
    };
    let origin = output.map_or(request.source_span(), |path| &path.span).clone();
    let health = component.contract.as_ref().and_then(|contract| contract.health.as_ref());
    let health_path = health.and_then(|health| health.http.as_ref()).map(|path| path.value.as_str());
    let mut steps = match &component.template {
        Some(template) => nginx::template_steps(request, template, problems)?,
        None => {
            let spa = component.spa.as_ref().map_or(built.is_some(), |spa| spa.value);
            let config = Write {
                path: nginx::CONFIG.to_owned(),
                content: nginx::main_config(request, &server(port, spa, health_path)),
                mode: 0o644,
                owner: crate::plan::Owner::default(),
                link: true,
            };
            vec![Step { action: Action::Write(config), origin: request.recipe_span().clone() }]
        }
    };
    steps.push(Step { action: Action::Copy(site), origin });
    // `version` is Node's here.
    Some(nginx::runtime_stages(request, None, steps))
}

/// The server block. A name ends in a hash if its last part has 8, 16 or 20 characters with a
/// letter among them, and a digit or two capitals in a row, which words like `SemiBold` have not.
/// What a bundler named by its content may be kept for ever; the page that
/// names those files is never kept; everything else is asked for again.
fn server(port: u16, spa: bool, health: Option<&str>) -> String {
    let fallback = if spa { "/index.html" } else { "=404" };
    // Paths of development servers get no page of the application: they must not look alive.
    let health = match health {
        Some(path) if path != "/" && path != "/index.html" => format!(
            "
    location = {path} {{
      access_log off;
      default_type text/plain;
      return 200 \"ok\\n\";
    }}
"
        ),
        _ => String::new(),
    };
    format!(
        r#"  server {{
    listen {port};
    root {ROOT};
    index index.html;
{health}
    location ~ ^/(@vite|@fs|@id|@react-refresh|__vite_ping|ng-cli-ws|webpack-dev-server|sockjs-node)(/|$) {{
      return 404;
    }}

    location = /index.html {{
      add_header Cache-Control "no-store" always;
      add_header X-Content-Type-Options "nosniff" always;
    }}

    location ~ "[-.](?=[0-9A-Za-z_-]*([0-9]|[A-Z][A-Z]))(?=[0-9_-]*[A-Za-z])([0-9A-Za-z_-]{{8}}|[0-9a-f]{{16}}|[0-9a-f]{{20}})\.(js|mjs|css|woff2?|ttf|otf|eot|svg|png|jpe?g|gif|webp|avif|ico|wasm)$" {{
      try_files $uri =404;
      add_header Cache-Control "public, max-age=31536000, immutable";
      add_header X-Content-Type-Options "nosniff";
    }}

    location ~ \.(js|mjs|css|woff2?|ttf|otf|eot|svg|png|jpe?g|gif|webp|avif|ico|wasm|json|txt|xml|webmanifest)$ {{
      try_files $uri =404;
      add_header Cache-Control "no-cache";
      add_header X-Content-Type-Options "nosniff";
    }}

    location / {{
      try_files $uri $uri/index.html {fallback};
      add_header Cache-Control "no-store" always;
      add_header X-Content-Type-Options "nosniff" always;
    }}
  }}
"#
    )
}
