//! One build for two platforms: what every image is made of, that it runs, and what of the build
//! runs once for both. Programs of the platform that the engine has not run under emulation.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::Command;

use integration_tests::{Container, Project, docker, http};
use serde_json::Value;

/// A platform, with what a program for it says of itself: the machine in its ELF head, and the
/// kernel's name for it.
struct Machine {
    platform: &'static str,
    elf: u16,
    name: &'static str,
}

const AMD64: Machine = Machine { platform: "linux/amd64", elf: 62, name: "x86_64" };
const ARM64: Machine = Machine { platform: "linux/arm64", elf: 183, name: "aarch64" };
const BOTH: [Machine; 2] = [AMD64, ARM64];

/// The platform that the engine itself has, on which build steps are fast.
fn build_platform() -> String {
    docker(&["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"]).expect_ok().out.trim().to_owned()
}

/// The image of a build for both platforms, in the engine and as an archive.
struct Built {
    tag: String,
    archive: tempfile::TempDir,
    progress: String,
}

impl Built {
    fn new(project: &Project, spec: &str, target: &str) -> Self {
        let archive = tempfile::tempdir().expect("a folder");
        let tag = format!("slipway-test/{target}-of-both");
        let output = format!("type=oci,dest={}/image.tar", archive.path().display());
        let args = [
            "--platform=linux/amd64,linux/arm64",
            "--provenance=false",
            "--target",
            target,
            "--tag",
            &tag,
            "--output=type=image",
            "--output",
            &output,
        ];
        let progress = project.build(spec, &args).expect_ok().err;
        untar(&archive.path().join("image.tar"), archive.path());
        Self { tag, archive, progress }
    }

    fn blob(&self, descriptor: &Value) -> std::path::PathBuf {
        let digest = descriptor["digest"].as_str().expect("a digest").replace(':', "/");
        self.archive.path().join("blobs").join(digest)
    }

    fn json(&self, descriptor: &Value) -> Value {
        serde_json::from_slice(&fs::read(self.blob(descriptor)).expect("the blob is there")).expect("JSON")
    }

    /// The index has the two platforms, and what each of them points to is of that architecture
    /// throughout: its configuration, and every program and library in its layers.
    fn has_both_platforms(&self) {
        let text = fs::read(self.archive.path().join("index.json")).expect("the index is there");
        let outer: Value = serde_json::from_slice(&text).expect("JSON");
        let index = self.json(&outer["manifests"][0]);
        let manifests = index["manifests"].as_array().expect("manifests");
        let platforms: Vec<String> = manifests
            .iter()
            .map(|manifest| &manifest["platform"])
            .map(|platform| format!("{}/{}", text_of(&platform["os"]), text_of(&platform["architecture"])))
            .collect();
        assert_eq!(platforms, BOTH.map(|machine| machine.platform));

        for (manifest, machine) in manifests.iter().zip(BOTH) {
            let manifest = self.json(manifest);
            let config = self.json(&manifest["config"]);
            let platform = format!("{}/{}", text_of(&config["os"]), text_of(&config["architecture"]));
            assert_eq!(platform, machine.platform);

            let layers = manifest["layers"].as_array().expect("layers");
            let mut machines = BTreeSet::new();
            for layer in layers {
                let folder = tempfile::tempdir().expect("a folder");
                untar(&self.blob(layer), folder.path());
                collect_machines(folder.path(), &mut machines);
            }
            assert_eq!(machines, BTreeSet::from([machine.elf]), "{} {}", self.tag, machine.platform);
        }
    }

    /// It runs, is well by its own health check, and answers.
    fn runs(&self, port: u16, path: &str, args: &[&str]) -> Vec<String> {
        let publish = format!("--publish=127.0.0.1::{port}");
        BOTH.iter()
            .map(|machine| {
                let platform = format!("--platform={}", machine.platform);
                let container = Container::start(&self.tag, &[&[platform.as_str(), &publish], args].concat());
                container.wait_until_healthy();
                let said = container.exec(&["uname", "-m"]).expect_ok();
                assert_eq!(said.out.trim(), machine.name);
                let answer = http(container.port(port), "GET", path, "");
                assert_eq!(answer.status, 200, "{} {}", self.tag, machine.platform);
                answer.body
            })
            .collect()
    }

