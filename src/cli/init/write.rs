//! Writing YAML that a person would have written: values on one line where they fit, a comment behind
//! each that says where it came from, and what could not be carried over as comments of its own.

use std::fmt::Write;

use serde_json::Value as Json;

/// What a line of a spec may be wide before its value is spread over several.
const WIDTH: usize = 100;

/// The first line of a spec.
pub(super) const SYNTAX: &str = "# syntax=slipway/frontend:0";
/// What editors look for.
pub(super) const SCHEMA: &str = "# yaml-language-server: $schema=./slipway.schema.json";

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// As it is written.
    Text(String),
    /// Keys with values as they are written.
    Map(Vec<(String, String)>),
    /// Entries as they are written.
    List(Vec<String>),
}

/// A key with its value, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) why: Option<String>,
}

/// A component: what is added to a service, or all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Component {
    /// The service's name.
    pub(super) name: String,
    /// What stands under `x-slipway`.
    pub(super) own: Vec<Entry>,
    /// Further keys of the service.
    pub(super) service: Vec<Entry>,
    /// What a person should look at.
    pub(super) todo: Vec<String>,
    /// Keys below `x-slipway` that a person may know.
    pub(super) own_todo: Vec<String>,
    /// What could not be carried over.
    pub(super) lost: Vec<String>,
}

impl Component {
    /// Adds a key below `x-slipway`.
    pub(super) fn own(&mut self, key: &str, value: Value, why: impl Into<String>) {
        self.own.push(Entry { key: key.to_owned(), value, why: Some(why.into()) });
    }

    /// Adds a key of the service.
    pub(super) fn service(&mut self, key: &str, value: Value, why: impl Into<String>) {
        self.service.push(Entry { key: key.to_owned(), value, why: Some(why.into()) });
    }

    /// The lines of `x-slipway` and of further keys; each level is indented by `step`.
    pub(super) fn lines(&self, indent: &str, step: &str) -> Vec<String> {
        let mut lines = vec![format!("{indent}x-slipway:")];
        let inner = format!("{indent}{step}");
        for entry in &self.own {
            lines.extend(entry.lines(&inner, step));
        }
        lines.extend(self.lost.iter().map(|lost| format!("{inner}# {}", one_line(lost))));
        lines.extend(self.own_todo.iter().map(|todo| format!("{inner}# TODO: {}", one_line(todo))));
        for entry in &self.service {
            lines.extend(entry.lines(indent, step));
        }
        lines.extend(self.todo.iter().map(|todo| format!("{indent}# TODO: {}", one_line(todo))));
        lines
    }
}

impl Entry {
    fn lines(&self, indent: &str, step: &str) -> Vec<String> {
        let why = self.why.as_ref().map(|why| format!("  # {}", one_line(why))).unwrap_or_default();
        let key = format!("{indent}{}:", self.key);
        let flow = match &self.value {
            Value::Text(text) => return vec![format!("{key} {text}{why}")],
            Value::Map(pairs) => {
                let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{ {} }}", pairs.join(", "))
            }
            Value::List(entries) => format!("[{}]", entries.join(", ")),
        };
        if key.len() + flow.len() < WIDTH {
            return vec![format!("{key} {flow}{why}")];
        }
        let inner = format!("{indent}{step}");
        let rest: Vec<String> = match &self.value {
            Value::Map(pairs) => pairs.iter().map(|(key, value)| format!("{inner}{key}: {value}")).collect(),
            Value::List(entries) => entries.iter().map(|entry| format!("{inner}- {entry}")).collect(),
            Value::Text(_) => Vec::new(),
        };
        [format!("{key}{why}")].into_iter().chain(rest).collect()
    }
}

/// Text in a comment, which ends with its line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as YAML: plain where that is certain to be read as this text, and with dollar signs that stay.
pub(super) fn scalar(text: &str) -> String {
    let text = text.replace('$', "$$");
    let word = |c: char| c.is_ascii_alphanumeric() || "_./@+-".contains(c);
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && text.chars().all(word)
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_lowercase().as_str());
    if plain { text } else { quoted(&text) }
}

