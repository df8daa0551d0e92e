//! Every service of the systems that the specs describe keeps its contract, proven inside the build.
//! (`TraderX`, which needs a checkout, is in `traderx.rs`.)

#![allow(clippy::expect_used)]

use integration_tests::{Project, vertex_state};

/// A system: its folder, the build's further arguments, its components.
fn keeps_its_contracts(name: &str, args: &[&str], components: &[&str]) {
    let project = Project::copy_of(&format!("specs/{name}"));
    let spec = format!("{name}.spec.yaml");
    project.verify(&spec, &[args, &["--target", ":verify"]].concat(), components);
    // With nothing changed there is nothing to do.
    let again = project.build(&spec, &[args, &["--target", ":verify"]].concat()).expect_ok().err;
    for component in components {
        for step in ["look at the image's files", "start it and hold it to its contract"] {
            let state = vertex_state(&again, &format!("[{component} verify] {step}"));
            assert_eq!(state.as_deref(), Some("CACHED"), "{component}: {again}");
        }
    }
}

#[test]
fn market() {
    keeps_its_contracts("market", &[], &["orders", "feed", "web", "ingress"]);
}

#[test]
fn jts() {
    let components = [
        "api-gateway",
        "strategy-engine",
        "order-execution",
        "risk-management",
        "data-ingestion",
        "notification-service",
    ];
    keeps_its_contracts("jts", &[], &components);
}

#[test]
fn rtm() {
    keeps_its_contracts("rtm", &[], &["api", "worker", "frontend"]);
}

/// Beside the web service runs the database that it asks for.
#[test]
fn bun() {
    keeps_its_contracts("bun", &[], &["web-service", "cli-tool", "data-pipeline"]);
}

/// S4-20: build, health, user, logs, secret-free layers, missing variables; the cached dependency
/// layer is `docker slipway verify --layer-cache`.
#[test]
fn reactbin() {
    keeps_its_contracts("reactbin", &["--build-arg", "PYTHON_VERSION=3.11"], &["api"]);
}
