//! `HostAccess`: privileges that reach beyond the container.

use crate::lint::{Found, Subject};

/// Looks at privileges, namespaces, capabilities and mounts.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for access in subject.running().into_iter().flat_map(|running| &running.host_access) {
        let finding = found
            .finding(format!(
                "`{}` reaches beyond its container: {}",
                subject.service.name.value, access.value
            ))
            .at(&access.span)
            .help("a component that really needs it says so: `lint: { HostAccess: off }`");
        found.push(finding);
    }
}
