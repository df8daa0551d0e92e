//! The Compose keys that say something about an image. All other keys are Compose's business.

use std::ops::Deref;
use std::time::Duration;

use serde_json::Value as Json;

use super::reader::{FromNode, Located, Reader, record};
use super::schema::{self, Definitions};
use super::values::{OneOrMany, Pairs, Port, Words, parse_expose, parse_published, shown};
use super::yaml::{Node, Value};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};

/// The keys as they are written.
mod keys {
    use super::{
        Build, Duration, Expose, Healthcheck, Located, OneOrMany, Published, Volumes, Words, record,
    };

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
}

/// A service, as far as its image goes. What is empty is absent, as in Compose.
#[derive(Clone, Debug, PartialEq)]
pub struct Service(keys::Service);

impl Deref for Service {
    type Target = keys::Service;

    fn deref(&self) -> &keys::Service {
        &self.0
    }
}

impl FromNode for Service {
    fn schema(definitions: &mut Definitions) -> Json {
        keys::Service::schema(definitions)
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let mut keys = keys::Service::from_node(node, reader)?;
        for text in [&mut keys.image, &mut keys.user, &mut keys.working_dir, &mut keys.stop_signal] {
            // `user: ${USER_ID:-}`
            *text = text.take().filter(|text| !text.value.is_empty());
        }
        if let Some(check) = &mut keys.healthcheck {
            check.test = check.test.take().filter(|test| !test.0.is_empty());
        }
        let mut tmpfs: Vec<Located<String>> = Vec::new();
        for entry in keys.tmpfs.0 {
            // One name, one entry: of several, Compose takes the last.
            let name = |entry: &Located<String>| entry.value.split('=').next().map(str::to_owned);
            match tmpfs.iter_mut().find(|known| name(known) == name(&entry)) {
                Some(known) => *known = entry,
                None => tmpfs.push(entry),
            }
        }
        keys.tmpfs = OneOrMany(tmpfs);
        Some(Self(keys))
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
        args: Texts,
        /// See [`Build`].
        labels: Texts,
    }
}

/// Names with values, where numbers become texts as in Compose.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts(Pairs);

