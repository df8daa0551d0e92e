//! A report as in-toto's predicate for test results (in-toto attestation framework,
//! `spec/predicates/test-result.md`): what was tried, and what of it passed.

use serde_json::{Value, json};

use super::Report;
use crate::probe::State;

pub(super) fn predicate(report: &Report) -> Value {
    let named = |state: State| -> Vec<String> {
        let checks = report.components.iter().flat_map(|component| {
            component.checks.iter().filter(move |check| check.state == state).map(move |check| {
                let subject = check.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
                format!("{}: {}{subject}: {}", component.component, check.rule.name(), check.message)
            })
        });
        checks.collect()
    };
    let failed = named(State::Failed);
    json!({
        "result": if failed.is_empty() { "PASSED" } else { "FAILED" },
        "configuration": [],
        "passedTests": named(State::Passed),
        "warnedTests": named(State::NotVerified),
        "failedTests": failed,
    })
}
