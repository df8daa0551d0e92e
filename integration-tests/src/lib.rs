//! What the tests on a real engine share: running docker, small projects in folders of their
//! own, and images to look into.
//!
//! `make test` makes an engine ready and runs them. Without an engine they fail; none is
//! skipped.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "a test that cannot go on fails"
)]

pub mod feed;
pub mod oracle;
pub mod random;
pub mod registry;
pub mod traderx;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// Whether it succeeded.
    pub ok: bool,
    /// stdout.
    pub out: String,
    /// stderr.
    pub err: String,
}

impl Said {
    /// What a command said.
    pub fn new(output: &Output) -> Self {
        Self {
            ok: output.status.success(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Its stdout; fails the test if the command failed.
    #[track_caller]
    pub fn expect_ok(self) -> Self {
        assert!(self.ok, "the command failed:\n{}\n{}", self.out, self.err);
        self
    }
}

/// The repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a parent").to_owned()
}

/// Runs docker in a folder, with further environment.
pub fn docker_in(folder: &Path, env: &[(&str, &str)], args: &[&str]) -> Said {
    assert!(
        std::env::var_os("DOCKER_HOST").is_some(),
        "no engine: run `make test`, or integration-tests/run.sh"
    );
    let output = Command::new("docker").args(args).envs(env.iter().copied()).current_dir(folder).output();
    Said::new(&output.expect("docker is installed"))
}

/// Runs docker.
pub fn docker(args: &[&str]) -> Said {
    docker_in(Path::new("/"), &[], args)
}

/// The plugin: the program that is in the frontend's image, so that what is asked of it and what
/// builds are one.
pub fn plugin() -> &'static Path {
    static PLUGIN: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = PLUGIN.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("docker-slipway");
        let container = docker(&["create", "slipway/frontend:0"]).expect_ok().out.trim().to_owned();
        docker(&["cp", &format!("{container}:/docker-slipway"), &path.to_string_lossy()]).expect_ok();
        docker(&["rm", &container]).expect_ok();
        (folder, path)
    });
    path
}

/// A folder with a spec and what it builds.
pub struct Project {
    folder: TempDir,
}

impl Project {
    /// A folder with these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Self { folder };
        for (path, content) in files {
            project.write(path, content);
        }
        project
    }

    /// A copy of a folder of the repository.
    pub fn copy_of(path: &str) -> Self {
        let project = Self::new(&[]);
        let copied =
            Command::new("cp").arg("-a").arg(repository().join(path).join(".")).arg(project.path()).status();
        assert!(copied.expect("cp is installed").success());
        project
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub fn write(&self, path: &str, content: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    /// Reads a file.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).expect("the file is there")
    }

    /// Appends a comment that no earlier run wrote: an engine that outlives the run has the
    /// steps of the last one in its cache.
    pub fn touch(&self, path: &str, comment: &str) {
        let source = self.read(path);
        self.write(path, &format!("{source}\n{comment} {}\n", now()));
    }

    /// Like [`Project::touch`], for JSON: white space at the end, never the same twice.
    pub fn touch_json(&self, path: &str) {
        let now = now();
        let blank: String = (0..64).map(|bit| if now >> bit & 1 == 1 { '\n' } else { ' ' }).collect();
        let source = self.read(path);
        self.write(path, &(source + &blank));
    }

    /// `docker buildx build -f spec.yaml ARGS .`, with all that progress tells.
    pub fn build(&self, spec: &str, args: &[&str]) -> Said {
        let fixed = ["buildx", "build", "--progress=plain", "-f", spec];
        docker_in(self.path(), &[], &[&fixed, args, &["."]].concat())
    }

    /// Builds a target `verify` and holds its report against what has to be in it: these components, all
    /// of whose promises hold, and each of which was tried.
    #[track_caller]
    pub fn verify(&self, spec: &str, args: &[&str], components: &[&str]) {
        let said = self.build(spec, &[args, &["--output", ".slipway-verified"]].concat()).expect_ok();
        let report: serde_json::Value =
            serde_json::from_str(&self.read(".slipway-verified/report.json")).expect("JSON");
        let all = report["components"].as_array().expect("a list");
        let names: Vec<&str> = all.iter().filter_map(|one| one["component"].as_str()).collect();
        assert_eq!(names, components, "{}", said.err);
        for one in all {
            assert_eq!(one["failed"], 0, "{one:#}");
            let checks = one["checks"].as_array().expect("a list");
            let passed =
                |rule: &str| checks.iter().any(|check| check["rule"] == rule && check["state"] == "passed");
            assert!(passed("start") && passed("stop") || passed("runs"), "{one:#}");
            assert!(passed("secrets") && passed("user"), "{one:#}");
        }
    }

    /// Builds until these steps are cached, which they have to be soon. (While another build of the
    /// same engine works on equal steps, BuildKit may take over its work instead of the cache's.)
    #[track_caller]
    pub fn expect_cached(&self, spec: &str, args: &[&str], steps: &[String]) {
        let mut said = String::new();
        for pause in [0, 0, 5, 10, 20, 40] {
            std::thread::sleep(std::time::Duration::from_secs(pause));
            said = self.build(spec, args).expect_ok().err;
            if steps.iter().all(|step| vertex_state(&said, step).as_deref() == Some("CACHED")) {
                return;
            }
        }
        panic!("{steps:?} are not cached: {said}");
    }

    /// Likewise, with errors alone.
    pub fn build_quietly(&self, spec: &str, args: &[&str]) -> Said {
        let fixed = ["buildx", "build", "--progress=quiet", "-f", spec];
        docker_in(self.path(), &[], &[&fixed, args, &["."]].concat())
    }
}

