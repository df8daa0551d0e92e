//! Whole folders, and the specs that come out: each is read again, planned and linted.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A folder of the test's own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let above = std::env::temp_dir().join(format!("slipway-init-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&above);
        fs::create_dir_all(above.join("legacy")).expect("a folder");
        Self(above)
    }

    /// The fixture without the files that `keep` refuses.
    fn of_fixture(name: &str, keep: impl Fn(&str) -> bool) -> Self {
        let folder = Self::new(name);
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration-tests/fixtures/legacy");
        copy(&fixture, &folder.path(), &keep);
        folder
    }

    fn with(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = Self::new(name);
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        folder
    }

    fn path(&self) -> PathBuf {
        self.0.join("legacy")
    }

    fn init(&self) -> Init {
        Init { folder: self.path(), file: "app".to_owned(), compose: None, print: false, force: false }
    }

    fn made(&self) -> Made {
        let tree = Tree::read(&self.path()).expect("a folder");
        self.init().look(&tree, "app.spec.yaml").expect("a spec")
    }

    /// What is wrong with a spec here.
    fn problems(&self, made: &Made) -> Vec<Diagnostic> {
        let file = self.path().join("app.spec.yaml");
        fs::write(&file, &made.text).expect("a file");
        let place = Place { file, target: None, build_args: Vec::new(), context: self.path() };
        let problems = place.open().expect("a spec").problems;
        problems.into_iter().filter(|problem| problem.level > Level::Info).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy(from: &Path, to: &Path, keep: &impl Fn(&str) -> bool) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(&name), keep);
        } else if keep(&name) {
            fs::copy(entry.path(), to.join(&name)).expect("a file");
        }
    }
}

/// The spec, and above it what is said on the terminal.
fn shown(made: &Made) -> String {
    let said: Vec<&str> = made.found.iter().chain(&made.notes).map(String::as_str).collect();
    format!("{}\n---\n{}", said.join("\n"), made.text)
}

#[test]
fn compose_file() {
    let folder = Folder::of_fixture("compose", |_| true);
    let made = folder.made();
    assert_eq!(folder.problems(&made), []);
    insta::assert_snapshot!(shown(&made));
}

/// All but the services that are built is the text that was there, line by line.
#[test]
fn compose_text_stays() {
    let folder = Folder::of_fixture("text", |_| true);
    let made = folder.made();
    let before = fs::read_to_string(folder.path().join("compose.yaml")).expect("a file");
    let mut after = made.text.lines();
    for line in before.lines().filter(|line| !line.contains("build: ") && !line.contains("context: ")) {
        let line = line.replace("      test: ", "      # test: ");
        assert!(after.any(|known| known == line), "{line} is not there in its order:\n{}", made.text);
    }
}

#[test]
fn dockerfiles() {
    let folder = Folder::of_fixture("dockerfiles", |name| name != "compose.yaml");
    let made = folder.made();
    assert_eq!(folder.problems(&made), []);
    insta::assert_snapshot!(shown(&made));
}

#[test]
fn folders() {
    let folder = Folder::of_fixture("folders", |name| name != "compose.yaml" && name != "Dockerfile");
    let made = folder.made();
    assert_eq!(folder.problems(&made), []);
    insta::assert_snapshot!(shown(&made));
}

const LOCK: &str = r#"{ "name": "x", "lockfileVersion": 3, "packages": {} }"#;

