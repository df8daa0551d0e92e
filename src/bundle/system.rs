//! The facts that all files about a system are written from.

use std::collections::BTreeMap;

use super::images::Known;
use super::ingress;
use crate::plan::{Archetype, Plan};
use crate::recipe::Facts;
use crate::spec::document::Written;
use crate::spec::routes::{Answer, Route};
use crate::spec::{Service, Spec};

/// A spec, with all that is known of its components.
#[derive(Debug)]
pub struct System<'a> {
    /// The spec.
    pub spec: &'a Spec,
    /// Its file, as the client calls it.
    pub file: String,
    /// The project's name.
    pub name: String,
    /// The components that have an image, in the spec's order.
    pub parts: Vec<Part<'a>>,
    /// What is known of images, by service.
    pub images: BTreeMap<String, Known>,
    /// The time that files which have one say, in seconds since 1970.
    pub epoch: Option<i64>,
}

/// A component that has an image.
#[derive(Debug)]
pub struct Part<'a> {
    /// The component.
    pub service: &'a Service,
    /// How its image is made.
    pub plan: Plan,
    /// If it is an ingress, where it leads; from its routes or its template.
    pub routes: Vec<Route>,
}

impl<'a> Part<'a> {
    /// A component with its plan and the files that its recipe saw. None for a library.
    pub fn new(spec: &Spec, service: &'a Service, plan: Plan, facts: &Facts) -> Option<Self> {
        if plan.archetype == Archetype::Library {
            return None;
        }
        let routes = if service.routes.is_empty() {
            ingress::of_template(spec, service, facts)
        } else {
            service.routes.clone()
        };
        Some(Self { service, plan, routes })
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        &self.service.name.value
    }

    /// Whether there is a way to tell that it works.
    pub fn has_health(&self) -> bool {
        let said = self.plan.image.health.as_ref().is_some_and(|health| health.test != ["NONE"]);
        self.service.running.health_check.unwrap_or(said)
    }

    /// The services that it leads to.
    pub fn upstreams(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for route in &self.routes {
            if let Answer::Proxy { service, .. } = &route.answer
                && !found.contains(&service.as_str())
            {
                found.push(service);
            }
        }
        found
    }

    /// The user that it runs as, if its image has one.
    pub fn user(&self) -> Option<(u32, u32)> {
        self.plan.image.user.as_ref().map(|user| (user.uid, user.gid))
    }

    /// Folders that it writes to, beside its volumes.
    pub fn writes(&self) -> Vec<&str> {
        let volumes: Vec<&str> =
            self.service.running.mounts.iter().map(|mount| mount.target.as_str()).collect();
        let promise = &self.plan.contract.promise;
        let mut paths: Vec<&str> =
            self.plan.image.writes.iter().chain(&promise.tmpfs).map(String::as_str).collect();
        paths.sort_unstable();
        paths.dedup();
        paths.retain(|path| !volumes.contains(path));
        paths
    }
}

impl<'a> System<'a> {
    /// What variables of a deployment begin with.
    pub fn prefix(&self) -> String {
        let given = self.spec.project.as_ref().and_then(|project| project.bundle.as_ref()?.prefix.as_ref());
        let prefix = variable(given.map_or(&self.name, |prefix| &prefix.value));
        // No shell has a variable that begins with a digit.
        if prefix.starts_with(|c: char| c.is_ascii_digit()) { format!("_{prefix}") } else { prefix }
    }

    /// A variable's name.
    pub fn variable(&self, rest: &str) -> String {
        format!("{}_{rest}", self.prefix())
    }

    /// The variable that has a service's image.
    pub fn image_variable(&self, service: &str) -> String {
        self.variable(&format!("{}_IMAGE", variable(service)))
    }

