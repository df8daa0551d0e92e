//! `BuildNotThisFile`: what `docker buildx build` makes of a component, and what Compose and bake
//! make of it, are one image only if the service's `build` leads back here.

use crate::diagnostic::Fix;
use crate::lint::{Found, Subject};

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
        Some(given) if given.value.rsplit('/').next() != Some(file) => {
            let finding = found
                .finding(format!("`build.dockerfile` of `{name}` is `{}`, not this file", given.value))
                .at(&given.span)
                .help(format!(
                    "Compose and bake would build something else; `dockerfile: {file}` leads here"
                ));
            found.push(finding.fix(Fix::replace("name this file", &given.span, file)));
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
            found.push(finding.fix(Fix::replace("name this component", &target.span, name.clone())));
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
