//! `extends`: a service that starts from another one, of this file or a file beside it.
//!
//! The joining follows Compose: mappings are joined, single values replaced, lists appended,
//! and lists that stand for a whole (a command, a health check's test) replaced. As in Compose,
//! the service that is extended keeps its own `extends`, and a circle is an error.

use std::collections::BTreeMap;

use super::reader::Reader;
use super::yaml::{Joining, Key, Node, Numeral, Value};
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
    if path.starts_with('/') { None } else { crate::paths::inside(crate::paths::parent(file), path) }
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
        _ if is_pairs(path) || path == ["tmpfs"] => join_texts(base, over),
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
                let mut inner = path.to_vec();
                inner.push(&key.name);
                // A name without a value is one: it takes the place of the other.
                *value = if is_pairs(path) { node.clone() } else { join(value, node, &inner) };
                *known = key.clone();
            }
            None => result.push((key.clone(), node.clone())),
        }
    }
    result
}

/// Joins what Compose takes as a list of texts. Of several with one name the last counts.
fn join_texts(base: &Node, over: &Node) -> Value {
    let mut result: Vec<Node> = Vec::new();
    for node in texts(base).into_iter().chain(texts(over)) {
        // A name with a variable in it is not known yet.
        let name = |node: &Node| match &node.value {
            Value::String(text) => {
                text.split('=').next().filter(|name| !name.contains('$')).map(str::to_owned)
            }
            _ => None,
        };
        match result.iter_mut().find(|known| name(known).is_some() && name(known) == name(&node)) {
            Some(known) => *known = node,
            None => result.push(node),
        }
    }
    Value::Sequence(result)
}

/// A list, a mapping as a list of `NAME=value`, or a single text.
fn texts(node: &Node) -> Vec<Node> {
    match &node.value {
        Value::Sequence(items) => items.clone(),
        Value::Mapping(entries) => entries
            .iter()
            .filter(|(_, value)| value.joining != Joining::Reset)
            .map(|(key, value)| {
                // Names have no variables where they are keys.
                let name = key.name.replace('$', "$$");
                let text = match &value.value {
                    Value::String(text) => format!("{name}={text}"),
                    Value::Bool(value) => format!("{name}={value}"),
                    Value::Number { text, .. } => format!("{name}={}", Numeral::shown(text)),
                    Value::Null => name,
                    // A wrong type, which is reported where it is read.
                    Value::Sequence(_) | Value::Mapping(_) => return value.clone(),
                };
                Node { value: Value::String(text), ..value.clone() }
            })
            .collect(),
        Value::String(_) => vec![node.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Joining, Key, Value, join_values, relative};
    use crate::diagnostic::SourceText;
    use crate::spec::yaml::{Node, parse};

    fn read(text: &str) -> Node {
        let file = SourceText { name: "x.yaml".to_owned(), text: text.to_owned() };
        parse(&Arc::new(file)).expect("valid").get("k").expect("there").clone()
    }

    /// What two values become, in short.
    fn joined(base: &str, over: &str, path: &[&str]) -> String {
        let text = |node: &Node| match &node.value {
            Value::String(text) => text.clone(),
            Value::Null => "nothing".to_owned(),
            other => other.kind().to_owned(),
        };
        let node = join_values(&read(&format!("k: {base}")), &read(&format!("k: {over}")), path);
        match &node.value {
            Value::Sequence(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
            Value::Mapping(entries) => {
                let entry = |(key, node): &(Key, Node)| format!("{}: {}", key.name, text(node));
                entries.iter().map(entry).collect::<Vec<_>>().join(", ")
            }
            _ => text(&node),
        }
    }

    #[test]
    fn names_with_values_in_both_forms() {
        let args = |base, over| joined(base, over, &["build", "args"]);
        assert_eq!(args("{ A: 1.10, B: , $C: x }", "[B=2, D]"), "A=1.1, B=2, $$C=x, D");
        assert_eq!(args("['${X:-a=b}=1', B]", "{ B: true }"), "${X:-a=b}=1, B=true");
        assert_eq!(args("[A=1, A=2]", "[A=3]"), "A=3");
        assert_eq!(args("{ A: x, B: y }", "{ A: , C: z }"), "A: nothing, B: y, C: z");
        assert_eq!(args("{ A: x }", "~"), "A=x");
        assert_eq!(args("[A=1]", "{ A: !reset x }"), "A=1");
    }

    #[test]
    fn folders_in_memory_in_both_forms() {
        assert_eq!(joined("/a", "[/b]", &["tmpfs"]), "/a, /b");
        assert_eq!(joined("['/a:size=1', /b]", "'/a:size=2'", &["tmpfs"]), "/a:size=2, /b");
    }

    #[test]
    fn what_overrides_joins_nothing() {
        let over = read("k: !override\n- /b\n");
        let node = join_values(&read("k: [/a]"), &over, &["tmpfs"]);
        assert_eq!((node.value, node.joining), (over.value, Joining::Override));
    }

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
