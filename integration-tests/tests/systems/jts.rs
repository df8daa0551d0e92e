//! JTS: six services in one Nx/npm workspace, one of them with Python beside Node. The numbers
//! S1-… are those of the acceptance table.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use integration_tests::{
    Container, Project, config, docker, docker_in, file, files, http, nothing_superfluous, vertex_state,
    weight,
};
use serde_json::{Value, json};

const SPEC: &str = "jts.spec.yaml";
const SECOND: u64 = 1_000_000_000;

/// Name, port, path and times of the health check, as the table has them (S1-11 to S1-15).
const SERVICES: [(&str, u16, &str, [u64; 4]); 6] = [
    ("api-gateway", 3001, "/health", [15, 5, 30, 3]),
    ("strategy-engine", 3002, "/health/strategy", [30, 10, 60, 3]),
    ("order-execution", 3003, "/health/orders", [10, 3, 30, 5]),
    ("risk-management", 3004, "/health", [30, 10, 5, 3]),
    ("data-ingestion", 3005, "/health", [30, 10, 5, 3]),
    ("notification-service", 3006, "/health", [30, 10, 5, 3]),
];

fn image(service: &str) -> String {
    format!("ghcr.io/ddoachi/jts-{service}")
}

#[test]
fn six_services_of_one_workspace() {
    let project = Project::copy_of("specs/jts");
    markers(&project);
    let baked =
        docker_in(project.path(), &[], &["buildx", "bake", "--progress=plain", "-f", SPEC]).expect_ok();
    one_install(&baked.err);
    for (service, port, path, times) in SERVICES {
        declared(service, port, path, times);
        contents(service);
    }
    shared_layers();
    running(&project);
    one_source_one_rebuild(&project);
    lock_file(&project);
    arguments(&project);
    development(&project);
}

/// S1-22: a file of each class that the ignore file lists; none of them may get anywhere.
fn markers(project: &Project) {
    for path in [
        "apps/api-gateway/node_modules/slipway-marker/x.js",
        "logs/slipway-marker.log",
        ".vscode/slipway-marker.json",
        ".DS_Store",
        ".github/slipway-marker.yml",
        "docs/slipway-marker.md",
        "apps/api-gateway/test/slipway-marker.test.ts",
        "apps/api-gateway/dist/slipway-marker.js",
        ".nx/slipway-marker",
        ".env",
        ".env.production",
        "apps/api-gateway/.cache/slipway-marker",
        "tmp/slipway-marker",
    ] {
        project.write(path, "marker");
    }
}

/// The shared install ran once; for every other service it was there already.
fn one_install(progress: &str) {
    let vertices: BTreeSet<&str> = progress
        .lines()
        .filter(|line| line.starts_with('#') && line.ends_with(" deps] npm ci"))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let ran = vertices
        .iter()
        .filter(|vertex| progress.lines().any(|line| line.starts_with(&format!("{vertex} DONE"))));
    assert!(ran.count() <= 1, "`npm ci` for the workspace ran more than once:\n{progress}");
    assert!(!vertices.is_empty(), "the install is a step of its own");
}

fn declared(service: &str, port: u16, path: &str, [interval, timeout, start, retries]: [u64; 4]) {
    let config = config(&image(service));
    // S1-6, S1-8: number, and what is process 1.
    assert_eq!(config["User"], "1001:1001", "{service}");
    assert_eq!(config["Entrypoint"], json!(["dumb-init", "--"]), "{service}");
    let health = &config["Healthcheck"];
    assert_eq!(
        json!([health["Interval"], health["Timeout"], health["StartPeriod"], health["Retries"]]),
        json!([interval * SECOND, timeout * SECOND, start * SECOND, retries]),
        "{service}"
    );
    assert!(health["Test"].to_string().contains(&format!("127.0.0.1:{port}{path}")), "{service}: {health}");
    // S1-15, S1-20
    assert_eq!(config["ExposedPorts"], json!({ format!("{port}/tcp"): {} }), "{service}");
    let env = config["Env"].to_string();
    let memory = if service == "order-execution" { 512 } else { 1024 };
    for expected in [
        format!("PORT={port}"),
        format!("SERVICE_NAME={service}"),
        "NODE_ENV=production".to_owned(),
        format!("NODE_OPTIONS=--max-old-space-size={memory}"),
    ] {
        assert!(env.contains(&expected), "{service}: {env}");
    }
    assert!(!env.contains("_URL="), "{service}: run-time settings are not baked in: {env}");
    // S1-35
    assert_eq!(config["Labels"]["org.opencontainers.image.title"], service);
    assert_eq!(config["Labels"]["org.opencontainers.image.vendor"], "JTS");
    assert_eq!(config["Labels"]["security.scan-policy"], "strict");
}

