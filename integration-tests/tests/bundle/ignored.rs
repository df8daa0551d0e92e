//! `.dockerignore`.

use integration_tests::{Project, docker_in};

use crate::tools::{below, write};

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
