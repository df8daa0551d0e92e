//! Older engines: the same file builds the same image, or one sentence says what is missing.
//!
//! `engines.sh` makes them, beside the main one, whose client drives them.

#![allow(clippy::expect_used, clippy::panic)]

use std::process::{Command, Stdio};
use std::time::Duration;

use integration_tests::{Project, Said, docker, docker_in, http, repository};

/// An engine, stopped at the end.
struct Engine {
    name: &'static str,
    host: String,
}

impl Engine {
    /// Starts one and gives it the images that it cannot get from anywhere else.
    fn up(name: &'static str) -> Self {
        script(&["up", name]);
        let engine = Self { name, host: script(&["host", name]) };
        if !docker(&["image", "inspect", "busybox"]).ok {
            docker(&["pull", "--quiet", "busybox"]).expect_ok();
        }
        let pipe = "docker save slipway/frontend:0 busybox | DOCKER_HOST=$1 docker load";
        let loaded =
            Command::new("sh").args(["-c", pipe, "sh", &engine.host]).output().expect("sh is installed");
        assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
        engine
    }

    fn docker(&self, args: &[&str]) -> Said {
        docker_in(&repository(), &[("DOCKER_HOST", &self.host)], args)
    }

    fn build(&self, project: &Project) -> Said {
        let args =
            ["buildx", "build", "--progress=plain", "-f", "spec.yaml", "-t", "slipway-test/older", "."];
        docker_in(project.path(), &[("DOCKER_HOST", &self.host)], &args)
    }

    /// The contract is proven inside the build, and there is no image without its proof.
    fn proves_contracts(&self) {
        let proven = SPEC
            .replace(
                "    x-slipway:\n      contract:",
                "    x-slipway:\n      require: [verify]\n      contract:",
            )
            .replace(
                "[httpd, -f, -p, \"8000\", -h, /www]",
                "[sh, -c, \"trap 'exit 0' TERM; httpd -f -p 8000 -h /www & wait\"]",
            );
        let said = self.build(&project(&proven)).expect_ok();
        assert!(said.out.contains("contract of app (linux/amd64): "), "{}", said.out);
        let refused = self.build(&project(&proven.replace("http: /,", "http: /nothing,")));
        let message = "app: health: GET /nothing answers 404";
        assert!(!refused.ok && refused.err.contains(message), "{}", refused.err);
    }

