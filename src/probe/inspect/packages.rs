//! Packages, as what installed them left its records: Debian's and Alpine's databases, `node_modules`,
//! Python's `dist-info`.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::Instant;

use super::tree::{Files, Tree};
use crate::plan::contract::{Promise, Rule};
use crate::probe::Part;
use crate::probe::pattern::fits_name;

pub(super) fn check(promise: &Promise, image: &Tree, files: &Files, part: &mut Part) -> Result<(), String> {
    if promise.forbidden_packages.is_empty() {
        return Ok(());
    }
    let since = Instant::now();
    let is_rpm = |path: &str| path.starts_with("/var/lib/rpm/") || path.starts_with("/usr/lib/sysimage/rpm/");
    if files.paths().any(is_rpm) {
        part.not_verified(
            Rule::Packages,
            "not verifiable here: the image keeps its packages in an rpm database",
        );
    }
    let mut names = installed(image)?;
    names.extend(files.paths().filter_map(of_a_language));
    for pattern in &promise.forbidden_packages {
        let found: Vec<&String> = names.iter().filter(|name| fits_name(pattern, name)).collect();
        if found.is_empty() {
            part.passed(Rule::Packages, format!("no package `{pattern}` among {}", names.len()), since);
        } else {
            let list: Vec<&str> = found.into_iter().take(8).map(String::as_str).collect();
            part.failed(Rule::Packages, format!("it holds the package {}", list.join(", ")), since)
                .about(pattern);
        }
    }
    Ok(())
}

/// The name of the package whose folder a path is.
fn of_a_language(path: &str) -> Option<String> {
    if let Some(name) = path.strip_suffix(".dist-info") {
        let (name, _) = name.rsplit('/').next()?.split_once('-')?;
        return Some(name.replace('_', "-").to_lowercase());
    }
    let (_, inside) = path.strip_suffix("/package.json")?.rsplit_once("/node_modules/")?;
    let parts = inside.split('/').count();
    (parts == 1 || parts == 2 && inside.starts_with('@')).then(|| inside.to_owned())
}

/// The distribution's packages.
fn installed(image: &Tree) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    image.each(&mut |path, _, content| {
        let (key, is_record) = match path {
            "/var/lib/dpkg/status" => ("Package: ", true),
            "/lib/apk/db/installed" | "/usr/lib/apk/db/installed" => ("P:", true),
            path => ("Package: ", path.starts_with("/var/lib/dpkg/status.d/")),
        };
        if is_record {
            let mut text = Vec::new();
            content.take(64 << 20).read_to_end(&mut text).map_err(|error| format!("{path}: {error}"))?;
            let text = String::from_utf8_lossy(&text);
            names.extend(
                text.lines().filter_map(|line| line.strip_prefix(key)).map(|name| name.trim().to_owned()),
            );
        }
        Ok(())
    })?;
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::of_a_language;

    #[test]
    fn folders_of_packages() {
        let name = |path| of_a_language(path);
        assert_eq!(name("/app/node_modules/@types/node/package.json").as_deref(), Some("@types/node"));
        assert_eq!(name("/app/node_modules/a/node_modules/b/package.json").as_deref(), Some("b"));
        assert_eq!(name("/app/node_modules/a/dist/package.json"), None);
        assert_eq!(
            name("/app/.venv/lib/python3.11/site-packages/Uvicorn_x-1.0.dist-info").as_deref(),
            Some("uvicorn-x")
        );
    }
}