    /// The platforms for which a step is in the build, whether it ran or was cached.
    fn platforms_of(&self, step: &str) -> BTreeSet<String> {
        self.progress
            .lines()
            .filter_map(|line| line.split_once(" [")?.1.strip_suffix(step)?.strip_suffix(' '))
            .map(str::to_owned)
            .collect()
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[track_caller]
fn untar(archive: &Path, folder: &Path) {
    let mut command = Command::new("tar");
    command.args(["--no-same-owner", "--exclude=dev/*", "-xf"]).arg(archive).arg("-C").arg(folder);
    assert!(command.status().expect("tar is installed").success());
}

/// The machines that the ELF files in a folder are for.
fn collect_machines(folder: &Path, machines: &mut BTreeSet<u16>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            collect_machines(&entry.path(), machines);
        }
        let mut head = [0; 20];
        let read =
            kind.is_file() && File::open(entry.path()).expect("readable").read_exact(&mut head).is_ok();
        if read && head.starts_with(b"\x7fELF") {
            machines.insert(u16::from_le_bytes([head[18], head[19]]));
        }
    }
}

fn set<const N: usize>(platforms: [&str; N]) -> BTreeSet<String> {
    platforms.map(str::to_owned).into()
}

/// What a site is built into is the same on every platform: it is built once, without emulation.
#[test]
fn a_static_site() {
    let built = Built::new(&Project::copy_of("specs/market"), "market.spec.yaml", "web");
    built.has_both_platforms();
    let pages = built.runs(18083, "/", &["--tmpfs=/tmp"]);
    assert!(pages[0].contains("<script") && pages[0] == pages[1], "one and the same page");
    for step in ["web deps] npm ci", "web build] npm run build"] {
        assert_eq!(built.platforms_of(step), set([&build_platform()]), "{step}");
    }
}

/// Dependencies of a service may hold native code, so each platform has its own.
#[test]
fn a_node_service() {
    let built = Built::new(&Project::copy_of("specs/market"), "market.spec.yaml", "feed");
    built.has_both_platforms();
    let health = built.runs(18082, "/health", &[]);
    assert_eq!(health, [r#"{"status":"ok"}"#; 2]);
    assert_eq!(built.platforms_of("feed prod-deps] npm ci --omit=dev"), set(["linux/amd64", "linux/arm64"]));
}

/// A hand-written stage says whose platform it has.
#[test]
fn stages_of_the_build_platform_run_once() {
    let spec = "\
# syntax=slipway/frontend:0
name: platforms
services:
  app:
    x-slipway:
      contract: { size: 20MB, health: { http: /, port: 8000 } }
      stages:
        once:
          from: busybox
          platform: build
          steps:
            - run: mkdir /out && uname -m > /out/index.html
        each:
          from: busybox
          steps:
            - run: mkdir /out && uname -m > /out/machine
        runtime:
          from: busybox
          steps:
            - copy: { from: once, source: /out/, target: /www/ }
            - copy: { from: each, source: /out/, target: /www/ }
    command: [httpd, -f, -p, \"8000\", -h, /www]
    expose: [\"8000\"]
    healthcheck: { interval: 1s, timeout: 5s, start_period: 5s, retries: 5 }
";
    let built = Built::new(&Project::new(&[("spec.yaml", spec)]), "spec.yaml", "app");
    built.has_both_platforms();
    let host = build_platform();
    let of_host = BOTH.into_iter().find(|machine| machine.platform == host).expect("one of the two").name;
    assert_eq!(built.runs(8000, "/", &[]), [format!("{of_host}\n"), format!("{of_host}\n")]);
    assert_eq!(built.runs(8000, "/machine", &[]), ["x86_64\n", "aarch64\n"]);
    let step = |stage: &str, file: &str| format!("app {stage}] mkdir /out && uname -m > /out/{file}");
    assert_eq!(built.platforms_of(&step("once", "index.html")), set([&host]));
    assert_eq!(built.platforms_of(&step("each", "machine")), set(["linux/amd64", "linux/arm64"]));
}
