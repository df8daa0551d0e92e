//! reactbin's production image contract. The numbers S4-… are those of the acceptance table.

#![allow(clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpStream;

use integration_tests::{
    Container, Project, config, docker, docker_in, files, holds, http, nothing_superfluous, vertex_state,
};
use serde_json::json;

const SPEC: &str = "reactbin.spec.yaml";
const IMAGE: &str = "reactbin-api-prod:latest";
/// Debian, of which the tests' base images are made, has 3.11 and 3.13, not 3.12.
const PYTHON: &str = "PYTHON_VERSION=3.11";
const REQUIRED: [&str; 9] = [
    "JWT_SECRET_KEY",
    "OWNER_USERNAME",
    "OWNER_PASSWORD",
    "DATABASE_URL",
    "S3_ENDPOINT_URL",
    "S3_BUCKET_NAME",
    "S3_ACCESS_KEY_ID",
    "S3_SECRET_ACCESS_KEY",
    "S3_REGION",
];

fn settings(without: Option<&str>) -> Vec<String> {
    let named = REQUIRED.iter().filter(|name| Some(**name) != without);
    named
        .flat_map(|name| ["-e".to_owned(), format!("{name}=value-of-{name}-which-is-long-enough-for-a-key")])
        .collect()
}

fn start(without: Option<&str>, more: &[&str]) -> Container {
    let settings = settings(without);
    let mut args: Vec<&str> = settings.iter().map(String::as_str).collect();
    args.extend(more);
    Container::start(IMAGE, &args)
}

#[test]
fn the_contract() {
    let project = Project::copy_of("specs/reactbin");
    project.write(".env", "S3_SECRET_ACCESS_KEY=do-not-ship\n");
    project.build(SPEC, &["--build-arg", PYTHON, "-t", IMAGE]).expect_ok();
    image();
    runs();
    missing_variables();
    drains();
    caching(&project);
    with_compose(&project);
    in_one_command(&project);
}

/// S4-20: build, health, user, logs, secret-free layers, missing variables, the cached dependencies.
fn in_one_command(project: &Project) {
    let output = std::process::Command::new(integration_tests::plugin())
        .args(["verify", "--all", "-f", SPEC, "--build-arg", PYTHON, "--output", "verified"])
        .current_dir(project.path())
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let report: serde_json::Value =
        serde_json::from_str(&project.read("verified/report.json")).expect("JSON");
    let checks = report["components"][0]["checks"].as_array().expect("a list");
    for rule in
        ["health", "user", "logs", "secrets", "variables", "layer-cache", "stop", "read-only", "ports"]
    {
        let passed = checks.iter().any(|check| check["rule"] == rule && check["state"] == "passed");
        assert!(passed, "{rule}: {report:#}");
    }
}

fn image() {
    let config = config(IMAGE);
    // S4-3, S4-11, S4-12
    let health = &config["Healthcheck"];
    assert_eq!(
        json!([health["Interval"], health["Timeout"], health["StartPeriod"], health["Retries"]]),
        json!([30_000_000_000_u64, 5_000_000_000_u64, 10_000_000_000_u64, 3])
    );
    assert_eq!(config["User"], "1001:1001");
    assert_eq!(config["WorkingDir"], "/app");
    assert_eq!(config["ExposedPorts"], json!({ "8000/tcp": {} }));
    assert!(integration_tests::file(IMAGE, "/etc/passwd").contains("appuser:x:1001:1001:"));
    // S4-7
    let env = config["Env"].to_string();
    assert!(REQUIRED.iter().all(|name| !env.contains(&format!("\"{name}="))), "{env}");
    // S4-13, S4-17
    let listing = files(IMAGE);
    for expected in ["/app/app/main.py", "/app/.venv/bin/python"] {
        assert!(listing.contains(&expected.to_owned()), "{expected}");
    }
    assert!(!listing.iter().any(|file| file.starts_with("/app/tests")));
    nothing_superfluous(IMAGE, false);
    // S4-19: neither in a file of any layer nor in the history.
    assert!(holds(IMAGE, "def create_app"), "the search finds what is there");
    assert!(!holds(IMAGE, "do-not-ship"));
    let history = docker(&["history", "--no-trunc", "--format", "{{.CreatedBy}}", IMAGE]).expect_ok().out;
    assert!(!history.contains("SECRET"), "{history}");
}