fn now() -> u128 {
    std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_nanos()
}

/// The state of a vertex in plain progress output: `CACHED`, `DONE`, `ERROR`, or nothing.
pub fn vertex_state(progress: &str, name: &str) -> Option<String> {
    let number = progress.lines().find_map(|line| {
        let (number, rest) = line.split_once(' ')?;
        (number.starts_with('#') && rest == name).then_some(number)
    })?;
    progress.lines().rev().find_map(|line| {
        let rest = line.strip_prefix(number)?.trim();
        let state = rest.split([' ', ':']).next()?;
        ["CACHED", "DONE", "ERROR"].contains(&state).then(|| state.to_owned())
    })
}

/// An image's configuration.
#[track_caller]
pub fn config(image: &str) -> serde_json::Value {
    let said = docker(&["image", "inspect", "-f", "{{json .Config}}", image]).expect_ok();
    serde_json::from_str(&said.out).expect("JSON")
}

/// Files of an image, with the mode, owner and link target that tar tells: `path` per line.
#[track_caller]
pub fn files(image: &str) -> Vec<String> {
    let name = docker(&["create", image, "true"]).expect_ok().out.trim().to_owned();
    let listing = Command::new("sh").args(["-c", &format!("docker export {name} | tar -t")]).output();
    docker(&["rm", &name]).expect_ok();
    let listing = listing.expect("tar is installed");
    String::from_utf8_lossy(&listing.stdout)
        .lines()
        .map(|line| format!("/{}", line.trim_end_matches('/')))
        .collect()
}

/// A file's content in an image.
#[track_caller]
pub fn file(image: &str, path: &str) -> String {
    let name = docker(&["create", image, "true"]).expect_ok().out.trim().to_owned();
    let content = Command::new("sh").args(["-c", &format!("docker cp {name}:{path} - | tar -xO")]).output();
    docker(&["rm", &name]).expect_ok();
    String::from_utf8_lossy(&content.expect("tar is installed").stdout).into_owned()
}

/// A container of an image, removed at the end.
pub struct Container(String);

impl Container {
    /// Starts one in the background, on a root file system that refuses writes.
    #[track_caller]
    pub fn start(image: &str, args: &[&str]) -> Self {
        let said = docker(&[&["run", "--detach", "--read-only"], args, &[image]].concat()).expect_ok();
        Self(said.out.trim().to_owned())
    }

    /// Runs a program in it.
    pub fn exec(&self, args: &[&str]) -> Said {
        docker(&[&["exec", &self.0], args].concat())
    }

    /// Waits until its own health check says that it is well.
    #[track_caller]
    pub fn wait_until_healthy(&self) {
        for _ in 0..60 {
            let state = self.inspect("{{.State.Status}} {{.State.Health.Status}}");
            match state.as_str() {
                "running healthy" => return,
                "running starting" => std::thread::sleep(std::time::Duration::from_millis(500)),
                state => panic!("it is {state}: {} {}", self.logs(), self.inspect("{{json .State.Health}}")),
            }
        }
        panic!("it did not become healthy in 30 seconds: {}", self.logs());
    }

    /// What the health check is, run as the engine runs it.
    #[track_caller]
    pub fn check(&self) -> Said {
        let test: Vec<String> =
            serde_json::from_str(&self.inspect("{{json .Config.Healthcheck.Test}}")).expect("a health check");
        assert_eq!(test[0], "CMD");
        let words: Vec<&str> = test.iter().skip(1).map(String::as_str).collect();
        self.exec(&words)
    }

