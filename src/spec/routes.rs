//! `routes`: the one contract of an ingress, from which its configuration, the snippet for a proxy
//! before it, the API explorer's catalog and the status checks come.

use super::load::Service;
use super::reader::{Located, Reader, record, short_or_mapping};
use super::running::Running;
use super::values::Pairs;
use crate::diagnostic::{Code, Diagnostic, Span, did_you_mean};

record! {
    /// A path of the ingress, and what answers there.
    closed "a route" struct RouteSpec {
        /// Whether the explorer of all APIs answers.
        explorer: Option<Located<bool>>,
        /// Further headers that the service gets.
        headers: Pairs,
        /// The path: with a slash at its end also everything below it, without one it alone.
        path: Located<String>,
        /// The service's port; by default the only one that it has.
        port: Option<Located<u32>>,
        /// Another address to go to.
        redirect: Option<Located<String>>,
        /// An answer without a service: a status, or a status with a body.
        answer as "return": Option<ReturnSpec>,
        /// The service that answers.
        service: Option<Located<String>>,
        /// A folder whose files answer, in the component's folder.
        files as "static": Option<Located<String>>,
        /// Whether the service gets the path without what this route matches.
        strip: Option<Located<bool>>,
        /// Whether connections may become websockets.
        websocket: Option<Located<bool>>,
    }
}

record! {
    /// An answer without a service.
    closed "`return`" struct ReturnMapping {
        /// The body.
        body: Option<Located<String>>,
        /// The status.
        status: Located<u32>,
        /// The body's media type; `text/plain` by default.
        media_type as "type": Option<Located<String>>,
    }
}

/// `return`: a status, or settings.
#[derive(Clone, Debug, PartialEq)]
pub struct ReturnSpec(ReturnMapping);

short_or_mapping!(ReturnSpec, ReturnMapping, status);

record! {
    /// The API that a component has, for the explorer.
    closed "`api`" struct ApiMapping {
        /// Its OpenAPI description, a file in the component's folder; with a slash before it, in the build
        /// context.
        openapi: Located<String>,
        /// Where the running service gives its own.
        path: Option<Located<String>>,
        /// What the explorer calls it; the service's name by default.
        title: Option<Located<String>>,
    }
}

/// `api`: the OpenAPI description, or settings.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiSpec(ApiMapping);

short_or_mapping!(ApiSpec, ApiMapping, openapi);

/// A path of an ingress, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The path; see [`Route::is_prefix`].
    pub path: String,
    /// What answers.
    pub answer: Answer,
    /// Where that is written.
    pub origin: Span,
}

/// What answers at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A service.
    Proxy {
        /// Its name.
        service: String,
        /// Its port.
        port: u16,
        /// Whether it gets the path without the route's.
        strip: bool,
        /// Whether connections may become websockets.
        websocket: bool,
        /// Further headers that it gets.
        headers: Vec<(String, String)>,
    },
    /// The files of a folder of the build context.
    Files(String),
    /// A fixed answer.
    Return {
        /// The status.
        status: u16,
        /// The body.
        body: Option<String>,
        /// The body's media type.
        media_type: String,
    },
    /// Another address.
    Redirect(String),
    /// The explorer of all APIs.
    Explorer,
}

impl Route {
    /// Whether it matches everything below its path as well.
    pub fn is_prefix(&self) -> bool {
        self.path.ends_with('/')
    }
}

/// An API that the explorer shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// The component.
    pub service: String,
    /// What it is called.
    pub title: String,
    /// Its OpenAPI description, in the build context.
    pub openapi: String,
    /// Where the running service gives its own, through the ingress.
    pub path: Option<String>,
    /// What its paths begin with at the ingress, without a slash at the end.
    pub base: String,
    /// Where it is written.
    pub origin: Span,
}

