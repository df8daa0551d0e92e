//! An ingress from routes: nginx's configuration, and the files that its explorer of APIs shows.

use serde_json::json;

use super::Request;
use super::draft::layer;
use super::nginx::{CONFIG, main_config};
use crate::plan::{Action, From, Owner, Step, Write};
use crate::spec::routes::{Answer, Api, Route};

/// Where files that it serves lie.
const FILES: &str = "/srv/www";
/// The explorer's page. What it shows is in its catalog.
const EXPLORER: &str = include_str!("explorer.html");

/// The steps that make an ingress of a base with nginx.
pub(super) fn steps(request: &Request<'_>, port: u16) -> Vec<Step> {
    let service = request.service;
    let config = write(CONFIG, main_config(request, &http(&service.routes, port)));
    let mut steps = vec![Step { action: Action::Write(config), origin: request.recipe_span().clone() }];
    for (index, route) in service.routes.iter().enumerate() {
        let folder = folder(index);
        match &route.answer {
            Answer::Files(source) => {
                let copy = layer(From::Context, format!("{source}/"), format!("{folder}/"));
                steps.push(Step { action: Action::Copy(copy), origin: route.origin.clone() });
            }
            Answer::Explorer => {
                for (name, content) in
                    [("index.html", EXPLORER.to_owned()), ("catalog.json", catalog(&service.apis))]
                {
                    let write = write(&format!("{folder}/{name}"), content);
                    steps.push(Step { action: Action::Write(write), origin: route.origin.clone() });
                }
                for api in &service.apis {
                    let target = format!("{folder}/{}", contract(api));
                    let copy = layer(From::Context, api.openapi.clone(), target);
                    steps.push(Step { action: Action::Copy(copy), origin: api.origin.clone() });
                }
            }
            _ => {}
        }
    }
    steps
}

fn write(path: &str, content: String) -> Write {
    Write { path: path.to_owned(), content, mode: 0o644, owner: Owner::default(), link: true }
}

fn folder(index: usize) -> String {
    format!("{FILES}/{index}")
}

/// Where a component's OpenAPI description lies beside the explorer's page.
fn contract(api: &Api) -> String {
    let extension = api.openapi.rsplit_once('.').map_or("yaml", |(_, extension)| extension);
    format!("contracts/{}-openapi.{extension}", api.service)
}

/// What the explorer shows: each API, where its description is, where the running service gives its own, and
/// what its paths begin with at the ingress.
pub(crate) fn catalog(apis: &[Api]) -> String {
    let services: Vec<_> = apis
        .iter()
        .map(|api| {
            json!({
                "id": api.service,
                "title": api.title,
                "contract": contract(api),
                "runtimeSpecPath": api.path,
                "runtimeBasePath": api.base,
            })
        })
        .collect();
    format!("{:#}\n", json!({ "services": services }))
}

/// The part of the configuration that is about routes.
fn http(routes: &[Route], port: u16) -> String {
    let mut text = format!(
        r#"  map $http_upgrade $connection_upgrade {{
    default upgrade;
    "" "";
  }}
  # A proxy in front of this one knows how the browser asked.
  map $http_x_forwarded_proto $forwarded_proto {{
    default $http_x_forwarded_proto;
    "" $scheme;
  }}
  map $http_x_forwarded_host $forwarded_host {{
    default $http_x_forwarded_host;
    "" $http_host;
  }}
  types {{
    application/yaml yaml yml;
  }}

  server {{
    listen {port} default_server;
    server_name _;
    # Redirects stay with the host and port that the browser knows.
    absolute_redirect off;
    proxy_http_version 1.1;
"#
    );
    for (index, route) in routes.iter().enumerate() {
        let exact = if route.is_prefix() { "^~" } else { "=" };
        text += &format!("\n    location {exact} {} {{\n", route.path);
        for line in location(route, index) {
            text += &format!("      {line}\n");
        }
        text += "    }\n";
    }
    text + "  }\n"
}

fn location(route: &Route, index: usize) -> Vec<String> {
    match &route.answer {
        Answer::Proxy { service, port, strip, websocket, headers } => {
            let end = if *strip { "/" } else { "" };
            let prefix = if *strip { route.path.trim_end_matches('/') } else { "" };
            let mut lines = vec![
                format!("proxy_pass http://{service}:{port}{end};"),
                "proxy_set_header Host $http_host;".to_owned(),
                "proxy_set_header X-Real-IP $remote_addr;".to_owned(),
                "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;".to_owned(),
                "proxy_set_header X-Forwarded-Host $forwarded_host;".to_owned(),
                "proxy_set_header X-Forwarded-Proto $forwarded_proto;".to_owned(),
                // Without a prefix of ours, nobody else's is passed on.
                format!("proxy_set_header X-Forwarded-Prefix \"{prefix}\";"),
            ];
            if *websocket {
                lines.push("proxy_set_header Upgrade $http_upgrade;".to_owned());
                lines.push("proxy_set_header Connection $connection_upgrade;".to_owned());
                lines.push("proxy_read_timeout 1h;".to_owned());
            } else {
                lines.push("proxy_set_header Connection \"\";".to_owned());
            }
            // A header of the route's own takes the place of ours: nginx would send both.
            lines.retain(|line| {
                let own = |(name, _): &(String, String)| {
                    line.to_lowercase().starts_with(&format!("proxy_set_header {} ", name.to_lowercase()))
                };
                !headers.iter().any(own)
            });
            let own = headers.iter().map(|(name, value)| format!("proxy_set_header {name} \"{value}\";"));
            lines.extend(own);
            lines
        }
        Answer::Files(_) | Answer::Explorer => {
            vec![format!("alias {}/;", folder(index)), "index index.html;".to_owned()]
        }
        Answer::Return { status, body, media_type } => {
            let body = body.as_ref().map(|body| format!(" \"{}\"", escaped(body))).unwrap_or_default();
            let mut lines = vec!["access_log off;".to_owned()];
            if !body.is_empty() {
                // Whatever the path ends with.
                lines.push("types { }".to_owned());
                lines.push(format!("default_type {media_type};"));
            }
            lines.push(format!("return {status}{body};"));
            lines
        }
        Answer::Redirect(to) => vec![format!("return 301 {to};")],
    }
}

/// A text between nginx's quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
