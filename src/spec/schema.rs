//! The JSON schema of what a spec may hold, from the types that read it: each type says its own
//! form, and a record's fields with their documentation are the schema's properties.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::component::{Component, Project};
use super::compose::Service;
use super::reader::FromNode;

/// Definitions, by name.
pub type Definitions = BTreeMap<String, Value>;

/// The definitions of all types, and the schemas of what a spec holds of ours.
pub struct Schemas {
    /// The definitions that the others refer to.
    pub definitions: Definitions,
    /// The top level's `x-slipway`.
    pub project: Value,
    /// A service's `x-slipway`.
    pub component: Value,
}

/// The schemas of `x-slipway`, and in `Service` those Compose keys that Slipway reads.
pub fn schemas() -> Schemas {
    let mut definitions = Definitions::new();
    let project = Project::schema(&mut definitions);
    let component = Component::schema(&mut definitions);
    Service::schema(&mut definitions);
    Schemas { definitions, project, component }
}

/// A text in which variables may stand.
pub(super) fn text() -> Value {
    json!({ "type": ["string", "number", "boolean"] })
}

/// A text of this form, or one with a variable.
pub(super) fn pattern(pattern: &str) -> Value {
    json!({ "type": ["string", "number"], "pattern": format!("\\$|{pattern}") })
}

/// One of several forms.
pub(super) fn any(forms: impl IntoIterator<Item = Value>) -> Value {
    json!({ "anyOf": forms.into_iter().collect::<Vec<_>>() })
}

/// A list.
pub(super) fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// A record: its fields with what is said about them.
pub(super) fn record(
    definitions: &mut Definitions,
    name: &str,
    about: &[&str],
    closed: bool,
    fields: impl FnOnce(&mut Definitions) -> Vec<(&'static str, Vec<&'static str>, Value, bool)>,
) -> Value {
    let reference = json!({ "$ref": format!("#/$defs/{name}") });
    if definitions.contains_key(name) {
        return reference;
    }
    // A type may hold itself.
    definitions.insert(name.to_owned(), Value::Null);
    let fields = fields(definitions);
    let required: Vec<&str> =
        fields.iter().filter(|(_, _, _, required)| *required).map(|(key, ..)| *key).collect();
    let properties: serde_json::Map<String, Value> = fields
        .into_iter()
        .map(|(key, about, schema, _)| (key.to_owned(), described(schema, &sentence(&about))))
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": sentence(about),
        "properties": properties,
    });
    if closed {
        schema["additionalProperties"] = json!(false);
        schema["patternProperties"] = json!({ "^x-": {} });
    }
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    definitions.insert(name.to_owned(), schema);
    reference
}

/// A schema with words about it.
fn described(schema: Value, about: &str) -> Value {
    let mut schema = schema;
    if let Value::Object(fields) = &mut schema
        && !about.is_empty()
    {
        fields.insert("description".to_owned(), about.into());
    }
    schema
}

/// Documentation as one paragraph.
fn sentence(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}
