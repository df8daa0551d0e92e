//! The market system, deployed from its bundle alone: in an empty folder, with images from a registry; upgraded to
//! another tag, rolled back by digest.

#![allow(clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

use integration_tests::feed::Feed;
use integration_tests::registry::Registry;
use integration_tests::{Project, Said, docker, docker_in, http};

const SPEC: &str = "market.spec.yaml";
const PORT: u16 = 18985;
const NAME: &str = "slipway-test-deployed";

/// Builds and pushes everything under a tag, and writes a bundle that knows the digests.
fn publish(project: &Project, registry: &Registry, tag: &str, bundle: &Path) {
    project.build(SPEC, &["--target", ":workflows", "--output", "ci"]).expect_ok();
    let registry = registry.name();
    let env = [("TAG", tag), ("REGISTRY", registry.as_str())];
    let bake = ["buildx", "bake", "--progress=plain", "-f", SPEC, "-f", "ci/docker-bake.hcl"];
    docker_in(project.path(), &env, &[&bake[..], &["--push", "--metadata-file", "images.json"]].concat())
        .expect_ok();
    let output = bundle.to_string_lossy();
    let args =
        ["--target", ":bundle", "--build-arg", "SLIPWAY_IMAGES=images.json", "--output", output.as_ref()];
    project.build(SPEC, &args).expect_ok();
    // What runs has to come from the registry.
    for component in ["orders", "feed", "web", "ingress"] {
        docker(&["image", "rm", "-f", &format!("{registry}/market/{component}:{tag}")]);
    }
}

fn script(folder: &Path, env: &[(&str, &str)], name: &str, args: &[&str]) -> Said {
    let output = Command::new(folder.join(name))
        .args(args)
        .envs(env.iter().copied())
        .env("COMPOSE_PROJECT_NAME", NAME)
        .current_dir("/")
        .output();
    Said::new(&output.expect("bash is installed"))
}

