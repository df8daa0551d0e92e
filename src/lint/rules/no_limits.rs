//! `NoLimits`: a service for production that may take all of the host's memory.

use crate::lint::{Found, Subject};

/// Looks at services whose profile says that they are for production.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(running) = subject.running().filter(|running| !running.has_limits) else { return };
    let Some(profile) =
        running.profiles.iter().find(|profile| profile.value.to_lowercase().starts_with("prod"))
    else {
        return;
    };
    let finding = found
        .finding(format!("`{}` runs in the profile `{}` without limits", running.name.value, profile.value))
        .at(&profile.span)
        .help("`deploy: { resources: { limits: { memory: 512M, cpus: \"0.5\" } } }`");
    found.push(finding);
}
