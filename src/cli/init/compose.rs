//! A Compose file that is there: which services are built, and its text with those services made
//! components.
//!
//! The text is edited line by line and never written anew, so that comments, order and form stay. The
//! result is read again: if anything has changed but what was to change, there is no result.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::lines::{EntryText, as_comment, entries, flow_parts, key_of, split_comment, unfold};
use super::write::{Component, head, scalar};

/// A Compose file.
pub(super) struct ComposeFile {
    lines: Vec<String>,
    root: Json,
    /// How its lines end.
    end: &'static str,
}

/// What `build` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Build {
    pub(super) context: String,
    pub(super) dockerfile: Option<String>,
    /// A Dockerfile in the Compose file itself.
    pub(super) inline: Option<String>,
    pub(super) target: Option<String>,
    pub(super) args: BTreeMap<String, String>,
}

/// A service that becomes a component.
pub(super) struct Change {
    pub(super) component: Component,
    /// Whether its health check's `test` becomes a comment: the contract asks instead.
    pub(super) without_test: bool,
}

/// Lines to be replaced by others.
struct Edit {
    first: usize,
    end: usize,
    lines: Vec<String>,
}

impl ComposeFile {
    /// Reads a file's text.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let root = parse(&text)?;
        unfold(&mut lines);
        if parse(&lines.join("\n"))? != root {
            return Err("its services are not written in a form that can be edited line by line".to_owned());
        }
        Ok(Self { lines, root, end })
    }

    /// The services' names, in the order of the file.
    pub(super) fn services(&self) -> Vec<String> {
        self.service_entries().into_iter().map(|entry| entry.key).collect()
    }

    fn service_entries(&self) -> Vec<EntryText> {
        let top = entries(&self.lines, 0, self.lines.len());
        let services = top.iter().find(|entry| entry.key == "services");
        services.map(|services| entries(&self.lines, services.first + 1, services.end)).unwrap_or_default()
    }

    /// A service with what it inherits within the file.
    pub(super) fn service(&self, name: &str) -> Json {
        self.inherited(name, 0)
    }

    fn inherited(&self, name: &str, depth: usize) -> Json {
        let own = self.root.get("services").and_then(|services| services.get(name)).cloned();
        let own = own.unwrap_or_default();
        let above = match own.get("extends") {
            Some(Json::String(name)) => Some(name.clone()),
            Some(Json::Object(keys)) if !keys.contains_key("file") => {
                keys.get("service").and_then(Json::as_str).map(str::to_owned)
            }
            _ => None,
        };
        let Some(above) = above.filter(|_| depth < 8) else { return own };
        let mut joined = self.inherited(&above, depth + 1);
        if let (Some(joined), Some(own)) = (joined.as_object_mut(), own.as_object()) {
            // A component of its own: what makes the other one's image is not inherited.
            joined.remove("x-slipway");
            joined.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        joined
    }

    /// What a service's `build` says.
    pub(super) fn build(&self, name: &str) -> Option<Build> {
        let service = self.service(name);
        let text = |value: Option<&Json>| value.and_then(Json::as_str).map(defaulted);
        Some(match service.get("build")? {
            Json::String(context) => Build { context: defaulted(context), ..Build::default() },
            Json::Object(keys) => Build {
                context: text(keys.get("context")).unwrap_or_else(|| ".".to_owned()),
                dockerfile: text(keys.get("dockerfile")),
                inline: keys.get("dockerfile_inline").and_then(Json::as_str).map(str::to_owned),
                target: text(keys.get("target")),
                args: arguments(keys.get("args")),
            },
            _ => return None,
        })
    }

    /// The text with these services made components of the spec `file`.
    pub(super) fn edited(&self, changes: &[Change], file: &str) -> Result<String, String> {
        let mut edits = Vec::new();
        for service in self.service_entries() {
            let Some(change) = changes.iter().find(|change| change.component.name == service.key) else {
                continue;
            };
            let keys = entries(&self.lines, service.first + 1, service.end);
            let Some(first) = keys.first() else {
                return Err(format!("`{}` is not written in a form that can be edited", service.key));
            };
            let indent = " ".repeat(first.indent);
            let step = " ".repeat(first.indent.saturating_sub(service.indent).max(1));
            let fields =
                [("context", ".".to_owned()), ("dockerfile", scalar(file)), ("target", scalar(&service.key))];
            let mut added = change.component.lines(&indent, &step);
            match keys.iter().find(|entry| entry.key == "build") {
                Some(build) => {
                    let mut lines = self.build_lines(build, &fields, &service.key);
                    lines.append(&mut added);
                    edits.push(Edit { first: build.first, end: build.end, lines });
                }
                None => {
                    // It is inherited, and so are the arguments.
                    let build = self.service(&service.key).get("build").cloned().unwrap_or_default();
                    let kept = build.as_object().into_iter().flatten();
                    let kept = kept.filter(|(key, _)| !is_replaced(key));
                    let parts = flow(&fields, kept.map(|(key, value)| format!("{key}: {value}")).collect());
                    let mut lines = vec![format!("{indent}build: {parts}")];
                    lines.append(&mut added);
                    edits.push(Edit { first: first.first, end: first.first, lines });
                }
            }
            if change.without_test
                && let Some(check) = keys.iter().find(|entry| entry.key == "healthcheck")
            {
                edits.push(self.without_test(check));
            }
        }
        edits.sort_by_key(|edit| edit.first);
        let mut lines = self.lines.clone();
        for edit in edits.into_iter().rev() {
            lines.splice(edit.first..edit.end, edit.lines);
        }
        let body = lines.join("\n") + "\n";
        let text = head(&body) + &body;
        self.verify(&text, changes)?;
        Ok(text.replace('\n', self.end))
    }

    /// The lines of a `build` that leads to the spec.
    fn build_lines(&self, build: &EntryText, fields: &[(&str, String); 3], name: &str) -> Vec<String> {
        let line = &self.lines[build.first];
        let (code, comment) = split_comment(line);
        let comment = if comment.is_empty() { String::new() } else { format!("  {comment}") };
        let (key, value) = code.split_once(':').unwrap_or((code, ""));
        let mut value = value.trim();
        let mut anchor = String::new();
        if value.starts_with('&') || value.starts_with('!') {
            let (first, rest) = value.split_once(' ').unwrap_or((value, ""));
            anchor = format!("{first} ");
            value = rest.trim();
        }
        let below = entries(&self.lines, build.first + 1, build.end);
        if value.is_empty() && !below.is_empty() {
            return self.build_block(build, &below, fields);
        }
        let written = |kept: Vec<String>| vec![format!("{key}: {anchor}{}{comment}", flow(fields, kept))];
        if value.starts_with('{') {
            let mut text = value.to_owned();
            for line in &self.lines[build.first + 1..build.end] {
                text.push(' ');
                text.push_str(split_comment(line).0.trim());
            }
            let parts = flow_parts(&text).unwrap_or_default();
            let kept = parts.into_iter().filter(|part| !is_replaced(key_of(part)));
            return written(kept.collect());
        }
        let is_mapping = || self.service(name).get("build").is_some_and(Json::is_object);
        if value.starts_with('*') && is_mapping() {
            return written(vec![format!("<<: {value}")]);
        }
        written(Vec::new())
    }

    fn build_block(
        &self,
        build: &EntryText,
        below: &[EntryText],
        fields: &[(&str, String); 3],
    ) -> Vec<String> {
        let indent = " ".repeat(below[0].indent);
        let mut lines = vec![self.lines[build.first].clone()];
        let mut missing: Vec<String> = Vec::new();
        for (name, value) in fields {
            if !below.iter().any(|entry| entry.key == *name) {
                missing.push(format!("{indent}{name}: {value}"));
            }
        }
        let mut place = build.first + 1;
        for entry in below {
            lines.extend(self.lines[place..entry.first].iter().cloned());
            if let Some((name, value)) = fields.iter().find(|(name, _)| *name == entry.key) {
                let (_, comment) = split_comment(&self.lines[entry.first]);
                let comment = if comment.is_empty() { String::new() } else { format!("  {comment}") };
                lines.push(format!("{indent}{name}: {value}{comment}"));
            } else if entry.key == "dockerfile_inline" {
                lines.extend(
                    self.lines[entry.first..entry.end].iter().map(|line| as_comment(line, entry.indent)),
                );
            } else {
                // What was not there comes before what is kept.
                lines.append(&mut missing);
                lines.extend(self.lines[entry.first..entry.end].iter().cloned());
            }
            place = entry.end;
        }
        lines.append(&mut missing);
        lines.extend(self.lines[place..build.end].iter().cloned());
        lines
    }

    /// The lines of a health check whose `test` is a comment; all of it, where there is nothing else.
    fn without_test(&self, check: &EntryText) -> Edit {
        let below = entries(&self.lines, check.first + 1, check.end);
        let all = |lines: Vec<String>| Edit { first: check.first, end: check.end, lines };
        let (code, comment) = split_comment(&self.lines[check.first]);
        let value = code.split_once(':').map_or("", |(_, value)| value.trim());
        let parts = flow_parts(value).filter(|_| check.end == check.first + 1);
        if let Some(kept) = parts.map(|parts| parts.into_iter().filter(|part| key_of(part) != "test")) {
            let kept: Vec<String> = kept.collect();
            let mut lines = vec![as_comment(&self.lines[check.first], check.indent)];
            if !kept.is_empty() {
                let comment = if comment.is_empty() { String::new() } else { format!("  {comment}") };
                let indent = " ".repeat(check.indent);
                lines.push(format!("{indent}healthcheck: {{ {} }}{comment}", kept.join(", ")));
            }
            return all(lines);
        }
        let test = below.iter().find(|entry| entry.key == "test");
        let Some(test) = test.filter(|_| below.len() > 1) else {
            let lines = &self.lines[check.first..check.end];
            return all(lines.iter().map(|line| as_comment(line, check.indent)).collect());
        };
        let lines = &self.lines[test.first..test.end];
        let lines = lines.iter().map(|line| as_comment(line, test.indent)).collect();
        Edit { first: test.first, end: test.end, lines }
    }

    /// Whether a service's health check can lose its test: it is the service's own, and nobody else
    /// takes it by an anchor.
    pub(super) fn owns_test(&self, name: &str) -> bool {
        let service = self.service_entries().into_iter().find(|entry| entry.key == name);
        let keys =
            service.map(|service| entries(&self.lines, service.first + 1, service.end)).unwrap_or_default();
        keys.iter().find(|entry| entry.key == "healthcheck").is_some_and(|check| {
            let lines = &self.lines[check.first..check.end];
            let special = |line: &String| line.contains(['&', '*']) || line.contains("<<");
            let own_test = lines.iter().any(|line| line.contains("test"));
            // `&&` and `||` are of the test's own text.
            own_test && !lines.iter().any(|line| special(&line.replace("&&", "")))
        })
    }

    /// Nothing has changed but what was to change.
    fn verify(&self, text: &str, changes: &[Change]) -> Result<(), String> {
        let changed = parse(text)?;
        let (mut old, mut new) = (self.root.clone(), changed);
        for change in changes {
            let name = &change.component.name;
            for root in [&mut old, &mut new] {
                let service = root.get_mut("services").and_then(|services| services.get_mut(name));
                let Some(service) = service.and_then(Json::as_object_mut) else { continue };
                service.remove("x-slipway");
                for entry in &change.component.service {
                    service.remove(&entry.key);
                }
                if change.without_test
                    && let Some(check) = service.get_mut("healthcheck")
                {
                    if let Some(keys) = check.as_object_mut() {
                        keys.remove("test");
                    }
                    if check.as_object().is_some_and(serde_json::Map::is_empty) {
                        service.remove("healthcheck");
                    }
                }
                // Other keys of `build` stay.
                match service.get_mut("build") {
                    Some(Json::Object(keys)) => keys.retain(|key, _| !is_replaced(key)),
                    Some(build) => *build = Json::Object(serde_json::Map::new()),
                    None => {
                        service.insert("build".to_owned(), Json::Object(serde_json::Map::new()));
                    }
                }
            }
            // An inherited build was written out.
            let inherited = self.service(name);
            let own = self.root.get("services").and_then(|services| services.get(name));
            if own.is_some_and(|own| own.get("build").is_none()) && inherited.get("build").is_some() {
                for root in [&mut old, &mut new] {
                    let service = root.get_mut("services").and_then(|services| services.get_mut(name));
                    service.and_then(Json::as_object_mut).and_then(|service| service.remove("build"));
                }
            }
        }
        if old == new {
            return Ok(());
        }
        Err("its form is not understood well enough to edit it without changing its meaning".to_owned())
    }
}

