//! The files about whole projects: every row of the acceptance tables that a spec's owner can have generated, held
//! against real parsers, linters and validators.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use integration_tests::traderx::{SPEC as TRADERX, WITHOUT_NET, checkout as traderx};
use integration_tests::{Project, Said, docker, docker_in, http, repository};
use serde_json::Value;

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

fn write(project: &Project, spec: &str, target: &str) -> PathBuf {
    let folder = project.path().join(format!("out-{}", target.trim_start_matches(':')));
    let _ = std::fs::remove_dir_all(&folder);
    project.build(spec, &["--target", target, "--output", &folder.to_string_lossy()]).expect_ok();
    folder
}

/// All files below a folder, by their paths in it.
fn below(folder: &Path) -> BTreeSet<String> {
    let found = Command::new("find").args([".", "-type", "f"]).current_dir(folder).output().expect("find");
    String::from_utf8_lossy(&found.stdout)
        .lines()
        .map(|line| line.trim_start_matches("./").to_owned())
        .collect()
}

fn read(folder: &Path, path: &str) -> String {
    std::fs::read_to_string(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json(folder: &Path, path: &str) -> Value {
    serde_json::from_str(&read(folder, path)).expect("JSON")
}

/// Runs a program in a folder.
fn run(folder: &Path, env: &[(&str, &str)], program: &str, args: &[&str]) -> Said {
    let output = Command::new(program).args(args).envs(env.iter().copied()).current_dir(folder).output();
    Said::new(
        &output.unwrap_or_else(|error| panic!("{program}: {error}; integration-tests/run.sh installs it")),
    )
}

/// Runs one of the linters that `run.sh` installs from PyPI.
fn linter(folder: &Path, name: &str, args: &[&str]) -> Said {
    let tools = repository().join("target/tools/python");
    let program = tools.join("bin").join(name);
    run(folder, &[("PYTHONPATH", &tools.to_string_lossy())], &program.to_string_lossy(), args)
}

fn scripts(folder: &Path) -> Vec<String> {
    below(folder).into_iter().filter(|path| path.ends_with(".sh")).collect()
}

/// Scripts that a linter accepts, and whose dry runs succeed and change nothing.
#[track_caller]
fn scripts_are_sound(folder: &Path, at_least: usize) {
    let all = scripts(folder);
    assert!(all.len() >= at_least, "{all:?}");
    let args: Vec<&str> = all.iter().map(String::as_str).collect();
    linter(folder, "shellcheck", &args).expect_ok();
    for path in all.iter().filter(|path| !path.ends_with("lib.sh")) {
        let program = folder.join(path);
        let dry = run(folder, &[], &program.to_string_lossy(), &["--dry-run"]).expect_ok();
        assert!(!dry.out.contains("Error"), "{path}: {}", dry.out);
        let unknown = run(folder, &[], &program.to_string_lossy(), &["--no-such-flag"]);
        let expected = "[error] unknown argument: --no-such-flag";
        assert!(!unknown.ok && unknown.err.contains(expected), "{path}: {}{}", unknown.out, unknown.err);
    }
}

/// Compose reads a file without a warning; what it reads.
#[track_caller]
fn compose_config(folder: &Path, env: &[(&str, &str)], files: &[&str]) -> Value {
    let mut args = vec!["compose"];
    for file in files {
        args.extend(["-f", file]);
    }
    args.extend(["--profile", "*", "config", "--format", "json"]);
    let said = docker_in(folder, env, &args).expect_ok();
    assert_eq!(said.err, "", "Compose warns");
    serde_json::from_str(&said.out).expect("JSON")
}

#[track_caller]
fn manifests_are_valid(folder: &Path) {
    let all = below(folder);
    let of_the_cluster: Vec<&str> =
        all.iter().map(String::as_str).filter(|path| *path != "kustomization.yaml").collect();
    let said = linter(folder, "kubernetes-validate", &[&["--strict"], of_the_cluster.as_slice()].concat());
    said.expect_ok();
    let kustomization = read(folder, "kustomization.yaml");
    for path in of_the_cluster.iter().filter(|path| !path.starts_with("secret.")) {
        assert!(kustomization.contains(&format!("- {path}\n")), "{path}: {kustomization}");
    }
}

#[track_caller]
fn workflows_are_valid(folder: &Path) {
    let all: Vec<String> = below(folder).into_iter().filter(|path| path.ends_with(".yml")).collect();
    let workflows: Vec<&str> =
        all.iter().map(String::as_str).filter(|path| path.contains("workflows/")).collect();
    assert!(workflows.len() >= 3, "{workflows:?}");
    let schema = ["--builtin-schema", "vendor.github-workflows"];
    linter(folder, "check-jsonschema", &[&schema[..], &workflows].concat()).expect_ok();
    linter(folder, "zizmor", &["--offline", "--no-progress", "."]).expect_ok();
    scripts_are_sound(folder, 3);
}

/// The linters find what is wrong: a test of them that cannot fail would be none.
#[test]
fn linters_find_what_is_wrong() {
    let project = Project::new(&[
        ("bad.sh", "#!/usr/bin/env bash\nrm -rf $1\n"),
        ("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: { name: x }\nspec: { contaners: [] }\n"),
        (".github/workflows/w.yml", "on: push\njobs: { a: { runs-on: x, step: [] } }\n"),
        (
            ".github/workflows/v.yml",
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{ run: \"echo ${{ github.event.head_commit.message }}\" }]\n",
        ),
    ]);
    let folder = project.path();
    assert!(!linter(folder, "shellcheck", &["bad.sh"]).ok);
    assert!(!linter(folder, "kubernetes-validate", &["--strict", "pod.yaml"]).ok);
    let schema = ["--builtin-schema", "vendor.github-workflows", ".github/workflows/w.yml"];
    assert!(!linter(folder, "check-jsonschema", &schema).ok);
    assert!(!linter(folder, "zizmor", &["--offline", "--no-progress", ".github/workflows/v.yml"]).ok);
}

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

/// The other systems: their bundles, manifests and workflows are as sound.
#[test]
fn other_systems() {
    for (system, spec) in [
        ("market", "market.spec.yaml"),
        ("jts", "jts.spec.yaml"),
        ("rtm", "rtm.spec.yaml"),
        ("bun", "bun.spec.yaml"),
        ("reactbin", "reactbin.spec.yaml"),
    ] {
        let project = Project::copy_of(&format!("specs/{system}"));
        let bundle = write(&project, spec, ":bundle");
        scripts_are_sound(&bundle, 5);
        let example = std::fs::read_to_string(bundle.join(".env.example")).expect("an example");
        // What must have a value gets one, as its reader would give it.
        let filled: String = example
            .lines()
            .map(|line| {
                if line.ends_with('=') && !line.starts_with('#') {
                    format!("{line}x\n")
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
        std::fs::write(bundle.join(".env"), filled).expect("a file");
        let config = compose_config(&bundle, &[], &["compose.yaml"]);
        for (name, service) in config["services"].as_object().expect("services") {
            assert!(service.get("build").is_none(), "{system}: {name}");
        }
        compose_config(&bundle, &[], &["compose.yaml", "compose.registry.yaml"]);
        manifests_are_valid(&write(&project, spec, ":kubernetes"));
        workflows_are_valid(&write(&project, spec, ":workflows"));
        write(&project, spec, ":dockerignore");
    }
}

/// What single systems ask for beyond that.
#[test]
fn rows_of_single_systems() {
    let bun = Project::copy_of("specs/bun");
    let manifests = write(&bun, "bun.spec.yaml", ":kubernetes");
    // S3-12: a job on a schedule.
    let pipeline = read(&manifests, "data-pipeline.yaml");
    assert!(pipeline.contains("kind: CronJob") && pipeline.contains("schedule: \"0 3 * * *\""), "{pipeline}");
    // A person starts it, and a library runs nowhere.
    let all = below(&manifests);
    assert!(!all.contains("cli-tool.yaml") && !all.contains("library.yaml"), "{all:?}");
    // S2-20: what a password is part of is none of the manifests.
    let web = read(&manifests, "web-service.yaml");
    assert!(web.contains("secretKeyRef") && !web.contains("postgresql://"), "{web}");
    assert!(read(&manifests, "secret.example.yaml").contains("DATABASE_URL: \"\""));
    let bundle = write(&bun, "bun.spec.yaml", ":bundle");
    // Other services' images are looked up; S3-15: the database stays as it is written.
    let lock = read(&bundle, "images.lock");
    assert!(lock.contains("BUN_DB_IMAGE=postgres:16@sha256:"), "{lock}");
    assert!(read(&bundle, "compose.yaml").contains("image: ${BUN_DB_IMAGE:-postgres:16}"));
    // S3-16
    let ignored = read(&write(&bun, "bun.spec.yaml", ":dockerignore"), ".dockerignore");
    for line in [
        "**/node_modules",
        "**/dist",
        "**/coverage",
        ".git",
        ".github",
        "**/*.log",
        "**/.env",
        "**/.env.*",
        "!**/.env.example",
        "**/*.md",
        ".claude",
        "specs",
        "tests",
    ] {
        assert!(ignored.lines().any(|known| known == line), "{line}: {ignored}");
    }

    let jts = Project::copy_of("specs/jts");
    let workflows = write(&jts, "jts.spec.yaml", ":workflows");
    let publish = read(&workflows, ".github/workflows/build-and-publish.yml");
    // S1-25 to S1-33
    for part in [
        "- main\n      - develop\n",
        "cancel-in-progress: true",
        "needs: build-base",
        "packages: write",
        "security-events: write",
        "*.platform=linux/amd64,linux/arm64",
        "push: ${{ github.event_name != 'pull_request' }}",
        "type=ref,event=branch",
        "type=ref,event=pr",
        "type=sha,prefix={{branch}}-",
        "type=raw,value=latest,enable=${{ github.ref == 'refs/heads/main' }}",
        "*.cache-to=type=gha,scope=shared-0,mode=max",
        "libs/common/**",
        "package-lock.json",
        "mode=max",
        "upload-sarif@v3",
        "if: always() && ",
        "cosign sign --yes",
        "apps/api-gateway/**",
    ] {
        assert!(publish.contains(part), "{part}: {publish}");
    }
    // S1-34
    let cleanup = read(&workflows, ".github/workflows/cleanup.yml");
    for part in ["cron: \"0 2 * * 0\"", "ghcr-cleanup-action@v1", "keep-n-untagged: 10"] {
        assert!(cleanup.contains(part), "{part}: {cleanup}");
    }

    // S4-9, S4-10, S4-11, S4-12
    let reactbin = Project::copy_of("specs/reactbin");
    let api = read(&write(&reactbin, "reactbin.spec.yaml", ":kubernetes"), "api.yaml");
    for part in
        ["terminationGracePeriodSeconds: 30", "runAsUser: 1001", "runAsNonRoot: true", "name: JWT_SECRET_KEY"]
    {
        assert!(api.contains(part), "{part}: {api}");
    }
    assert_eq!(api.matches("path: /api/v1/health").count(), 3, "all probes ask the same: {api}");

    // S2-18, S2-19, S2-33: and what is for development alone stays away.
    let rtm = Project::copy_of("specs/rtm");
    let api = read(&write(&rtm, "rtm.spec.yaml", ":kubernetes"), "api.yaml");
    for part in ["fsGroup: 0", "memory: 512Mi", "memory: 64Mi", "drop:\n                - ALL"] {
        assert!(api.contains(part), "{part}: {api}");
    }
    let compose = read(&write(&rtm, "rtm.spec.yaml", ":bundle"), "compose.yaml");
    assert!(
        compose.contains("# Left out, as they are built for development alone: api-dev, api-test")
            && !compose.contains("api-dev:"),
        "{compose}"
    );
}

/// S1-22, S2-22, S3-16: nothing of each class is in the context that a Dockerfile would get.
#[test]
fn what_is_ignored_stays_out() {
    let markers = [
        "node_modules/m.js",
        "api/node_modules/m.js",
        ".git/config",
        ".github/workflows/w.yml",
        ".idea/x.xml",
        ".vscode/s.json",
        ".DS_Store",
        "api/.env",
        "api/.env.production",
        "api/debug.log",
        "api/coverage/x",
        "README.md",
        "docs/page.html",
        "api/dist/main.js",
        "py/.venv/x",
        "py/__pycache__/m.pyc",
        "py/.pytest_cache/x",
        "api/tmp/x",
        "api/.cache/x",
    ];
    let kept = ["api/src/main.js", "api/.env.example", "api/package.json", "py/app.py"];
    let project = Project::new(&[]);
    for path in markers.iter().chain(&kept) {
        project.write(path, "x\n");
    }
    project.write("api/package.json", "{ \"name\": \"api\", \"dependencies\": {} }\n");
    project.write(
        "api/package-lock.json",
        "{ \"name\": \"api\", \"lockfileVersion\": 3, \"packages\": { \"\": { \"name\": \"api\" } } }\n",
    );
    project.write("py/requirements.txt", "");
    project.write(
        "x.spec.yaml",
        "# syntax=slipway/frontend:0\nservices:\n  api: { build: { context: ., dockerfile: x.spec.yaml, target: api }, command: [node, src/main.js], x-slipway: { recipe: node, source: api } }\n  py: { build: { context: ., dockerfile: x.spec.yaml, target: py }, x-slipway: { recipe: python, source: py, main: app.py } }\n",
    );
    let written = write(&project, "x.spec.yaml", ":dockerignore");
    std::fs::copy(written.join(".dockerignore"), project.path().join(".dockerignore")).expect("copied");
    std::fs::remove_dir_all(&written).expect("removed");
    project.write("context.Dockerfile", "FROM scratch\nCOPY . /\n");
    let args =
        ["buildx", "build", "--progress=quiet", "-f", "context.Dockerfile", "--output", "context", "."];
    docker_in(project.path(), &[], &args).expect_ok();
    let found = below(&project.path().join("context"));
    for path in markers {
        assert!(!found.contains(path), "{path}: {found:?}");
    }
    for path in kept {
        assert!(found.contains(path), "{path}: {found:?}");
    }
}

/// Says what it was asked.
const ECHO: &str = r#"
import http.server, json
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("", 9000), Echo).serve_forever()
"#;
/// An ingress with a route of every kind.
const ROUTES: &str = r#"# syntax=slipway/frontend:0
name: slipway-test-routes
x-slipway: { defaults: { user: { uid: 1001, gid: 1001 } } }
services:
  echo:
    image: python:3.11-slim
    command: [python, /echo.py]
    volumes: ["./echo.py:/echo.py:ro"]
    expose: ["9000"]
    init: true
  api:
    image: slipway-test/routes-api
    build: { context: ., dockerfile: x.spec.yaml, target: api }
    x-slipway: { stages: { a: { from: "python:3.11-slim", steps: [{ copy: { source: echo.py, target: / } }] } }, api: { openapi: openapi.yaml, path: /spec } }
    command: [python, /echo.py]
    expose: ["9000"]
    init: true
  ingress:
    image: slipway-test/routes-ingress
    build: { context: ., dockerfile: x.spec.yaml, target: ingress }
    x-slipway:
      recipe: nginx
      base: minimal
      routes:
        - { path: /health, return: { status: 200, body: "it is \"well\"\n" } }
        - { path: /kept/, service: echo }
        - { path: /cut/, service: echo, strip: true, headers: { X-Own: one two, host: example.org } }
        - { path: /ws, service: echo, port: 9000, websocket: true }
        - { path: /api/, service: api, strip: true }
        - { path: /status.html, return: { status: 200, body: plain, type: text/plain } }
        - { path: /old, redirect: /docs/ }
        - { path: /docs/, explorer: true }
        - { path: /files/, static: public }
        - { path: /@vite/, return: 404 }
      contract: { health: { http: /health } }
    ports: ["127.0.0.1:18986:8080"]
    read_only: true
    tmpfs: [/tmp]
    healthcheck: { interval: 2s, timeout: 3s, retries: 10 }
    depends_on: [echo, api]
"#;

/// S0-4, S0-7, FR-303, NFR-305, NFR-309, NFR-310: routes, as nginx itself takes them and as a browser meets them.
#[test]
fn an_ingress_from_routes() {
    let project = Project::new(&[
        ("x.spec.yaml", ROUTES),
        ("echo.py", ECHO),
        ("openapi.yaml", "openapi: 3.0.3\ninfo: { title: x, version: '1' }\npaths: {}\n"),
        ("public/a.txt", "a file\n"),
    ]);
    let compose =
        |args: &[&str]| docker_in(project.path(), &[], &[&["compose", "-f", "x.spec.yaml"], args].concat());
    compose(&["up", "--build", "--wait", "--wait-timeout", "60"]).expect_ok();
    let result = std::panic::catch_unwind(|| {
        let get = |path: &str| http(18986, "GET", path, "");
        let echoed = |path: &str| -> Value { serde_json::from_str(&get(path).body).expect("JSON") };
        assert_eq!(get("/health").body, "it is \"well\"\n");
        let kept = echoed("/kept/a?b=c");
        assert_eq!(kept["path"], "/kept/a?b=c");
        assert_eq!(kept["headers"].get("x-forwarded-prefix"), None);
        let cut = echoed("/cut/a?b=c");
        assert_eq!(cut["path"], "/a?b=c");
        for (name, value) in [
            ("x-forwarded-prefix", "/cut"),
            ("x-forwarded-host", "localhost"),
            ("x-forwarded-proto", "http"),
            ("x-own", "one two"),
            ("host", "example.org"),
        ] {
            assert_eq!(cut["headers"][name], value, "{name}: {cut}");
        }
        assert!(!cut["headers"]["x-forwarded-for"].is_null());
        // A connection that wants to become a websocket may, where it is allowed to.
        let upgrade = |path: &str| -> Value {
            let headers = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-s"];
            let said = run(
                project.path(),
                &[],
                "curl",
                &[&headers[..], &[&format!("http://127.0.0.1:18986{path}")]].concat(),
            );
            serde_json::from_str(&said.expect_ok().out).expect("JSON")
        };
        assert_eq!(upgrade("/ws")["headers"]["upgrade"], "websocket");
        assert_eq!(upgrade("/kept/")["headers"].get("upgrade"), None);
        assert!(get("/status.html").head.contains("content-type: text/plain"));
        let old = get("/old");
        assert!(old.status == 301 && old.head.ends_with("location: /docs/"), "{}", old.head);
        assert!(get("/docs/").body.contains("API explorer") && get("/docs/").head.contains("text/html"));
        let catalog: Value = serde_json::from_str(&get("/docs/catalog.json").body).expect("JSON");
        let api = &catalog["services"][0];
        assert_eq!((&api["runtimeBasePath"], &api["runtimeSpecPath"]), (&"/api".into(), &"/api/spec".into()));
        let contract = get(&format!("/docs/{}", api["contract"].as_str().expect("a path")));
        assert!(contract.status == 200 && contract.head.contains("application/yaml"), "{}", contract.head);
        assert_eq!(echoed("/api/spec")["path"], "/spec");
        assert_eq!(get("/files/a.txt").body, "a file\n");
        for path in ["/@vite/client", "/files/none.txt", "/", "/nothing"] {
            assert_eq!(get(path).status, 404, "{path}");
        }
        an_nginx_takes(&project);
    });
    let logs = compose(&["logs"]);
    compose(&["down", "-t", "5"]).expect_ok();
    if let Err(panic) = result {
        eprintln!("{}", logs.out);
        std::panic::resume_unwind(panic);
    }
}

/// What is written for an nginx is one's configuration: `nginx -t`, and requests through the snippet.
fn an_nginx_takes(project: &Project) {
    let bundle = write(project, "x.spec.yaml", ":bundle");
    let outer = format!(
        "events {{}}\nhttp {{ server {{ listen 18987;\n{}\nlocation / {{ proxy_pass http://localhost:18986; }}\n}} }}\n",
        read(&bundle, "ingress/reverse-proxy.snippet.conf")
    );
    std::fs::write(bundle.join("outer.conf"), outer).expect("a file");
    let mount = format!("{}:/conf:ro", bundle.display());
    let hosts = ["--add-host", "echo:127.0.0.1", "--add-host", "api:127.0.0.1"];
    for config in ["ingress/nginx.conf", "outer.conf"] {
        let path = format!("/conf/{config}");
        let args = ["run", "--rm", "-v", &mount];
        let test = ["--entrypoint", "nginx", "nginx:1.29-alpine-slim", "-t", "-c", &path];
        let said = docker(&[&args[..], &hosts, &test].concat());
        assert!(said.ok && said.err.contains("test is successful"), "{config}: {}", said.err);
    }
    // A proxy in front, with the snippet: websockets reach the service through both.
    let name = "slipway-test-outer-nginx";
    let args =
        ["run", "-d", "--rm", "--name", name, "--network", "host", "-v", &mount, "--entrypoint", "nginx"];
    docker(&[&args[..], &["nginx:1.29-alpine-slim", "-c", "/conf/outer.conf", "-g", "daemon off;"]].concat())
        .expect_ok();
    let mut said = None;
    for _ in 0..50 {
        let headers =
            ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-s", "http://127.0.0.1:18987/ws"];
        let answer = run(project.path(), &[], "curl", &headers);
        if answer.ok {
            said = serde_json::from_str::<Value>(&answer.out).ok();
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    docker(&["stop", "-t", "2", name]).expect_ok();
    let said = said.expect("the proxy answers");
    assert_eq!(said["headers"]["upgrade"], "websocket", "{said}");
}

/// Without a target, every component is built and the bundle is the result; what cannot be built is an error.
#[test]
fn without_a_target_everything_is_built() {
    let spec = "# syntax=slipway/frontend:0\nname: both\nservices:\n  one: { build: { context: ., dockerfile: x.spec.yaml, target: one }, x-slipway: { stages: { a: { from: busybox, steps: [{ run: \"echo built > /one\" }] } } }, command: [cat, /one] }\n  two: { build: { context: ., dockerfile: x.spec.yaml, target: two }, x-slipway: { stages: { a: { from: busybox, steps: [{ run: \"true && echo two > /two\" }] } } }, command: [cat, /two] }\n";
    let project = Project::new(&[("x.spec.yaml", spec)]);
    let said = project.build("x.spec.yaml", &["--no-cache", "--output", "out"]).expect_ok();
    for step in ["[one a] echo built > /one", "[two a] true && echo two > /two"] {
        assert!(said.err.contains(step), "{step}: {}", said.err);
    }
    assert!(
        project
            .read("out/compose.yaml")
            .contains("image: ${BOTH_ONE_IMAGE:-both-one:${BOTH_IMAGE_TAG:-latest}}")
    );
    project.write("x.spec.yaml", &spec.replace("true &&", "false &&"));
    let said = project.build("x.spec.yaml", &["--output", "out2"]);
    assert!(
        !said.ok && said.err.contains("x.spec.yaml:5") && !project.path().join("out2/compose.yaml").exists(),
        "{}",
        said.err
    );
    let said = project.build("x.spec.yaml", &["--target", "one:bundle", "--output", "out3"]);
    assert!(!said.ok && said.err.contains("is about the whole project"), "{}", said.err);
}

/// Unusual Compose files, as a review thought of them.
const UNUSUAL: &str = r#"# syntax=slipway/frontend:0
name: odd
x-slipway: { deploy: { profile: aws-ec2-compose, domain: odd.example.org } }
services:
  first:
    image: ${REG:-ghcr.io}/acme/first:1
    build: { context: ., dockerfile: x.spec.yaml, target: first }
    x-slipway: &made
      stages: { a: { from: busybox, steps: [{ run: "true" }] } }
      user: { uid: 1001, gid: 1001 }
      contract: { writable: [/usr/local/share] }
    command: ["sh", "-c", "echo $$HOME; sleep 100"]
    environment: { ODD: "a\u0085b\u2028c\u007f", OCTAL: "0755", EMPTY: "", NOTHING: , YES: "yes", CORS_ALLOWED_ORIGINS: "${CORS_ALLOWED_ORIGINS:-https://${ODD_FQDN:-localhost}}" }
    deploy: { resources: { reservations: { memory: 1G, cpus: "2" } } }
    tmpfs: /var/lib/thing
    volumes: ["data:/data", "./conf:/conf:ro"]
    depends_on: { other: { condition: service_started }, devtool: { condition: service_started, required: false } }
    expose: ["9000"]
  second.one:
    build: { context: ., dockerfile: x.spec.yaml, target: second.one }
    x-slipway: *made
    command: [sleep, "100"]
    mem_limit: 32m
    volumes: ["data:/data"]
  other:
    image: busybox
    depends_on: { devtool: { condition: service_started, required: false } }
  devtool:
    profiles: [dev]
    image: odd-devtool
    build: .
volumes: { data: {} }
"#;

#[test]
fn unusual_compose_files() {
    let project = Project::new(&[("x.spec.yaml", UNUSUAL), ("conf/a.conf", "a\n")]);
    let bundle = write(&project, "x.spec.yaml", ":bundle");
    let config = compose_config(&bundle, &[], &["compose.yaml"]);
    let services = &config["services"];
    // Values mean what they mean in the spec.
    let args = ["compose", "-f", "x.spec.yaml", "config", "--format", "json"];
    let original: Value =
        serde_json::from_str(&docker_in(project.path(), &[], &args).expect_ok().out).expect("JSON");
    for key in ["environment", "command", "expose"] {
        assert_eq!(services["first"][key], original["services"]["first"][key], "{key}");
    }
    // What is reserved can be had; what is left out is waited for by nobody.
    assert_eq!(services["first"]["deploy"]["resources"]["limits"]["memory"], "1073741824");
    assert_eq!(
        services["first"]["depends_on"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["other".to_owned()])
    );
    assert_eq!(services["other"].get("depends_on"), None);
    assert_eq!(services.get("devtool"), None);
    assert!(read(&bundle, "compose.yaml").contains("- /usr/local/share:uid=1001,gid=1001"));
    assert_eq!(read(&bundle, "conf/a.conf"), "a\n");
    let registry = [("ODD_REGISTRY", "registry.example.org")];
    let config = compose_config(&bundle, &registry, &["compose.yaml", "compose.registry.yaml"]);
    assert_eq!(config["services"]["first"]["image"], "registry.example.org/acme/first:1");
    let config = compose_config(&bundle, &[], &["compose.yaml", "compose.registry.yaml"]);
    assert_eq!(config["services"]["first"]["image"], "ghcr.io/acme/first:1");

    // An operator's own values go before the defaults.
    let told = "docker() { printf '%s %s\\n' \"$ODD_FQDN\" \"$CORS_ALLOWED_ORIGINS\"; }; export -f docker; exec runtime/deploy/aws-ec2-compose/deploy.sh --use-registry";
    assert!(
        run(&bundle, &[], "bash", &["-c", told])
            .expect_ok()
            .out
            .contains("odd.example.org https://odd.example.org,")
    );
    std::fs::write(
        bundle.join(".env"),
        "ODD_IMAGE_TAG=1.7\nODD_FQDN=mine.example.org\nCORS_ALLOWED_ORIGINS='https://mine'\n",
    )
    .expect("a file");
    assert!(
        run(&bundle, &[], "bash", &["-c", told]).expect_ok().out.contains("mine.example.org https://mine\n")
    );
    let config = compose_config(&bundle, &[], &["compose.yaml"]);
    assert!(config["services"]["second.one"]["image"].as_str().is_some_and(|image| image.ends_with(":1.7")));

    // Bake has no dots in its names.
    write(&project, "x.spec.yaml", ":workflows");
    let args = ["buildx", "bake", "-f", "x.spec.yaml", "-f", "out-workflows/docker-bake.hcl", "--print"];
    let plan: Value =
        serde_json::from_str(&docker_in(project.path(), &[], &args).expect_ok().out).expect("JSON");
    assert_eq!(plan["target"]["second_one"]["target"], "second.one");

    // Kubernetes has none either, and its users are told.
    let said = project.build("x.spec.yaml", &["--target", ":kubernetes", "--output", "none"]);
    assert!(
        !said.ok && said.err.contains("Kubernetes has no services with the name `second.one`"),
        "{}",
        said.err
    );
    project.write("x.spec.yaml", &UNUSUAL.replace("second.one", "second"));
    let manifests = write(&project, "x.spec.yaml", ":kubernetes");
    manifests_are_valid(&manifests);
    let volumes = read(&manifests, "volumes.yaml");
    assert_eq!(volumes.matches("kind: PersistentVolumeClaim").count(), 1, "{volumes}");
    assert!(volumes.contains("- ReadWriteMany"), "{volumes}");
    let first = read(&manifests, "first.yaml");
    for part in [
        "mountPath: /var/lib/thing",
        "mountPath: /usr/local/share",
        "mountPath: /data",
        "# Not here, as it has to come from the cluster: ./conf, mounted at /conf.",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    let second = read(&manifests, "second.yaml");
    assert_eq!(second.matches("memory: 32Mi").count(), 2, "a request is no more than its limit: {second}");
}

/// What is kept out of contexts is nothing that a build reads.
#[test]
fn ignored_files_are_missed_by_nobody() {
    let project = Project::copy_of("specs/bun");
    let written = write(&project, "bun.spec.yaml", ":dockerignore");
    std::fs::copy(written.join(".dockerignore"), project.path().join(".dockerignore")).expect("copied");
    std::fs::remove_dir_all(&written).expect("removed");
    project.build("bun.spec.yaml", &["--target", "data-pipeline"]).expect_ok();
    let lint = project.build("bun.spec.yaml", &["--call=check", "--target", "web-service"]);
    assert!(lint.out.contains("Check complete") && !lint.out.contains("CopyOfIgnored"), "{}", lint.out);
}