    /// Something that the engine knows of it.
    #[track_caller]
    pub fn inspect(&self, format: &str) -> String {
        docker(&["inspect", "-f", format, &self.0]).expect_ok().out.trim().to_owned()
    }

    /// Its stdout and stderr.
    pub fn logs(&self) -> String {
        let said = docker(&["logs", &self.0]);
        said.out + &said.err
    }

    /// Asks it to stop, and gives its exit code; 137 if it had to be killed.
    #[track_caller]
    pub fn stop(&self) -> String {
        docker(&["stop", "-t", "10", &self.0]).expect_ok();
        self.inspect("{{.State.ExitCode}}")
    }

    /// What it wrote to its file system, which is nothing on a good day.
    #[track_caller]
    pub fn written(&self) -> String {
        docker(&["diff", &self.0]).expect_ok().out
    }

    /// The published port on this machine's loopback.
    #[track_caller]
    pub fn port(&self, port: u16) -> u16 {
        let said = docker(&["port", &self.0, &port.to_string()]).expect_ok();
        said.out.trim().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a published port")
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.0]);
    }
}

/// An answer over plain HTTP/1.1: status, and all of it in lower-case headers and body.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, in lower case.
    pub head: String,
    /// The body.
    pub body: String,
}

/// Asks a server on this machine's loopback.
#[track_caller]
pub fn http(port: u16, method: &str, path: &str, body: &str) -> Answer {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("something listens");
    stream.set_read_timeout(Some(std::time::Duration::from_secs(30))).expect("a timeout");
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answered");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// The bytes of an image's files, uncompressed.
#[track_caller]
pub fn weight(image: &str) -> u64 {
    let name = docker(&["create", image, "true"]).expect_ok().out.trim().to_owned();
    let size = Command::new("sh").args(["-c", &format!("docker export {name} | wc -c")]).output();
    docker(&["rm", &name]).expect_ok();
    String::from_utf8_lossy(&size.expect("wc is installed").stdout).trim().parse().expect("a number")
}

/// Nothing of these is in an image that only has to run: compilers, package managers, shells in a
/// minimal one, tools of development, secrets, caches.
#[track_caller]
pub fn nothing_superfluous(image: &str, minimal: bool) {
    let listing = files(image);
    let tools = [
        "gcc", "cc", "g++", "make", "ld", "npm", "npx", "pnpm", "yarn", "corepack", "uv", "poetry", "tsc",
        "vite", "nx", "git", "cargo", "rustc", "go", "javac", "mvn",
    ];
    let shells =
        ["sh", "bash", "dash", "busybox", "apt", "apt-get", "dpkg", "apk", "pip", "pip3", "curl", "wget"];
    let caches = ["/root/.npm/", "/root/.cache/", "/var/lib/apt/lists/", "/root/.m2/", "/root/.bun/install/"];
    for file in &listing {
        let name = file.rsplit('/').next().unwrap_or_default();
        let folder = file.rsplit('/').nth(1).unwrap_or_default();
        let program = matches!(folder, "bin" | "sbin" | ".bin");
        assert!(!(program && tools.contains(&name)), "{image} holds {file}");
        assert!(!(minimal && program && shells.contains(&name)), "{image} holds {file}");
        assert!(
            !caches.iter().any(|cache| file.starts_with(cache) && file.len() > cache.len()),
            "{image} holds {file}"
        );
        assert!(!(name == ".env" || name.starts_with(".env.") || name == ".npmrc"), "{image} holds {file}");
        for package in ["typescript", "tsx", "vite", "nx", "pytest", "ruff", "vitest"] {
            let of_node = file.contains(&format!("/node_modules/{package}/"));
            let of_python = file.contains(&format!("/site-packages/{package}/"));
            assert!(!of_node && !of_python, "{image} holds {file}");
        }
    }
}

/// Whether a text is anywhere in what a registry would get: in a file of any layer, those that a later
/// one removed included, in the configuration, or in the history.
#[track_caller]
pub fn holds(image: &str, text: &str) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("image.tar").to_string_lossy().into_owned();
    docker(&["save", "--output", &archive, image]).expect_ok();
    // Each blob by itself: some are compressed, some are not.
    let script = "tar -xf image.tar && for blob in blobs/sha256/*; do gzip -dc \"$blob\" 2>/dev/null || cat \"$blob\"; done | grep -aqF -- \"$1\"";
    let found = Command::new("sh").args(["-c", script, "sh", text]).current_dir(folder.path()).status();
    found.expect("sh is installed").success()
}
