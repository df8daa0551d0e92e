//! Rust: a static binary on nothing but CA certificates and time zones.
//!
//! Crates are fetched in a stage that sees the manifests alone, and the build runs offline. The
//! C library is linked in (`crt-static`), which needs no further target to be installed.

use super::draft::{Draft, run, shell, source};
use super::runtime;
use super::{Facts, Made, Need, Recipe, Request, network};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::paths::in_folder;
use crate::plan::{Archetype, Copy, Network, Sharing};
use crate::spec::Service;
use crate::spec::component::BuildChoice;

/// See the module.
pub(super) struct Rust;

const APP: &str = "/src";
const DEFAULT_VERSION: &str = "1";
const NOT_SOURCE: [&str; 5] =
    ["**/target", "**/.git", "**/.env", "**/rust-toolchain", "**/rust-toolchain.toml"];

impl Recipe for Rust {
    fn name(&self) -> &'static str {
        "rust"
    }

    fn summary(&self) -> &'static str {
        "Rust: a static binary on nothing"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["base", "build", "build_env", "build_packages", "main", "network", "packages", "test", "version"]
    }

    fn marks(&self) -> &'static [&'static str] {
        &["Cargo.toml"]
    }

    fn needs(&self, service: &Service, _: &Facts) -> Vec<Need> {
        let source = super::source(service);
        let path = |name: &str| in_folder(&source, name);
        let content = ["Cargo.toml", "rust-toolchain.toml"].map(|name| Need::content(path(name)));
        let present = ["Cargo.lock", "src/main.rs"].map(|name| Need::presence(path(name)));
        content.into_iter().chain(present).collect()
    }

    fn make(&self, request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
        let manifest = manifest(request, problems)?;
        let lock = request.path("Cargo.lock");
        if !request.facts.has(&lock) {
            problems.push(
                Diagnostic::new(Code::MissingFile, format!("the build context has no lock file `{lock}`"))
                    .at(request.source_span())
                    .label("what gets built would depend on the day")
                    .help("run `cargo generate-lockfile` in that folder and commit the file"),
            );
            return None;
        }
        runtime::no_packages_on_nothing(request, problems);
        request.has_to_build(problems);
        let network = network::of_build(request.service, network::Default::None, problems);
        let binary = binary(request, &manifest, problems)?;
        let deps = Draft::on_image(request, "deps", format!("rust:{}-slim", version(request, &manifest)))
            .build_packages(request);
        // What more than one manifest says, or what names files, cargo resolves with all of it.
        let (copy, fetch) = if stands_alone(&manifest) {
            let sources = vec![request.path("Cargo.toml"), lock];
            // Cargo wants to see a program before it resolves anything.
            let fetch = "mkdir -p src && touch src/lib.rs src/main.rs && cargo fetch --locked && rm -r src";
            (Copy { sources, target: format!("{APP}/"), ..Copy::default() }, fetch)
        } else {
            (source(request, APP, &NOT_SOURCE), "cargo fetch --locked")
        };
        let deps = deps
            .workdir(APP)
            .copy_at(copy, request.source_span())
            .run(run(shell(fetch)).with_build_env(request))
            .done();
        let source = Draft::on_stage(request, "source", "deps")
            .copy_at(source(request, APP, &NOT_SOURCE), request.source_span())
            .done();
        let name = request.service.name.value.clone();
        let (command, origin) = match &request.service.component.build {
            Some(BuildChoice::Command(command)) => (command.line.clone(), command.span.clone()),
            _ => {
                // With a target of its own, the flags are for the program and not for build scripts.
                let command = format!(
                    "target=$(rustc -vV | sed -n 's/^host: //p') && \
                     cargo build --release --locked --offline --bin {binary} --target $target && \
                     mkdir -p /out && cp target/$target/release/{binary} /out/{name}"
                );
                (shell(command), request.recipe_span().clone())
            }
        };
        let id = format!("target/{}", if request.source.is_empty() { "." } else { &request.source });
        let process = run(command)
            .with_env([("RUSTFLAGS", "-C target-feature=+crt-static -C strip=symbols")])
            .with_build_env(request)
            .cached(&format!("{APP}/target"), &id, Sharing::Locked)
            .on_network(network);
        let build = Draft::on_stage(request, "build", "source").run_at(process, &origin).done();
        let mut stages = vec![deps, source, build];
        if let Some((command, origin)) = request.test(|| Some(shell("cargo test --locked --offline"))) {
            let process = run(command)
                .with_build_env(request)
                .cached(&format!("{APP}/target"), &format!("{id}/test"), Sharing::Locked)
                .on_network(Network::None);
            let draft = Draft::on_stage(request, "test", "source");
            stages.push(draft.run_at(process, &origin).done());
        }
        if request.archetype == Archetype::Library {
            return Some(Made::library(stages, "source"));
        }
        let (runtime, image) = runtime::static_program(request, &name);
        stages.push(runtime);
        Some(Made::new(stages, image))
    }
}

