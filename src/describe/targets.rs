//! `--call=targets`: what `--target` may say.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Places, Said};
use crate::spec::Spec;
use crate::target::Files;

/// The components, each with what makes it, and the files that the project can be written as.
pub fn targets(spec: &Spec) -> Said {
    let only = spec.components.len() == 1;
    let mut text = String::from("TARGET DESCRIPTION\n");
    let mut places = Places::of(spec);
    let mut list: Vec<Value> = spec
        .components
        .iter()
        .map(|service| {
            let component = &service.component;
            let made_by = match (&component.recipe, &component.stages) {
                (Some(recipe), _) => format!("recipe {}", recipe.value),
                (None, Some(_)) => "hand-written stages".to_owned(),
                (None, None) => "by what its folder holds".to_owned(),
            };
            let source = component.source.as_ref().map(|source| format!(" in {}", source.value));
            let description = made_by + &source.unwrap_or_default();
            let name = &service.name.value;
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name}{} {description}", if only { " (default)" } else { "" });
            let mut target = json!({
                "name": name,
                "description": description,
                "location": places.location(&service.name.span),
            });
            if only {
                target["default"] = json!(true);
            }
            target
        })
        .collect();
    for (name, _, description) in Files::ALL {
        let name = format!(":{name}");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name} {description}");
        list.push(json!({ "name": name, "description": description }));
    }
    Said { json: json!({ "targets": list, "sources": places.sources() }), text }
}
