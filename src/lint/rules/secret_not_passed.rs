//! `SecretNotPassed`: a step wants a secret or an ssh agent that Compose and bake do not pass on.

use std::collections::BTreeSet;

use crate::lint::{Found, Subject};
use crate::plan::{Action, Mount};

/// Compares what steps mount with `build.secrets` and `build.ssh`.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(build) = subject.running().and_then(|running| running.build.as_ref()) else { return };
    let mut told = BTreeSet::new();
    for step in subject.plan.stages.iter().flat_map(|stage| &stage.steps) {
        let Action::Run(run) = &step.action else { continue };
        for mount in &run.mounts {
            let (key, id, passed) = match mount {
                Mount::Secret { id, .. } => ("secrets", id, &build.secrets),
                Mount::Ssh { id, .. } => ("ssh", id, &build.ssh),
                _ => continue,
            };
            if passed.iter().any(|passed| passed.value == *id) || !told.insert((key, id)) {
                continue;
            }
            let what = if key == "ssh" { "ssh agent" } else { "secret" };
            let finding = found
                .finding(format!("the {what} `{id}` is wanted, and `build.{key}` does not pass it on"))
                .at(&step.origin)
                .help(format!(
                    "`build: {{ {key}: [{id}] }}`; `docker buildx build` takes it by `--{}`",
                    what.split(' ').next().unwrap_or_default()
                ));
            found.push(finding);
        }
    }
}
