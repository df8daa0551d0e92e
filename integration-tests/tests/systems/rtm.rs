//! RTM: a FastAPI service, a worker and a React front end. The numbers S2-… are those of the
//! acceptance table.

#![allow(clippy::expect_used, clippy::panic)]

use integration_tests::{Project, config, docker, docker_in, files, http, nothing_superfluous, weight};
use serde_json::{Value, json};

const SPEC: &str = "rtm.spec.yaml";
const COMPONENTS: [(&str, u64); 3] =
    [("api", 150_000_000), ("worker", 150_000_000), ("frontend", 50_000_000)];

fn image(component: &str) -> String {
    format!("ghcr.io/galafis/real-time-market-intelligence/{component}")
}

fn compose(project: &Project, profile: &str, args: &[&str]) -> integration_tests::Said {
    let fixed = ["compose", "-f", SPEC, "-p", "slipway-test-rtm", "--profile", profile];
    let ports = [("API_PORT", "18911"), ("FRONTEND_PORT", "18912")];
    docker_in(project.path(), &ports, &[&fixed, args].concat())
}

#[test]
fn production_development_and_tests() {
    let project = Project::copy_of("specs/rtm");
    // S2-22: of these nothing gets anywhere.
    for path in [
        "api/.venv/slipway-marker",
        "api/__pycache__/slipway-marker.pyc",
        "frontend/node_modules/slipway-marker/x",
        "api/.env",
        "worker/.pytest_cache/slipway-marker",
    ] {
        project.write(path, "marker");
    }
    let env = [("VCS_REF", "abc123"), ("VERSION", "1.2.3")];
    let bake = ["buildx", "bake", "--progress=plain", "-f", SPEC, "api", "worker", "frontend"];
    let baked = docker_in(project.path(), &env, &bake).expect_ok();
    // S2-32: only what is read is sent.
    let sent: Vec<&str> = baked.err.lines().filter(|line| line.contains("transferring context: ")).collect();
    assert!(
        !sent.is_empty() && !sent.iter().any(|line| line.contains("MB")),
        "the context is small: {sent:?}"
    );
    images();
    production(&project);
    compose(&project, "test", &["run", "--rm", "--build", "api-test"]).expect_ok();
    red_tests(&project);
    hot_reload(&project);
}

fn images() {
    for (component, limit) in COMPONENTS {
        let image = image(component);
        let config = config(&image);
        assert_eq!(config["User"], "1001:0", "S2-4: {component}");
        assert_eq!(config["Labels"]["org.opencontainers.image.revision"], "abc123", "S2-9: {component}");
        assert_eq!(config["Labels"]["org.opencontainers.image.version"], "1.2.3", "S2-9: {component}");
        nothing_superfluous(&image, true);
        let listing = files(&image);
        assert!(
            !listing.iter().any(|file| file.contains("slipway-marker") || file.contains("/tests/test_")),
            "{component}"
        );
        assert!(weight(&image) < limit, "{component} weighs {}", weight(&image));
    }
    // What a minimal Python needs beyond what its files name: trust, and what ends threads.
    let python = |script: &str| {
        docker(&["run", "--rm", "--read-only", "--entrypoint", "python", &image("api"), "-c", script])
            .expect_ok()
            .out
    };
    let trusted = python("import ssl; print(ssl.create_default_context().cert_store_stats()['x509_ca'])");
    assert!(trusted.trim().parse::<u32>().is_ok_and(|count| count > 50), "{trusted}");
    python(
        "import threading, time; [threading.Thread(target=time.sleep, args=(9,), daemon=True).start() for _ in range(8)]",
    );
    let api = config(&image("api"));
    // S2-7, S2-8, S2-10, S2-12
    assert_eq!(api["ExposedPorts"], json!({ "8000/tcp": {} }));
    assert_eq!(api["Cmd"], json!(["python", "-m", "src.api.main"]));
    let health = &api["Healthcheck"];
    assert_eq!(
        json!([health["Interval"], health["Timeout"], health["Retries"]]),
        json!([30_000_000_000_u64, 3_000_000_000_u64, 3])
    );
    assert!(health["Test"].to_string().contains("http://127.0.0.1:8000/health"));
    let env = api["Env"].to_string();
    assert!(env.contains("PYTHONDONTWRITEBYTECODE=1") && env.contains("PYTHONUNBUFFERED=1"), "{env}");
    assert_eq!(config(&image("frontend"))["ExposedPorts"], json!({ "80/tcp": {} }), "S2-13");
}

