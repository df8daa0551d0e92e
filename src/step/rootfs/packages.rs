//! Which files a package of the distribution installed, as its package manager keeps record: dpkg a
//! list per package, apk one file for all (apk-tools, "installed" database).

use super::tree::Tree;

/// What of a package is for people, not for programs.
const NOT_KEPT: [&str; 6] = [
    "/usr/share/doc/",
    "/usr/share/man/",
    "/usr/share/info/",
    "/usr/share/locale/",
    "/usr/share/lintian/",
    "/usr/share/bash-completion/",
];

/// The paths of a package; `None` if neither manager knows it.
pub(super) fn files(base: &Tree, package: &str) -> Option<Vec<String>> {
    let listed = dpkg(base, package).or_else(|| apk(base, package))?;
    Some(listed.into_iter().filter(|path| !NOT_KEPT.iter().any(|folder| path.starts_with(folder))).collect())
}

fn dpkg(base: &Tree, package: &str) -> Option<Vec<String>> {
    // A package of several architectures has its own in the name.
    let names = base.names("/var/lib/dpkg/info");
    let list = names.iter().find(|name| {
        let stem = name.strip_suffix(".list").unwrap_or_default();
        stem == package || stem.split_once(':').is_some_and(|(stem, _)| stem == package)
    })?;
    let text = base.text(&format!("/var/lib/dpkg/info/{list}"))?;
    Some(text.lines().filter(|path| path.len() > 2).map(str::to_owned).collect())
}

fn apk(base: &Tree, package: &str) -> Option<Vec<String>> {
    let text = base.text("/lib/apk/db/installed")?;
    let entry = text
        .split("\n\n")
        .find(|entry| entry.lines().any(|line| line.strip_prefix("P:") == Some(package)))?;
    let mut folder = "";
    let mut files = Vec::new();
    for line in entry.lines() {
        match line.split_once(':') {
            Some(("F", path)) => folder = path,
            Some(("R", name)) => files.push(format!("/{folder}/{name}")),
            _ => {}
        }
    }
    Some(files)
}
