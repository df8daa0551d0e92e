//! What the recipes make of a component, asked before it is written: whether they find its command
//! themselves, and what is still wrong.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value as Json;

use super::super::project::Place;
use super::write::Component;
use crate::diagnostic::Diagnostic;
use crate::plan::Plan;
use crate::recipe;

/// Asks the recipes.
pub(super) struct Plans {
    place: Place,
}

/// The keys of a service that decide about its image.
const KEYS: [&str; 7] = ["command", "entrypoint", "expose", "ports", "user", "working_dir", "volumes"];

impl Plans {
    /// For a build context. `file` is where the spec will be: an ignore file beside it counts.
    pub(super) fn new(file: &Path, context: &Path) -> Self {
        let (file, context) = (file.to_owned(), context.to_owned());
        Self { place: Place { file, target: None, build_args: Vec::new(), context } }
    }

    /// What the recipe starts if nothing more is said.
    pub(super) fn command(&self, component: &Component, compose: Option<&Json>) -> Option<Vec<String>> {
        let without = compose.cloned().map(|mut service| {
            if let Some(keys) = service.as_object_mut() {
                keys.retain(|key, _| key != "command" && key != "entrypoint");
            }
            service
        });
        // Words in front of the program are none of the program's.
        let mut component = component.clone();
        component.own.retain(|entry| entry.key != "init");
        let plan = self.plan(&component, without.as_ref()).ok()?;
        let words = [plan.image.entrypoint, plan.image.command].into_iter().flatten().flatten();
        Some(words.collect())
    }

    /// What is wrong with it, in words for a comment.
    pub(super) fn errors(&self, component: &Component, compose: Option<&Json>) -> Vec<String> {
        let problems = self.plan(component, compose).err().unwrap_or_default();
        let words = |problem: &Diagnostic| match problem.help.first() {
            Some(help) => format!("{}: {help}", problem.message),
            None => problem.message.clone(),
        };
        problems.iter().filter(|problem| problem.is_error()).map(words).collect()
    }

    fn plan(&self, component: &Component, compose: Option<&Json>) -> Result<Plan, Vec<Diagnostic>> {
        let mut text = format!("services:\n  {}:\n", super::write::quoted(&component.name));
        for key in KEYS {
            let own = component.service.iter().any(|entry| entry.key == key);
            if let Some(value) = compose.and_then(|service| service.get(key)).filter(|_| !own) {
                // JSON is YAML.
                let _ = writeln!(text, "    {key}: {value}");
            }
        }
        text.push_str(&component.lines("    ", "  ").join("\n"));
        let (spec, problems) = self.place.load(text.as_bytes());
        let Some(spec) = spec else { return Err(problems) };
        let Some(service) = spec.components.first() else { return Err(problems) };
        let facts = self.place.facts(service);
        recipe::plan(service, &facts)
    }
}
