//! What was found, put together: for people in the build's log and on a page, for programs as JSON
//! and in the form of `JUnit`.

mod attestation;
mod html;
mod junit;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::plan::contract::Rule;

use super::{Check, Part, State, argument, println};

/// The file of a report that an attestation takes.
pub const PREDICATE: &str = "predicate.json";

/// See the module.
#[derive(Debug, Args)]
pub struct Put {
    /// The components, as JSON: where what was found of each is
    #[arg(long)]
    components: String,
    /// The folder that gets the report
    #[arg(long)]
    out: PathBuf,
}

/// Where what was found of a component is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The component.
    pub component: String,
    /// Its platform.
    pub platform: String,
    /// Its parts, in their order.
    pub parts: Vec<PathBuf>,
    /// Where the promises are written, by rule and what it is about: `app.spec.yaml:12`.
    pub places: BTreeMap<String, String>,
}

/// A report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The components, in the order of the spec.
    pub components: Vec<Component>,
}

/// What was found of a component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// Its name.
    pub component: String,
    /// Its platform.
    pub platform: String,
    /// How often a check passed, failed, or could not be made.
    pub passed: usize,
    /// See `passed`.
    pub failed: usize,
    /// See `passed`.
    pub not_verified: usize,
    /// All checks.
    pub checks: Vec<Check>,
    /// What was measured: milliseconds and bytes, by name.
    pub figures: BTreeMap<String, u64>,
    /// The bytes below each folder at the top.
    pub folders: BTreeMap<String, u64>,
    /// The layers that the build adds, with their bytes, in their order.
    pub layers: Vec<(String, u64)>,
    /// Where the promises are written.
    #[serde(default)]
    pub places: BTreeMap<String, String>,
}

impl Component {
    /// Puts the parts of a component together.
    pub fn new(component: &str, platform: &str, parts: Vec<Part>, places: BTreeMap<String, String>) -> Self {
        let mut all = Self {
            component: component.to_owned(),
            platform: platform.to_owned(),
            places,
            ..Self::default()
        };
        for part in parts {
            all.checks.extend(part.checks);
            all.figures.extend(part.figures);
            all.folders.extend(part.folders);
            all.layers.extend(part.layers);
        }
        let count = |state| all.checks.iter().filter(|check| check.state == state).count();
        (all.passed, all.failed, all.not_verified) =
            (count(State::Passed), count(State::Failed), count(State::NotVerified));
        all
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.state == State::Failed)
    }

    /// Why the program could not be tried at all, if so.
    pub fn untried(&self) -> Option<&Check> {
        self.checks
            .iter()
            .find(|check| matches!(check.rule, Rule::Start | Rule::Runs) && check.state == State::NotVerified)
    }

    /// Where the promise of a check is written.
    fn place(&self, check: &Check) -> Option<&str> {
        let exact = check
            .subject
            .as_ref()
            .and_then(|subject| self.places.get(&format!("{} {subject}", check.rule.name())));
        exact
            .or_else(|| self.places.get(check.rule.name()))
            .or_else(|| self.places.get(""))
            .map(String::as_str)
    }

    /// In one line.
    pub fn summary(&self) -> String {
        let mut text = format!("{} checks passed", self.passed);
        if self.failed > 0 {
            text = format!("{} failed, {text}", self.failed);
        }
        if self.not_verified > 0 {
            text = format!("{text}, {} not verifiable", self.not_verified);
        }
        text
    }
}

impl Report {
    /// As text, as a test runner would print it.
    pub fn text(&self) -> String {
        text::text(self)
    }

    /// Writes all its forms into a folder.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let json = serde_json::to_string_pretty(self).map_err(|error| error.to_string())? + "\n";
        let predicate =
            serde_json::to_string(&attestation::predicate(self)).map_err(|error| error.to_string())?;
        for (name, content) in [
            (PREDICATE, predicate),
            ("report.json", json),
            ("report.txt", self.text()),
            ("junit.xml", junit::junit(self)),
            ("index.html", html::html(self)),
        ] {
            let path = folder.join(name);
            std::fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }
}

impl Put {
    pub(crate) fn run(&self) -> Result<(), String> {
        let sources: Vec<Source> = argument(&self.components, "the components")?;
        let mut report = Report::default();
        for source in sources {
            let parts = source.parts.iter().map(|path| {
                let text =
                    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
                argument(&text, "what was found")
            });
            let parts: Vec<Part> = parts.collect::<Result<_, String>>()?;
            report.components.push(Component::new(&source.component, &source.platform, parts, source.places));
        }
        println(report.text().trim_end());
        report.write(&self.out)
    }
}

#[cfg(test)]
mod tests;
