//! `HealthToolMissing`: a health check that can only fail, because the image lacks its tool.

use crate::lint::subject::Ground;
use crate::lint::{Found, Subject};

/// Tools that health checks run and images may lack, and the packages that have them.
const TOOLS: [(&str, &[&str]); 6] = [
    ("curl", &["curl"]),
    ("wget", &["wget"]),
    ("nc", &["netcat-openbsd", "netcat-traditional", "netcat", "busybox"]),
    ("pg_isready", &["postgresql-client"]),
    ("redis-cli", &["redis-tools", "redis"]),
    ("mysqladmin", &["default-mysql-client", "mysql-client", "mariadb-client"]),
];

fn packages(tool: &str) -> &'static [&'static str] {
    TOOLS.iter().find(|(name, _)| *name == tool).map_or(&[], |(_, packages)| packages)
}

/// Looks at the health check's first word, or at those of its shell command.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(health) = &subject.plan.image.health else { return };
    let words: Vec<&str> = health.test.iter().map(String::as_str).collect();
    let (shell, tools) = match words.as_slice() {
        ["CMD-SHELL", text, ..] => (true, tools_of(text)),
        ["CMD", program, ..] => {
            (["sh", "bash", "/bin/sh", "/bin/bash"].contains(program), vec![name(program)])
        }
        _ => return,
    };
    let ground = subject.ground();
    let lacks = |tool: &str| match ground {
        Ground::Unknown => false,
        _ if subject.brings(tool) || packages(tool).iter().any(|package| subject.brings(package)) => false,
        Ground::Bare => true,
        Ground::Debian => !packages(tool).is_empty(),
        Ground::Busybox => !["wget", "nc"].contains(&tool) && !packages(tool).is_empty(),
    };
    let missing = if shell && ground == Ground::Bare && !subject.brings("sh") {
        Some("sh")
    } else {
        tools.into_iter().find(|tool| !packages(tool).is_empty() && lacks(tool))
    };
    let Some(tool) = missing else { return };
    let compose = subject.service.compose.healthcheck.as_ref();
    let span = compose.map_or(&subject.service.extension, |check| &check.span);
    let finding = found.finding(format!("the health check runs `{tool}`, which the image does not have"))
        .at(span)
        .help("leave `test` out and say `contract: { health: { http: /health } }`: it asks with what the image has, or with Slipway's own probe")
        .help_if(packages(tool).first().map(|package| format!("or put the tool into the image: `packages: [{package}]`")));
    found.push(finding);
}

fn name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The programs of a shell command: the first word of each part.
fn tools_of(text: &str) -> Vec<&str> {
    text.split(['|', ';', '&'])
        .filter_map(|part| part.split_whitespace().find(|word| !["exec", "!", "("].contains(word)))
        .map(name)
        .collect()
}
