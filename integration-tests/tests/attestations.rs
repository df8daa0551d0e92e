//! Provenance and bills of material.

#![allow(clippy::expect_used, clippy::panic)]

use std::process::Command;

use integration_tests::Project;

/// A scanner by the protocol of BuildKit's: it writes a statement for the result and one for each
/// extra, with the names of the files that it sees.
const SCANNER: &str = "\
# syntax=slipway/frontend:0
services:
  scanner:
    x-slipway:
      stages:
        runtime:
          from: busybox
          steps:
            - user: \"0\"
            - write:
                path: /scan
                mode: \"0755\"
                content: |
                  #!/bin/sh
                  scan() {
                    files=$$(cd $$1 && ls | tr '\\n' ' ')
                    echo \"{\\\"_type\\\":\\\"https://in-toto.io/Statement/v0.1\\\",\\\"predicateType\\\":\\\"https://spdx.dev/Document\\\",\\\"predicate\\\":{\\\"spdxVersion\\\":\\\"SPDX-2.3\\\",\\\"name\\\":\\\"scan of $$2\\\",\\\"comment\\\":\\\"$$files$$BUILDKIT_SCAN_loud\\\"}}\" > $$BUILDKIT_SCAN_DESTINATION/$$2.spdx.json
                  }
                  scan $$BUILDKIT_SCAN_SOURCE image
                  for extra in $${BUILDKIT_SCAN_SOURCE_EXTRAS:-/none}/*; do
                    [ -d \"$$extra\" ] && scan $$extra $$(basename $$extra)
                  done
                  exit 0
    entrypoint: [/scan]
";

const SPEC: &str = "\
# syntax=slipway/frontend:0
services:
  app:
    x-slipway:
      stages:
        deps: { from: busybox, steps: [ { write: { path: /marker-of-deps, content: x } } ] }
        runtime: { from: scratch, steps: [ { copy: { from: deps, source: /marker-of-deps, target: /taken } } ] }
";

fn blobs(project: &Project, archive: &str) -> String {
    let output = Command::new("tar").args(["xOf", archive]).current_dir(project.path()).output();
    String::from_utf8_lossy(&output.expect("tar is installed").stdout).into_owned()
}

#[test]
fn bills_of_material_of_the_image_and_of_stages() {
    let scanner = Project::new(&[("app.spec.yaml", SCANNER)]);
    scanner.build("app.spec.yaml", &["-t", "slipway-test/scanner"]).expect_ok();
    let project = Project::new(&[("app.spec.yaml", SPEC)]);
    let build = |args: &[&str]| {
        let fixed = [
            "--output",
            "type=oci,dest=out.tar",
            "--attest",
            "type=sbom,generator=slipway-test/scanner,loud=yes",
        ];
        project.build("app.spec.yaml", &[&fixed, args].concat()).expect_ok();
        blobs(&project, "out.tar")
    };
    // BuildKit's own scan of what is returned.
    let plain = build(&[]);
    assert!(plain.contains("scan of image") && !plain.contains("scan of sbom-deps"), "the result alone");
    // Ours, of what is behind it.
    let all = build(&["--build-arg", "BUILDKIT_SBOM_SCAN_STAGE=true"]);
    assert!(all.contains("scan of image") && all.contains("scan of sbom-deps"), "both are scanned");
    assert!(all.contains("marker-of-deps") && all.contains("taken"), "with what they hold");
    assert!(all.contains("taken yes"), "parameters reach the scanner");
    let named = build(&["--build-arg", "BUILDKIT_SBOM_SCAN_STAGE=other"]);
    project.write(
        "app.spec.yaml",
        &SPEC.replace("{ copy: {", "{ copy: { source: words.txt, target: /words } }, { copy: {"),
    );
    project.write("words.txt", "");
    let context = build(&["--build-arg", "BUILDKIT_SBOM_SCAN_CONTEXT=true"]);
    assert!(context.contains("scan of sbom-context") && !context.contains("scan of sbom-deps"));
    assert!(!named.contains("scan of sbom-deps"));
}

/// Every base is a material, by digest; the source map leads to the spec's lines.
#[test]
fn provenance_names_every_base_and_shows_the_spec() {
    let project = Project::new(&[("app.spec.yaml", SPEC)]);
    let args = [
        "--output",
        "type=oci,dest=out.tar",
        "--provenance=mode=max",
        "--build-arg",
        "BUILDKIT_SBOM_SCAN_STAGE=0",
    ];
    project.build("app.spec.yaml", &args).expect_ok();
    let all = blobs(&project, "out.tar");
    assert!(all.contains("pkg:docker/busybox@latest"), "the base is a material");
    assert!(all.contains("slipway/frontend"), "and so is the frontend");
    assert!(all.contains("app.spec.yaml") && all.contains("\"language\":\"YAML\""), "source maps");
}

/// Whoever asks for statements about an image gets what the proof of its contract found, as in-toto's
/// test result; who does not, does not.
#[test]
fn the_proof_is_attested() {
    let spec = "\
# syntax=slipway/frontend:0
services:
  app:
    user: 1001:1001
    x-slipway:
      archetype: job
      require: [verify]
      contract: { runs: [{ prints: hello }] }
      stages: { runtime: { from: busybox, steps: [] } }
    command: [echo, hello]
";
    let project = Project::new(&[("app.spec.yaml", spec)]);
    project
        .build(
            "app.spec.yaml",
            &["--output", "type=oci,dest=out.tar,name=example.org/app:1", "--provenance=mode=max"],
        )
        .expect_ok();
    let all = blobs(&project, "out.tar");
    let statement = all
        .split("\"predicateType\":\"")
        .find(|text| text.starts_with("https://in-toto.io/attestation/test-result/v0.1"));
    let statement = statement.expect("a statement");
    assert!(
        statement.contains("\"result\":\"PASSED\"")
            && statement.contains("app: runs: the command ends with 0")
    );
    assert!(statement.contains("\"subject\":[{\"name\":\"pkg:docker/example.org/app@1"), "{statement}");
    project.build("app.spec.yaml", &["--output", "type=oci,dest=out.tar", "--provenance=false"]).expect_ok();
    assert!(!blobs(&project, "out.tar").contains("test-result"));
}
