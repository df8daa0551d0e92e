//! The options of a build, each as it arrives in a process or in the image.

#![allow(clippy::expect_used, clippy::panic)]

use std::process::Command;

use integration_tests::{Project, config, docker_in, file, vertex_state};
use serde_json::json;

/// A spec whose one step runs a script and keeps what it prints.
fn printing(script: &str, more: &str) -> Project {
    let script = script.replace('$', "$$");
    let spec = format!(
        "\
# syntax=slipway/frontend:0
name: options
services:
  app:
    x-slipway:
      stages:
        look:
          from: busybox
          steps:
            - run: |
                ({script}) > /said
              {more}
        runtime: {{ from: scratch, steps: [ {{ copy: {{ from: look, source: /said, target: /said }} }} ] }}
"
    );
    Project::new(&[("app.spec.yaml", &spec)])
}

#[track_caller]
fn said(project: &Project, image: &str, args: &[&str]) -> String {
    project.build("app.spec.yaml", &[&["-t", image], args].concat()).expect_ok();
    file(image, "/said").trim().to_owned()
}

#[test]
fn what_applies_to_every_process() {
    let image = "slipway-test/options-hosts";
    let project = printing("grep example /etc/hosts", "");
    let hosts =
        said(&project, image, &["--add-host", "example.test:10.1.2.3", "--add-host", "six.example:::1"]);
    assert!(hosts.contains("10.1.2.3\texample.test") && hosts.contains("::1\tsix.example"), "{hosts}");
    let project = printing("ulimit -n", "");
    assert_eq!(said(&project, image, &["--ulimit", "nofile=777:888"]), "777");
    let project = printing("df -k /dev/shm | tail -1 | awk '{print $2}'", "");
    assert_eq!(said(&project, image, &["--shm-size", "12m"]), (12 << 10).to_string());
    let project = printing("ls /sys/class/net | tr '\\n' ' '", "");
    assert_eq!(said(&project, image, &["--network", "none"]), "lo");
    let project = printing("hostname", "");
    assert_eq!(said(&project, image, &["--build-arg", "BUILDKIT_SANDBOX_HOSTNAME=slip"]), "slip");
    let project = printing("cat /proc/self/cgroup", "");
    let cgroup = said(&project, image, &["--cgroup-parent", "slipway-test"]);
    assert!(cgroup.contains("slipway-test"), "{cgroup}");
}

/// Proxies reach processes, and neither the image nor the cache's key.
#[test]
fn proxies() {
    let image = "slipway-test/options-proxy";
    let project = printing("echo $HTTP_PROXY $no_proxy", "");
    let said = said(
        &project,
        image,
        &["--build-arg", "HTTP_PROXY=http://proxy.test:3128", "--build-arg", "NO_PROXY=localhost"],
    );
    assert_eq!(said, "http://proxy.test:3128 localhost");
    assert!(!config(image).to_string().contains("proxy.test"));
    let progress = project
        .build(
            "app.spec.yaml",
            &["--build-arg", "HTTP_PROXY=http://another.test:3128", "--build-arg", "NO_PROXY=localhost"],
        )
        .expect_ok()
        .err;
    assert!(progress.contains("CACHED"), "{progress}");
}

#[test]
fn no_cache_and_its_filter() {
    let project = printing("echo once", "");
    let run = "[app look] (echo once) > /said";
    let state = |args: &[&str]| vertex_state(&project.build("app.spec.yaml", args).expect_ok().err, run);
    state(&[]);
    assert_eq!(state(&[]).as_deref(), Some("CACHED"));
    assert_eq!(state(&["--no-cache"]).as_deref(), Some("DONE"));
    assert_eq!(state(&["--no-cache-filter", "look"]).as_deref(), Some("DONE"));
    assert_eq!(state(&["--no-cache-filter", "app:look"]).as_deref(), Some("DONE"));
    assert_eq!(state(&["--no-cache-filter", "elsewhere"]).as_deref(), Some("CACHED"));
}

