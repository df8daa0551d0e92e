//! Of which state of a line of systems this one is, for programs and for people.

use serde_json::{Map, Value, json};

use super::ingress::{as_json, checks};
use super::{System, TextFiles, add};
use crate::spec::document::Written;
use crate::spec::system::StateSpec;
use crate::spec::values::OneOrMany;

impl System<'_> {
    /// The state, if the spec says so.
    pub(super) fn state(&self) -> Option<&StateSpec> {
        self.spec.project.as_ref()?.state.as_ref()
    }

    /// Whether its images are published: a state that is no level of convergence publishes none.
    pub(super) fn publishes(&self) -> bool {
        self.state().is_none_or(|state| state.convergence.is_none() || convergence(state).is_some())
    }
}

/// Adds the files about the state, if the spec names one.
pub(super) fn files(system: &System<'_>, files: &mut TextFiles) {
    let Some(state) = system.state() else { return };
    let folder = format!(".{}-state", system.prefix().to_lowercase().replace('_', "-"));
    add(files, "ci/state-metadata.json", format!("{:#}\n", metadata(system, state)));
    add(files, &format!("{folder}/state.json"), format!("{:#}\n", lineage(system, state)));
    add(files, &format!("{folder}/STATE.md"), page(state));
    if !state.removed.0.is_empty() {
        add(files, "ci/prune-manifest.json", format!("{:#}\n", pruned(state)));
    }
    add(files, "ingress/state-ui.json", format!("{:#}\n", ui(system, state)));
}

fn names(list: &OneOrMany) -> Vec<&str> {
    list.0.iter().map(|name| name.value.as_str()).collect()
}

fn convergence(state: &StateSpec) -> Option<&str> {
    state.convergence.as_ref().map(|level| level.value.as_str()).filter(|level| *level != "none")
}

/// What CI asks: which state, and which images it has.
fn metadata(system: &System<'_>, state: &StateSpec) -> Value {
    let images: Vec<Value> = system
        .parts
        .iter()
        .map(|part| {
            json!({
                "directory": part.plan.source,
                "dockerfile": system.file,
                "target": part.name(),
                "imageName": part.name(),
            })
        })
        .collect();
    let deploy = system.spec.project.as_ref().and_then(|project| project.deploy.as_ref());
    let text = |value: Option<&crate::spec::Located<String>>| value.map(|value| value.value.clone());
    json!({
        "stateId": state.id.value,
        "isConvergence": convergence(state).is_some(),
        "convergenceLevel": convergence(state).unwrap_or("none"),
        "modules": { "docker": images },
        "deploy": {
            "enabled": deploy.is_some_and(|deploy| deploy.profile.is_some()),
            "profile": deploy.and_then(|deploy| text(deploy.profile.as_ref())),
            "environment": deploy.and_then(|deploy| text(deploy.environment.as_ref())),
            "domainHint": system.domain(),
        },
    })
}

/// Where it stands among its neighbours.
fn lineage(system: &System<'_>, state: &StateSpec) -> Value {
    let deploy = system.spec.project.as_ref().and_then(|project| project.deploy.as_ref());
    let branch = deploy.and_then(|deploy| deploy.branch.as_ref()).map(|branch| branch.value.as_str());
    let mut all = Map::from_iter([
        ("stateId".to_owned(), json!(state.id.value)),
        ("stateTitle".to_owned(), json!(state.title.as_ref().map(|title| &title.value))),
        ("stateStatus".to_owned(), json!(state.status.as_ref().map(|status| &status.value))),
        ("previousStates".to_owned(), json!(names(&state.previous))),
        ("nextStates".to_owned(), json!(names(&state.next))),
        ("isConvergenceState".to_owned(), json!(convergence(state).is_some())),
        ("convergenceLevel".to_owned(), json!(convergence(state).unwrap_or("none"))),
        ("sourceBranch".to_owned(), json!(branch)),
        (
            "generationEntryPoint".to_owned(),
            json!(format!("docker buildx build -f {} --target :bundle", system.file)),
        ),
        // A time that is given, never the clock's.
        ("generatedAtUtc".to_owned(), json!(system.epoch.map(utc))),
    ]);
    for (name, value) in state.facts.with_values() {
        all.insert(name.to_owned(), json!(value));
    }
    Value::Object(all)
}

/// What earlier states had and this one must not have.
fn pruned(state: &StateSpec) -> Value {
    let removed = names(&state.removed);
    json!({
        "id": state.id.value,
        "targetPaths": removed,
        "componentsPaths": removed.iter().map(|name| format!("components/{name}")).collect::<Vec<_>>(),
        "forbiddenScriptPatterns": removed,
    })
}

fn page(state: &StateSpec) -> String {
    let mut text = format!("# {}\n\n", state.title.as_ref().map_or(&state.id, |title| title).value);
    let mut row = |name: &str, value: &str| text += &format!("- {name}: {value}\n");
    row("state", &state.id.value);
    if let Some(status) = &state.status {
        row("status", &status.value);
    }
    row("convergence", convergence(state).unwrap_or("none"));
    for (name, list) in [("follows", &state.previous), ("is followed by", &state.next)] {
        if !list.0.is_empty() {
            row(name, &names(list).join(", "));
        }
    }
    for (name, value) in state.facts.with_values() {
        row(name, value);
    }
    text
}

/// What the pages of a user interface show: which state it is, and whether its services are well.
fn ui(system: &System<'_>, state: &StateSpec) -> Value {
    let ingress = system.ingress();
    let checks: Vec<Value> =
        ingress.map(|ingress| checks(system, ingress).iter().map(as_json).collect()).unwrap_or_default();
    let routes = ingress.map(|ingress| ingress.routes.as_slice()).unwrap_or_default();
    let explorer = routes.iter().find(|route| {
        matches!(route.answer, crate::spec::routes::Answer::Explorer)
            || matches!(route.answer, crate::spec::routes::Answer::Files(_)) && route.path.contains("docs")
    });
    let messages = |names: &[&str]| {
        let services = system.spec.document.services.iter();
        services
            .filter_map(|(_, service)| service.get("image").and_then(Written::as_text))
            .any(|image| names.iter().any(|name| image.contains(name)))
    };
    json!({
        "stateId": state.id.value,
        "stateTitle": state.title.as_ref().map(|title| &title.value),
        "previousStates": names(&state.previous),
        "links": { "apiExplorer": explorer.map(|route| route.path.as_str()) },
        "features": {
            "statusPage": !checks.is_empty(),
            "apiExplorer": explorer.is_some(),
            "pubSubInspector": messages(&["nats"]),
        },
        "statusChecks": checks,
    })
}

/// Seconds since 1970 as a date and a time. (The algorithm is `civil_from_days`, by Howard Hinnant.)
fn utc(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86400), seconds.rem_euclid(86400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(seconds), expected);
        }
    }
}
