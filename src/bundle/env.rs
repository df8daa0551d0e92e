//! The variables of a deployment, as an example to copy.

use super::{System, compose};
use crate::spec::{Variable, variables};

/// All variables of the bundle's Compose files, in the order of their names.
pub(super) fn all(system: &System<'_>) -> Vec<Variable> {
    let document = compose::document(system);
    let overlay = compose::overlay(system);
    let texts = document.all_texts().into_iter().chain(overlay.all_texts());
    let mut all: Vec<Variable> = Vec::new();
    for variable in texts.flat_map(variables) {
        match all.iter_mut().find(|known| known.name == variable.name) {
            // Somewhere it must have a value.
            Some(known) => known.required = known.required.take().or(variable.required),
            None => all.push(variable),
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// `.env.example`.
pub(super) fn example(system: &System<'_>) -> String {
    let mut text = format!(
        "# The variables of {}. Copy this file to `.env`, and set what differs.\n\
         # What is commented out has the value that is shown unless it is set.\n",
        system.name
    );
    let images: Vec<String> = system
        .parts
        .iter()
        .map(super::Part::name)
        .chain(system.others().filter(|name| !system.is_left_out(name)))
        .map(|service| system.image_variable(service))
        .collect();
    let (registry, domain) = (system.variable("REGISTRY"), system.domain_variable());
    for Variable { name, default, required } in all(system) {
        if images.contains(&name) {
            // images.lock has them.
            continue;
        }
        text.push('\n');
        match (required, default.as_str()) {
            (Some(message), _) => {
                let message = message.replace('\n', " ");
                text += &if message.is_empty() { String::new() } else { format!("# {message}\n") };
                text += &format!("{name}=\n");
            }
            (None, "") => text += &format!("{name}=\n"),
            (None, default) => {
                if name == domain {
                    text += "# The domain under which browsers come.\n";
                } else if name == registry {
                    text += "# The registry of all images, with compose.registry.yaml.\n";
                } else if name == system.variable("IMAGE_TAG") {
                    text += "# The tag of all images; images.lock overrules it.\n";
                }
                text += &format!("# {name}={}\n", quoted(default));
            }
        }
    }
    text
}

/// A value as a file of variables has it.
fn quoted(value: &str) -> String {
    let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@,+=%".contains(c));
    if plain { value.to_owned() } else { format!("'{}'", value.replace('\'', "\\'")) }
}
