//! `MovingTag`: a base image by a tag that says no version.

use super::images;
use crate::lint::{Found, Subject};

/// Tags that follow whatever is newest.
const MOVING: [&str; 14] = [
    "latest", "stable", "edge", "nightly", "current", "lts", "main", "master", "mainline", "dev", "beta",
    "canary", "rolling", "unstable",
];

/// Finds images without a tag, and with one that is a word and no version.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for image in images::of(subject) {
        let word = image.tag.split('-').next().unwrap_or_default();
        if image.has_digest || (!image.tag.is_empty() && !MOVING.contains(&word)) {
            continue;
        }
        let why = if image.tag.is_empty() {
            "has no tag, which means `latest`".to_owned()
        } else {
            format!("has the tag `{}`, which moves from version to version", image.tag)
        };
        let finding = found
            .finding(format!("the image `{}` {why}", image.name))
            .at(&image.origin)
            .help("name a version, as in `debian:bookworm-slim` or `node:22-bookworm-slim`");
        found.push(finding);
    }
}
