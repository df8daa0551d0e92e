//! `include`: other Compose files whose services belong to this one.
//!
//! An included file is a spec of its own: its paths are relative to its own folder, its `defaults`
//! are its own, and its services are the same images whether they are built through it or through
//! the file that includes it. As in Compose, a service of the same name twice is an error.

use super::extends::{Files, relative};
use super::reader::Reader;
use super::yaml::{Node, Value};
use crate::diagnostic::{Code, Diagnostic, Span};

/// A file that is part of the project.
pub(super) struct Part<'n> {
    /// What it holds.
    pub(super) root: &'n Node,
    /// Its path from the spec's folder.
    pub(super) file: String,
    /// The folder that its paths start from, from the spec's folder; empty for that itself.
    pub(super) folder: String,
    /// How many files lead to it.
    depth: usize,
}

/// Deeper than anybody nests.
const DEPTH: usize = 16;

/// The file and those that it includes, each once. Files that have not been read yet go to
/// `missing`.
pub(super) fn parts<'n>(
    root: &'n Node,
    file: &str,
    files: &'n Files,
    missing: &mut Vec<String>,
    reader: &mut Reader<'_>,
) -> Vec<Part<'n>> {
    let mut found = vec![Part { root, file: file.to_owned(), folder: String::new(), depth: 0 }];
    let mut next = 0;
    while let Some(Part { root, file, folder, depth }) = found.get(next) {
        let (file, folder, depth) = (file.clone(), folder.clone(), *depth);
        next += 1;
        let Some(include) = root.get("include").filter(|include| include.value != Value::Null) else {
            continue;
        };
        let Value::Sequence(entries) = &include.value else {
            reader.wrong_type(include, "a list of files for `include`");
            continue;
        };
        for entry in entries {
            for (path, project, span) in paths(entry, reader) {
                let Some(path) = inside(&path, &file, &span, reader) else { continue };
                if found.iter().any(|part| part.file == path) {
                    continue;
                }
                if depth == DEPTH {
                    report(reader, &span, "`include` leads through too many files".to_owned(), None);
                    return found;
                }
                let folder = match project {
                    Some(project) => crate::paths::inside(&folder, &project).unwrap_or_default(),
                    None => crate::paths::parent(&path).to_owned(),
                };
                match files.get(&path) {
                    Some(Some(root)) => found.push(Part { root, file: path, folder, depth: depth + 1 }),
                    Some(None) => {
                        let message = format!("`include` names the file `{path}`, which is not there");
                        report(
                            reader,
                            &span,
                            message,
                            Some("a build sees the folder of the spec and what is below it"),
                        );
                    }
                    None => missing.push(path),
                }
            }
        }
    }
    found
}

/// The paths of an entry: one text, or a mapping with one `path` or several.
fn paths(entry: &Node, reader: &mut Reader<'_>) -> Vec<(String, Option<String>, Span)> {
    if !matches!(entry.value, Value::Mapping(_)) {
        let path = reader.scalar(entry, "a file's path");
        return path.map(|path| (path, None, entry.span.clone())).into_iter().collect();
    }
    let project = entry.get("project_directory").and_then(|node| reader.scalar(node, "a folder's path"));
    let Some(path) = entry.get("path") else {
        report(reader, &entry.span, "an entry of `include` needs a `path`".to_owned(), None);
        return Vec::new();
    };
    let nodes = match &path.value {
        Value::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(path),
    };
    if let [_, second, ..] = nodes {
        report(
            reader,
            &second.span,
            "several files that are merged into one are not read by Slipway".to_owned(),
            Some("make each an entry of its own, or merge them with `extends`"),
        );
    }
    let first =
        nodes.first().and_then(|node| Some((reader.scalar(node, "a file's path")?, node.span.clone())));
    first.map(|(path, span)| (path, project, span)).into_iter().collect()
}

/// A path from the spec's folder; a file of elsewhere is out of a build's sight.
fn inside(path: &str, file: &str, span: &Span, reader: &mut Reader<'_>) -> Option<String> {
    if path.contains("://") || path.starts_with("git@") || path.starts_with("oci:") {
        let message = format!("`include` names `{path}`, which is not beside the spec");
        report(reader, span, message, Some("a build reads local files alone; build that file on its own"));
        return None;
    }
    let found = relative(file, path);
    if found.is_none() {
        let message = format!("`include` names the file `{path}`, which lies outside of the spec's folder");
        report(reader, span, message, Some("a build sees the folder of the spec and what is below it"));
    }
    found
}

fn report(reader: &mut Reader<'_>, span: &Span, message: String, help: Option<&str>) {
    reader.report(Diagnostic::new(Code::Extends, message).at(span).help_if(help));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::spec::{Loaded, Variables, load};

    const PART: &str = "\
x-slipway: { defaults: { env: { FROM: part } } }
services:
  api: { x-slipway: { recipe: node, source: code } }
  db: { image: postgres:16 }
";

    fn read(main: &str, files: &[(&str, &str)]) -> (Vec<(String, String)>, Vec<String>) {
        let beside: BTreeMap<String, Option<Vec<u8>>> =
            files.iter().map(|(name, text)| ((*name).to_owned(), Some(text.as_bytes().to_vec()))).collect();
        match load("app.yaml", main.as_bytes(), &beside, &Variables::new()) {
            Loaded::Needs(names) => (Vec::new(), names),
            Loaded::Done(spec, problems) => (
                spec.iter()
                    .flat_map(|spec| &spec.components)
                    .map(|service| {
                        let source = service.component.source.as_ref();
                        (service.name.value.clone(), source.map(|s| s.value.clone()).unwrap_or_default())
                    })
                    .collect(),
                problems.into_iter().map(|problem| problem.message).collect(),
            ),
        }
    }

    #[test]
    fn services_of_other_files_have_their_own_folder() {
        let main = "include: [part/app.yaml]\nservices: { web: { x-slipway: { recipe: static } } }\n";
        assert_eq!(read(main, &[]).1, ["part/app.yaml"]);
        let (components, problems) = read(main, &[("part/app.yaml", PART)]);
        let expected = [("web", ""), ("api", "part/code")];
        assert_eq!(components, expected.map(|(name, source)| (name.to_owned(), source.to_owned())));
        assert_eq!(problems, [""; 0]);
    }

    #[test]
    fn what_cannot_be_included_is_an_error() {
        let one = |entry: &str| {
            read(&format!("include: [{entry}]\nservices: {{ a: {{ x-slipway: }} }}\n"), &[("b.yaml", PART)]).1
        };
        assert!(one("../up.yaml")[0].contains("outside of the spec's folder"));
        assert!(one("\"https://example.com/a.yaml\"")[0].contains("not beside the spec"));
        assert!(one("{ file: b.yaml }")[0].contains("needs a `path`"));
        assert!(one("{ path: [b.yaml, c.yaml] }")[0].contains("merged into one"));
        let twice = read("include: [b.yaml]\nservices: { api: { x-slipway: } }\n", &[("b.yaml", PART)]).1;
        assert_eq!(twice, ["the service `api` is there twice"]);
    }
}
