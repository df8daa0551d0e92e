//! What runs: pods and their containers, as the image's user, with what they write to.

use std::collections::BTreeMap;

use super::environment::{environment, secret_name};
use super::network::tcp;
use super::probes::probes;
use super::{labels, name, number};
use crate::bundle::compose::document;
use crate::bundle::name::Name;
use crate::bundle::{Part, System, limits};
use crate::plan::Archetype;
use crate::spec::document::Written;
use crate::spec::filled;

/// What of a service has no place in a manifest that knows no files: said, and not passed over.
pub(super) fn left_out(system: &System<'_>, part: &Part<'_>) -> String {
    let mut lines = Vec::new();
    for mount in &part.service.running.mounts {
        if let Some(source) = mount.source.as_ref().filter(|source| !is_named(source)) {
            lines.push(format!("{source}, mounted at {}", mount.target));
        }
    }
    let written = system.written(part.name());
    for key in ["configs", "secrets", "env_file", "sysctls", "extra_hosts", "devices", "ulimits"] {
        if written.is_some_and(|written| written.get(key).is_some()) {
            lines.push(format!("`{key}`"));
        }
    }
    lines.iter().map(|line| format!("# Not here, as it has to come from the cluster: {line}.\n")).collect()
}

pub(super) fn pod(system: &System<'_>, part: &Part<'_>, restart: Option<&str>) -> Written {
    let grace = part.plan.contract.promise.stop.within.as_secs().max(1);
    let mut spec = Vec::new();
    if let Some((uid, gid)) = part.user() {
        let mut context = vec![
            ("runAsNonRoot", Written::Bool(uid != 0)),
            ("runAsUser", number(uid.into())),
            ("runAsGroup", number(gid.into())),
            // Volumes belong to whom runs.
            ("fsGroup", number(gid.into())),
            ("seccompProfile", Written::map([("type", Written::text("RuntimeDefault"))])),
        ];
        if tcp(part).iter().any(|port| *port < 1024) {
            // As engines do for containers; one of the settings that every cluster allows.
            let sysctl = [
                ("name", Written::text("net.ipv4.ip_unprivileged_port_start")),
                ("value", Written::text("0")),
            ];
            context.push(("sysctls", Written::List(vec![Written::map(sysctl)])));
        }
        spec.push(("securityContext", Written::map(context)));
    }
    // Of what the cluster has, no image here needs anything.
    spec.push(("automountServiceAccountToken", Written::Bool(false)));
    // Links would set `FEED_PORT=tcp://…` for a service `feed`.
    spec.push(("enableServiceLinks", Written::Bool(false)));
    spec.push(("terminationGracePeriodSeconds", number(grace)));
    spec.extend(restart.map(|policy| ("restartPolicy", Written::text(policy))));
    spec.push(("containers", Written::List(vec![container(system, part)])));
    let mounted: Vec<Written> = mounts(part)
        .into_iter()
        .map(|mount| {
            let source = match mount.claim {
                Some(claim) => {
                    ("persistentVolumeClaim", Written::map([("claimName", Written::text(name(&claim)))]))
                }
                None => ("emptyDir", Written::Map(Vec::new())),
            };
            Written::map([("name", Written::text(mount.name)), source])
        })
        .collect();
    if !mounted.is_empty() {
        spec.push(("volumes", Written::List(mounted)));
    }
    let metadata = Written::map([("labels", labels(system, part.name()))]);
    Written::map([("metadata", metadata), ("spec", Written::map(spec))])
}

