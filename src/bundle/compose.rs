//! The hardened Compose file: every service as it is written, without its build, with its image by a variable,
//! and with what a production system needs and nobody likes to repeat.

use std::collections::BTreeMap;

use super::{Part, System, yaml};
use crate::plan::Archetype;
use crate::spec::document::Written;
use crate::spec::filled;

/// What a container gets at most that says nothing itself.
const LIMITS: (&str, &str, u32) = ("1.0", "512M", 256);

/// `compose.yaml`.
pub(super) fn bundled(system: &System<'_>) -> String {
    let left_out: Vec<&str> = system.others().filter(|name| system.is_left_out(name)).collect();
    let left_out = match left_out.as_slice() {
        [] => String::new(),
        names => format!("# Left out, as they are built for development alone: {}.\n", names.join(", ")),
    };
    format!(
        "# @generated from {} by Slipway; do not edit, it is written anew by `--target :bundle`.\n\
         # It needs no source tree: images come by {}, or by images.lock.\n{left_out}{}",
        system.file,
        system.variable("IMAGE_TAG"),
        yaml::text(&document(system))
    )
}

/// `compose.registry.yaml`: the same images, of a registry of one's own.
pub(super) fn registry(system: &System<'_>) -> String {
    format!(
        "# @generated from {} by Slipway. Laid over compose.yaml, it takes all images from {}:\n\
         #   docker compose -f compose.yaml -f compose.registry.yaml up -d\n{}",
        system.file,
        system.variable("REGISTRY"),
        yaml::text(&overlay(system))
    )
}

/// What `compose.registry.yaml` holds.
pub(super) fn overlay(system: &System<'_>) -> Written {
    let services = system.parts.iter().map(|part| {
        let (registry, name) = registry_and_name(&system.image(part));
        let own = system.variable("REGISTRY");
        // What a name without a registry means. (Compose evaluates defaults that it does not use, so that a
        // registry which has to be given could not be replaced by a digest.)
        let registry = registry.unwrap_or_else(|| "docker.io".to_owned());
        let registry = format!("${{{own}:-{registry}}}");
        let image = image(system, part.name(), &format!("{registry}/{}", tagged(system, &name)));
        let keys = [("image", Written::Text(image)), ("pull_policy", Written::text("missing"))];
        (part.name(), Written::map(keys))
    });
    Written::map([("services", Written::map(services))])
}

/// What `compose.yaml` holds.
pub(super) fn document(system: &System<'_>) -> Written {
    let document = &system.spec.document;
    let services = document.services.iter().filter_map(|(name, written)| {
        if let Some(part) = system.part(name) {
            return Some((name.clone(), hardened(system, part, written)));
        }
        // A library runs nowhere.
        let runs = system.others().any(|other| other == name) && !system.is_left_out(name);
        runs.then(|| (name.clone(), other(system, name, written)))
    });
    let mut entries = vec![("name".to_owned(), Written::text(system.name.clone()))];
    entries.push(("services".to_owned(), Written::Map(services.collect())));
    let kept = document.others.iter().filter(|(key, _)| !key.starts_with("x-"));
    entries.extend(kept.cloned());
    Written::Map(entries)
}

/// A service that is not built here: as it is, its image by a variable.
fn other(system: &System<'_>, name: &str, written: &Written) -> Written {
    let mut service = written.clone().without("build").without("develop");
    if written.get("image").is_none() {
        service.set("image", Written::text(image(system, name, &format!("{}-{name}", system.name))));
    }
    let waits = match written.get("depends_on") {
        Some(Written::List(names)) => Some(Written::List(
            names
                .iter()
                .filter(|name| !name.as_text().is_some_and(|name| is_gone(system, name)))
                .cloned()
                .collect(),
        )),
        Some(Written::Map(entries)) => {
            Some(Written::Map(entries.iter().filter(|(name, _)| !is_gone(system, name)).cloned().collect()))
        }
        _ => None,
    };
    if let Some(waits) = waits {
        let is_empty = waits.items().is_empty() && waits.entries().next().is_none();
        service.set("depends_on", waits);
        if is_empty {
            service = service.without("depends_on");
        }
    }
    if let Some(own) = written.get("image").and_then(Written::as_text) {
        service.set("image", Written::Text(image(system, name, own)));
    }
    service
}

/// Whether a service of the spec is none of the bundle: a library, or one for development alone.
fn is_gone(system: &System<'_>, name: &str) -> bool {
    system.part(name).is_none() && (system.is_left_out(name) || !system.others().any(|other| other == name))
}

