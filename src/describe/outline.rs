//! `--call=outline`: what a target can be told (build arguments, secrets, ssh), and what was found
//! out about it that the spec does not say.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::{Component, Places, Said};
use crate::diagnostic::Span;
use crate::plan::reach;
use crate::plan::{Action, Archetype, Mount, RuntimeUser};

/// For programs in the form that BuildKit's clients know, with `found` beside it; and for people.
pub fn outline(planned: &Component<'_>) -> Said {
    let Component { plan, service, spec, .. } = planned;
    let stage = planned.stage();
    let mut text = format!("TARGET: {}\n", plan.component);
    if stage != plan.runtime {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "STAGE: {stage}");
    }
    let what = match plan.archetype {
        Archetype::Library => "a library: no image".to_owned(),
        archetype => format!(
            "{archetype}, runs as {}",
            plan.image.user.as_ref().map_or_else(|| "its base says".to_owned(), RuntimeUser::config)
        ),
    };
    let _ = writeln!(text, "DESCRIPTION: {what}");
    let args = args(planned);
    table(
        &mut text,
        ["BUILD ARG", "VALUE"],
        args.iter().map(|(name, (value, _))| [name.to_string(), value.to_string()]),
    );
    let (secrets, agents, caches) = mounts(planned);
    table(
        &mut text,
        ["SECRET", "REQUIRED"],
        secrets.iter().map(|(id, (required, _))| [id.to_string(), required.to_string()]),
    );
    table(
        &mut text,
        ["SSH", "REQUIRED"],
        agents.iter().map(|(id, (required, _))| [id.to_string(), required.to_string()]),
    );
    table(
        &mut text,
        ["FOUND", "BECAUSE OF"],
        plan.found
            .iter()
            .map(|finding| [format!("{}: {}", finding.what, finding.value), finding.because.clone()]),
    );
    table(
        &mut text,
        ["STAGE", "FROM"],
        plan.stages
            .iter()
            .map(|stage| [format!("{}:{}", plan.component, stage.name), stage.from.to_string()]),
    );
    let mut places = Places::of(spec);
    let args: Vec<Value> = args
        .iter()
        .map(|(name, (value, span))| json!({ "name": name, "value": value, "location": places.location(span) }))
        .collect();
    let secrets: Vec<Value> = secrets
        .iter()
        .map(|(id, (required, span))| json!({ "name": id, "required": required, "location": places.location(span) }))
        .collect();
    let agents: Vec<Value> = agents
        .iter()
        .map(|(id, (required, span))| json!({ "name": id, "required": required, "location": places.location(span) }))
        .collect();
    let caches: Vec<Value> =
        caches.iter().map(|(id, span)| json!({ "ID": id, "location": places.location(span) })).collect();
    let location = places.location(&service.name.span);
    let found: Vec<Value> = plan
        .found
        .iter()
        .map(|finding| json!({ "what": finding.what, "value": finding.value, "because": finding.because }))
        .collect();
    let json = json!({
        "name": plan.component,
        "description": what,
        "args": args,
        "secrets": secrets,
        "ssh": agents,
        "cache": caches,
        "found": found,
        "location": location,
        "sources": places.sources(),
    });
    Said { json, text }
}

/// The variables that the component uses, each once.
fn args<'p>(planned: &Component<'p>) -> BTreeMap<&'p str, (&'p str, &'p Span)> {
    let own = Some(planned.service.name.value.as_str());
    let used =
        planned.spec.variables.iter().filter(|used| used.service.is_none() || used.service.as_deref() == own);
    let mut args = BTreeMap::new();
    for variable in used {
        args.entry(variable.name.as_str()).or_insert((variable.value.as_str(), &variable.span));
    }
    args
}

type Secrets<'p> = BTreeMap<&'p str, (bool, &'p Span)>;
type Ids<'p> = BTreeMap<&'p str, &'p Span>;

/// The secrets, agents and caches of the stages that would be built.
fn mounts<'p>(planned: &Component<'p>) -> (Secrets<'p>, Secrets<'p>, Ids<'p>) {
    let (mut secrets, mut agents, mut caches) = (Secrets::new(), Secrets::new(), Ids::new());
    for step in reach::stages(planned.plan, planned.stage()).into_iter().flat_map(|stage| &stage.steps) {
        let Action::Run(run) = &step.action else { continue };
        for mount in &run.mounts {
            match mount {
                Mount::Secret { id, required, .. } => {
                    let entry = secrets.entry(id.as_str()).or_insert((*required, &step.origin));
                    entry.0 |= required;
                }
                Mount::Ssh { id, required, .. } => {
                    let entry = agents.entry(id.as_str()).or_insert((*required, &step.origin));
                    entry.0 |= required;
                }
                Mount::Cache { id, .. } => {
                    caches.insert(id, &step.origin);
                }
                Mount::Bind { .. } | Mount::Tmpfs { .. } => {}
            }
        }
    }
    (secrets, agents, caches)
}

/// Two columns below their heads; nothing without rows.
fn table(text: &mut String, heads: [&str; 2], rows: impl Iterator<Item = [String; 2]>) {
    let rows: Vec<[String; 2]> = rows.collect();
    if rows.is_empty() {
        return;
    }
    let width = rows.iter().map(|row| row[0].len()).chain([heads[0].len()]).max().unwrap_or(0);
    let _ = writeln!(text, "\n{:width$}   {}", heads[0], heads[1]);
    for [first, second] in rows {
        let _ = writeln!(text, "{}", format!("{first:width$}   {second}").trim_end());
    }
}
