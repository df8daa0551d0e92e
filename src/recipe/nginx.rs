//! nginx as an unprivileged server: an ingress from a template, and the base that static sites
//! stand on.
//!
//! The whole main configuration is ours, so that nothing in it needs root: everything that
//! nginx writes goes to `/tmp`, which may be a folder in memory under a read-only root.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::layer;
use super::runtime::{self, Choice, Family};
use super::{Facts, Made, Need, Recipe, Request, ingress};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::plan::{Action, Base, Copy, From, Image, Owner, RuntimeKind, Stage, Step, Write};
use crate::spec::values::Port;
use crate::spec::{Located, Service};

/// See the module.
pub(super) struct Nginx;

/// Where the main configuration lies.
pub(super) const CONFIG: &str = "/etc/nginx/nginx.conf";
const DEFAULT_VERSION: &str = "1.29";
/// Where rendered templates are put at start.
const RENDERED: &str = "/tmp";
/// Where templates lie.
const TEMPLATES: &str = "/etc/nginx/templates";
/// The program that renders them in an image without a shell.
const TEMPLATE: &str = "/usr/local/bin/slipway-template";

impl Recipe for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn summary(&self) -> &'static str {
        "an ingress: nginx with routes, or with a configuration template rendered from the environment at start"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["base", "packages", "routes", "template", "version"]
    }

    fn marks(&self) -> &'static [&'static str] {
        &[]
    }

    fn needs(&self, service: &Service, _: &Facts) -> Vec<Need> {
        let source = super::source(service);
        let template = service.component.template.iter();
        template.map(|template| Need::content(crate::paths::in_folder(&source, &template.value))).collect()
    }

    fn make(&self, request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
        let component = &request.service.component;
        let Some(template) = &component.template else {
            if component.routes.is_empty() {
                problems.push(
                    Diagnostic::new(Code::MissingKey, "recipe `nginx` needs `routes` or a `template`")
                        .at(request.recipe_span())
                        .help("`routes` lists paths and the services that answer there")
                        .help("`template` is a file with nginx `server` blocks; `${NAME}` in it is replaced from the environment at start"),
                );
                return None;
            }
            let port = request.only_port().or_else(|| contract_port(request)).unwrap_or(8080);
            let steps = ingress::steps(request, port);
            let stages = runtime_stages(request, component.version.as_ref(), steps);
            return Some(Made { http_check: http_check(request), ..Made::new(stages, image(Some(port))) });
        };
        if let Some(route) = component.routes.first() {
            problems.push(
                Diagnostic::new(Code::Value, "an ingress has `routes` or a `template`, not both")
                    .at(&route.span)
                    .help("remove the template: routes make the whole configuration"),
            );
        }
        let steps = template_steps(request, template, problems)?;
        let stages = runtime_stages(request, request.service.component.version.as_ref(), steps);
        // Where it listens is the template's business; the contract may know.
        let image = templated_image(request, contract_port(request));
        Some(Made { http_check: http_check(request), ..Made::new(stages, image) })
    }
}

/// The steps that put a template into an image: the main configuration, which includes what is
/// rendered from it at start, the template, and in an image without a shell what renders it.
pub(super) fn template_steps(
    request: &Request<'_>,
    template: &Located<String>,
    problems: &mut Diagnostics,
) -> Option<Vec<Step>> {
    let path = request.path(&template.value);
    if !request.facts.has(&path) {
        problems.push(
            Diagnostic::new(Code::MissingFile, format!("the build context has no file `{path}`"))
                .at(&template.span)
                .help("paths are relative to `source`, or to the build context without one; does .dockerignore exclude it?"),
        );
        return None;
    }
    let config = Write {
        path: CONFIG.to_owned(),
        content: main_config(request, &format!("  include {RENDERED}/slipway.conf;\n")),
        mode: 0o644,
        owner: Owner::default(),
        link: true,
    };
    let copy = Copy {
        sources: vec![path],
        target: format!("{TEMPLATES}/slipway.conf.template"),
        mode: Some(0o644),
        link: true,
        ..Copy::default()
    };
    let mut steps = vec![
        Step { action: Action::Write(config), origin: request.recipe_span().clone() },
        Step { action: Action::Copy(copy), origin: template.span.clone() },
    ];
    if runtime::choice(request) == Choice::Minimal {
        let copy = layer(From::Tools, "slipway-template", TEMPLATE);
        steps.push(Step { action: Action::Copy(copy), origin: template.span.clone() });
    }
    Some(steps)
}