fn hardened(system: &System<'_>, part: &Part<'_>, written: &Written) -> Written {
    let name = part.name();
    let own = Written::Text(image(system, name, &tagged(system, &system.image(part))));
    let mut entries: Vec<(String, Written)> = Vec::new();
    for (key, value) in written.entries() {
        match key {
            "build" if written.get("image").is_none() => entries.push(("image".to_owned(), own.clone())),
            "build" | "develop" | crate::spec::EXTENSION => {}
            "image" => entries.push((key.to_owned(), own.clone())),
            // Filled in below.
            "depends_on" => entries.push((key.to_owned(), Written::Null)),
            _ => entries.push((key.to_owned(), value.clone())),
        }
    }
    let mut service = Written::Map(entries);
    if service.get("image").is_none() {
        service.set("image", own);
    }
    if let Some((uid, gid)) = part.user() {
        service.set_default("user", Written::text(format!("{uid}:{gid}")));
    }
    let is_read_only = service.get("read_only").is_none() && part.plan.contract.promise.read_only;
    if is_read_only {
        service.set("read_only", Written::Bool(true));
    }
    if service.get("read_only") == Some(&Written::Bool(true)) {
        tmpfs(part, &mut service);
    }
    service.set_default("cap_drop", Written::texts(["ALL"]));
    no_new_privileges(&mut service);
    let restart = if part.plan.archetype == Archetype::Service { "unless-stopped" } else { "no" };
    service.set_default("restart", Written::text(restart));
    limits(system, &mut service);
    depends_on(system, part, written, &mut service);
    service
}

/// Folders in memory for what it writes.
fn tmpfs(part: &Part<'_>, service: &mut Written) {
    let given: Vec<String> = match service.get("tmpfs") {
        Some(Written::List(items)) => items.iter().filter_map(Written::as_text).map(str::to_owned).collect(),
        Some(one) => one.as_text().into_iter().map(str::to_owned).collect(),
        None => Vec::new(),
    };
    let has = |path: &str| given.iter().any(|entry| entry.split([':', '=']).next() == Some(path));
    // A folder that the image has keeps its mode, so it has to belong to whom runs.
    let owner = part.user().map(|(uid, gid)| format!(":uid={uid},gid={gid}")).unwrap_or_default();
    let missing = part.writes().into_iter().filter(|path| !has(path));
    let missing: Vec<String> = missing.map(|path| format!("{path}{owner}")).collect();
    if !missing.is_empty() {
        service.set("tmpfs", Written::texts(given.into_iter().chain(missing)));
    }
}

fn no_new_privileges(service: &mut Written) {
    let mut options = service.get("security_opt").map(Written::items).unwrap_or_default().to_vec();
    let has =
        options.iter().filter_map(Written::as_text).any(|option| option.starts_with("no-new-privileges"));
    if !has {
        options.push(Written::text("no-new-privileges:true"));
        service.set("security_opt", Written::List(options));
    }
}

fn limits(system: &System<'_>, service: &mut Written) {
    let has_own = ["mem_limit", "cpus", "pids_limit"].iter().any(|key| service.get(key).is_some());
    let mut deploy = service.get("deploy").cloned().unwrap_or(Written::Map(Vec::new()));
    let mut resources = deploy.get("resources").cloned().unwrap_or(Written::Map(Vec::new()));
    if has_own || resources.get("limits").is_some() {
        return;
    }
    let (cpus, memory, pids) = default_limits(system);
    let reserved =
        |key: &str| resources.get("reservations").and_then(|reserved| reserved.get(key)?.as_text());
    // Nobody gets less than is reserved for it.
    let memory =
        most(memory, reserved("memory").or(service.get("mem_reservation").and_then(Written::as_text)), bytes);
    let cpus = most(cpus, reserved("cpus"), |text| text.parse().ok());
    let limits = [
        ("cpus", Written::Text(cpus)),
        ("memory", Written::Text(memory)),
        ("pids", Written::Number(pids.to_string())),
    ];
    resources.set("limits", Written::map(limits));
    deploy.set("resources", resources);
    service.set("deploy", deploy);
}

/// The larger one of an amount and another, as they are written; the other one too if it cannot be read.
fn most(amount: String, other: Option<&str>, read: impl Fn(&str) -> Option<f64>) -> String {
    let Some(other) = other else { return amount };
    match (read(&amount), read(&filled(other, &BTreeMap::new()))) {
        (Some(own), Some(other)) if own >= other => amount,
        _ => other.to_owned(),
    }
}

/// A size of Compose's in bytes: a number with a unit of a power of 1024.
pub(super) fn bytes(text: &str) -> Option<f64> {
    let lower = text.trim().to_lowercase();
    let end = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (digits, unit) = lower.split_at(end);
    let power = match unit.trim().trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    Some(digits.parse::<f64>().ok()? * 1024_f64.powi(power))
}

/// Processors, memory and processes of what says nothing itself.
pub(super) fn default_limits(system: &System<'_>) -> (String, String, u32) {
    let bundle = system.spec.project.as_ref().and_then(|project| project.bundle.as_ref());
    let given = bundle.and_then(|bundle| bundle.limits.as_ref());
    let (cpus, memory, pids) = LIMITS;
    let cpus = given.and_then(|limits| limits.cpus.as_ref()).map_or(cpus, |value| &value.value);
    let memory = given.and_then(|limits| limits.memory.as_ref()).map_or(memory, |value| &value.value);
    let pids = given.and_then(|limits| limits.pids.as_ref()).map_or(pids, |value| value.value);
    (cpus.to_owned(), memory.to_owned(), pids)
}

