//! What is in an image: hand-written stages, users on any base, options, named contexts.

#![allow(clippy::expect_used, clippy::panic)]

use std::process::{Child, Command};

use integration_tests::{Project, config, docker, docker_in, file, files, repository};
use serde_json::json;

#[track_caller]
fn build(project: &Project, tag: &str, args: &[&str]) -> String {
    project.build("spec.yaml", &[&["-t", tag], args].concat()).expect_ok().err
}

/// Accounts need nothing of the base, so nothing is a base as well.
#[test]
fn a_user_on_scratch() {
    let spec = "\
# syntax=slipway/frontend:0
name: scratch
x-slipway: { defaults: { user: { name: someone, uid: 4711, gid: 815 } } }
services:
  app:
    x-slipway:
      stages:
        tools: { from: busybox, steps: [] }
        runtime:
          from: scratch
          steps:
            - copy: { from: tools, source: /bin/busybox, target: /bin/busybox, mode: \"0755\" }
            - write: { path: /greeting, content: hello, mode: \"0600\", owner: \"4711:815\" }
            - symlink: { target: busybox, path: /bin/cat }
    command: [/bin/cat, /greeting]
    working_dir: /somewhere
    stop_signal: SIGINT
    labels: { not: baked }
    volumes: [\"data:/app/data\", \"./x:/bound\"]
volumes: { data: {} }
";
    let project = Project::new(&[("spec.yaml", spec)]);
    build(&project, "slipway-test/scratch", &["--label", "from=flag"]);
    assert_eq!(
        files("slipway-test/scratch")
            .into_iter()
            .filter(|path| !path.starts_with("/dev")
                && !path.starts_with("/proc")
                && !path.starts_with("/sys"))
            .collect::<Vec<_>>(),
        [
            "/.dockerenv",
            "/app",
            "/app/data",
            "/bin",
            "/bin/busybox",
            "/bin/cat",
            "/etc",
            "/etc/group",
            "/etc/hostname",
            "/etc/hosts",
            "/etc/mtab",
            "/etc/passwd",
            "/etc/resolv.conf",
            "/greeting",
            "/somewhere"
        ],
        "what docker itself puts into a container, and what the spec says"
    );
    assert_eq!(
        file("slipway-test/scratch", "/etc/passwd"),
        "root:x:0:0:root:/root:/sbin/nologin\nsomeone:x:4711:815:someone:/tmp:/sbin/nologin\n"
    );
    assert_eq!(file("slipway-test/scratch", "/etc/group"), "root:x:0:\nsomeone:x:815:\n");
    let config = config("slipway-test/scratch");
    assert_eq!(config["User"], "4711:815");
    assert_eq!(config["WorkingDir"], "/somewhere");
    assert_eq!(config["StopSignal"], "SIGINT");
    assert_eq!(config["Volumes"], json!({ "/app/data": {} }));
    assert_eq!(config["Labels"], json!({ "from": "flag" }));
    assert_eq!(docker(&["run", "--rm", "-w", "/", "slipway-test/scratch"]).expect_ok().out, "hello");
}

/// Every kind of step and mount.
#[test]
fn hand_written_stages() {
    let spec = "\
# syntax=slipway/frontend:0
name: stages
services:
  app:
    build:
      context: .
      args: { GREETING: hello }
    x-slipway:
      stages:
        # Stages may stand in any order.
        runtime:
          from: busybox
          steps:
            - env: { STAGE: runtime }
            - workdir: /app
            - copy: { from: build, source: [/out/result, /out/secret-seen], target: ./ }
            - mkdir: { path: /writable, mode: \"0700\", owner: \"1001:1001\" }
        build:
          from: busybox
          platform: build
          steps:
            - workdir: out
            - env: [\"GREETING=${GREETING:-nobody}\"]
            - copy: { source: src/, target: /src/, exclude: \"*.skip\", owner: \"7:8\" }
            - run: |
                set -e
                ls -ln /src | grep -q ' 7 .* 8 .* kept'
                ! ls /src | grep skip
                echo \"$$GREETING from $$(cat /src/kept) via $$EXTRA\" > result
                cat /bound/kept
                touch /cache/x && test -d /scratch && ! touch /bound/y
              env: { EXTRA: env }
              cache: [{ target: /cache, id: c, sharing: locked }]
              bind: [{ source: src, target: /bound }]
              tmpfs: /scratch
              network: none
            - run: cat /run/secrets/token > /dev/null && echo \"$$NAME\" | wc -c > secret-seen
              secret: [token, { id: name, env: NAME }, { id: absent, required: false }]
            - user: \"1234\"
            - run: [sh, -c, 'test \"$$(id -u)\" = 1234']
      target: runtime
    command: [cat, result]
";
    let project = Project::new(&[
        ("spec.yaml", spec),
        ("src/kept", "file"),
        ("src/x.skip", ""),
        ("token", "t0ken"),
        ("name", "secret-name"),
    ]);
    build(
        &project,
        "slipway-test/stages",
        &["--build-arg", "GREETING=ahoy", "--secret", "id=token,src=token", "--secret", "id=name,src=name"],
    );
    assert_eq!(
        docker(&["run", "--rm", "--read-only", "slipway-test/stages"]).expect_ok().out.trim(),
        "ahoy from file via env"
    );
    assert_eq!(file("slipway-test/stages", "/app/secret-seen").trim(), "12");
    let config = config("slipway-test/stages");
    assert_eq!((config["WorkingDir"].as_str(), config["User"].as_str()), (Some("/app"), Some("1001:1001")));
    assert!(
        config["Env"].to_string().contains("STAGE=runtime")
            && !config["Env"].to_string().contains("GREETING")
    );
    docker(&["run", "--rm", "slipway-test/stages", "touch", "/writable/x"]).expect_ok();
    assert!(
        !docker(&["run", "--rm", "slipway-test/stages", "touch", "/app/x"]).ok,
        "the user that runs owns nothing of the application"
    );

    // A stage of its own is an image as well.
    build(
        &project,
        "slipway-test/stages-build",
        &["--target", "app:build", "--secret", "id=token,src=token", "--secret", "id=name,src=name"],
    );
    assert_eq!(
        file("slipway-test/stages-build", "/out/result").trim(),
        "hello from file via env".replace("hello", "nobody")
    );
}

const PLAIN: &str = "\
# syntax=slipway/frontend:0
name: plain
services:
  site:
    x-slipway:
      recipe: static
      source: site
    expose: [\"8000\"]
";

/// A plain folder, no build, and a named context in the base's place.
#[test]
fn a_plain_site_on_a_base_of_the_callers_choice() {
    let project = Project::new(&[
        ("spec.yaml", PLAIN),
        ("site/index.html", "<h1>plain</h1>"),
        ("site/.env", "SECRET=1"),
    ]);
    let dockerfile = "FROM nginx:1.29-alpine-slim\nRUN touch /chosen\n";
    project.write("base/Dockerfile", dockerfile);
    docker_in(project.path(), &[], &["buildx", "build", "-t", "slipway-test/chosen-base", "base"])
        .expect_ok();
    let context = "nginx:1.29-alpine-slim=docker-image://slipway-test/chosen-base";
    build(&project, "slipway-test/plain", &["--build-context", context]);
    let files = files("slipway-test/plain");
    assert!(files.contains(&"/chosen".to_owned()) && files.contains(&"/srv/www/index.html".to_owned()));
    assert!(!files.iter().any(|path| path.ends_with("/.env")), "files that tend to hold secrets stay behind");
}

/// What the ignore file leaves out is not there, also for what recipes look at.
#[test]
fn ignore_files() {
    let project = Project::new(&[
        ("spec.yaml", PLAIN),
        ("site/index.html", ""),
        ("site/kept.txt", ""),
        ("site/draft.txt", ""),
        (".dockerignore", "**/draft.txt\n"),
    ]);
    build(&project, "slipway-test/ignore", &[]);
    let listed = files("slipway-test/ignore");
    assert!(
        listed.contains(&"/srv/www/kept.txt".to_owned())
            && !listed.contains(&"/srv/www/draft.txt".to_owned())
    );
    // The one beside the spec comes first.
    project.write("spec.yaml.dockerignore", "**/kept.txt\n");
    build(&project, "slipway-test/ignore", &[]);
    let listed = files("slipway-test/ignore");
    assert!(
        !listed.contains(&"/srv/www/kept.txt".to_owned())
            && listed.contains(&"/srv/www/draft.txt".to_owned())
    );
}

/// A service that extends one of another file is built as Compose would build it.
#[test]
fn extends_from_a_file_beside_the_spec() {
    let spec = "\
# syntax=slipway/frontend:0
services:
  site:
    extends: { file: common/base.yaml, service: site }
    x-slipway: { source: site }
";
    let common = "services:\n  site:\n    x-slipway: { recipe: static, labels: { from: common } }\n    expose: [\"8001\"]\n";
    let project = Project::new(&[("spec.yaml", spec), ("common/base.yaml", common), ("site/index.html", "")]);
    build(&project, "slipway-test/extends", &[]);
    let config = config("slipway-test/extends");
    assert_eq!(
        (&config["ExposedPorts"], &config["Labels"]),
        (&json!({ "8001/tcp": {} }), &json!({ "from": "common" }))
    );
}

/// A bake file may put one target's result into the place of another's base.
#[test]
fn a_bake_target_as_a_base() {
    let bake = r#"
target "base" {
  dockerfile-inline = "FROM nginx:1.29-alpine-slim\nRUN touch /from-bake\n"
}
target "site" {
  dockerfile = "spec.yaml"
  contexts = { "nginx:1.29-alpine-slim" = "target:base" }
  tags = ["slipway-test/baked"]
}
"#;
    let project = Project::new(&[("spec.yaml", PLAIN), ("site/index.html", ""), ("docker-bake.hcl", bake)]);
    docker_in(project.path(), &[], &["buildx", "bake", "site"]).expect_ok();
    assert!(files("slipway-test/baked").contains(&"/from-bake".to_owned()));
}

/// A variable without a value is empty, as in Compose, and the build says so.
#[test]
fn an_unset_variable_is_a_warning() {
    let spec = PLAIN.replace("source: site", "source: site\n      labels: { version: \"v${VERSION}\" }");
    let project = Project::new(&[("spec.yaml", &spec), ("site/index.html", "")]);
    let progress = build(&project, "slipway-test/unset", &[]);
    assert!(
        progress.contains("the variable `VERSION` has no value; it is taken as empty (line 8)"),
        "{progress}"
    );
    assert_eq!(config("slipway-test/unset")["Labels"], json!({ "version": "v" }));
}

/// Questions are answered, and those that nobody knows are refused in BuildKit's own words.
#[test]
fn questions() {
    let project = Project::new(&[("spec.yaml", PLAIN)]);
    let targets = project.build("spec.yaml", &["--call=targets"]).expect_ok().out;
    assert!(targets.contains("site (default)"), "{targets}");
    let json = project.build("spec.yaml", &["--call=targets,format=json"]).expect_ok().out;
    assert!(json.contains("\"name\": \"site\""), "{json}");
    let describe = project.build("spec.yaml", &["--call=subrequests.describe"]).expect_ok().out;
    assert!(describe.contains("targets"), "{describe}");
}

/// A size limit is a gate, adds no layer, and says what is heavy.
#[test]
fn an_image_that_is_too_heavy_is_not_built() {
    let limited = |limit: &str| {
        let spec =
            PLAIN.replace("source: site", &format!("source: site\n      contract: {{ size: {limit} }}"));
        Project::new(&[("spec.yaml", &spec), ("site/index.html", "")])
    };
    let refused = limited("10MB").build("spec.yaml", &[]);
    assert!(!refused.ok);
    assert!(
        refused.err.contains("which is more than the 10.0 MiB that its contract allows"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains(">>>       contract: { size: 10MB }"), "{}", refused.err);

    let layers = |project: &Project| {
        build(project, "slipway-test/weighed", &[]);
        docker(&["image", "inspect", "-f", "{{json .RootFS.Layers}}", "slipway-test/weighed"]).expect_ok().out
    };
    let unlimited = Project::new(&[("spec.yaml", PLAIN), ("site/index.html", "")]);
    let count = |layers: &str| layers.split(',').count();
    assert_eq!(count(&layers(&limited("900MB"))), count(&layers(&unlimited)));
}

/// The folder of a volume belongs to the user that runs; those above it do not.
#[test]
fn a_volume_opens_nothing_else() {
    let spec = "\
# syntax=slipway/frontend:0
name: volume
services:
  app:
    x-slipway:
      stages:
        runtime:
          from: busybox
          steps: [{ write: { path: /app/code, content: x } }]
    command: [sh, -c, 'touch /app/data/x && ! touch /app/y && ! mv /app/code /app/z']
    working_dir: /tmp
    volumes: [\"data:/app/data\"]
volumes: { data: {} }
";
    let project = Project::new(&[("spec.yaml", spec)]);
    build(&project, "slipway-test/volume", &[]);
    docker(&["run", "--rm", "slipway-test/volume"]).expect_ok();
    let modes =
        docker(&["run", "--rm", "slipway-test/volume", "stat", "-c", "%a %u", "/tmp", "/app", "/app/data"]);
    assert_eq!(modes.expect_ok().out, "1777 0\n755 0\n755 1001\n");
}

#[test]
fn the_frontend_is_small() {
    let name = docker(&["create", "slipway/frontend:0"]).expect_ok().out.trim().to_owned();
    let size =
        Command::new("sh").args(["-c", &format!("docker cp {name}:/docker-slipway - | wc -c")]).output();
    docker(&["rm", &name]).expect_ok();
    let size: u64 = String::from_utf8_lossy(&size.expect("a shell").stdout).trim().parse().expect("a number");
    assert!((1..9_000_000).contains(&size), "{size} bytes");
}

/// The programs for images, for either platform: tiny, and static.
#[test]
fn the_tools_are_tiny_and_static() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_string_lossy().into_owned();
    let name = docker(&["create", "slipway/frontend:0"]).expect_ok().out.trim().to_owned();
    docker(&["cp", &format!("{name}:/tools"), &path]).expect_ok();
    docker(&["rm", &name]).expect_ok();
    for platform in ["amd64", "arm64"] {
        for tool in ["slipway-probe", "slipway-template"] {
            let bytes = std::fs::read(format!("{path}/tools/linux/{platform}/{tool}")).expect("it is there");
            assert!((1..700_000).contains(&bytes.len()), "{platform} {tool}: {} bytes", bytes.len());
            // Of a static program, no segment names a loader (PT_INTERP is type 3).
            let count = usize::from(u16::from_le_bytes([bytes[0x38], bytes[0x39]]));
            let interpreted = (0..count).any(|index| bytes[0x40 + index * 56] == 3);
            assert!(bytes.starts_with(b"\x7fELF") && !interpreted, "{platform} {tool}");
        }
    }
}

/// What runs in build steps is the frontend's own binary: static, so that it runs in any root, one
/// without a single file included.
#[test]
fn the_probe_runs_in_an_empty_root() {
    let project = Project::new(&[(
        "app.spec.yaml",
        "# syntax=slipway/frontend:0\nservices:\n  app:\n    command: [/nothing]\n    x-slipway: { stages: { runtime: { from: scratch, steps: [ { mkdir: { path: /empty } } ] } } }\n",
    )]);
    let said = project.build("app.spec.yaml", &["--target", "app:verify"]);
    // It ran, and says what is wrong with the image.
    assert!(!said.ok && said.err.contains("the program `/nothing` is not there"), "{}", said.err);
    assert!(said.err.contains("`/nothing` cannot be started"), "{}", said.err);
    let bytes = std::fs::read(integration_tests::plugin()).expect("the frontend's binary");
    let count = usize::from(u16::from_le_bytes([bytes[0x38], bytes[0x39]]));
    assert!((0..count).all(|index| bytes[0x40 + index * 56] != 3), "no segment names a loader");
}

/// What the frontend's own image is built from is a whole workspace, for cargo.
#[test]
fn the_source_in_the_build_context_is_a_workspace() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_string_lossy().into_owned();
    let dockerfile = "FROM scratch\nCOPY . /\n";
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).expect("written");
    let ignore = std::fs::read_to_string(repository().join(".dockerignore")).expect("the ignore file");
    std::fs::write(folder.path().join("Dockerfile.dockerignore"), ignore).expect("written");
    let (file, output) = (format!("{path}/Dockerfile"), format!("type=local,dest={path}/out"));
    docker_in(&repository(), &[], &["buildx", "build", "-f", &file, "--output", &output, "."]).expect_ok();
    let metadata = Command::new("cargo")
        .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--locked"])
        .current_dir(folder.path().join("out"))
        .output()
        .expect("cargo is installed");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
}

/// A git repository as the build context, with the ref and folder in either form.
#[test]
fn a_git_context() {
    struct Daemon(Child);
    impl Drop for Daemon {
        fn drop(&mut self) {
            // `git daemon` is a program of its own behind `git`: it is stopped by its own pid.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
    let project = Project::new(&[
        ("site.git/project/spec.yaml", PLAIN),
        ("site.git/project/site/index.html", "from git"),
    ]);
    let repository = project.path().join("site.git");
    let git = |args: &[&str]| {
        let fixed = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
        let status = Command::new("git").args(fixed).args(args).current_dir(&repository).status();
        assert!(status.expect("git is installed").success(), "{args:?}");
    };
    git(&["init", "-q", "-b", "trunk"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "x"]);
    let exec_path = Command::new("git").arg("--exec-path").output().expect("git is installed").stdout;
    let program = format!("{}/git-daemon", String::from_utf8_lossy(&exec_path).trim());
    let base = format!("--base-path={}", project.path().display());
    let daemon =
        Command::new(program).args(["--listen=127.0.0.1", "--port=19418", "--export-all", &base]).spawn();
    let _daemon = Daemon(daemon.expect("git-daemon is installed"));
    std::thread::sleep(std::time::Duration::from_millis(500));
    for context in [
        "git://127.0.0.1:19418/site.git#trunk:project",
        "git://127.0.0.1:19418/site.git?branch=trunk&subdir=project",
    ] {
        let args = ["buildx", "build", "-f", "spec.yaml", "-t", "slipway-test/git", context];
        docker_in(project.path(), &[], &args).expect_ok();
        assert_eq!(file("slipway-test/git", "/srv/www/index.html"), "from git", "{context}");
    }
}
