//! `HealthyWithoutCheck`: Compose refuses to wait for the health of a container without a check.

use crate::lint::{Found, Subject};

/// Looks at `depends_on`.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let dependencies = subject.running().into_iter().flat_map(|running| &running.depends_on);
    for dependency in dependencies.filter(|dependency| dependency.condition == "service_healthy") {
        let name = &dependency.service.value;
        let Some(other) = subject.spec.running_of(name) else {
            continue;
        };
        let component = subject.spec.components.iter().find(|service| service.name.value == *name);
        let contract = component.and_then(|service| service.component.contract.as_ref());
        let asks = contract.is_some_and(|contract| contract.health.is_some());
        let message = match (other.health_check, component) {
            (Some(true), _) => continue,
            (Some(false), _) => {
                format!("`{name}` has turned its health check off, so it never becomes healthy")
            }
            (None, Some(_)) if asks => continue,
            (None, Some(_)) => format!("`{name}` has no health check, so it never becomes healthy"),
            (None, None) => {
                format!(
                    "`{name}` has no `healthcheck` here: unless its image brings one, it never becomes healthy"
                )
            }
        };
        let finding = found
            .finding(message)
            .at(&dependency.service.span)
            .help(format!("give `{name}` a `healthcheck`, or wait with `condition: service_started`"));
        found.push(finding);
    }
}
