//! A plan in a few lines, for whoever has just built it: who runs, how it is asked for its health,
//! and what was found out about the component that the spec does not say.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::{Base, Plan, RuntimeUser, VERIFY};

/// What is said about an image, for people and for programs.
pub struct Report {
    /// A few lines.
    pub text: String,
    /// The same as data.
    pub details: Value,
}

impl Plan {
    /// What the image stands on in the end: an image, or nothing.
    fn base(&self) -> String {
        let mut name = self.runtime.as_str();
        for _ in 0..=self.stages.len() {
            match self.stage(name).map(|stage| &stage.from) {
                Some(Base::Stage(below)) => name = below,
                Some(base) => return base.to_string(),
                None => break,
            }
        }
        String::new()
    }

    /// What is said about an image that was built with so many findings of lint rules, on images of
    /// these digests, with what the proof of its contract found, a line per platform.
    pub fn report(&self, findings: usize, digests: &BTreeMap<String, String>, proofs: &[String]) -> Report {
        let user = self.image.user.as_ref().map_or_else(|| "the base's user".to_owned(), RuntimeUser::config);
        let base = self.base();
        let digest = digests.get(&base);
        let health = self.image.health.as_ref().map(|health| health.test.join(" "));
        let mut text = format!("{}: {} that runs as {user}", self.component, self.archetype);
        // Writing to a String cannot fail.
        let _ = match &health {
            Some(test) => write!(text, ", health {test}"),
            None => write!(text, ", no health check"),
        };
        let _ = match digest {
            // As much as people compare.
            Some(digest) => write!(text, "\n  on {base} ({})", digest.chars().take(19).collect::<String>()),
            None => write!(text, "\n  on {base}"),
        };
        if let Some((limit, _)) = self.size_limit() {
            let _ = write!(text, ", within {} MB", limit >> 20);
        }
        for (stage, _) in self.requires.iter().filter(|(stage, _)| stage != VERIFY) {
            let _ = write!(text, ", {stage} required and passed");
        }
        for proof in proofs {
            let _ = write!(text, "\n  contract of {proof}");
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
            "baseDigest": digest,
            "user": user,
            "health": health,
            "sizeLimit": self.size_limit().map(|(limit, _)| limit),
            "requires": self.requires.iter().map(|(stage, _)| stage).collect::<Vec<_>>(),
            "found": found,
            "findings": findings,
            "contract": proofs,
        });
        Report { text, details }
    }
}