/// `--label` reaches the configuration; `--annotation` and the report reach the client.
#[test]
fn labels_annotations_and_metadata() {
    let project = printing("echo", "");
    let spec = project.read("app.spec.yaml");
    project.write(
        "app.spec.yaml",
        &spec.replace("    x-slipway:\n", "    x-slipway:\n      annotations: { slipway.test.of: spec }\n"),
    );
    let archive = project.path().join("out.tar");
    let output = format!("type=oci,dest={}", archive.display());
    let metadata = project.path().join("metadata.json");
    let args = [
        "--label",
        "team=ships",
        "--annotation",
        "index:slipway.test=yes",
        "--output",
        &output,
        "--metadata-file",
        metadata.to_str().expect("UTF-8"),
        "--provenance=mode=min",
    ];
    let said = project.build("app.spec.yaml", &args).expect_ok().out;
    assert!(said.contains("app: service that runs as 1001:1001, no health check"), "{said}");
    let index = Command::new("tar").args(["xOf", archive.to_str().expect("UTF-8"), "index.json"]).output();
    let index = String::from_utf8(index.expect("tar is installed").stdout).expect("UTF-8");
    let index: serde_json::Value = serde_json::from_str(&index).expect("JSON");
    assert_eq!(index["manifests"][0]["mediaType"], "application/vnd.oci.image.index.v1+json", "{index}");
    let all = Command::new("tar").args(["xOf", archive.to_str().expect("UTF-8")]).output();
    let all = String::from_utf8_lossy(&all.expect("tar is installed").stdout).into_owned();
    assert!(all.contains("\"slipway.test.of\": \"spec\"") || all.contains("\"slipway.test.of\":\"spec\""));
    let flat = all.replace("\": \"", "\":\"");
    assert!(flat.contains("\"slipway.test\":\"yes\""), "the index has the client's annotation");
    let metadata: serde_json::Value = serde_json::from_str(&project.read("metadata.json")).expect("JSON");
    let details = metadata["frontend.slipway.image"].as_str().map(serde_json::from_str::<serde_json::Value>);
    let details = details.expect("it is there").unwrap_or_default();
    assert_eq!(details["user"], "1001:1001", "{metadata}");
    assert_eq!(details["base"], "scratch");
}

/// A cache that a client names is looked into.
#[test]
fn caches_of_the_client() {
    let project = printing("echo cached", "");
    let folder = project.path().join("cache");
    let to = format!("type=local,mode=max,dest={}", folder.display());
    project.build("app.spec.yaml", &["--cache-to", &to]).expect_ok();
    assert!(folder.join("index.json").exists());
    let from = format!("type=local,src={}", folder.display());
    let progress = project.build("app.spec.yaml", &["--cache-from", &from]).expect_ok().err;
    assert!(progress.contains("importing cache manifest from local:"), "{progress}");
}

#[test]
fn secrets() {
    let image = "slipway-test/options-secret";
    let run = "stat -c '%u %g %a' /keys/token; cat /keys/token; echo $TOKEN";
    let mount = "secret: { id: token, target: /keys/token, env: TOKEN, uid: 7, gid: 8, mode: \"0440\" }";
    let project = printing(run, mount);
    project.write("token.txt", "hush-4711");
    let args = ["--secret", "id=token,src=token.txt"];
    assert_eq!(said(&project, image, &args), "7 8 440\nhush-4711hush-4711");

    // Neither the image's configuration nor the provenance knows more than that there is one.
    let metadata = project.path().join("metadata.json");
    let max = ["--provenance=mode=max", "--metadata-file", metadata.to_str().expect("UTF-8")];
    let progress = project.build("app.spec.yaml", &[&args[..], &max].concat()).expect_ok();
    assert!(!progress.err.contains("hush-4711") && !project.read("metadata.json").contains("hush-4711"));
    assert!(project.read("metadata.json").contains("\"id\": \"token\""));

    let missing = project.build_quietly("app.spec.yaml", &["--no-cache"]);
    assert!(!missing.ok && missing.err.contains("token: not found"), "{}", missing.err);
    assert!(missing.err.contains("app.spec.yaml:") && missing.err.contains(">>>"), "{}", missing.err);

    let optional = printing("ls /run/secrets 2>/dev/null | wc -l", "secret: { id: token, required: false }");
    assert_eq!(said(&optional, image, &[]), "0");
}

/// A secret is no part of the cache's key, unless the spec gives it a version.
#[test]
fn a_secrets_version_runs_the_step_again() {
    let project =
        printing("cat /run/secrets/token", "secret: { id: token, version: \"${TOKEN_VERSION:-1}\" }");
    let image = "slipway-test/options-version";
    project.write("token.txt", "first");
    let secret = ["--secret", "id=token,src=token.txt"];
    assert_eq!(said(&project, image, &[&secret[..], &["--no-cache"]].concat()), "first");
    project.write("token.txt", "second");
    assert_eq!(said(&project, image, &secret), "first");
    // A version that no earlier run knew.
    let version = format!("TOKEN_VERSION={:?}", std::time::SystemTime::now());
    let args = [&secret[..], &["--build-arg", &version]].concat();
    assert_eq!(said(&project, image, &args), "second");
}