/// Puts names and ports together, once all services are known.
pub(super) fn resolve(components: &mut [Service], running: &[Running], reader: &mut Reader<'_>) {
    let all: Vec<(usize, Vec<Route>)> = components
        .iter()
        .enumerate()
        .filter(|(_, service)| !service.component.routes.is_empty())
        .map(|(index, service)| {
            reader.diagnostics.about(Some(&service.name.value));
            let mut routes: Vec<Route> = Vec::new();
            for spec in &service.component.routes {
                let Some(route) = route(spec, service, running, reader) else { continue };
                if routes.iter().any(|known| known.path == route.path) {
                    reader.bad_value(
                        &spec.path.span,
                        format!("the path `{}` has a route already", route.path),
                        None,
                    );
                    continue;
                }
                routes.push(route);
            }
            (index, routes)
        })
        .collect();
    reader.diagnostics.about(None);
    for (index, routes) in all {
        let apis = components.iter().filter_map(|component| api(component, &routes)).collect();
        let Some(service) = components.get_mut(index) else { continue };
        service.routes = routes;
        service.apis = apis;
    }
}

fn route(spec: &RouteSpec, ingress: &Service, running: &[Running], reader: &mut Reader<'_>) -> Option<Route> {
    let path = spec.path.value.clone();
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/-._~@:+,=%!*".contains(c);
    if !path.starts_with('/') || !path.chars().all(is_path) {
        let help = "it starts with a slash and has letters, digits and `-._~@:+,=%!*`";
        reader.bad_value(&spec.path.span, format!("`{path}` is no path of a route"), Some(help));
        return None;
    }
    let explores = spec.explorer.as_ref().is_some_and(|explorer| explorer.value);
    let given = [
        ("service", spec.service.as_ref().map(|key| &key.span)),
        ("static", spec.files.as_ref().map(|key| &key.span)),
        ("return", spec.answer.as_ref().map(|key| &key.span)),
        ("redirect", spec.redirect.as_ref().map(|key| &key.span)),
        ("explorer", spec.explorer.as_ref().filter(|_| explores).map(|key| &key.span)),
    ];
    let mut given = given.iter().filter_map(|(key, span)| Some((key, (*span)?)));
    let Some((first, _)) = given.next() else {
        let message = format!("nothing answers at `{path}`");
        let help = "give one of `service`, `static`, `return`, `redirect`, `explorer: true`";
        reader.report(Diagnostic::new(Code::MissingKey, message).at(&spec.span).help(help));
        return None;
    };
    if let Some((second, span)) = given.next() {
        reader.bad_value(span, format!("a route has one answer, not `{first}` and `{second}`"), None);
        return None;
    }
    let answer = if let Some(service) = &spec.service {
        proxy(spec, service, running, reader)?
    } else {
        if let Some(span) = only_of_services(spec) {
            reader.bad_value(span, "this belongs to a route with a `service`", None);
            return None;
        }
        still(spec, ingress, &path, reader)?
    };
    Some(Route { path, answer, origin: spec.path.span.clone() })
}

/// A key that says how a service is asked.
fn only_of_services(spec: &RouteSpec) -> Option<&Span> {
    let bools = [&spec.strip, &spec.websocket].into_iter().flatten().map(|key| &key.span).next();
    bools.or(spec.port.as_ref().map(|key| &key.span)).or(spec.headers.1.as_ref())
}

/// An answer without a service.
fn still(spec: &RouteSpec, ingress: &Service, path: &str, reader: &mut Reader<'_>) -> Option<Answer> {
    if let Some(folder) = &spec.files {
        if !path.ends_with('/') {
            reader.bad_value(&spec.path.span, "files lie below a path: it ends with a slash", None);
            return None;
        }
        let source = ingress.component.source.as_ref().map_or("", |source| source.value.as_str());
        let folder = folder.value.trim_matches('/');
        return Some(Answer::Files(crate::paths::in_folder(source.trim_matches('/'), folder)));
    }
    if let Some(to) = &spec.redirect {
        if to.value.contains(['"', '\\', ' ', ';', '\n', '{']) {
            reader.bad_value(&to.span, format!("`{}` is no address to go to", to.value), None);
            return None;
        }
        return Some(Answer::Redirect(to.value.clone()));
    }
    let Some(answer) = &spec.answer else {
        if !path.ends_with('/') {
            reader.bad_value(&spec.path.span, "the explorer's path ends with a slash", None);
            return None;
        }
        return Some(Answer::Explorer);
    };
    let status = u16::try_from(answer.status.value).ok().filter(|status| (200..600).contains(status));
    let Some(status) = status else {
        reader.bad_value(
            &answer.status.span,
            format!("`{}` is no status of an answer", answer.status.value),
            None,
        );
        return None;
    };
    if let Some(body) = answer.body.as_ref().filter(|body| body.value.contains('$')) {
        let help = "nginx would take it for a variable; `static` gives a file as it is";
        reader.bad_value(&body.span, "the body of an answer cannot hold a `$`", Some(help));
        return None;
    }
    let media_type = answer.media_type.as_ref().map_or("text/plain", |kind| kind.value.as_str()).to_owned();
    Some(Answer::Return { status, body: answer.body.as_ref().map(|body| body.value.clone()), media_type })
}

