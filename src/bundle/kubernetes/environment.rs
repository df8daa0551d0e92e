//! Environment: what everybody may see, and what is secret.

use std::collections::BTreeMap;

use super::name;
use crate::bundle::{Part, System};
use crate::lint::is_secret_name;
use crate::spec::document::Written;
use crate::spec::{filled, variables};

pub(super) fn secret_name(system: &System<'_>) -> String {
    format!("{}-secrets", name(&system.name))
}

/// Its environment: what everybody may see, and the names of what is secret.
pub(super) fn environment(system: &System<'_>, part: &Part<'_>) -> (Vec<(String, String)>, Vec<String>) {
    let promise = &part.plan.contract.promise;
    let values: BTreeMap<String, String> =
        system.domain().map(|domain| (system.domain_variable(), domain.to_owned())).into_iter().collect();
    let (mut plain, mut secret) = (Vec::new(), Vec::new());
    for setting in &part.service.running.environment {
        let is_secret = promise.required.contains(&setting.name)
            || promise.secrets.contains(&setting.name)
            || !setting.needs.is_empty()
            || is_secret_name(&setting.name)
            || variables(&setting.written).iter().any(|variable| is_secret_name(&variable.name));
        if is_secret {
            secret.push(setting.name.clone());
        } else {
            plain.push((setting.name.clone(), filled(&setting.written, &values)));
        }
    }
    (plain, secret)
}

/// All names of secrets.
pub(super) fn secrets(system: &System<'_>) -> Vec<String> {
    let mut all: Vec<String> = system.parts.iter().flat_map(|part| environment(system, part).1).collect();
    all.sort();
    all.dedup();
    all
}

pub(super) fn secret(system: &System<'_>, names: &[String]) -> Written {
    let data = names.iter().map(|name| (name.clone(), Written::text("")));
    Written::map([
        ("apiVersion", Written::text("v1")),
        ("kind", Written::text("Secret")),
        ("metadata", Written::map([("name", Written::text(secret_name(system)))])),
        ("stringData", Written::map(data)),
    ])
}
