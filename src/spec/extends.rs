//! `extends`: a service that starts from another one, of this file or a file beside it.
//!
//! The joining follows Compose: mappings are joined, single values replaced, lists appended,
//! and lists that stand for a whole (a command, a health check's test) replaced. As in Compose,
//! the service that is extended keeps its own `extends`, and a circle is an error.

use std::collections::BTreeMap;

use super::reader::Reader;
use super::yaml::{Joining, Key, Node, Value};
use crate::diagnostic::{Code, Diagnostic, Span, did_you_mean};

/// The files that have been read, by path relative to the spec's folder.
pub(super) type Files = BTreeMap<String, Option<Node>>;

/// A service with all that it extends joined in.
pub(super) struct Resolver<'a> {
    /// Files beside the spec; an absent entry has not been asked for yet.
    pub(super) files: &'a Files,
    /// Files that are needed to go on.
    pub(super) missing: Vec<String>,
}

impl Resolver<'_> {
    /// The service `name` of `root` with what it extends. The node itself if it extends nothing.
    pub(super) fn resolve(
        &mut self,
        root: &Node,
        file: &str,
        name: &str,
        node: &Node,
        reader: &mut Reader<'_>,
    ) -> Node {
        let mut chain = vec![(file.to_owned(), name.to_owned())];
        self.joined(root, file, node, &mut chain, reader)
    }

    fn joined(
        &mut self,
        root: &Node,
        file: &str,
        node: &Node,
        chain: &mut Vec<(String, String)>,
        reader: &mut Reader<'_>,
    ) -> Node {
        let Some(extends) = node.get("extends").filter(|extends| extends.value != Value::Null) else {
            return node.clone();
        };
        let Some((name, other)) = reference(extends, reader) else { return node.clone() };
        let files = self.files;
        let (base_root, base_file) = match &other {
            None => (root, file.to_owned()),
            Some(path) => {
                let Some(path) = relative(file, path) else {
                    let message =
                        format!("`extends` names the file `{path}`, which lies outside of the spec's folder");
                    let help = "a build sees the folder of the spec and what is below it";
                    report(reader, &extends.span, message, Some(help.to_owned()));
                    return node.clone();
                };
                match files.get(&path) {
                    Some(Some(root)) => (root, path),
                    Some(None) => {
                        report(
                            reader,
                            &extends.span,
                            format!("`extends` names the file `{path}`, which is not beside the spec"),
                            None,
                        );
                        return node.clone();
                    }
                    None => {
                        self.missing.push(path);
                        return node.clone();
                    }
                }
            }
        };
        if base_root.value == Value::Null {
            return node.clone();
        }
        let services = base_root.get("services");
        let Some(base) = services.and_then(|services| services.get(&name)) else {
            let known = match services.map(|services| &services.value) {
                Some(Value::Mapping(entries)) => entries.iter().map(|(key, _)| key.name.as_str()).collect(),
                _ => vec![],
            };
            let help = did_you_mean(&name, known).map(|meant| format!("did you mean `{meant}`?"));
            report(
                reader,
                &extends.span,
                format!("`extends` names the service `{name}`, which {base_file} does not have"),
                help,
            );
            return node.clone();
        };
        let link = (base_file.clone(), name.clone());
        if chain.contains(&link) {
            report(reader, &extends.span, format!("`extends` leads in a circle through `{name}`"), None);
            return node.clone();
        }
        chain.push(link);
        let base = self.joined(base_root, &base_file, base, chain, reader);
        join(&base, node, &[])
    }
}

fn report(reader: &mut Reader<'_>, span: &Span, message: String, help: Option<String>) {
    reader.report(Diagnostic::new(Code::Extends, message).at(span).help_if(help));
}

/// Service and file of `extends: name` or `extends: { service: name, file: path }`.
fn reference(extends: &Node, reader: &mut Reader<'_>) -> Option<(String, Option<String>)> {
    if let Value::Mapping(entries) = &extends.value {
        reader.only_known_keys(entries, "`extends`", &["service", "file"]);
        let service = reader.field(extends, "service", "`extends`")?;
        return Some((service, reader.field(extends, "file", "`extends`")?));
    }
    Some((reader.scalar(extends, "a service's name")?, None))
}

