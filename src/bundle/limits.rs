//! The most that a service gets which says nothing itself, and what its amounts mean.

use std::collections::BTreeMap;

use super::System;
use crate::spec::document::Written;
use crate::spec::filled;

/// Processors, memory, processes.
const LIMITS: (&str, &str, u32) = ("1.0", "512M", 256);

/// Adds limits to a service without any.
pub(super) fn add(system: &System<'_>, service: &mut Written) {
    let has_own = ["mem_limit", "cpus", "pids_limit"].iter().any(|key| service.get(key).is_some());
    let mut deploy = service.get("deploy").cloned().unwrap_or(Written::Map(Vec::new()));
    let mut resources = deploy.get("resources").cloned().unwrap_or(Written::Map(Vec::new()));
    if has_own || resources.get("limits").is_some() {
        return;
    }
    let (cpus, memory, pids) = defaults(system);
    let reserved =
        |key: &str| resources.get("reservations").and_then(|reserved| reserved.get(key)?.as_text());
    // Nobody gets less than is reserved for it.
    let reserved_memory = reserved("memory").or(service.get("mem_reservation").and_then(Written::as_text));
    let memory = most(memory, reserved_memory, bytes);
    let cpus = most(cpus, reserved("cpus"), |text| text.parse().ok());
    let limits = [
        ("cpus", Written::Text(cpus)),
        ("memory", Written::Text(memory)),
        ("pids", Written::Number(pids.to_string())),
    ];
    resources.set("limits", Written::map(limits));
    deploy.set("resources", resources);
    service.set("deploy", deploy);
}

/// Processors, memory and processes of what says nothing itself.
pub(super) fn defaults(system: &System<'_>) -> (String, String, u32) {
    let bundle = system.spec.project.as_ref().and_then(|project| project.bundle.as_ref());
    let given = bundle.and_then(|bundle| bundle.limits.as_ref());
    let (cpus, memory, pids) = LIMITS;
    let cpus = given.and_then(|limits| limits.cpus.as_ref()).map_or(cpus, |value| &value.value);
    let memory = given.and_then(|limits| limits.memory.as_ref()).map_or(memory, |value| &value.value);
    let pids = given.and_then(|limits| limits.pids.as_ref()).map_or(pids, |value| value.value);
    (cpus.to_owned(), memory.to_owned(), pids)
}

/// The larger one of an amount and another, as they are written; the other one too if it cannot be read.
fn most(amount: String, other: Option<&str>, read: impl Fn(&str) -> Option<f64>) -> String {
    let Some(other) = other else { return amount };
    match (read(&amount), read(&filled(other, &BTreeMap::new()))) {
        (Some(own), Some(other)) if own >= other => amount,
        _ => other.to_owned(),
    }
}

/// The smaller one of two amounts: nothing asks for more than it may have.
pub(super) fn least(amount: &str, limit: &str, read: impl Fn(&str) -> Option<f64>) -> String {
    match (read(amount), read(limit)) {
        (Some(own), Some(most)) if own > most => limit.to_owned(),
        _ => amount.to_owned(),
    }
}

/// A size of Compose's in bytes: a number with a unit of a power of 1024.
pub(super) fn bytes(text: &str) -> Option<f64> {
    let (digits, power) = size(text)?;
    Some(digits.parse::<f64>().ok()? * 1024_f64.powi(power))
}

/// A size of Compose's as Kubernetes writes it; what is none stays.
pub(super) fn quantity(text: &str) -> String {
    let Some((digits, power)) = size(text) else { return text.to_owned() };
    let unit = match power {
        1 => "Ki",
        2 => "Mi",
        3 => "Gi",
        4 => "Ti",
        _ => "",
    };
    format!("{digits}{unit}")
}

/// The digits of a size, and the power of 1024 that its unit is.
fn size(text: &str) -> Option<(String, i32)> {
    let lower = text.trim().to_lowercase();
    let end = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (digits, unit) = lower.split_at(end);
    let power = match unit.trim().trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    Some((digits.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        assert_eq!(bytes("1.5G"), Some(1.5 * 1024.0 * 1024.0 * 1024.0));
        assert_eq!(most("512M".to_owned(), Some("1G"), bytes), "1G");
        assert_eq!(most("512M".to_owned(), Some("64m"), bytes), "512M");
        assert_eq!(most("512M".to_owned(), Some("${MEMORY:-2G}"), bytes), "${MEMORY:-2G}");
        assert_eq!(least("64M", "32m", bytes), "32m");
        assert_eq!(least("64M", "1G", bytes), "64M");
        for (text, expected) in
            [("512M", "512Mi"), ("1.5g", "1.5Gi"), ("64mb", "64Mi"), ("1048576", "1048576"), ("2x", "2x")]
        {
            assert_eq!(quantity(text), expected);
        }
    }
}
