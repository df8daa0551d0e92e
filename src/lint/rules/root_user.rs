//! `RootUser`: an image that runs as root, or of which nobody can tell as whom it runs.

use crate::diagnostic::Fix;
use crate::lint::{Found, Subject};
use crate::plan::{Action, Archetype, ROOT};

/// Looks at the user that the image declares, and that the container gets from Compose.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.plan.archetype == Archetype::Library {
        return;
    }
    let service = subject.service;
    if let Some(user) = &service.compose.user {
        let name = user.value.split(':').next().unwrap_or_default();
        if name == "0" || name == "root" {
            let finding = found
                .finding(format!("the service runs as root: `user: {}`", user.value))
                .at(&user.span)
                .help("remove `user`: the image runs as 1001:1001");
            found.push(finding.fix(Fix::replace("run as the image's own user", &user.span, "\"1001:1001\"")));
        }
        return;
    }
    if let Some(user) = &subject.plan.image.user {
        if user.uid == ROOT {
            let span = service.component.user.as_ref().map_or(&service.extension, |user| &user.span);
            let finding = found.finding("the image runs as root")
                .at(span)
                .help("give it a `uid` of its own; a service that needs a port below 1024 can listen on it without root");
            found.push(finding);
        }
        return;
    }
    let switched = subject.runtime().into_iter().flat_map(|stage| &stage.steps).rev().find_map(|step| {
        match &step.action {
            Action::User(user) => Some((user, &step.origin)),
            _ => None,
        }
    });
    match switched {
        Some((user, span)) if ["0", "root"].contains(&user.split(':').next().unwrap_or_default()) => {
            let finding = found
                .finding("the image runs as root: its stage ends with this user")
                .at(span)
                .help("end with another `user`, or remove the step: the image then runs as 1001:1001");
            found.push(finding);
        }
        Some((user, span)) if !user.starts_with(|first: char| first.is_ascii_digit()) => {
            let finding = found.finding(format!("the image's user is the name `{user}`: whether that is root, only the base knows"))
                .at(span)
                .help("write it as a number, as in `user: \"1001:1001\"`; Kubernetes' runAsNonRoot wants that, too");
            found.push(finding);
        }
        _ => {}
    }
}
