//! `UnusedSecret`: what no step reads need not be handed to a build.

use crate::lint::{Found, Subject};
use crate::plan::{Action, Mount};

/// Compares `build.secrets` and `build.ssh` with what steps mount.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(build) = subject.running().and_then(|running| running.build.as_ref()) else { return };
    let mounts = || {
        let steps = subject.plan.stages.iter().flat_map(|stage| &stage.steps);
        steps.flat_map(|step| match &step.action {
            Action::Run(run) => run.mounts.as_slice(),
            _ => &[],
        })
    };
    for secret in &build.secrets {
        if !mounts().any(|mount| matches!(mount, Mount::Secret { id, .. } if *id == secret.value)) {
            let finding = found
                .finding(format!("no step reads the secret `{}`", secret.value))
                .at(&secret.span)
                .help("remove it, or mount it: `secret: [name]` in the step that needs it");
            found.push(finding);
        }
    }
    for agent in &build.ssh {
        // `default` may be there for the build context's own sake.
        let used = mounts().any(|mount| matches!(mount, Mount::Ssh { id, .. } if *id == agent.value));
        if agent.value != "default" && !used {
            let finding = found
                .finding(format!("no step uses the ssh agent `{}`", agent.value))
                .at(&agent.span)
                .help("remove it, or mount it: `ssh: [name]` in the step that needs it");
            found.push(finding);
        }
    }
}
