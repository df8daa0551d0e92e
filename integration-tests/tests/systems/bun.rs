//! The four archetypes of a spec-driven Bun project. The numbers S3-… are those of the acceptance
//! table.

#![allow(clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpStream;

use integration_tests::{
    Container, Project, config, docker, docker_in, files, http, nothing_superfluous, weight,
};
use serde_json::{Value, json};

const SPEC: &str = "bun.spec.yaml";

#[test]
fn four_archetypes() {
    let project = Project::copy_of("specs/bun");
    // S3-16: of these nothing gets anywhere.
    for path in [
        "web-service/.env",
        "web-service/coverage/slipway-marker",
        "web-service/slipway-marker.log",
        "web-service/slipway-marker.md",
    ] {
        project.write(path, "");
    }
    let bake = ["buildx", "bake", "--progress=plain", "-f", SPEC, "web-service", "cli-tool", "data-pipeline"];
    docker_in(project.path(), &[], &bake).expect_ok();
    web_service(&project);
    cli_tool();
    data_pipeline();
    library(&project);
    readiness(&project);
    red_tests(&project);
}

fn web_service(project: &Project) {
    let image = "bun/web-service";
    let config = config(image);
    // S3-7, S3-8, S3-20, S3-21, S3-23
    assert_eq!(config["User"], "1001:1001");
    assert_eq!(config["Cmd"], json!(["bun", "run", "dist/index.js"]));
    assert_eq!(config["ExposedPorts"], json!({ "3000/tcp": {} }));
    let health = &config["Healthcheck"];
    assert_eq!(
        json!([health["Interval"], health["Timeout"], health["StartPeriod"], health["Retries"]]),
        json!([30_000_000_000_u64, 3_000_000_000_u64, 5_000_000_000_u64, 3])
    );
    let labels = &config["Labels"];
    for (label, expected) in [
        ("org.opencontainers.image.title", "links"),
        ("org.opencontainers.image.description", "Keeps links"),
        ("org.opencontainers.image.version", "0.1.0"),
        ("com.spec-driven.verified", "true"),
        ("com.spec-driven.assertions", "9"),
        ("com.spec-driven.dafny-verified", "true"),
        ("com.spec-driven.tlc-verified", "true"),
    ] {
        assert_eq!(labels[label], expected, "{label}");
    }
    let manifest: Value =
        serde_json::from_str(&project.read("web-service/specs/assertions.json")).expect("JSON");
    assert_eq!(labels["com.spec-driven.verified-at"], manifest["metadata"]["lastVerified"]);
    // S3-6, S3-24
    nothing_superfluous(image, true);
    let listing = files(image);
    for expected in ["/app/dist/index.js", "/app/package.json", "/app/node_modules/nanoid/package.json"] {
        assert!(listing.contains(&expected.to_owned()), "{expected}");
    }
    for unwanted in ["slipway-marker", "/app/specs", "/app/tests", "/app/src", "/node_modules/typescript"] {
        assert!(!listing.iter().any(|file| file.contains(unwanted)), "{unwanted}");
    }
    assert!(weight(image) < 150_000_000);

    // S3-8: the check follows the port. S3-25: nothing is written.
    let container = Container::start(image, &["-e", "PORT=4000", "-p", "127.0.0.1::4000"]);
    container.wait_until_healthy();
    let port = container.port(4000);
    // S3-19
    let health: Value = serde_json::from_str(&http(port, "GET", "/health", "").body).expect("JSON");
    assert_eq!((health["status"].as_str(), &health["checks"]), (Some("ok"), &json!({})));
    let posted = http(port, "POST", "/links", r#"{"url":"https://example.org/","title":"x"}"#);
    assert_eq!(posted.status, 201, "{}", posted.body);
    assert_eq!(container.written(), "");
    // In flight while it stops: answered, and exit 0.
    let mut slow = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let body = r#"{"url":"https://example.org/2","title":"y"}"#;
    let head = format!(
        "POST /links HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).and_then(|()| slow.write_all(&body.as_bytes()[..10])).expect("sent");
    let stopping = std::thread::scope(|scope| {
        let stop = scope.spawn(|| container.stop());
        std::thread::sleep(std::time::Duration::from_secs(1));
        slow.write_all(&body.as_bytes()[10..]).expect("still open");
        let mut answer = String::new();
        slow.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        stop.join().expect("stopped")
    });
    assert_eq!(stopping, "0");

    // S3-18: with a database that is not there it is unhealthy, and says so.
    let lonely = Container::start(image, &["-e", "DATABASE_URL=postgresql://app:secret@127.0.0.1:1/links"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    let check = lonely.check();
    assert!(!check.ok && check.out.contains("503") && check.out.contains("database"), "{}", check.out);
    assert!(!check.out.contains("secret"));
}

fn cli_tool() {
    let image = "bun/slugify-lines";
    let config = config(image);
    // S3-9: an entry point of that name, one file, nothing else.
    assert_eq!((&config["Entrypoint"], &config["Cmd"]), (&json!(["cli-tool"]), &Value::Null));
    assert!(config.get("Healthcheck").is_none() && config.get("ExposedPorts").is_none());
    nothing_superfluous(image, true);
    let listing = files(image);
    let programs: Vec<&String> = listing.iter().filter(|file| file.contains("/bin/")).collect();
    assert_eq!(programs, ["/usr/local/bin/cli-tool"]);
    let help = docker(&["run", "--rm", "--read-only", image, "--help"]).expect_ok();
    assert!(help.out.starts_with("Usage: slugify-lines"), "{}", help.out);
    assert_eq!(
        docker(&["run", "--rm", "--read-only", image, "Hello World"]).expect_ok().out,
        "hello-world\n"
    );
    assert!(!docker(&["run", "--rm", image, "--nonsense"]).ok);
}

fn data_pipeline() {
    let image = "bun/daily-volume";
    let config = config(image);
    // S3-11
    assert_eq!(config["Cmd"], json!(["bun", "run", "src/index.ts"]));
    assert!(config.get("Healthcheck").is_none() && config.get("ExposedPorts").is_none());
    assert_eq!(config["User"], "1001:1001");
    nothing_superfluous(image, true);
    // S3-12
    let run = || docker(&["run", "--rm", "--read-only", image]).expect_ok().out;
    let first = run();
    assert!(first.lines().count() == 5 && first.starts_with('{'), "{first}");
    assert_eq!(run(), first, "the same result twice");
}

/// S3-13: there is no image, but what a registry gets.
fn library(project: &Project) {
    let refused = project.build_quietly(SPEC, &["--target", "library"]);
    assert!(!refused.ok);
    assert!(
        refused.err.contains("`library` is a library: there is no image to build [no-image]"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("--target library:package --output DIR"), "{}", refused.err);
    let out = project.path().join("out");
    project
        .build(SPEC, &["--target", "library:package", "--output", out.to_str().expect("text")])
        .expect_ok();
    let names: Vec<String> = std::fs::read_dir(&out)
        .expect("exported")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    assert_eq!(names, ["fair-shares-0.1.0.tgz"], "what `npm publish FILE` takes");
    let listing =
        std::process::Command::new("tar").arg("-tzf").arg(out.join(&names[0])).output().expect("tar");
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    let mut packed: Vec<&str> = listing.lines().collect();
    packed.sort_unstable();
    assert_eq!(packed, ["package/dist/index.d.ts", "package/dist/index.js", "package/package.json"]);
}

/// S3-1, S3-3 to S3-5: what is not confirmed, or not what was verified, is not built.
fn readiness(project: &Project) {
    let path = "web-service/specs/assertions.json";
    let assertions = project.read(path);
    project.write(path, &assertions.replacen("\"status\": \"confirmed\"", "\"status\": \"pending\"", 1));
    let dafny = project.read("web-service/specs/dafny/structure.dfy");
    project.write("web-service/specs/dafny/structure.dfy", &format!("{dafny}\n// changed\n"));
    let refused = project.build_quietly(SPEC, &["--target", "web-service"]).err;
    for line in [
        "`web-service` is not ready to be built [not-ready]",
        "❌ A-001 is pending: Each link is found under its own id, so no two share one",
        "❌ `specs/dafny/structure.dfy` is not what was verified: verify it again",
        "✅ 8 assertions confirmed",
        "✅ package.json exists",
    ] {
        assert!(refused.contains(line), "{line}\n{refused}");
    }
    project.write(path, &assertions);
    project.write("web-service/specs/dafny/structure.dfy", &dafny);
    // S3-5: the archetype comes from there; a contradiction is an error.
    project.write(
        "cli-tool/specs/assertions.json",
        &project.read("cli-tool/specs/assertions.json").replace("cli-tool\"", "mystery\""),
    );
    let refused = project.build_quietly(SPEC, &["--target", "cli-tool"]).err;
    assert!(refused.contains("there is no archetype `mystery`"), "{refused}");
    std::fs::remove_file(project.path().join("data-pipeline/package.json")).expect("it was there");
    let refused = project.build_quietly(SPEC, &["--target", "data-pipeline"]).err;
    assert!(refused.contains("the build context has no `data-pipeline/package.json`"), "{refused}");
}

/// S3-2: red tests, no image.
fn red_tests(project: &Project) {
    project.write(
        "web-service/tests/red.test.ts",
        "import { expect, test } from 'bun:test';\ntest('red', () => expect(1).toBe(2));\n",
    );
    let refused = project.build(SPEC, &["--target", "web-service"]);
    assert!(!refused.ok);
    assert!(refused.err.contains("1 fail") && refused.err.contains("bun.spec.yaml:"), "{}", refused.err);
}
