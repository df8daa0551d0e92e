//! Warnings reach whoever builds; errors end the build.

use super::context::SpecFile;
use super::errors::Failure;
use super::gateway::{Capabilities, Gateway, Warning};
use crate::diagnostic::{Diagnostic, Level};
use crate::lint;
use crate::lower::llb::location;

/// Shows warnings, and stops at errors.
pub(super) async fn warn_and_stop(
    gateway: &Gateway,
    caps: &Capabilities,
    file: &SpecFile,
    problems: Vec<Diagnostic>,
) -> Result<(), Failure> {
    let (errors, others): (Vec<_>, Vec<_>) = problems.into_iter().partition(Diagnostic::is_error);
    for problem in others.into_iter().filter(|problem| problem.level == Level::Warn) {
        let line = problem.span.as_ref().map(|span| location(&file.source, span));
        let place = line.as_ref().and_then(|line| Some((line.file.as_ref(), *line.ranges.first()?)));
        let at = problem.span.as_ref().map(|span| match &span.file.name {
            name if *name == file.source.filename => format!(" (line {})", span.line()),
            name => format!(" ({name}, line {})", span.line()),
        });
        let at = at.unwrap_or_default();
        let rule = lint::find(problem.code.name());
        let warning = Warning {
            short: format!("{}: {}{at}", problem.code, problem.message),
            detail: problem.help,
            url: rule.map(lint::Rule::url).unwrap_or_default(),
            place,
        };
        gateway.warn(caps, &file.vertex, warning).await;
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}
