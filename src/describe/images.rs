//! `--call=slipway.images`: every image that builds need, for whoever keeps a mirror.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

use super::Said;
use crate::plan::reach;
use crate::plan::{Plan, StagePlatform};
use crate::reference::Reference;
use crate::spec::{SourceName, Spec};

/// Who needs an image, for whose platform, and its digest.
#[derive(Default)]
struct Needed<'a> {
    components: BTreeSet<&'a str>,
    platforms: BTreeSet<&'a str>,
    digest: Option<&'a String>,
}

/// The images of these plans by their full names: which components need them, and for whose
/// platform. `digests` are those that were looked up, by the name that the plan has.
pub fn images(spec: &Spec, plans: &[&Plan], digests: &BTreeMap<String, String>) -> Said {
    let mut needed: BTreeMap<String, Needed<'_>> = BTreeMap::new();
    for plan in plans {
        let stages: Vec<_> = plan.stages.iter().collect();
        for used in reach::images(&stages) {
            let SourceName::Image(name) = spec.source(&plan.component, &used.name) else { continue };
            let full = name.parse::<Reference>().map_or(name, |name| name.to_string());
            let entry = needed.entry(full).or_default();
            entry.components.insert(&plan.component);
            entry.platforms.insert(match used.platform {
                StagePlatform::Build => "build",
                StagePlatform::Target => "target",
            });
            entry.digest = digests.get(&used.name);
        }
    }
    let mut text = String::new();
    let json: Vec<Value> = needed
        .iter()
        .map(|(name, Needed { components, platforms, digest })| {
            // Writing to a String cannot fail.
            let _ = match digest {
                Some(digest) => writeln!(text, "{name}@{digest}"),
                None => writeln!(text, "{name}"),
            };
            json!({ "image": name, "digest": digest, "components": components, "platforms": platforms })
        })
        .collect();
    Said { json: Value::Array(json), text }
}
