//! `BuildNotThisFile`: what `docker buildx build` makes of a component, and what Compose and bake
//! make of it, are one image only if the service's `build` leads back here.

use crate::diagnostic::{Diagnostic, Fix, Span};
use crate::lint::{Found, Subject};
use crate::paths::parts;

/// Looks at `build.dockerfile` and `build.target`.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let service = subject.service;
    let name = &service.name.value;
    let file = service.name.span.file.name.rsplit('/').next().unwrap_or_default();
    let wanted = format!("build: {{ context: ., dockerfile: {file}, target: {name} }}");
    let Some(build) = &service.compose.build else {
        // Without an image either, Compose itself refuses the service, and says so.
        let Some(image) = &service.compose.image else { return };
        let finding = found
            .finding(format!(
                "`{name}` has no `build`: Compose pulls `{}` instead of building it",
                image.value
            ))
            .at(&service.name.span)
            .help(format!("`{wanted}`"));
        let fix = Fix::line_above("add `build`", &service.extension, &wanted);
        found.push(finding.fix(fix));
        return;
    };
    let build_span = subject.running().and_then(|running| running.build.as_ref()).map(|build| &build.span);
    let build_span = build_span.unwrap_or(&service.extension);
    match &build.dockerfile {
        None => {
            let finding = found
                .finding(format!(
                    "`build` of `{name}` names no `dockerfile`, so Compose and bake look for a Dockerfile"
                ))
                .at(build_span)
                .help(format!("`{wanted}`"));
            found.push(finding);
        }
        Some(given)
            if !leads_here(
                build.context.as_ref().map(|context| context.value.as_str()),
                &given.value,
                &service.name.span.file.name,
            ) =>
        {
            let finding = found
                .finding(format!("`build.dockerfile` of `{name}` is `{}`, not this file", given.value))
                .at(&given.span)
                .help(format!(
                    "Compose and bake would build something else; `dockerfile: {file}` leads here"
                ));
            let fix = is_own(subject, &given.span).then(|| Fix::replace("name this file", &given.span, file));
            found.push(Diagnostic { fix, ..finding });
        }
        Some(_) => {}
    }
    let target = build.target.as_ref();
    let named = target.map(|target| target.value.split(':').next().unwrap_or_default());
    match (target, named) {
        (Some(target), Some(named)) if !named.eq_ignore_ascii_case(name) => {
            let finding = found
                .finding(format!("`build.target` of `{name}` is `{}`, another component", target.value))
                .at(&target.span)
                .help(format!("`target: {name}`"));
            let fix = is_own(subject, &target.span)
                .then(|| Fix::replace("name this component", &target.span, name.clone()));
            found.push(Diagnostic { fix, ..finding });
        }
        (None, _) if subject.spec.components.len() > 1 => {
            let finding = found
                .finding(format!(
                    "`build` of `{name}` names no `target`, and the file has several components"
                ))
                .at(build_span)
                .help(format!("`target: {name}`"));
            found.push(finding);
        }
        _ => {}
    }
}

/// Whether a place belongs to this service alone, so that an edit changes no other: it stands between
/// the service's name and the next one's (not where an anchor or an extended service is written), and
/// no other service reads it through an alias.
fn is_own(subject: &Subject<'_>, place: &Span) -> bool {
    let name = &subject.service.name.span;
    let others = subject.spec.running.iter().map(|running| &running.name.span);
    let next = others.filter(|other| other.file == name.file && other.range.start > name.range.start);
    let end = next.map(|other| other.range.start).min();
    let within = place.file == name.file
        && place.range.start > name.range.start
        && end.is_none_or(|end| place.range.end <= end);
    let builds = subject.spec.components.iter().filter(|other| other.name != subject.service.name);
    let shared = builds.filter_map(|other| other.compose.build.as_ref()).any(|build| {
        [&build.dockerfile, &build.target].into_iter().flatten().any(|other| other.span == *place)
    });
    within && !shared
}

/// Whether a build file, relative to its context, is this file. (Both are relative to this file's
/// own folder.)
fn leads_here(context: Option<&str>, dockerfile: &str, file: &str) -> bool {
    let file = file.rsplit('/').next().unwrap_or(file);
    if dockerfile.starts_with('/')
        || context.is_some_and(|context| context.starts_with('/') || context.contains("://"))
    {
        return dockerfile.rsplit('/').next() == Some(file);
    }
    let parts = parts(context.unwrap_or("."), dockerfile);
    // A context above this file's folder is left by the folder's own name, which is not known here.
    match parts.as_slice() {
        [only] => *only == file,
        [first, .., last] if *first == ".." => *last == file,
        _ => false,
    }
}
