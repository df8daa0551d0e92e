//! Paths of a build context: relative, with `/`, on any machine.

/// A path in a folder.
pub(crate) fn in_folder(folder: &str, name: &str) -> String {
    let name = name.trim_start_matches("./").trim_start_matches('/');
    match (folder, name) {
        ("", name) => name.to_owned(),
        (folder, "" | ".") => folder.to_owned(),
        (folder, name) => format!("{folder}/{name}"),
    }
}

/// The folder that a path lies in.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}
