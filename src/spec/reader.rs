//! From nodes to types, reporting everything that is wrong on the way.
//!
//! A type that can stand in a spec implements [`FromNode`]. The [`record!`] macro writes that
//! for a struct whose fields are keys, so that the struct's definition is the only list of
//! what may stand there. Variables are replaced when a text is read, and only then: what
//! Slipway does not read (run-time environment above all) needs no build-time value.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::interpolate::{Problem, interpolate};
use super::schema::{self, Definitions};
use super::yaml::{Key, Node, Value};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span, did_you_mean};

/// A value with the place where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// A variable where it is used.
#[derive(Clone, Debug, PartialEq)]
pub struct VariableUse {
    /// Its name.
    pub name: String,
    /// What stands in its place: its value, or the default that is written there.
    pub value: String,
    /// The key in whose value it stands; none at the top.
    pub key: Option<String>,
    /// The service that uses it; none for what all of them share.
    pub service: Option<String>,
    /// Where.
    pub span: Span,
}

/// Something that a spec may hold.
pub(super) trait FromNode: Sized {
    /// Reads it. What is wrong goes to the reader's diagnostics, and the result is `None`.
    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// What may stand there, as a JSON schema.
    fn schema(definitions: &mut Definitions) -> Json;

    /// What it is when its key is absent; `None` if the key must be there.
    fn absent() -> Option<Self> {
        None
    }
}

/// Reads nodes, with the values of variables at hand.
pub(super) struct Reader<'a> {
    pub(super) values: &'a BTreeMap<String, String>,
    pub(super) diagnostics: Diagnostics,
    pub(super) used: Vec<VariableUse>,
    /// The key whose value is being read, for messages.
    key: Option<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(values: &'a BTreeMap<String, String>) -> Self {
        Self { values, diagnostics: Diagnostics::default(), used: Vec::new(), key: None }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Says that the node is of another kind than `expected` ("a string").
    pub(super) fn wrong_type(&mut self, node: &Node, expected: &str) {
        let kind = node.value.kind();
        let message = match &self.key {
            Some(key) => format!("`{key}` takes {expected}, not {kind}"),
            None => format!("expected {expected}, not {kind}"),
        };
        self.report(
            Diagnostic::new(Code::WrongType, message).at(&node.span).label(format!("this is {kind}")),
        );
    }

    /// Says that a value makes no sense.
    pub(super) fn bad_value(&mut self, span: &Span, message: impl Into<String>, help: Option<&str>) {
        self.report(Diagnostic::new(Code::Value, message).at(span).help_if(help));
    }

    /// The entries of a mapping.
    pub(super) fn mapping<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [(Key, Node)]> {
        if let Value::Mapping(entries) = &node.value {
            return Some(entries);
        }
        let expected = match &self.key {
            Some(key) if what == format!("`{key}`") => "a mapping".to_owned(),
            _ => format!("a mapping for {what}"),
        };
        self.wrong_type(node, &expected);
        None
    }

    /// Reports the keys that are not among those known. Keys that start with `x-` are free.
    pub(super) fn only_known_keys(&mut self, entries: &[(Key, Node)], what: &str, known: &[&str]) {
        for (key, _) in entries {
            if !known.contains(&key.name.as_str()) && !key.name.starts_with("x-") {
                self.unknown_key(key, what, known);
            }
        }
    }

    fn unknown_key(&mut self, key: &Key, what: &str, known: &[&str]) {
        let help = match did_you_mean(&key.name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        self.report(
            Diagnostic::new(Code::UnknownKey, format!("unknown key `{}` in {what}", key.name))
                .at(&key.span)
                .label("nothing reads this")
                .help(help),
        );
    }

    /// The value of a key. A key without a value is as if it were not there.
    pub(super) fn field<T: FromNode>(&mut self, node: &Node, key: &str, what: &str) -> Option<T> {
        match node.get(key) {
            Some(value) if value.value != Value::Null => {
                let outer = self.key.replace(key.to_owned());
                let read = T::from_node(value, self);
                self.key = outer;
                read
            }
            _ => T::absent().or_else(|| {
                // A misspelt key has been reported as one that nothing reads.
                if misspelt(node, key) {
                    return None;
                }
                self.report(
                    Diagnostic::new(Code::MissingKey, format!("{what} needs the key `{key}`")).at(&node.span),
                );
                None
            }),
        }
    }

    /// A text with its variables replaced.
    pub(super) fn interpolated(&mut self, text: &str, span: &Span) -> Option<String> {
        let found = interpolate(text, self.values);
        let mut usable = true;
        for problem in found.problems {
            usable &= matches!(problem, Problem::Unset { .. });
            self.report(describe(problem).at(span));
        }
        let service = self.diagnostics.service().map(str::to_owned);
        let key = self.key.clone();
        self.used.extend(found.used.into_iter().map(|(name, value)| VariableUse {
            name,
            value,
            key: key.clone(),
            service: service.clone(),
            span: span.clone(),
        }));
        usable.then_some(found.text)
    }

    /// A scalar as text: numbers and booleans as they were written.
    pub(super) fn scalar(&mut self, node: &Node, expected: &str) -> Option<String> {
        match &node.value {
            Value::String(text) => self.interpolated(text, &node.span),
            Value::Number { text, .. } => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            _ => {
                self.wrong_type(node, expected);
                None
            }
        }
    }
}

/// Whether a mapping has a key that was most likely meant to be this one.
fn misspelt(node: &Node, key: &str) -> bool {
    let Value::Mapping(entries) = &node.value else { return false };
    entries.iter().any(|(known, _)| did_you_mean(&known.name, [key]).is_some())
}

fn describe(problem: Problem) -> Diagnostic {
    match problem {
        Problem::Invalid => Diagnostic::new(Code::Interpolation, "a `$` here is no variable in Compose's form")
            .help("write `$$` for a dollar sign that stays, as in `$$(date)`; variables are `$NAME` or `${NAME:-default}`"),
        Problem::Required { name, message } => {
            let message = if message.is_empty() { String::new() } else { format!(": {message}") };
            Diagnostic::new(Code::MissingVariable, format!("the variable `{name}` has no value{message}")).help(format!(
                "pass it: `--build-arg {name}=…`, or `build.args: {{ {name}: … }}` of the service, which Compose and bake pass on"
            ))
        }
        Problem::Unset { name } => {
            Diagnostic::new(Code::Rule("UnsetVariable"), format!("the variable `{name}` has no value; it is taken as empty"))
                .help(format!("give it a default (`${{{name}:-…}}`) or pass it by `build.args`"))
        }
    }
}

impl<T: FromNode> FromNode for Option<T> {
    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::from_node(node, reader).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: FromNode> FromNode for Located<T> {
    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { value: T::from_node(node, reader)?, span: node.span.clone() })
    }
}

