//! What a person sees when something is wrong, through a real `docker buildx build`: one clear
//! error each, which points at the line of the spec.

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

/// The spec with one piece of it replaced.
fn spec(from: &str, to: &str) -> String {
    assert!(SPEC.contains(from), "{from}");
    SPEC.replacen(from, to, 1)
}

/// What the client prints for this spec.
fn error(spec: &str, args: &[&str]) -> String {
    of(&project(spec), args)
}

fn of(project: &Project, args: &[&str]) -> String {
    let said = project.build_quietly("spec.yaml", args);
    assert!(!said.ok, "the build should have failed");
    let lines = said.err.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    // Which of its two halves the client blames is a matter of which one ends first.
    lines.replace("failed to run Build function", "failed to solve").trim().to_owned()
}

#[test]
fn broken_yaml() {
    insta::assert_snapshot!(error(&spec("recipe: node", "recipe: [node"), &[]));
}

#[test]
fn unknown_key() {
    insta::assert_snapshot!(error(&spec("recipe: node", "recpie: node"), &[]));
}

#[test]
fn wrong_type() {
    insta::assert_snapshot!(error(&spec("source: api", "source: [api]"), &[]));
}

#[test]
fn several_at_once() {
    let spec =
        spec("source: api", "source: { a: 1 }\n      versoin: 22\n      contract: { health: { path: /x } }");
    insta::assert_snapshot!(error(&spec, &[]));
}

#[test]
fn unknown_recipe() {
    insta::assert_snapshot!(error(&spec("recipe: node", "recipe: nod"), &[]));
}

#[test]
fn key_of_another_recipe() {
    insta::assert_snapshot!(error(&spec("source: api", "source: api\n      template: x.conf"), &[]));
}

#[test]
fn unknown_target() {
    let two = format!(
        "{SPEC}  worker:\n    x-slipway: {{ recipe: node, source: api }}\n    command: [node, index.js]\n"
    );
    insta::assert_snapshot!(error(&two, &["--target", "wroker"]));
}

#[test]
fn no_target_and_several_components() {
    let two = format!(
        "{SPEC}  worker:\n    x-slipway: {{ recipe: node, source: api }}\n    command: [node, index.js]\n"
    );
    insta::assert_snapshot!(error(&two, &[]));
}

#[test]
fn unknown_stage() {
    insta::assert_snapshot!(error(SPEC, &["--target", "api:runtme"]));
}

#[test]
fn missing_variable() {
    let spec = spec("source: api", "source: api\n      version: ${NODE_VERSION:?which Node?}");
    insta::assert_snapshot!(error(&spec, &[]));
}

#[test]
fn a_variable_that_another_component_needs_is_no_error_here() {
    let two = format!(
        "{SPEC}  other:\n    x-slipway: {{ recipe: node, source: \"${{OTHER:?set it}}\" }}\n    command: [x]\n"
    );
    project(&two).build("spec.yaml", &["--target", "api"]).expect_ok();
}

#[test]
fn missing_base_image() {
    let text = error(&spec("source: api", "source: api\n      base: localhost:1/no/such:image"), &[]);
    insta::with_settings!({ filters => vec![("the engine says: .*", "the engine says: […]")] }, {
        insta::assert_snapshot!(text);
    });
}

#[test]
fn missing_source_folder() {
    insta::assert_snapshot!(error(&spec("source: api", "source: apo"), &[]));
}

#[test]
fn missing_lock_file() {
    let project = project(SPEC);
    std::fs::remove_file(project.path().join("api/package-lock.json")).expect("it was there");
    insta::assert_snapshot!(of(&project, &[]));
}

#[test]
fn lock_file_of_another_package_manager() {
    let project = project(SPEC);
    std::fs::remove_file(project.path().join("api/package-lock.json")).expect("it was there");
    project.write("api/bun.lock", "");
    insta::assert_snapshot!(of(&project, &[]));
}

#[test]
fn failing_build_command() {
    let spec = spec("source: api", "source: api\n      build: echo no way >&2; exit 3");
    let text = error(&spec, &[]);
    insta::assert_snapshot!(text);
}