fn contents(service: &str) {
    let image = image(service);
    // S1-9, S1-19
    nothing_superfluous(&image, true);
    let files = files(&image);
    let marker = files.iter().find(|file| file.contains("slipway-marker"));
    assert_eq!(marker, None, "{service}");
    assert!(files.contains(&format!("/app/apps/{service}/dist/main.js")));
    assert!(files.contains(&"/app/libs/common/dist/index.js".to_owned()));
    let others =
        SERVICES.iter().map(|(name, ..)| format!("/app/apps/{name}")).filter(|path| !path.ends_with(service));
    for other in others {
        assert!(!files.iter().any(|file| file.starts_with(&other)), "{service} holds {other}");
    }
    assert!(
        !files.iter().any(|file| file.starts_with("/app/apps/") && file.contains("/src/")),
        "{service}: sources"
    );
    // S1-4; Python with numpy and pandas weighs more than the limit by itself.
    let limit = if service == "strategy-engine" { 280_000_000 } else { 150_000_000 };
    assert!(weight(&image) < limit, "{service} weighs {}", weight(&image));
    let passwd = file(&image, "/etc/passwd");
    assert!(passwd.contains("nodejs:x:1001:1001:"), "{passwd}");
}

/// S1-3: what is common is the same layer in all of them.
fn shared_layers() {
    let layers = |service: &str| -> BTreeSet<String> {
        let said =
            docker(&["image", "inspect", "-f", "{{json .RootFS.Layers}}", &image(service)]).expect_ok();
        serde_json::from_str(&said.out).expect("a list")
    };
    let common = SERVICES.iter().map(|(service, ..)| layers(service)).reduce(|a, b| &a & &b).expect("six");
    assert!(common.len() >= 3, "runtime, user and init are shared: {common:?}");
}

fn compose(project: &Project, args: &[&str]) -> integration_tests::Said {
    let fixed = ["compose", "-f", SPEC, "-p", "slipway-test-jts"];
    docker_in(project.path(), &[("JTS_PORT", "18901")], &[&fixed, args].concat())
}

