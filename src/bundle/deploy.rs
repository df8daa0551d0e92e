//! Deployment profiles: scripts for a kind of place.

use minijinja::context;

use super::template::filled;
use super::{System, TextFiles, add, add_program, ingress};
use crate::lint::is_of_origins;
use crate::spec::variables;

const README: &str = include_str!("templates/deploy/README.md");
/// What all of them begin with: their arguments, and how they run or only say what would run. Each stands alone, as
/// an operator may copy one of them to a host.
const ARGUMENTS: &str = include_str!("templates/deploy/arguments.sh");
const RUN: &str = include_str!("templates/deploy/run.sh");
const SCRIPTS: [(&str, &str); 5] = [
    ("deploy.sh", include_str!("templates/deploy/deploy.sh")),
    ("upgrade.sh", include_str!("templates/deploy/upgrade.sh")),
    ("cleanup.sh", include_str!("templates/deploy/cleanup.sh")),
    ("host-setup-check.sh", include_str!("templates/deploy/host-setup-check.sh")),
    ("host-setup-install.sh", include_str!("templates/deploy/host-setup-install.sh")),
];

/// The variable that says whose pages may ask, unless the spec's file uses another one.
const CORS_VARIABLE: &str = "CORS_ALLOWED_ORIGINS";

/// Adds the files of the profile, if the spec names one.
pub(super) fn files(system: &System<'_>, files: &mut TextFiles) {
    let Some(deploy) = system.spec.project.as_ref().and_then(|project| project.deploy.as_ref()) else {
        return;
    };
    let Some(profile) = &deploy.profile else { return };
    let folder = format!("runtime/deploy/{}", profile.value);
    let text = |value: Option<&crate::spec::Located<String>>| {
        value.map(|value| value.value.clone()).unwrap_or_default()
    };
    let settings = system.spec.running.iter().flat_map(|running| &running.environment);
    let mut of_origins = settings.filter(|setting| is_of_origins(&setting.name));
    let cors = of_origins.find_map(|setting| {
        variables(&setting.written).into_iter().map(|variable| variable.name).find(|name| is_of_origins(name))
    });
    let values = context! {
        arguments => ARGUMENTS,
        run => RUN,
        spec => system.file.clone(),
        name => system.name.clone(),
        profile => profile.value.clone(),
        prefix => system.prefix(),
        slug => system.prefix().to_lowercase(),
        repository => text(deploy.repository.as_ref()),
        branch => deploy.branch.as_ref().map_or("main", |branch| &branch.value),
        environment => deploy.environment.as_ref().map_or("production", |environment| &environment.value),
        domain => text(deploy.domain.as_ref()),
        domain_variable => system.domain_variable(),
        cors_variable => cors.unwrap_or_else(|| CORS_VARIABLE.to_owned()),
        port => ingress::port(system).unwrap_or_else(|| "8080".to_owned()),
    };
    for (name, template) in SCRIPTS {
        add_program(files, &format!("{folder}/{name}"), filled(name, template, values.clone()));
    }
    add(files, &format!("{folder}/README.md"), filled("README.md", README, values));
    add(files, &format!("{folder}/nginx.reverse-proxy.snippet.conf"), ingress::snippet(system));
}
