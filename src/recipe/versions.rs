//! Which version of a tool a project asks for, among those that there are images of.

use semver::{Version, VersionReq};

/// The first of `known` that a requirement allows; `known` starts with what is preferred.
/// Requirements are npm's (`^20 || >=22`, `18.x`) and Python's (`>=3.11,<3.14`, `~=3.12`).
pub(super) fn allowed<'k>(known: &[&'k str], requirement: &str) -> Option<&'k str> {
    let alternatives: Vec<VersionReq> = requirement.split("||").filter_map(parse).collect();
    known
        .iter()
        .copied()
        .find(|version| alternatives.iter().any(|alternative| overlaps(alternative, version)))
}

/// Whether a requirement allows some version among all that a known one stands for: `20` for all
/// `20.x.y`. Tried are its first and its last, and those that the requirement itself names.
fn overlaps(requirement: &VersionReq, known: &str) -> bool {
    let Ok(first) = Version::parse(&padded(known)) else { return false };
    let parts = known.split('.').count();
    let last = match parts {
        1 => Version::new(first.major, 99, 999),
        2 => Version::new(first.major, first.minor, 999),
        _ => first.clone(),
    };
    let named = requirement.comparators.iter().map(|comparator| {
        Version::new(comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0))
    });
    let covered = |version: &Version| (first.clone()..=last.clone()).contains(version);
    let candidates = named.filter(covered).chain([first.clone(), last.clone()]);
    candidates.into_iter().any(|version| requirement.matches(&version))
}

fn parse(text: &str) -> Option<VersionReq> {
    // `>=18 <23` and `>= 18` are npm's; a comma separates for Python and for the parser.
    let mut comparators: Vec<String> = Vec::new();
    for word in text.split([' ', ',']).map(str::trim).filter(|word| !word.is_empty()) {
        match comparators.last_mut() {
            Some(last) if !last.contains(|c: char| c.is_ascii_digit() || c == '*') => last.push_str(word),
            _ => comparators.push(word.to_owned()),
        }
    }
    // A version that is left out is a patch that there is no image of by that name anyway.
    let comparators = comparators.iter().filter(|comparator| !comparator.starts_with("!="));
    let comparators = comparators.map(|comparator| comparator_of(comparator));
    VersionReq::parse(&comparators.collect::<Vec<_>>().join(", ")).ok()
}

fn comparator_of(text: &str) -> String {
    let text = text.replace(".x", ".*").replace(".X", ".*");
    if let Some(version) = text.strip_prefix("~=") {
        // PEP 440: `~=3.11` is `>=3.11, <4`; `~=3.11.2` is `>=3.11.2, <3.12`.
        return if version.matches('.').count() < 2 { format!("^{version}") } else { format!("~{version}") };
    }
    if let Some(version) = text.strip_prefix("==") {
        return format!("={}", version.trim_end_matches(".*"));
    }
    match text.strip_prefix('v').unwrap_or(&text) {
        // To npm a bare version means itself, not everything compatible.
        bare if bare.starts_with(|c: char| c.is_ascii_digit()) && !bare.contains('*') => format!("={bare}"),
        other => other.to_owned(),
    }
}

fn padded(version: &str) -> String {
    match version.matches('.').count() {
        0 => format!("{version}.0.0"),
        1 => format!("{version}.0"),
        _ => version.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn requirements_of_npm_and_python() {
        let node = ["22", "24", "20", "18"];
        for (requirement, expected) in [
            (">=18", Some("22")),
            (">= 18.17.0", Some("22")),
            ("^20.9.0 || >=24", Some("24")),
            ("20", Some("20")),
            ("18.x", Some("18")),
            (">=18 <20", Some("18")),
            ("~20.11.1", Some("20")),
            (">=99", None),
            ("what", None),
            ("*", Some("22")),
        ] {
            assert_eq!(allowed(&node, requirement), expected, "{requirement}");
        }
        let python = ["3.13", "3.12", "3.11"];
        for (requirement, expected) in [
            (">=3.11", Some("3.13")),
            (">=3.11,<3.13", Some("3.12")),
            ("~=3.11", Some("3.13")),
            ("~=3.11.4", Some("3.11")),
            ("==3.12.*", Some("3.12")),
            ("==3.11.9", Some("3.11")),
            (">=3.9,!=3.9.7", Some("3.13")),
            ("<3.11", None),
        ] {
            assert_eq!(allowed(&python, requirement), expected, "{requirement}");
        }
    }
}
