//! What is built again and what is not, from BuildKit's own progress output.

#![allow(clippy::expect_used, clippy::panic)]

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use integration_tests::{Project, docker, docker_in, vertex_state};

const SPEC: &str = "market.spec.yaml";
/// One at a time: builds that run together share their vertices, and one of these tests ignores
/// the cache that another one watches.
static CACHE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}

const INSTALL: &str = "[orders deps] npm ci";
const INSTALL_PRODUCTION: &str = "[orders prod-deps] npm ci --omit=dev";
const BUILD: &str = "[orders build] npm run build";

fn states(project: &Project) -> [Option<String>; 3] {
    let said = project.build(SPEC, &["--target", "orders"]).expect_ok();
    [INSTALL, INSTALL_PRODUCTION, BUILD].map(|name| vertex_state(&said.err, name))
}

fn owned(states: [&str; 3]) -> [Option<String>; 3] {
    states.map(|state| Some(state.to_owned()))
}

#[test]
fn dependencies_depend_on_manifests_alone() {
    let _alone = alone();
    let project = Project::copy_of("specs/market");
    states(&project);
    assert_eq!(states(&project), owned(["CACHED", "CACHED", "CACHED"]), "nothing changed");

    project.touch("orders/src/book.ts", "//");
    assert_eq!(states(&project), owned(["CACHED", "CACHED", "DONE"]), "a source file changed");

    project.touch_json("orders/package-lock.json");
    let after = states(&project);
    assert_eq!(after[0].as_deref(), Some("DONE"), "the lock file changed");
    assert_eq!(after[1].as_deref(), Some("DONE"), "the lock file changed");
}

/// A base with another content but the same layers of ours on top.
#[test]
fn a_new_base_leaves_our_layers_as_they_are() {
    let _alone = alone();
    let spec = "\
# syntax=slipway/frontend:0
name: rebase
services:
  app:
    x-slipway:
      stages:
        made:
          from: busybox
          steps:
            - run: mkdir /made && date +%N > /made/when
        runtime:
          from: rebase-base
          steps:
            - copy: { from: made, source: /made/, target: /made/, link: true }
    command: [cat, /made/when]
";
    let project = Project::new(&[("spec.yaml", spec)]);
    let base = |content: &str| {
        let dockerfile = format!("FROM busybox\nRUN echo {content} > /base\n");
        project.write("base.Dockerfile", &dockerfile);
        let args =
            ["buildx", "build", "--provenance=false", "-f", "base.Dockerfile", "-t", "rebase-base", "."];
        docker_in(project.path(), &[], &args).expect_ok();
    };
    let layers = || {
        project.build("spec.yaml", &["-t", "rebased"]).expect_ok();
        let said = docker(&["image", "inspect", "-f", "{{json .RootFS.Layers}}", "rebased"]).expect_ok();
        let layers: Vec<String> = serde_json::from_str(&said.out).expect("JSON");
        layers
    };
    base("one");
    let first = layers();
    base("two");
    let second = layers();
    assert_eq!(first.len(), second.len());
    assert_ne!(first[1], second[1], "the base's own layer changed");
    assert_eq!(first[2], second[2], "ours did not");
    let said = docker(&["run", "--rm", "rebased", "cat", "/base"]).expect_ok();
    assert_eq!(said.out.trim(), "two");
}

/// Two builds that share nothing give one digest: with the clock taken out of the layers by
/// Docker's own switch, nothing else is left that could differ.
#[test]
fn the_same_input_gives_the_same_image() {
    let _alone = alone();
    let project = Project::copy_of("specs/market");
    let digest = |component: &str, archive: &str| {
        let output = format!("type=oci,rewrite-timestamp=true,dest={archive}");
        let epoch = "SOURCE_DATE_EPOCH=1700000000";
        let args = [
            "--target",
            component,
            "--provenance=false",
            "--no-cache",
            "--build-arg",
            epoch,
            "--output",
            &output,
        ];
        project.build(SPEC, &args).expect_ok();
        let index =
            Command::new("tar").args(["-xOf", archive, "index.json"]).current_dir(project.path()).output();
        String::from_utf8(index.expect("tar is installed").stdout).expect("JSON")
    };
    for component in ["orders", "web", "ingress"] {
        let (first, second) = (digest(component, "1.tar"), digest(component, "2.tar"));
        assert!(first.contains("sha256:"), "{first}");
        assert_eq!(first, second, "{component}");
    }
}
