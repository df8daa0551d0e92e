//! Every recipe and package manager that no system in `specs/` shows: built, started on a root that
//! refuses writes, asked by its own health check, and stopped.

#![allow(clippy::expect_used, clippy::panic)]

use integration_tests::{Container, Project, docker_in, files, nothing_superfluous, weight};

const SPEC: &str = "fixtures.spec.yaml";

/// Builds a component, runs it, and gives its image's name.
#[track_caller]
fn works(component: &str, minimal: bool, limit: u64) -> String {
    let project = Project::copy_of("integration-tests/fixtures");
    let image = format!("slipway-test/{component}");
    project.build(SPEC, &["--target", component, "-t", &image]).expect_ok();
    let container = Container::start(&image, &[]);
    container.wait_until_healthy();
    container.check().expect_ok();
    assert_eq!(container.written(), "", "{component} writes nothing");
    let top =
        integration_tests::docker(&["top", &container.inspect("{{.Id}}"), "-o", "pid,uid"]).expect_ok().out;
    assert!(
        top.lines().skip(1).all(|line| line.split_whitespace().nth(1) == Some("1001")),
        "{component}: {top}"
    );
    assert_eq!(container.stop(), "0", "{component} stops in an orderly way: {}", container.logs());
    if minimal {
        nothing_superfluous(&image, true);
    }
    let size = weight(&image);
    assert!(size < limit, "{component} weighs {size}");
    image
}

#[test]
fn go() {
    let image = works("go-hello", true, 20_000_000);
    let listing = files(&image);
    let programs: Vec<&String> = listing.iter().filter(|file| file.contains("/bin/")).collect();
    assert_eq!(programs, ["/usr/local/bin/go-hello", "/usr/local/bin/slipway-probe"]);
    assert!(listing.contains(&"/etc/ssl/certs/ca-certificates.crt".to_owned()));
}

#[test]
fn rust() {
    let image = works("rust-hello", true, 20_000_000);
    assert!(files(&image).contains(&"/usr/bin/tini".to_owned()));
}

#[test]
fn java() {
    works("java-maven", true, 260_000_000);
    // A runtime of its own modules is a fraction of the whole.
    works("java-linked", true, 150_000_000);
}

#[test]
fn pnpm() {
    works("pnpm-hello", true, 150_000_000);
}

#[test]
fn yarn() {
    works("yarn-classic-hello", false, u64::MAX);
    works("yarn-berry-hello", false, u64::MAX);
}

#[test]
fn poetry() {
    works("poetry-hello", false, u64::MAX);
}

/// What was found and why, for a service that says nothing.
#[test]
fn outline() {
    let project = Project::copy_of("integration-tests/fixtures");
    let args = ["buildx", "build", "-f", SPEC, "--call=outline", "--target", "pnpm-hello", "."];
    let said = docker_in(project.path(), &[], &args).expect_ok().out;
    for line in [
        "recipe: node                         pnpm-hello/package.json",
        "package manager: pnpm 10.34.8        `packageManager` in pnpm-hello/package.json",
        "Node version: 22                     the default",
        "build: the script `build`            pnpm-hello/package.json",
        "command: node dist/index.js          `scripts.start` in pnpm-hello/package.json",
    ] {
        let words: Vec<&str> = line.split_whitespace().collect();
        let there = said.lines().any(|known| known.split_whitespace().collect::<Vec<_>>() == words);
        assert!(there, "{line}\n{said}");
    }
    let json = docker_in(
        project.path(),
        &[],
        &["buildx", "build", "-f", SPEC, "--call=outline,format=json", "--target", "go-hello", "."],
    )
    .expect_ok()
    .out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["name"], "go-hello");
    assert_eq!(json["found"][0]["value"], "go");
}

/// A member of a pnpm workspace, with the member that it needs and that one's package.
#[test]
fn pnpm_workspace() {
    let project = Project::copy_of("integration-tests/fixtures");
    let image = "slipway-test/pnpm-workspace";
    project.build(SPEC, &["--target", "pnpm-workspace", "-t", image]).expect_ok();
    assert_eq!(integration_tests::docker(&["run", "--rm", "--read-only", image]).expect_ok().out, "5s\n");
    nothing_superfluous(image, true);
}
