//! The bundle's own page: what is in it, and which commands it takes.

use std::collections::BTreeMap;

use super::scripts::command;
use super::{System, ingress};
use crate::spec::filled;
use crate::spec::routes::Answer;

/// `README.md` of a bundle.
pub(super) fn bundle(system: &System<'_>) -> String {
    let (name, file, prefix) = (&system.name, &system.file, system.prefix());
    let (start, stop, status, test) = (
        command(system, "start"),
        command(system, "stop"),
        command(system, "status"),
        command(system, "test"),
    );
    let mut text = format!(
        "# {name}\n\n\
         Generated from `{file}` by Slipway. This folder runs {name} without its sources.\n\n\
         ```sh\n\
         cp .env.example .env          # and set what differs\n\
         docker compose up -d          # or {start}, which waits until all is well\n\
         {status}\n\
         {test}\n\
         {stop}\n\
         ```\n\n\
         | file | what |\n|---|---|\n\
         | `compose.yaml` | all services, hardened; images by `{prefix}_IMAGE_TAG` |\n\
         | `compose.registry.yaml` | laid over it, takes all images from `{prefix}_REGISTRY` |\n\
         | `images.lock` | all images by digest, as variables for Compose |\n\
         | `.env.example` | all variables, with what they are unless they are set |\n"
    );
    if system.ingress().is_some() {
        text +=
            "| `ingress/` | what follows from the routes: a snippet for a proxy in front, status checks |\n";
    }
    text += &format!(
        "\n## Upgrade and roll back\n\n\
         ```sh\n\
         {prefix}_IMAGE_TAG=1.1 docker compose up -d                                  # to another tag\n\
         docker compose --env-file .env --env-file images.lock up -d{pad}# to the digests of the lock\n\
         docker compose --env-file .env --env-file images.lock.old up -d   # back to those of an older one\n\
         ```\n",
        pad = " ".repeat(7),
    );
    text += "\n## Services\n\n| service | image | user | listens on |\n|---|---|---|---|\n";
    for part in &system.parts {
        let ports: Vec<String> = part.plan.image.ports.iter().flatten().map(ToString::to_string).collect();
        let user =
            part.user().map_or_else(|| "that of its base".to_owned(), |(uid, gid)| format!("{uid}:{gid}"));
        text += &format!("| {} | `{}` | {user} | {} |\n", part.name(), system.image(part), ports.join(", "));
    }
    for other in system.others().filter(|name| !system.is_left_out(name)) {
        text += &format!("| {other} | as the spec has it | | |\n");
    }
    let needed = system.files_needed();
    if !needed.is_empty() {
        text += "\n## Files that are not in this folder\n\n\
                 They hold what is one's own: secrets, and variables of a service.\n\n";
        text += &needed.iter().map(|path| format!("- `{path}`\n")).collect::<String>();
    }
    text += &entry_points(system);
    text
}

/// Where everything is reached from the machine that it runs on, unless variables say otherwise.
fn entry_points(system: &System<'_>) -> String {
    let mut rows = Vec::new();
    if let (Some(ingress), Some(port)) = (system.ingress(), ingress::port(system)) {
        let mut row =
            |what: &str, path: &str| rows.push(format!("| {what} | <http://localhost:{port}{path}> |"));
        row("browsers", "/");
        for route in &ingress.routes {
            if route.answer == Answer::Explorer {
                row("APIs", &route.path);
            }
        }
        for check in ingress::checks(system, ingress) {
            row(&format!("{} is well", check.service), &check.path);
        }
    }
    for part in system.parts.iter().filter(|part| part.routes.is_empty()) {
        for (published, _) in system.published(part.name()) {
            rows.push(format!(
                "| {} itself | `localhost:{}` |",
                part.name(),
                filled(&published, &BTreeMap::new())
            ));
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    format!("\n## Entry points\n\n| what | where |\n|---|---|\n{}\n", rows.join("\n"))
}
