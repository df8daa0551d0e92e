//! A plan in a few lines, for whoever has just built it: who runs, how it is asked for its health,
//! and what was found out about the component that the spec does not say.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Plan, RuntimeUser};

/// What is said about an image, for people and for programs.
pub struct Report {
    /// A few lines.
    pub text: String,
    /// The same as data.
    pub details: Value,
}

impl Plan {
    /// What is said about an image that was built with so many findings of lint rules.
    pub fn report(&self, findings: usize) -> Report {
        let user = self.image.user.as_ref().map_or_else(|| "the base's user".to_owned(), RuntimeUser::config);
        let base = self.stage(&self.runtime).map(|stage| stage.from.to_string()).unwrap_or_default();
        let health = self.image.health.as_ref().map(|health| health.test.join(" "));
        let mut text = format!("{}: {} that runs as {user}", self.component, self.archetype);
        // Writing to a String cannot fail.
        let _ = match &health {
            Some(test) => write!(text, ", health {test}"),
            None => write!(text, ", no health check"),
        };
        let _ = write!(text, "\n  on {base}");
        if let Some((limit, _)) = &self.size_limit {
            let _ = write!(text, ", within {} MB", limit >> 20);
        }
        for (stage, _) in &self.requires {
            let _ = write!(text, ", {stage} required and passed");
        }
        for finding in &self.found {
            let _ = write!(text, "\n  found {finding}");
        }
        if findings > 0 {
            let what = if findings == 1 { "finding" } else { "findings" };
            let _ = write!(text, "\n  {findings} {what}: `docker buildx build --check` shows them");
        }
        let found: Vec<Value> = self
            .found
            .iter()
            .map(|found| json!({ "what": found.what, "value": found.value, "because": found.because }))
            .collect();
        let details = json!({
            "component": self.component,
            "archetype": self.archetype.to_string(),
            "base": base,
            "user": user,
            "health": health,
            "sizeLimit": self.size_limit.as_ref().map(|(limit, _)| limit),
            "requires": self.requires.iter().map(|(stage, _)| stage).collect::<Vec<_>>(),
            "found": found,
            "findings": findings,
        });
        Report { text, details }
    }
}
