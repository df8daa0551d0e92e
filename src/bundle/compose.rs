//! The hardened Compose file: every service as it is written, without its build, with its image by a variable,
//! and with what a production system needs and nobody likes to repeat.

use super::name::{has_tag, registry_and_rest};
use super::{Part, System, limits, yaml};
use crate::plan::Archetype;
use crate::spec::document::Written;

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
        let (registry, name) = registry_and_rest(&system.image(part));
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
    limits::add(system, &mut service);
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
