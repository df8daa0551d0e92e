//! Values that can be read and cannot work: what an engine would refuse, or drop without a word,
//! when the container starts.

use super::Request;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::plan::{Archetype, Base, From, Plan};
use crate::reference::named;
use crate::spec::component::DevChoice;
use crate::spec::contract::HealthContract;
use crate::spec::values::Pairs;

/// The highest number that engines take for a user or group.
const MAX_ID: u32 = i32::MAX as u32;

/// What makes no sense about when a component runs.
pub(super) fn schedule(request: &Request<'_>, problems: &mut Diagnostics) {
    let Some(schedule) = &request.service.component.schedule else { return };
    let (message, help) = if schedule.value.split_whitespace().count() != 5 {
        let help = "minute, hour, day of month, month, day of week: `0 3 * * *`";
        (format!("`{}` is no schedule", schedule.value), help)
    } else if request.archetype == Archetype::Job {
        return;
    } else {
        let help = "only what ends by itself can be scheduled: `archetype: job`";
        (format!("a {} does not run on a schedule", request.archetype), help)
    };
    problems.push(Diagnostic::new(Code::Value, message).at(&schedule.span).help(help));
}

/// What makes no sense in a component, before its stages are made.
pub(super) fn check(request: &Request<'_>, problems: &mut Diagnostics) {
    let service = request.service;
    let (compose, component) = (&service.compose, &service.component);
    let mut wrong = |message: String, span: &Span, help: &str| {
        problems
            .push(Diagnostic::new(Code::Value, message).at(span).help_if((!help.is_empty()).then_some(help)));
    };
    if let Some(path) = &compose.working_dir
        && !path.value.starts_with('/')
    {
        wrong(
            format!("the working directory `{}` is not absolute: no container starts with it", path.value),
            &path.span,
            "write it from the root, such as `/app`",
        );
    }
    for volume in &compose.volumes.0 {
        if !volume.value.starts_with('/') || volume.value.trim_matches('/').is_empty() {
            wrong(
                format!("no volume can be mounted at `{}`", volume.value),
                &volume.span,
                "write an absolute path below the root",
            );
        }
    }
    if let Some(signal) = &compose.stop_signal
        && !is_signal(&signal.value)
    {
        wrong(format!("`{}` is no signal", signal.value), &signal.span, "such as SIGTERM, SIGINT or SIGQUIT");
    }
    let users =
        [component.user.as_ref(), service.defaults.as_ref().and_then(|defaults| defaults.user.as_ref())];
    for id in users.into_iter().flatten().flat_map(|user| [user.uid.as_ref(), user.gid.as_ref()]).flatten() {
        if id.value > MAX_ID {
            wrong(
                format!("`{}` is too high for the number of a user or group", id.value),
                &id.span,
                "at most 2147483647",
            );
        }
    }
    for package in component
        .packages
        .0
        .iter()
        .chain(&component.build_packages.0)
        .chain(dev_packages(component.dev.as_ref()))
    {
        if !is_package(&package.value) {
            wrong(
                format!("`{}` is no name of a package", package.value),
                &package.span,
                "letters, digits, `+`, `-` and `.`, with `=version` behind it if needed; a list has an entry for each",
            );
        }
    }
    for output in &component.output.0 {
        if output.value.split('/').any(|part| part == "..") {
            wrong(
                format!("`{}` leads out of the component's folder", output.value),
                &output.span,
                "name what the build leaves in there",
            );
        }
    }
    if let Some(DevChoice::Stage(dev)) = &component.dev {
        for port in &dev.ports {
            if port.value == 0 || port.value > u32::from(u16::MAX) {
                wrong(format!("`{}` is no port", port.value), &port.span, "1 to 65535");
            }
        }
    }
    for (key, pairs) in
        [("env", &component.env), ("build_env", &component.build_env), ("labels", &component.labels)]
    {
        names(key, pairs, &component.span, &mut wrong);
    }
    if let Some(test) = compose.healthcheck.as_ref().and_then(|check| check.test.as_ref()) {
        let span = compose.healthcheck.as_ref().map_or(&service.extension, |check| &check.span);
        match test.0.as_slice() {
            [only] if only != "NONE" => wrong(
                format!("a health check of `{only}` alone asks nothing"),
                span,
                "`test: [CMD, program, …]`",
            ),
            [first, _, ..] if first == "NONE" => wrong(
                "`NONE` turns the health check off, so nothing follows it".to_owned(),
                span,
                "remove what follows",
            ),
            _ => {}
        }
    }
    if let Some(health) = component.contract.as_ref().and_then(|contract| contract.health.as_ref()) {
        self::health(health, &mut wrong);
    }
}