fn proxy(
    spec: &RouteSpec,
    service: &Located<String>,
    running: &[Running],
    reader: &mut Reader<'_>,
) -> Option<Answer> {
    let Some(known) = running.iter().find(|known| known.name.value == service.value) else {
        let names = running.iter().map(|known| known.name.value.as_str());
        let help = did_you_mean(&service.value, names).map(|meant| format!("did you mean `{meant}`?"));
        reader.report(
            Diagnostic::new(Code::Value, format!("there is no service `{}`", service.value))
                .at(&service.span)
                .help_if(help),
        );
        return None;
    };
    let tcp: Vec<u16> =
        known.ports.iter().filter(|port| port.protocol == "tcp").map(|port| port.number).collect();
    let port = match (&spec.port, tcp.as_slice()) {
        (Some(port), _) => {
            let Some(number) = u16::try_from(port.value).ok().filter(|number| *number > 0) else {
                reader.bad_value(&port.span, format!("`{}` is no port", port.value), None);
                return None;
            };
            number
        }
        (None, [only]) => *only,
        (None, ports) => {
            let message = if ports.is_empty() {
                format!("`{}` exposes no port", service.value)
            } else {
                format!("`{}` exposes {} ports", service.value, ports.len())
            };
            reader.bad_value(&service.span, message, Some("say which one answers: `port`"));
            return None;
        }
    };
    let mut headers = Vec::new();
    for (name, value) in spec.headers.with_values() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(is_name) || value.contains(['"', '\\', '\n']) {
            let place = spec.headers.1.as_ref().unwrap_or(&spec.span);
            reader.bad_value(place, format!("`{name}: {value}` is no header"), None);
            return None;
        }
        headers.push((name.to_owned(), value.to_owned()));
    }
    let is = |key: &Option<Located<bool>>| key.as_ref().is_some_and(|key| key.value);
    if let Some(strip) = spec.strip.as_ref().filter(|strip| strip.value && !spec.path.value.ends_with('/')) {
        reader.bad_value(&strip.span, "only a path with a slash at its end can be stripped", None);
        return None;
    }
    Some(Answer::Proxy {
        service: service.value.clone(),
        port,
        strip: is(&spec.strip),
        websocket: is(&spec.websocket),
        headers,
    })
}

/// A component's API as these routes lead to it; none if it declares none, or no route leads to it.
pub fn api(component: &Service, routes: &[Route]) -> Option<Api> {
    let api = component.component.api.as_ref()?;
    let name = &component.name.value;
    let base = routes.iter().find_map(|route| match &route.answer {
        Answer::Proxy { service, strip, .. } if service == name => {
            Some(if *strip { route.path.trim_end_matches('/').to_owned() } else { String::new() })
        }
        _ => None,
    })?;
    let source = component.component.source.as_ref().map_or("", |source| source.value.as_str());
    let openapi = match api.openapi.value.strip_prefix('/') {
        Some(path) => path.to_owned(),
        None => crate::paths::in_folder(source.trim_matches('/'), &api.openapi.value),
    };
    let path = api.path.as_ref().map(|path| format!("{base}{}", path.value));
    let title = api.title.as_ref().map_or(name, |title| &title.value).clone();
    Some(Api { service: name.clone(), title, openapi, path, base, origin: api.openapi.span.clone() })
}
