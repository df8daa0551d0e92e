//! Where files may come from: archives, stdin, layouts, named contexts, other components.

#![allow(clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use integration_tests::{Project, Said, config, docker, docker_in, file, files};

/// A stage that takes a file of the context.
const TAKE: &str = "\
# syntax=slipway/frontend:0
services:
  app:
    x-slipway:
      stages:
        runtime: { from: scratch, steps: [ { copy: { source: words.txt, target: /words.txt } } ] }
";

fn tar(project: &Project, paths: &[&str]) -> Vec<u8> {
    let output = Command::new("tar").arg("cz").args(paths).current_dir(project.path()).output();
    output.expect("tar is installed").stdout
}

/// `docker` with these bytes on stdin.
fn docker_with(input: &[u8], project: &Project, args: &[&str]) -> Said {
    let mut child = Command::new("docker")
        .args(args)
        .current_dir(project.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("docker is installed");
    child.stdin.take().expect("a pipe").write_all(input).expect("written");
    Said::new(&child.wait_with_output().expect("it ends"))
}

#[test]
fn an_archive_on_stdin() {
    let project = Project::new(&[("app.spec.yaml", TAKE), ("words.txt", "from a tar")]);
    let archive = tar(&project, &["app.spec.yaml", "words.txt"]);
    let args = ["buildx", "build", "-f", "app.spec.yaml", "-t", "slipway-test/stdin-tar", "-"];
    docker_with(&archive, &project, &args).expect_ok();
    assert_eq!(file("slipway-test/stdin-tar", "/words.txt"), "from a tar");
}

#[test]
fn a_spec_on_stdin() {
    let project = Project::new(&[("words.txt", "from the folder")]);
    let args = ["buildx", "build", "-f", "-", "-t", "slipway-test/stdin-spec", "."];
    docker_with(TAKE.as_bytes(), &project, &args).expect_ok();
    assert_eq!(file("slipway-test/stdin-spec", "/words.txt"), "from the folder");
}

/// Answers GET with these files, for as many requests as come; the thread ends with the test.
fn serve(files: Vec<(&'static str, Vec<u8>)>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream, &files);
        }
    });
    port
}

