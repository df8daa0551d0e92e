//! `explain`: the page of a lint rule, or the list of them.

use clap::Args;

use super::say;
use crate::diagnostic::did_you_mean;
use crate::lint::{RULES, find};

/// Explains a lint rule.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The rule; without one, all are listed
    rule: Option<String>,
}

impl Explain {
    pub(super) fn run(&self) -> i32 {
        let Some(name) = &self.rule else {
            let width = RULES.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
            let rows: Vec<String> = RULES
                .iter()
                .map(|rule| format!("{:width$}  {:5}  {}", rule.name, rule.level.to_string(), rule.summary))
                .collect();
            say(&rows.join("\n"));
            return 0;
        };
        let any_case = || RULES.iter().find(|rule| rule.name.eq_ignore_ascii_case(name));
        if let Some(rule) = find(name).or_else(any_case) {
            say(rule.page.trim_end());
            return 0;
        }
        let meant = did_you_mean(name, RULES.iter().map(|rule| rule.name));
        let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        eprintln!("slipway: there is no lint rule `{name}`{meant}");
        1
    }
}
