//! `TraderX`: the rows of the acceptance tables, one by one.

use std::collections::BTreeSet;
use std::path::Path;

use integration_tests::traderx::{SPEC as TRADERX, WITHOUT_NET, checkout as traderx};
use integration_tests::{Project, docker_in};
use serde_json::Value;

use crate::tools::{
    below, compose_config, json, manifests_are_valid, read, run, scripts, scripts_are_sound,
    workflows_are_valid, write,
};

const TEN: [&str; 10] = [
    "account-service",
    "database",
    "ingress",
    "people-service",
    "position-service",
    "reference-data",
    "trade-feed",
    "trade-processor",
    "trade-service",
    "web-front-end-angular",
];

/// Component packaging of `TraderX`: B.0, and what A.1 to A.11 mark as to be generated.
#[test]
fn traderx_bundle() {
    let project = traderx();
    let bundle = write(&project, TRADERX, ":bundle");
    // A.2, S0-14, S0-18
    let expected = [
        ".env.example",
        ".gitignore",
        ".shellcheckrc",
        ".traderx-state/STATE.md",
        ".traderx-state/state.json",
        "ARCHITECTURE.md",
        "README.md",
        "ci/prune-manifest.json",
        "ci/state-metadata.json",
        "compose.registry.yaml",
        "compose.yaml",
        "images.lock",
        "ingress/catalog.json",
        "ingress/nginx.conf",
        "ingress/reverse-proxy.snippet.conf",
        "ingress/state-ui.json",
        "ingress/status-checks.json",
        "runtime/deploy/aws-ec2-compose/README.md",
        "runtime/deploy/aws-ec2-compose/cleanup.sh",
        "runtime/deploy/aws-ec2-compose/deploy.sh",
        "runtime/deploy/aws-ec2-compose/host-setup-check.sh",
        "runtime/deploy/aws-ec2-compose/host-setup-install.sh",
        "runtime/deploy/aws-ec2-compose/nginx.reverse-proxy.snippet.conf",
        "runtime/deploy/aws-ec2-compose/upgrade.sh",
        "scripts/lib.sh",
        "scripts/start-state-004-containerized-generated.sh",
        "scripts/status-state-004-containerized-generated.sh",
        "scripts/stop-state-004-containerized-generated.sh",
        "scripts/test-state-004-containerized-generated.sh",
        "start-env.sh",
        "status-env.sh",
        "stop-env.sh",
        "test-env.sh",
    ];
    let all = below(&bundle);
    let (of_components, all): (Vec<&str>, Vec<&str>) =
        all.iter().map(String::as_str).partition(|path| path.starts_with("components/"));
    assert_eq!(all, expected);
    assert_eq!(of_components, TEN.map(|name| format!("components/{name}/SPEC.manifest.json")));
    describes_itself(&bundle);
    scripts_are_sound(&bundle, 5);

    is_hardened(&bundle);
    follows_the_domain(&bundle);
    // S0-16, S0-17
    let start = bundle.join("start-env.sh");
    let dry = |args: &[&str]| run(&bundle, &[], &start.to_string_lossy(), args).expect_ok().out;
    assert!(dry(&["--dry-run"]).contains("up -d --build"));
    assert!(dry(&["--dry-run", "--skip-build"]).contains("up -d --no-build"));

    deploys(&bundle);
    has_states(&bundle);

    changes_with_the_spec(&project);
}

/// A.2: a manifest for each component, a picture of all; FR-302: where everything is reached.
fn describes_itself(bundle: &Path) {
    let account = json(bundle, "components/account-service/SPEC.manifest.json");
    assert_eq!(
        (&account["id"], &account["kind"], &account["recipe"]),
        (&"account-service".into(), &"service".into(), &"java".into())
    );
    assert_eq!(account["runtime"]["ports"], serde_json::json!(["18088/tcp"]));
    assert_eq!(account["runtime"]["dependsOn"], serde_json::json!(["database", "people-service"]));
    assert_eq!(account["runtime"]["routes"], serde_json::json!(["/account-service/"]));
    assert_eq!(account["contract"], "account-service/openapi.yaml");
    let picture = read(bundle, "ARCHITECTURE.md");
    assert!(
        picture.contains("ingress -->|\"/trade-feed/\"| trade_feed")
            && picture.contains("account_service -.-> database"),
        "{picture}"
    );
    let readme = read(bundle, "README.md");
    for entry in [
        "<http://localhost:8080/>",
        "<http://localhost:8080/api/docs/>",
        "<http://localhost:8080/health>",
        "`localhost:18082`",
        "`localhost:18093`",
    ] {
        assert!(readme.contains(entry), "{entry}: {readme}");
    }
    let pruned = json(bundle, "ci/prune-manifest.json");
    assert_eq!(pruned["targetPaths"], serde_json::json!(["edge-proxy"]));
}

