//! A report in the form of `JUnit`, as CI systems read it: a suite per component, a case per check.

use std::fmt::Write;

use super::Report;
use crate::probe::State;

#[allow(clippy::cast_precision_loss, reason = "milliseconds are shown")]
pub(super) fn junit(report: &Report) -> String {
    let seconds = |millis: u64| millis as f64 / 1000.0;
    let all = |count: fn(&super::Component) -> usize| report.components.iter().map(count).sum::<usize>();
    // Writing to a String cannot fail.
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let _ = writeln!(
        xml,
        "<testsuites name=\"slipway verify\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">",
        all(|one| one.checks.len()),
        all(|one| one.failed),
        all(|one| one.not_verified)
    );
    for component in &report.components {
        let time: u64 = component.checks.iter().map(|check| check.millis).sum();
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{:.3}\">",
            escaped(&component.component),
            component.checks.len(),
            component.failed,
            component.not_verified,
            seconds(time)
        );
        for check in &component.checks {
            let subject = check.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
            let name = format!("{}{subject}: {}", check.rule.name(), check.message);
            let class = format!("{}.{}", component.component, check.rule.name());
            let file = component.place(check).and_then(|place| place.rsplit_once(':'));
            let file = file.map_or_else(String::new, |(file, line)| {
                format!(" file=\"{}\" line=\"{}\"", escaped(file), escaped(line))
            });
            let _ = write!(
                xml,
                "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"{file}",
                escaped(&class),
                escaped(&name),
                seconds(check.millis)
            );
            let body =
                check.details.iter().cloned().chain(check.help.iter().map(|help| format!("help: {help}")));
            let body: Vec<String> = body.map(|line| escaped(&line)).collect();
            let _ = match check.state {
                State::Passed => writeln!(xml, "/>"),
                State::NotVerified => {
                    writeln!(xml, "><skipped message=\"{}\"/></testcase>", escaped(&check.message))
                }
                State::Failed => writeln!(
                    xml,
                    "><failure message=\"{}\" type=\"{}\">{}</failure></testcase>",
                    escaped(&check.message),
                    check.rule.name(),
                    body.join("\n")
                ),
            };
        }
        let _ = writeln!(xml, "  </testsuite>");
    }
    xml + "</testsuites>\n"
}

/// Text as XML holds it; what XML cannot hold is left out.
pub(super) fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => result.push_str("&amp;"),
            '<' => result.push_str("&lt;"),
            '>' => result.push_str("&gt;"),
            '"' => result.push_str("&quot;"),
            '\n' | '\t' => result.push(character),
            character if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {}
            character => result.push(character),
        }
    }
    result
}
