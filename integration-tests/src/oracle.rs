//! `docker compose config` as an oracle: what Compose and what we read from a file, reduced to
//! the keys that an image is made from, in the same words.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};
use slipway::spec::compose::Service;
use slipway::spec::values::{Pairs, Port, parse_duration};
use slipway::spec::{Located, Variables, services};

use crate::docker_in;

/// Services by name, each with the keys that we read.
pub type Services = BTreeMap<String, Value>;

/// Compose's reading of a file, or its error.
pub fn theirs(path: &Path, variables: &[(&str, &str)]) -> Result<Services, String> {
    let folder = path.parent().expect("a folder");
    let name = path.file_name().expect("a name").to_string_lossy();
    let said = docker_in(
        folder,
        variables,
        &["compose", "--env-file", "/dev/null", "-f", &name, "--profile", "*", "config", "--format", "json"],
    );
    if !said.ok {
        return Err(said.err);
    }
    // What Compose prints is a Compose file again: its dollars are escaped.
    let config: Value = serde_json::from_str(&said.out.replace("$$", "$")).expect("JSON");
    let services = config["services"].as_object().expect("services");
    Ok(services.iter().map(|(name, service)| (name.clone(), their_service(service, folder))).collect())
}

/// Our reading of a file, with those beside it, or our errors.
pub fn ours(path: &Path, variables: &[(&str, &str)]) -> Result<Services, String> {
    let folder = path.parent().expect("a folder");
    let name = path.file_name().expect("a name").to_string_lossy();
    let beside = fs::read_dir(folder).expect("a folder").flatten().filter(|entry| entry.path().is_file());
    let beside = beside
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).ok()))
        .collect();
    let variables: Variables =
        variables.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let read = services(&name, &fs::read(path).expect("the file"), &beside, &variables)
        .map_err(|problems| slipway::diagnostic::render_all(&problems, slipway::diagnostic::Style::Plain))?;
    Ok(read.iter().map(|(name, service)| (name.clone(), our_service(service, &variables))).collect())
}

/// Our reading, in the words of Compose's own.
fn our_service(service: &Service, variables: &Variables) -> Value {
    let mut found = Found::default();
    let text = |value: &Option<Located<String>>| value.as_ref().map(|value| json!(value.value));
    found.put("image", text(&service.image));
    found.put("user", text(&service.user));
    found.put("working_dir", text(&service.working_dir));
    found.put("stop_signal", text(&service.stop_signal));
    found.put("command", service.command.as_ref().map(|command| json!(command.words)));
    found.put("entrypoint", service.entrypoint.as_ref().map(|entrypoint| json!(entrypoint.words)));
    found.put("read_only", service.read_only.filter(|value| *value).map(|value| json!(value)));
    found.put("stop_grace_period", service.stop_grace_period.map(nanoseconds));
    found.put("expose", list(ports(&service.expose.0)));
    found.put("ports", list(ports(&service.ports.0)));
    found.put("tmpfs", list(service.tmpfs.0.iter().map(|path| path.value.clone()).collect()));
    found.put("volumes", list(service.volumes.0.iter().map(|target| target.value.clone()).collect()));
    if let Some(build) = &service.build {
        let context = build.context.as_ref().map_or(".", |context| context.value.as_str());
        found.put("build.context", Some(json!(relative(context))));
        let dockerfile = build.dockerfile.as_ref().map_or("Dockerfile", |file| file.value.as_str());
        found.put("build.dockerfile", Some(json!(dockerfile)));
        found.put("build.target", text(&build.target));
        found.put("build.args", pairs(&build.args, |name| variables.get(name).cloned()));
        found.put("build.labels", pairs(&build.labels, |_| Some(String::new())));
    }
    if let Some(check) = &service.healthcheck {
        found.put("healthcheck.test", check.test.as_ref().map(|test| json!(test.0)));
        found.put("healthcheck.interval", check.interval.map(nanoseconds));
        found.put("healthcheck.timeout", check.timeout.map(nanoseconds));
        found.put("healthcheck.start_period", check.start_period.map(nanoseconds));
        found.put("healthcheck.start_interval", check.start_interval.map(nanoseconds));
        found.put("healthcheck.retries", check.retries.map(|count| json!(count)));
        found.put("healthcheck.disable", check.disable.filter(|value| *value).map(|value| json!(value)));
    }
    Value::Object(found.0)
}

