//! The Compose keys that say something about an image. All other keys are Compose's business.

use std::time::Duration;

use serde_json::Value as Json;

use super::reader::{FromNode, Located, Reader, record};
use super::schema::{self, Definitions};
use super::values::{OneOrMany, Pairs, Port, Words, parse_expose, parse_published};
use super::yaml::{Node, Value};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};

record! {
    /// A service, as far as its image goes.
    open "a service" struct Service {
        /// Where the service's image comes from and goes to.
        build: Option<Build>,
        /// The image's name.
        image: Option<Located<String>>,
        /// The image's `Cmd`.
        command: Option<Words>,
        /// The image's `Entrypoint`.
        entrypoint: Option<Words>,
        /// Ports that other services reach.
        expose: Expose,
        /// Ports that are published; their container side is exposed as well.
        ports: Published,
        /// The image's `Healthcheck`.
        healthcheck: Option<Healthcheck>,
        /// The user that runs, as `uid`, `uid:gid` or a name.
        user: Option<Located<String>>,
        /// The image's `WorkingDir`.
        working_dir: Option<Located<String>>,
        /// The image's `StopSignal`.
        stop_signal: Option<Located<String>>,
        /// How long a stop may take.
        stop_grace_period: Option<Duration>,
        /// Whether the container's root file system refuses writes.
        read_only: Option<bool>,
        /// Folders in memory.
        tmpfs: OneOrMany,
        /// What is mounted.
        volumes: Volumes,
    }
}

/// `build`: a context alone, or a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Build {
    /// The build context.
    pub context: Option<Located<String>>,
    /// The build file.
    pub dockerfile: Option<Located<String>>,
    /// The target within it.
    pub target: Option<Located<String>>,
    /// Build arguments: the variables that Compose and bake pass on.
    pub args: Pairs,
    /// Labels of the image.
    pub labels: Pairs,
}

record! {
    /// `build` as a mapping.
    open "`build`" struct BuildMapping {
        /// See [`Build`].
        context: Option<Located<String>>,
        /// See [`Build`].
        dockerfile: Option<Located<String>>,
        /// See [`Build`].
        target: Option<Located<String>>,
        /// See [`Build`].
        args: Pairs,
        /// See [`Build`].
        labels: Pairs,
    }
}

impl FromNode for Build {
    fn schema(definitions: &mut Definitions) -> Json {
        schema::any([schema::text(), BuildMapping::schema(definitions)])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if let Value::Mapping(_) = node.value {
            let BuildMapping { context, dockerfile, target, args, labels, .. } =
                BuildMapping::from_node(node, reader)?;
            return Some(Self { context, dockerfile, target, args, labels });
        }
        let context = Some(Located::from_node(node, reader)?);
        Some(Self {
            context,
            dockerfile: None,
            target: None,
            args: Pairs::default(),
            labels: Pairs::default(),
        })
    }
}

record! {
    /// `healthcheck`.
    closed "`healthcheck`" struct Healthcheck {
        /// The command; a text runs in the container's shell.
        test: Option<HealthTest>,
        /// Between two checks.
        interval: Option<Duration>,
        /// For one check.
        timeout: Option<Duration>,
        /// During which failures do not count.
        start_period: Option<Duration>,
        /// Between two checks during the start period.
        start_interval: Option<Duration>,
        /// Failures in a row that make it unhealthy.
        retries: Option<u32>,
        /// Turns the image's own check off.
        disable: Option<bool>,
    }
}

/// A health check's command in the form of image configurations: `["CMD", …]`,
/// `["CMD-SHELL", text]` or `["NONE"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthTest(pub Vec<String>);

impl FromNode for HealthTest {
    fn schema(definitions: &mut Definitions) -> Json {
        schema::any([schema::text(), schema::list(&String::schema(definitions))])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Sequence(_) = node.value else {
            let text = reader.scalar(node, "a command: a text or a list of words")?;
            return Some(Self(vec!["CMD-SHELL".to_owned(), text]));
        };
        let words: Vec<String> = Vec::from_node(node, reader)?;
        if let Some("CMD" | "CMD-SHELL" | "NONE") = words.first().map(String::as_str) {
            Some(Self(words))
        } else {
            let message = "a health check's list starts with `CMD`, `CMD-SHELL` or `NONE`";
            reader.bad_value(&node.span, message, Some("write `test: [CMD, …]`, or one text for the shell"));
            None
        }
    }
}

/// The ports of `expose`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expose(pub Vec<Port>);

