//! Manifests for Kubernetes, from the same facts as the Compose file: probes from health checks, security
//! contexts from users, grace periods, limits.

use std::collections::BTreeMap;
use std::time::Duration;

use super::compose::{bytes, default_limits, document, registry_and_name};
use super::{Part, System, TextFiles, add, yaml};
use crate::diagnostic::{Code, Diagnostic};
use crate::lint::is_secret_name;
use crate::plan::Archetype;
use crate::plan::contract::Question;
use crate::spec::document::Written;
use crate::spec::system::KubernetesSpec;
use crate::spec::{filled, variables};

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

fn secret_name(system: &System<'_>) -> String {
    format!("{}-secrets", name(&system.name))
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

/// What of a service has no place in a manifest that knows no files: said, and not passed over.
fn left_out(system: &System<'_>, part: &Part<'_>) -> String {
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

fn pod(system: &System<'_>, part: &Part<'_>, restart: Option<&str>) -> Written {
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

fn container(system: &System<'_>, part: &Part<'_>) -> Written {
    let (plain, secret) = environment(system, part);
    let mut body = vec![
        ("name", Written::text(name(part.name()))),
        // kustomization.yaml has its tag or digest.
        ("image", Written::text(image_name(system, part))),
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

/// Startup, readiness and liveness ask the same question as the health check.
fn probes(part: &Part<'_>) -> Vec<(&'static str, Written)> {
    let promise = &part.plan.contract.promise;
    let env = |text: &str| filled(text, &promise.env);
    let asked = match &promise.health {
        Some(Question::Http { port, path, .. }) => {
            let Ok(port) = env(port).parse::<u16>() else { return Vec::new() };
            let get = Written::map([("path", Written::text(path.clone())), ("port", number(port.into()))]);
            ("httpGet", get)
        }
        Some(Question::Tcp { port }) => {
            let Ok(port) = env(port).parse::<u16>() else { return Vec::new() };
            ("tcpSocket", Written::map([("port", number(port.into()))]))
        }
        Some(Question::Command(words)) => {
            ("exec", Written::map([("command", Written::texts(words.iter().map(String::as_str)))]))
        }
        None => return Vec::new(),
    };
    let health = part.plan.image.health.as_ref();
    let seconds = |time: Option<Duration>, default: u64| time.map_or(default, |time| time.as_secs().max(1));
    let interval = seconds(health.and_then(|health| health.interval), 30);
    let timeout = seconds(health.and_then(|health| health.timeout), 30);
    let retries = u64::from(health.and_then(|health| health.retries).unwrap_or(3)).max(1);
    let start = seconds(health.and_then(|health| health.start_period), 0);
    let probe = |period: u64, failures: u64| {
        Written::map([
            (asked.0, asked.1.clone()),
            ("periodSeconds", number(period)),
            ("timeoutSeconds", number(timeout)),
            ("failureThreshold", number(failures)),
        ])
    };
    // As long as Compose would wait until it says unhealthy, asked more often.
    let allowed = start + interval * retries;
    let period = interval.min(5);
    vec![
        ("startupProbe", probe(period, allowed.div_ceil(period))),
        ("readinessProbe", probe(interval, 1)),
        ("livenessProbe", probe(interval, retries)),
    ]
}

/// Requests and limits: those of the Compose file.
fn resources(system: &System<'_>, part: &Part<'_>) -> Written {
    let document = document(system);
    let written = document.get("services").and_then(|services| services.get(part.name()));
    let resources = written.and_then(|service| service.get("deploy")?.get("resources"));
    let (cpus, memory, _) = default_limits(system);
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
    let request_cpus = of("reservations", "cpus").unwrap_or_else(|| least("0.1", &cpus, number));
    let reserved = of("reservations", "memory").or(own("mem_reservation"));
    let request_memory = reserved.unwrap_or_else(|| least("64M", &memory, bytes));
    let amounts = |cpus: &str, memory: &str| {
        Written::map([("cpu", Written::text(cpus)), ("memory", Written::text(quantity(memory)))])
    };
    Written::map([("requests", amounts(&request_cpus, &request_memory)), ("limits", amounts(&cpus, &memory))])
}

/// The smaller one of two amounts: nothing asks for more than it may have.
fn least(amount: &str, limit: &str, read: impl Fn(&str) -> Option<f64>) -> String {
    match (read(amount), read(limit)) {
        (Some(own), Some(limit_amount)) if own > limit_amount => limit.to_owned(),
        _ => amount.to_owned(),
    }
}

/// A size of Compose's, whose units are powers of 1024, as Kubernetes writes it.
fn quantity(text: &str) -> String {
    let lower = text.to_lowercase();
    let end = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (digits, unit) = lower.split_at(end);
    let unit = match unit.trim().trim_end_matches("ib").trim_end_matches('b') {
        "k" => "Ki",
        "m" => "Mi",
        "g" => "Gi",
        "t" => "Ti",
        _ => "",
    };
    format!("{digits}{unit}")
}

fn service(system: &System<'_>, part: &Part<'_>) -> Option<Written> {
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
fn ingress(system: &System<'_>, part: &Part<'_>) -> Option<Written> {
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
        let own = ("name", Written::text(image_name(system, part)));
        match system.images.get(part.name()) {
            Some(known) => {
                let (registry, rest) = registry_and_name(&known.name);
                let bare = untagged(&rest);
                let new = registry.map_or_else(|| bare.clone(), |registry| format!("{registry}/{bare}"));
                Written::map([
                    own,
                    ("newName", Written::text(new)),
                    ("digest", Written::text(known.digest.clone())),
                ])
            }
            None => Written::map([own, ("newTag", Written::text(tag(system, part)))]),
        }
    });
    body.push(("images", Written::List(images.collect())));
    Written::map(body)
}

/// The name of a component's image, without tag or variables.
pub(super) fn image_name(system: &System<'_>, part: &Part<'_>) -> String {
    let name = filled(&system.image(part), &BTreeMap::new());
    let (registry, rest) = registry_and_name(&name);
    let bare = untagged(&rest);
    registry.map_or_else(|| bare.clone(), |registry| format!("{registry}/{bare}"))
}

fn tag(system: &System<'_>, part: &Part<'_>) -> String {
    let name = filled(&system.image(part), &BTreeMap::new());
    let last = name.rsplit('/').next().unwrap_or_default().to_owned();
    last.split_once(':').map_or_else(|| "latest".to_owned(), |(_, tag)| tag.to_owned())
}

fn untagged(name: &str) -> String {
    let name = name.split('@').next().unwrap_or(name);
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name.to_owned(),
        _ => name.to_owned(),
    }
}

fn tcp(part: &Part<'_>) -> Vec<u16> {
    part.plan
        .image
        .ports
        .iter()
        .flatten()
        .filter(|port| port.protocol == "tcp")
        .map(|port| port.number)
        .collect()
}

/// Its environment: what everybody may see, and the names of what is secret.
fn environment(system: &System<'_>, part: &Part<'_>) -> (Vec<(String, String)>, Vec<String>) {
    let promise = &part.plan.contract.promise;
    let values: BTreeMap<String, String> =
        system.domain().map(|domain| (system.domain_variable(), domain.to_owned())).into_iter().collect();
    let (mut plain, mut secret) = (Vec::new(), Vec::new());
    for setting in &part.service.running.environment {
        let is_secret = promise.required.contains(&setting.name)
            || promise.secrets.contains(&setting.name)
            || !setting.needs.is_empty()
            || is_secret_name(&setting.name)
            || variables(&setting.written).iter().any(|variable| is_secret_name(&variable.name));
        if is_secret {
            secret.push(setting.name.clone());
        } else {
            plain.push((setting.name.clone(), filled(&setting.written, &values)));
        }
    }
    (plain, secret)
}

/// All names of secrets.
fn secrets(system: &System<'_>) -> Vec<String> {
    let mut all: Vec<String> = system.parts.iter().flat_map(|part| environment(system, part).1).collect();
    all.sort();
    all.dedup();
    all
}

fn secret(system: &System<'_>, names: &[String]) -> Written {
    let data = names.iter().map(|name| (name.clone(), Written::text("")));
    Written::map([
        ("apiVersion", Written::text("v1")),
        ("kind", Written::text("Secret")),
        ("metadata", Written::map([("name", Written::text(secret_name(system)))])),
        ("stringData", Written::map(data)),
    ])
}

struct Mounted {
    name: String,
    path: String,
    /// The claim that it comes from; none for an empty folder.
    claim: Option<String>,
}

/// Named volumes, and empty folders for everything else that it writes.
fn mounts(part: &Part<'_>) -> Vec<Mounted> {
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
fn is_named(source: &str) -> bool {
    !source.starts_with(['.', '/', '~', '$'])
}

/// Named volumes with their paths.
fn volumes(part: &Part<'_>) -> Vec<(String, String)> {
    let mounts = part.service.running.mounts.iter();
    mounts
        .filter_map(|mount| {
            Some((mount.source.clone().filter(|source| is_named(source))?, mount.target.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        for (text, expected) in
            [("512M", "512Mi"), ("1.5g", "1.5Gi"), ("64mb", "64Mi"), ("1048576", "1048576")]
        {
            assert_eq!(quantity(text), expected);
        }
        assert_eq!(untagged("a/b:1@sha256:00"), "a/b");
        assert_eq!(least("64M", "32m", bytes), "32m");
        assert_eq!(least("64M", "1G", bytes), "64M");
    }
}
