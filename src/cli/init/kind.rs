//! What a service is: the folder that is its source, and the recipe for it, by the images that its
//! Dockerfile names and by the folder's own files.

use std::collections::BTreeSet;

use super::component::Seen;
use super::scan::{Kind, Tree};
use super::start;
use super::told::Told;
use crate::paths::parent;

/// The component's folder: the Dockerfile's own if it is a program, else the context, else the folder
/// that the Dockerfile copies its manifests from.
pub(super) fn source(seen: &Seen<'_>, tree: &Tree) -> String {
    let context = seen.context.clone();
    let Some(told) = &seen.told else { return context };
    let is_program = |folder: &str| !tree.marks(folder).is_empty();
    let beside = parent(&told.path).to_owned();
    if beside != context && is_program(&beside) {
        return beside;
    }
    let copied: BTreeSet<String> = told
        .context_sources()
        .into_iter()
        .map(|path| if tree.is_folder(&path) { path } else { parent(&path).to_owned() })
        .filter(|folder| *folder != context && is_program(folder))
        .collect();
    let named = copied.iter().find(|folder| folder.rsplit('/').next() == Some(seen.name));
    match (named, is_program(&context), copied.len()) {
        (Some(named), _, _) => named.clone(),
        (None, false, 1) => copied.into_iter().next().unwrap_or(context),
        _ => context,
    }
}

/// The language or server that an image brings.
pub(super) fn family(image: &str) -> Option<&'static str> {
    let name = image.split('@').next().unwrap_or_default();
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (name, ""),
    };
    let last = path.rsplit('/').next().unwrap_or_default();
    if path.contains("dotnet/") {
        return Some("dotnet");
    }
    Some(match last {
        "node" => "node",
        "python" => "python",
        "uv" if tag.contains("python") => "python",
        "bun" => "bun",
        "golang" | "go" => "go",
        "rust" => "rust",
        "nginx" | "nginx-unprivileged" | "httpd" | "caddy" => "nginx",
        "eclipse-temurin"
        | "openjdk"
        | "amazoncorretto"
        | "maven"
        | "gradle"
        | "sapmachine"
        | "ibm-semeru-runtimes" => "java",
        _ if path.contains("distroless/nodejs") => "node",
        _ if path.contains("distroless/java") => "java",
        _ if path.contains("distroless/python") => "python",
        _ => return None,
    })
}

/// The version in an image's name: `20` of `node:20-alpine`, `21` of `distroless/java21-debian12`.
pub(super) fn version_of(image: &str) -> Option<String> {
    let name = image.split('@').next().unwrap_or_default();
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (name, ""),
    };
    let last = path.rsplit('/').next().unwrap_or_default();
    let text = match (last, tag) {
        ("maven" | "gradle", tag) => tag.split_once("temurin-").or(tag.split_once("jdk"))?.1,
        (_, tag) if path.contains("distroless/") => {
            let _ = tag;
            last.trim_start_matches(|c: char| c.is_ascii_alphabetic())
        }
        ("uv", tag) => tag.strip_prefix("python")?,
        (_, tag) => tag,
    };
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let version = text[..end].trim_matches('.');
    (!version.is_empty()).then(|| version.to_owned())
}

/// Where servers look for pages.
pub(super) const HTML: [&str; 5] =
    ["/usr/share/nginx/html", "/var/www", "/usr/local/apache2/htdocs", "/usr/share/caddy", "/srv"];

/// Which recipe: by the image that the Dockerfile ends on, those that it builds with, or the folder.
pub(super) fn kind(seen: &Seen<'_>, tree: &Tree, source: &str) -> Result<Kind, String> {
    let of_folder = tree.kind(source);
    let Some(told) = &seen.told else {
        return of_folder.ok_or_else(|| {
            let marks: Vec<&str> = tree.marks(source).iter().map(|kind| kind.recipe).collect();
            match marks.as_slice() {
                [] => "its folder does not tell what it is".to_owned(),
                several => format!("its folder could be any of: {}", several.join(", ")),
            }
        });
    };
    let from = |line: usize, image: &str| format!("FROM {image}, {} line {line}", told.path);
    match family(&told.runtime) {
        Some("nginx") => {
            let why = from(told.runtime_line, &told.runtime);
            let into = |folders: &[&str]| {
                told.copies()
                    .into_iter()
                    .any(|copy| folders.iter().any(|folder| copy.target.starts_with(folder)))
            };
            if into(&HTML) || of_folder.as_ref().is_some_and(|kind| kind.recipe == "static") {
                return Ok(Kind { recipe: "static", why });
            }
            if into(&["/etc/nginx/conf.d", "/etc/nginx/templates"]) {
                return Ok(Kind { recipe: "nginx", why });
            }
            Err(format!("no recipe knows what `{}` serves here", told.runtime))
        }
        // Bun's lock beside a manifest that Node's image installs from; a site that a tool serves.
        Some("node") if of_folder.as_ref().is_some_and(|kind| kind.recipe == "bun") => {
            of_folder.ok_or_else(String::new)
        }
        Some("node")
            if of_folder.as_ref().is_some_and(|kind| kind.recipe == "static") && serves_files(told) =>
        {
            let why = "a site that a tool for Node serves; nginx does it here".to_owned();
            Ok(Kind { recipe: "static", why })
        }
        Some(recipe) => Ok(Kind { recipe, why: from(told.runtime_line, &told.runtime) }),
        None => {
            let builder = told.builders.iter().find_map(|image| {
                let recipe = family(&image.value).filter(|recipe| *recipe != "nginx")?;
                Some(Kind { recipe, why: from(image.line, &image.value) })
            });
            builder.or(of_folder).ok_or_else(|| format!("no recipe is for `{}`", told.runtime))
        }
    }
}

fn serves_files(told: &Told) -> bool {
    let tools = ["serve", "http-server", "preview"];
    [&told.entrypoint, &told.command].into_iter().flatten().any(|start| {
        let words = start::words(&start.value);
        words.iter().any(|word| tools.contains(&word.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_versions() {
        for (image, recipe, version) in [
            ("node:20-alpine", Some("node"), Some("20")),
            ("docker.io/library/python:3.12.1-slim@sha256:0", Some("python"), Some("3.12.1")),
            ("node:lts", Some("node"), None),
            ("localhost:5000/node", Some("node"), None),
            ("maven:3.9-eclipse-temurin-21", Some("java"), Some("21")),
            ("gcr.io/distroless/java21-debian12", Some("java"), Some("21")),
            ("gcr.io/distroless/nodejs22-debian12:nonroot", Some("node"), Some("22")),
            ("mcr.microsoft.com/dotnet/aspnet:8.0", Some("dotnet"), Some("8.0")),
            ("ghcr.io/astral-sh/uv:python3.12-bookworm", Some("python"), Some("3.12")),
            ("openjdk:17.0.2_8-jdk", Some("java"), Some("17.0.2")),
            ("alpine:3.20", None, Some("3.20")),
            ("scratch", None, None),
        ] {
            assert_eq!((family(image), version_of(image).as_deref()), (recipe, version), "{image}");
        }
    }
}