fn health() -> String {
    let answer = http(PORT, "GET", "/api/health", "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[test]
fn market_from_its_bundle_alone() {
    let registry = Registry::start();
    let project = Project::copy_of("specs/market");
    // A file that a service mounts goes with the bundle.
    let spec = project.read(SPEC).replace(
        "    tmpfs: [/tmp]\n    healthcheck: { interval: 5s, timeout: 3s, start_period: 5s, retries: 3 }\n    depends_on:",
        "    tmpfs: [/tmp]\n    volumes: [\"./notices/:/srv/notices:ro\"]\n    healthcheck: { interval: 5s, timeout: 3s, start_period: 5s, retries: 3 }\n    depends_on:",
    );
    assert!(spec.contains("/srv/notices"));
    project.write(SPEC, &spec);
    project.write("notices/today.txt", "open as usual\n");

    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("1.0"), folder.path().join("1.1"));
    publish(&project, &registry, "1.0", &first);
    let source = project.read("orders/src/main.ts");
    project
        .write("orders/src/main.ts", &source.replace("{ status: \"ok\",", "{ status: \"ok\", version: 2,"));
    publish(&project, &registry, "1.1", &second);

    // An empty folder, with the bundle and nothing else.
    assert!(!first.join("orders").exists() && !first.join(SPEC).exists());
    let compose = std::fs::read_to_string(first.join("compose.yaml")).expect("the Compose file");
    assert!(!compose.contains("build:") && !compose.contains("x-slipway"), "{compose}");
    let lock = std::fs::read_to_string(first.join("images.lock")).expect("the lock");
    let digests: Vec<&str> = lock.lines().filter(|line| line.contains("@sha256:")).collect();
    assert_eq!(digests.len(), 4, "{lock}");
    assert!(
        digests[0].starts_with(&format!("MARKET_FEED_IMAGE={}/market/feed:1.0@", registry.name())),
        "{lock}"
    );
    for bundle in [&first, &second] {
        let env = format!("MARKET_PORT={PORT}\nMARKET_REGISTRY={}\n", registry.name());
        std::fs::write(bundle.join(".env"), env).expect("a file");
    }

    let result = std::panic::catch_unwind(|| {
        let tag = [("MARKET_IMAGE_TAG", "1.0")];
        let said = script(&first, &tag, "start.sh", &["--registry"]).expect_ok();
        assert!(said.out.contains(&format!("[info] ready: http://127.0.0.1:{PORT}")), "{}", said.out);
        let images = docker_in(
            &first,
            &tag,
            &[
                "compose",
                "-p",
                NAME,
                "-f",
                "compose.yaml",
                "-f",
                "compose.registry.yaml",
                "images",
                "--format",
                "json",
            ],
        )
        .expect_ok()
        .out;
        assert!(images.contains(&registry.name()) && images.contains("1.0"), "{images}");
        assert!(!health().contains("version"));
        assert_eq!(http(PORT, "GET", "/", "").status, 200);
        let mut feed = Feed::open(PORT);
        assert_eq!(
            http(PORT, "POST", "/api/orders", r#"{"ticker":"HULL","side":"buy","quantity":3}"#).status,
            201
        );
        assert!(feed.message().contains("HULL"));
        let tests = script(&first, &tag, "test.sh", &[]).expect_ok();
        assert!(tests.out.contains("ok    orders: GET /api/health answers 200"), "{}", tests.out);
        let status = script(&first, &tag, "status.sh", &[]).expect_ok();
        assert!(status.out.contains("200    web"), "{}", status.out);
        let container = format!("{NAME}-ingress-1");
        // A file that the service mounts came with the bundle.
        let mounts = docker(&["inspect", "-f", "{{json .Mounts}}", &container]).expect_ok().out;
        assert!(mounts.contains("1.0/notices"), "{mounts}");
        assert_eq!(
            std::fs::read_to_string(first.join("notices/today.txt")).expect("a file"),
            "open as usual\n"
        );
        let host = docker(&["inspect", "-f", "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.Config.User}} {{.HostConfig.RestartPolicy.Name}}", &container]).expect_ok().out;
        assert_eq!(host.trim(), "true [ALL] [no-new-privileges:true] 536870912 256 1001:1001 unless-stopped");

        // Upgraded to another tag; the ingress finds what is new.
        script(&second, &[("MARKET_IMAGE_TAG", "1.1")], "start.sh", &["--registry"]).expect_ok();
        assert!(health().contains("\"version\":2"));
        Feed::open(PORT);

        // Rolled back, by the digests of the older lock.
        script(&first, &[], "start.sh", &["--locked"]).expect_ok();
        assert!(!health().contains("version"));
        let image =
            docker(&["inspect", "-f", "{{.Config.Image}}", &format!("{NAME}-orders-1")]).expect_ok().out;
        assert!(image.contains("@sha256:"), "{image}");
        script(&first, &[], "test.sh", &[]).expect_ok();

        // What is broken is found: without the feed, the test fails and names it.
        docker(&["stop", "-t", "5", &format!("{NAME}-feed-1")]).expect_ok();
        let tests = script(&first, &[], "test.sh", &[]);
        assert!(!tests.ok && tests.out.contains("FAIL  not well: feed: Exited"), "{}", tests.out);
    });
    let logs = docker_in(&first, &[], &["compose", "-p", NAME, "logs"]);
    let stopped = script(&first, &[], "stop.sh", &[]);
    if let Err(panic) = result {
        eprintln!("{}", logs.out);
        std::panic::resume_unwind(panic);
    }
    stopped.expect_ok();
    let left = docker(&["ps", "-aq", "--filter", &format!("label=com.docker.compose.project={NAME}")]);
    assert_eq!(left.expect_ok().out, "");
    // Nothing is there to stop any more, which is well.
    script(&first, &[], "stop.sh", &[]).expect_ok();
}