/// Ecosystems and ways to write Dockerfiles beside those of the fixture.
#[test]
fn dialects() {
    let folder = Folder::with(
        "dialects",
        &[
            ("go/go.mod", "module x\ngo 1.24\n"),
            ("go/cmd/server/main.go", "package main\n"),
            ("go/web/page.html", ""),
            (
                "go/Dockerfile",
                "FROM golang:1.24-alpine AS build\nRUN apk add --no-cache git ca-certificates\nWORKDIR /src\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /server ./cmd/server\nFROM gcr.io/distroless/static:nonroot\nCOPY --from=build /server /server\nCOPY --from=build /src/web /web\nUSER 65532:65532\nSTOPSIGNAL SIGINT\nENTRYPOINT [\"/server\"]\nCMD [\"--listen\", \":9000\"]\n",
            ),
            ("java/pom.xml", "<project><artifactId>spring-boot-starter-web</artifactId></project>"),
            (
                "java/Dockerfile",
                "FROM maven:3.9-eclipse-temurin-21 AS build\nCOPY . .\nRUN mvn -q package\nFROM eclipse-temurin:21-jre-alpine\nRUN apk add --no-cache fontconfig\nCOPY --from=build target/*.jar app.jar\nEXPOSE 8080\nENTRYPOINT [\"java\", \"-Xss512k\", \"-jar\", \"app.jar\"]\n",
            ),
            (
                "next/package.json",
                r#"{ "scripts": { "build": "next build", "start": "next start -p 3000" } }"#,
            ),
            ("next/package-lock.json", LOCK),
            (
                "next/Dockerfile",
                "FROM node:20-alpine AS base\nRUN apk add --no-cache libc6-compat\nFROM base AS build\nWORKDIR /app\nENV NEXT_PUBLIC_API=/api\nCOPY . .\nRUN npm ci && npm run build:prod\nFROM base\nWORKDIR /app\nCOPY --from=build /app/.next ./.next\nCOPY --from=build /app/public ./public\nCOPY --from=build /app/node_modules ./node_modules\nEXPOSE 3000\nCMD npm start\n",
            ),
            ("flat/requirements.txt", "flask==3.1.0\n"),
            ("flat/app/serve.py", ""),
            (
                "flat/Dockerfile",
                "FROM python:3.12\nWORKDIR /code\nCOPY requirements.txt .\nRUN pip install -r requirements.txt && pip install gunicorn\nCOPY app/ .\nVOLUME /data\nCMD exec gunicorn serve:app --bind 0.0.0.0:5000\n",
            ),
            ("ingress/site.conf", "server { listen 8080; }\n"),
            (
                "ingress/Dockerfile",
                "FROM nginx:1.29\nCOPY site.conf /etc/nginx/conf.d/default.conf\nRUN <<EOF\nrm /etc/nginx/x\nEOF\n",
            ),
            ("pages/public/index.html", ""),
            (
                "pages/Dockerfile",
                "FROM nginxinc/nginx-unprivileged:alpine\nWORKDIR /usr/share/nginx/html\nCOPY public .\n",
            ),
            (
                "single/package.json",
                r#"{ "scripts": { "start:prod": "NODE_ENV=production node src/x.js" } }"#,
            ),
            ("single/package-lock.json", LOCK),
            ("single/src/x.js", ""),
            ("shared/x", ""),
            (
                "single/Dockerfile",
                "FROM node:22-alpine\nWORKDIR /app\nENV NPM_CONFIG_REGISTRY=https://example.org PATH=$PATH:/app/bin\nRUN apk add make curl\nCOPY single .\nCOPY shared ./shared\nCOPY shared/x /etc/x\nHEALTHCHECK NONE\nCMD [\"npm\", \"run\", \"start:prod\"]\n",
            ),
            ("php/Dockerfile", "FROM php:8.3-apache\nCOPY . /var/www/html\n"),
        ],
    );
    let made = folder.made();
    assert_eq!(folder.problems(&made), []);
    insta::assert_snapshot!(shown(&made));
}

/// Forms of Compose beside those of the fixture: line ends, quotes, what services inherit.
#[test]
fn compose_dialects() {
    let text = "x-hc: &hc\r\n  interval: 5s\r\nservices:\r\n  \"a\":\r\n    build:\r\n      dockerfile_inline: |\r\n        FROM node:22\r\n        CMD node x.js\r\n      context: .\r\n    healthcheck:\r\n      <<: *hc\r\n      test: curl -f http://localhost:3000/\r\n    volumes:\r\n    - .:/app\r\n    ports:\r\n    - \"3000:3000\"\r\n  b:\r\n    extends: a\r\n    command: npm start\r\n";
    let files = [("compose.yml", text), ("package.json", "{}"), ("package-lock.json", LOCK), ("x.js", "")];
    let folder = Folder::with("forms", &files);
    let made = folder.made();
    assert_eq!(folder.problems(&made).iter().filter(|problem| problem.is_error()).count(), 0);
    assert_eq!(made.text.matches('\n').count(), made.text.matches("\r\n").count());
    insta::assert_snapshot!(shown(&made).replace('\r', ""));
}

