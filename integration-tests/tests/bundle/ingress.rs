//! An ingress from routes.

use integration_tests::{Project, docker, docker_in, http};
use serde_json::Value;

use crate::tools::{read, run, write};

/// Says what it was asked.
const ECHO: &str = r#"
import http.server, json
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("", 9000), Echo).serve_forever()
"#;
/// An ingress with a route of every kind.
const ROUTES: &str = r#"# syntax=slipway/frontend:0
name: slipway-test-routes
x-slipway: { defaults: { user: { uid: 1001, gid: 1001 } } }
services:
  echo:
    image: python:3.11-slim
    command: [python, /echo.py]
    volumes: ["./echo.py:/echo.py:ro"]
    expose: ["9000"]
    init: true
  api:
    image: slipway-test/routes-api
    build: { context: ., dockerfile: x.spec.yaml, target: api }
    x-slipway: { stages: { a: { from: "python:3.11-slim", steps: [{ copy: { source: echo.py, target: / } }] } }, api: { openapi: openapi.yaml, path: /spec } }
    command: [python, /echo.py]
    expose: ["9000"]
    init: true
  ingress:
    image: slipway-test/routes-ingress
    build: { context: ., dockerfile: x.spec.yaml, target: ingress }
    x-slipway:
      recipe: nginx
      base: minimal
      routes:
        - { path: /health, return: { status: 200, body: "it is \"well\"\n" } }
        - { path: /kept/, service: echo }
        - { path: /cut/, service: echo, strip: true, headers: { X-Own: one two, host: example.org } }
        - { path: /ws, service: echo, port: 9000, websocket: true }
        - { path: /api/, service: api, strip: true }
        - { path: /status.html, return: { status: 200, body: plain, type: text/plain } }
        - { path: /old, redirect: /docs/ }
        - { path: /docs/, explorer: true }
        - { path: /files/, static: public }
        - { path: /@vite/, return: 404 }
      contract: { health: { http: /health } }
    ports: ["127.0.0.1:18986:8080"]
    read_only: true
    tmpfs: [/tmp]
    healthcheck: { interval: 2s, timeout: 3s, retries: 10 }
    depends_on: [echo, api]
"#;

