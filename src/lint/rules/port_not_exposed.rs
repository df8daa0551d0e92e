//! `PortNotExposed`: the contract names a port that Compose does not know of.

use crate::lint::{Found, Subject};

/// Compares the contract's port with `expose` and `ports`.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let contract = subject.service.component.contract.as_ref();
    let Some(health) = contract.and_then(|contract| contract.health.as_ref()) else { return };
    let Some(port) = health.port.as_ref().or(health.tcp.as_ref()) else { return };
    let ports: Vec<u16> = subject.plan.image.ports.iter().flatten().map(|port| port.number).collect();
    // A worker may well expose nothing and answer its own health check.
    if ports.is_empty() || ports.contains(&port.value.number) {
        return;
    }
    let listed: Vec<String> = ports.iter().map(u16::to_string).collect();
    let has = listed.join(", ");
    let finding = found
        .finding(format!("the contract asks port {}, and the service exposes {has}", port.value.number))
        .at(&port.span)
        .help(format!("`expose: [\"{}\"]`, or mend the contract", port.value.number));
    found.push(finding);
}