/// Compose's reading, reduced to the same keys.
fn their_service(service: &Value, folder: &Path) -> Value {
    let mut found = Found::default();
    for key in ["image", "user", "working_dir", "stop_signal", "command", "entrypoint", "read_only"] {
        found.put(key, service.get(key).cloned());
    }
    found.put("stop_grace_period", service.get("stop_grace_period").map(time));
    found.put(
        "expose",
        list(expand(service.get("expose"), |port| {
            port.as_str().map(|text| (text.to_owned(), "tcp".to_owned()))
        })),
    );
    found.put(
        "ports",
        list(expand(service.get("ports"), |port| {
            let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("tcp");
            Some((port.get("target")?.to_string(), protocol.to_owned()))
        })),
    );
    let tmpfs = service.get("tmpfs").and_then(Value::as_array);
    found.put(
        "tmpfs",
        list(tmpfs.into_iter().flatten().filter_map(|path| path.as_str().map(str::to_owned)).collect()),
    );
    let volumes = service.get("volumes").and_then(Value::as_array);
    let own = volumes.into_iter().flatten().filter(|volume| volume["type"] == "volume");
    found.put(
        "volumes",
        list(own.filter_map(|volume| volume["target"].as_str().map(str::to_owned)).collect()),
    );
    if let Some(build) = service.get("build") {
        let context = build.get("context").and_then(Value::as_str).unwrap_or(".");
        let inside = context.strip_prefix(&*folder.to_string_lossy()).unwrap_or(context);
        found.put("build.context", Some(json!(relative(inside.trim_start_matches('/')))));
        // An empty name is left for the builder to fill in.
        found.put("build.dockerfile", Some(build.get("dockerfile").cloned().unwrap_or(json!("Dockerfile"))));
        for key in ["target", "args", "labels"] {
            let value = build.get(key).filter(|value| value.as_object().is_none_or(|map| !map.is_empty()));
            found.put(&format!("build.{key}"), value.cloned());
        }
    }
    if let Some(check) = service.get("healthcheck") {
        for key in ["test", "retries", "disable"] {
            found.put(&format!("healthcheck.{key}"), check.get(key).cloned());
        }
        for key in ["interval", "timeout", "start_period", "start_interval"] {
            found.put(&format!("healthcheck.{key}"), check.get(key).map(time));
        }
    }
    Value::Object(found.0)
}

/// The keys that have a value.
#[derive(Default)]
struct Found(Map<String, Value>);

impl Found {
    fn put(&mut self, key: &str, value: Option<Value>) {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            self.0.insert(key.to_owned(), value);
        }
    }
}

fn nanoseconds(time: Duration) -> Value {
    json!(u64::try_from(time.as_nanos()).expect("less than centuries"))
}

/// Compose prints times in Go's form.
fn time(value: &Value) -> Value {
    let text = value.as_str().expect("a time");
    nanoseconds(parse_duration(text).unwrap_or_else(|| panic!("{text} is not Go's form")))
}

fn ports(ports: &[Port]) -> Vec<String> {
    ports.iter().map(Port::to_string).collect()
}

fn list(mut items: Vec<String>) -> Option<Value> {
    items.sort();
    items.dedup();
    (!items.is_empty()).then(|| json!(items))
}

/// What has no value gets the one of `fallback`, or is left out.
fn pairs(pairs: &Pairs, fallback: impl Fn(&str) -> Option<String>) -> Option<Value> {
    // Of several with one name, the last counts, even if it then has no value.
    let last: BTreeMap<&str, Option<String>> =
        pairs.0.iter().map(|(key, value)| (key.as_str(), value.clone().or_else(|| fallback(key)))).collect();
    let map: BTreeMap<&str, String> =
        last.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    (!map.is_empty()).then(|| json!(map))
}

/// `./x` and `x` are one folder.
fn relative(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    parts.join("/")
}

fn expand(ports: Option<&Value>, entry: impl Fn(&Value) -> Option<(String, String)>) -> Vec<String> {
    let mut all = Vec::new();
    for port in ports.and_then(Value::as_array).into_iter().flatten() {
        let (text, protocol) = entry(port).expect("a port");
        let (text, protocol) = match text.split_once('/') {
            Some((text, protocol)) => (text.to_owned(), protocol.to_owned()),
            None => (text, protocol),
        };
        let protocol = protocol.to_lowercase();
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        let number = |text: &str| text.parse::<u16>().unwrap_or_else(|_| panic!("{text} is no port"));
        all.extend((number(first)..=number(last)).map(|number| format!("{number}/{protocol}")));
    }
    all
}
