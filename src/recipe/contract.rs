//! From what the spec promises, in `contract` and in Compose's own keys, to the plan's contract.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Request;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span, did_you_mean};
use crate::plan::contract::{Beside, Call, Contract, Promise, Question, Rule, Stop, Tools};
use crate::plan::{Archetype, Image};
use crate::spec::contract::{Contract as Written, HealthContract, RunContract, WithSpec};
use crate::spec::running::stand_in;
use crate::spec::values::{OneOrMany, Pairs};

/// Within how much time a service is well unless the spec says otherwise.
const WELL_WITHIN: Duration = Duration::from_secs(30);
/// Compose's own time between the signal and the end.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// The time of a call that ends by itself.
const CALL_WITHIN: Duration = Duration::from_mins(1);

/// The contract of a component whose image declares this.
pub(super) fn contract(request: &Request<'_>, image: &Image, problems: &mut Diagnostics) -> Contract {
    let service = request.service;
    let written = service.component.contract.as_ref();
    let origin = written.map_or(&service.extension, |contract| &contract.span).clone();
    let mut making = Making { problems, origins: BTreeMap::new(), names: BTreeMap::new() };
    let mut promise = compose(request, image, &mut making);
    if let Some(written) = written {
        making.written(written, request.archetype, &mut promise);
    }
    if promise.runs.is_empty() && request.archetype == Archetype::Job {
        promise.runs.push(Call { within: CALL_WITHIN, ..Call::default() });
    }
    promise.secrets.extend(promise.required.iter().cloned());
    let with = written.map_or_else(Vec::new, |written| written.with.iter().map(beside).collect());
    Contract { promise, with, origins: making.origins, names: making.names, origin }
}

fn beside(with: &WithSpec) -> Beside {
    let env = with.env.with_values().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Beside { service: with.service.value.clone(), env, origin: with.service.span.clone() }
}

/// What Compose's keys and the image promise.
fn compose(request: &Request<'_>, image: &Image, making: &mut Making<'_>) -> Promise {
    let service = request.service;
    let compose = &service.compose;
    for (rule, span) in [
        (Rule::Health, compose.healthcheck.as_ref().map(|check| &check.span)),
        (Rule::Start, compose.healthcheck.as_ref().map(|check| &check.span)),
        (Rule::ReadOnly, service.running.read_only.as_ref()),
        (Rule::User, compose.user.as_ref().map(|user| &user.span)),
        (Rule::User, service.component.user.as_ref().map(|user| &user.span)),
        (Rule::Stop, compose.stop_signal.as_ref().map(|signal| &signal.span)),
        (Rule::Files, compose.working_dir.as_ref().map(|path| &path.span)),
    ] {
        making.origins.extend(span.map(|span| (rule, span.clone())));
    }
    let ports: BTreeSet<u16> =
        image.ports.iter().flatten().filter(|port| port.protocol == "tcp").map(|port| port.number).collect();
    let mut promise = Promise {
        serves: request.archetype == Archetype::Service,
        health: question(request, image, &ports),
        well_within: WELL_WITHIN,
        ports,
        read_only: true,
        no_new_privileges: service.running.no_new_privileges,
        stop: Stop {
            within: compose.stop_grace_period.unwrap_or(STOP_WITHIN),
            exit: BTreeSet::from([0]),
            in_flight: None,
        },
        forbidden_tools: BTreeSet::from([Tools::Compilers, Tools::PackageManagers]),
        ..Promise::default()
    };
    for entry in &compose.tmpfs.0 {
        let path = entry.value.split(':').next().unwrap_or_default();
        promise.tmpfs.insert(path.to_owned());
    }
    promise.volumes.extend(compose.volumes.0.iter().map(|volume| volume.value.clone()));
    for setting in &service.running.environment {
        if setting.is_required() {
            promise.required.insert(setting.name.clone());
            making.names.insert((Rule::Variables, setting.name.clone()), setting.span.clone());
        }
        promise.env.insert(setting.name.clone(), setting.filled.clone());
    }
    promise
}