impl FromNode for Expose {
    fn schema(_: &mut Definitions) -> Json {
        schema::list(&schema::pattern("^[0-9]+(-[0-9]+)?(/(tcp|udp|sctp))?$"))
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        ports(node, reader, |node, reader| text_ports(node, reader, parse_expose)).map(Self)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// The container's side of `ports`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Published(pub Vec<Port>);

record! {
    /// An entry of `ports` as a mapping.
    open "an entry of `ports`" struct PublishedMapping {
        /// The container's port.
        target: u32,
        /// `tcp` unless it says otherwise.
        protocol: Option<String>,
    }
}

impl FromNode for Published {
    fn schema(definitions: &mut Definitions) -> Json {
        schema::list(&schema::any([schema::text(), PublishedMapping::schema(definitions)]))
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let entry = |node: &Node, reader: &mut Reader<'_>| {
            if !matches!(node.value, Value::Mapping(_)) {
                return text_ports(node, reader, parse_published);
            }
            let entry = PublishedMapping::from_node(node, reader)?;
            let protocol = entry.protocol.unwrap_or_else(|| "tcp".to_owned());
            let ports = parse_expose(&format!("{}/{protocol}", entry.target));
            if ports.is_none() {
                reader.bad_value(&node.span, format!("`{}/{protocol}` is no port", entry.target), None);
            }
            ports
        };
        ports(node, reader, entry).map(Self)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

fn ports(
    node: &Node,
    reader: &mut Reader<'_>,
    mut entry: impl FnMut(&Node, &mut Reader<'_>) -> Option<Vec<Port>>,
) -> Option<Vec<Port>> {
    let Value::Sequence(items) = &node.value else {
        reader.wrong_type(node, "a list of ports");
        return None;
    };
    let read: Vec<Option<Vec<Port>>> = items.iter().map(|item| entry(item, reader)).collect();
    let mut ports = read.into_iter().collect::<Option<Vec<_>>>()?.concat();
    ports.sort();
    ports.dedup();
    Some(ports)
}

fn text_ports(
    node: &Node,
    reader: &mut Reader<'_>,
    parse: fn(&str) -> Option<Vec<Port>>,
) -> Option<Vec<Port>> {
    let text = reader.scalar(node, "a port")?;
    let ports = parse(&text);
    if ports.is_none() {
        reader.bad_value(
            &node.span,
            format!("`{text}` is no port"),
            Some("write it like `\"8080\"` or `\"8080:80\"`"),
        );
    }
    ports
}

/// Where volumes of the container's own are mounted: anonymous and named ones. Binds and
/// folders in memory bring their own content, so an image need not know of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Volumes(pub Vec<Located<String>>);

impl FromNode for Volumes {
    fn schema(_: &mut Definitions) -> Json {
        schema::list(&serde_json::json!({ "type": ["string", "object"] }))
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Sequence(items) = &node.value else {
            reader.wrong_type(node, "a list of volumes");
            return None;
        };
        let read: Vec<Option<Mounted>> = items.iter().map(|item| volume(item, reader)).collect();
        let mut mounts: Vec<Mounted> = Vec::new();
        for mounted in read.into_iter().collect::<Option<Vec<_>>>()? {
            // One target, one mount: of several, Compose takes the last.
            mounts.retain(|known| known.target.value != mounted.target.value);
            mounts.push(mounted);
        }
        Some(Self(mounts.into_iter().filter(|mounted| mounted.own).map(|mounted| mounted.target).collect()))
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// An entry of `volumes`.
struct Mounted {
    target: Located<String>,
    /// Whether it is a volume of the container's own.
    own: bool,
}

fn volume(node: &Node, reader: &mut Reader<'_>) -> Option<Mounted> {
    if let Value::Mapping(_) = node.value {
        let kind = reader.field::<Option<String>>(node, "type", "an entry of `volumes`")?;
        let target = reader.field::<Located<String>>(node, "target", "an entry of `volumes`")?;
        return Some(Mounted { target, own: kind.as_deref() == Some("volume") });
    }
    let text = reader.scalar(node, "a volume")?;
    let mut parts = text.split(':');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let own = second.is_none() || !first.starts_with(['/', '.', '~']);
    let target = second.unwrap_or(first).to_owned();
    Some(Mounted { target: Located { value: target, span: node.span.clone() }, own })
}

/// The top level's services, each with its node.
pub(super) fn services<'n>(root: &'n Node, reader: &mut Reader<'_>) -> Vec<(&'n super::yaml::Key, &'n Node)> {
    let Some(services) = root.get("services") else {
        let entries = match &root.value {
            Value::Mapping(entries) => entries.as_slice(),
            _ => &[],
        };
        let meant = entries.iter().find(|(key, _)| did_you_mean(&key.name, ["services"]).is_some());
        reader.report(
            Diagnostic::new(Code::MissingKey, "the file has no `services`")
                .at(&meant.map_or(&root.span, |(key, _)| &key.span).clone())
                .help_if(meant.map(|(key, _)| format!("is `{}` meant to be it?", key.name)))
                .help("a spec is a Compose file: each component is a service with an `x-slipway` key"),
        );
        return Vec::new();
    };
    let Some(entries) = reader.mapping(services, "`services`") else { return Vec::new() };
    entries.iter().map(|(key, node)| (key, node)).collect()
}
