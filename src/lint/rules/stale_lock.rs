//! `StaleLock`: an image that the lock does not know.

use super::images;
use crate::lint::{Found, Subject};

/// Finds images without a digest of their own or the lock's, where there is a lock.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(lock) = &subject.spec.lock else { return };
    for image in images::of(subject).into_iter().filter(|image| !image.has_digest) {
        let finding = found
            .finding(format!("{} has no digest for the image `{}`", lock.name, image.name))
            .at(&image.origin)
            .help("`docker slipway lock` looks it up, and drops what is used no longer");
        found.push(finding);
    }
}
