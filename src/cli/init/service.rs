//! What a component's service says in Compose beside `x-slipway`: ports, health, what starts it; and what
//! a person should know of what it says already.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::component::Maker;
use super::kind::family;
use super::plans::Plans;
use super::port;
use super::shell::{Question, question};
use super::start::{self, Program};
use super::write::{Value, quoted, scalar, words};
use crate::paths::in_folder;

impl Maker<'_> {
    pub(super) fn ports(&mut self) {
        if self.says("ports") || self.says("expose") || self.is_tool() {
            self.ports_unsaid();
            return;
        }
        if let Some(told) = &self.seen.told {
            if let Some(first) = told.expose.first() {
                let ports = told.expose.iter().map(|port| quoted(&port.value)).collect();
                let why = format!("EXPOSE, {}", self.line(first.line));
                self.component.service("expose", Value::List(ports), why);
                return;
            }
            if let Some((port, path)) = self.template_port() {
                self.component.service("expose", Value::List(vec![quoted(&port.to_string())]), path);
                return;
            }
            if ["static", "nginx"].contains(&self.recipe) && family(&told.runtime) == Some("nginx") {
                let port = if told.runtime.contains("unprivileged") { "8080" } else { "80" };
                let why = format!("the base image's, {}", self.line(told.runtime_line));
                self.component.service("expose", Value::List(vec![quoted(port)]), why);
                return;
            }
            let words = [&told.entrypoint, &told.command].into_iter().flatten();
            let said = words.map(|at| (at.line, start::port(&start::words(&at.value))));
            let said: Option<(usize, u16)> = said.into_iter().find_map(|(line, port)| Some((line, port?)));
            if let Some((line, port)) = said {
                let why = self.line(line);
                self.component.service("expose", Value::List(vec![quoted(&port.to_string())]), why);
                return;
            }
            let port = told.variable("PORT").filter(|port| port.parse::<u16>().is_ok()).map(str::to_owned);
            if let Some(port) = port {
                self.component.service("expose", Value::List(vec![quoted(&port)]), "ENV PORT");
                return;
            }
        }
        let program = Program { recipe: self.recipe, source: &self.source, tree: self.tree };
        let told = self.seen.told.is_some();
        let of_folder = || {
            let command = program.of_folder().command.filter(|_| !told)?;
            Some((start::port(&command.words)?, "as the command says".to_owned()))
        };
        let found = port::of_folder(self.tree, &self.source, self.recipe, self.seen.name);
        match of_folder().or(found) {
            Some((port, why)) => {
                self.component.service("expose", Value::List(vec![quoted(&port.to_string())]), why);
            }
            None => self.component.todo.push("expose: [\"PORT\"], if it listens on one".to_owned()),
        }
    }

    /// Ports of the Dockerfile of which Compose does not know.
    fn ports_unsaid(&mut self) {
        let said = |key: &str| self.seen.compose.and_then(|service| service.get(key)).map(Json::to_string);
        let said: String = ["ports", "expose"].into_iter().filter_map(said).collect();
        for at in self.seen.told.iter().flat_map(|told| &told.expose) {
            let number = at.value.split('/').next().unwrap_or_default();
            if !said.contains(number) {
                self.lost.push((at.line, format!("EXPOSE {}", at.value)));
            }
        }
    }

    /// The port on which the template of an ingress listens, if it is one.
    fn template_port(&self) -> Option<(u16, String)> {
        let template = self.component.own.iter().find(|entry| entry.key == "template")?;
        let Value::Text(path) = &template.value else { return None };
        let path = in_folder(&self.source, path);
        let text = self.tree.text(&path)?;
        let code = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let listens = code.flat_map(|line| line.split("listen ").skip(1));
        let ports =
            listens.filter_map(|port| port.split([';', ' ']).next()?.rsplit(':').next()?.parse().ok());
        let ports: BTreeSet<u16> = ports.collect();
        let only = ports.first().copied().filter(|_| ports.len() == 1)?;
        Some((only, format!("listen in {path}")))
    }

    fn exposes_only(&self, port: u16) -> bool {
        let expose = self.component.service.iter().find(|entry| entry.key == "expose");
        expose.is_some_and(|entry| entry.value == Value::List(vec![quoted(&port.to_string())]))
    }

    /// What the health check asks: Compose's own question counts before the Dockerfile's.
    pub(super) fn health(&mut self) {
        let told = self.seen.told.as_ref().and_then(|told| told.health.clone());
        let in_compose = self.seen.compose.and_then(|service| service.get("healthcheck"));
        let has_test =
            in_compose.is_some_and(|check| check.get("test").is_some() || check.get("disable").is_some());
        let found = match (&self.seen.asks, &told) {
            (Some(question), _) => Some((question.clone(), "healthcheck.test".to_owned())),
            (None, Some(health)) if !has_test => {
                Some((health.value.question.clone(), format!("HEALTHCHECK, {}", self.line(health.line))))
            }
            (None, None) if self.recipe == "static" && !has_test && self.exposes_something() => {
                let question =
                    Question { port: self.exposed().unwrap_or(8080), path: "/".to_owned(), tool: "wget" };
                Some((question, "a site has a page".to_owned()))
            }
            _ => None,
        };
        if let Some((question, why)) = found {
            let port = if self.exposes_only(question.port) {
                String::new()
            } else {
                format!(", port: {}", question.port)
            };
            let text = format!("{{ http: {}{port} }}", scalar(&question.path));
            self.component.own("contract", Value::Map(vec![("health".to_owned(), text)]), why);
        } else if has_test {
            // The check stays as it is, with the tool that it runs.
            let test =
                in_compose.and_then(|check| check.get("test")).map(Json::to_string).unwrap_or_default();
            let tool =
                ["curl", "wget", "pg_isready", "redis-cli"].into_iter().find(|tool| test.contains(tool));
            let listed = self.component.own.iter().any(|entry| {
                matches!(&entry.value, Value::List(names) if entry.key == "packages" && names.iter().any(|name| Some(name.as_str()) == tool))
            });
            if let (Some(tool), false) = (tool, listed) {
                self.component.todo.push(format!("the health check runs {tool}, which the image may not have; contract: {{ health: {{ http: /PATH }} }} asks without it"));
            }
        } else if !self.says("healthcheck") && !self.is_tool() {
            self.component
                .own_todo
                .push("contract: { health: { http: /PATH } }, if it answers one".to_owned());
        }
        let times =
            told.map(|health| (health.line, health.value.times)).filter(|(_, times)| !times.is_empty());
        match times {
            Some((line, times)) if !self.says("healthcheck") => {
                let times = times.into_iter().map(|(name, value)| (name, scalar_time(&value))).collect();
                self.component.service("healthcheck", Value::Map(times), self.line(line));
            }
            _ => {}
        }
    }

    fn exposes_something(&self) -> bool {
        self.exposed().is_some()
    }

    fn exposed(&self) -> Option<u16> {
        let expose = self.component.service.iter().find(|entry| entry.key == "expose")?;
        let Value::List(ports) = &expose.value else { return None };
        let [only] = ports.as_slice() else { return None };
        only.trim_matches('"').parse().ok()
    }

    /// What starts the program, where Compose does not say it and the recipe would not find it.
    pub(super) fn start(&mut self, plans: &Plans) {
        let seen = self.seen;
        if let Some(signal) = seen.told.as_ref().and_then(|told| told.stop_signal.clone())
            && !self.says("stop_signal")
            && !["static", "nginx"].contains(&self.recipe)
        {
            self.component.service("stop_signal", Value::Text(scalar(&signal.value)), self.line(signal.line));
        }
        let program = Program { recipe: self.recipe, source: &self.source, tree: self.tree };
        let found = match &seen.told {
            Some(told) => program.of_dockerfile(told),
            None => program.of_folder(),
        };
        for (line, what) in found.lost {
            self.lose(line, &what);
        }
        if let Some((folder, line)) = found.folder.filter(|_| !self.says("working_dir")) {
            let why = format!("COPY, {}", self.line(line));
            self.component.service("working_dir", Value::Text(scalar(&folder)), why);
        }
        let known = plans.command(&self.component, seen.compose);
        let said =
            [&found.entrypoint, &found.command].into_iter().flatten().flat_map(|start| start.words.clone());
        let said: Vec<String> = said.collect();
        if said.is_empty() || known.as_ref() == Some(&said) {
            return;
        }
        for (key, start) in [("entrypoint", found.entrypoint), ("command", found.command)] {
            if let Some(start) = start.filter(|_| !self.says(key)) {
                self.component.service(key, words(&start.words), start.why);
            }
        }
    }

    /// What a person should know of what Compose says.
    pub(super) fn remarks(&mut self) {
        let Some(service) = self.seen.compose else { return };
        let first = match service.get("command") {
            Some(Json::String(text)) => text.split_whitespace().next().map(str::to_owned),
            Some(Json::Array(words)) => words.first().and_then(Json::as_str).map(str::to_owned),
            _ => None,
        };
        let managers = [
            "npm",
            "npx",
            "yarn",
            "pnpm",
            "poetry",
            "uv",
            "pipenv",
            "mvn",
            "./mvnw",
            "./gradlew",
            "go",
            "cargo",
        ];
        if let Some(tool) = first.filter(|tool| managers.contains(&tool.as_str())) {
            self.component.todo.push(format!("the image has no {tool}: say what it would start"));
        }
        let workdir = self.seen.told.as_ref().map_or("/app", |told| told.workdir());
        let mounts: Vec<String> = service
            .get("volumes")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(|mount| {
                let (source, target) = match mount {
                    Json::String(text) => {
                        let mut parts = text.split(':');
                        (parts.next()?.to_owned(), parts.next()?.to_owned())
                    }
                    mount => {
                        (mount.get("source")?.as_str()?.to_owned(), mount.get("target")?.as_str()?.to_owned())
                    }
                };
                let target = target.trim_end_matches('/');
                let hides = source.starts_with('.')
                    && (target == "/app" || (target == workdir && !target.is_empty()));
                hides.then(|| format!("the volume {source}:{target} hides what the image has there"))
            })
            .collect();
        self.component.todo.extend(mounts);
    }
}

/// A time or a count, as Compose writes it.
fn scalar_time(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    if plain { text.to_owned() } else { quoted(text) }
}

/// The question of a health check in Compose.
pub(super) fn compose_question(service: &Json) -> Option<Question> {
    let test = service.get("healthcheck")?.get("test")?;
    let none = std::collections::BTreeMap::new();
    match test {
        Json::String(text) => question(text, &none),
        Json::Array(words) => {
            let words: Vec<&str> = words.iter().filter_map(Json::as_str).collect();
            match words.as_slice() {
                ["CMD-SHELL", text] => question(text, &none),
                ["CMD", words @ ..] => question(&words.join(" "), &none),
                _ => None,
            }
        }
        _ => None,
    }
}
