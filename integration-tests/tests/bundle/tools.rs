//! How what is written is held against linters, validators and Compose itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use integration_tests::{Project, Said, docker_in, repository};
use serde_json::Value;

pub(crate) fn write(project: &Project, spec: &str, target: &str) -> PathBuf {
    let folder = project.path().join(format!("out-{}", target.trim_start_matches(':')));
    let _ = std::fs::remove_dir_all(&folder);
    project.build(spec, &["--target", target, "--output", &folder.to_string_lossy()]).expect_ok();
    folder
}

/// All files below a folder, by their paths in it.
pub(crate) fn below(folder: &Path) -> BTreeSet<String> {
    let found = Command::new("find").args([".", "-type", "f"]).current_dir(folder).output().expect("find");
    String::from_utf8_lossy(&found.stdout)
        .lines()
        .map(|line| line.trim_start_matches("./").to_owned())
        .collect()
}

pub(crate) fn read(folder: &Path, path: &str) -> String {
    std::fs::read_to_string(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn json(folder: &Path, path: &str) -> Value {
    serde_json::from_str(&read(folder, path)).expect("JSON")
}

/// Runs a program in a folder.
pub(crate) fn run(folder: &Path, env: &[(&str, &str)], program: &str, args: &[&str]) -> Said {
    let output = Command::new(program).args(args).envs(env.iter().copied()).current_dir(folder).output();
    Said::new(
        &output.unwrap_or_else(|error| panic!("{program}: {error}; integration-tests/run.sh installs it")),
    )
}

/// Runs one of the linters that `run.sh` installs from PyPI.
pub(crate) fn linter(folder: &Path, name: &str, args: &[&str]) -> Said {
    let tools = repository().join("target/tools/python");
    let program = tools.join("bin").join(name);
    run(folder, &[("PYTHONPATH", &tools.to_string_lossy())], &program.to_string_lossy(), args)
}

pub(crate) fn scripts(folder: &Path) -> Vec<String> {
    below(folder).into_iter().filter(|path| path.ends_with(".sh")).collect()
}

/// Scripts that a linter accepts, and whose dry runs succeed and change nothing.
#[track_caller]
pub(crate) fn scripts_are_sound(folder: &Path, at_least: usize) {
    let all = scripts(folder);
    assert!(all.len() >= at_least, "{all:?}");
    let args: Vec<&str> = all.iter().map(String::as_str).collect();
    linter(folder, "shellcheck", &args).expect_ok();
    for path in all.iter().filter(|path| !path.ends_with("lib.sh")) {
        let program = folder.join(path);
        run(folder, &[], &program.to_string_lossy(), &["--dry-run"]).expect_ok();
        let unknown = run(folder, &[], &program.to_string_lossy(), &["--no-such-flag"]);
        let expected = "[error] unknown argument: --no-such-flag";
        assert!(!unknown.ok && unknown.err.contains(expected), "{path}: {}{}", unknown.out, unknown.err);
    }
}

/// Compose reads a file without a warning; what it reads.
#[track_caller]
pub(crate) fn compose_config(folder: &Path, env: &[(&str, &str)], files: &[&str]) -> Value {
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
pub(crate) fn manifests_are_valid(folder: &Path) {
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
pub(crate) fn workflows_are_valid(folder: &Path) {
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
