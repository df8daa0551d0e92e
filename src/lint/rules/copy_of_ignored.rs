//! `CopyOfIgnored`: a copy of something that never reaches the build.

use crate::ignore::is_ignored;
use crate::lint::{Found, Subject};
use crate::plan::{Action, Copy, From};

/// Looks at every copy from the build context.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for step in subject.plan.stages.iter().flat_map(|stage| &stage.steps) {
        let Action::Copy(Copy { from: From::Context, sources, .. }) = &step.action else { continue };
        for source in sources {
            let path = source.trim_matches('/');
            let whole = path.is_empty() || path == "." || path.contains(['*', '?', '[']);
            if !whole && is_ignored(path, subject.ignore) {
                let finding = found
                    .finding(format!("`{path}` is copied, and .dockerignore keeps it out of the build"))
                    .at(&step.origin)
                    .help(format!("take it back in: `!{path}`, or remove the copy"));
                found.push(finding);
            }
        }
    }
}
