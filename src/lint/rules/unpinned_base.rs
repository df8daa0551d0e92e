//! `UnpinnedBase`: a base image by tag alone.

use super::images;
use crate::lint::{Found, Subject};

/// Finds images without a digest.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for image in images::of(subject).into_iter().filter(|image| !image.has_digest) {
        let finding = found
            .finding(format!(
                "the image `{}` has no digest: its tag may name another image tomorrow",
                image.name
            ))
            .at(&image.origin)
            .help(format!(
                "`{}@sha256:…` names one image for ever; `docker slipway lock` keeps digests in a file",
                image.name
            ));
        found.push(finding);
    }
}
