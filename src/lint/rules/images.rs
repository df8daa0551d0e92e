//! The images that a plan names, for the rules about them.

use crate::diagnostic::Span;
use crate::lint::Subject;
use crate::plan::reach;
use crate::spec::SourceName;

/// An image as it is named, and where.
pub(super) struct Named {
    pub(super) name: String,
    /// What stands behind the colon; empty without one.
    pub(super) tag: String,
    /// Its own, or the lock's.
    pub(super) has_digest: bool,
    pub(super) origin: Span,
}

/// The images that the component's image is made with, each once.
pub(super) fn of(subject: &Subject<'_>) -> Vec<Named> {
    let stages = reach::stages(subject.plan, &subject.plan.runtime);
    let mut found: Vec<Named> = Vec::new();
    for used in reach::images(&stages) {
        let SourceName::Image(image) = subject.spec.source(&subject.plan.component, &used.name) else {
            continue;
        };
        if found.iter().any(|known| known.name == image) {
            continue;
        }
        let (name, digest) = match image.split_once('@') {
            Some((name, _)) => (name, true),
            None => {
                (image.as_str(), subject.spec.lock.as_ref().is_some_and(|lock| lock.digest(&image).is_some()))
            }
        };
        let tag = name.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'));
        found.push(Named {
            tag: tag.unwrap_or_default().to_owned(),
            has_digest: digest,
            origin: used.origin,
            name: image,
        });
    }
    found
}
