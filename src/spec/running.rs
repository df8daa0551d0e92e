//! What a service says about how it runs, as far as lint rules look at it: environment,
//! dependencies, mounts, privileges.
//!
//! None of this decides what is built, and Compose reads it by its own rules. So it is read
//! leniently: what has another form than expected is passed over, and a variable without a value
//! is no error here.

use std::collections::BTreeMap;

use super::interpolate::{Problem, interpolate};
use super::reader::Located;
use super::values::{Port, parse_expose, parse_published, split_words};
use super::yaml::{Node, Value};
use crate::diagnostic::Span;

/// A service as it runs.
#[derive(Clone, Debug)]
pub struct Running {
    /// Its name.
    pub name: Located<String>,
    /// Its environment.
    pub environment: Vec<Setting>,
    /// Its labels in Compose.
    pub labels: Vec<Setting>,
    /// What it waits for.
    pub depends_on: Vec<Dependency>,
    /// The container ports that it exposes or publishes.
    pub ports: Vec<Port>,
    /// Names under which other services reach it beside its own.
    pub aliases: Vec<String>,
    /// Whether Compose checks its health: none if the image decides.
    pub health_check: Option<bool>,
    /// What is mounted.
    pub mounts: Vec<MountedPath>,
    /// Everything that gives it more of the host than it needs, in words.
    pub host_access: Vec<Located<String>>,
    /// The profiles that it belongs to.
    pub profiles: Vec<Located<String>>,
    /// Whether memory or processors are limited.
    pub has_limits: bool,
    /// Its `build`, if it has one.
    pub build: Option<BuildKeys>,
    /// Where it says that its root file system refuses writes.
    pub read_only: Option<Span>,
    /// Its command, as text.
    pub command: Option<Located<String>>,
    /// Its command and its entrypoint, as words; none if the image decides.
    pub words: [Option<Vec<String>>; 2],
    /// Its image.
    pub image: Option<Located<String>>,
    /// Whether its programs can gain nothing by set-uid files.
    pub no_new_privileges: bool,
}

/// A name with a value.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The name.
    pub name: String,
    /// The value as it is written, variables and all.
    pub written: String,
    /// The value with variables replaced, or their defaults.
    pub value: String,
    /// Likewise, with a stand-in for every variable that must have a value and has none.
    pub filled: String,
    /// The value that the file alone gives: with the variables' defaults.
    pub fallback: String,
    /// The variables in it that must have a value: `${NAME:?}`.
    pub needs: Vec<String>,
    /// The place of the value.
    pub span: Span,
}

impl Setting {
    /// Whether the value has to come from outside, all of it: `${NAME:?}`.
    pub fn is_required(&self) -> bool {
        let whole = |name: &String| {
            let rest = self.written.strip_prefix("${").and_then(|rest| rest.strip_prefix(name.as_str()));
            let message = rest.and_then(|rest| rest.strip_prefix(":?").or(rest.strip_prefix('?')));
            message
                .and_then(|message| message.strip_suffix('}'))
                .is_some_and(|message| !message.contains('}'))
        };
        self.needs.first().is_some_and(whole)
    }
}

/// A service that another one waits for.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// Its name.
    pub service: Located<String>,
    /// What is waited for; `service_started` unless it says otherwise.
    pub condition: String,
}

/// Something mounted.
#[derive(Clone, Debug)]
pub struct MountedPath {
    /// The host's path or the volume's name; none for what is the container's own.
    pub source: Option<String>,
    /// Where.
    pub target: String,
    /// The place.
    pub span: Span,
}

/// What `build` says beside what makes the image.
#[derive(Clone, Debug)]
pub struct BuildKeys {
    /// The place.
    pub span: Span,
    /// The secrets that it passes on; none if it does not say.
    pub secrets: Vec<Located<String>>,
    /// The ssh agents that it passes on.
    pub ssh: Vec<Located<String>>,
    /// The build context.
    pub context: Option<String>,
    /// Further sources, by name: `additional_contexts`.
    pub additional_contexts: Vec<Setting>,
}

