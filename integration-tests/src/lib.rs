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

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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
    fn new(output: &Output) -> Self {
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

    /// `docker buildx build -f spec.yaml ARGS .`, with all that progress tells.
    pub fn build(&self, spec: &str, args: &[&str]) -> Said {
        let fixed = ["buildx", "build", "--progress=plain", "-f", spec];
        docker_in(self.path(), &[], &[&fixed, args, &["."]].concat())
    }

    /// Likewise, with errors alone.
    pub fn build_quietly(&self, spec: &str, args: &[&str]) -> Said {
        let fixed = ["buildx", "build", "--progress=quiet", "-f", spec];
        docker_in(self.path(), &[], &[&fixed, args, &["."]].concat())
    }
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
