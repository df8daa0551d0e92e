//! What runs *inside* build steps to prove a contract: our own binary, mounted into a step of the
//! build. Three programs hand a report on:
//!
//! - [`inspect`] looks at the image's files, layer by layer, and at its configuration;
//! - [`start`] has the image's own file system as its root and starts the program in it, through
//!   [`launch`], as the user that is declared;
//! - [`report`] puts together what both found, for people and for programs.
//!
//! None of them fails because a promise is broken: that is what the report says. Whoever reads it
//! decides. This room knows neither YAML nor BuildKit.

pub mod inspect;
pub mod launch;
pub mod pattern;
pub mod report;
pub mod start;
pub mod verdict;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::plan::contract::{Promise, Rule};

/// What an image runs, as its configuration says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// The words that start it: entrypoint and command.
    pub args: Vec<String>,
    /// How many of them are the entrypoint's.
    pub entrypoint: usize,
    /// Its environment.
    pub env: Vec<(String, String)>,
    /// Its user, as it is written there; empty for root.
    pub user: String,
    /// Its working directory.
    pub cwd: String,
    /// The signal that asks it to stop.
    pub stop_signal: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Its platform.
    pub platform: String,
    /// What its history says of the steps that made it.
    #[serde(default)]
    pub history: Vec<String>,
}

/// What a step is asked, as a file that it gets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Asked {
    /// What is promised.
    pub promise: Promise,
    /// What the image runs.
    pub program: Program,
    /// What the build's steps added.
    pub layers: Vec<inspect::Layer>,
}

impl Asked {
    fn read(path: &std::path::Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        argument(&text, "what is asked")
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The promise holds.
    Passed,
    /// It does not.
    Failed,
    /// It could not be looked at here; the reason is told.
    NotVerified,
}

/// Something that was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The rule.
    pub rule: Rule,
    /// Which of several it is about: a variable, a path, a call.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// How it ended.
    pub state: State,
    /// What was checked, or what is wrong, in one line.
    pub message: String,
    /// More lines: what the program said, which files there are.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub details: Vec<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub help: Option<String>,
    /// The time that it took, in milliseconds.
    pub millis: u64,
}

/// What one of the programs found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The checks, in their order.
    pub checks: Vec<Check>,
    /// What was measured: milliseconds and bytes, by name.
    pub figures: BTreeMap<String, u64>,
    /// The bytes below each folder at the top.
    pub folders: BTreeMap<String, u64>,
    /// The layers that the build adds, with their bytes, in their order.
    pub layers: Vec<(String, u64)>,
    /// Whether checks are not printed as they are made.
    #[serde(skip)]
    silent: bool,
}

impl Part {
    /// One that prints nothing on the way.
    pub fn silent() -> Self {
        Self { silent: true, ..Self::default() }
    }

    /// Notes how a check ended that began then.
    fn note(&mut self, rule: Rule, state: State, message: impl Into<String>, since: Instant) -> &mut Check {
        let check = Check {
            rule,
            subject: None,
            state,
            message: message.into(),
            details: Vec::new(),
            help: None,
            millis: millis(since.elapsed()),
        };
        if !self.silent {
            println(&line(&check));
        }
        self.checks.push(check);
        let last = self.checks.len() - 1;
        &mut self.checks[last]
    }

    pub(crate) fn passed(&mut self, rule: Rule, message: impl Into<String>, since: Instant) {
        self.note(rule, State::Passed, message, since);
    }

    pub(crate) fn failed(&mut self, rule: Rule, message: impl Into<String>, since: Instant) -> &mut Check {
        self.note(rule, State::Failed, message, since)
    }

    pub(crate) fn not_verified(&mut self, rule: Rule, why: impl Into<String>) {
        self.note(rule, State::NotVerified, why, Instant::now());
    }

    pub(crate) fn figure(&mut self, name: &str, value: u64) {
        self.figures.insert(name.to_owned(), value);
    }
}

impl Check {
    pub(crate) fn about(&mut self, subject: &str) -> &mut Self {
        self.subject = Some(subject.to_owned());
        self
    }

    pub(crate) fn help(&mut self, help: &str) -> &mut Self {
        self.help = Some(help.to_owned());
        self
    }

    pub(crate) fn details(&mut self, lines: impl IntoIterator<Item = String>) -> &mut Self {
        self.details.extend(lines);
        self
    }
}

/// A check as a test runner would print it.
pub(crate) fn line(check: &Check) -> String {
    let mark = match check.state {
        State::Passed => "✓",
        State::Failed => "✗",
        State::NotVerified => "-",
    };
    let time = if check.millis >= 10 { format!(" ({} ms)", check.millis) } else { String::new() };
    format!("  {mark} {:<16} {}{time}", check.rule.name(), check.message)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Reads an argument that is JSON.
fn argument<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("{what} cannot be read: {error}"))
}

/// Writes what was found.
fn write(part: &Part, path: &std::path::Path) -> Result<(), String> {
    let json = serde_json::to_vec(part).map_err(|error| error.to_string())?;
    std::fs::write(path, json).map_err(|error| format!("{}: {error}", path.display()))
}

/// Prints a line into the build's log.
fn println(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Bytes as people read them.
#[allow(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / f64::from(1 << 20))
}
