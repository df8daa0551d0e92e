//! `check`: what a build would find wrong, and what had better be otherwise.

use std::io::IsTerminal;

use clap::Args;

use super::project::Place;
use super::{say, say_json};
use crate::describe::findings;
use crate::diagnostic::{Diagnostic, Level, Style, apply, render_all};

/// Reads a spec, makes every component's plan, and looks at both.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 if all is well, 1 if there is an error or a warning, 2 if the file cannot be read.

Levels of lint rules are the spec's: `x-slipway: { lint: { RULE: off | info | warn | error } }`.
`docker slipway explain RULE` says what a rule is about.

Examples:
  docker slipway check -f app.spec.yaml .
  docker slipway check -f app.spec.yaml --target api --json .
  docker slipway check -f app.spec.yaml --fix .")]
pub(super) struct Check {
    #[command(flatten)]
    place: Place,
    /// Print findings as JSON
    #[arg(long)]
    json: bool,
    /// Show findings of level `info` as well
    #[arg(long)]
    info: bool,
    /// Make the edits that are certain, in the file, and check again
    #[arg(long)]
    fix: bool,
}

impl Check {
    pub(super) fn run(&self) -> i32 {
        let mut project = match self.place.open() {
            Ok(project) => project,
            Err(error) => return super::unreadable(&self.place, &error),
        };
        if self.fix && self.place.file == std::path::Path::new("-") {
            eprintln!("slipway: what comes from stdin cannot be edited; name the file with -f");
            return 2;
        }
        if self.fix {
            let (files, made) = apply(project.problems.iter().filter_map(|problem| problem.fix.as_ref()));
            let folder = self.place.file.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
            for (name, text) in files {
                if let Err(error) = std::fs::write(folder.join(&name), text) {
                    eprintln!("slipway: {name}: {error}");
                    return 2;
                }
            }
            eprintln!("slipway: {made} edits made");
            project = match self.place.open() {
                Ok(project) => project,
                Err(error) => return super::unreadable(&self.place, &error),
            };
        }
        let problems = &project.problems;
        if self.json {
            say_json(&findings(problems));
        } else {
            let shown: Vec<Diagnostic> =
                problems.iter().filter(|problem| self.info || problem.level > Level::Info).cloned().collect();
            show(&shown);
            let count = |level| problems.iter().filter(|problem| problem.level == level).count();
            let (errors, warnings) = (count(Level::Error), count(Level::Warn));
            let file = self.place.file.display();
            if errors + warnings == 0 {
                say(&format!("{file}: {}, nothing wrong", counted(project.planned.len(), "component")));
            } else {
                eprintln!("\n{file}: {}, {}", counted(errors, "error"), counted(warnings, "warning"));
            }
        }
        i32::from(problems.iter().any(|problem| problem.level >= Level::Warn))
    }
}

/// `1 error`, `2 errors`.
fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Shows what was found, on a terminal with colours.
pub(super) fn show(problems: &[Diagnostic]) {
    if problems.is_empty() {
        return;
    }
    let colours =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    eprintln!("{}", render_all(problems, if colours { Style::Colours } else { Style::Plain }));
}
