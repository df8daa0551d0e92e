//! `MovingTag`: a base image by a tag that says no version.

use super::images;
use crate::lint::{Found, Subject};

/// Tags that follow whatever is newest.
const MOVING: [&str; 15] = [
    "latest", "stable", "edge", "nightly", "current", "lts", "main", "master", "mainline", "dev", "beta",
    "canary", "rolling", "unstable", "testing",
];

/// Images whose tags may be names of releases.
const DISTRIBUTIONS: [&str; 3] = ["debian", "ubuntu", "buildpack-deps"];

/// Whether a tag says no version: a word that moves, or words without a number.
fn moves(name: &str, tag: &str) -> bool {
    let first = tag.split('-').next().unwrap_or_default();
    let repository = name.split(['@', ':']).next().unwrap_or(name).rsplit('/').next().unwrap_or(name);
    let word = |part: &str| !part.contains(|letter: char| letter.is_ascii_digit());
    MOVING.contains(&first) || (tag.split('-').all(word) && !DISTRIBUTIONS.contains(&repository))
}

/// Finds images without a tag, and with one that is a word and no version.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for image in images::of(subject) {
        if image.has_digest || (!image.tag.is_empty() && !moves(&image.name, &image.tag)) {
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

#[cfg(test)]
mod tests {
    use super::moves;

    #[test]
    fn tags() {
        for (name, tag) in [
            ("node", "alpine"),
            ("node", "bookworm-slim"),
            ("debian", "testing"),
            ("eclipse-temurin", "jre"),
            ("x", "lts-slim"),
        ] {
            assert!(moves(name, tag), "{name}:{tag}");
        }
        for (name, tag) in [
            ("node", "22-bookworm-slim"),
            ("debian", "bookworm-slim"),
            ("nginx", "1.29-alpine-slim"),
            ("ubuntu", "noble"),
            ("app", "sha-1a2b3c"),
        ] {
            assert!(!moves(name, tag), "{name}:{tag}");
        }
    }
}