    /// What the spec promises, of the image and of a container on a root that refuses writes.
    fn image_is_right(&self) {
        let inspected = |format| {
            self.docker(&["image", "inspect", "-f", format, "slipway-test/older"])
                .expect_ok()
                .out
                .trim()
                .to_owned()
        };
        assert_eq!(inspected("{{.Config.User}}"), "1001:1001");
        assert_eq!(inspected("{{json .Config.ExposedPorts}}"), r#"{"8000/tcp":{}}"#);
        let run = |args: &[&str]| self.docker(&[&["run", "--rm", "slipway-test/older"], args].concat());
        assert_eq!(run(&["id"]).expect_ok().out.trim(), "uid=1001(app) gid=1001(app) groups=1001(app)");
        run(&["touch", "/writable/x"]).expect_ok();
        assert!(!run(&["touch", "/www/x"]).ok, "the user that runs owns nothing of the application");

        let started = self.docker(&[
            "run",
            "--detach",
            "--read-only",
            "--stop-timeout=1",
            "--publish=127.0.0.1::8000",
            "slipway-test/older",
        ]);
        let container = started.expect_ok().out.trim().to_owned();
        let state = self.wait_until_settled(&container);
        let port = self.docker(&["port", &container, "8000"]).out;
        let port =
            port.trim().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a published port");
        let answer = http(port, "GET", "/", "");
        self.docker(&["rm", "--force", &container]).expect_ok();
        assert_eq!(state, "running healthy");
        assert_eq!((answer.status, answer.body.as_str()), (200, "HELLO\n"));
    }

    fn wait_until_settled(&self, container: &str) -> String {
        let mut state = String::new();
        for _ in 0..60 {
            let format = "{{.State.Status}} {{.State.Health.Status}}";
            state = self.docker(&["inspect", "-f", format, container]).expect_ok().out.trim().to_owned();
            if state != "running starting" {
                break;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        state
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        script(&["down", self.name]);
    }
}

#[track_caller]
fn script(args: &[&str]) -> String {
    let mut command = Command::new(repository().join("integration-tests/engines.sh"));
    // Its daemon outlives it, and would hold a pipe of ours open.
    let output = command.args(args).stderr(Stdio::inherit()).output().expect("bash is installed");
    assert!(output.status.success(), "engines.sh {args:?} failed");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

const SPEC: &str = "\
# syntax=slipway/frontend:0
name: older
x-slipway: { defaults: { user: { name: app, uid: 1001, gid: 1001 } } }
services:
  app:
    x-slipway:
      contract: { size: 20MB, health: { http: /, port: 8000 } }
      stages:
        build:
          from: busybox
          steps:
            - copy: { source: page, target: /src/ }
            - run: mkdir /out && tr a-z A-Z < /src/page > /out/index.html
              network: none
        runtime:
          from: busybox
          steps:
            - copy: { from: build, source: /out/, target: /www/, link: true }
            - mkdir: { path: /writable, owner: \"1001:1001\" }
    command: [httpd, -f, -p, \"8000\", -h, /www]
    expose: [\"8000\"]
    healthcheck: { interval: 1s, timeout: 3s, start_period: 1s, retries: 5 }
";

fn project(spec: &str) -> Project {
    Project::new(&[("spec.yaml", spec), ("page", "hello\n")])
}

/// Everything that the main engine does with such a file.
#[test]
fn docker_26_1_builds_all_of_it() {
    let engine = Engine::up("26.1");
    engine.build(&project(SPEC)).expect_ok();
    engine.image_is_right();
    engine.proves_contracts();

    let refused = engine.build(&project(&SPEC.replace("20MB", "1MB")));
    let message = "which is more than the 1.0 MiB that its contract allows";
    assert!(!refused.ok && refused.err.contains(message), "{}", refused.err);

    let refused = engine.build(&project(&SPEC.replace("link:", "lnk:")));
    assert!(!refused.ok && refused.err.contains("unknown key `lnk` in `copy`"), "{}", refused.err);
    let line = "  18 | >>>             - copy: { from: build, source: /out/, target: /www/, lnk: true }";
    assert!(refused.err.contains(line), "{}", refused.err);
}

/// The store without containerd cannot merge layers: they are put onto each other, and a gate is
/// a layer without files.
#[test]
fn docker_26_1_with_its_classic_store_builds_all_of_it() {
    let engine = Engine::up("26.1-classic");
    engine.build(&project(SPEC)).expect_ok();
    engine.image_is_right();
    engine.proves_contracts();
    let refused = engine.build(&project(&SPEC.replace("20MB", "1MB")));
    assert!(
        !refused.ok && refused.err.contains("than the 1.0 MiB that its contract allows"),
        "{}",
        refused.err
    );
}

/// Too old to build with, which one sentence says, with what is new enough.
#[test]
fn docker_20_10_says_what_it_lacks() {
    let engine = Engine::up("20.10");
    let refused = engine.build(&project(SPEC));
    assert!(!refused.ok && refused.err.contains("this engine is too old"), "{}", refused.err);
    assert!(refused.err.contains("update to Docker Engine 23 (BuildKit 0.10) or newer"), "{}", refused.err);

    // Errors of the spec come first. This engine shows no lines, so the message has them.
    let refused = engine.build(&project(&SPEC.replace("link:", "lnk:")));
    assert!(!refused.ok && refused.err.contains("unknown key `lnk` in `copy`"), "{}", refused.err);
    assert!(refused.err.contains("--> spec.yaml:18:"), "{}", refused.err);
}

/// Two engines of two generations, no cache: one digest. (Their encoders of gzip differ, so what is
/// packed with it does.)
#[test]
fn two_engines_give_one_digest() {
    let other = Engine::up("26.1");
    let digest = |host: Option<&str>| {
        let project = project(SPEC);
        let env: Vec<(&str, &str)> = host.map(|host| ("DOCKER_HOST", host)).into_iter().collect();
        let output =
            "type=oci,rewrite-timestamp=true,compression=uncompressed,force-compression=true,dest=out.tar";
        let args = [
            "buildx",
            "build",
            "--progress=plain",
            "-f",
            "spec.yaml",
            "--no-cache",
            "--provenance=false",
            "--build-arg",
            "SOURCE_DATE_EPOCH=1700000000",
            "--output",
            output,
            ".",
        ];
        docker_in(project.path(), &env, &args).expect_ok();
        let index =
            Command::new("tar").args(["xOf", "out.tar", "index.json"]).current_dir(project.path()).output();
        let index: serde_json::Value =
            serde_json::from_slice(&index.expect("tar is installed").stdout).expect("JSON");
        index["manifests"][0]["digest"].as_str().expect("a digest").to_owned()
    };
    assert_eq!(digest(None), digest(Some(&other.host)));
}
