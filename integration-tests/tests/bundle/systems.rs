//! The other systems, whole, and what single ones ask for.

use integration_tests::Project;

use crate::tools::{
    below, compose_config, manifests_are_valid, read, scripts_are_sound, workflows_are_valid, write,
};

/// The other systems: their bundles, manifests and workflows are as sound.
#[test]
fn other_systems() {
    for (system, spec) in [
        ("market", "market.spec.yaml"),
        ("jts", "jts.spec.yaml"),
        ("rtm", "rtm.spec.yaml"),
        ("bun", "bun.spec.yaml"),
        ("reactbin", "reactbin.spec.yaml"),
    ] {
        let project = Project::copy_of(&format!("specs/{system}"));
        let bundle = write(&project, spec, ":bundle");
        scripts_are_sound(&bundle, 5);
        let example = std::fs::read_to_string(bundle.join(".env.example")).expect("an example");
        // What must have a value gets one, as its reader would give it.
        let filled: String = example
            .lines()
            .map(|line| {
                if line.ends_with('=') && !line.starts_with('#') {
                    format!("{line}x\n")
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
        std::fs::write(bundle.join(".env"), filled).expect("a file");
        let config = compose_config(&bundle, &[], &["compose.yaml"]);
        for (name, service) in config["services"].as_object().expect("services") {
            assert!(service.get("build").is_none(), "{system}: {name}");
        }
        compose_config(&bundle, &[], &["compose.yaml", "compose.registry.yaml"]);
        manifests_are_valid(&write(&project, spec, ":kubernetes"));
        workflows_are_valid(&write(&project, spec, ":workflows"));
        write(&project, spec, ":dockerignore");
    }
}

/// What single systems ask for beyond that.
#[test]
fn rows_of_single_systems() {
    let bun = Project::copy_of("specs/bun");
    let manifests = write(&bun, "bun.spec.yaml", ":kubernetes");
    // S3-12: a job on a schedule.
    let pipeline = read(&manifests, "data-pipeline.yaml");
    assert!(pipeline.contains("kind: CronJob") && pipeline.contains("schedule: \"0 3 * * *\""), "{pipeline}");
    // A person starts it, and a library runs nowhere.
    let all = below(&manifests);
    assert!(!all.contains("cli-tool.yaml") && !all.contains("library.yaml"), "{all:?}");
    // S2-20: what a password is part of is none of the manifests.
    let web = read(&manifests, "web-service.yaml");
    assert!(web.contains("secretKeyRef") && !web.contains("postgresql://"), "{web}");
    assert!(read(&manifests, "secret.example.yaml").contains("DATABASE_URL: \"\""));
    let bundle = write(&bun, "bun.spec.yaml", ":bundle");
    // Other services' images are looked up; S3-15: the database stays as it is written.
    let lock = read(&bundle, "images.lock");
    assert!(lock.contains("BUN_DB_IMAGE=postgres:16@sha256:"), "{lock}");
    assert!(read(&bundle, "compose.yaml").contains("image: ${BUN_DB_IMAGE:-postgres:16}"));
    // S3-16
    let ignored = read(&write(&bun, "bun.spec.yaml", ":dockerignore"), ".dockerignore");
    for line in [
        "**/node_modules",
        "**/dist",
        "**/coverage",
        ".git",
        ".github",
        "**/*.log",
        "**/.env",
        "**/.env.*",
        "!**/.env.example",
        "**/*.md",
        ".claude",
        "specs",
        "tests",
    ] {
        assert!(ignored.lines().any(|known| known == line), "{line}: {ignored}");
    }

    let jts = Project::copy_of("specs/jts");
    let workflows = write(&jts, "jts.spec.yaml", ":workflows");
    let publish = read(&workflows, ".github/workflows/build-and-publish.yml");
    // S1-25 to S1-33
    for part in [
        "- main\n      - develop\n",
        "cancel-in-progress: true",
        "needs: build-base",
        "packages: write",
        "security-events: write",
        "*.platform=linux/amd64,linux/arm64",
        "push: ${{ github.event_name != 'pull_request' }}",
        "type=ref,event=branch",
        "type=ref,event=pr",
        "type=sha,prefix={{branch}}-",
        "type=raw,value=latest,enable=${{ github.ref == 'refs/heads/main' }}",
        "*.cache-to=type=gha,scope=shared-0,mode=max",
        "libs/common/**",
        "package-lock.json",
        "mode=max",
        "upload-sarif@v3",
        "if: always() && ",
        "cosign sign --yes",
        "apps/api-gateway/**",
    ] {
        assert!(publish.contains(part), "{part}: {publish}");
    }
    // S1-34
    let cleanup = read(&workflows, ".github/workflows/cleanup.yml");
    for part in ["cron: \"0 2 * * 0\"", "ghcr-cleanup-action@v1", "keep-n-untagged: 10"] {
        assert!(cleanup.contains(part), "{part}: {cleanup}");
    }

    // S4-9, S4-10, S4-11, S4-12
    let reactbin = Project::copy_of("specs/reactbin");
    let api = read(&write(&reactbin, "reactbin.spec.yaml", ":kubernetes"), "api.yaml");
    for part in
        ["terminationGracePeriodSeconds: 30", "runAsUser: 1001", "runAsNonRoot: true", "name: JWT_SECRET_KEY"]
    {
        assert!(api.contains(part), "{part}: {api}");
    }
    assert_eq!(api.matches("path: /api/v1/health").count(), 3, "all probes ask the same: {api}");

    // S2-18, S2-19, S2-33: and what is for development alone stays away.
    let rtm = Project::copy_of("specs/rtm");
    let api = read(&write(&rtm, "rtm.spec.yaml", ":kubernetes"), "api.yaml");
    for part in ["fsGroup: 0", "memory: 512Mi", "memory: 64Mi", "drop:\n                - ALL"] {
        assert!(api.contains(part), "{part}: {api}");
    }
    let compose = read(&write(&rtm, "rtm.spec.yaml", ":bundle"), "compose.yaml");
    assert!(
        compose.contains("# Left out, as they are built for development alone: api-dev, api-test")
            && !compose.contains("api-dev:"),
        "{compose}"
    );
}