#[test]
fn failing_build_script_of_the_package() {
    let project = project(SPEC);
    project.write(
        "api/package.json",
        r#"{ "name": "api", "version": "1.0.0", "scripts": { "build": "exit 4" } }"#,
    );
    insta::assert_snapshot!(of(&project, &[]));
}

#[test]
fn output_that_the_build_does_not_make() {
    let text = error(&spec("source: api", "source: api\n      build: 'true'\n      output: [dits]"), &[]);
    let filters = vec![
        ("failed to calculate checksum of ref [^:]+::[^:]+:", "failed to calculate checksum of […]:"),
        (r"\(at [^)]*\)", ""),
    ];
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!(text) });
}

#[test]
fn dollar_that_is_no_variable() {
    insta::assert_snapshot!(error(&spec("source: api", "source: api\n      build: echo $(date)"), &[]));
}

#[test]
fn include() {
    insta::assert_snapshot!(error(&spec("services:", "include: [other.yaml]\nservices:"), &[]));
}

#[test]
fn extends_of_an_unknown_service() {
    insta::assert_snapshot!(error(
        &spec("    x-slipway:", "    extends: { service: apu }\n    x-slipway:"),
        &[]
    ));
}

#[test]
fn extends_of_a_missing_file() {
    let spec = spec("    x-slipway:", "    extends: { service: x, file: gone.yaml }\n    x-slipway:");
    insta::assert_snapshot!(error(&spec, &[]));
}

#[test]
fn a_file_without_components() {
    insta::assert_snapshot!(error(
        "# syntax=slipway/frontend:0\nservices:\n  db:\n    image: postgres\n",
        &[]
    ));
}

#[test]
fn stages_in_a_circle() {
    let stages = "stages: { a: { from: b, steps: [] }, b: { from: a, steps: [] } }";
    insta::assert_snapshot!(error(&spec("recipe: node\n      source: api", stages), &[]));
}

#[test]
fn a_variable_in_braces_is_not_quoted() {
    let spec = spec("    command: [node, index.js]", "    healthcheck: { interval: ${INTERVAL:-5s} }");
    insta::assert_snapshot!(error(&spec, &[]));
}

#[test]
fn lock_files_of_two_package_managers() {
    let project = project(SPEC);
    project.write("api/yarn.lock", "# yarn lockfile v1\n");
    insta::assert_snapshot!(of(&project, &[]));
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

#[test]
fn version_that_is_too_old() {
    insta::assert_snapshot!(error(&spec("source: api", "source: api\n      version: 12"), &[]));
}

#[test]
fn version_of_which_there_is_no_image() {
    let project = project(SPEC);
    project
        .write("api/package.json", r#"{ "name": "api", "version": "1.0.0", "engines": { "node": "^16" } }"#);
    insta::assert_snapshot!(of(&project, &[]));
}

#[test]
fn no_entry_point() {
    insta::assert_snapshot!(error(&spec("    command: [node, index.js]\n", ""), &[]));
}

#[test]
fn workspace_member_that_does_not_exist() {
    let project = project(&spec("source: api", "source: apps/apy"));
    project.write("package.json", r#"{ "name": "all", "private": true, "workspaces": ["apps/*"] }"#);
    project.write("package-lock.json", r#"{ "name": "all", "lockfileVersion": 3, "packages": {} }"#);
    project.write("apps/api/package.json", r#"{ "name": "api", "version": "1.0.0" }"#);
    insta::assert_snapshot!(of(&project, &[]));
}

#[test]
fn folder_that_several_recipes_fit() {
    let project = project(&spec("      recipe: node\n", ""));
    project.write("api/go.mod", "module x\n");
    insta::assert_snapshot!(of(&project, &[]));
}

#[test]
fn folder_that_no_recipe_fits() {
    let project = Project::new(&[("spec.yaml", &spec("      recipe: node\n", "")), ("api/notes.txt", "")]);
    insta::assert_snapshot!(of(&project, &[]));
}

#[test]
fn user_that_the_image_has_not() {
    insta::assert_snapshot!(error(&spec("    command:", "    user: nodejs\n    command:"), &[]));
}

#[test]
fn stage_that_cannot_be_required() {
    insta::assert_snapshot!(error(&spec("source: api", "source: api\n      require: [test]"), &[]));
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