impl FromNode for String {
    fn schema(_: &mut Definitions) -> Json {
        schema::text()
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.scalar(node, "a string")
    }
}

impl FromNode for bool {
    fn schema(_: &mut Definitions) -> Json {
        schema::any([
            serde_json::json!({ "type": "boolean" }),
            schema::pattern("^([Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|[Nn]o|[Oo]n|[Oo]ff|[YyNn])$"),
        ])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Bool(value) => Some(*value),
            // As Compose takes them, with a warning: these are texts in YAML 1.2.
            Value::String(text) => match reader.interpolated(text, &node.span)?.to_lowercase().as_str() {
                "true" | "yes" | "on" | "y" => Some(true),
                "false" | "no" | "off" | "n" => Some(false),
                _ => {
                    reader.wrong_type(node, "true or false");
                    None
                }
            },
            _ => {
                reader.wrong_type(node, "true or false");
                None
            }
        }
    }
}

impl FromNode for u32 {
    fn schema(_: &mut Definitions) -> Json {
        schema::any([serde_json::json!({ "type": "integer", "minimum": 0 }), schema::pattern("^[0-9]+$")])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let number = match &node.value {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the guard keeps it in range"
            )]
            Value::Number { value, .. }
                if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(value) =>
            {
                Some(*value as Self)
            }
            Value::String(text) => reader.interpolated(text, &node.span)?.parse().ok(),
            _ => None,
        };
        if number.is_none() {
            reader.wrong_type(node, "a whole number that is not negative");
        }
        number
    }
}

