//! How serious rules are, as the spec says it: for the project, then for the component, and last
//! by the build's own option.

use std::collections::BTreeMap;

use super::{RULES, find};
use crate::diagnostic::{Code, Diagnostic, Level, did_you_mean};
use crate::spec::{Located, Spec};

/// The levels of a spec's rules.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    project: BTreeMap<&'static str, Level>,
    components: BTreeMap<(String, &'static str), Level>,
    /// What the build says about all of them.
    skipped: Vec<&'static str>,
    all_skipped: bool,
    /// Whether a warning is an error.
    strict: bool,
}

impl Levels {
    /// Those of a spec, and what is wrong with how it says so.
    pub fn of(spec: &Spec) -> (Self, Vec<Diagnostic>) {
        let (mut levels, mut problems) = (Self::default(), Vec::new());
        let project = spec.project.as_ref().map(|project| &project.lint.0);
        for (name, level) in project.into_iter().flatten() {
            if let Some((rule, level)) = read(name, level, &mut problems) {
                levels.project.insert(rule, level);
            }
        }
        for service in &spec.components {
            let component = &service.name.value;
            let mut wrong = Vec::new();
            for (name, level) in &service.component.lint.0 {
                if let Some((rule, level)) = read(name, level, &mut wrong) {
                    levels.components.insert((component.clone(), rule), level);
                }
            }
            problems.extend(
                wrong.into_iter().map(|problem| Diagnostic { service: Some(component.clone()), ..problem }),
            );
        }
        (levels, problems)
    }

    /// With what `BUILDKIT_DOCKERFILE_CHECK` says, in the Dockerfile's words:
    /// `skip=RuleA,RuleB;error=true`, or `skip=all`. Gives the words that it does not know.
    pub fn with_option(mut self, option: &str) -> (Self, Vec<String>) {
        let mut unknown = Vec::new();
        for part in option.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("skip", "all")) => self.all_skipped = true,
                Some(("skip", names)) => {
                    for name in names.split(',').map(str::trim) {
                        match find(name) {
                            Some(rule) => self.skipped.push(rule.name),
                            None => unknown.push(name.to_owned()),
                        }
                    }
                }
                Some(("error", "true" | "1")) => self.strict = true,
                Some(("error", "false" | "0")) => self.strict = false,
                // Rules of the Dockerfile's that are being tried out; there are none here.
                Some(("experimental", _)) => {}
                _ => unknown.push(part.to_owned()),
            }
        }
        (self, unknown)
    }

    /// The findings at their levels, without those that are off.
    pub fn apply(&self, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
        diagnostics
            .into_iter()
            .map(|diagnostic| match diagnostic.code {
                Code::Rule(name) => {
                    Diagnostic { level: self.level(name, diagnostic.service.as_deref()), ..diagnostic }
                }
                _ => diagnostic,
            })
            .filter(|diagnostic| diagnostic.level != Level::Off)
            .collect()
    }

    fn level(&self, rule: &'static str, component: Option<&str>) -> Level {
        if self.all_skipped || self.skipped.contains(&rule) {
            return Level::Off;
        }
        let own = component.and_then(|component| self.components.get(&(component.to_owned(), rule)));
        let said = own.or(self.project.get(rule)).copied();
        let level = said.or_else(|| find(rule).map(|rule| rule.level)).unwrap_or(Level::Warn);
        if self.strict && level == Level::Warn { Level::Error } else { level }
    }
}

fn read(
    name: &Located<String>,
    level: &Located<String>,
    problems: &mut Vec<Diagnostic>,
) -> Option<(&'static str, Level)> {
    let Some(rule) = find(&name.value) else {
        let names = RULES.iter().map(|rule| rule.name);
        let help = did_you_mean(&name.value, names).map_or_else(
            || "`docker slipway explain` lists them".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        problems.push(
            Diagnostic::new(Code::Value, format!("there is no lint rule `{}`", name.value))
                .at(&name.span)
                .help(help),
        );
        return None;
    };
    let read = level.value.parse().ok();
    if read.is_none() {
        problems.push(
            Diagnostic::new(Code::Value, format!("`{}` is no level of a lint rule", level.value))
                .at(&level.span)
                .help_if(
                    did_you_mean(&level.value, ["off", "info", "warn", "error"])
                        .map(|meant| format!("did you mean `{meant}`?")),
                )
                .help("off, info, warn or error"),
        );
    }
    Some((rule.name, read?))
}
