//! Unusual Compose files, and no target at all.

use integration_tests::{Project, docker_in};
use serde_json::Value;

use crate::tools::{compose_config, manifests_are_valid, read, run, write};

/// Without a target, every component is built and the bundle is the result; what cannot be built is an error.
#[test]
fn without_a_target_everything_is_built() {
    let spec = "# syntax=slipway/frontend:0\nname: both\nservices:\n  one: { build: { context: ., dockerfile: x.spec.yaml, target: one }, x-slipway: { stages: { a: { from: busybox, steps: [{ run: \"echo built > /one\" }] } } }, command: [cat, /one] }\n  two: { build: { context: ., dockerfile: x.spec.yaml, target: two }, x-slipway: { stages: { a: { from: busybox, steps: [{ run: \"true && echo two > /two\" }] } } }, command: [cat, /two] }\n";
    let project = Project::new(&[("x.spec.yaml", spec)]);
    let said = project.build("x.spec.yaml", &["--no-cache", "--output", "out"]).expect_ok();
    for step in ["[one a] echo built > /one", "[two a] true && echo two > /two"] {
        assert!(said.err.contains(step), "{step}: {}", said.err);
    }
    assert!(
        project
            .read("out/compose.yaml")
            .contains("image: ${BOTH_ONE_IMAGE:-both-one:${BOTH_IMAGE_TAG:-latest}}")
    );
    project.write("x.spec.yaml", &spec.replace("true &&", "false &&"));
    let said = project.build("x.spec.yaml", &["--output", "out2"]);
    assert!(
        !said.ok && said.err.contains("x.spec.yaml:5") && !project.path().join("out2/compose.yaml").exists(),
        "{}",
        said.err
    );
    let said = project.build("x.spec.yaml", &["--target", "one:bundle", "--output", "out3"]);
    assert!(!said.ok && said.err.contains("is about the whole project"), "{}", said.err);
}

/// Unusual Compose files, as a review thought of them.
const UNUSUAL: &str = r#"# syntax=slipway/frontend:0
name: odd
x-slipway: { deploy: { profile: aws-ec2-compose, domain: odd.example.org } }
services:
  first:
    image: ${REG:-ghcr.io}/acme/first:1
    build: { context: ., dockerfile: x.spec.yaml, target: first }
    x-slipway: &made
      stages: { a: { from: busybox, steps: [{ run: "true" }] } }
      user: { uid: 1001, gid: 1001 }
      contract: { writable: [/usr/local/share] }
    command: ["sh", "-c", "echo $$HOME; sleep 100"]
    environment: { ODD: "a\u0085b\u2028c\u007f", OCTAL: "0755", EMPTY: "", NOTHING: , YES: "yes", CORS_ALLOWED_ORIGINS: "${CORS_ALLOWED_ORIGINS:-https://${ODD_FQDN:-localhost}}" }
    deploy: { resources: { reservations: { memory: 1G, cpus: "2" } } }
    tmpfs: /var/lib/thing
    volumes: ["data:/data", "./conf:/conf:ro"]
    depends_on: { other: { condition: service_started }, devtool: { condition: service_started, required: false } }
    expose: ["9000"]
  second.one:
    build: { context: ., dockerfile: x.spec.yaml, target: second.one }
    x-slipway: *made
    command: [sleep, "100"]
    mem_limit: 32m
    volumes: ["data:/data"]
  other:
    image: busybox
    depends_on: { devtool: { condition: service_started, required: false } }
  devtool:
    profiles: [dev]
    image: odd-devtool
    build: .
volumes: { data: {} }
"#;

