//! The spec of `TraderX` on a checkout in small: nine of its ten images are built, all of it runs, and is
//! asked through the ingress. The numbers S0-… are those of the acceptance table.

#![allow(clippy::expect_used, clippy::panic)]

use std::process::Command;

use integration_tests::traderx::{SPEC, checkout};
use integration_tests::{Project, Said, config, docker, docker_in, http, nothing_superfluous, weight};

/// There is no .NET where the tests run: people-service is another image.
const OVERRIDE: &str = "\
services:
  people-service:
    build: !reset null
    image: busybox
    entrypoint: [sh, -c, \"mkdir -p /tmp/www/swagger/v1 && echo '{}' > /tmp/www/swagger/v1/swagger.json && exec httpd -f -p 18089 -h /tmp/www\"]
    user: 1001:1001
    healthcheck: { test: [CMD, wget, -q, -O, /dev/null, \"http://127.0.0.1:18089/swagger/v1/swagger.json\"] }
";
const BUILT: [&str; 9] = [
    "database",
    "reference-data",
    "trade-feed",
    "account-service",
    "position-service",
    "trade-processor",
    "trade-service",
    "web-front-end-angular",
    "ingress",
];

fn compose(project: &Project, env: &[(&str, &str)], args: &[&str]) -> integration_tests::Said {
    let fixed = ["compose", "-f", SPEC, "-f", "override.yaml", "-p", "slipway-test-traderx"];
    docker_in(project.path(), env, &[&fixed, args].concat())
}

/// The origin that reference-data allows for a request from this one.
fn allowed(origin: &str) -> bool {
    let name = "slipway-test-traderx-reference-data-1";
    let script = format!(
        "fetch('http://127.0.0.1:18085/health', {{ headers: {{ origin: '{origin}' }} }}).then(r => console.log(r.headers.get('access-control-allow-origin')))"
    );
    docker(&["exec", name, "node", "-e", &script]).expect_ok().out.trim() == origin
}

#[test]
fn ten_components() {
    let project = checkout();
    project.write("override.yaml", OVERRIDE);
    let bake = [&["buildx", "bake", "--progress=plain", "-f", SPEC][..], &BUILT].concat();
    docker_in(project.path(), &[], &bake).expect_ok();
    for component in BUILT {
        let image = format!("ghcr.io/finos/traderx-c0/{component}");
        let config = config(&image);
        assert_eq!(config["User"], "1001:1001", "{component}");
        assert!(config["Healthcheck"]["Test"].is_array(), "{component}");
        assert_eq!(config["Labels"]["org.opencontainers.image.licenses"], "Apache-2.0", "{component}");
    }
    for component in ["reference-data", "trade-feed", "web-front-end-angular", "ingress"] {
        let image = format!("ghcr.io/finos/traderx-c0/{component}");
        nothing_superfluous(&image, true);
        assert!(weight(&image) < 150_000_000, "{component}");
    }
    for component in BUILT {
        project.verify(SPEC, &["--target", &format!("{component}:verify")], &[component]);
    }
    let up = ["up", "--wait", "--wait-timeout", "180"];
    compose(&project, &[("TRADERX_FQDN", "demo.example.org")], &up).expect_ok();
    let result = std::panic::catch_unwind(|| {
        // S0-5, S0-6, S0-7
        for (path, expected) in [
            ("/health", 200),
            ("/", 200),
            ("/some/page", 200),
            ("/main-A1B2C3D4.js", 200),
            ("/@vite/client", 404),
            ("/@fs/etc/passwd", 404),
            ("/ng-cli-ws", 404),
            ("/reference-data/stocks", 200),
            ("/account-service/account/22214", 200),
            ("/position-service/positions/22214", 200),
            ("/trade-service/v3/api-docs", 200),
            ("/trade-processor/v3/api-docs", 200),
            ("/api/docs/", 200),
        ] {
            assert_eq!(http(8080, "GET", path, "").status, expected, "{path}");
        }
        // FR-303, FR-305, FR-306, NFR-315: what is offered is there, and every service is well.
        project.build(SPEC, &["--target", ":bundle", "--output", "bundle"]).expect_ok();
        let test = Command::new(project.path().join("bundle/test-env.sh"))
            .env("COMPOSE_PROJECT_NAME", "slipway-test-traderx")
            .env("TRADERX_URL", "http://localhost:8080")
            .output();
        let test = Said::new(&test.expect("bash is installed")).expect_ok();
        for line in [
            "people-service: GET /people-service/swagger/v1/swagger.json answers 200",
            "redirect: GET /api/docs answers 301",
        ] {
            assert!(test.out.contains(&format!("ok    {line}")), "{}", test.out);
        }
        let catalog = http(8080, "GET", "/api/docs/catalog.json", "").body;
        let catalog: serde_json::Value = serde_json::from_str(&catalog).expect("JSON");
        let apis = catalog["services"].as_array().expect("services");
        assert_eq!(apis.len(), 6);
        for api in apis {
            let contract = format!("/api/docs/{}", api["contract"].as_str().expect("a path"));
            assert_eq!(http(8080, "GET", &contract, "").status, 200, "{contract}");
        }
        // S0-8, S0-9: whom it answers is derived from the domain.
        assert!(allowed("https://demo.example.org") && allowed("http://demo.example.org"));
        assert!(allowed("http://localhost:8080"));
        assert!(!allowed("https://elsewhere.example.org"));
        // S0-10: an explicit list overrides.
        let env =
            [("TRADERX_FQDN", "demo.example.org"), ("CORS_ALLOWED_ORIGINS", "https://only.example.org")];
        compose(&project, &env, &["up", "--wait", "--no-deps", "reference-data"]).expect_ok();
        assert!(allowed("https://only.example.org") && !allowed("https://demo.example.org"));
        compose(&project, &[], &["stop", "-t", "10"]).expect_ok();
        for component in BUILT {
            let name = format!("slipway-test-traderx-{component}-1");
            let state =
                docker(&["inspect", "-f", "{{.State.ExitCode}} {{.HostConfig.ReadonlyRootfs}}", &name])
                    .expect_ok()
                    .out;
            assert_eq!(
                state.trim(),
                "0 true",
                "{component} stops in an orderly way, on a root that refuses writes"
            );
        }
    });
    let logs = compose(&project, &[], &["logs"]);
    compose(&project, &[], &["down", "-v", "-t", "5"]).expect_ok();
    if let Err(panic) = result {
        eprintln!("{}", logs.out);
        std::panic::resume_unwind(panic);
    }
}
