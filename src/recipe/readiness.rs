//! Readiness: evidence that has to be there before an image is built. The format is that of
//! spec-driven development's assertion manifest: `archetype`, and `assertions` with a `status`
//! each; refined and denied ones count no longer. The results of formal verification are a file
//! with a `status` per tool (`dafny`, `tlc`), and under `specs` the digests of what was verified.
//! What labels say comes from that evidence.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Facts, Need, Request};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::plan::Archetype;
use crate::spec::{Located, Service};

/// What the evidence says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The kind of program, with the word that says so.
    pub(super) archetype: Option<(Archetype, String)>,
    /// Labels for the image.
    pub(super) labels: BTreeMap<String, String>,
}

/// The files to read.
pub(super) fn needs(service: &Service, facts: &Facts) -> Vec<Need> {
    let Some(readiness) = &service.component.readiness else { return Vec::new() };
    let source = super::source(service);
    let path = |name: &str| crate::paths::in_folder(&source, name);
    let files = std::iter::once(&readiness.assertions).chain(&readiness.verification);
    let mut needs: Vec<Need> = files.map(|file| Need::content(path(&file.value))).collect();
    // What was verified is read as well, to see whether it is still the same.
    let results = readiness.verification.as_ref().and_then(|file| facts.file(&path(&file.value)));
    let results: Option<Value> = results.and_then(|bytes| serde_json::from_slice(bytes).ok());
    let verified = results.as_ref().and_then(|results| results.get("specs")?.as_object());
    needs.extend(verified.into_iter().flatten().map(|(name, _)| Need::content(path(name))));
    needs
}

/// Reads the evidence. Whatever is not ready is one error, with the list of all of it.
pub(super) fn check(request: &Request<'_>, problems: &mut Diagnostics) -> Evidence {
    let Some(readiness) = &request.service.component.readiness else { return Evidence::default() };
    let Some(manifest) = read(request, &readiness.assertions, problems) else { return Evidence::default() };
    let mut checks = Vec::new();
    let mut evidence = Evidence::default();
    match manifest.get("archetype").and_then(Value::as_str) {
        Some(word) => match archetype(word) {
            Some(found) => evidence.archetype = Some((found, word.to_owned())),
            None => problems.push(
                Diagnostic::new(Code::Value, format!("there is no archetype `{word}`"))
                    .at(&readiness.assertions.span)
                    .help("in the assertions: web-service, cli-tool, data-pipeline or library"),
            ),
        },
        None => checks.push((false, "the assertions name no archetype".to_owned())),
    }
    let counted = count(&manifest, &mut checks);
    let verified_at = manifest.pointer("/metadata/lastVerified").and_then(Value::as_str);
    let verification = readiness.verification.as_ref().and_then(|file| read(request, file, problems));
    let changed = verification.as_ref().map(|results| changed(request, results)).unwrap_or_default();
    for tool in ["dafny", "tlc"] {
        let status =
            verification.as_ref().and_then(|results| results.pointer(&format!("/{tool}/status"))?.as_str());
        match status {
            Some("passed") => checks.push((true, format!("{tool} passed"))),
            // Nothing of its kind is specified.
            None | Some("skipped") => {}
            Some(status) => checks.push((false, format!("{tool}: {status}"))),
        }
        let verified = status == Some("passed") && changed.is_empty();
        evidence.labels.insert(format!("com.spec-driven.{tool}-verified"), verified.to_string());
    }
    for file in changed {
        checks.push((false, format!("`{file}` is not what was verified: verify it again")));
    }
    let ready = checks.iter().all(|(well, _)| *well);
    evidence.labels.insert("com.spec-driven.assertions".to_owned(), counted.to_string());
    evidence.labels.insert("com.spec-driven.verified".to_owned(), (ready && counted > 0).to_string());
    if let Some(time) = verified_at {
        evidence.labels.insert("com.spec-driven.verified-at".to_owned(), time.to_owned());
    }
    if !ready {
        problems.push(refusal(&readiness.assertions.span, request, &checks));
    }
    evidence
}

/// The files that differ from those that were verified: the results list their digests.
fn changed(request: &Request<'_>, results: &Value) -> Vec<String> {
    let verified = results.get("specs").and_then(Value::as_object);
    let differs = |(name, verified): &(&String, &Value)| {
        let now = request.facts.file(&request.path(name)).map(digest);
        now.as_deref() != verified.as_str()
    };
    verified.into_iter().flatten().filter(differs).map(|(name, _)| name.clone()).collect()
}

fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// How many assertions count, with what is wrong with each.
fn count(manifest: &Value, checks: &mut Vec<(bool, String)>) -> usize {
    let Some(assertions) = manifest.get("assertions").and_then(Value::as_array) else {
        checks.push((false, "the file has no `assertions`".to_owned()));
        return 0;
    };
    let word =
        |assertion: &Value, key: &str| assertion.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
    let mut confirmed = 0;
    for assertion in assertions {
        match word(assertion, "status").as_str() {
            "confirmed" => confirmed += 1,
            // Replaced, refused or put off by a person's decision.
            "refined" | "denied" | "deferred" => {}
            status => checks.push((
                false,
                format!("{} is {status}: {}", word(assertion, "id"), word(assertion, "natural")),
            )),
        }
    }
    if confirmed == 0 {
        checks.push((false, "no assertion is confirmed".to_owned()));
    } else {
        checks.push((true, format!("{confirmed} assertions confirmed")));
    }
    confirmed
}

fn refusal(span: &Span, request: &Request<'_>, checks: &[(bool, String)]) -> Diagnostic {
    let manifest = request.facts.has(&request.path("package.json"));
    let mut diagnostic =
        Diagnostic::new(Code::NotReady, format!("`{}` is not ready to be built", request.service.name.value))
            .at(span);
    let lines = checks.iter().map(|(well, text)| (*well, text.clone()));
    for (well, text) in lines.chain(manifest.then(|| (true, "package.json exists".to_owned()))) {
        diagnostic = diagnostic.help(format!("{} {text}", if well { "✅" } else { "❌" }));
    }
    diagnostic
}

fn read(request: &Request<'_>, file: &Located<String>, problems: &mut Diagnostics) -> Option<Value> {
    let path = request.path(&file.value);
    let Some(bytes) = request.facts.file(&path) else {
        problems.push(
            Diagnostic::new(Code::MissingFile, format!("the build context has no `{path}`"))
                .at(&file.span)
                .help("paths are relative to `source`; does .dockerignore exclude it?"),
        );
        return None;
    };
    match serde_json::from_slice(bytes) {
        Ok(value) => Some(value),
        Err(error) => {
            problems
                .push(Diagnostic::new(Code::Value, format!("`{path}` is no JSON: {error}")).at(&file.span));
            None
        }
    }
}

/// The kind of program that a word means, in the spec's terms and in those of the manifest.
pub(super) fn archetype(word: &str) -> Option<Archetype> {
    match word {
        "service" | "web-service" => Some(Archetype::Service),
        "cli" | "cli-tool" => Some(Archetype::Cli),
        "job" | "data-pipeline" => Some(Archetype::Job),
        "library" => Some(Archetype::Library),
        _ => None,
    }
}