impl FromNode for Texts {
    fn schema(definitions: &mut Definitions) -> Json {
        Pairs::schema(definitions)
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Pairs::read(node, reader, |reader, value| shown(reader, value, "a text")).map(Self)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl FromNode for Build {
    fn schema(definitions: &mut Definitions) -> Json {
        schema::any([schema::text(), BuildMapping::schema(definitions)])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let given = |text: Option<Located<String>>| text.filter(|text| !text.value.is_empty());
        if let Value::Mapping(_) = node.value {
            let BuildMapping { context, dockerfile, target, args, labels, .. } =
                BuildMapping::from_node(node, reader)?;
            return Some(Self {
                context: given(context),
                dockerfile: given(dockerfile),
                target: given(target),
                args: args.0,
                labels: labels.0,
            });
        }
        let context = Some(Located::from_node(node, reader)?);
        Some(Self {
            context: given(context),
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
        // An empty list says nothing, as in Compose.
        if let None | Some("CMD" | "CMD-SHELL" | "NONE") = words.first().map(String::as_str) {
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
    let text = shown(reader, node, "a port")?;
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
        let mut target = reader.field::<Located<String>>(node, "target", "an entry of `volumes`")?;
        target.value = clean(&target.value);
        return Some(Mounted { target, own: kind.as_deref() == Some("volume") });
    }
    let text = reader.scalar(node, "a volume")?;
    let Some((source, target)) = short_volume(&text) else {
        let help = "write it like `/data`, `data:/data` or `./data:/data:ro`";
        reader.bad_value(&node.span, format!("`{text}` is no volume"), Some(help));
        return None;
    };
    let own = source.is_none_or(|source| !source.starts_with(['/', '.', '~', '\\']) && !is_drive(source));
    Some(Mounted { target: Located { value: clean(target), span: node.span.clone() }, own })
}

/// Source and target of `[source:]target[:options]`. As in Compose, a single letter before a
/// colon is a drive of Windows.
fn short_volume(text: &str) -> Option<(Option<&str>, &str)> {
    let mut fields = Vec::new();
    let mut start = 0;
    for (place, _) in text.match_indices(':') {
        if !(is_drive(&text[start..=place]) && place == start + 1) {
            fields.push(&text[start..place]);
            start = place + 1;
        }
    }
    fields.push(&text[start..]);
    match fields[..] {
        _ if fields.contains(&"") => None,
        [target] => Some((None, target)),
        [source, target] | [source, target, _] => Some((Some(source), target)),
        _ => None,
    }
}

fn is_drive(path: &str) -> bool {
    path.starts_with(|c: char| c.is_ascii_alphabetic()) && path[1..].starts_with(':')
}

/// A path without detours: `/a//b/../c/` is `/a/c`.
fn clean(path: &str) -> String {
    if path.starts_with('/') {
        return format!("/{}", crate::paths::rooted(path).join("/"));
    }
    let parts = crate::paths::parts("", path);
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::SourceText;
    use crate::spec::yaml;

    /// Reads a service that consists of these lines.
    fn service(text: &str) -> Option<Service> {
        let file = SourceText { name: "x.yaml".to_owned(), text: text.to_owned() };
        let node = yaml::parse(&Arc::new(file)).expect("valid");
        Service::from_node(&node, &mut Reader::new(&BTreeMap::new()))
    }

    #[test]
    fn what_is_empty_is_absent() {
        let read = service("user: ''\nworking_dir: ''\nimage: ${X:-}\nhealthcheck: { test: [] }\nbuild: ''")
            .expect("readable");
        assert_eq!((&read.user, &read.working_dir, &read.image), (&None, &None, &None));
        assert_eq!(read.healthcheck.as_ref().and_then(|check| check.test.clone()), None);
        assert_eq!(read.build.as_ref().and_then(|build| build.context.clone()), None);
    }

    #[test]
    fn numbers_become_texts_as_in_compose() {
        let read = service("build: { labels: { a: 1.10, b: 0x10 } }\nexpose: [0x10]\nports: [0o17]")
            .expect("readable");
        let labels: Vec<_> = read.build.iter().flat_map(|build| build.labels.with_values()).collect();
        assert_eq!(labels, [("a", "1.1"), ("b", "16")]);
        assert_eq!((read.expose.0[0].number, read.ports.0[0].number), (16, 15));
    }

    #[test]
    fn of_several_entries_in_memory_the_last_counts() {
        let read = service("tmpfs: ['/a:size=1m', /b, '/a:size=2m']").expect("readable");
        assert_eq!(read.tmpfs.0.iter().map(|path| &path.value).collect::<Vec<_>>(), ["/a:size=2m", "/b"]);
    }

    #[test]
    fn volumes_in_one_text() {
        for (text, expected) in [
            ("/data/", Some((None, "/data/"))),
            ("data:/data:ro", Some((Some("data"), "/data"))),
            ("C:\\x:/data", Some((Some("C:\\x"), "/data"))),
            ("v:/data", Some((None, "v:/data"))),
            ("ab:", None),
            ("ab::/c", None),
            ("ab:/c:ro:more", None),
            ("", None),
        ] {
            assert_eq!(short_volume(text), expected, "{text}");
        }
        for (path, expected) in
            [("/a//b/../c/", "/a/c"), ("/..", "/"), ("a/../..", ".."), ("./a", "a"), ("", ".")]
        {
            assert_eq!(clean(path), expected, "{path}");
        }
        let read = service("volumes: [/data/, './x:/data', 'ab:/y//']").expect("readable");
        assert_eq!(read.volumes.0.iter().map(|volume| &volume.value).collect::<Vec<_>>(), ["/y"]);
    }
}