#[test]
fn an_ssh_agent() {
    let project = printing(
        "test -S $SSH_AUTH_SOCK && echo $SSH_AUTH_SOCK; stat -c '%u %a' /tmp/agent",
        "ssh: [default, { id: deploy, target: /tmp/agent, uid: 9, mode: \"0660\" }]",
    );
    let key = project.path().join("key.pem");
    let made =
        Command::new("openssl").args(["genrsa", "-traditional", "-out"]).arg(&key).arg("2048").output();
    assert!(made.expect("openssl is installed").status.success());
    let (first, second) = (format!("default={}", key.display()), format!("deploy={}", key.display()));
    let args = ["--ssh", &first, "--ssh", &second];
    assert_eq!(said(&project, "slipway-test/options-ssh", &args), "/run/buildkit/ssh_agent.default\n9 660");
    let without = project.build_quietly("app.spec.yaml", &["--no-cache"]);
    assert!(!without.ok && without.err.contains("app.spec.yaml:"), "{}", without.err);
}

#[test]
fn caches_and_memory_of_a_certain_owner_and_size() {
    let image = "slipway-test/options-mounts";
    let project = printing(
        "stat -c '%u %g %a' /c; ls /warm; df -k /t | tail -1 | awk '{print $2}'",
        "cache: [{ target: /c, id: owned, uid: 5, gid: 6, mode: \"0750\" }, { target: /warm, from: context, source: start, sharing: private }]\n              tmpfs: { target: /t, size: 3m }",
    );
    project.write("start/here.txt", "");
    assert_eq!(said(&project, image, &["--no-cache"]), "5 6 750\nhere.txt\n3072");
}

/// Entitlements are the client's and the engine's to give; without them the line is shown.
#[test]
fn entitlements() {
    for (key, name) in [("security: insecure", "security.insecure"), ("network: host", "network.host")] {
        let project = printing("true", key);
        let refused = project.build_quietly("app.spec.yaml", &[]);
        assert!(!refused.ok && refused.err.contains(name), "{}", refused.err);
    }
}

/// What makes no sense is refused: this one by the engine, before it asks us.
#[test]
fn a_time_that_is_none() {
    let refused =
        printing("true", "").build_quietly("app.spec.yaml", &["--build-arg", "SOURCE_DATE_EPOCH=soon"]);
    assert!(!refused.ok && refused.err.contains("invalid source-date-epoch"), "{}", refused.err);
}

/// Levels of rules can be set for one build.
#[test]
fn the_builds_own_levels() {
    let project = printing("true", "");
    project.write(
        "app.spec.yaml",
        &project.read("app.spec.yaml").replace("from: busybox", "from: busybox:latest"),
    );
    let warned = project.build("app.spec.yaml", &[]).expect_ok().err;
    assert!(warned.contains("MovingTag: the image `busybox:latest` has the tag `latest`"), "{warned}");
    let strict =
        project.build_quietly("app.spec.yaml", &["--build-arg", "BUILDKIT_DOCKERFILE_CHECK=error=true"]);
    assert!(!strict.ok && strict.err.contains("[MovingTag]"), "{}", strict.err);
    let args = ["--build-arg", "BUILDKIT_DOCKERFILE_CHECK=skip=all"];
    assert!(!project.build("app.spec.yaml", &args).expect_ok().err.contains("MovingTag"));
}

/// `docker buildx bake` and Compose hand the same options on.
#[test]
fn bake_hands_options_on() {
    let project = printing("cat /run/secrets/token", "secret: [token]");
    project.write("token.txt", "baked");
    let bake = json!({
        "target": { "app": {
            "dockerfile": "app.spec.yaml", "secret": ["id=token,src=token.txt"], "tags": ["slipway-test/options-bake"],
            "labels": { "by": "bake" }, "no-cache": true,
        } },
    });
    project.write("docker-bake.json", &bake.to_string());
    docker_in(project.path(), &[], &["buildx", "bake", "app"]).expect_ok();
    assert_eq!(file("slipway-test/options-bake", "/said"), "baked");
    assert_eq!(config("slipway-test/options-bake")["Labels"], json!({ "by": "bake" }));
}