fn is_hardened(bundle: &Path) {
    // S0-1, A.13-1, A.13-4, A.13-8: ten services, images alone, hardened, and in order.
    let config = compose_config(bundle, &[], &["compose.yaml"]);
    assert_eq!(config["name"], "traderx-state-004");
    let services = config["services"].as_object().expect("services");
    assert_eq!(services.keys().map(String::as_str).collect::<Vec<_>>(), TEN);
    for (name, service) in services {
        assert!(service.get("build").is_none(), "{name}");
        assert_eq!(service["image"], format!("ghcr.io/finos/traderx-c0/{name}:latest"));
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], serde_json::json!(["no-new-privileges:true"]), "{name}");
        assert_eq!(service["restart"], "unless-stopped", "{name}");
        assert!(!service["deploy"]["resources"]["limits"]["memory"].is_null(), "{name}");
        for (other, how) in service["depends_on"].as_object().into_iter().flatten() {
            assert_eq!(how["condition"], "service_healthy", "{name} waits for {other}");
        }
    }
    let ours = read(bundle, "compose.yaml");
    let (first, last) = (ours.find("  database:").expect("first"), ours.find("  ingress:").expect("last"));
    assert!(first < last && ours.contains("user: \"1001:1001\""));
    // The variant of a registry, and images by digest.
    let registry = [("TRADERX_REGISTRY", "registry.example.org"), ("TRADERX_IMAGE_TAG", "1.2")];
    let config = compose_config(bundle, &registry, &["compose.yaml", "compose.registry.yaml"]);
    assert_eq!(config["services"]["database"]["image"], "registry.example.org/finos/traderx-c0/database:1.2");
    let digest = format!("localhost:5000/x@sha256:{}", "0a".repeat(32));
    let config = compose_config(bundle, &[("TRADERX_DATABASE_IMAGE", &digest)], &["compose.yaml"]);
    assert_eq!(config["services"]["database"]["image"], digest);
}

fn follows_the_domain(bundle: &Path) {
    let ours = read(bundle, "compose.yaml");
    // S0-8, S0-9, S0-10, A.11: whom services answer follows the domain.
    let origins = |env: &[(&str, &str)]| {
        compose_config(bundle, env, &["compose.yaml"])["services"]["reference-data"]["environment"]["CORS_ALLOWED_ORIGINS"].clone()
    };
    assert_eq!(
        origins(&[("TRADERX_FQDN", "d.example.org")]),
        "https://d.example.org,http://d.example.org,http://localhost:8080"
    );
    assert_eq!(origins(&[("TRADERX_FQDN", "d"), ("CORS_ALLOWED_ORIGINS", "https://only")]), "https://only");
    let hardcoded = ours.lines().find(|line| line.contains("CORS_ALLOWED_ORIGINS: http"));
    assert_eq!(hardcoded, None);
}

