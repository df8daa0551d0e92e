//! A plan in a few lines, for whoever has just built it: who runs, how it is asked for its health,
//! and what was found out about the component that the spec does not say.

use std::fmt::Write;

use super::{Plan, RuntimeUser};

impl Plan {
    /// A few lines about an image.
    pub fn report(&self) -> String {
        let user = self.image.user.as_ref().map_or_else(|| "the base's user".to_owned(), RuntimeUser::config);
        let mut text = format!("{}: {} that runs as {user}", self.component, self.archetype);
        // Writing to a String cannot fail.
        let _ = match &self.image.health {
            Some(health) => write!(text, ", health {}", health.test.join(" ")),
            None => write!(text, ", no health check"),
        };
        for (stage, _) in &self.requires {
            let _ = write!(text, ", {stage} required and passed");
        }
        for finding in &self.found {
            let _ = write!(text, "\n  found {finding}");
        }
        text
    }
}