    /// A component.
    pub fn part(&self, name: &str) -> Option<&Part<'a>> {
        self.parts.iter().find(|part| part.name() == name)
    }

    /// The component through which browsers come, if there is one.
    pub fn ingress(&self) -> Option<&Part<'a>> {
        self.parts.iter().find(|part| !part.routes.is_empty())
    }

    /// The services that run and are not built here, in the spec's order.
    pub fn others(&self) -> impl Iterator<Item = &'a str> {
        self.spec.others.iter().map(String::as_str)
    }

    /// Whether a service that is no component is built, and for development and tests alone: no deployment
    /// has it.
    pub fn is_left_out(&self, name: &str) -> bool {
        let is_built = self.written(name).is_some_and(|written| written.get("build").is_some());
        is_built && self.part(name).is_none() && self.is_for_development(name)
    }

    fn is_for_development(&self, name: &str) -> bool {
        let profiles =
            self.spec.running_of(name).map(|running| running.profiles.as_slice()).unwrap_or_default();
        !profiles.is_empty() && profiles.iter().all(|name| ["dev", "test"].contains(&name.value.as_str()))
    }

    /// What the spec's file says of a service.
    pub fn written(&self, service: &str) -> Option<&'a Written> {
        self.spec.document.get(service)
    }

    /// The name of a component's image as it is written, with variables in it.
    pub fn image(&self, part: &Part<'_>) -> String {
        let written = self.written(part.name()).and_then(|written| written.get("image")?.as_text());
        // Compose's own name for an image without one.
        written.map_or_else(|| format!("{}-{}", self.name, part.name()), str::to_owned)
    }

    /// The domain under which the system is reached, if the spec says so.
    pub fn domain(&self) -> Option<&str> {
        let deploy = self.spec.project.as_ref()?.deploy.as_ref()?;
        deploy.domain.as_ref().map(|domain| domain.value.as_str())
    }

    /// The variable that has the domain.
    pub fn domain_variable(&self) -> String {
        let deploy = self.spec.project.as_ref().and_then(|project| project.deploy.as_ref());
        let given = deploy.and_then(|deploy| deploy.domain_variable.as_ref());
        given.map_or_else(|| self.variable("FQDN"), |name| name.value.clone())
    }

    /// The port at which a service is published, as it is written, and the one in its container.
    pub fn published(&self, service: &str) -> Vec<(String, u16)> {
        let Some(ports) = self.written(service).and_then(|written| written.get("ports")) else {
            return Vec::new();
        };
        ports.items().iter().filter_map(published).collect()
    }
}

impl System<'_> {
    /// Files beside the spec that services mount or are configured by, from its folder: a bundle takes them along.
    /// Services of the profiles `dev` and `test` mount their sources, and no deployment runs them.
    pub fn mounted_files(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (name, _) in &self.spec.document.services {
            if self.is_for_development(name) {
                continue;
            }
            let running = self.spec.running_of(name);
            let mounts = running.map(|running| running.mounts.as_slice()).unwrap_or_default();
            found.extend(mounts.iter().filter_map(|mount| mount.source.as_deref().and_then(beside)));
        }
        found.extend(self.files_of("configs"));
        found.sort();
        found.dedup();
        found
    }

    /// Files that a deployment needs and a bundle does not have: secrets, and variables of services.
    pub fn files_needed(&self) -> Vec<String> {
        let mut found: Vec<String> = self.files_of("secrets").collect();
        for (_, service) in &self.spec.document.services {
            let Some(files) = service.get("env_file") else { continue };
            let one = std::slice::from_ref(files);
            let entries = if files.items().is_empty() { one } else { files.items() };
            let path = |entry: &Written| entry.get("path").unwrap_or(entry).as_text().map(str::to_owned);
            found.extend(entries.iter().filter_map(path));
        }
        found.sort();
        found.dedup();
        found
    }

    /// The files that entries of a top-level key come from.
    fn files_of(&self, key: &str) -> impl Iterator<Item = String> {
        let entries = self.spec.document.others.iter().find(|(known, _)| known == key);
        let entries = entries.into_iter().flat_map(|(_, written)| written.entries());
        entries
            .filter_map(|(_, entry)| entry.get("file")?.as_text())
            .map(|path| beside(path).unwrap_or_else(|| path.trim_start_matches("./").to_owned()))
    }
}

/// A path beside the spec, from its folder; none for another one, and for the name of a volume.
fn beside(path: &str) -> Option<String> {
    let inside = path.strip_prefix("./")?;
    let is_outside = inside.split('/').any(|part| part == "..") || inside.contains('$');
    (!is_outside && !inside.trim_matches('/').is_empty()).then(|| inside.trim_matches('/').to_owned())
}

/// One entry of `ports`: the host's port as it is written, with variables in it, and the container's.
fn published(entry: &Written) -> Option<(String, u16)> {
    if let Some(target) = entry.get("target") {
        let target: u16 = target.as_text()?.parse().ok()?;
        return Some((entry.get("published")?.as_text()?.to_owned(), target));
    }
    let text = entry.as_text()?;
    let text = text.split('/').next()?;
    // Colons inside of `${…}` do not count.
    let (mut depth, mut parts) = (0_usize, vec![String::new()]);
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    let target = parts.pop()?.parse().ok()?;
    Some((parts.pop()?, target))
}

/// A name as a part of a variable's.
pub(super) fn variable(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        for (text, expected) in [
            ("8080:80", Some(("8080".to_owned(), 80))),
            ("127.0.0.1:${PORT:-8080}:8080/tcp", Some(("${PORT:-8080}".to_owned(), 8080))),
            ("80", None),
        ] {
            assert_eq!(published(&Written::text(text)), expected, "{text}");
        }
        assert_eq!(variable("traderx-state.4"), "TRADERX_STATE_4");
    }
}
