//! The JSON schema of a whole spec, for editors: Compose's keys and ours in one. What Slipway reads
//! comes from the types that read it ([`crate::spec::schema`]); the words that some values may be
//! come from the tables that know them; of Compose's other keys, names and meanings are listed.

mod compose;

use serde_json::{Value, json};

use crate::diagnostic::Level;
use crate::lint::RULES;
use crate::recipe::RECIPES;
use crate::spec::schema::{Definitions, schemas};

/// The schema, as `slipway.schema.json` in `specs`, `--call=slipway.schema` and
/// `docker slipway schema` give it.
pub fn schema() -> Value {
    let mut schemas = schemas();
    words(&mut schemas.definitions);
    let definitions = &mut schemas.definitions;
    // A component may be nothing but the key: its folder says the rest.
    let component = json!({
        "description": "How the service's image is made.",
        "anyOf": [schemas.component, { "type": "null" }],
    });
    if let Some(service) = definitions.get_mut("Service") {
        for (key, about) in compose::SERVICE {
            if service["properties"].get(key).is_none() {
                service["properties"][key] = json!({ "description": about });
            }
        }
        service["properties"]["x-slipway"] = component;
    }
    let mut properties = serde_json::Map::new();
    for (key, about) in compose::TOP_LEVEL {
        properties.insert(key.to_owned(), json!({ "description": about }));
    }
    properties.insert("name".to_owned(), json!({ "type": "string", "description": "The project's name." }));
    properties.insert(
        "services".to_owned(),
        json!({
            "type": "object",
            "description": "The services. Those with `x-slipway` are components.",
            "additionalProperties": { "$ref": "#/$defs/Service" },
        }),
    );
    properties.insert("x-slipway".to_owned(), schemas.project);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Slipway spec: a Compose file whose services carry x-slipway",
        "type": "object",
        "required": ["services"],
        "properties": properties,
        "$defs": schemas.definitions,
    })
}

/// Where a value is one of a few words, those words: editors offer them.
fn words(definitions: &mut Definitions) {
    let recipes: Vec<&str> = RECIPES.iter().map(|recipe| recipe.name()).collect();
    let levels: Vec<String> = Level::ALL.iter().map(ToString::to_string).collect();
    let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
    let closed: [(&str, &str, &[&str]); 8] = [
        ("Component", "archetype", &["service", "cli", "job", "library"]),
        ("Component", "network", &["none", "default"]),
        ("Component", "recipe", &recipes),
        ("StageSpec", "platform", &["target", "build"]),
        ("RunSpec", "network", &["default", "none", "host"]),
        ("RunSpec", "security", &["sandbox", "insecure"]),
        ("CacheMapping", "sharing", &["shared", "private", "locked"]),
        ("CollectSpec", "runtime", &["plain", "libraries", "node", "python", "java", "nginx"]),
    ];
    for (definition, field, words) in closed {
        set(
            definitions,
            definition,
            field,
            &json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": "\\$" }] }),
        );
    }
    let base = json!({ "anyOf": [{ "enum": ["minimal", "slim"] }, { "type": "string" }] });
    set(definitions, "Component", "base", &base);
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    let rules = json!({
        "type": "object",
        "propertyNames": { "enum": names },
        "additionalProperties": { "enum": levels },
    });
    for definition in ["Component", "Project"] {
        set(definitions, definition, "lint", &rules);
    }
}

/// Replaces a field's schema and keeps the words about it.
fn set(definitions: &mut Definitions, definition: &str, field: &str, schema: &Value) {
    let Some(old) = definitions.get_mut(definition).and_then(|record| record["properties"].get_mut(field))
    else {
        debug_assert!(false, "{definition} has no field {field}");
        return;
    };
    let about = old["description"].take();
    *old = schema.clone();
    old["description"] = about;
}

#[cfg(test)]
mod tests;