/// How to tell that it works: as the contract says, as the health check does, by its only port.
fn question(request: &Request<'_>, image: &Image, ports: &BTreeSet<u16>) -> Option<Question> {
    let contract = request.service.component.contract.as_ref().and_then(|contract| contract.health.as_ref());
    let text =
        |located: &Option<crate::spec::Located<String>>| located.as_ref().map(|text| text.value.clone());
    if let Some(HealthContract { http, tcp, port, status, contains, command, .. }) = contract
        // A time alone leaves the question as it is.
        && (http.is_some() || tcp.is_some() || command.is_some())
    {
        return match (http, tcp, command) {
            (Some(path), ..) => {
                let given = port.as_ref().map(|port| port.value.text.clone());
                let port = given.or_else(|| request.only_port().map(|port| port.to_string()))?;
                Some(Question::Http {
                    port,
                    path: path.value.clone(),
                    status: text(status),
                    contains: text(contains),
                })
            }
            (_, Some(port), _) => Some(Question::Tcp { port: port.value.text.clone() }),
            (_, _, Some(command)) => Some(Question::Command(command.words.clone())),
            _ => None,
        };
    }
    let test = image.health.as_ref().map(|health| health.test.as_slice());
    match test {
        Some([kind, words @ ..]) if kind == "CMD" => Some(Question::Command(words.to_vec())),
        Some([kind, text]) if kind == "CMD-SHELL" => {
            Some(Question::Command(vec!["/bin/sh".to_owned(), "-c".to_owned(), text.clone()]))
        }
        _ => ports.first().map(|port| Question::Tcp { port: port.to_string() }),
    }
}

/// A contract in the making.
struct Making<'a> {
    problems: &'a mut Diagnostics,
    origins: BTreeMap<Rule, Span>,
    names: BTreeMap<(Rule, String), Span>,
}