fn runs() {
    let container = start(None, &["-p", "127.0.0.1::8000"]);
    container.wait_until_healthy();
    let port = container.port(8000);
    // S4-1, S4-2
    let health = http(port, "GET", "/api/v1/health", "");
    assert_eq!((health.status, health.body.as_str()), (200, r#"{"status":"ok"}"#));
    // S4-6: the defaults, as the service itself tells them.
    let logs = container.logs();
    for setting in [
        "jwt_expiry_seconds=86400",
        "max_upload_bytes=52428800",
        "login_max_failures=5",
        "login_window_seconds=300",
        "login_cooldown_seconds=900",
    ] {
        assert!(logs.contains(setting), "{setting}: {logs}");
    }
    assert!(!logs.contains("value-of-"), "settings that are secret stay out of the log");
    // S4-14
    assert_eq!(container.written(), "");
    // S4-15: what is no trouble goes to stdout.
    let out = docker(&["logs", &container.inspect("{{.Id}}")]);
    assert!(out.out.contains("INFO") && !out.err.contains("INFO"), "{}", out.err);
    assert_eq!(container.exec(&["id", "-u"]).expect_ok().out.trim(), "1001");
}

/// S4-4, S4-5
fn missing_variables() {
    for name in REQUIRED {
        let container = start(Some(name), &[]);
        let code = docker(&["wait", &container.inspect("{{.Id}}")]).expect_ok().out;
        assert_ne!(code.trim(), "0", "{name}");
        let said = docker(&["logs", &container.inspect("{{.Id}}")]);
        assert!(said.err.contains(name) && !said.out.contains("running on"), "{name}: {}", said.err);
    }
}

/// S4-8: what is in flight is answered, nothing new is accepted, and the exit code is 0.
fn drains() {
    let container = start(None, &["-p", "127.0.0.1::8000"]);
    container.wait_until_healthy();
    let port = container.port(8000);
    let mut slow = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    slow.write_all(b"GET /api/v1/slow?seconds=3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .expect("sent");
    std::thread::sleep(std::time::Duration::from_millis(500));
    let id = container.inspect("{{.Id}}");
    let code = std::thread::scope(|scope| {
        let stop = scope.spawn(|| docker(&["stop", "-t", "30", &id]).expect_ok());
        let mut answer = String::new();
        slow.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        stop.join().expect("stopped");
        container.inspect("{{.State.ExitCode}}")
    });
    assert_eq!(code, "0");
}

/// S4-18
fn caching(project: &Project) {
    let source = project.read("app/main.py");
    project.touch("app/main.py", "#");
    let progress = project.build(SPEC, &["--build-arg", PYTHON]).expect_ok().err;
    let install = "[api deps] uv sync --locked --no-install-project --no-dev";
    assert_eq!(vertex_state(&progress, install), Some("CACHED".to_owned()), "{progress}");
    project.write("app/main.py", &source);
}

/// S4-9, S4-16: Compose gives the time to drain, and the tag is the caller's.
fn with_compose(project: &Project) {
    let env: Vec<(&str, &str)> = REQUIRED
        .iter()
        .map(|name| (*name, "x"))
        .chain([("PYTHON_VERSION", "3.11"), ("TAG", "0123abc"), ("API_PORT", "18921")])
        .collect();
    let compose = |args: &[&str]| {
        let fixed = ["compose", "-f", SPEC, "-p", "slipway-test-reactbin"];
        docker_in(project.path(), &env, &[&fixed, args].concat())
    };
    let config = compose(&["config", "--format", "json"]).expect_ok().out;
    let config: serde_json::Value = serde_json::from_str(&config).expect("JSON");
    assert_eq!(config["services"]["api"]["stop_grace_period"], "30s");
    assert_eq!(config["services"]["api"]["image"], "reactbin-api-prod:0123abc");
    compose(&["up", "--build", "--wait", "--wait-timeout", "60"]).expect_ok();
    let health = http(18921, "GET", "/api/v1/health", "");
    compose(&["down", "-t", "5"]).expect_ok();
    assert_eq!(health.body, r#"{"status":"ok"}"#);
    let missing = docker_in(project.path(), &env[1..], &["compose", "-f", SPEC, "config"]);
    assert!(!missing.ok && missing.err.contains("JWT_SECRET_KEY"), "{}", missing.err);
}
