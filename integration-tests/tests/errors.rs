//! Errors that take more than one text to tell. What a person sees of everything else that can be
//! wrong is in `broken.rs` and its corpus, word for word.

#![allow(clippy::expect_used, clippy::panic)]

use integration_tests::Project;

const SPEC: &str = "\
# syntax=slipway/frontend:0
name: errors
services:
  api:
    x-slipway:
      recipe: node
      source: api
    command: [node, index.js]
";

fn project(spec: &str) -> Project {
    Project::new(&[
        ("spec.yaml", spec),
        ("api/package.json", r#"{ "name": "api", "version": "1.0.0" }"#),
        (
            "api/package-lock.json",
            r#"{ "name": "api", "version": "1.0.0", "lockfileVersion": 3, "packages": { "": { "name": "api", "version": "1.0.0" } } }"#,
        ),
        ("api/index.js", ""),
    ])
}

#[test]
fn a_variable_that_another_component_needs_is_no_error_here() {
    let two = format!(
        "{SPEC}  other:\n    x-slipway: {{ recipe: node, source: \"${{OTHER:?set it}}\" }}\n    command: [x]\n"
    );
    project(&two).build("spec.yaml", &["--target", "api"]).expect_ok();
}

#[test]
fn lock_file_that_does_not_fit_the_manifest() {
    let project = project(SPEC);
    project.write(
        "api/package.json",
        r#"{ "name": "api", "version": "1.0.0", "dependencies": { "is-number": "7.0.0" } }"#,
    );
    let said = project.build("spec.yaml", &[]);
    assert!(!said.ok);
    // The manager's own words, and the line that asked for it.
    assert!(said.err.contains("Missing: is-number@7.0.0 from lock file"), "{}", said.err);
    assert!(said.err.contains("spec.yaml:6") && said.err.contains(">>>       recipe: node"), "{}", said.err);
}

/// A native module whose library neither the package nor the image has: found when it is built.
#[test]
fn native_module_without_its_library() {
    let project = Project::copy_of("integration-tests/fixtures");
    let said = project.build("fixtures.spec.yaml", &["--target", "native-module"]);
    assert!(!said.ok);
    for part in [
        "the runtime image would lack shared libraries that native modules load",
        "/prebuilds/HID-linux-x64/node-napi-v3.node wants libusb-1.0.so.0",
        "add the packages that hold them to `packages`",
        ">>>       base: minimal",
    ] {
        assert!(said.err.contains(part), "{part}\n{}", said.err);
    }
    // As it says.
    let spec = project
        .read("fixtures.spec.yaml")
        .replace("base: minimal # lacks libusb", "base: minimal\n      packages: [libusb-1.0-0]");
    project.write("fixtures.spec.yaml", &spec);
    project
        .build("fixtures.spec.yaml", &["--target", "native-module", "-t", "slipway-test/native-module"])
        .expect_ok();
    let ran =
        integration_tests::docker(&["run", "--rm", "--read-only", "slipway-test/native-module"]).expect_ok();
    assert_eq!(ran.out, "function\n");
    integration_tests::nothing_superfluous("slipway-test/native-module", true);
}