fn production(project: &Project) {
    compose(project, "prod", &["up", "--wait", "--wait-timeout", "90"]).expect_ok();
    let result = std::panic::catch_unwind(|| {
        assert_eq!(http(18911, "GET", "/health", "").status, 200);
        // Through nginx: the site, the API behind it, nothing of a development server.
        let page = http(18912, "GET", "/", "");
        assert!(page.body.contains("<div id=") && page.status == 200, "{}", page.body);
        for (path, expected) in [("/some/page", 200), ("/@vite/client", 404), ("/@fs/etc/passwd", 404)] {
            assert_eq!(http(18912, "GET", path, "").status, expected, "{path}");
        }
        let posted = http(18912, "POST", "/api/v1/quotes", r#"{"symbol":"ACME","price":10.5}"#);
        assert!((200..300).contains(&posted.status), "{}", posted.body);
        let quotes = http(18912, "GET", "/api/v1/quotes", "");
        assert!(
            serde_json::from_str::<Value>(&quotes.body).is_ok() && quotes.body.contains("ACME"),
            "{}",
            quotes.body
        );
        for (component, _) in COMPONENTS {
            let name = format!("slipway-test-rtm-{component}-1");
            let inspect =
                |format: &str| docker(&["inspect", "-f", format, &name]).expect_ok().out.trim().to_owned();
            // S2-5, S2-16: refuses writes, and has limits.
            assert_eq!(inspect("{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}}"), "true 536870912");
            assert_eq!(docker(&["diff", &name]).expect_ok().out, "", "{component} writes nothing");
        }
        compose(project, "prod", &["stop", "-t", "10"]).expect_ok();
        for (component, _) in COMPONENTS {
            let name = format!("slipway-test-rtm-{component}-1");
            let code = docker(&["inspect", "-f", "{{.State.ExitCode}}", &name]).expect_ok().out;
            assert_eq!(code.trim(), "0", "S2-23: {component} stops in an orderly way");
        }
    });
    let logs = compose(project, "prod", &["logs"]);
    compose(project, "prod", &["down", "-t", "10"]).expect_ok();
    if let Err(panic) = result {
        eprintln!("{}", logs.out);
        std::panic::resume_unwind(panic);
    }
}

/// `require: [test]`: with a red test there is no image, and the line that asked is shown.
fn red_tests(project: &Project) {
    let path = "worker/tests/test_worker.py";
    let tests = project.read(path);
    project.write(path, &format!("{tests}\n\ndef test_red():\n    assert 1 == 2\n"));
    let refused = project.build(SPEC, &["--target", "worker"]);
    project.write(path, &tests);
    assert!(!refused.ok);
    assert!(
        refused.err.contains("1 failed") && refused.err.contains("python -m pytest -q"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("rtm.spec.yaml:"), "{}", refused.err);
}

/// S2-14: what is changed on this machine is served by the development profile.
fn hot_reload(project: &Project) {
    compose(project, "dev", &["up", "--build", "--detach", "api-dev"]).expect_ok();
    let result = std::panic::catch_unwind(|| {
        let wait = |path: &str, expected: u16| {
            for _ in 0..60 {
                std::thread::sleep(std::time::Duration::from_millis(500));
                let asked = std::panic::catch_unwind(|| http(18911, "GET", path, "").status);
                if asked.is_ok_and(|status| status == expected) {
                    return;
                }
            }
            panic!("no {expected} for {path}: {}", compose(project, "dev", &["logs"]).out);
        };
        wait("/health", 200);
        let main = project.read("api/src/api/main.py");
        project.write("api/src/api/main.py", &main.replace("\"/health\"", "\"/healthier\""));
        wait("/healthier", 200);
        project.write("api/src/api/main.py", &main);
    });
    compose(project, "dev", &["down", "-t", "3"]).expect_ok();
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}