/// A list.
impl<T: FromNode> FromNode for Vec<T> {
    fn schema(definitions: &mut Definitions) -> Json {
        schema::list(&T::schema(definitions))
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Sequence(items) = &node.value else {
            reader.wrong_type(node, "a list");
            return None;
        };
        // All items are read, so that all their errors are seen.
        let read: Vec<Option<T>> = items.iter().map(|item| T::from_node(item, reader)).collect();
        read.into_iter().collect()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// A mapping with free keys, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Entries<T>(pub Vec<(Located<String>, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: FromNode> FromNode for Entries<T> {
    fn schema(definitions: &mut Definitions) -> Json {
        serde_json::json!({ "type": "object", "additionalProperties": T::schema(definitions) })
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let entries = reader.mapping(node, "entries by name")?;
        let read: Vec<Option<_>> = entries
            .iter()
            .map(|(key, value)| {
                let name = Located { value: key.name.clone(), span: key.span.clone() };
                Some((name, T::from_node(value, reader)?))
            })
            .collect();
        read.into_iter().collect::<Option<_>>().map(Self)
    }

    fn absent() -> Option<Self> {
        Some(Self(Vec::new()))
    }
}

/// A struct whose fields are the keys of a mapping.
///
/// `closed` reports every other key; `open` leaves other keys to Compose. The text after it is
/// what messages call the mapping. A key that is a word of Rust's stands after its field: `status as "return"`.
macro_rules! record {
    (
        $(#[doc = $doc:literal])*
        $mode:ident $what:literal struct $name:ident {
            $( $(#[doc = $field_doc:literal])* $field:ident $(as $key:literal)?: $type:ty ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[doc = $field_doc])* pub $field: $type, )*
            /// The place of the whole mapping.
            pub span: $crate::diagnostic::Span,
        }

        impl $name {
            /// The keys that may stand here.
            pub const KEYS: &'static [&'static str] =
                &[$($crate::spec::reader::record!(@key $field $($key)?)),*];
        }

        impl $crate::spec::reader::FromNode for $name {
            fn schema(definitions: &mut $crate::spec::schema::Definitions) -> serde_json::Value {
                let closed = $crate::spec::reader::record!(@is_closed $mode);
                $crate::spec::schema::record(definitions, stringify!($name), &[$($doc),*], closed, |definitions| vec![
                    $((
                        $crate::spec::reader::record!(@key $field $($key)?),
                        vec![$($field_doc),*],
                        <$type as $crate::spec::reader::FromNode>::schema(definitions),
                        <$type as $crate::spec::reader::FromNode>::absent().is_none(),
                    )),*
                ])
            }

            fn from_node(
                node: &$crate::spec::yaml::Node,
                reader: &mut $crate::spec::reader::Reader<'_>,
            ) -> Option<Self> {
                #[allow(unused_variables, reason = "an open record lets other keys be")]
                let entries = reader.mapping(node, $what)?;
                $crate::spec::reader::record!(@$mode reader, entries, $what, Self::KEYS);
                $(
                    let key = $crate::spec::reader::record!(@key $field $($key)?);
                    let $field = reader.field(node, key, $what);
                )*
                Some(Self { $( $field: $field?, )* span: node.span.clone() })
            }
        }
    };
    (@closed $reader:ident, $entries:ident, $what:literal, $known:expr) => {
        $reader.only_known_keys($entries, $what, $known);
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (@is_closed closed) => { true };
    (@is_closed open) => { false };
    (@open $reader:ident, $entries:ident, $what:literal, $known:expr) => {};
}
pub(super) use record;

/// A type that is written as a mapping with settings, or short: as the value of one of its keys
/// alone. It stands for the mapping, whose fields it lends.
macro_rules! short_or_mapping {
    ($name:ident, $mapping:ident, $key:ident) => {
        impl $crate::spec::reader::FromNode for $name {
            fn schema(definitions: &mut $crate::spec::schema::Definitions) -> serde_json::Value {
                $crate::spec::schema::any([$crate::spec::schema::text(), $mapping::schema(definitions)])
            }

            fn from_node(
                node: &$crate::spec::yaml::Node,
                reader: &mut $crate::spec::reader::Reader<'_>,
            ) -> Option<Self> {
                $crate::spec::reader::FromNode::from_node(&node.as_value_of(stringify!($key)), reader)
                    .map(Self)
            }
        }

        impl std::ops::Deref for $name {
            type Target = $mapping;

            fn deref(&self) -> &$mapping {
                &self.0
            }
        }
    };
}
pub(super) use short_or_mapping;
