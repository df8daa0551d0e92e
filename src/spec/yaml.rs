//! YAML as a tree in which every node knows its place.
//!
//! `serde-saphyr` parses: anchors, merge keys, duplicate keys and limits against hostile input
//! are its business. The schema is what Compose's YAML library makes of a plain scalar: `yes`
//! and `on` are strings, `0755` is an octal number.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::syntax::explain;
use crate::diagnostic::{Diagnostic, SourceText, Span};

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    /// Where the value is written; for an alias or a merge, where it was defined.
    pub(super) span: Span,
    /// What Compose is to do with a value that it joins with another one.
    pub(super) joining: Joining,
}

/// How a value is joined with the one that it extends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Joining {
    /// By its kind.
    #[default]
    Usual,
    /// `!override`: it replaces the other one.
    Override,
    /// `!reset`: neither remains.
    Reset,
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) span: Span,
}

/// The kinds of YAML values.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// Numbers keep the text that a person wrote: `1.10` is a version as well.
    Number {
        value: f64,
        text: String,
    },
    String(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

impl Value {
    /// What a person would call it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number { .. } => "a number",
            Self::String(_) => "a string",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

impl Node {
    /// The entry of a mapping under this key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let Value::Mapping(entries) = &self.value else { return None };
        entries.iter().find(|(known, _)| known.name == key).map(|(_, node)| node)
    }
}

/// Reads a file. An empty one is an empty mapping.
pub(super) fn parse(file: &Arc<SourceText>) -> Result<Node, Diagnostic> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        legacy_octal_numbers: true,
        with_snippet: false,
    };
    let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(&file.text, options).map_err(|error| {
        let words = error.without_snippet().to_string();
        explain(file, &words, error.location().map(|location| span_of(file, location)))
    })?;
    Ok(node(file, raw))
}

fn node(file: &Arc<SourceText>, raw: Spanned<Raw>) -> Node {
    let mut span = span_of(file, raw.defined);
    let joining = joining(&span);
    let value = match raw.value {
        _ if joining == Joining::Reset => Value::Null,
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Number(value) => {
            Value::Number { value, text: file.text.get(span.range.clone()).unwrap_or_default().to_owned() }
        }
        Raw::String(value) => Value::String(value),
        Raw::Sequence(items) => Value::Sequence(items.into_iter().map(|item| node(file, item)).collect()),
        Raw::Mapping(entries) => Value::Mapping(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let key = node(file, key);
                    (Key { name: key_name(&key), span: key.span }, node(file, value))
                })
                .collect(),
        ),
    };
    // The parser gives collections the place of their first token; they reach to their last child.
    let last = match &value {
        Value::Sequence(items) => items.last().map(|item| item.span.range.end),
        Value::Mapping(entries) => {
            entries.last().map(|(key, value)| value.span.range.end.max(key.span.range.end))
        }
        _ => None,
    };
    span.range.end = span.range.end.max(last.unwrap_or(0));
    Node { value, span, joining }
}

/// Compose's tags stand right before the value, comments aside. (The parser drops tags that it
/// does not know.)
fn joining(span: &Span) -> Joining {
    let before = span.file.text.get(..span.range.start).unwrap_or_default();
    let words = before.lines().rev().map(|line| match line.split_once('#') {
        Some((code, _)) if code.is_empty() || code.ends_with(char::is_whitespace) => code,
        _ => line,
    });
    let line = words.map(str::trim_end).find(|line| !line.is_empty()).unwrap_or_default();
    match line.rsplit(char::is_whitespace).next() {
        Some("!reset") => Joining::Reset,
        Some("!override") => Joining::Override,
        _ => Joining::Usual,
    }
}

fn key_name(key: &Node) -> String {
    match &key.value {
        Value::String(text) | Value::Number { text, .. } => text.clone(),
        _ => key.span.file.text.get(key.span.range.clone()).unwrap_or_default().to_owned(),
    }
}

fn span_of(file: &Arc<SourceText>, location: Location) -> Span {
    let span = location.span();
    let Some(start) = span.byte_offset() else { return line_and_column(file, location) };
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let length = usize::try_from(span.byte_len().unwrap_or(0)).unwrap_or(0);
    Span::new(file, start..start.saturating_add(length))
}

/// Errors of the scanner have a line and a column, and no byte offset.
fn line_and_column(file: &Arc<SourceText>, location: Location) -> Span {
    let nth = |count: u64| usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut start = 0;
    for (index, line) in file.text.split_inclusive('\n').enumerate() {
        if index == nth(location.line()) {
            start += line.char_indices().nth(nth(location.column())).map_or(line.len(), |(offset, _)| offset);
            break;
        }
        start += line.len();
    }
    Span::new(file, start..start + 1)
}

/// What the parser gives, before places are put in.
enum Raw {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Sequence(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

#[allow(clippy::cast_precision_loss, reason = "numbers keep their text; the value is for small counts")]
impl<'de> Visitor<'de> for AnyValue {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut sequence = Vec::new();
        while let Some(item) = items.next_element()? {
            sequence.push(item);
        }
        Ok(Raw::Sequence(sequence))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Raw::Mapping(mapping))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    fn read(text: &str) -> Result<Node, Diagnostic> {
        parse(&Arc::new(SourceText { name: "x.yaml".to_owned(), text: text.to_owned() }))
    }

    #[test]
    fn anchors_and_merge_keys_keep_the_place_of_their_definition() {
        let tree = read("a: &a\n  k: 1.10\nb:\n  <<: *a\n  y: yes\n").expect("valid");
        let merged = tree.get("b").and_then(|b| b.get("k")).expect("merged");
        assert_eq!(merged.value, Value::Number { value: 1.1, text: "1.10".to_owned() });
        assert_eq!(merged.span.line(), 2);
        let yes = tree.get("b").and_then(|b| b.get("y")).expect("there");
        assert_eq!(yes.value, Value::String("yes".to_owned()));
    }

    #[test]
    fn a_mapping_reaches_to_its_last_child() {
        let tree = read("a:\n  b: 1\n  c: two\nd: 3\n").expect("valid");
        let a = tree.get("a").expect("there");
        assert_eq!((a.span.line(), a.span.last_line()), (2, 3));
    }

    #[test]
    fn a_comment_is_no_tag() {
        let tree = read("a:\n  # was !reset\n  - 1\nb: !override # why\n  - 2\n").expect("valid");
        let joining = |key| tree.get(key).map(|node| node.joining);
        assert_eq!((joining("a"), joining("b")), (Some(Joining::Usual), Some(Joining::Override)));
    }

    #[test]
    fn broken_files_have_a_place() {
        for (text, line) in [("a: [1,\nb: 2\n", 1), ("a: 1\na: 2\n", 2), ("a: *x\n", 1), ("a:\n\t- b\n", 2)] {
            let error = read(text).expect_err(text);
            assert_eq!(error.code, Code::Syntax);
            assert_eq!(error.span.map(|span| span.line()), Some(line), "{text}");
        }
    }
}
