//! `--check`: what is wrong with a spec and what had better be otherwise, in BuildKit's form.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Places, Said, range};
use crate::diagnostic::{Diagnostic, Level, Style, render_all, summary};
use crate::lint;
use crate::spec::Spec;

/// The answer, and whether all is well.
pub struct Checked {
    /// The answer.
    pub said: Said,
    /// Whether nothing is an error or a warning.
    pub is_well: bool,
}

/// Findings in the form of BuildKit's lint results. Errors of the spec itself become its
/// `buildError`, all in one: it holds one message and one place.
pub fn checked(spec: Option<&Spec>, diagnostics: &[Diagnostic]) -> Checked {
    let (findings, errors): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
        diagnostics.iter().partition(|diagnostic| lint::find(diagnostic.code.name()).is_some());
    // Clients call all of them warnings.
    let findings: Vec<&Diagnostic> =
        findings.into_iter().filter(|finding| finding.level > Level::Info).collect();
    let mut places = spec.map_or(Places(Vec::new()), Places::of);
    let mut text = String::new();
    let warnings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let rule = lint::find(finding.code.name());
            let url = rule.map(lint::Rule::url).unwrap_or_default();
            // Clients look for the place without asking whether there is one.
            let location = finding
                .span
                .as_ref()
                .map_or_else(|| json!({ "sourceIndex": -1, "ranges": [] }), |span| places.location(span));
            // Writing to a String cannot fail.
            let _ = writeln!(text, "\nWARNING: {} - {url}\n{}", finding.code, finding.message);
            let mut detail = finding.message.clone();
            // Clients show the name of the file that they were given, whichever it is.
            let elsewhere = finding.span.as_ref().zip(spec).filter(|(span, spec)| span.file != spec.file);
            if let Some((span, _)) = elsewhere {
                let _ = write!(detail, "\nin {}, line {}", span.file.name, span.line());
            }
            for help in &finding.help {
                detail.push_str("\nhelp: ");
                detail.push_str(help);
                let _ = writeln!(text, "help: {help}");
            }
            json!({
                "ruleName": finding.code.name(),
                "description": rule.map(|rule| rule.summary),
                "url": url,
                "detail": detail,
                "level": finding.level.to_string(),
                "service": finding.service,
                "fix": fix(finding),
                "location": location,
            })
        })
        .collect();
    let errors: Vec<Diagnostic> = errors.into_iter().cloned().collect();
    let error = (!errors.is_empty()).then(|| {
        let location = errors
            .iter()
            .find_map(|error| error.span.as_ref())
            .map_or_else(|| json!({ "sourceIndex": -1, "ranges": [] }), |span| places.location(span));
        json!({ "message": summary(&errors), "location": location })
    });
    if !errors.is_empty() {
        let _ = writeln!(text, "\n{}", render_all(&errors, Style::Plain));
    }
    let is_well = diagnostics.iter().all(|diagnostic| diagnostic.level < Level::Warn);
    let mut json = json!({ "warnings": warnings, "sources": places.infos() });
    if let Some(error) = error {
        json["buildError"] = error;
    }
    Checked { said: Said { json, text }, is_well }
}

/// All diagnostics as a flat list, for editors and pipelines.
pub fn findings(diagnostics: &[Diagnostic]) -> Value {
    let place = |diagnostic: &Diagnostic| {
        diagnostic.span.as_ref().map(|span| {
            json!({
                "file": span.file.name,
                "line": span.line(),
                "column": span.column(),
                "endLine": span.last_line(),
            })
        })
    };
    diagnostics
        .iter()
        .map(|diagnostic| {
            json!({
                "code": diagnostic.code.name(),
                "level": diagnostic.level.to_string(),
                "message": diagnostic.message,
                "help": diagnostic.help,
                "service": diagnostic.service,
                "place": place(diagnostic),
                "url": lint::find(diagnostic.code.name()).map(lint::Rule::url),
                "fix": fix(diagnostic),
            })
        })
        .collect()
}

/// An edit: bytes of the file, and the same as lines.
fn fix(diagnostic: &Diagnostic) -> Value {
    diagnostic.fix.as_ref().map_or(Value::Null, |fix| {
        json!({
            "title": fix.title,
            "file": fix.span.file.name,
            "start": fix.span.range.start,
            "end": fix.span.range.end,
            "range": range(&fix.span),
            "text": fix.text,
        })
    })
}