/// Text in double quotes, which are JSON's.
pub(super) fn quoted(text: &str) -> String {
    Json::String(text.to_owned()).to_string()
}

/// Words as a list.
pub(super) fn words(words: &[String]) -> Value {
    Value::List(words.iter().map(|word| scalar(word)).collect())
}

/// The lines at the top that a file lacks.
pub(super) fn head(text: &str) -> String {
    // The first line counts for BuildKit alone if it says the syntax.
    let has_syntax = text
        .lines()
        .take_while(|line| line.starts_with('#'))
        .any(|line| line.trim_start_matches('#').trim_start().starts_with("syntax="));
    let has_schema = text.lines().any(|line| line.starts_with("# yaml-language-server:"));
    let lines = [(has_syntax, SYNTAX), (has_schema, SCHEMA)];
    lines.into_iter().filter(|(there, _)| !there).map(|(_, line)| format!("{line}\n")).collect()
}

/// A whole spec, where there was no Compose file.
pub(super) fn spec(name: &str, file: &str, components: &[Component]) -> String {
    let first = components.first().map(|component| component.name.as_str()).unwrap_or_default();
    let mut text = format!(
        "{SYNTAX}
{SCHEMA}
#
# Written by `docker slipway init`; look through the comments, then make it yours.
#
#   docker buildx build -f {file} --target {first} .
#   docker buildx bake -f {file}
#   docker compose -f {file} up --build
name: {name}

# What every service runs with: nothing that it does not need.
x-locked-down: &locked-down
  # read_only: true  # once it is known where the programs write: `tmpfs: [/tmp]`, or a volume
  cap_drop: [ALL]
  security_opt: [\"no-new-privileges:true\"]
  restart: unless-stopped

services:
"
    );
    for (index, component) in components.iter().enumerate() {
        let service = &component.name;
        if index > 0 {
            text.push('\n');
        }
        let _ = write!(
            text,
            "  {service}:
    <<: *locked-down
    image: {name}/{service}
    build: {{ context: ., dockerfile: {file}, target: {service} }}
"
        );
        for line in component.lines("    ", "  ") {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// A name as Compose and image references take it.
pub(super) fn name_of(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut name = String::new();
    for character in lower.chars() {
        let fits = character.is_ascii_lowercase() || character.is_ascii_digit();
        if fits {
            name.push(character);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { "app".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_read_as_the_text_they_were() {
        for (text, expected) in [
            ("dist/main.js", "dist/main.js"),
            ("3.11", "\"3.11\""),
            ("app.main:app", "\"app.main:app\""),
            ("--host", "\"--host\""),
            ("true", "\"true\""),
            ("$HOME", "\"$$HOME\""),
            ("", "\"\""),
            ("a \"b\"", "\"a \\\"b\\\"\""),
        ] {
            assert_eq!(scalar(text), expected);
        }
    }

    #[test]
    fn long_values_are_spread() {
        let mut component = Component { name: "x".to_owned(), ..Component::default() };
        component.own("packages", words(&["a".to_owned()]), "why\nso");
        component.own(
            "env",
            Value::Map((0..9).map(|n| (format!("NAME_{n}"), scalar("value"))).collect()),
            "w",
        );
        let lines = component.lines("  ", "  ");
        assert_eq!(lines[1], "    packages: [a]  # why so");
        assert_eq!(lines[2..4], ["    env:  # w", "      NAME_0: value"]);
    }

    #[test]
    fn what_is_there_is_not_put_on_top_again() {
        assert_eq!(head("services: {}\n"), format!("{SYNTAX}\n{SCHEMA}\n"));
        assert_eq!(head("# syntax=slipway/frontend:0\nservices: {}\n"), format!("{SCHEMA}\n"));
        assert_eq!(name_of("My App_2!"), "my-app-2");
    }
}
