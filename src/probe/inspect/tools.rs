//! Tools that are left over: whoever breaks in finds them useful, and nobody else does.

use std::time::Instant;

use super::tree::Files;
use crate::plan::contract::{Promise, Rule, Tools};
use crate::probe::Part;
use crate::probe::pattern::fits;

/// Folders from which programs are run by their names alone.
const FOLDERS: [&str; 4] = ["bin", "sbin", ".bin", "libexec"];

pub(super) fn check(promise: &Promise, files: &Files, part: &mut Part) {
    let since = Instant::now();
    let mut clean = true;
    for (kind_name, kind) in Tools::ALL.into_iter().filter(|(_, kind)| promise.forbidden_tools.contains(kind))
    {
        let names = kind.programs();
        let is_one = |path: &&str| {
            let mut parts = path.rsplit('/');
            let name = parts.next().unwrap_or_default();
            let folder = parts.next().unwrap_or_default();
            FOLDERS.contains(&folder) && names.contains(&plain(name))
        };
        let allowed = |path: &&str| promise.allow.iter().any(|pattern| fits(pattern, path));
        let found: Vec<String> =
            files.programs().filter(is_one).filter(|path| !allowed(path)).map(str::to_owned).collect();
        if !found.is_empty() {
            clean = false;
            let what = kind_name.replace('_', " ");
            part.failed(Rule::Tools, format!("it ships {what}: {}", names_of(&found)), since)
                .about(kind_name)
                .details(found.into_iter().take(8))
                .help("copy what runs into a base without them, or `contract: { allow: [PATH] }`");
        }
    }
    if clean && !promise.forbidden_tools.is_empty() {
        let kinds = Tools::ALL.into_iter().filter(|(_, kind)| promise.forbidden_tools.contains(kind));
        let kinds: Vec<String> = kinds.map(|(name, _)| name.replace('_', " ")).collect();
        part.passed(Rule::Tools, format!("none of the known {}", kinds.join(", ")), since);
    }
}

/// `x86_64-linux-gnu-gcc-12` is `gcc`.
fn plain(name: &str) -> &str {
    let name =
        name.rsplit_once("-linux-gnu-").or(name.rsplit_once("-linux-musl-")).map_or(name, |(_, name)| name);
    match name.rsplit_once('-') {
        Some((plain, version))
            if !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '.') =>
        {
            plain
        }
        _ => name,
    }
}

fn names_of(paths: &[String]) -> String {
    let mut names: Vec<&str> = paths.iter().filter_map(|path| path.rsplit('/').next()).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(6);
    names.join(", ")
}
