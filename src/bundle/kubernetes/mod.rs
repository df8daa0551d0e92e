//! Manifests for Kubernetes, from the same facts as the Compose file: probes from health checks, security
//! contexts from users, grace periods, limits.

mod environment;
mod network;
mod pod;
mod probes;

use std::collections::BTreeMap;

use self::environment::{environment, secret, secrets};
use self::network::{ingress, service};
use self::pod::{left_out, pod, volumes};
use super::name::Name;
use super::{Part, System, TextFiles, add, yaml};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::Archetype;
use crate::spec::document::Written;
use crate::spec::system::KubernetesSpec;

/// Adds the manifests.
pub(super) fn files(system: &System<'_>, files: &mut TextFiles) {
    let mut resources = Vec::new();
    for part in &system.parts {
        let manifests = manifests(system, part);
        if manifests.is_empty() {
            continue;
        }
        let path = format!("{}.yaml", name(part.name()));
        let texts: Vec<String> = manifests.iter().map(yaml::text).collect();
        add(files, &path, header(system) + &left_out(system, part) + &texts.join("---\n"));
        resources.push(path);
    }
    let claims: Vec<String> = claims(system).iter().map(yaml::text).collect();
    if !claims.is_empty() {
        add(files, "volumes.yaml", header(system) + &claims.join("---\n"));
        resources.push("volumes.yaml".to_owned());
    }
    let mut head = header(system);
    let others: Vec<&str> = system.others().filter(|name| !system.is_left_out(name)).collect();
    if !others.is_empty() {
        head += &format!(
            "# Not built here, so not here either; services of these names have to be there: {}.\n",
            others.join(", ")
        );
    }
    add(files, "kustomization.yaml", head + &yaml::text(&kustomization(system, resources)));
    let secrets = secrets(system);
    if !secrets.is_empty() {
        let text = format!(
            "{}# Copy it, fill it in, apply it; never commit the copy.\n{}",
            header(system),
            yaml::text(&secret(system, &secrets))
        );
        add(files, "secret.example.yaml", text);
    }
}

fn header(system: &System<'_>) -> String {
    format!("# @generated from {} by Slipway; written anew by `--target :kubernetes`.\n", system.file)
}

fn spec<'a>(system: &'a System<'_>) -> Option<&'a KubernetesSpec> {
    system.spec.project.as_ref()?.kubernetes.as_ref()
}

/// A name as Kubernetes takes it.
fn name(text: &str) -> String {
    text.to_lowercase().replace(['_', '.'], "-")
}

fn labels(system: &System<'_>, part: &str) -> Written {
    Written::map([
        ("app.kubernetes.io/name", Written::text(name(part))),
        ("app.kubernetes.io/part-of", Written::text(name(&system.name))),
    ])
}

fn object(system: &System<'_>, version: &str, kind: &str, of: &str, body: Vec<(&str, Written)>) -> Written {
    let metadata = Written::map([("name", Written::text(name(of))), ("labels", labels(system, of))]);
    let head =
        [("apiVersion", Written::text(version)), ("kind", Written::text(kind)), ("metadata", metadata)];
    Written::map(head.into_iter().chain(body))
}

fn number(value: u64) -> Written {
    Written::Number(value.to_string())
}

fn manifests(system: &System<'_>, part: &Part<'_>) -> Vec<Written> {
    let own = part.name();
    let mut all = Vec::new();
    let (plain, _) = environment(system, part);
    if !plain.is_empty() {
        let data = plain.into_iter().map(|(name, value)| (name, Written::Text(value)));
        all.push(object(system, "v1", "ConfigMap", own, vec![("data", Written::map(data))]));
    }
    let schedule = part.service.component.schedule.as_ref();
    match (part.plan.archetype, schedule) {
        (Archetype::Service, _) => {
            all.push(deployment(system, part));
            all.extend(service(system, part));
            all.extend(ingress(system, part));
        }
        (Archetype::Job, Some(schedule)) => {
            let template = Written::map([("spec", job(system, part))]);
            let spec = Written::map([
                ("schedule", Written::text(schedule.value.clone())),
                // A run that takes longer than its time is not joined by a second one.
                ("concurrencyPolicy", Written::text("Forbid")),
                ("jobTemplate", template),
            ]);
            all.push(object(system, "batch/v1", "CronJob", own, vec![("spec", spec)]));
        }
        (Archetype::Job, None) => {
            all.push(object(system, "batch/v1", "Job", own, vec![("spec", job(system, part))]));
        }
        // A person starts it.
        (Archetype::Cli | Archetype::Library, _) => return Vec::new(),
    }
    all
}