fn dev_packages(dev: Option<&DevChoice>) -> &[crate::spec::Located<String>] {
    match dev {
        Some(DevChoice::Stage(dev)) => &dev.packages.0,
        _ => &[],
    }
}

fn names(key: &str, pairs: &Pairs, outer: &Span, wrong: &mut impl FnMut(String, &Span, &str)) {
    for (name, _) in &pairs.0 {
        if name.is_empty() || name.contains(['=', '\0']) {
            wrong(format!("`{name}` in `{key}` is no name"), pairs.1.as_ref().unwrap_or(outer), "");
        }
    }
}

fn health(health: &HealthContract, wrong: &mut impl FnMut(String, &Span, &str)) {
    if let Some(status) = &health.status {
        let number =
            |text: &str| text.len() == 3 && text.parse::<u16>().is_ok_and(|code| (100..600).contains(&code));
        let range = |part: &str| match part.split_once('-') {
            Some((first, last)) => number(first) && number(last) && first <= last,
            None => number(part),
        };
        if !status.value.split(',').all(|part| range(part.trim())) {
            wrong(
                format!("`{}` is no list of HTTP statuses", status.value),
                &status.span,
                "such as `200`, `200-299` or `200-299,304`",
            );
        }
    }
    if let (Some(_), Some(port)) = (&health.tcp, &health.port) {
        wrong(
            "`tcp` has its own port, so `port` says nothing".to_owned(),
            &port.span,
            "remove one of the two",
        );
    }
    if let Some(command) = health.command.as_ref().filter(|command| command.words.is_empty()) {
        wrong("the command of the health check is empty".to_owned(), &command.span, "");
    }
    let ways: Vec<&str> = [
        ("http", health.http.is_some()),
        ("tcp", health.tcp.is_some()),
        ("command", health.command.is_some()),
    ]
    .into_iter()
    .filter_map(|(way, given)| given.then_some(way))
    .collect();
    if let [first, second, ..] = ways.as_slice() {
        wrong(
            format!("`health` has both `{first}` and `{second}`"),
            &health.span,
            "one of the two asks; remove the other",
        );
    }
}

/// Images that a plan names and nobody can look up. Other components and additional contexts have
/// names of their own.
pub(super) fn images(plan: &Plan, problems: &mut Diagnostics) {
    let mut check = |name: &str, span: &Span| {
        if let Err(problem) = named(name) {
            problems.push(problem.at(span));
        }
    };
    for stage in &plan.stages {
        if let Base::Image(name) = &stage.from {
            check(name, &stage.origin);
        }
        for (from, span) in stage.sources() {
            if let From::Image(name) = from {
                check(name, span);
            }
        }
    }
}

/// A name that apt and apk take, with a version or not.
fn is_package(name: &str) -> bool {
    let (name, version) = name.split_once('=').unwrap_or((name, "1"));
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+-._:~*".contains(c);
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    starts && name.chars().all(allowed) && !version.is_empty() && version.chars().all(allowed)
}

fn is_signal(name: &str) -> bool {
    const NAMES: [&str; 33] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "IOT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];
    let upper = name.to_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    let realtime = short.strip_prefix("RTMIN").or(short.strip_prefix("RTMAX"));
    NAMES.contains(&short)
        || realtime.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '-']))
        || name.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_signals() {
        for name in ["libstdc++6", "curl=7.88.1-10+deb12u5", "g++", "python3.11", "libc6:amd64"] {
            assert!(is_package(name), "{name}");
        }
        for name in ["", "a b", "x; echo", "-y", "$(id)", "a'b", "curl="] {
            assert!(!is_package(name), "{name}");
        }
        assert!(is_signal("SIGTERM") && is_signal("quit") && is_signal("15") && is_signal("SIGRTMIN+3"));
        assert!(!is_signal("SIGNOTHING") && !is_signal("99"));
    }
}