/// A path beside a file, relative to the spec's folder; none for one outside of it.
pub(super) fn relative(file: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> =
        file.rsplit_once('/').map(|(folder, _)| folder.split('/').collect()).unwrap_or_default();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Lists that are replaced as a whole.
fn replaces(path: &[&str]) -> bool {
    matches!(path, ["command" | "entrypoint"] | ["healthcheck", "test"])
}

/// Names with values, which Compose takes as a mapping or as a list.
fn is_pairs(path: &[&str]) -> bool {
    matches!(path, ["environment" | "labels"] | ["build", "args" | "labels"])
}

fn join(base: &Node, over: &Node, path: &[&str]) -> Node {
    if path == ["build"] {
        let (base, over) = (with_context(base), with_context(over));
        return join_values(&base, &over, path);
    }
    join_values(base, over, path)
}

/// `build: folder` in its long form.
fn with_context(build: &Node) -> Node {
    let Value::String(_) = build.value else { return build.clone() };
    let key = Key { name: "context".to_owned(), span: build.span.clone() };
    Node { value: Value::Mapping(vec![(key, build.clone())]), ..build.clone() }
}

fn join_values(base: &Node, over: &Node, path: &[&str]) -> Node {
    let value = match (&base.value, &over.value) {
        _ if over.joining != Joining::Usual => over.value.clone(),
        (Value::Mapping(base), Value::Mapping(over)) => Value::Mapping(join_mappings(base, over, path)),
        _ if is_pairs(path) => match (pairs(base), pairs(over)) {
            (Some(base), Some(over)) => Value::Mapping(join_mappings(&base, &over, path)),
            _ => over.value.clone(),
        },
        (Value::Sequence(base), Value::Sequence(over)) if !replaces(path) => {
            Value::Sequence(base.iter().chain(over).cloned().collect())
        }
        // What is replaced as a whole is replaced by nothing as well.
        (_, Value::Null) if !replaces(path) => base.value.clone(),
        _ => over.value.clone(),
    };
    Node { value, span: over.span.clone(), joining: over.joining }
}

fn join_mappings(base: &[(Key, Node)], over: &[(Key, Node)], path: &[&str]) -> Vec<(Key, Node)> {
    let mut result: Vec<(Key, Node)> =
        base.iter().filter(|(key, _)| key.name != "extends").cloned().collect();
    for (key, node) in over {
        match result.iter_mut().find(|(known, _)| known.name == key.name) {
            Some((known, value)) => {
                let mut path = path.to_vec();
                path.push(&key.name);
                *value = join(value, node, &path);
                *known = key.clone();
            }
            None => result.push((key.clone(), node.clone())),
        }
    }
    result
}

/// A list of `NAME=value` as a mapping.
fn pairs(node: &Node) -> Option<Vec<(Key, Node)>> {
    match &node.value {
        Value::Mapping(entries) => Some(entries.clone()),
        Value::Sequence(items) => items
            .iter()
            .map(|item| {
                let Value::String(text) = &item.value else { return None };
                let (name, value) = match text.split_once('=') {
                    Some((name, value)) => (name, Value::String(value.to_owned())),
                    None => (text.as_str(), Value::Null),
                };
                let key = Key { name: name.to_owned(), span: item.span.clone() };
                Some((key, Node { value, span: item.span.clone(), joining: Joining::Usual }))
            })
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn paths_beside_a_file() {
        let path = |file, path| relative(file, path).unwrap_or_else(|| "outside".to_owned());
        assert_eq!(path("spec.yaml", "common.yaml"), "common.yaml");
        assert_eq!(path("spec.yaml", "./a/b.yaml"), "a/b.yaml");
        assert_eq!(path("a/b.yaml", "../c.yaml"), "c.yaml");
        assert_eq!(path("a/b.yaml", "c.yaml"), "a/c.yaml");
        assert_eq!(path("spec.yaml", "../up.yaml"), "outside");
        assert_eq!(path("spec.yaml", "/etc/x.yaml"), "outside");
    }
}