#[test]
fn unusual_compose_files() {
    let project = Project::new(&[("x.spec.yaml", UNUSUAL), ("conf/a.conf", "a\n")]);
    let bundle = write(&project, "x.spec.yaml", ":bundle");
    let config = compose_config(&bundle, &[], &["compose.yaml"]);
    let services = &config["services"];
    // Values mean what they mean in the spec.
    let args = ["compose", "-f", "x.spec.yaml", "config", "--format", "json"];
    let original: Value =
        serde_json::from_str(&docker_in(project.path(), &[], &args).expect_ok().out).expect("JSON");
    for key in ["environment", "command", "expose"] {
        assert_eq!(services["first"][key], original["services"]["first"][key], "{key}");
    }
    // What is reserved can be had; what is left out is waited for by nobody.
    assert_eq!(services["first"]["deploy"]["resources"]["limits"]["memory"], "1073741824");
    assert_eq!(
        services["first"]["depends_on"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["other".to_owned()])
    );
    assert_eq!(services["other"].get("depends_on"), None);
    assert_eq!(services.get("devtool"), None);
    assert!(read(&bundle, "compose.yaml").contains("- /usr/local/share:uid=1001,gid=1001"));
    assert_eq!(read(&bundle, "conf/a.conf"), "a\n");
    let registry = [("ODD_REGISTRY", "registry.example.org")];
    let config = compose_config(&bundle, &registry, &["compose.yaml", "compose.registry.yaml"]);
    assert_eq!(config["services"]["first"]["image"], "registry.example.org/acme/first:1");
    let config = compose_config(&bundle, &[], &["compose.yaml", "compose.registry.yaml"]);
    assert_eq!(config["services"]["first"]["image"], "ghcr.io/acme/first:1");

    // An operator's own values go before the defaults.
    let told = "docker() { printf '%s %s\\n' \"$ODD_FQDN\" \"$CORS_ALLOWED_ORIGINS\"; }; export -f docker; exec runtime/deploy/aws-ec2-compose/deploy.sh --use-registry";
    assert!(
        run(&bundle, &[], "bash", &["-c", told])
            .expect_ok()
            .out
            .contains("odd.example.org https://odd.example.org,")
    );
    std::fs::write(
        bundle.join(".env"),
        "ODD_IMAGE_TAG=1.7\nODD_FQDN=mine.example.org\nCORS_ALLOWED_ORIGINS='https://mine'\n",
    )
    .expect("a file");
    assert!(
        run(&bundle, &[], "bash", &["-c", told]).expect_ok().out.contains("mine.example.org https://mine\n")
    );
    let config = compose_config(&bundle, &[], &["compose.yaml"]);
    assert!(config["services"]["second.one"]["image"].as_str().is_some_and(|image| image.ends_with(":1.7")));

    // Bake has no dots in its names.
    write(&project, "x.spec.yaml", ":workflows");
    let args = ["buildx", "bake", "-f", "x.spec.yaml", "-f", "out-workflows/docker-bake.hcl", "--print"];
    let plan: Value =
        serde_json::from_str(&docker_in(project.path(), &[], &args).expect_ok().out).expect("JSON");
    assert_eq!(plan["target"]["second_one"]["target"], "second.one");

    // Kubernetes has none either, and its users are told.
    let said = project.build("x.spec.yaml", &["--target", ":kubernetes", "--output", "none"]);
    assert!(
        !said.ok && said.err.contains("Kubernetes has no services with the name `second.one`"),
        "{}",
        said.err
    );
    project.write("x.spec.yaml", &UNUSUAL.replace("second.one", "second"));
    let manifests = write(&project, "x.spec.yaml", ":kubernetes");
    manifests_are_valid(&manifests);
    let volumes = read(&manifests, "volumes.yaml");
    assert_eq!(volumes.matches("kind: PersistentVolumeClaim").count(), 1, "{volumes}");
    assert!(volumes.contains("- ReadWriteMany"), "{volumes}");
    let first = read(&manifests, "first.yaml");
    for part in [
        "mountPath: /var/lib/thing",
        "mountPath: /usr/local/share",
        "mountPath: /data",
        "# Not here, as it has to come from the cluster: ./conf, mounted at /conf.",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    let second = read(&manifests, "second.yaml");
    assert_eq!(second.matches("memory: 32Mi").count(), 2, "a request is no more than its limit: {second}");
}
