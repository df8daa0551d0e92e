//! The market system, as its README shows it: one file, unchanged, through build, bake and
//! Compose, then asked over HTTP and websocket.

#![allow(clippy::expect_used, clippy::panic)]

use integration_tests::feed::Feed;
use integration_tests::{Project, config, docker, docker_in, files};
use serde_json::{Value, json};

const SPEC: &str = "market.spec.yaml";
const PORT: &str = "18980";
const COMPONENTS: [&str; 4] = ["orders", "feed", "web", "ingress"];

/// An answer of the ingress: status, headers, body.
fn http(method: &str, path: &str, body: &str) -> (u16, String, String) {
    let answer = integration_tests::http(PORT.parse().expect("a number"), method, path, body);
    (answer.status, answer.head, answer.body)
}

fn compose(project: &Project, args: &[&str]) -> integration_tests::Said {
    let fixed = ["compose", "-f", SPEC, "-p", "slipway-test-market"];
    docker_in(project.path(), &[("MARKET_PORT", PORT)], &[&fixed, args].concat())
}

fn in_container(project: &Project, service: &str, args: &[&str]) -> integration_tests::Said {
    compose(project, &[&["exec", "-T", service], args].concat())
}

#[test]
fn builds_bakes_and_runs() {
    let project = Project::copy_of("specs/market");

    // One by one.
    for component in COMPONENTS {
        let tag = format!("slipway-test/{component}");
        project.build(SPEC, &["--target", component, "-t", &tag]).expect_ok();
        let config = config(&tag);
        assert_eq!(config["User"], "1001:1001", "{component}");
        assert!(config["Healthcheck"]["Test"].is_array(), "{component}");
        no_build_tools(component, &files(&tag));
    }
    assert_eq!(config("slipway-test/orders")["Cmd"], json!(["node", "dist/main.js"]));
    assert_eq!(config("slipway-test/orders")["ExposedPorts"], json!({ "18081/tcp": {} }));
    assert_eq!(config("slipway-test/ingress")["ExposedPorts"], json!({ "8080/tcp": {} }));
    assert!(config("slipway-test/orders")["Env"].to_string().contains("NODE_ENV=production"));
    assert!(
        !config("slipway-test/orders")["Env"].to_string().contains("FEED_URL"),
        "environment is for run time"
    );

    // All at once.
    let baked = docker_in(project.path(), &[], &["buildx", "bake", "-f", SPEC]).expect_ok();
    for component in COMPONENTS {
        assert!(baked.err.contains(&format!("market/{component}")), "bake named {component}'s image");
    }

    // And running.
    compose(&project, &["up", "--build", "--wait", "--wait-timeout", "120"]).expect_ok();
    let result = std::panic::catch_unwind(|| the_system_answers(&project));
    let logs = compose(&project, &["logs"]);
    compose(&project, &["down", "-t", "10"]).expect_ok();
    if let Err(panic) = result {
        eprintln!("{}", logs.out);
        std::panic::resume_unwind(panic);
    }
}

fn the_system_answers(project: &Project) {
    let (status, head, body) = http("GET", "/", "");
    assert_eq!(status, 200);
    assert!(head.contains("cache-control: no-store"), "{head}");
    let script = body.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a script");
    let (status, head, _) = http("GET", script, "");
    assert_eq!(status, 200);
    assert!(head.contains("immutable"), "{script}: {head}");
    for (path, expected) in
        [("/some/page", 200), ("/@vite/client", 404), ("/@fs/etc/passwd", 404), ("/gone.js", 404)]
    {
        assert_eq!(http("GET", path, "").0, expected, "{path}");
    }
    let (status, _, body) = http("GET", "/api/health", "");
    assert_eq!(
        (status, serde_json::from_str::<Value>(&body).expect("JSON")["status"].clone()),
        (200, json!("ok"))
    );

    let mut feed = Feed::open(PORT.parse().expect("a number"));
    let (status, _, _) = http("POST", "/api/orders", r#"{"ticker":"HULL","side":"sell","quantity":7}"#);
    assert_eq!(status, 201);
    let event = feed.message();
    assert!(event.starts_with("42[\"order\"") && event.contains("HULL"), "{event}");
    assert_eq!(http("POST", "/api/orders", r#"{"ticker":"NONE","side":"sell","quantity":7}"#).0, 400);

    for service in COMPONENTS {
        let id = in_container(project, service, &["id"]).expect_ok().out;
        assert!(id.starts_with("uid=1001(app) gid=1001(app)"), "{service}: {id}");
        let status = in_container(project, service, &["cat", "/proc/1/status"]).expect_ok().out;
        assert!(status.contains("Uid:\t1001\t1001"), "{service}: process 1 runs as the user");
        let write = in_container(project, service, &["touch", "/app-was-here"]);
        assert!(!write.ok && write.err.contains("Read-only file system"), "{service}: {}", write.err);
    }
    let stop = compose(project, &["stop", "-t", "20", "orders", "ingress"]);
    stop.expect_ok();
    for service in ["orders", "ingress"] {
        let name = format!("slipway-test-market-{service}-1");
        let code = docker(&["inspect", "-f", "{{.State.ExitCode}}", &name]).expect_ok().out;
        assert_eq!(code.trim(), "0", "{service} stops in an orderly way");
    }
}

fn no_build_tools(component: &str, files: &[String]) {
    assert!(files.len() > 100, "{component}: the listing is whole");
    let unwanted = ["/npm", "/npx", "/corepack", "/tsc", "/gcc", "/cc", "/make", "/vite"];
    for file in files {
        let tool = unwanted.iter().any(|name| file.ends_with(name) && file.contains("/bin/"));
        assert!(!tool, "{component} holds {file}");
        for part in ["/node_modules/typescript/", "/node_modules/vite/", "/node_modules/npm/"] {
            assert!(!file.contains(part), "{component} holds {file}");
        }
        let ours = file.starts_with("/srv/www/") || file.starts_with("/app/dist/");
        assert!(!(ours && file.strip_suffix(".map").is_some()), "{component} holds {file}");
    }
}
