//! `docker compose config` is the oracle: what we read from a Compose file must be what Compose
//! reads, for every key that an image is made from.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use integration_tests::{docker_in, repository};
use serde_json::{Value, json};
use slipway::spec::compose::Service;
use slipway::spec::values::{Pairs, Port};
use slipway::spec::{Variables, services};

const VARIABLES: &[(&str, &str)] = &[("TEAM", "blue"), ("EMPTY", ""), ("NODE_VERSION", "22")];

/// Our reading, in the words of Compose's own.
fn ours(service: &Service) -> Value {
    let mut result = serde_json::Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            result.insert(key.to_owned(), value);
        }
    };
    let text =
        |value: &Option<slipway::spec::Located<String>>| value.as_ref().map(|value| json!(value.value));
    put("image", text(&service.image));
    put("user", text(&service.user));
    put("working_dir", text(&service.working_dir));
    put("stop_signal", text(&service.stop_signal));
    put("command", service.command.as_ref().map(|command| json!(command.words)));
    put("entrypoint", service.entrypoint.as_ref().map(|entrypoint| json!(entrypoint.words)));
    put("read_only", service.read_only.filter(|value| *value).map(|value| json!(value)));
    put("stop_grace_period", service.stop_grace_period.map(|time| json!(seconds(time))));
    put("expose", list(ports(&service.expose.0)));
    put("ports", list(ports(&service.ports.0)));
    put("tmpfs", list(service.tmpfs.0.iter().map(|path| path.value.clone()).collect()));
    put("volumes", list(service.volumes.0.iter().map(|target| target.value.clone()).collect()));
    if let Some(build) = &service.build {
        let dockerfile = build.dockerfile.as_ref().map_or("Dockerfile", |file| file.value.as_str());
        put("build.dockerfile", Some(json!(dockerfile)));
        put("build.target", text(&build.target));
        put("build.args", pairs(&build.args));
        put("build.labels", pairs(&build.labels));
    }
    if let Some(check) = &service.healthcheck {
        put("healthcheck.test", check.test.as_ref().map(|test| json!(test.0)));
        put("healthcheck.interval", check.interval.map(|time| json!(seconds(time))));
        put("healthcheck.timeout", check.timeout.map(|time| json!(seconds(time))));
        put("healthcheck.start_period", check.start_period.map(|time| json!(seconds(time))));
        put("healthcheck.start_interval", check.start_interval.map(|time| json!(seconds(time))));
        put("healthcheck.retries", check.retries.map(|count| json!(count)));
        put("healthcheck.disable", check.disable.filter(|value| *value).map(|value| json!(value)));
    }
    Value::Object(result)
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

fn ports(ports: &[Port]) -> Vec<String> {
    ports.iter().map(Port::to_string).collect()
}

fn list(mut items: Vec<String>) -> Option<Value> {
    items.sort();
    (!items.is_empty()).then(|| json!(items))
}

fn pairs(pairs: &Pairs) -> Option<Value> {
    let map: BTreeMap<&str, Option<&str>> =
        pairs.0.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
    (!map.is_empty()).then(|| json!(map))
}

