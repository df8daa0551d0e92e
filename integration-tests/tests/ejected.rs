//! The way out: each component as a Dockerfile, which BuildKit's own Dockerfile frontend builds. It gives the
//! same files (path, kind, mode, owner, content) and the same configuration as the native build; so it
//! is also an independent judge of the graph.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use integration_tests::traderx::{SPEC, WITHOUT_NET, checkout};
use integration_tests::{Project, config, docker, docker_in};
use serde_json::Value;

/// Everything that an image's file system holds: kind, mode, owner, link, length and a hash.
fn contents(image: &str) -> BTreeMap<String, String> {
    use std::hash::{DefaultHasher, Hasher};
    use std::io::Read;
    let name = docker(&["create", image, "true"]).expect_ok().out.trim().to_owned();
    let mut export =
        Command::new("docker").args(["export", &name]).stdout(Stdio::piped()).spawn().expect("docker");
    let mut archive = tar::Archive::new(export.stdout.take().expect("a pipe"));
    let mut found = BTreeMap::new();
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").to_string_lossy().trim_end_matches('/').to_owned();
        let header = entry.header().clone();
        let link = entry.link_name().expect("a link").map(|link| link.to_string_lossy().into_owned());
        let mut hash = DefaultHasher::new();
        let mut piece = [0; 8192];
        let mut length = 0;
        while let Ok(read @ 1..) = entry.read(&mut piece) {
            hash.write(&piece[..read]);
            length += read;
        }
        let (mode, uid, gid) =
            (header.mode().unwrap_or(0), header.uid().unwrap_or(0), header.gid().unwrap_or(0));
        let kind = header.entry_type();
        let link = link.unwrap_or_default();
        found.insert(path, format!("{kind:?} {mode:o} {uid}:{gid} {link} {length} {:x}", hash.finish()));
    }
    assert!(export.wait().expect("it ends").success());
    docker(&["rm", &name]).expect_ok();
    // Differs from one start of a Python to the next, though it means the same.
    found.retain(|path, _| !path.ends_with(".pyc"));
    // Maven, Gradle and jar write the time into what they pack: of that, all but the bytes is compared.
    for (path, what) in &mut found {
        if path.ends_with("app.jar") || path.ends_with("service.jar") {
            what.truncate(what.rfind(' ').unwrap_or(what.len()));
        }
    }
    found
}

/// A configuration without what a Dockerfile cannot take away from a base: its labels and ports.
fn comparable(image: &str, native: &Value) -> Value {
    let mut config = config(image);
    for key in ["Labels", "ExposedPorts"] {
        let own: serde_json::Map<String, Value> = native[key].as_object().cloned().unwrap_or_default();
        if let Some(all) = config[key].as_object_mut() {
            all.retain(|name, _| own.contains_key(name));
        }
        if config[key].is_null() || config[key].as_object().is_some_and(serde_json::Map::is_empty) {
            config.as_object_mut().expect("an object").remove(key);
        }
    }
    // The Dockerfile frontend sets it for what Windows once needed; it says nothing here.
    config.as_object_mut().expect("an object").remove("ArgsEscaped");
    // Likewise a working directory that is the root, which it is without a word.
    if config["WorkingDir"] == "/" {
        config.as_object_mut().expect("an object").remove("WorkingDir");
    }
    // The order of variables means nothing; a Dockerfile on nothing begins with PATH.
    if let Some(env) = config["Env"].as_array_mut() {
        env.sort_by_key(ToString::to_string);
    }
    for key in ["Entrypoint", "Cmd"] {
        if config[key].is_null() || config[key].as_array().is_some_and(Vec::is_empty) {
            config.as_object_mut().expect("an object").remove(key);
        }
    }
    config
}

/// Builds components both ways and compares.
fn is_equal(project: &Project, spec: &str, args: &[&str], components: &[&str]) {
    let eject = [args, &["--target", ":dockerfiles", "--output", "."]].concat();
    project.build(spec, &eject).expect_ok();
    for component in components {
        let (native, ejected) =
            (format!("ejected/{component}:native"), format!("ejected/{component}:dockerfile"));
        project.build(spec, &[args, &["--target", component, "-t", &native]].concat()).expect_ok();
        let file = format!("{component}/Dockerfile.compose");
        let said = docker_in(
            project.path(),
            &[],
            &["buildx", "build", "--progress=plain", "--provenance=false", "-f", &file, "-t", &ejected, "."],
        );
        assert!(said.ok, "{component}: {}\n{}", said.err, project.read(&file));
        let lint = Command::new("hadolint").arg(&file).current_dir(project.path()).output();
        let lint = lint.expect("hadolint is installed: integration-tests/run.sh sees to it");
        assert!(lint.status.success(), "{component}: {}", String::from_utf8_lossy(&lint.stdout));
        let (left, right) = (contents(&native), contents(&ejected));
        let differences: Vec<String> = left
            .keys()
            .chain(right.keys())
            .filter(|path| left.get(*path) != right.get(*path))
            .map(|path| format!("{path}: native {:?}, ejected {:?}", left.get(path), right.get(path)))
            .collect();
        assert!(
            differences.is_empty(),
            "{component}, {} differences:\n{}\n{}",
            differences.len(),
            differences[..differences.len().min(20)].join("\n"),
            project.read(&file)
        );
        assert!(left.len() > 3, "{component} holds something");
        let native_config = config(&native);
        assert_eq!(comparable(&ejected, &native_config), comparable(&native, &native_config), "{component}");
        docker(&["image", "rm", &native, &ejected]);
    }
}

#[test]
fn market() {
    let project = Project::copy_of("specs/market");
    is_equal(&project, "market.spec.yaml", &[], &["orders", "feed", "web", "ingress"]);
}

/// Workspaces, with a Python beside Node in one of them.
#[test]
fn jts() {
    let project = Project::copy_of("specs/jts");
    is_equal(&project, "jts.spec.yaml", &[], &["strategy-engine"]);
}

#[test]
fn rtm() {
    let project = Project::copy_of("specs/rtm");
    is_equal(&project, "rtm.spec.yaml", &[], &["api", "worker", "frontend"]);
}

#[test]
fn bun() {
    let project = Project::copy_of("specs/bun");
    is_equal(&project, "bun.spec.yaml", &[], &["web-service", "cli-tool", "data-pipeline"]);
}

#[test]
fn reactbin() {
    let project = Project::copy_of("specs/reactbin");
    is_equal(&project, "reactbin.spec.yaml", &["--build-arg", "PYTHON_VERSION=3.11"], &["api"]);
}

/// Hand-written stages, Gradle's wrapper, an ingress from routes. (Its .NET cannot be built here.)
#[test]
fn traderx() {
    let components = ["database", "account-service", "reference-data", "web-front-end-angular", "ingress"];
    is_equal(&checkout(), SPEC, &WITHOUT_NET, &components);
}

/// The recipes that no system shows.
#[test]
fn recipes() {
    let project = Project::copy_of("integration-tests/fixtures");
    let components = [
        "go-hello",
        "rust-hello",
        "java-linked",
        "pnpm-hello",
        "yarn-classic-hello",
        "yarn-berry-hello",
        "poetry-hello",
    ];
    is_equal(&project, "fixtures.spec.yaml", &[], &components);
}
