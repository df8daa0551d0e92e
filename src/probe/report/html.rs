//! A report as one page that needs nothing else: what weighs, what was checked, how long it took, which
//! layers the build adds.

use std::fmt::Write;

use super::junit::escaped;
use super::{Component, Report};
use crate::probe::{State, megabytes};

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:62rem;padding:1rem 1.5rem;color:#1d2733;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.15rem;margin:2rem 0 .3rem;border-top:1px solid #d5dde5;padding-top:1rem}
h3{font-size:.95rem;margin:1.2rem 0 .3rem;color:#4b5b6b}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .6rem .25rem 0;vertical-align:top}
th{color:#4b5b6b;font-weight:600}tr+tr td{border-top:1px solid #eef2f5}
.passed{color:#10723c}.failed{color:#b3261e;font-weight:600}.not-verified{color:#7a6200}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
pre{margin:.2rem 0 0;font:13px/1.4 ui-monospace,monospace;white-space:pre-wrap;color:#4b5b6b}
nav a{margin-right:1rem}svg{display:block;width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#1d2733}
@media(prefers-color-scheme:dark){body{background:#12181f;color:#e3e9ef}h2{border-color:#2c3844}h3,th,pre{color:#9fb0c0}
tr+tr td{border-color:#222c36}.passed{color:#5fd08d}.failed{color:#ff8a80}.not-verified{color:#e0c35c}svg text{fill:#e3e9ef}a{color:#8ab4f8}}";

/// One colour per folder, distinct for those who do not see all of them.
const COLOURS: [&str; 8] =
    ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#888888", "#bbbbbb"];

pub(super) fn html(report: &Report) -> String {
    let failed: usize = report.components.iter().map(|component| component.failed).sum();
    let title = if failed == 0 { "All promises hold" } else { "Promises are broken" };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{title} - Slipway</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    // Writing to a String cannot fail.
    let _ = writeln!(
        page,
        "<table><tr><th>Component<th>Platform<th class=n>Passed<th class=n>Failed<th class=n>Not verified<th class=n>Size<th class=n>Well after</tr>"
    );
    for component in &report.components {
        let figure = |name: &str| component.figures.get(name).copied();
        let _ = writeln!(
            page,
            "<tr><td><a href=\"#{0}\">{0}</a><td>{1}<td class=\"n passed\">{2}<td class=\"n{3}\">{4}<td class=n>{5}<td class=n>{6}<td class=n>{7}</tr>",
            escaped(&component.component),
            escaped(&component.platform),
            component.passed,
            if component.failed > 0 { " failed" } else { "" },
            component.failed,
            component.not_verified,
            figure("bytes").map(megabytes).unwrap_or_default(),
            figure("well_ms").map(|time| format!("{time} ms")).unwrap_or_default(),
        );
    }
    page += "</table>\n";
    for component in &report.components {
        one(&mut page, component);
    }
    page + "</body>\n</html>\n"
}

fn one(page: &mut String, component: &Component) {
    let _ = writeln!(
        page,
        "<section id=\"{0}\">\n<h2>{0}</h2>\n<p>{1}</p>",
        escaped(&component.component),
        escaped(&component.summary())
    );
    if !component.folders.is_empty() {
        let _ = writeln!(page, "<h3>What it weighs</h3>\n{}", sizes(component));
    }
    page.push_str("<h3>What was checked</h3>\n<table class=checks>\n");
    for check in &component.checks {
        let (class, mark) = match check.state {
            State::Passed => ("passed", "✓"),
            State::Failed => ("failed", "✗"),
            State::NotVerified => ("not-verified", "not verified"),
        };
        let mut more: Vec<String> = check.details.clone();
        more.extend(check.help.iter().map(|help| format!("help: {help}")));
        let more =
            if more.is_empty() { String::new() } else { format!("<pre>{}</pre>", escaped(&more.join("\n"))) };
        let place = component.place(check).filter(|_| check.state == State::Failed);
        let place = place.map(|place| format!("<pre>{}</pre>", escaped(place))).unwrap_or_default();
        let _ = writeln!(
            page,
            "<tr><td class=\"{class}\">{mark}<td>{}<td>{}{more}{place}<td class=n>{} ms</tr>",
            check.rule.name(),
            escaped(&check.message),
            check.millis
        );
    }
    page.push_str("</table>\n");
    timings(page, component);
    if !component.layers.is_empty() {
        page.push_str("<h3>Layers that the build adds</h3>\n<table class=layers>\n");
        for (name, bytes) in &component.layers {
            let _ = writeln!(page, "<tr><td>{}<td class=n>{}</tr>", escaped(name), megabytes(*bytes));
        }
        page.push_str("</table>\n");
    }
    page.push_str("</section>\n");
}

fn timings(page: &mut String, component: &Component) {
    let names = [
        ("beside_ms", "until the services beside it were up"),
        ("well_ms", "from the start until it is well"),
        ("stop_ms", "from the signal to the end"),
    ];
    let times: Vec<(&str, u64)> = names
        .into_iter()
        .filter_map(|(key, name)| Some((name, *component.figures.get(key)?)))
        .filter(|(_, time)| *time > 0)
        .collect();
    let memory = component.figures.get("memory_bytes").filter(|bytes| **bytes > 0);
    if times.is_empty() && memory.is_none() {
        return;
    }
    page.push_str("<h3>Measured</h3>\n<table class=timings>\n");
    for (name, time) in times {
        let _ = writeln!(page, "<tr><td>{name}<td class=n>{time} ms</tr>");
    }
    if let Some(bytes) = memory {
        let _ = writeln!(
            page,
            "<tr><td>the most memory that its processes had<td class=n>{}</tr>",
            megabytes(*bytes)
        );
    }
    page.push_str("</table>\n");
}

/// A bar of the folders by their sizes, the small ones together.
#[allow(clippy::cast_precision_loss, reason = "a picture")]
fn sizes(component: &Component) -> String {
    const WIDTH: f64 = 1000.0;
    let mut folders: Vec<(&str, u64)> =
        component.folders.iter().map(|(name, size)| (name.as_str(), *size)).collect();
    folders.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let total: u64 = folders.iter().map(|(_, size)| size).sum();
    let rest: u64 = folders.iter().skip(COLOURS.len() - 1).map(|(_, size)| size).sum();
    folders.truncate(COLOURS.len() - 1);
    if rest > 0 {
        folders.push(("other", rest));
    }
    let mut svg = String::new();
    let mut left = 0.0;
    for (number, ((name, size), colour)) in folders.iter().zip(COLOURS).enumerate() {
        let width = WIDTH * *size as f64 / total.max(1) as f64;
        let name = escaped(name);
        let line = 58 + 18 * (number / 2);
        let column = 500 * (number % 2);
        let size = megabytes(*size);
        let _ = write!(
            svg,
            "<rect x=\"{left:.1}\" y=\"0\" width=\"{width:.1}\" height=\"36\" fill=\"{colour}\"><title>{name} {size}</title></rect>\
             <rect x=\"{column}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"{}\">{name} {size}</text>",
            line - 6,
            column + 18,
            line + 5
        );
        left += width;
    }
    let height = 62 + 18 * folders.len().div_ceil(2);
    format!(
        "<svg class=sizes viewBox=\"0 0 1000 {height}\" role=\"img\" aria-label=\"{} in all\">{svg}</svg>",
        megabytes(total)
    )
}