fn running(project: &Project) {
    compose(project, &["up", "--wait", "--wait-timeout", "120"]).expect_ok();
    let result = std::panic::catch_unwind(|| {
        let health = http(18901, "GET", "/health", "");
        assert_eq!(health.status, 200);
        // S1-38
        let health: Value = serde_json::from_str(&health.body).expect("JSON");
        assert_eq!(health["status"], "healthy");
        assert!(health["checks"].is_object());
        // S1-23: pandas computes.
        let sma = http(18901, "POST", "/strategies/sma", r#"{"prices":[1,2,3,4],"window":2}"#);
        assert_eq!(
            serde_json::from_str::<Value>(&sma.body).expect("JSON")["sma"],
            json!([null, 1.5, 2.5, 3.5])
        );
        let order =
            http(18901, "POST", "/orders", r#"{"symbol":"ACME","side":"buy","quantity":5,"price":10}"#);
        assert!((200..300).contains(&order.status), "{}", order.body);
        for (service, ..) in SERVICES {
            let name = format!("slipway-test-jts-{service}-1");
            let inspect =
                |format: &str| docker(&["inspect", "-f", format, &name]).expect_ok().out.trim().to_owned();
            assert_eq!(inspect("{{.HostConfig.ReadonlyRootfs}}"), "true");
            assert_eq!(docker(&["diff", &name]).expect_ok().out, "", "{service} writes nothing");
            let top = docker(&["top", &name, "-o", "pid,uid,args"]).expect_ok().out;
            assert!(
                top.lines().skip(1).all(|line| line.split_whitespace().nth(1) == Some("1001")),
                "{service}: {top}"
            );
            assert!(top.contains("dumb-init -- node"), "{service}: {top}");
            // S1-43: a line of JSON each.
            for line in docker(&["logs", &name]).out.lines() {
                assert!(serde_json::from_str::<Value>(line).is_ok(), "{service}: {line}");
            }
        }
        compose(project, &["stop", "-t", "10"]).expect_ok();
        for (service, ..) in SERVICES {
            let name = format!("slipway-test-jts-{service}-1");
            let code = docker(&["inspect", "-f", "{{.State.ExitCode}}", &name]).expect_ok().out;
            assert_eq!(code.trim(), "0", "{service} stops in an orderly way");
        }
    });
    let logs = compose(project, &["logs"]);
    compose(project, &["down", "-t", "10"]).expect_ok();
    if let Err(panic) = result {
        eprintln!("{}", logs.out);
        std::panic::resume_unwind(panic);
    }
}

fn states(progress: &str, service: &str) -> [Option<String>; 3] {
    ["deps] npm ci", "prod-deps] npm ci --omit=dev", "build] npx nx run"].map(|step| {
        let start = format!("[{service} {step}");
        let name = progress
            .lines()
            .find_map(|line| line.split_once(' ').filter(|(_, rest)| rest.starts_with(&start)))
            .map(|(_, name)| name.to_owned());
        name.and_then(|name| vertex_state(progress, &name))
    })
}

/// S1-17: a touched source runs neither install, and nothing at all of another service.
fn one_source_one_rebuild(project: &Project) {
    let path = "apps/risk-management/src/limits.ts";
    project.touch(path, "//");
    let cached = Some("CACHED".to_owned());
    let own = project.build(SPEC, &["--target", "risk-management"]).expect_ok().err;
    assert_eq!(
        states(&own, "risk-management"),
        [cached.clone(), cached.clone(), Some("DONE".to_owned())],
        "{own}"
    );
    let other = project.build(SPEC, &["--target", "data-ingestion"]).expect_ok().err;
    assert_eq!(states(&other, "data-ingestion"), [cached.clone(), cached.clone(), cached], "{other}");
}

/// S1-18, and a lock that does not fit: the manager's own words, at the spec's line.
fn lock_file(project: &Project) {
    let manifest = project.read("apps/risk-management/package.json");
    project.write(
        "apps/risk-management/package.json",
        &manifest.replace("\"dependencies\": {", "\"dependencies\": {\n    \"is-number\": \"7.0.0\","),
    );
    let refused = project.build(SPEC, &["--target", "risk-management"]);
    assert!(!refused.ok);
    assert!(
        refused.err.contains("can only install packages when your package.json and package-lock.json"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("jts.spec.yaml:") && refused.err.contains(">>>"), "{}", refused.err);
    project.write("apps/risk-management/package.json", &manifest);
    project.touch_json("package-lock.json");
    let changed = project.build(SPEC, &["--target", "risk-management:deps"]).expect_ok().err;
    assert_eq!(vertex_state(&changed, "[risk-management deps] npm ci"), Some("DONE".to_owned()), "{changed}");
}

/// S1-16, S1-2, S1-36: arguments change the image, and a slip of the pen is said.
fn arguments(project: &Project) {
    let metadata = project.path().join("metadata.json");
    let args = [
        "--target",
        "notification-service",
        "-t",
        "slipway-test/jts-args",
        "--build-arg",
        "NODE_VERSION=20",
        "--build-arg",
        "BASE_IMAGE=slim",
        "--build-arg",
        "SIZE_LIMIT=500MB",
        "--build-arg",
        "VCS_REF=abc",
        "--build-arg",
        "NODE_VERSON=18",
        "--provenance=mode=max",
        "--metadata-file",
        metadata.to_str().expect("text"),
    ];
    let built = project.build(SPEC, &args).expect_ok();
    assert!(
        built.err.contains("nothing that is built uses the build argument `NODE_VERSON`"),
        "{}",
        built.err
    );
    assert_eq!(config("slipway-test/jts-args")["Labels"]["org.opencontainers.image.revision"], "abc");
    let container = Container::start("slipway-test/jts-args", &[]);
    let version = container.exec(&["node", "--version"]).expect_ok().out;
    assert!(version.starts_with("v20."), "{version}");
    let metadata = project.read("metadata.json");
    assert!(
        metadata.contains("pkg:docker/node@20-bookworm-slim") && metadata.contains("\"sha256\""),
        "{metadata}"
    );
}

/// S1-1, S1-21: a stage for development with other content, and hot reload from this machine.
fn development(project: &Project) {
    project.build(SPEC, &["--target", "api-gateway:dev", "-t", "jts/api-gateway-dev"]).expect_ok();
    let config = config("jts/api-gateway-dev");
    assert_eq!(config["Cmd"], json!(["npm", "run", "dev"]));
    assert_eq!(config["ExposedPorts"], json!({ "3000/tcp": {}, "3001/tcp": {}, "9229/tcp": {} }));
    let files = files("jts/api-gateway-dev");
    for expected in
        ["/usr/bin/git", "/app/apps/api-gateway/src/main.ts", "/app/node_modules/typescript/package.json"]
    {
        assert!(files.contains(&expected.to_owned()), "{expected}");
    }
    project.build(SPEC, &["--target", "api-gateway:build", "-t", "slipway-test/jts-build"]).expect_ok();
    let listing = integration_tests::files("slipway-test/jts-build");
    assert!(listing.contains(&"/app/apps/api-gateway/dist/main.js".to_owned()));
    assert!(!listing.iter().any(|file| file.contains("slipway-marker")), "markers are not in the context");
}