impl Making<'_> {
    /// Lays what is written over what is known.
    fn written(&mut self, written: &Written, archetype: Archetype, promise: &mut Promise) {
        let texts = |list: &OneOrMany| list.0.iter().map(|item| item.value.clone()).collect::<Vec<_>>();
        self.first_place(Rule::Files, &written.exists);
        promise.exists.extend(texts(&written.exists));
        promise.allow.extend(texts(&written.allow));
        for path in written.exists.0.iter().chain(&written.writable.0) {
            if !path.value.starts_with('/') {
                self.wrong(
                    format!("`{}` is no path in the image", path.value),
                    &path.span,
                    "start it with `/`",
                );
            }
        }
        for path in &written.writable.0 {
            let parts = crate::paths::rooted(&path.value);
            let own = [
                "proc",
                "sys",
                "dev",
                ".slipway",
                ".slipway-in",
                ".slipway-out",
                ".slipway-beside",
                ".slipway-volumes",
            ];
            if parts.first().is_none_or(|first| own.contains(first)) {
                self.wrong(
                    format!("`{}` cannot be a folder of its own", path.value),
                    &path.span,
                    "name the folders below it that are written to",
                );
            }
        }
        promise.tmpfs.extend(texts(&written.writable));
        promise.secrets.extend(texts(&written.secrets));
        self.first_place(Rule::Secrets, &written.secrets);
        for name in &written.required.0 {
            self.names.insert((Rule::Variables, name.value.clone()), name.span.clone());
            promise.required.insert(name.value.clone());
            promise.env.entry(name.value.clone()).or_insert_with(|| stand_in(&name.value));
        }
        self.pairs(Rule::Defaults, &written.optional);
        for (name, value) in &written.optional.0 {
            promise.optional.insert(name.clone(), value.clone());
            promise.env.remove(name);
        }
        for (name, value) in &written.env.0 {
            match value {
                Some(value) => promise.env.insert(name.clone(), value.clone()),
                None => promise.env.remove(name),
            };
        }
        if let Some(root) = &written.root {
            promise.may_be_root = root.value;
            self.origins.insert(Rule::User, root.span.clone());
        }
        if let Some(read_only) = &written.read_only {
            promise.read_only = read_only.value;
            self.origins.insert(Rule::ReadOnly, read_only.span.clone());
        }
        if let Some(health) = &written.health {
            self.origins.insert(Rule::Health, health.span.clone());
            self.origins.insert(Rule::Start, health.span.clone());
            promise.well_within = health.within.unwrap_or(promise.well_within);
        }
        if let Some(size) = &written.size {
            let limit = |size: &crate::spec::Located<crate::spec::values::Bytes>| size.value.0;
            promise.size = size.uncompressed.as_ref().map(limit);
            promise.compressed_size = size.compressed.as_ref().map(limit);
            let places = [(Rule::Size, &size.uncompressed), (Rule::CompressedSize, &size.compressed)];
            self.origins.extend(
                places.into_iter().filter_map(|(rule, size)| Some((rule, size.as_ref()?.span.clone()))),
            );
        }
        if let Some(logs) = &written.logs {
            promise.stdout = logs.stdout.as_ref().map(|text| text.value.clone());
            promise.stderr = logs.stderr.as_ref().map(|text| text.value.clone());
            self.origins.insert(Rule::Logs, logs.span.clone());
        }
        self.stop(written, promise);
        self.forbid(written, promise);
        for (number, run) in written.runs.iter().enumerate() {
            self.names.insert((Rule::Runs, number.to_string()), run.span.clone());
            let call = self.call(run);
            promise.runs.push(call);
        }
        if archetype == Archetype::Library {
            self.wrong(
                "a library has no image to promise anything of".to_owned(),
                &written.span,
                "remove it",
            );
        }
    }

    fn stop(&mut self, written: &Written, promise: &mut Promise) {
        let Some(stop) = &written.stop else { return };
        self.origins.insert(Rule::Stop, stop.span.clone());
        self.origins
            .insert(Rule::InFlight, stop.in_flight.as_ref().map_or(&stop.span, |path| &path.span).clone());
        promise.stop.in_flight = stop.in_flight.as_ref().map(|path| path.value.clone());
        if let Some(path) = stop.in_flight.as_ref().filter(|path| !path.value.starts_with('/')) {
            self.wrong(
                format!("`{}` is no path", path.value),
                &path.span,
                "write the path alone, such as `/slow`",
            );
        }
        if let Some(path) = &stop.in_flight
            && !matches!(promise.health, Some(Question::Http { .. }))
        {
            self.wrong(
                "which port answers `in_flight` is not clear".to_owned(),
                &path.span,
                "let `health` ask over `http`",
            );
        }
        if !stop.exit.0.is_empty() {
            promise.stop.exit.clear();
        }
        for exit in &stop.exit.0 {
            match exit.value.parse::<u8>() {
                Ok(status) => {
                    promise.stop.exit.insert(i32::from(status));
                }
                Err(_) => {
                    self.wrong(
                        format!("`{}` is no exit status", exit.value),
                        &exit.span,
                        "a number from 0 to 255",
                    );
                }
            }
        }
    }

    fn forbid(&mut self, written: &Written, promise: &mut Promise) {
        let Some(forbid) = &written.forbid else { return };
        let texts = |list: &OneOrMany| list.0.iter().map(|item| item.value.clone()).collect::<Vec<_>>();
        for (rule, list) in [
            (Rule::ForbiddenFiles, &forbid.files),
            (Rule::Packages, &forbid.packages),
            (Rule::Tools, &forbid.tools),
            (Rule::Urls, &forbid.urls),
        ] {
            self.first_place(rule, list);
        }
        promise.forbidden_files = texts(&forbid.files);
        promise.forbidden_packages = texts(&forbid.packages);
        promise.forbidden_urls.extend(texts(&forbid.urls));
        if let Some(url) = forbid.urls.0.iter().find(|url| !url.value.starts_with('/')) {
            self.wrong(
                format!("`{}` is no path", url.value),
                &url.span,
                "write the path alone, such as `/@vite/client`",
            );
        }
        if !forbid.tools.0.is_empty() {
            promise.forbidden_tools.clear();
        }
        for word in forbid.tools.0.iter().filter(|word| word.value != "none") {
            match Tools::ALL.iter().find(|(name, _)| *name == word.value) {
                Some((_, tools)) => {
                    promise.forbidden_tools.insert(*tools);
                }
                None => {
                    let names = Tools::ALL.map(|(name, _)| name);
                    let help = match did_you_mean(&word.value, names) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => format!("{}, or none", names.join(", ")),
                    };
                    self.wrong(format!("there is no kind of tools `{}`", word.value), &word.span, &help);
                }
            }
        }
    }

    fn call(&mut self, run: &RunContract) -> Call {
        let exit = run.exit.as_ref().map_or(0, |exit| {
            if exit.value > 255 {
                self.wrong(
                    format!("`{}` is no exit status", exit.value),
                    &exit.span,
                    "a number from 0 to 255",
                );
            }
            i32::try_from(exit.value).unwrap_or_default()
        });
        Call {
            args: run.args.as_ref().map(|args| args.words.clone()),
            env: run.env.with_values().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            exit,
            prints: run.prints.as_ref().map(|text| text.value.clone()),
            twice: run.twice.as_ref().is_some_and(|twice| twice.value),
            within: run.within.unwrap_or(CALL_WITHIN),
        }
    }

    fn first_place(&mut self, rule: Rule, list: &OneOrMany) {
        self.origins.extend(list.0.first().map(|first| (rule, first.span.clone())));
        self.names.extend(list.0.iter().map(|item| ((rule, item.value.clone()), item.span.clone())));
    }

    fn pairs(&mut self, rule: Rule, pairs: &Pairs) {
        self.origins.extend(pairs.1.iter().map(|span| (rule, span.clone())));
    }

    fn wrong(&mut self, message: String, span: &Span, help: &str) {
        self.problems.push(Diagnostic::new(Code::Value, message).at(span).help(help));
    }
}