impl Running {
    /// Reads a service.
    pub(super) fn read(name: Located<String>, node: &Node, variables: &BTreeMap<String, String>) -> Self {
        let read = Lenient { variables };
        Self {
            environment: read.settings(node.get("environment")),
            labels: read.settings(node.get("labels")),
            depends_on: read.dependencies(node.get("depends_on")),
            ports: read.ports(node),
            aliases: read.aliases(node),
            health_check: read.health_check(node.get("healthcheck")),
            mounts: read.mounts(node),
            host_access: read.host_access(node),
            profiles: read.texts(node.get("profiles")),
            has_limits: has_limits(node),
            build: node.get("build").map(|build| BuildKeys {
                span: build.span.clone(),
                secrets: read.references(build.get("secrets")),
                ssh: read.ssh(build.get("ssh")),
                context: build.get("context").and_then(|node| read.text(node)).map(|text| text.value),
                additional_contexts: read.settings(build.get("additional_contexts")),
            }),
            read_only: node.get("read_only").map(|node| node.span.clone()),
            command: node.get("command").and_then(|command| {
                let words: Vec<String> =
                    read.texts(Some(command)).into_iter().map(|word| word.value).collect();
                (!words.is_empty()).then(|| Located { value: words.join(" "), span: command.span.clone() })
            }),
            words: ["command", "entrypoint"].map(|key| read.words(node.get(key))),
            image: node.get("image").and_then(|image| read.text(image)),
            no_new_privileges: read.texts(node.get("security_opt")).iter().any(|option| {
                matches!(
                    option.value.replace('=', ":").as_str(),
                    "no-new-privileges" | "no-new-privileges:true"
                )
            }),
            name,
        }
    }
}

/// A value for a variable that must have one, for the time of a check.
pub fn stand_in(name: &str) -> String {
    format!("a-value-of-{name}-for-the-time-of-the-check")
}

struct Lenient<'a> {
    variables: &'a BTreeMap<String, String>,
}

