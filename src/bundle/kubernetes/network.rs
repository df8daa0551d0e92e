//! How services are reached: from each other, and from outside of the cluster.

use super::{labels, name, number, object, spec};
use crate::bundle::{Part, System};
use crate::spec::document::Written;

pub(super) fn service(system: &System<'_>, part: &Part<'_>) -> Option<Written> {
    let ports: Vec<Written> = tcp(part)
        .into_iter()
        .map(|port| {
            Written::map([
                ("name", Written::text(format!("port-{port}"))),
                ("port", number(port.into())),
                ("targetPort", number(port.into())),
            ])
        })
        .collect();
    let spec =
        Written::map([("selector", labels(system, part.name())), ("ports", Written::List(ports.clone()))]);
    (!ports.is_empty()).then(|| object(system, "v1", "Service", part.name(), vec![("spec", spec)]))
}

/// The way in from outside of the cluster, if there is a domain and something that leads on.
pub(super) fn ingress(system: &System<'_>, part: &Part<'_>) -> Option<Written> {
    system.ingress().filter(|ingress| ingress.name() == part.name())?;
    let domain = system.domain()?;
    let port = tcp(part).into_iter().next()?;
    let backend = Written::map([(
        "service",
        Written::map([
            ("name", Written::text(name(part.name()))),
            ("port", Written::map([("number", number(port.into()))])),
        ]),
    )]);
    let path = Written::map([
        ("path", Written::text("/")),
        ("pathType", Written::text("Prefix")),
        ("backend", backend),
    ]);
    let http = Written::map([("paths", Written::List(vec![path]))]);
    let rule = Written::map([("host", Written::text(domain)), ("http", http)]);
    let mut body = Vec::new();
    if let Some(class) = spec(system).and_then(|spec| spec.ingress_class.as_ref()) {
        body.push(("ingressClassName", Written::text(class.value.clone())));
    }
    if let Some(secret) = spec(system).and_then(|spec| spec.tls_secret.as_ref()) {
        let tls = Written::map([
            ("hosts", Written::texts([domain])),
            ("secretName", Written::text(secret.value.clone())),
        ]);
        body.push(("tls", Written::List(vec![tls])));
    }
    body.push(("rules", Written::List(vec![rule])));
    Some(object(system, "networking.k8s.io/v1", "Ingress", part.name(), vec![("spec", Written::map(body))]))
}

pub(super) fn tcp(part: &Part<'_>) -> Vec<u16> {
    part.plan
        .image
        .ports
        .iter()
        .flatten()
        .filter(|port| port.protocol == "tcp")
        .map(|port| port.number)
        .collect()
}