/// Compose's reading, reduced to the same keys.
fn theirs(service: &Value) -> Value {
    let mut result = serde_json::Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            result.insert(key.to_owned(), value);
        }
    };
    for key in ["image", "user", "working_dir", "stop_signal", "command", "entrypoint", "read_only"] {
        put(key, service.get(key).cloned());
    }
    put("stop_grace_period", service.get("stop_grace_period").map(time));
    put(
        "expose",
        list(expand(service.get("expose"), |port| {
            port.as_str().map(|text| (text.to_owned(), "tcp".to_owned()))
        })),
    );
    put(
        "ports",
        list(expand(service.get("ports"), |port| {
            let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("tcp");
            Some((port.get("target")?.to_string(), protocol.to_owned()))
        })),
    );
    let tmpfs = service.get("tmpfs").and_then(Value::as_array);
    put(
        "tmpfs",
        list(tmpfs.into_iter().flatten().filter_map(|path| path.as_str().map(str::to_owned)).collect()),
    );
    let volumes = service.get("volumes").and_then(Value::as_array);
    let own = volumes.into_iter().flatten().filter(|volume| volume["type"] == "volume");
    put("volumes", list(own.filter_map(|volume| volume["target"].as_str().map(str::to_owned)).collect()));
    if let Some(build) = service.get("build") {
        for key in ["dockerfile", "target", "args", "labels"] {
            put(&format!("build.{key}"), build.get(key).cloned());
        }
    }
    if let Some(check) = service.get("healthcheck") {
        for key in ["test", "retries", "disable"] {
            put(&format!("healthcheck.{key}"), check.get(key).cloned());
        }
        for key in ["interval", "timeout", "start_period", "start_interval"] {
            put(&format!("healthcheck.{key}"), check.get(key).map(time));
        }
    }
    Value::Object(result)
}

/// Compose prints times in Go's form.
fn time(value: &Value) -> Value {
    let text = value.as_str().expect("a time");
    json!(seconds(slipway::spec::values::parse_duration(text).expect("Go's form")))
}

fn expand(ports: Option<&Value>, entry: impl Fn(&Value) -> Option<(String, String)>) -> Vec<String> {
    let mut all = Vec::new();
    for port in ports.and_then(Value::as_array).into_iter().flatten() {
        let (text, protocol) = entry(port).expect("a port");
        let (text, protocol) = match text.split_once('/') {
            Some((text, protocol)) => (text.to_owned(), protocol.to_owned()),
            None => (text, protocol),
        };
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        let (first, last): (u16, u16) = (first.parse().expect("a number"), last.parse().expect("a number"));
        all.extend((first..=last).map(|number| format!("{number}/{protocol}")));
    }
    all.sort();
    all.dedup();
    all
}

/// Reads a file with both, and compares. Gives the number of services.
fn compare(path: &Path) -> usize {
    let folder = path.parent().expect("a folder");
    let name = path.file_name().expect("a name").to_string_lossy();
    let said = docker_in(
        folder,
        VARIABLES,
        &["compose", "--env-file", "/dev/null", "-f", &name, "--profile", "*", "config", "--format", "json"],
    );
    // What Compose prints is a Compose file again: its dollars are escaped.
    let oracle: Value = serde_json::from_str(&said.expect_ok().out.replace("$$", "$")).expect("JSON");
    let beside = fs::read_dir(folder).expect("a folder").flatten().filter(|entry| entry.path().is_file());
    let beside = beside
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).ok()))
        .collect();
    let variables: Variables =
        VARIABLES.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let bytes = fs::read(path).expect("the file");
    let read = services(&name, &bytes, &beside, &variables).unwrap_or_else(|problems| {
        panic!("{}", slipway::diagnostic::render_all(&problems, slipway::diagnostic::Style::Plain))
    });
    let services = oracle["services"].as_object().expect("services");
    assert_eq!(read.keys().collect::<Vec<_>>(), services.keys().collect::<Vec<_>>(), "{name}");
    for (service, theirs_read) in services {
        assert_eq!(
            ours(&read[service]),
            theirs(theirs_read),
            "{name}: {service} (ours left, Compose's right)"
        );
    }
    services.len()
}

#[test]
fn our_corpus() {
    let folder = repository().join("integration-tests/compose");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("the corpus").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let services: usize = files.iter().map(|file| compare(file)).sum();
    assert!(services >= 15, "the corpus has shrunk to {services} services");
}

#[test]
fn our_specs() {
    assert_eq!(compare(&repository().join("specs/market/market.spec.yaml")), 4);
    assert_eq!(compare(&repository().join("specs/traderx/traderx.spec.yaml")), 10);
}