fn answer(mut stream: TcpStream, files: &[(&'static str, Vec<u8>)]) {
    let mut request = [0; 4096];
    let length = stream.read(&mut request).unwrap_or(0);
    let text = String::from_utf8_lossy(&request[..length]).into_owned();
    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
    let found = files.iter().find(|(name, _)| *name == path);
    let (status, body) = found.map_or(("404 Not Found", &b""[..]), |(_, body)| ("200 OK", body));
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nLast-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    if !text.starts_with("HEAD") {
        let _ = stream.write_all(body);
    }
}

#[test]
fn an_archive_and_a_file_over_http() {
    let project = Project::new(&[("app.spec.yaml", TAKE), ("words.txt", "from the web")]);
    let alone = "\
# syntax=slipway/frontend:0
services:
  app:
    x-slipway:
      stages:
        runtime: { from: scratch, steps: [ { write: { path: /words.txt, content: \"no context\" } } ] }
";
    let archive = tar(&project, &["app.spec.yaml", "words.txt"]);
    let port = serve(vec![("/app.tar.gz", archive), ("/app.yaml", alone.as_bytes().to_vec())]);
    let url = format!("http://127.0.0.1:{port}/app.tar.gz");
    let image = "slipway-test/http";
    let args = ["buildx", "build", "-f", "app.spec.yaml", "-t", image];
    docker_in(project.path(), &[], &[&args[..], &[&url]].concat()).expect_ok();
    assert_eq!(file(image, "/words.txt"), "from the web");
    // A URL that is no archive is the spec itself.
    let url = format!("http://127.0.0.1:{port}/app.yaml");
    docker_in(project.path(), &[], &["buildx", "build", "-t", image, &url]).expect_ok();
    assert_eq!(file(image, "/words.txt"), "no context");
}

#[test]
fn an_oci_layout_as_a_base() {
    let base = Project::new(&[("words.txt", "from a layout"), ("app.spec.yaml", TAKE)]);
    let layout = base.path().join("layout");
    let output = format!("type=oci,tar=false,dest={}", layout.display());
    base.build("app.spec.yaml", &["--output", &output, "--label", "from=layout"]).expect_ok();
    let spec = "\
# syntax=slipway/frontend:0
services:
  app: { x-slipway: { stages: { runtime: { from: base, steps: [] } } } }
";
    let project = Project::new(&[("app.spec.yaml", spec)]);
    let context = format!("base=oci-layout://{}", layout.display());
    let args = ["--build-context", &context, "-t", "slipway-test/layout"];
    project.build("app.spec.yaml", &args).expect_ok();
    assert_eq!(file("slipway-test/layout", "/words.txt"), "from a layout");
    // The base's configuration comes along, its labels do not.
    let config = config("slipway-test/layout");
    assert_eq!((&config["User"], &config["Labels"]), (&"1001:1001".into(), &serde_json::Value::Null));
}

/// A folder that the client names may leave files out, as the build context does.
#[test]
fn a_named_folder_has_its_own_ignore_file() {
    let spec = "\
# syntax=slipway/frontend:0
services:
  app: { x-slipway: { stages: { runtime: { from: scratch, steps: [ { copy: { from: assets, source: /, target: /assets/ } } ] } } } }
";
    let project = Project::new(&[
        ("app.spec.yaml", spec),
        ("elsewhere/keep.txt", ""),
        ("elsewhere/drop.log", ""),
        ("elsewhere/.dockerignore", "*.log\n.dockerignore\n"),
    ]);
    let args = ["--build-context", "assets=elsewhere", "-t", "slipway-test/named-folder"];
    project.build("app.spec.yaml", &args).expect_ok();
    let assets: Vec<String> =
        files("slipway-test/named-folder").into_iter().filter(|path| path.starts_with("/assets/")).collect();
    assert_eq!(assets, ["/assets/keep.txt"]);
}

const PARTS: &str = "\
# syntax=slipway/frontend:0
name: parts
services:
  tools:
    build: { context: ., dockerfile: app.spec.yaml, target: tools }
    x-slipway:
      stages: { runtime: { from: scratch, steps: [ { copy: { source: words.txt, target: /words.txt } } ] } }
    working_dir: /tools
  app:
    image: slipway-test/parts
    build:
      context: .
      dockerfile: app.spec.yaml
      target: app
      additional_contexts: { assets: ./assets, other: 'service:tools' }
    x-slipway:
      stages:
        runtime:
          from: tools
          steps:
            - copy: { from: assets, source: a.txt, target: /a.txt }
            - copy: { from: other, source: /words.txt, target: /again.txt }
";

/// A component may start from another one, and take files of additional contexts, whoever builds.
#[test]
fn components_and_additional_contexts_are_sources() {
    let project =
        Project::new(&[("app.spec.yaml", PARTS), ("words.txt", "a tool"), ("assets/a.txt", "asset")]);
    let look = |who: &str| {
        assert_eq!(file("slipway-test/parts", "/words.txt"), "a tool", "{who}");
        assert_eq!(file("slipway-test/parts", "/again.txt"), "a tool", "{who}");
        assert_eq!(file("slipway-test/parts", "/a.txt"), "asset", "{who}");
        assert_eq!(config("slipway-test/parts")["WorkingDir"], "/tools", "{who}");
        docker(&["image", "rm", "-f", "slipway-test/parts"]).expect_ok();
    };
    project.build("app.spec.yaml", &["--target", "app", "-t", "slipway-test/parts"]).expect_ok();
    look("build");
    docker_in(project.path(), &[], &["buildx", "bake", "-f", "app.spec.yaml", "app"]).expect_ok();
    look("bake");
    docker_in(project.path(), &[], &["compose", "-f", "app.spec.yaml", "build"]).expect_ok();
    look("compose");
    // The client may put something else into a component's place.
    project.write("elsewhere/words.txt", "another tool");
    let args = ["--target", "app", "-t", "slipway-test/parts", "--build-context", "tools=elsewhere"];
    project.build("app.spec.yaml", &args).expect_ok();
    assert_eq!(file("slipway-test/parts", "/words.txt"), "another tool");
}

#[test]
fn what_cannot_be_a_source_is_said() {
    let circle = PARTS.replace("stages: { runtime: { from: scratch,", "stages: { runtime: { from: app,");
    let project = Project::new(&[("app.spec.yaml", &circle), ("words.txt", "")]);
    let said = project.build_quietly("app.spec.yaml", &["--target", "app"]);
    assert!(!said.ok && said.err.contains("is made from itself"), "{}", said.err);
    assert!(said.err.contains(">>>"), "at a line: {}", said.err);
    let outside = PARTS.replace("assets: ./assets", "assets: ../assets");
    let project = Project::new(&[("app.spec.yaml", &outside), ("words.txt", "")]);
    let said = project.build_quietly("app.spec.yaml", &["--target", "app"]);
    assert!(said.err.contains("say `--build-context assets=../assets`"), "{}", said.err);
    let typo = PARTS.replace("from: tools", "from: tool");
    let project = Project::new(&[("app.spec.yaml", &typo), ("words.txt", ""), ("assets/a.txt", "")]);
    let said = project.build_quietly("app.spec.yaml", &["--target", "app"]);
    assert!(said.err.contains("did you mean the component `tools`?"), "{}", said.err);
}

/// Services of another file are targets as well; their paths start in their own folder.
#[test]
fn an_included_file() {
    let main = "\
# syntax=slipway/frontend:0
include: [part/part.spec.yaml]
services:
  web: { image: nginx }
";
    let part = TAKE.replace("# syntax=slipway/frontend:0\n", "");
    let project = Project::new(&[
        ("app.spec.yaml", main),
        ("part/part.spec.yaml", &part),
        ("part/words.txt", "included"),
    ]);
    project.build("app.spec.yaml", &["--target", "app", "-t", "slipway-test/included"]).expect_ok();
    assert_eq!(file("slipway-test/included", "/words.txt"), "included");
}

/// What a Dockerfile's ADD does: files from URLs, unpacked or not, held to a digest.
#[test]
fn files_from_urls() {
    let project = Project::new(&[("inside.txt", "unpacked")]);
    let port = serve(vec![("/pack.tar.gz", tar(&project, &["inside.txt"])), ("/one.txt", b"one".to_vec())]);
    let one = "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
    let spec = format!(
        "\
# syntax=slipway/frontend:0
services:
  app:
    x-slipway:
      stages:
        runtime:
          from: scratch
          steps:
            - copy: {{ from: \"http://127.0.0.1:{port}/pack.tar.gz\", target: /unpacked/, unpack: true }}
            - copy: {{ from: \"http://127.0.0.1:{port}/one.txt\", target: /one/, checksum: \"{one}\", mode: \"0600\" }}
"
    );
    project.write("app.spec.yaml", &spec);
    let image = "slipway-test/urls";
    project.build("app.spec.yaml", &["-t", image]).expect_ok();
    assert_eq!(file(image, "/unpacked/inside.txt"), "unpacked");
    assert_eq!(file(image, "/one/one.txt"), "one");
    project.write("app.spec.yaml", &spec.replace("7692", "0000"));
    let refused = project.build_quietly("app.spec.yaml", &["-t", image]);
    assert!(!refused.ok && refused.err.contains("digest mismatch"), "{}", refused.err);
    assert!(refused.err.contains(">>>"), "at the spec's line: {}", refused.err);
}