/// A claim for each named volume, whoever mounts it.
fn claims(system: &System<'_>) -> Vec<Written> {
    let mut users: BTreeMap<String, usize> = BTreeMap::new();
    let running = system.parts.iter().filter(|part| part.plan.archetype != Archetype::Cli);
    for (volume, _) in running.flat_map(volumes) {
        *users.entry(volume).or_default() += 1;
    }
    let claim = |(volume, users): (String, usize)| {
        // Pods on several nodes mount a volume that several services share.
        let mode = if users > 1 { "ReadWriteMany" } else { "ReadWriteOnce" };
        let request = Written::map([("storage", Written::text("1Gi"))]);
        let claim = Written::map([
            ("accessModes", Written::texts([mode])),
            ("resources", Written::map([("requests", request)])),
        ]);
        object(system, "v1", "PersistentVolumeClaim", &volume, vec![("spec", claim)])
    };
    users.into_iter().map(claim).collect()
}

/// Names that are none to Kubernetes: other services would look for them in vain.
pub(crate) fn unfit(system: &System<'_>) -> Vec<Diagnostic> {
    let is_label = |name: &str| {
        name.len() <= 63
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && !name.ends_with('-')
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let unfit = system.parts.iter().filter(|part| !is_label(part.name()));
    unfit
        .map(|part| {
            let message = format!("Kubernetes has no services with the name `{}`", part.name());
            Diagnostic::new(Code::Value, message)
                .at(&part.service.name.span)
                .help("small letters, digits and `-`, beginning with a letter")
        })
        .collect()
}

fn deployment(system: &System<'_>, part: &Part<'_>) -> Written {
    let replicas = spec(system).and_then(|spec| spec.replicas.as_ref()).map_or(1, |replicas| replicas.value);
    let own = labels(system, part.name());
    let mut body = vec![
        ("replicas", number(if volumes(part).is_empty() { replicas.into() } else { 1 })),
        ("selector", Written::map([("matchLabels", own)])),
    ];
    if !volumes(part).is_empty() {
        // A volume of one node is free for the new pod when the old one is gone.
        body.push(("strategy", Written::map([("type", Written::text("Recreate"))])));
    }
    body.push(("template", pod(system, part, None)));
    object(system, "apps/v1", "Deployment", part.name(), vec![("spec", Written::map(body))])
}

fn job(system: &System<'_>, part: &Part<'_>) -> Written {
    Written::map([("backoffLimit", number(3)), ("template", pod(system, part, Some("OnFailure")))])
}

fn kustomization(system: &System<'_>, resources: Vec<String>) -> Written {
    let mut body = vec![
        ("apiVersion", Written::text("kustomize.config.k8s.io/v1beta1")),
        ("kind", Written::text("Kustomization")),
    ];
    if let Some(namespace) = spec(system).and_then(|spec| spec.namespace.as_ref()) {
        body.push(("namespace", Written::text(namespace.value.clone())));
    }
    body.push(("resources", Written::texts(resources)));
    let images = system.parts.iter().map(|part| {
        let name = Name::of(system, part);
        let (own, tag) = (("name", Written::text(name.untagged())), name.tag);
        match system.images.get(part.name()) {
            Some(known) => Written::map([
                own,
                ("newName", Written::text(Name::parse(&known.name).untagged())),
                ("digest", Written::text(known.digest.clone())),
            ]),
            None => {
                Written::map([own, ("newTag", Written::text(tag.unwrap_or_else(|| "latest".to_owned())))])
            }
        }
    });
    body.push(("images", Written::List(images.collect())));
    Written::map(body)
}
