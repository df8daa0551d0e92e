//! The lock: digests of all base images in a file beside the spec, which every build goes by.

#![allow(clippy::expect_used)]

use std::process::{Command, Output};

use integration_tests::{Project, docker, docker_in, file, plugin};

const SPEC: &str = "\
# syntax=slipway/frontend:0
services:
  app:
    user: 1001:1001
    x-slipway:
      stages:
        runtime:
          from: slipway-test/moving:1.0
          steps:
            - write: { path: /own, content: x }
";

fn lock(project: &Project, args: &[&str]) -> Output {
    let fixed = ["lock", "-f", "app.spec.yaml"];
    Command::new(plugin()).args(fixed).args(args).current_dir(project.path()).output().expect("it runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// An image of that name with this text in it.
fn base(text: &str) {
    let spec = format!(
        "# syntax=slipway/frontend:0\nservices:\n  base:\n    x-slipway: {{ stages: {{ r: {{ from: busybox, steps: [ {{ write: {{ path: /which, content: {text} }} }} ] }} }} }}\n"
    );
    let project = Project::new(&[("base.spec.yaml", &spec)]);
    // The second name keeps what the first one leaves.
    let (name, kept) = ("slipway-test/moving:1.0", format!("slipway-test/moving:{text}"));
    project.build("base.spec.yaml", &["-t", name, "-t", &kept]).expect_ok();
}

#[test]
fn a_tag_that_moves_does_not_move_the_build() {
    base("first");
    let project = Project::new(&[("app.spec.yaml", SPEC)]);
    let missing = lock(&project, &["--check"]);
    assert_eq!(missing.status.code(), Some(1), "{}", said(&missing));
    assert!(said(&missing).contains("app.spec.lock.yaml is not there"), "{}", said(&missing));
    let written = lock(&project, &[]);
    assert!(written.status.success(), "{}", said(&written));
    let text = project.read("app.spec.lock.yaml");
    assert!(text.contains("image: slipway-test/moving:1.0@sha256:"), "{text}");
    // It is a Compose file, for whoever updates those, and says nothing of this machine's clock.
    docker_in(project.path(), &[], &["compose", "-f", "app.spec.lock.yaml", "config", "--quiet"]).expect_ok();
    assert!(said(&lock(&project, &["--check"])).contains("is up to date"));

    base("second");
    let image = "slipway-test/locked";
    project.build("app.spec.yaml", &["-t", image]).expect_ok();
    assert_eq!(file(image, "/which"), "first");
    let stale = lock(&project, &["--check"]);
    assert_eq!(stale.status.code(), Some(1), "{}", said(&stale));
    assert!(
        said(&stale).contains("- slipway-test/moving:1.0@")
            && said(&stale).contains("+ slipway-test/moving:1.0@")
    );
    assert!(lock(&project, &[]).status.success());
    project.build("app.spec.yaml", &["-t", image]).expect_ok();
    assert_eq!(file(image, "/which"), "second");

    // An image that the lock does not know is a finding; a lock that is none, an error at its line.
    project.write("app.spec.lock.yaml", &text.replace("moving:1.0", "moving:0.9"));
    let found = project.build("app.spec.yaml", &["--call=check"]);
    assert!(!found.ok && found.out.contains("StaleLock"), "{}", found.out);
    project.write("app.spec.lock.yaml", "services:\n  a:\n    image: busybox\n");
    let broken = project.build_quietly("app.spec.yaml", &[]);
    assert!(!broken.ok && broken.err.contains("app.spec.lock.yaml:3"), "{}", broken.err);
    assert!(lock(&project, &[]).status.success(), "it is written anew all the same");

    let unknown =
        Project::new(&[("app.spec.yaml", &SPEC.replace("slipway-test/moving:1.0", "nobody.invalid/x:1"))]);
    let failed = lock(&unknown, &[]);
    assert_eq!(failed.status.code(), Some(2), "{}", said(&failed));
    assert!(
        said(&failed).contains("cannot be found") && said(&failed).contains("app.spec.yaml:8"),
        "{}",
        said(&failed)
    );
    docker(&[
        "image",
        "rm",
        "slipway-test/moving:1.0",
        "slipway-test/moving:first",
        "slipway-test/moving:second",
    ]);
}