impl Lenient<'_> {
    fn text(&self, node: &Node) -> Option<Located<String>> {
        let value = match &node.value {
            Value::String(text) => interpolate(text, self.variables).text,
            Value::Number { text, .. } => text.clone(),
            Value::Bool(value) => value.to_string(),
            _ => return None,
        };
        Some(Located { value, span: node.span.clone() })
    }

    /// One text, or a list of them.
    fn texts(&self, node: Option<&Node>) -> Vec<Located<String>> {
        match node.map(|node| &node.value) {
            Some(Value::Sequence(items)) => items.iter().filter_map(|item| self.text(item)).collect(),
            _ => node.and_then(|node| self.text(node)).into_iter().collect(),
        }
    }

    /// A command's words.
    fn words(&self, node: Option<&Node>) -> Option<Vec<String>> {
        match &node?.value {
            Value::Null => None,
            Value::Sequence(_) => Some(self.texts(node).into_iter().map(|word| word.value).collect()),
            _ => split_words(&self.text(node?)?.value).ok(),
        }
    }

    fn settings(&self, node: Option<&Node>) -> Vec<Setting> {
        let setting = |name: &str, written: &str, span: &Span| {
            let bare = interpolate(written, &BTreeMap::new());
            let needs: Vec<String> = bare
                .problems
                .iter()
                .filter_map(|problem| match problem {
                    Problem::Required { name, .. } => Some(name.clone()),
                    _ => None,
                })
                .collect();
            Setting {
                name: name.to_owned(),
                written: written.to_owned(),
                value: interpolate(written, self.variables).text,
                filled: self.filled(written, &needs),
                fallback: bare.text,
                needs,
                span: span.clone(),
            }
        };
        let raw = |node: &Node| match &node.value {
            Value::String(text) | Value::Number { text, .. } => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            _ => None,
        };
        match node.map(|node| &node.value) {
            Some(Value::Mapping(entries)) => entries
                .iter()
                .filter_map(|(key, node)| Some(setting(&key.name, &raw(node)?, &node.span)))
                .collect(),
            Some(Value::Sequence(items)) => items
                .iter()
                .filter_map(|item| {
                    let text = raw(item)?;
                    let (name, value) = text.split_once('=')?;
                    Some(setting(name, value, &item.span))
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// A text in which every variable that must have a value has one: long enough for a key, the same
    /// wherever the variable is used, and no secret.
    fn filled(&self, written: &str, needs: &[String]) -> String {
        // Also for those that have one: what is given to a build may be the real secret.
        let mut variables = self.variables.clone();
        variables.extend(needs.iter().map(|name| (name.clone(), stand_in(name))));
        interpolate(written, &variables).text
    }

    fn dependencies(&self, node: Option<&Node>) -> Vec<Dependency> {
        let Some(Value::Mapping(entries)) = node.map(|node| &node.value) else {
            let started = |service| Dependency { service, condition: "service_started".to_owned() };
            return self.texts(node).into_iter().map(started).collect();
        };
        let entry = |(key, node): &(super::yaml::Key, Node)| Dependency {
            service: Located { value: key.name.clone(), span: key.span.clone() },
            condition: node
                .get("condition")
                .and_then(|node| self.text(node))
                .map_or_else(|| "service_started".to_owned(), |text| text.value),
        };
        entries.iter().map(entry).collect()
    }

    fn ports(&self, node: &Node) -> Vec<Port> {
        let exposed = self.texts(node.get("expose")).into_iter().filter_map(|text| parse_expose(&text.value));
        let published = match node.get("ports").map(|node| &node.value) {
            Some(Value::Sequence(items)) => items.as_slice(),
            _ => &[],
        };
        let published = published.iter().filter_map(|item| {
            let target = item.get("target").and_then(|target| self.text(target));
            match target {
                Some(target) => parse_expose(&target.value),
                None => parse_published(&self.text(item)?.value),
            }
        });
        exposed.chain(published).flatten().collect()
    }

    fn aliases(&self, node: &Node) -> Vec<String> {
        let own = ["container_name", "hostname"].into_iter().flat_map(|key| self.texts(node.get(key)));
        let networks = match node.get("networks").map(|networks| &networks.value) {
            Some(Value::Mapping(entries)) => entries.as_slice(),
            _ => &[],
        };
        let aliases = networks.iter().flat_map(|(_, network)| self.texts(network.get("aliases")));
        own.chain(aliases).map(|text| text.value).collect()
    }

    fn health_check(&self, node: Option<&Node>) -> Option<bool> {
        let node = node?;
        let disabled = node.get("disable").is_some_and(|disable| disable.value == Value::Bool(true));
        let none = self.texts(node.get("test")).first().is_some_and(|word| word.value == "NONE");
        Some(!disabled && !none && node.get("test").is_some()).filter(|checked| *checked || disabled || none)
    }

    fn mounts(&self, node: &Node) -> Vec<MountedPath> {
        let own = |text: Located<String>| MountedPath {
            source: None,
            target: text.value.split(':').next().unwrap_or_default().to_owned(),
            span: text.span,
        };
        let volumes = match node.get("volumes").map(|node| &node.value) {
            Some(Value::Sequence(items)) => items.as_slice(),
            _ => &[],
        };
        let volumes = volumes.iter().filter_map(|item| {
            if let Value::Mapping(_) = item.value {
                let text = |key| item.get(key).and_then(|node| self.text(node)).map(|text| text.value);
                return Some(MountedPath {
                    source: text("source"),
                    target: text("target")?,
                    span: item.span.clone(),
                });
            }
            let text = self.text(item)?;
            let (source, target) = match text.value.split_once(':') {
                Some((source, rest)) => (Some(source.to_owned()), rest.split(':').next().unwrap_or(rest)),
                None => (None, text.value.as_str()),
            };
            Some(MountedPath { source, target: target.to_owned(), span: text.span.clone() })
        });
        self.texts(node.get("tmpfs")).into_iter().map(own).chain(volumes).collect()
    }

    /// Names in a list, short (`- token`) or long (`- { source: token }`).
    fn references(&self, node: Option<&Node>) -> Vec<Located<String>> {
        let Some(Value::Sequence(items)) = node.map(|node| &node.value) else { return Vec::new() };
        items
            .iter()
            .filter_map(|item| item.get("source").and_then(|s| self.text(s)).or_else(|| self.text(item)))
            .collect()
    }

    /// `default`, `name=path` or `name: path`.
    fn ssh(&self, node: Option<&Node>) -> Vec<Located<String>> {
        if let Some(Value::Mapping(entries)) = node.map(|node| &node.value) {
            let name = |(key, _): &(super::yaml::Key, Node)| Located {
                value: key.name.clone(),
                span: key.span.clone(),
            };
            return entries.iter().map(name).collect();
        }
        self.texts(node)
            .into_iter()
            .map(|text| Located {
                value: text.value.split('=').next().unwrap_or_default().to_owned(),
                span: text.span,
            })
            .collect()
    }

    fn host_access(&self, node: &Node) -> Vec<Located<String>> {
        let mut found = Vec::new();
        let mut note = |what: String, span: &Span| found.push(Located { value: what, span: span.clone() });
        if let Some(privileged) = node.get("privileged")
            && self.text(privileged).is_some_and(|text| text.value == "true")
        {
            note("it is privileged: it may do to the host whatever root may".to_owned(), &privileged.span);
        }
        for key in ["network_mode", "pid", "ipc", "userns_mode", "cgroup", "uts"] {
            if let Some(text) = node.get(key).and_then(|node| self.text(node))
                && text.value == "host"
            {
                note(format!("`{key}: host` shares the host's own"), &text.span);
            }
        }
        for option in self.texts(node.get("security_opt")) {
            if option.value.ends_with("unconfined") {
                note(format!("`{}` takes a fence away", option.value), &option.span);
            }
        }
        for device in self.texts(node.get("devices")) {
            if device.value.starts_with("/dev/sd")
                || device.value.starts_with("/dev/nvme")
                || device.value.starts_with("/dev/mem")
            {
                note(format!("it gets the host's `{}`", device.value), &device.span);
            }
        }
        for capability in self.texts(node.get("cap_add")) {
            let name = capability.value.to_uppercase();
            let name = name.trim_start_matches("CAP_");
            if ["ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "NET_ADMIN", "DAC_READ_SEARCH"]
                .contains(&name)
            {
                note(format!("the capability {name} reaches beyond the container"), &capability.span);
            }
        }
        for mount in self.mounts(node) {
            let source = mount.source.as_deref().unwrap_or_default();
            let folders =
                ["/var/run", "/run", "/var/lib/docker", "/etc", "/proc", "/sys", "/dev", "/boot", "/root"];
            if folders.contains(&source.trim_end_matches('/')) {
                note(format!("it mounts the host's `{source}`"), &mount.span);
            } else if ["docker.sock", "containerd.sock", "podman.sock"]
                .iter()
                .any(|name| source.ends_with(name))
            {
                note("who holds the engine's socket is root on its host".to_owned(), &mount.span);
            } else if source == "/" {
                note("it mounts the host's whole file system".to_owned(), &mount.span);
            }
        }
        found
    }
}

fn has_limits(node: &Node) -> bool {
    let limits = node.get("deploy").and_then(|deploy| deploy.get("resources")?.get("limits"));
    let limited = limits.is_some_and(|limits| limits.get("memory").or(limits.get("cpus")).is_some());
    limited || node.get("mem_limit").is_some()
}
