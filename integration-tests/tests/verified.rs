//! Every service of the systems that the specs describe keeps its contract, proven inside the build.
//! (`TraderX`, which needs a checkout, is in `traderx.rs`.)

use integration_tests::Project;

/// A system: its folder, the build's further arguments, its components.
fn keeps_its_contracts(name: &str, args: &[&str], components: &[&str]) {
    let project = Project::copy_of(&format!("specs/{name}"));
    let spec = format!("{name}.spec.yaml");
    project.verify(&spec, &[args, &["--target", ":verify"]].concat(), components);
    // With nothing changed there is nothing to do.
    let steps = components.iter().flat_map(|component| {
        ["look at the image's files", "start it and hold it to its contract"]
            .map(|step| format!("[{component} verify] {step}"))
    });
    project.expect_cached(&spec, &[args, &["--target", ":verify"]].concat(), &steps.collect::<Vec<_>>());
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