/// Whether a manifest can be resolved without any file that it names: no other manifests, and no
/// programs, tests or examples with files of their own.
fn stands_alone(manifest: &toml::Table) -> bool {
    let members = manifest.get("workspace").is_some_and(|workspace| workspace.get("members").is_some());
    let named = ["bench", "bin", "example", "test", "patch"].iter().any(|key| manifest.contains_key(*key));
    let paths = ["dependencies", "dev-dependencies", "build-dependencies"].iter().any(|kind| {
        let listed = manifest.get(*kind).and_then(toml::Value::as_table);
        listed.into_iter().flat_map(toml::Table::values).any(|dependency| dependency.get("path").is_some())
    });
    let build = manifest.get("package").is_some_and(|package| package.get("build").is_some());
    !(members || named || paths || build)
}

fn manifest(request: &Request<'_>, problems: &mut Diagnostics) -> Option<toml::Table> {
    let path = request.path("Cargo.toml");
    let Some(text) = request.facts.text(&path) else {
        problems.push(
            Diagnostic::new(Code::MissingFile, format!("the build context has no `{path}`"))
                .at(request.source_span())
                .help("set `source` to the folder that has the Cargo.toml; does .dockerignore exclude it?"),
        );
        return None;
    };
    match text.parse() {
        Ok(manifest) => Some(manifest),
        Err(error) => {
            let error: toml::de::Error = error;
            problems.push(
                Diagnostic::new(Code::Value, format!("`{path}` is no valid TOML: {}", error.message()))
                    .at(request.source_span()),
            );
            None
        }
    }
}

/// Rust's version: the spec's, that of `rust-toolchain.toml`, or the default.
fn version(request: &Request<'_>, _: &toml::Table) -> String {
    if let Some(version) = &request.service.component.version {
        return version.value.clone();
    }
    let path = request.path("rust-toolchain.toml");
    let toolchain = request.facts.text(&path).and_then(|text| text.parse::<toml::Table>().ok());
    let channel =
        toolchain.as_ref().and_then(|toolchain| toolchain.get("toolchain")?.get("channel")?.as_str());
    if let Some(channel) = channel.filter(|channel| channel.starts_with(|c: char| c.is_ascii_digit())) {
        request.found("Rust version", channel, path);
        return channel.to_owned();
    }
    request.found("Rust version", DEFAULT_VERSION, "the default");
    DEFAULT_VERSION.to_owned()
}

/// The program: `main`, or the manifest's only one.
fn binary(request: &Request<'_>, manifest: &toml::Table, problems: &mut Diagnostics) -> Option<String> {
    if let Some(main) = &request.service.component.main {
        return Some(main.value.clone());
    }
    let listed = manifest.get("bin").and_then(toml::Value::as_array);
    let listed: Vec<&str> =
        listed.into_iter().flatten().filter_map(|binary| binary.get("name")?.as_str()).collect();
    let package = manifest.get("package").and_then(|package| package.get("name")?.as_str());
    match (listed.as_slice(), package) {
        ([only], _) => Some((*only).to_owned()),
        ([], Some(package)) if request.facts.has(&request.path("src/main.rs")) => Some(package.to_owned()),
        ([], _) => {
            problems.push(
                Diagnostic::new(
                    Code::MissingKey,
                    format!("`{}` has no entry point: no src/main.rs", request.service.name.value),
                )
                .at(request.source_span())
                .help("set `main` to the binary's name"),
            );
            None
        }
        (several, _) => {
            problems.push(
                Diagnostic::new(Code::Ambiguous, "the manifest has several binaries")
                    .at(request.source_span())
                    .help(format!("set `main` to one of: {}", several.join(", "))),
            );
            None
        }
    }
}
