//! What follows from an ingress' routes: the snippet for a proxy in front of it, the catalog of APIs, the
//! status checks. The routes come from the spec, or from the nginx template that is there.

mod nginx;
mod status;

use super::{System, TextFiles, add};
use crate::plan::Action;
use crate::recipe::Facts;
use crate::spec::routes::{Answer, Api, Route, api};
use crate::spec::{Service, Spec, variables};

pub(super) use status::{as_json, checks};

/// How long a websocket may be silent, in seconds: a day, as nginx's default of a minute cuts it off.
const SILENT_FOR: u32 = 86400;

/// The routes of a component's nginx template; none for a component without one.
pub fn of_template(spec: &Spec, service: &Service, facts: &Facts) -> Vec<Route> {
    let Some(template) = &service.component.template else { return Vec::new() };
    let path = crate::paths::in_folder(&crate::recipe::source(service), &template.value);
    let Some(text) = facts.text(&path) else { return Vec::new() };
    nginx::routes(&text, spec, service, &template.span)
}

/// Adds the files about the ingress, if there is one.
pub(super) fn files(system: &System<'_>, files: &mut TextFiles) {
    let Some(ingress) = system.ingress() else { return };
    if let Some(config) = configuration(system) {
        add(files, "ingress/nginx.conf", config);
    }
    add(files, "ingress/reverse-proxy.snippet.conf", snippet(system));
    let apis = apis(system);
    if !apis.is_empty() {
        add(files, "ingress/catalog.json", crate::recipe::catalog(&apis));
    }
    let checks = checks(system, ingress);
    add(files, "ingress/status-checks.json", status::file(&checks));
}

/// The configuration that the ingress' image holds, where routes made it.
fn configuration(system: &System<'_>) -> Option<String> {
    let ingress = system.ingress().filter(|ingress| !ingress.service.routes.is_empty())?;
    let steps = ingress.plan.stages.iter().flat_map(|stage| &stage.steps);
    steps.rev().find_map(|step| match &step.action {
        Action::Write(write) if write.path == "/etc/nginx/nginx.conf" => Some(write.content.clone()),
        _ => None,
    })
}

/// All APIs that components declare and the ingress leads to.
fn apis(system: &System<'_>) -> Vec<Api> {
    let Some(ingress) = system.ingress() else { return Vec::new() };
    system.parts.iter().filter_map(|part| api(part.service, &ingress.routes)).collect()
}

/// The port of the machine at which the ingress is reached, as the Compose file gives it without variables.
pub(super) fn port(system: &System<'_>) -> Option<String> {
    let ingress = system.ingress()?;
    let published = system.published(ingress.name()).into_iter().next()?.0;
    let mut port = published;
    for variable in variables(&port) {
        port = variable.default;
    }
    Some(port)
}

/// The locations that a proxy in front of the ingress needs for websockets.
pub(super) fn snippet(system: &System<'_>) -> String {
    let port = port(system).unwrap_or_else(|| "8080".to_owned());
    let mut text = format!(
        "# @generated from {} by Slipway: the websocket routes of {}, for the `server` block of an nginx in\n\
         # front of it. Everything else goes through its `location /`.\n",
        system.file, system.name
    );
    let routes = system.ingress().map(|ingress| ingress.routes.as_slice()).unwrap_or_default();
    for route in routes {
        if let Answer::Proxy { websocket: true, .. } = route.answer {
            let exact = if route.is_prefix() { "" } else { "= " };
            text += &format!(
                "\nlocation {exact}{0} {{\n  \
                   proxy_pass http://localhost:{port}{0};\n  \
                   proxy_http_version 1.1;\n  \
                   proxy_set_header Upgrade $http_upgrade;\n  \
                   proxy_set_header Connection \"upgrade\";\n  \
                   proxy_set_header Host $host;\n  \
                   proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n  \
                   proxy_set_header X-Forwarded-Host $host;\n  \
                   proxy_set_header X-Forwarded-Proto $scheme;\n  \
                   proxy_read_timeout {SILENT_FOR};\n\
                 }}\n",
                route.path
            );
        }
    }
    text
}