fn changes_with_the_spec(project: &Project) {
    // S0-3, NFR-304, and item 10: the same spec, the same bytes; another spec, other bytes.
    let again = project.path().join("again");
    project
        .build(TRADERX, &["--no-cache", "--target", ":bundle", "--output", &again.to_string_lossy()])
        .expect_ok();
    run(project.path(), &[], "diff", &["-r", "out-bundle", "again"]).expect_ok();
    let spec = project.read(TRADERX);
    project.write(
        TRADERX,
        &spec.replace("DATABASE_WEB_HOSTNAMES: localhost,database", "DATABASE_WEB_HOSTNAMES: database"),
    );
    let changed = write(project, TRADERX, ":bundle");
    assert!(read(&changed, "compose.yaml").contains("DATABASE_WEB_HOSTNAMES: database\n"));
    // A time that is given is in the state, and nobody else's.
    project
        .build(
            TRADERX,
            &[
                "--build-arg",
                "SOURCE_DATE_EPOCH=1700000000",
                "--target",
                ":bundle",
                "--output",
                &again.to_string_lossy(),
            ],
        )
        .expect_ok();
    assert_eq!(json(&again, ".traderx-state/state.json")["generatedAtUtc"], "2023-11-14T22:13:20Z");

    // NFR-314, NFR-327, SC-318: what is pruned must be gone.
    project.write("edge-proxy/index.js", "");
    let said = project.build(TRADERX, &["--target", ":bundle", "--output", "none"]);
    assert!(
        !said.ok && said.err.contains("`edge-proxy` is removed in this state, and its folder is still there"),
        "{}",
        said.err
    );
    std::fs::remove_dir_all(project.path().join("edge-proxy")).expect("removed");

    // S0-11, S0-13: another way of messages, and nothing of the old one is left.
    let nats = spec
        .replace(
            "        - { path: /socket.io/, service: trade-feed, websocket: true }\n",
            "        - { path: /nats-ws, service: nats, port: 9222, websocket: true }\n",
        )
        .replace("service: trade-feed, strip: true, websocket: true", "service: trade-feed, strip: true")
        .replace("\nvolumes:\n", "\n  nats:\n    image: nats:2\n    expose: [\"9222\"]\n\nvolumes:\n");
    project.write(TRADERX, &nats);
    let nats = write(project, TRADERX, ":bundle");
    let snippet = read(&nats, "runtime/deploy/aws-ec2-compose/nginx.reverse-proxy.snippet.conf");
    assert!(
        snippet.contains("location = /nats-ws {")
            && !snippet.contains("socket.io")
            && !snippet.contains("trade-feed"),
        "{snippet}"
    );
    assert_eq!(json(&nats, "ingress/state-ui.json")["features"]["pubSubInspector"], true);
}

/// A.7, A.13-2, A.13-3, S0-12, S0-15
fn deploys(bundle: &Path) {
    let folder = bundle.join("runtime/deploy/aws-ec2-compose");
    let deploy = |env: &[(&str, &str)], script: &str, args: &[&str]| {
        run(&folder, env, &folder.join(script).to_string_lossy(), args)
    };
    let source = deploy(&[("HOME", "/home/x")], "deploy.sh", &["--dry-run"]).expect_ok().out;
    assert!(source.contains("git clone --branch code/generated-state-004-containerized-compose-runtime https://github.com/finos/traderX.git /home/x/traderx"), "{source}");
    assert!(source.contains("traderx.spec.yaml --project-name traderx-state-004 up -d --build"), "{source}");
    let images =
        deploy(&[("TRADERX_IMAGE_TAG", "1.2")], "deploy.sh", &["--dry-run", "--use-ghcr"]).expect_ok().out;
    assert!(
        images.contains("compose.yaml --project-name traderx-state-004 pull")
            && !images.contains("git clone"),
        "{images}"
    );
    assert!(
        images.contains("https://demo.traderx.finos.org,http://demo.traderx.finos.org,http://localhost:8080"),
        "{images}"
    );
    let own = deploy(&[("TRADERX_FQDN", "d.example.org")], "deploy.sh", &["--dry-run"]).expect_ok().out;
    assert!(
        own.contains("for d.example.org; browsers of https://d.example.org,http://d.example.org"),
        "{own}"
    );
    let none = deploy(&[("TRADERX_FQDN", "")], "deploy.sh", &["--dry-run"]);
    assert!(!none.ok && none.err.contains("TRADERX_FQDN is empty"), "{}", none.err);
    // Compose is told: what deploy.sh exports is what services get.
    let told = "docker() { printf '%s %s %s\\n' \"$TRADERX_FQDN\" \"$TRADERX_IMAGE_TAG\" \"$CORS_ALLOWED_ORIGINS\"; }; export -f docker; exec ./deploy.sh --use-registry";
    let told = run(
        &folder,
        &[("TRADERX_IMAGE_TAG", "1.2"), ("TRADERX_FQDN", "d.example.org")],
        "bash",
        &["-c", told],
    )
    .expect_ok()
    .out;
    assert!(told.contains("d.example.org 1.2 https://d.example.org,"), "{told}");
    // Cleaning up takes what upgrade.sh takes.
    let upgrade = deploy(
        &[("TRADERX_RUN_CLEANUP", "1"), ("TRADERX_PRUNE_DOCKER", "1")],
        "upgrade.sh",
        &["--dry-run", "--use-ghcr"],
    )
    .expect_ok()
    .out;
    assert!(
        upgrade.contains("down --remove-orphans")
            && upgrade.contains("system prune")
            && upgrade.contains(" pull"),
        "{upgrade}"
    );
    for path in scripts(bundle) {
        let text = read(bundle, &path).to_lowercase();
        assert!(
            !text.contains("@github") && !text.contains("token=") && !text.contains("password"),
            "{path}"
        );
    }
    let snippet = read(&folder, "nginx.reverse-proxy.snippet.conf");
    assert_eq!(snippet, read(bundle, "ingress/reverse-proxy.snippet.conf"));
    let locations: Vec<&str> = snippet.lines().filter(|line| line.starts_with("location")).collect();
    assert_eq!(locations, ["location /trade-feed/ {", "location /socket.io/ {"]);
    for word in ["proxy_http_version 1.1;", "Upgrade $http_upgrade;", "Connection \"upgrade\";"] {
        assert_eq!(snippet.matches(word).count(), 2, "{word}");
    }
}