pub(super) fn container(system: &System<'_>, part: &Part<'_>) -> Written {
    let (plain, secret) = environment(system, part);
    let mut body = vec![
        ("name", Written::text(name(part.name()))),
        // kustomization.yaml has its tag or digest.
        ("image", Written::text(Name::of(system, part).untagged())),
    ];
    let ports: Vec<Written> = tcp(part)
        .into_iter()
        .map(|port| {
            Written::map([
                ("name", Written::text(format!("port-{port}"))),
                ("containerPort", number(port.into())),
            ])
        })
        .collect();
    if !ports.is_empty() {
        body.push(("ports", Written::List(ports)));
    }
    if !plain.is_empty() {
        let reference = Written::map([("name", Written::text(name(part.name())))]);
        body.push(("envFrom", Written::List(vec![Written::map([("configMapRef", reference)])])));
    }
    if !secret.is_empty() {
        let entries = secret.into_iter().map(|variable| {
            let key = Written::map([
                ("name", Written::text(secret_name(system))),
                ("key", Written::text(variable.clone())),
            ]);
            let from = Written::map([("secretKeyRef", key)]);
            Written::map([("name", Written::text(variable)), ("valueFrom", from)])
        });
        body.push(("env", Written::List(entries.collect())));
    }
    let context = [
        ("allowPrivilegeEscalation", Written::Bool(false)),
        ("readOnlyRootFilesystem", Written::Bool(part.plan.contract.promise.read_only)),
        ("capabilities", Written::map([("drop", Written::texts(["ALL"]))])),
    ];
    body.push(("securityContext", Written::map(context)));
    body.push(("resources", resources(system, part)));
    if part.plan.archetype == Archetype::Service {
        body.extend(probes(part));
    }
    let mounts: Vec<Written> = mounts(part)
        .into_iter()
        .map(|mount| {
            Written::map([("name", Written::text(mount.name)), ("mountPath", Written::text(mount.path))])
        })
        .collect();
    if !mounts.is_empty() {
        body.push(("volumeMounts", Written::List(mounts)));
    }
    Written::map(body)
}

/// Requests and limits: those of the Compose file.
pub(super) fn resources(system: &System<'_>, part: &Part<'_>) -> Written {
    let document = document(system);
    let written = document.get("services").and_then(|services| services.get(part.name()));
    let resources = written.and_then(|service| service.get("deploy")?.get("resources"));
    let (cpus, memory, _) = limits::defaults(system);
    let of = |kind: &str, key: &str| {
        let text = resources.and_then(|resources| resources.get(kind)?.get(key)?.as_text())?;
        Some(filled(text, &BTreeMap::new()))
    };
    let own = |key: &str| {
        written.and_then(|service| service.get(key)?.as_text()).map(|text| filled(text, &BTreeMap::new()))
    };
    let cpus = of("limits", "cpus").or(own("cpus")).unwrap_or(cpus);
    let memory = of("limits", "memory").or(own("mem_limit")).unwrap_or(memory);
    let number = |text: &str| text.parse::<f64>().ok();
    let request_cpus = of("reservations", "cpus").unwrap_or_else(|| limits::least("0.1", &cpus, number));
    let reserved = of("reservations", "memory").or(own("mem_reservation"));
    let request_memory = reserved.unwrap_or_else(|| limits::least("64M", &memory, limits::bytes));
    let amounts = |cpus: &str, memory: &str| {
        Written::map([("cpu", Written::text(cpus)), ("memory", Written::text(limits::quantity(memory)))])
    };
    Written::map([("requests", amounts(&request_cpus, &request_memory)), ("limits", amounts(&cpus, &memory))])
}

pub(super) struct Mounted {
    name: String,
    path: String,
    /// The claim that it comes from; none for an empty folder.
    claim: Option<String>,
}

/// Named volumes, and empty folders for everything else that it writes.
pub(super) fn mounts(part: &Part<'_>) -> Vec<Mounted> {
    let named = volumes(part).into_iter().map(|(volume, path)| Mounted {
        name: name(&volume),
        path,
        claim: Some(volume),
    });
    let mut writable: Vec<&str> = part.writes();
    // What is the container's own in Compose: `tmpfs`, and volumes without a name.
    let own = part.service.running.mounts.iter().filter(|mount| mount.source.is_none());
    writable.extend(own.map(|mount| mount.target.as_str()));
    writable.sort_unstable();
    writable.dedup();
    let empty = writable.into_iter().enumerate().map(|(index, path)| Mounted {
        name: format!("writable-{index}"),
        path: path.to_owned(),
        claim: None,
    });
    named.chain(empty).collect()
}

/// Whether what is mounted is a volume, and no path.
pub(super) fn is_named(source: &str) -> bool {
    !source.starts_with(['.', '/', '~', '$'])
}

/// Named volumes with their paths.
pub(super) fn volumes(part: &Part<'_>) -> Vec<(String, String)> {
    let mounts = part.service.running.mounts.iter();
    mounts
        .filter_map(|mount| {
            Some((mount.source.clone().filter(|source| is_named(source))?, mount.target.clone()))
        })
        .collect()
}
