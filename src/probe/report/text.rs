//! A report as text.

use std::fmt::Write;

use super::Report;
use crate::probe::{State, line, megabytes};

pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    for component in &report.components {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} ({})", component.component, component.platform);
        for check in &component.checks {
            let _ = writeln!(text, "{}", line(check));
            if check.state == State::Failed {
                let place = component.place(check).map(|place| format!("at {place}"));
                for detail in check
                    .details
                    .iter()
                    .cloned()
                    .chain(check.help.iter().map(|help| format!("help: {help}")))
                    .chain(place)
                {
                    let _ = writeln!(text, "      {detail}");
                }
            }
        }
        let figure = |name: &str| component.figures.get(name).copied();
        let mut figures = Vec::new();
        figures.extend(
            figure("bytes")
                .map(|bytes| format!("{} in {} files", megabytes(bytes), figure("files").unwrap_or(0))),
        );
        figures.extend(figure("well_ms").map(|time| format!("well after {time} ms")));
        figures.extend(figure("memory_bytes").map(|bytes| format!("{} of memory at most", megabytes(bytes))));
        figures.extend(figure("stop_ms").map(|time| format!("stopped in {time} ms")));
        let _ = writeln!(text, "  {}", component.summary());
        if !figures.is_empty() {
            let _ = writeln!(text, "  {}", figures.join(", "));
        }
    }
    if report.components.len() > 1 {
        let (failed, passed) =
            report.components.iter().fold((0, 0), |sum, one| (sum.0 + one.failed, sum.1 + one.passed));
        let _ =
            writeln!(text, "{} components: {failed} checks failed, {passed} passed", report.components.len());
    }
    text
}
