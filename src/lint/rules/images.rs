//! The images that a plan names, for the rules about them.

use crate::diagnostic::Span;
use crate::lint::Subject;
use crate::lower::reach;

/// An image as it is named, and where.
pub(super) struct Named {
    pub(super) name: String,
    /// What stands behind the colon; empty without one.
    pub(super) tag: String,
    pub(super) has_digest: bool,
    pub(super) origin: Span,
}

/// The images that the component's image is made with, each once.
pub(super) fn of(subject: &Subject<'_>) -> Vec<Named> {
    let stages = reach::stages(subject.plan, &subject.plan.runtime);
    let mut found: Vec<Named> = Vec::new();
    for used in reach::images(&stages) {
        if found.iter().any(|known| known.name == used.name) || is_a_source(subject, &used.name) {
            continue;
        }
        let (name, digest) = match used.name.split_once('@') {
            Some((name, _)) => (name, true),
            None => (used.name.as_str(), false),
        };
        let tag = name.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'));
        found.push(Named {
            tag: tag.unwrap_or_default().to_owned(),
            has_digest: digest,
            origin: used.origin,
            name: used.name,
        });
    }
    found
}

/// Whether a name means another component, or an additional context.
fn is_a_source(subject: &Subject<'_>, name: &str) -> bool {
    let build = subject.running().and_then(|running| running.build.as_ref());
    let additional = build.is_some_and(|build| build.additional_contexts.iter().any(|s| s.name == name));
    additional || subject.spec.components.iter().any(|service| service.name.value == name)
}
