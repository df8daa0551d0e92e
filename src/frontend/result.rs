//! What `Return` gets: references, image configurations, and what else the client is told.

use std::collections::BTreeMap;

use buildkit_llb::Platform;
use buildkit_proto::frontend::{
    Attestation, AttestationKind, Attestations, InTotoSubject, Ref, RefMap, Result as BuildResult,
    result::Result as Body,
};
use serde_json::{Value, json};

use crate::lower::config::ImageConfig;
use crate::plan::Report;
use crate::probe::report::PREDICATE;

/// The key of a result's metadata that buildx prints when it is done.
const REPORT: &str = "frontend.result.inlinemessage";
/// Where the same is for programs; every key that starts with `frontend.` reaches `--metadata-file`.
const DETAILS: &str = "frontend.slipway.image";

/// The predicate of software bills of material in SPDX's form.
pub(super) const SPDX: &str = "https://spdx.dev/Document";

/// The predicate of test results; see in-toto's `spec/predicates/test-result.md`.
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// One platform's result.
pub(super) struct Solved {
    /// The engine's name for it; empty for scratch.
    pub(super) reference: String,
    /// Its image configuration.
    pub(super) config: Vec<u8>,
    /// That of its base.
    pub(super) base_config: Option<Vec<u8>>,
    /// The engine's name for a folder with bills of material.
    pub(super) sbom: Option<String>,
    /// The engine's name for the report of its contract's proof, if the client wants it attested.
    pub(super) proof: Option<String>,
}

impl Solved {
    /// Files that are no image.
    pub(super) fn files(reference: String, platform: &Platform) -> Self {
        // A configuration of nothing is always JSON.
        let config = ImageConfig::scratch().to_json(platform).unwrap_or_default();
        Self { reference, config, base_config: None, sbom: None, proof: None }
    }
}

/// The result of a build.
pub(super) fn result(
    platforms: &[Platform],
    solved: Vec<Solved>,
    multi: bool,
    report: Option<Report>,
    annotations: &BTreeMap<String, String>,
    epoch: Option<i64>,
) -> BuildResult {
    let listed: Vec<Value> = platforms.iter().map(listed).collect();
    let mut metadata = BTreeMap::new();
    metadata.insert("refs.platforms".to_owned(), json!({ "Platforms": listed }).to_string().into_bytes());
    if let Some(report) = report {
        metadata.insert(DETAILS.to_owned(), report.details.to_string().into_bytes());
        metadata.insert(REPORT.to_owned(), report.text.into_bytes());
    }
    for (key, value) in annotations {
        metadata.insert(format!("annotation.{key}"), value.clone().into_bytes());
    }
    let (mut refs, mut attestations) = (BTreeMap::new(), BTreeMap::new());
    for (platform, solved) in platforms.iter().zip(solved) {
        let suffix = if multi { format!("/{platform}") } else { String::new() };
        metadata.insert(format!("containerimage.config{suffix}"), solved.config);
        // With it, the exporter knows which layers are the base's and leaves their times alone.
        if let Some(base) = solved.base_config {
            metadata.insert(format!("containerimage.base.config{suffix}"), base);
        }
        if let Some(epoch) = epoch {
            metadata.insert(format!("source.date.epoch{suffix}"), epoch.to_string().into_bytes());
        }
        let mut attested = Vec::new();
        if let Some(reference) = solved.sbom {
            let bundle = Attestation {
                kind: AttestationKind::Bundle.into(),
                metadata: BTreeMap::from([
                    ("reason".to_owned(), b"sbom".to_vec()),
                    ("sbom-core".to_owned(), b"sbom".to_vec()),
                ]),
                r#ref: Some(Ref { id: reference, def: None }),
                path: "/".to_owned(),
                in_toto_predicate_type: SPDX.to_owned(),
                in_toto_subjects: Vec::new(),
            };
            attested.push(bundle);
        }
        if let Some(reference) = solved.proof {
            attested.push(Attestation {
                kind: AttestationKind::InToto.into(),
                metadata: BTreeMap::new(),
                r#ref: Some(Ref { id: reference, def: None }),
                path: PREDICATE.to_owned(),
                in_toto_predicate_type: TEST_RESULT.to_owned(),
                // The image itself, which is what the default kind says.
                in_toto_subjects: vec![InTotoSubject::default()],
            });
        }
        if !attested.is_empty() {
            attestations.insert(platform.to_string(), Attestations { attestation: attested });
        }
        refs.insert(platform.to_string(), Ref { id: solved.reference, def: None });
    }
    let body = if multi {
        Body::Refs(RefMap { refs })
    } else {
        Body::Ref(refs.into_values().next().unwrap_or_default())
    };
    BuildResult { result: Some(body), metadata, attestations }
}

fn listed(platform: &Platform) -> Value {
    let mut inner = json!({ "architecture": platform.architecture, "os": platform.os });
    if !platform.variant.is_empty() {
        inner["variant"] = json!(platform.variant);
    }
    if !platform.os_version.is_empty() {
        inner["os.version"] = json!(platform.os_version);
    }
    json!({ "ID": platform.to_string(), "Platform": inner })
}