/// A.5, A.10, NFR-311 to NFR-313, FR-304 to FR-306
fn has_states(bundle: &Path) {
    let state = json(bundle, ".traderx-state/state.json");
    assert_eq!(state["stateId"], "004-containerized-compose-runtime");
    assert_eq!((&state["convergenceLevel"], &state["isConvergenceState"]), (&"C0".into(), &true.into()));
    assert_eq!(state["generatedAtUtc"], Value::Null);
    let metadata = json(bundle, "ci/state-metadata.json");
    assert_eq!(metadata["modules"]["docker"].as_array().map(Vec::len), Some(10));
    assert_eq!(metadata["deploy"]["domainHint"], "demo.traderx.finos.org");
    let ui = json(bundle, "ingress/state-ui.json");
    assert_eq!(
        ui["features"],
        serde_json::json!({ "statusPage": true, "apiExplorer": true, "pubSubInspector": false })
    );
    let checks = ui["statusChecks"].as_array().expect("checks");
    let ids: BTreeSet<&str> = checks.iter().filter_map(|check| check["id"].as_str()).collect();
    assert_eq!(ids, BTreeSet::from(TEN));
    let path = |id: &str| checks.iter().find(|check| check["id"] == id).expect("a check")["url"].clone();
    assert_eq!(path("position-service"), "/position-service/health/alive");
    let catalog = json(bundle, "ingress/catalog.json");
    let apis: Vec<&str> = catalog["services"]
        .as_array()
        .expect("services")
        .iter()
        .filter_map(|api| api["runtimeBasePath"].as_str())
        .collect();
    assert_eq!(
        apis,
        [
            "/reference-data",
            "/people-service",
            "/account-service",
            "/position-service",
            "/trade-processor",
            "/trade-service"
        ]
    );

    // Another state than the scripts': said, refused, mended.
    let own = read(bundle, "ci/state-metadata.json");
    let start = bundle.join("start-env.sh");
    let with = |state: &str, env: &[(&str, &str)]| {
        std::fs::write(
            bundle.join("ci/state-metadata.json"),
            own.replace("004-containerized-compose-runtime", state),
        )
        .expect("a file");
        run(bundle, env, &start.to_string_lossy(), &["--dry-run"])
    };
    let forward = with("003-before", &[]).expect_ok();
    assert!(
        forward.err.contains("a forward transition, from 003-before")
            && forward.err.contains("--target :bundle"),
        "{}",
        forward.err
    );
    let backward = with("009-later", &[]).expect_ok();
    assert!(
        backward.err.contains("a backward transition") && backward.err.contains("clean folder"),
        "{}",
        backward.err
    );
    let strict = with("009-later", &[("TRADERX_STATE_MISMATCH_STRICT", "1")]);
    assert!(!strict.ok && strict.err.contains("[error] the state is 009-later"), "{}", strict.err);
    std::fs::copy(bundle.join("../traderx.spec.yaml"), bundle.join("traderx.spec.yaml")).expect("copied");
    let mended = with("003-before", &[("TRADERX_REGENERATE_ON_STATE_MISMATCH", "1")]).expect_ok();
    assert!(mended.out.contains("[dry-run] docker buildx build -f"), "{}", mended.out);
    // With the sources' spec beside them, the scripts build from it.
    assert!(
        mended.out.contains("traderx.spec.yaml --project-name traderx-state-004 up -d --build"),
        "{}",
        mended.out
    );
    std::fs::remove_file(bundle.join("traderx.spec.yaml")).expect("removed");
    std::fs::write(bundle.join("ci/state-metadata.json"), own).expect("a file");
}

