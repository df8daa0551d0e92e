//! Fails if a report says that a promise is broken: what an image depends on that requires its proof.

use std::path::PathBuf;

use clap::Args;

use super::State;
use super::report::Report;

/// See the module.
#[derive(Debug, Args)]
pub struct Verdict {
    /// The report
    #[arg(long)]
    report: PathBuf,
}

impl Verdict {
    pub(crate) fn run(&self) -> Result<(), String> {
        let text = std::fs::read_to_string(&self.report)
            .map_err(|error| format!("{}: {error}", self.report.display()))?;
        let report: Report = super::argument(&text, "the report")?;
        if let Some(check) = report.components.iter().find_map(|component| component.untried()) {
            return Err(check.message.clone());
        }
        let failed: Vec<String> = report
            .components
            .iter()
            .flat_map(|component| component.checks.iter().map(move |check| (component, check)))
            .filter(|(_, check)| check.state == State::Failed)
            .map(|(component, check)| {
                format!("{} {}: {}", component.component, check.rule.name(), check.message)
            })
            .collect();
        if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
    }
}
