//! `docker slipway init` in a project that has Dockerfiles and a Compose file: the spec that comes out
//! is built and run as it is.

#![allow(clippy::expect_used, clippy::panic)]

use std::process::Command;

use integration_tests::{Project, Said, config, docker_in, files, http, plugin};

const SPEC: &str = "app.spec.yaml";
const PORTS: [(&str, u16); 3] = [("ORDERS_PORT", 18971), ("QUOTES_PORT", 18972), ("WEB_PORT", 18970)];

/// Runs the plugin, as Docker does.
fn slipway(project: &Project, args: &[&str]) -> (bool, String) {
    let output = Command::new(plugin()).arg("slipway").args(args).current_dir(project.path()).output();
    let output = output.expect("it runs");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn compose(project: &Project, args: &[&str]) -> Said {
    let ports = PORTS.map(|(name, port)| (name, port.to_string()));
    let env: Vec<(&str, &str)> = ports.iter().map(|(name, port)| (*name, port.as_str())).collect();
    docker_in(project.path(), &env, &[&["compose", "-f", SPEC, "-p", "slipway-test-init"], args].concat())
}

/// Stops what was started, however the test ends.
struct Running<'p>(&'p Project);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        compose(self.0, &["down", "--volumes", "--timeout", "2"]);
    }
}

#[test]
fn a_project_with_dockerfiles() {
    let project = Project::copy_of("integration-tests/fixtures/legacy");
    let (ok, said) = slipway(&project, &["init"]);
    assert!(ok, "{said}");
    assert!(said.contains("app.spec.yaml: 0 errors, 0 warnings"), "{said}");

    docker_in(project.path(), &[], &["buildx", "bake", "-f", SPEC]).expect_ok();
    for (image, user) in [("orders", "1001:1001"), ("quotes", "10001:10001"), ("web", "1001:1001")] {
        assert_eq!(config(&format!("legacy/{image}"))["User"], user, "{image}");
    }
    assert!(files("legacy/quotes").iter().any(|file| file.contains("/libpq.so")), "packages are installed");

    // The database is nobody's to build, and its image may not be there.
    let _running = Running(&project);
    compose(&project, &["up", "--wait", "--no-deps", "orders", "quotes", "web"]).expect_ok();
    let [orders, quotes, web] = PORTS.map(|(_, port)| port);
    assert_eq!(http(orders, "GET", "/health", "").status, 200);
    assert_eq!(http(quotes, "GET", "/quotes", "").body, r#"{"ACME":1.0,"EMCA":1.0}"#);
    // Paths of the application's own get its page, as its nginx.conf said.
    assert!(http(web, "GET", "/orders/1", "").body.contains("<!doctype html>"));
}
