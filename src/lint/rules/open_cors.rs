//! `OpenCors`: an allow-list for cross-origin requests that allows everybody, or nobody but the
//! developer.

use crate::lint::{Found, Subject};

/// Looks at environment variables whose names speak of CORS and origins.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for setting in subject.running().into_iter().flat_map(|running| &running.environment) {
        if !is_of_origins(&setting.name) {
            continue;
        }
        let origins: Vec<&str> = setting
            .value
            .split([',', ' ', '[', ']', '"', '\''])
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .collect();
        let local = |origin: &&str| {
            let host = origin.split("://").last().unwrap_or_default();
            ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"].iter().any(|name| host.starts_with(name))
        };
        // A host that comes from a variable is derived, whatever the variable's default.
        let message = if origins.contains(&"*") {
            format!("`{}` allows every origin", setting.name)
        } else if !origins.is_empty() && origins.iter().all(local) && !setting.written.contains("://${") {
            format!("`{}` allows localhost alone: behind a domain, browsers refuse", setting.name)
        } else {
            continue;
        };
        let finding = found.finding(message).at(&setting.span).help(
            "derive it from the domain: `https://${DOMAIN:-localhost}`, and let a variable override it",
        );
        found.push(finding);
    }
}

/// Whether what has this name says whose pages may ask.
pub(crate) fn is_of_origins(name: &str) -> bool {
    let name = name.to_uppercase();
    let about_origins = name.contains("ORIGIN") && (name.contains("CORS") || name.contains("ALLOW"));
    about_origins || name == "CORS" || name.ends_with("_CORS")
}
