//! What an operator runs: start, status, stop, test.

use minijinja::{Value, context};

use super::ingress::{checks, port};
use super::template::filled;
use super::{Part, System, TextFiles, add, add_program};
use crate::plan::Archetype;
use crate::spec::routes::Answer;

const LIB: &str = include_str!("templates/scripts/lib.sh");
const WRAPPER: &str = include_str!("templates/scripts/wrapper.sh");
/// What all of them begin with.
const HEAD: &str = include_str!("templates/scripts/head.sh");
/// The arguments of those that have no others.
const ARGUMENTS: &str = include_str!("templates/scripts/arguments.sh");
const SCRIPTS: [(&str, &str); 4] = [
    ("start", include_str!("templates/scripts/start.sh")),
    ("status", include_str!("templates/scripts/status.sh")),
    ("stop", include_str!("templates/scripts/stop.sh")),
    ("test", include_str!("templates/scripts/test.sh")),
];

/// Adds the scripts. With a name for them they lie in `scripts`, and wrappers lead to them.
pub(super) fn files(system: &System<'_>, files: &mut TextFiles) {
    let bundle = system.spec.project.as_ref().and_then(|project| project.bundle.as_ref());
    let name = bundle.and_then(|bundle| bundle.scripts.as_ref()).map(|name| name.value.as_str());
    let up = if name.is_some() { ".." } else { "." };
    let beside = if up == "." { "scripts/lib.sh" } else { "lib.sh" };
    let head = filled("head.sh", HEAD, context! { up, lib => "scripts/lib.sh", lib_beside => beside });
    let values = values(system, head);
    add(files, ".shellcheckrc", "external-sources=true\nsource-path=SCRIPTDIR\n".to_owned());
    add(files, "scripts/lib.sh", filled("lib.sh", LIB, values.clone()));
    for (verb, template) in SCRIPTS {
        let text = filled(verb, template, values.clone());
        let Some(name) = name else {
            add_program(files, &format!("{verb}.sh"), text);
            continue;
        };
        let script = format!("scripts/{verb}-{name}.sh");
        let wrapper = context! { spec => system.file.clone(), script => script.clone() };
        add_program(files, &script, text);
        add_program(files, &format!("{verb}-env.sh"), filled("wrapper.sh", WRAPPER, wrapper));
    }
}

/// The names of the scripts, as an operator types them.
pub(super) fn command(system: &System<'_>, verb: &str) -> String {
    let bundle = system.spec.project.as_ref().and_then(|project| project.bundle.as_ref());
    let named = bundle.is_some_and(|bundle| bundle.scripts.is_some());
    if named { format!("./{verb}-env.sh") } else { format!("./{verb}.sh") }
}

fn values(system: &System<'_>, head: String) -> Value {
    let ingress = system.ingress();
    let checked = ingress.map(|ingress| checks(system, ingress)).unwrap_or_default();
    let checked: Vec<Value> = checked
        .iter()
        .map(|check| {
            context! { service => check.service.clone(), path => check.path.clone(), expected => check.expected.iter().map(u16::to_string).collect::<Vec<_>>().join(" ") }
        })
        .collect();
    let routes = ingress.map(|ingress| ingress.routes.as_slice()).unwrap_or_default();
    let mut forbidden: Vec<String> = routes
        .iter()
        .filter(|route| matches!(route.answer, Answer::Return { status: 400.., .. }))
        .map(|route| route.path.clone())
        .collect();
    forbidden.extend(ingress.iter().flat_map(|part| part.plan.contract.promise.forbidden_urls.clone()));
    forbidden.sort();
    forbidden.dedup();
    let redirects: Vec<String> = routes
        .iter()
        .filter(|route| matches!(route.answer, Answer::Redirect(_)))
        .map(|route| route.path.clone())
        .collect();
    let container_port = ingress.and_then(|part| Some(system.published(part.name()).into_iter().next()?.1));
    let jobs = system.parts.iter().filter(|part| part.plan.archetype != Archetype::Service).map(Part::name);
    // What is not built here may be a job as well.
    let may_end: Vec<String> = jobs.chain(system.others()).map(str::to_owned).collect();
    context! {
        may_end,
        spec => system.file.clone(),
        name => system.name.clone(),
        prefix => system.prefix(),
        head,
        arguments => ARGUMENTS,
        state => system.state().map(|state| context! { id => state.id.value.clone() }),
        // What is not published cannot be asked from here.
        ingress => ingress.zip(container_port).map(|(part, container_port)| {
            context! { service => part.name().to_owned(), container_port, port => port(system).unwrap_or_default() }
        }),
        checks => checked,
        forbidden,
        redirects,
    }
}