fn parse(text: &str) -> Result<Json, String> {
    serde_saphyr::from_str(text).map_err(|error| {
        let message = error.to_string();
        format!("it is no valid YAML: {}", message.lines().next().unwrap_or_default())
    })
}

fn is_replaced(key: &str) -> bool {
    ["context", "dockerfile", "dockerfile_inline", "target"].contains(&key)
}

/// The default of a text that is one variable; other texts as they are.
fn defaulted(text: &str) -> String {
    super::dockerfile::expand(text, &BTreeMap::new())
}

fn arguments(args: Option<&Json>) -> BTreeMap<String, String> {
    let text = |value: &Json| match value {
        Json::String(text) => Some(defaulted(text)),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    let found: BTreeMap<String, String> = match args {
        Some(Json::Object(args)) => {
            args.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
        }
        Some(Json::Array(args)) => args
            .iter()
            .filter_map(|arg| arg.as_str()?.split_once('='))
            .map(|(name, value)| (name.to_owned(), defaulted(value)))
            .collect(),
        _ => BTreeMap::new(),
    };
    // A variable without a value is not known.
    found.into_iter().filter(|(_, value)| !value.contains('$')).collect()
}

/// `{ context: ., … }`, with what is kept at the end.
fn flow(fields: &[(&str, String); 3], kept: Vec<String>) -> String {
    let fields = fields.iter().map(|(key, value)| format!("{key}: {value}"));
    // A merge key is read first by people, too.
    let (merges, kept): (Vec<String>, Vec<String>) =
        kept.into_iter().partition(|part| part.starts_with("<<"));
    let parts: Vec<String> = merges.into_iter().chain(fields).chain(kept).collect();
    format!("{{ {} }}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::write::Value;
    use super::*;

    fn edited(text: &str, name: &str, without_test: bool) -> Result<String, String> {
        let mut component = Component { name: name.to_owned(), ..Component::default() };
        component.own("recipe", Value::Text("node".to_owned()), "why");
        let file = ComposeFile::read(text)?;
        let text = file.edited(&[Change { component, without_test }], "x.yaml")?;
        Ok(text.lines().skip(2).collect::<Vec<_>>().join("\n"))
    }

    /// Forms of `build`, and what becomes of each.
    #[test]
    fn build_leads_to_the_spec_and_keeps_the_rest() {
        let flow = "build: { context: ., dockerfile: x.yaml, target: a";
        for (build, expected) in [
            ("build: ./a  # why", format!("{flow} }}  # why")),
            ("build: &b ./a", flow.replace("build: ", "build: &b ") + " }"),
            ("build: { context: ./a, args: { X: \"a,}\" }, target: t }", format!("{flow}, args: {{ X: \"a,}}\" }} }}")),
            (
                "build:\n      args:\n        X: 1  # one\n      context: a  # here\n      # there\n      secrets: [s]",
                "build:\n      dockerfile: x.yaml\n      target: a\n      args:\n        X: 1  # one\n      context: .  # here\n      # there\n      secrets: [s]"
                    .to_owned(),
            ),
        ] {
            let text = format!("# top\nservices:\n  a:\n    image: i\n    {build}\n\n  # b\n  b: {{ image: x }}\n");
            let expected = format!(
                "# top\nservices:\n  a:\n    image: i\n    {expected}\n    x-slipway:\n      recipe: node  # why\n\n  # b\n  b: {{ image: x }}"
            );
            assert_eq!(edited(&text, "a", false).as_deref(), Ok(expected.as_str()));
        }
    }

    #[test]
    fn inherited_and_aliased_builds() {
        let text =
            "x-b: &b { build: { context: a, args: { X: 1 } } }\nservices:\n  a:\n    <<: *b\n    image: i\n";
        let found = edited(text, "a", false).expect("edited");
        assert!(
            found.contains("    build: { context: ., dockerfile: x.yaml, target: a, args: {\"X\":1} }\n"),
            "{found}"
        );
        let text = "x-b: &b { context: a, args: { X: 1 } }\nservices:\n  a:\n    build: *b\n";
        let found = edited(text, "a", false).expect("edited");
        assert!(found.contains("build: { <<: *b, context: ., dockerfile: x.yaml, target: a }\n"), "{found}");
        let text = "services:\n  a: { build: a, ports: [\"1:1\"] }  # one\n";
        let found = edited(text, "a", false).expect("edited");
        assert!(found.starts_with("services:\n  a:  # one\n    build: { context: ."), "{found}");
    }

    #[test]
    fn a_test_becomes_a_comment() {
        for (check, expected) in [
            (
                "healthcheck:\n      test: curl x\n      interval: 5s",
                "healthcheck:\n      # test: curl x\n      interval: 5s",
            ),
            (
                "healthcheck: { test: [CMD, curl], interval: 5s }",
                "# healthcheck: { test: [CMD, curl], interval: 5s }\n    healthcheck: { interval: 5s }",
            ),
            (
                "healthcheck:\n      test:\n        - CMD\n        - curl",
                "# healthcheck:\n    #   test:\n    #     - CMD\n    #     - curl",
            ),
        ] {
            let text = format!("services:\n  a:\n    build: a\n    {check}\n");
            let found = edited(&text, "a", true).expect("edited");
            assert!(found.ends_with(&format!("    {expected}")), "{found}");
        }
    }

    #[test]
    fn what_cannot_be_edited_safely_is_refused() {
        for text in ["services: { a: { build: a } }\n", "services:\n  a: {\n    build: a }\n", "a: [\n"] {
            assert!(
                edited(text, "a", false).is_err()
                    || ComposeFile::read(text).is_ok_and(|file| file.services().is_empty()),
                "{text}"
            );
        }
    }
}