#[test]
fn workspace() {
    let folder = Folder::new("workspace");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/jts"), &folder.path(), &|name| {
        !name.ends_with("spec.yaml")
    });
    let made = folder.made();
    assert_eq!(folder.problems(&made), []);
    insta::assert_snapshot!(made.found.join("\n") + "\n" + &made.notes.join("\n"));
}

/// Whatever form a Compose file has, each service with a `build` can be made a component.
#[test]
fn every_form_of_compose() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for path in fs::read_dir(root.join("integration-tests/compose")).expect("a folder").flatten() {
        let text = fs::read_to_string(path.path()).expect("a file");
        let file = ComposeFile::read(&text).expect("readable");
        let built = file.services().into_iter().filter(|name| file.build(name).is_some());
        let changes: Vec<Change> = built
            .map(|name| {
                let mut component = write::Component { name, ..write::Component::default() };
                component.own("recipe", write::Value::Text("node".to_owned()), "a test");
                Change { component, without_test: false }
            })
            .collect();
        seen += changes.len();
        file.edited(&changes, "app.spec.yaml")
            .unwrap_or_else(|why| panic!("{}: {why}", path.path().display()));
    }
    assert!(seen > 5, "{seen}");
}

/// Files that end anywhere are read without an end of the program.
#[test]
fn half_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration-tests/fixtures/legacy");
    let given = std::collections::BTreeMap::new();
    for name in ["orders/Dockerfile", "quotes/Dockerfile", "compose.yaml"] {
        let text = fs::read_to_string(root.join(name)).expect("a file");
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let half = &text[..end];
            if name.ends_with("Dockerfile") {
                let _ = Told::read(half, name, "orders", None, &given);
                continue;
            }
            let Ok(file) = ComposeFile::read(half) else { continue };
            let built = file.services().into_iter().filter(|name| file.build(name).is_some());
            let changes = built.map(|name| {
                let without_test = file.owns_test(&name);
                Change { component: write::Component { name, ..write::Component::default() }, without_test }
            });
            let _ = file.edited(&changes.collect::<Vec<_>>(), "app.spec.yaml");
        }
    }
}

#[test]
fn nothing_is_written_over() {
    let folder = Folder::of_fixture("over", |_| true);
    let target = folder.path().join("app.spec.yaml");
    assert_eq!(folder.init().run(), 0);
    fs::write(&target, "mine").expect("written");
    assert_eq!(folder.init().run(), 2);
    assert_eq!(fs::read_to_string(&target).expect("there"), "mine");
    assert_eq!(Init { force: true, ..folder.init() }.run(), 0);
    assert!(fs::read_to_string(&target).expect("there").starts_with(write::SYNTAX));
}

#[test]
fn what_there_is_no_spec_for() {
    let empty = Folder::new("empty");
    assert_eq!(empty.init().run(), 1);
    assert_eq!(Init { folder: empty.path().join("no"), ..empty.init() }.run(), 2);
    assert_eq!(Init { file: "../app".to_owned(), ..empty.init() }.run(), 2);
    assert_eq!(Init { compose: Some(empty.path().join("no.yaml")), ..empty.init() }.run(), 2);
    let broken = Folder::with("broken", &[("compose.yaml", "services:\n  a: [\n")]);
    assert_eq!(broken.init().run(), 2);
    // Contexts that are elsewhere, and folders that tell nothing, stay as they are.
    let text =
        "services:\n  a:\n    build: ../x\n  b:\n    build: https://example.org/x.git\n  c:\n    build: .\n";
    let nothing = Folder::with("nothing", &[("compose.yaml", text)]);
    assert_eq!(nothing.init().run(), 1);
    assert!(!nothing.path().join("app.spec.yaml").exists());
}
