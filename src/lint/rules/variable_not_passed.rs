//! `VariableNotPassed`: Compose and bake replace variables in what they read for themselves; what
//! Slipway reads, it reads again, and knows only the variables that `build.args` passes on.

use std::collections::BTreeSet;

use crate::lint::{Found, Subject};
use crate::spec::VariableUse;

/// Compares the variables that the component uses with `build.args`.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let service = subject.service;
    let Some(build) = &service.compose.build else { return };
    let build_span = subject.running().and_then(|running| running.build.as_ref()).map(|build| &build.span);
    let name = &service.name.value;
    let passed: BTreeSet<&str> = build.args.0.iter().map(|(name, _)| name.as_str()).collect();
    let mut told = BTreeSet::new();
    for used in &subject.spec.variables {
        if used.service.as_ref().is_some_and(|other| other != name)
            || passed.contains(used.name.as_str())
            || !matters(used)
            // What only `build` itself uses is replaced by whoever passes it on.
            || build_span.is_some_and(|build| contains(build, &used.span))
            || !told.insert(used.name.as_str())
        {
            continue;
        }
        let finding = found.finding(format!(
                "`build.args` of `{name}` does not pass `{}` on: Compose sees its value, and the build does not",
                used.name
            ))
            .at(&used.span)
            .help(format!("`build: {{ args: {{ {0}: }} }}` passes it on; with a default, `{0}: ${{{0}:-…}}`", used.name));
        found.push(finding);
    }
}

/// Whether the image depends on the value. Its own name is for whoever tags it, and the host's side
/// of a published port for whoever runs it.
fn matters(used: &VariableUse) -> bool {
    match used.key.as_deref() {
        Some("image") => false,
        Some("ports") => {
            let written = used.span.file.text.get(used.span.range.clone()).unwrap_or_default();
            container_side(written).contains(&used.name)
        }
        _ => true,
    }
}

/// What stands behind the last colon that is in no braces.
fn container_side(port: &str) -> &str {
    let (mut depth, mut start) = (0_usize, 0);
    for (place, character) in port.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => start = place + 1,
            _ => {}
        }
    }
    port.get(start..).unwrap_or(port)
}

fn contains(outer: &crate::diagnostic::Span, inner: &crate::diagnostic::Span) -> bool {
    outer.file == inner.file && outer.range.start <= inner.range.start && inner.range.end <= outer.range.end
}

#[cfg(test)]
mod tests {
    use super::container_side;

    #[test]
    fn the_side_of_the_container() {
        assert_eq!(container_side("${PORT:-8080}:80"), "80");
        assert_eq!(container_side("127.0.0.1:${A}:${B:-1}"), "${B:-1}");
        assert_eq!(container_side("${PORT:-3000}"), "${PORT:-3000}");
    }
}
