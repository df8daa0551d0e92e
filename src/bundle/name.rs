//! Names of images, as specs write them: with variables or without, with a registry, a tag, a digest, or none of
//! them. (The parser of references knows no variables.)

use std::collections::BTreeMap;

use super::{Part, System};
use crate::spec::filled;

/// A name without variables, in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// The registry, if it says one.
    pub(super) registry: Option<String>,
    /// What the image is called there.
    pub(super) path: String,
    /// Its tag.
    pub(super) tag: Option<String>,
}

impl Name {
    /// The name of a component's image when no variable has a value.
    pub(super) fn of(system: &System<'_>, part: &Part<'_>) -> Self {
        Self::parse(&filled(&system.image(part), &BTreeMap::new()))
    }

    /// Reads a name without variables. A digest is left out.
    pub(super) fn parse(name: &str) -> Self {
        let (registry, rest) = registry_and_rest(name);
        let rest = rest.split('@').next().unwrap_or(&rest);
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag.to_owned())),
            None => (rest, None),
        };
        Self { registry, path: path.to_owned(), tag }
    }

    /// The registry and the path.
    pub(super) fn untagged(&self) -> String {
        match &self.registry {
            Some(registry) => format!("{registry}/{}", self.path),
            None => self.path.clone(),
        }
    }
}

/// Whether a name has a tag or a digest, whatever its variables are.
pub(super) fn has_tag(name: &str) -> bool {
    let mut depth = 0_usize;
    let bare: String = name
        .chars()
        .map(|c| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > 0 || c == '}' { 'x' } else { c }
        })
        .collect();
    bare.contains('@') || bare.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

/// The registry that a name begins with, as it is written, and the rest. A variable in its place is one if its
/// default is.
pub(super) fn registry_and_rest(name: &str) -> (Option<String>, String) {
    let mut depth = 0_usize;
    let slash = name.find(|c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '/' && depth == 0
    });
    let Some(slash) = slash else { return (None, name.to_owned()) };
    let (first, rest) = (&name[..slash], &name[slash + 1..]);
    let value = filled(first, &BTreeMap::new());
    let host = value.split('/').next().unwrap_or_default();
    if host.contains(['.', ':']) || host == "localhost" {
        (Some(first.to_owned()), rest.to_owned())
    } else {
        (None, name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        for (name, expected) in [
            ("market/orders", false),
            ("localhost:5000/orders", false),
            ("market/orders:1", true),
            ("market/orders:${TAG:-latest}", true),
            ("${REGISTRY:-x:5000}/orders", false),
            ("a@sha256:00", true),
        ] {
            assert_eq!(has_tag(name), expected, "{name}");
        }
    }

    #[test]
    fn registries() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(registry_and_rest("ghcr.io/a/b"), (some("ghcr.io"), "a/b".to_owned()));
        assert_eq!(registry_and_rest("a/b"), (None, "a/b".to_owned()));
        let variable = registry_and_rest("${REG:-ghcr.io}/acme/x:1");
        assert_eq!(variable, (some("${REG:-ghcr.io}"), "acme/x:1".to_owned()));
        assert_eq!(registry_and_rest("${OWNER:-acme}/x").0, None);
        let name = Name::parse("localhost:5000/a/b:1@sha256:00");
        assert_eq!((name.untagged().as_str(), name.tag.as_deref()), ("localhost:5000/a/b", Some("1")));
        assert_eq!(Name::parse("busybox"), Name { registry: None, path: "busybox".to_owned(), tag: None });
    }
}
