//! `SecretInPlainText`: a value that looks like a secret, in a place that everybody can read: the
//! file itself, an image's environment and labels, a build's arguments.

use crate::diagnostic::Span;
use crate::lint::{Found, Subject};
use crate::plan::Action;

/// What names of secrets end with.
const ENDINGS: [&[&str]; 14] = [
    &["PASSWORD"],
    &["PASSWD"],
    &["PASSPHRASE"],
    &["PASS"],
    &["PWD"],
    &["SECRET"],
    &["SECRET", "KEY"],
    &["TOKEN"],
    &["APIKEY"],
    &["API", "KEY"],
    &["ACCESS", "KEY"],
    &["PRIVATE", "KEY"],
    &["CREDENTIAL"],
    &["CREDENTIALS"],
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
        for (key, settings) in [("environment", &running.environment), ("labels", &running.labels)] {
            for setting in settings {
                // What comes from a variable without a default is not in the file.
                if looks_secret(&setting.name, &setting.fallback) {
                    report(found, key, &setting.name, &setting.span, RUN_TIME);
                }
            }
        }
    }
    steps(subject, found);
    if let Some(build) = &service.compose.build {
        let span = subject.running().and_then(|running| running.build.as_ref()).map(|build| &build.span);
        let span = span.unwrap_or(&service.extension);
        // An argument is in the image's history and in its provenance, wherever its value is from.
        for (name, _) in build.args.0.iter().filter(|(name, _)| is_secret_name(name)) {
            report(found, "build.args", name, span, BUILD_TIME);
        }
        for (name, _) in build.labels.with_values().filter(|(name, value)| looks_secret(name, value)) {
            report(found, "build.labels", name, span, RUN_TIME);
        }
    }
    let component = &service.component;
    let shared = service
        .defaults
        .iter()
        .flat_map(|defaults| [("defaults.env", &defaults.env), ("defaults.labels", &defaults.labels)]);
    for (key, pairs) in shared {
        for (name, _) in pairs.with_values().filter(|(name, value)| looks_secret(name, value)) {
            report(found, key, name, pairs.1.as_ref().unwrap_or(&component.span), RUN_TIME);
        }
    }
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

/// Looks at what hand-written steps set, write and run.
fn steps(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.service.component.stages.is_none() {
        return;
    }
    for step in subject.plan.stages.iter().flat_map(|stage| &stage.steps) {
        match &step.action {
            Action::Env { name, value } if looks_secret(name, value) => {
                report(found, "env", name, &step.origin, RUN_TIME);
            }
            Action::Run(run) => {
                for (name, _) in run.env.iter().filter(|(name, value)| looks_secret(name, value)) {
                    report(found, "env", name, &step.origin, BUILD_TIME);
                }
                if run.command.args().iter().flat_map(|word| word.split([' ', '=', '"', '\''])).any(is_known)
                {
                    report(found, "run", "a word", &step.origin, BUILD_TIME);
                }
            }
            Action::Write(write) => {
                let lines = write.content.lines().filter_map(|line| line.split_once(['=', ':']));
                for (name, _) in lines
                    .filter(|(name, value)| looks_secret(name.trim(), value.trim().trim_matches(['"', '\''])))
                {
                    report(found, "write", name.trim(), &step.origin, RUN_TIME);
                }
            }
            _ => {}
        }
    }
}

fn looks_secret(name: &str, value: &str) -> bool {
    is_known(value) || has_password(value) || (is_secret_name(name) && is_a_value(name, value))
}

/// Whether a value begins like a secret of a well-known kind.
fn is_known(value: &str) -> bool {
    BEGINNINGS.iter().any(|beginning| value.starts_with(beginning) && value.len() > 16)
}

/// Whether a URL has a password in it.
fn has_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !password.contains('$'))
}

/// Whether what has this name is most likely a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let upper = name.to_uppercase().replace(['-', '.'], "_");
    let parts: Vec<&str> = upper.split('_').collect();
    let ends = |ending: &&[&str]| {
        parts.ends_with(ending) || parts.strip_suffix(&["VALUE"]).is_some_and(|parts| parts.ends_with(ending))
    };
    ENDINGS.iter().any(ends) || ["PASSWORD", "PASSWD", "APIKEY"].iter().any(|word| upper.ends_with(word))
}

/// Switches and paths are no secrets, whatever their name; a number may well be a password.
fn is_a_value(name: &str, value: &str) -> bool {
    let switch = ["", "true", "false", "yes", "no", "on", "off", "none", "null", "0", "1"].contains(&value);
    let password = name.to_uppercase().contains("PASS");
    !switch && !value.starts_with('/') && (password || value.parse::<f64>().is_err())
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
            ("KEYCLOAK_ADMIN_PASSWORD", "12345678"),
            ("DATABASE_URL", "postgres://u:hunter2@db/x"),
        ] {
            assert!(looks_secret(name, value), "{name}");
        }
        for (name, value) in [
            ("DB_PASSWORD_FILE", "/run/secrets/db"),
            ("JWT_EXPIRY_SECONDS", "86400"),
            ("TOKEN_URL", "https://example.com"),
            ("COMPASS", "north"),
            ("USE_TOKEN", "true"),
            ("PASSWORD_POLICY", "strong"),
            ("TOKEN_LIFETIME", "15m"),
            ("CSRF_TOKEN_ENABLED", "on"),
            ("DATABASE_URL", "postgres://u@db/x"),
            ("DB_PASSWORD", ""),
        ] {
            assert!(!looks_secret(name, value), "{name}");
        }
    }
}
