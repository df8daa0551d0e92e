//! `UndeclaredWrites`: a read-only service whose program writes where nothing is mounted.

use crate::lint::{Found, Subject};

/// Compares what the recipe knows that its program writes with what is mounted.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.service.compose.read_only != Some(true) {
        return;
    }
    let Some(running) = subject.running() else { return };
    for path in &subject.plan.image.writes {
        let covered = running.mounts.iter().any(|mount| {
            let target = mount.target.trim_end_matches('/');
            path == target || path.strip_prefix(target).is_some_and(|rest| rest.starts_with('/'))
        });
        if !covered {
            let finding = found
                .finding(format!("the root file system is read-only, and the program writes to `{path}`"))
                .at(running.read_only.as_ref().unwrap_or(&running.name.span))
                .help(format!("`tmpfs: [{path}]` gives it a folder in memory"));
            found.push(finding);
        }
    }
}
