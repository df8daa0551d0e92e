//! Which keys of `x-slipway` a recipe reads. A key that nobody reads would be a promise that
//! nobody keeps, so it is an error.

use super::{RECIPES, Request};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::spec::component::{BuildChoice, Component, DevChoice};

/// The keys that some recipes read and others do not, with their places where they are given.
fn all(component: &Component) -> [(&'static str, Option<&Span>); 19] {
    let dev = component.dev.as_ref().map(|dev| match dev {
        DevChoice::No => &component.span,
        DevChoice::Stage(dev) => &dev.span,
    });
    [
        ("base", component.base.as_ref().map(|key| &key.span)),
        ("build", command(component, component.build.as_ref())),
        ("build_env", (!component.build_env.0.is_empty()).then_some(&component.span)),
        ("build_packages", component.build_packages.0.first().map(|key| &key.span)),
        ("bytecode", component.bytecode.as_ref().map(|key| &key.span)),
        ("dev", dev),
        ("jlink", component.jlink.as_ref().map(|key| &key.span)),
        ("main", component.main.as_ref().map(|key| &key.span)),
        ("manager", component.manager.as_ref().map(|key| &key.span)),
        ("network", component.network.as_ref().map(|key| &key.span)),
        ("output", component.output.0.first().map(|key| &key.span)),
        ("packages", component.packages.0.first().map(|key| &key.span)),
        ("python", component.python.as_ref().map(|key| &key.span)),
        ("routes", component.routes.first().map(|key| &key.span)),
        ("spa", component.spa.as_ref().map(|key| &key.span)),
        ("target", component.target.as_ref().map(|key| &key.span)),
        ("template", component.template.as_ref().map(|key| &key.span)),
        ("test", command(component, component.test.as_ref())),
        ("version", component.version.as_ref().map(|key| &key.span)),
    ]
}

fn command<'c>(component: &'c Component, choice: Option<&'c BuildChoice>) -> Option<&'c Span> {
    choice.map(|choice| match choice {
        BuildChoice::No => &component.span,
        BuildChoice::Command(command) => &command.span,
    })
}

/// Reports the given keys that `who` does not read.
pub(super) fn unread(request: &Request<'_>, keys: &[&str], who: &str, problems: &mut Diagnostics) {
    for (key, span) in all(&request.service.component) {
        let Some(span) = span.filter(|_| !keys.contains(&key)) else { continue };
        let readers: Vec<&str> = RECIPES
            .iter()
            .filter(|recipe| recipe.keys().contains(&key))
            .map(|recipe| recipe.name())
            .collect();
        let help = match key {
            "target" => "`target` names one of hand-written `stages`".to_owned(),
            _ => format!("`{key}` belongs to: {}", readers.join(", ")),
        };
        problems.push(
            Diagnostic::new(Code::UnknownKey, format!("{who} does not read `{key}`")).at(span).help(help),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::spec::{Loaded, Variables, load};

    /// Read for every component, whatever its recipe.
    const COMMON: [&str; 16] = [
        "annotations",
        "api",
        "archetype",
        "contract",
        "env",
        "files",
        "init",
        "lint",
        "labels",
        "readiness",
        "recipe",
        "require",
        "schedule",
        "source",
        "stages",
        "user",
    ];

    /// A new key is read by all or held against the recipes' own lists: none is forgotten.
    #[test]
    fn every_key_has_a_reader() {
        let spec = b"services: { api: { x-slipway: { recipe: node } } }";
        let Loaded::Done(Some(spec), _) = load("x.yaml", spec, &BTreeMap::new(), &Variables::new()) else {
            panic!("the spec is read");
        };
        let held: BTreeSet<&str> = all(&spec.components[0].component).iter().map(|(key, _)| *key).collect();
        let known: BTreeSet<&str> = held.iter().copied().chain(COMMON).collect();
        assert_eq!(known, Component::KEYS.iter().copied().collect());
        for key in held.iter().filter(|key| **key != "target") {
            assert!(RECIPES.iter().any(|recipe| recipe.keys().contains(key)), "no recipe reads `{key}`");
        }
    }
}