/// S0-4, S0-7, FR-303, NFR-305, NFR-309, NFR-310: routes, as nginx itself takes them and as a browser meets them.
#[test]
fn an_ingress_from_routes() {
    let project = Project::new(&[
        ("x.spec.yaml", ROUTES),
        ("echo.py", ECHO),
        ("openapi.yaml", "openapi: 3.0.3\ninfo: { title: x, version: '1' }\npaths: {}\n"),
        ("public/a.txt", "a file\n"),
    ]);
    let compose =
        |args: &[&str]| docker_in(project.path(), &[], &[&["compose", "-f", "x.spec.yaml"], args].concat());
    compose(&["up", "--build", "--wait", "--wait-timeout", "60"]).expect_ok();
    let result = std::panic::catch_unwind(|| {
        let get = |path: &str| http(18986, "GET", path, "");
        let echoed = |path: &str| -> Value { serde_json::from_str(&get(path).body).expect("JSON") };
        assert_eq!(get("/health").body, "it is \"well\"\n");
        let kept = echoed("/kept/a?b=c");
        assert_eq!(kept["path"], "/kept/a?b=c");
        assert_eq!(kept["headers"].get("x-forwarded-prefix"), None);
        let cut = echoed("/cut/a?b=c");
        assert_eq!(cut["path"], "/a?b=c");
        for (name, value) in [
            ("x-forwarded-prefix", "/cut"),
            ("x-forwarded-host", "localhost"),
            ("x-forwarded-proto", "http"),
            ("x-own", "one two"),
            ("host", "example.org"),
        ] {
            assert_eq!(cut["headers"][name], value, "{name}: {cut}");
        }
        assert!(!cut["headers"]["x-forwarded-for"].is_null());
        // A connection that wants to become a websocket may, where it is allowed to.
        let upgrade = |path: &str| -> Value {
            let headers = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-s"];
            let said = run(
                project.path(),
                &[],
                "curl",
                &[&headers[..], &[&format!("http://127.0.0.1:18986{path}")]].concat(),
            );
            serde_json::from_str(&said.expect_ok().out).expect("JSON")
        };
        assert_eq!(upgrade("/ws")["headers"]["upgrade"], "websocket");
        assert_eq!(upgrade("/kept/")["headers"].get("upgrade"), None);
        assert!(get("/status.html").head.contains("content-type: text/plain"));
        let old = get("/old");
        assert!(old.status == 301 && old.head.ends_with("location: /docs/"), "{}", old.head);
        assert!(get("/docs/").body.contains("API explorer") && get("/docs/").head.contains("text/html"));
        let catalog: Value = serde_json::from_str(&get("/docs/catalog.json").body).expect("JSON");
        let api = &catalog["services"][0];
        assert_eq!((&api["runtimeBasePath"], &api["runtimeSpecPath"]), (&"/api".into(), &"/api/spec".into()));
        let contract = get(&format!("/docs/{}", api["contract"].as_str().expect("a path")));
        assert!(contract.status == 200 && contract.head.contains("application/yaml"), "{}", contract.head);
        assert_eq!(echoed("/api/spec")["path"], "/spec");
        assert_eq!(get("/files/a.txt").body, "a file\n");
        for path in ["/@vite/client", "/files/none.txt", "/", "/nothing"] {
            assert_eq!(get(path).status, 404, "{path}");
        }
        an_nginx_takes(&project);
    });
    let logs = compose(&["logs"]);
    compose(&["down", "-t", "5"]).expect_ok();
    if let Err(panic) = result {
        eprintln!("{}", logs.out);
        std::panic::resume_unwind(panic);
    }
}

/// What is written for an nginx is one's configuration: `nginx -t`, and requests through the snippet.
fn an_nginx_takes(project: &Project) {
    let bundle = write(project, "x.spec.yaml", ":bundle");
    let outer = format!(
        "events {{}}\nhttp {{ server {{ listen 18987;\n{}\nlocation / {{ proxy_pass http://localhost:18986; }}\n}} }}\n",
        read(&bundle, "ingress/reverse-proxy.snippet.conf")
    );
    std::fs::write(bundle.join("outer.conf"), outer).expect("a file");
    let mount = format!("{}:/conf:ro", bundle.display());
    let hosts = ["--add-host", "echo:127.0.0.1", "--add-host", "api:127.0.0.1"];
    for config in ["ingress/nginx.conf", "outer.conf"] {
        let path = format!("/conf/{config}");
        let args = ["run", "--rm", "-v", &mount];
        let test = ["--entrypoint", "nginx", "nginx:1.29-alpine-slim", "-t", "-c", &path];
        let said = docker(&[&args[..], &hosts, &test].concat());
        assert!(said.ok && said.err.contains("test is successful"), "{config}: {}", said.err);
    }
    // A proxy in front, with the snippet: websockets reach the service through both.
    let name = "slipway-test-outer-nginx";
    let args =
        ["run", "-d", "--rm", "--name", name, "--network", "host", "-v", &mount, "--entrypoint", "nginx"];
    docker(&[&args[..], &["nginx:1.29-alpine-slim", "-c", "/conf/outer.conf", "-g", "daemon off;"]].concat())
        .expect_ok();
    let mut said = None;
    for _ in 0..50 {
        let headers =
            ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-s", "http://127.0.0.1:18987/ws"];
        let answer = run(project.path(), &[], "curl", &headers);
        if answer.ok {
            said = serde_json::from_str::<Value>(&answer.out).ok();
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    docker(&["stop", "-t", "2", name]).expect_ok();
    let said = said.expect("the proxy answers");
    assert_eq!(said["headers"]["upgrade"], "websocket", "{said}");
}
