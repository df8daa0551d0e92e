//! `docker slipway verify`: images in the engine are held to their contracts, on Compose's own network and
//! with the engine's own health check; and the layer cache to its promise.

#![allow(clippy::expect_used, clippy::panic)]

use std::process::{Command, Output};

use integration_tests::{Project, docker, plugin};
use serde_json::Value;

fn verify(project: &Project, args: &[&str]) -> Output {
    Command::new(plugin()).arg("verify").args(args).current_dir(project.path()).output().expect("it runs")
}

fn out(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const SPEC: &str = "contracts.spec.yaml";

/// An image that keeps its promises, and images that break what only an engine shows.
#[test]
fn the_same_contract_in_an_engine() {
    let project = Project::copy_of("integration-tests/fixtures/contracts");
    let build = |name: &str| {
        let image = format!("contracts/twin-{name}");
        project.build(SPEC, &["--target", name, "-t", &image]).expect_ok();
        image
    };
    let image = build("keeps");
    let kept = verify(&project, &["-f", SPEC, "--target", "keeps", &image, "--output", "out"]);
    assert!(kept.status.success(), "{}", out(&kept));
    let report: Value = serde_json::from_str(&project.read("out/report.json")).expect("JSON");
    let checks = report["components"][0]["checks"].as_array().expect("a list");
    for rule in
        ["files", "tools", "secrets", "variables", "health", "user", "ports", "read-only", "stop", "runs"]
    {
        let passed = checks.iter().any(|check| check["rule"] == rule && check["state"] == "passed");
        assert!(passed, "{rule}: {report:#}");
    }
    for (name, words) in [
        ("ignores-sigterm", "the engine had to kill it after 4 s"),
        ("loopback-only", "another container does not get http://loopback-only:8000/"),
        ("starts-without-it", "without `API_KEY` it runs all the same"),
        ("bakes-in-a-key", "/app/settings.ini holds an AWS access key"),
        ("runs-as-root", "it runs as 0"),
    ] {
        let image = build(name);
        let broken = verify(&project, &["-f", SPEC, "--target", name, &image]);
        assert_eq!(broken.status.code(), Some(1), "{name}: {}", out(&broken));
        assert!(out(&broken).contains(words), "{name}: {}", out(&broken));
    }
    let missing = verify(&project, &["-f", SPEC, "--target", "keeps", "contracts/nowhere"]);
    assert_eq!(missing.status.code(), Some(2), "{}", out(&missing));
    assert!(out(&missing).contains("build it first"), "{}", out(&missing));
    // Nothing is left.
    let left = docker(&["ps", "--all", "--quiet", "--filter", "name=slipway-verify"]).expect_ok().out;
    assert_eq!(left, "");
}

/// S4-18, S4-20: what BuildKit's own records say of a build with a touched source.
#[test]
fn the_dependencies_layer_is_cached() {
    let project = Project::copy_of("specs/market");
    let cached = verify(&project, &["-f", "market.spec.yaml", "--layer-cache"]);
    assert!(cached.status.success(), "{}", out(&cached));
    let said = out(&cached);
    for words in [
        "with orders/src/book.ts touched the dependencies are cached: ",
        "with feed/index.js touched the dependencies are cached: ",
    ] {
        assert!(said.contains(words), "{said}");
    }
    // Sources before the installation: the layer's promise is broken, and that is found.
    project.write("app/package.json", r#"{ "name": "app", "version": "1.0.0" }"#);
    project.write("app/index.js", "console.log('x');\n");
    let spec = "\
# syntax=slipway/frontend:0
services:
  app:
    x-slipway:
      source: app
      stages:
        deps: { from: busybox, steps: [ { copy: { source: ., target: /app/ } }, { run: touch /app/installed } ] }
        runtime: { from: scratch, steps: [ { copy: { from: deps, source: /app, target: /app } } ] }
";
    project.write("app.spec.yaml", spec);
    let broken = verify(&project, &["-f", "app.spec.yaml", "--layer-cache"]);
    assert_eq!(broken.status.code(), Some(1), "{}", out(&broken));
    assert!(out(&broken).contains("the dependencies are installed again"), "{}", out(&broken));
}

/// The page needs nothing but itself: a browser without network shows all of it.
#[test]
fn the_page_in_a_real_browser() {
    let project = Project::copy_of("specs/market");
    project.build("market.spec.yaml", &["--target", ":report", "--output", "page"]).expect_ok();
    let page = project.path().join("page/index.html");
    let url = format!("file://{}", page.display());
    let browser = |args: &[&str]| {
        let fixed =
            ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1100,2400"];
        let output =
            Command::new("chromium").args(fixed).args(args).arg(&url).current_dir(project.path()).output();
        let output = output.expect("chromium is installed: integration-tests/run.sh sees to it");
        assert!(output.status.success(), "{}", out(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let shown = browser(&["--dump-dom"]);
    for words in [
        "All promises hold",
        "id=\"orders\"",
        "id=\"ingress\"",
        "What it weighs",
        "Layers that the build adds",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_eq!(shown.matches("<svg class=\"sizes\"").count(), 4, "{shown}");
    browser(&["--screenshot=page.png"]);
    let picture = std::fs::read(project.path().join("page.png")).expect("a picture");
    assert!(picture.starts_with(b"\x89PNG") && picture.len() > 50_000, "{} bytes", picture.len());
}
