//! `SecretInPlainText`: a value that looks like a secret, in a place that everybody can read: the
//! file itself, an image's environment and labels, a build's arguments.

use crate::diagnostic::Span;
use crate::lint::{Found, Subject};

/// Words that names of secrets have.
const WORDS: [&str; 12] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "PASS",
];

/// What follows in names that only speak of a secret: where it is, how long it lives.
const ABOUT: [&str; 16] = [
    "FILE",
    "PATH",
    "NAME",
    "ID",
    "URL",
    "URI",
    "EXPIRY",
    "EXPIRES",
    "TTL",
    "SECONDS",
    "LENGTH",
    "HEADER",
    "TYPE",
    "ALGORITHM",
    "ISSUER",
    "DIR",
];

/// How well-known secrets begin.
const BEGINNINGS: [&str; 11] = [
    "-----BEGIN ",
    "AKIA",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AIza",
    "sk_live_",
];

/// Looks at environment, build arguments, labels and what is baked into the image.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let service = subject.service;
    if let Some(running) = subject.running() {
        for setting in &running.environment {
            // What comes from a variable without a default is not in the file.
            let fixed = !setting.written.contains('$') || !setting.value.is_empty();
            if fixed && looks_secret(&setting.name, &setting.value) {
                report(found, "environment", &setting.name, &setting.span, RUN_TIME);
            }
        }
        for setting in &running.labels {
            if looks_secret(&setting.name, &setting.value) {
                report(found, "labels", &setting.name, &setting.span, RUN_TIME);
            }
        }
    }
    if let Some(build) = &service.compose.build {
        let span = subject.running().and_then(|running| running.build.as_ref()).map(|build| &build.span);
        let span = span.unwrap_or(&service.extension);
        // An argument is in the image's history and in its provenance, wherever its value is from.
        for (name, _) in build.args.0.iter().filter(|(name, _)| is_secret_name(name)) {
            report(found, "build.args", name, span, BUILD_TIME);
        }
        for (name, value) in build.labels.with_values().filter(|(name, value)| looks_secret(name, value)) {
            report(found, "build.labels", name, span, RUN_TIME);
            let _ = value;
        }
    }
    let component = &service.component;
    for (key, pairs, help) in [
        ("env", &component.env, RUN_TIME),
        ("labels", &component.labels, RUN_TIME),
        ("build_env", &component.build_env, BUILD_TIME),
    ] {
        for (name, _) in pairs.with_values().filter(|(name, value)| looks_secret(name, value)) {
            report(found, key, name, pairs.1.as_ref().unwrap_or(&component.span), help);
        }
    }
}

const RUN_TIME: &str =
    "pass it when the container starts: `${NAME:?}` without a default, or Compose's `secrets`";
const BUILD_TIME: &str =
    "mount it for the step that needs it: `secret: [name]` in a hand-written step, and `build.secrets`";

fn report(found: &mut Found<'_>, key: &str, name: &str, span: &Span, help: &str) {
    // Never the value: messages end up in logs.
    let finding =
        found.finding(format!("`{name}` in `{key}` looks like a secret in plain text")).at(span).help(help);
    found.push(finding);
}

fn looks_secret(name: &str, value: &str) -> bool {
    let known = BEGINNINGS.iter().any(|beginning| value.starts_with(beginning) && value.len() > 16);
    known || (is_secret_name(name) && is_a_value(value))
}

fn is_secret_name(name: &str) -> bool {
    let upper = name.to_uppercase().replace(['-', '.'], "_");
    let last = upper.rsplit('_').next().unwrap_or_default();
    if ABOUT.contains(&last) {
        return false;
    }
    let parts: Vec<&str> = upper.split('_').collect();
    WORDS.iter().any(|word| {
        let words: Vec<&str> = word.split('_').collect();
        parts.windows(words.len()).any(|window| window == words)
    }) || ["PASSWORD", "PASSWD", "SECRET", "APIKEY"].iter().any(|word| upper.ends_with(word))
}

/// Switches, numbers and paths are no secrets, whatever their name.
fn is_a_value(value: &str) -> bool {
    let switch = ["", "true", "false", "yes", "no", "none", "null", "0", "1"].contains(&value);
    !switch && !value.starts_with('/') && value.parse::<f64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values() {
        for (name, value) in [
            ("DB_PASSWORD", "hunter2"),
            ("JWT_SECRET_KEY", "abc"),
            ("githubToken".to_uppercase().replace("TOKEN", "_TOKEN").as_str(), "x1"),
            ("ANYTHING", "ghp_0123456789abcdefghij"),
            ("MYSQL_ROOT_PASSWORD", "root"),
        ] {
            assert!(looks_secret(name, value), "{name}");
        }
        for (name, value) in [
            ("DB_PASSWORD_FILE", "/run/secrets/db"),
            ("JWT_EXPIRY_SECONDS", "86400"),
            ("TOKEN_URL", "https://example.com"),
            ("COMPASS", "north"),
            ("USE_TOKEN", "true"),
            ("DB_PASSWORD", ""),
        ] {
            assert!(!looks_secret(name, value), "{name}");
        }
    }
}
