//! A Compose file as it is written: for what writes another one.
//!
//! Nothing is interpolated, and the order of keys is the file's. Merge keys, anchors, `extends` and `include`
//! are resolved, as what is written stands alone.

use super::EXTENSION;
use super::yaml::{Joining, Node, Value};

/// A YAML value, its texts as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, in the digits that a person wrote.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Written>),
    /// A mapping, in its order.
    Map(Vec<(String, Written)>),
}

/// A project's file, with all that it leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The services by name, without what inheritance left to do.
    pub services: Vec<(String, Written)>,
    /// The top level's other keys: networks, volumes, configs, secrets, and free ones.
    pub others: Vec<(String, Written)>,
}

/// Keys of the top level that have been dealt with.
const RESOLVED: [&str; 5] = ["name", "version", "services", "include", EXTENSION];

impl Document {
    /// Takes a service in.
    pub(super) fn service(&mut self, name: &str, joined: &Node) {
        let written = Written::of(joined).without("extends");
        self.services.push((name.to_owned(), written));
    }

    /// Takes the top level of a file in. What an earlier file has stays.
    pub(super) fn top(&mut self, root: &Node) {
        let Written::Map(entries) = Written::of(root) else { return };
        for (key, value) in entries {
            if RESOLVED.contains(&key.as_str()) {
                continue;
            }
            match self.others.iter_mut().find(|(known, _)| *known == key) {
                Some((_, Written::Map(known))) => {
                    let Written::Map(more) = value else { continue };
                    let new = more.into_iter().filter(|(name, _)| !known.iter().any(|(own, _)| own == name));
                    let new: Vec<_> = new.collect();
                    known.extend(new);
                }
                Some(_) => {}
                None => self.others.push((key, value)),
            }
        }
    }

    /// A service.
    pub fn get(&self, service: &str) -> Option<&Written> {
        self.services.iter().find(|(name, _)| name == service).map(|(_, written)| written)
    }
}

impl Written {
    fn of(node: &Node) -> Self {
        match &node.value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number { text, .. } => Self::Number(text.clone()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Sequence(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::Mapping(entries) => Self::Map(
                entries
                    .iter()
                    .filter(|(_, value)| value.joining != Joining::Reset)
                    .map(|(key, value)| (key.name.clone(), Self::of(value)))
                    .collect(),
            ),
        }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A list of texts.
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    /// A mapping.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// The entry of a mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// The entries of a mapping; none of anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        let entries: &[(String, Self)] = if let Self::Map(entries) = self { entries } else { &[] };
        entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// A text, or what stands for one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// Sets an entry of a mapping, at its place or else at the end.
    pub fn set(&mut self, key: &str, value: Self) {
        let Self::Map(entries) = self else { return };
        match entries.iter_mut().find(|(known, _)| known == key) {
            Some((_, place)) => *place = value,
            None => entries.push((key.to_owned(), value)),
        }
    }

    /// Sets an entry if there is none.
    pub fn set_default(&mut self, key: &str, value: Self) {
        if self.get(key).is_none() {
            self.set(key, value);
        }
    }

    /// The mapping without an entry.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        if let Self::Map(entries) = &mut self {
            entries.retain(|(known, _)| known != key);
        }
        self
    }

    /// Every text in it, keys excepted.
    pub fn all_texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::List(items) => items.iter().flat_map(Self::all_texts).collect(),
            Self::Map(entries) => entries.iter().flat_map(|(_, value)| value.all_texts()).collect(),
            _ => Vec::new(),
        }
    }
}
