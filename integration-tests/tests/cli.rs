//! The plugin's commands, as a person runs them: without an engine, with exit statuses that scripts
//! can go by.

#![allow(clippy::expect_used, clippy::panic)]

use std::process::{Command, Output};

use integration_tests::{Project, plugin};
use serde_json::Value;

const SPEC: &str = "\
# syntax=slipway/frontend:0
services:
  app:
    build: { context: ., dockerfile: app.spec.yaml, target: app }
    x-slipway:
      stages:
        build: { from: \"busybox:1.37\", steps: [ { run: echo hi > /out } ] }
        runtime: { from: scratch, steps: [ { copy: { from: build, source: /out, target: /out } } ] }
";

fn run(project: &Project, args: &[&str]) -> Output {
    // No engine: a command that asks one fails.
    Command::new(plugin())
        .args(args)
        .current_dir(project.path())
        .env("DOCKER_HOST", "unix:///nowhere")
        .output()
        .expect("it runs")
}

#[track_caller]
fn said(project: &Project, args: &[&str]) -> String {
    let output = run(project, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn json(project: &Project, args: &[&str]) -> Value {
    serde_json::from_str(&said(project, args)).expect("JSON")
}

#[test]
fn every_question_has_an_answer() {
    let project = Project::new(&[("app.spec.yaml", SPEC)]);
    let file = ["-f", "app.spec.yaml"];
    let ask = |name: &str, more: &[&str]| said(&project, &[&[name], &file[..], more].concat());
    assert_eq!(ask("check", &[]), "app.spec.yaml: 1 component, nothing wrong\n");
    assert!(ask("check", &["--info", "--json"]).contains("UnpinnedBase"));
    assert!(ask("plan", &[]).contains("echo hi > /out"));
    assert_eq!(json(&project, &["plan", "-f", "app.spec.yaml", "--json"])[0]["component"], "app");
    assert!(ask("stages", &[]).contains("runtime:"));
    assert!(ask("targets", &[]).contains("app (default) hand-written stages"));
    assert!(ask("outline", &["--target", "app:build"]).contains("STAGE: build"));
    assert_eq!(ask("images", &[]), "docker.io/library/busybox:1.37\n");
    assert!(ask("graph", &[]).starts_with("flowchart LR"));
    assert!(ask("graph", &["--format", "dot"]).starts_with("digraph slipway {"));
    let svg = ask("graph", &["--format", "svg"]);
    assert!(
        svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>") && svg.contains("app:runtime"),
        "{svg}"
    );
    let llb = json(&project, &["llb", "-f", "app.spec.yaml"]);
    assert!(llb["def"].as_object().expect("operations").values().any(|op| op["exec"].is_object()));
    assert!(!run(&project, &["llb", "-f", "app.spec.yaml", "--format", "protobuf"]).stdout.is_empty());
    assert!(said(&project, &["schema"]).contains("\"$defs\""));
    assert!(said(&project, &["explain"]).contains("RootUser"));
    assert!(said(&project, &["explain", "rootuser"]).starts_with("# RootUser"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(said(&project, &["completions", shell]).contains("docker-slipway"), "{shell}");
    }
    // As docker calls a plugin.
    assert!(said(&project, &["slipway", "explain"]).contains("RootUser"));
    assert!(said(&project, &["docker-cli-plugin-metadata"]).contains("SchemaVersion"));
    assert!(said(&project, &["__complete", "slipway", "ch"]).starts_with("check\t"));
}

#[test]
fn exit_statuses_are_what_help_says() {
    let status = |spec: &str, args: &[&str]| {
        let project = Project::new(&[("app.spec.yaml", spec)]);
        run(&project, args).status.code()
    };
    let check = ["check", "-f", "app.spec.yaml"];
    assert_eq!(status(SPEC, &check), Some(0));
    assert_eq!(status(&SPEC.replace(":1.37", ":latest"), &check), Some(1), "a warning");
    assert_eq!(status(&SPEC.replace(":1.37", ":latest"), &["plan", "-f", "app.spec.yaml"]), Some(0));
    assert_eq!(status(&SPEC.replace("steps", "stepps"), &["plan", "-f", "app.spec.yaml"]), Some(1));
    assert_eq!(status(SPEC, &["check", "-f", "elsewhere.yaml"]), Some(2));
    assert_eq!(status(SPEC, &["chek"]), Some(2));
    assert_eq!(status(SPEC, &["explain", "NoSuchRule"]), Some(1));
    assert_eq!(status(SPEC, &["--help"]), Some(0));
}

/// Edits that are certain are made, and what is left is said.
#[test]
fn check_mends_what_is_certain() {
    let spec = SPEC
        .replace("dockerfile: app.spec.yaml", "dockerfile: Dockerfile")
        .replace("target: app }", "target: ap }");
    let project = Project::new(&[("app.spec.yaml", &spec)]);
    let found = run(&project, &["check", "-f", "app.spec.yaml", "--json"]);
    assert_eq!(found.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&found.stdout).expect("JSON");
    let fixes: Vec<&str> = found
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|finding| finding["fix"]["title"].as_str())
        .collect();
    assert_eq!(fixes, ["name this file", "name this component"]);
    let mended = run(&project, &["check", "-f", "app.spec.yaml", "--fix"]);
    assert_eq!(mended.status.code(), Some(0), "{}", String::from_utf8_lossy(&mended.stderr));
    assert_eq!(project.read("app.spec.yaml"), SPEC);
}

/// Colours are for terminals; files and pipes get none.
#[test]
fn no_colours_in_a_pipe() {
    let project = Project::new(&[("app.spec.yaml", &SPEC.replace("steps", "stepps"))]);
    let output = run(&project, &["check", "-f", "app.spec.yaml"]);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(text.contains("did you mean `steps`?") && !text.contains('\u{1b}'), "{text}");
}
