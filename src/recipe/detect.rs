//! Which recipe a folder wants, where the spec does not say it: each recipe names the files that
//! mark its folders. Bun's lock decides between Bun and Node, which share a manifest.

use super::{Facts, Need, RECIPES, Recipe, Request};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::Service;

/// What has to be read to choose a recipe.
pub(super) fn needs(service: &Service) -> Vec<Need> {
    vec![Need::names(super::source(service))]
}

/// The recipes whose marks are in the folder, with the mark.
pub(super) fn candidates(source: &str, facts: &Facts) -> Vec<(&'static dyn Recipe, String)> {
    let names = facts.names(source);
    let mark = |recipe: &&'static dyn Recipe| {
        let matches = |mark: &str, name: &str| match mark.strip_prefix('*') {
            Some(end) => name.ends_with(end),
            None => name == mark,
        };
        let files = names.iter().filter(|name| !name.is_folder);
        let found =
            files.map(|name| &name.name).find(|name| recipe.marks().iter().any(|mark| matches(mark, name)));
        found.cloned()
    };
    let mut found: Vec<(&'static dyn Recipe, String)> =
        RECIPES.into_iter().filter_map(|recipe| Some((recipe, mark(&recipe)?))).collect();
    if found.iter().any(|(recipe, _)| recipe.name() == "bun") {
        found.retain(|(recipe, _)| recipe.name() != "node");
    }
    // A page beside a manifest is part of an application.
    if found.len() > 1 {
        found.retain(|(recipe, _)| recipe.name() != "static");
    }
    found
}

/// The recipe for a folder, if it is the only one that fits.
pub(super) fn recipe(request: &Request<'_>, problems: &mut Diagnostics) -> Option<&'static dyn Recipe> {
    let found = candidates(&request.source, request.facts);
    match found.as_slice() {
        [(recipe, mark)] => {
            request.found("recipe", recipe.name(), request.path(mark));
            Some(*recipe)
        }
        [] => {
            let names: Vec<&str> = RECIPES.iter().map(|recipe| recipe.name()).collect();
            problems.push(
                Diagnostic::new(
                    Code::MissingKey,
                    format!(
                        "`{}` says neither `recipe` nor `stages`, and its folder tells nothing",
                        request.service.name.value
                    ),
                )
                .at(&request.service.extension)
                .help(format!("recipes: {}; or write the stages by hand", names.join(", "))),
            );
            None
        }
        several => {
            let choices: Vec<String> =
                several.iter().map(|(recipe, mark)| format!("`{}` (for {mark})", recipe.name())).collect();
            problems.push(
                Diagnostic::new(
                    Code::Ambiguous,
                    format!("several recipes fit the folder of `{}`", request.service.name.value),
                )
                .at(&request.service.extension)
                .help(format!("set `recipe` to one of: {}", choices.join(", "))),
            );
            None
        }
    }
}
