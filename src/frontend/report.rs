//! What clients print after a build: who runs, how it is asked for its health, and what was found
//! out about the component that the spec does not say.

use std::fmt::Write;

use crate::plan::{Plan, RuntimeUser};

/// The key of a result's metadata that buildx prints when it is done.
pub(super) const KEY: &str = "frontend.result.inlinemessage";

/// A few lines about an image.
pub(super) fn report(plan: &Plan) -> String {
    let user = plan.image.user.as_ref().map_or_else(|| "the base's user".to_owned(), RuntimeUser::config);
    let mut text = format!("{}: {} that runs as {user}", plan.component, plan.archetype);
    // Writing to a String cannot fail.
    let _ = match &plan.image.health {
        Some(health) => write!(text, ", health {}", health.test.join(" ")),
        None => write!(text, ", no health check"),
    };
    for (stage, _) in &plan.requires {
        let _ = write!(text, ", {stage} required and passed");
    }
    for finding in &plan.found {
        let _ = write!(text, "\n  found {finding}");
    }
    text
}