/// S0-2, A.9, and the same for Kubernetes.
#[test]
fn traderx_manifests_workflows_and_dockerfiles() {
    let project = traderx();
    let manifests = write(&project, TRADERX, ":kubernetes");
    manifests_are_valid(&manifests);
    let account = read(&manifests, "account-service.yaml");
    for part in [
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "fsGroup: 1001",
        "terminationGracePeriodSeconds: 10",
        "path: /v3/api-docs",
        "memory: 768Mi",
        "CORS_ALLOWED_ORIGINS: https://demo.traderx.finos.org,http://demo.traderx.finos.org,http://localhost:8080",
    ] {
        assert!(account.contains(part), "{part}: {account}");
    }
    assert!(read(&manifests, "ingress.yaml").contains("host: demo.traderx.finos.org"));
    assert!(read(&manifests, "volumes.yaml").contains("kind: PersistentVolumeClaim"));

    let workflows = write(&project, TRADERX, ":workflows");
    workflows_are_valid(&workflows);
    let publish = read(&workflows, ".github/workflows/build-and-publish.yml");
    for component in TEN {
        let entry =
            format!("- component: {component}\n            image: ghcr.io/finos/traderx-c0/{component}\n");
        assert!(publish.contains(&entry), "{component}: {publish}");
    }
    assert!(!publish.contains("edge-proxy") && publish.contains("code/generated-state-*"));
    let security = read(&workflows, ".github/workflows/security.yml");
    for job in ["\n  node:\n", "\n  java:\n", "\n  dotnet:\n", "\n  images:\n"] {
        assert!(security.contains(job), "{job}");
    }
    assert!(!security.contains("\n  rust:\n"), "there is no Rust in it");
    // Bake takes its file, laid over the spec.
    let args = ["buildx", "bake", "-f", TRADERX, "-f", "out-workflows/docker-bake.hcl", "--print"];
    let env = [("CACHE", "gha"), ("TAG", "1.2")];
    let plan: Value =
        serde_json::from_str(&docker_in(project.path(), &env, &args).expect_ok().out).expect("JSON");
    for component in TEN {
        let target = &plan["target"][component];
        assert_eq!(target["tags"], serde_json::json!([format!("ghcr.io/finos/traderx-c0/{component}:1.2")]));
        assert_eq!(target["cache-to"][0]["scope"], component);
    }

    // A state on the way to the next level publishes nothing.
    let spec = project.read(TRADERX);
    project.write("way.spec.yaml", &spec.replace("convergence: C0", "convergence: none"));
    let on_the_way = write(&project, "way.spec.yaml", ":workflows");
    workflows_are_valid(&on_the_way);
    assert!(!below(&on_the_way).contains(".github/workflows/build-and-publish.yml"));
    let builds = read(&on_the_way, ".github/workflows/build-container-images.yml");
    assert!(builds.contains("trivy-action") && builds.contains("load: true"), "{builds}");
    for part in ["push:  ${{", "push: ${{", "login-action", "cosign", "packages: write"] {
        assert!(!builds.contains(part), "{part}: {builds}");
    }

    // Where the images of .NET cannot be reached, what is written is the same.
    let args = [&["--target", ":dockerfiles", "--output", "dockerfiles"], &WITHOUT_NET[..]].concat();
    project.build(TRADERX, &args).expect_ok();
    let dockerfiles = project.path().join("dockerfiles");
    for component in TEN {
        assert!(
            read(&dockerfiles, &format!("{component}/Dockerfile.compose")).contains("FROM "),
            "{component}"
        );
    }
    let ignore = write(&project, TRADERX, ":dockerignore");
    let ignored = read(&ignore, ".dockerignore");
    for line in [".git", "**/node_modules", "**/.env.*", "!**/.env.example", "**/.gradle", "**/obj"] {
        assert!(ignored.lines().any(|known| known == line), "{line}: {ignored}");
    }
}