/// What an image declares whose configuration is rendered at start.
pub(super) fn templated_image(request: &Request<'_>, port: Option<u16>) -> Image {
    let nginx = |program: &str| [program, "-e", "stderr", "-g", "daemon off;"].map(str::to_owned).to_vec();
    if runtime::choice(request) == Choice::Minimal {
        return Image {
            entrypoint: Some([TEMPLATE, TEMPLATES, RENDERED].map(str::to_owned).into()),
            command: Some(nginx("/usr/sbin/nginx")),
            ..image(port)
        };
    }
    Image {
        // The base's own start-up script renders the templates, then starts nginx.
        entrypoint: Some(vec!["/docker-entrypoint.sh".to_owned()]),
        command: Some(nginx("nginx")),
        env: BTreeMap::from([("NGINX_ENVSUBST_OUTPUT_DIR".to_owned(), RENDERED.to_owned())]),
        ..image(port)
    }
}

/// The port that the contract names.
pub(super) fn contract_port(request: &Request<'_>) -> Option<u16> {
    let contract = request.service.component.contract.as_ref()?;
    Some(contract.health.as_ref()?.port.as_ref()?.value.number)
}

/// What an image with nginx that listens on this port declares. The base's own port is none of it.
pub(super) fn image(port: Option<u16>) -> Image {
    Image {
        entrypoint: Some(vec!["nginx".to_owned()]),
        command: Some(["-e", "stderr", "-g", "daemon off;"].map(str::to_owned).into()),
        ports: Some(port.map(|number| Port { number, protocol: "tcp".to_owned() }).into_iter().collect()),
        // Finish what is being served, then go.
        stop_signal: Some("SIGQUIT".to_owned()),
        writes: BTreeSet::from([RENDERED.to_owned()]),
        ..Image::default()
    }
}

/// A runtime stage on nginx's base, of this version, with the user that runs and these steps.
pub(super) fn runtime_stages(
    request: &Request<'_>,
    given_version: Option<&Located<String>>,
    steps: Vec<Step>,
) -> Vec<Stage> {
    let version = given_version.map_or(DEFAULT_VERSION, |version| version.value.as_str());
    let image = format!("nginx:{version}-alpine-slim");
    let family = Family {
        from: Base::Image(image.clone()),
        kind: RuntimeKind::Nginx,
        program: "nginx",
        slim: image.clone(),
        otherwise: Some(image),
    };
    let (mut stages, draft) = runtime::start(request, &family, Vec::new());
    stages.push(draft.step(Action::Accounts(request.user.clone())).steps(steps).done());
    stages
}

/// The main configuration around a piece of its `http` block.
pub(super) fn main_config(request: &Request<'_>, http: &str) -> String {
    let shutdown = shutdown_seconds(request);
    format!(
        r"# Written by Slipway for an unprivileged nginx: all that it writes goes to /tmp.
worker_processes auto;
pid /tmp/nginx.pid;
error_log stderr warn;
# A stop waits for what is being served, but for no websocket longer than this.
worker_shutdown_timeout {shutdown}s;

events {{
  worker_connections 1024;
}}

http {{
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /dev/stdout combined;
  client_body_temp_path /tmp/client_body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  server_tokens off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 65;
  gzip on;
  gzip_vary on;
  gzip_proxied any;
  gzip_min_length 1024;
  gzip_types text/plain text/css text/xml application/javascript text/javascript application/json image/svg+xml;

{http}}}
"
    )
}

/// A little less than the time after which the engine kills: Compose's `stop_grace_period`, or
/// the 10 seconds that it has without one.
fn shutdown_seconds(request: &Request<'_>) -> u64 {
    let grace = request.service.compose.stop_grace_period.map_or(10, |time| time.as_secs());
    grace.saturating_sub(2).max(1)
}

/// The family's images have busybox's wget.
pub(super) fn http_check(request: &Request<'_>) -> Option<fn(&str) -> Vec<String>> {
    let family = matches!(runtime::choice(request), Choice::Default | Choice::Slim);
    family.then_some(wget as fn(&str) -> Vec<String>)
}

fn wget(url: &str) -> Vec<String> {
    ["CMD", "wget", "-q", "-O", "/dev/null", url].map(str::to_owned).into()
}