/// What it waits for, and until when: until that is well, if there is a way to tell. An ingress starts anew with
/// what it leads to, as nginx looks up names when it starts.
fn depends_on(system: &System<'_>, part: &Part<'_>, written: &Written, service: &mut Written) {
    let given: Vec<(String, Written)> = match written.get("depends_on") {
        Some(Written::List(names)) => names
            .iter()
            .filter_map(Written::as_text)
            .map(|name| (name.to_owned(), Written::Map(Vec::new())))
            .collect(),
        Some(Written::Map(entries)) => entries.clone(),
        _ => Vec::new(),
    };
    let upstreams = part.upstreams();
    let added = upstreams.iter().filter(|name| !given.iter().any(|(known, _)| known == *name));
    let added: Vec<_> = added.map(|name| ((*name).to_owned(), Written::Map(Vec::new()))).collect();
    let mut entries = Vec::new();
    for (name, mut how) in given.into_iter().chain(added) {
        let known = system.part(&name);
        if is_gone(system, &name) {
            continue;
        }
        if how == Written::Null {
            how = Written::Map(Vec::new());
        }
        let condition = match known {
            Some(other) if other.plan.archetype != Archetype::Service => "service_completed_successfully",
            Some(other) if other.has_health() => "service_healthy",
            None if system.spec.running_of(&name).and_then(|running| running.health_check) == Some(true) => {
                "service_healthy"
            }
            _ => "service_started",
        };
        how.set_default("condition", Written::text(condition));
        if upstreams.contains(&name.as_str()) {
            how.set_default("restart", Written::Bool(true));
        }
        entries.push((name, how));
    }
    if entries.is_empty() {
        *service = std::mem::replace(service, Written::Null).without("depends_on");
    } else {
        service.set("depends_on", Written::Map(entries));
    }
}

/// An image by its variable, or else this one.
fn image(system: &System<'_>, service: &str, otherwise: &str) -> String {
    format!("${{{}:-{otherwise}}}", system.image_variable(service))
}

/// An image's name with a tag: its own, or that of all.
fn tagged(system: &System<'_>, name: &str) -> String {
    if has_tag(name) {
        name.to_owned()
    } else {
        format!("{name}:${{{}:-latest}}", system.variable("IMAGE_TAG"))
    }
}

/// Whether a name has a tag or a digest, whatever its variables are.
fn has_tag(name: &str) -> bool {
    let mut depth = 0_usize;
    let bare: String = name
        .chars()
        .map(|c| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > 0 || c == '}' { 'x' } else { c }
        })
        .collect();
    bare.contains('@') || bare.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

/// The registry that a name begins with, as it is written, and the rest. A variable in its place is one if its
/// default is.
pub(super) fn registry_and_name(name: &str) -> (Option<String>, String) {
    let mut depth = 0_usize;
    let slash = name.find(|c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '/' && depth == 0
    });
    let Some(slash) = slash else { return (None, name.to_owned()) };
    let (first, rest) = (&name[..slash], &name[slash + 1..]);
    let value = filled(first, &BTreeMap::new());
    let host = value.split('/').next().unwrap_or_default();
    if host.contains(['.', ':']) || host == "localhost" {
        (Some(first.to_owned()), rest.to_owned())
    } else {
        (None, name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, expected) in [
            ("market/orders", false),
            ("localhost:5000/orders", false),
            ("market/orders:1", true),
            ("market/orders:${TAG:-latest}", true),
            ("${REGISTRY:-x:5000}/orders", false),
            ("a@sha256:00", true),
        ] {
            assert_eq!(has_tag(name), expected, "{name}");
        }
        assert_eq!(registry_and_name("ghcr.io/a/b"), (Some("ghcr.io".to_owned()), "a/b".to_owned()));
        assert_eq!(registry_and_name("a/b"), (None, "a/b".to_owned()));
        let variable = registry_and_name("${REG:-ghcr.io}/acme/x:1");
        assert_eq!(variable, (Some("${REG:-ghcr.io}".to_owned()), "acme/x:1".to_owned()));
        assert_eq!(registry_and_name("${OWNER:-acme}/x").0, None);
    }

    #[test]
    fn amounts() {
        assert_eq!(bytes("1.5G"), Some(1.5 * 1024.0 * 1024.0 * 1024.0));
        assert_eq!(most("512M".to_owned(), Some("1G"), bytes), "1G");
        assert_eq!(most("512M".to_owned(), Some("64m"), bytes), "512M");
        assert_eq!(most("512M".to_owned(), Some("${MEMORY:-2G}"), bytes), "${MEMORY:-2G}");
    }
}
