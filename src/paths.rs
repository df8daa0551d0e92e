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

/// The parts of a path that starts in a folder, without detours. What leads out of the start stays
/// as `..` at the front.
pub(crate) fn parts<'p>(folder: &'p str, path: &'p str) -> Vec<&'p str> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}

/// The parts of a path from the root, above which there is nothing.
pub(crate) fn rooted(path: &str) -> Vec<&str> {
    let mut parts = parts("", path);
    parts.retain(|part| *part != "..");
    parts
}

/// A path that starts in a folder, without detours; none if it leads out of where the folder's own
/// path starts.
pub(crate) fn inside(folder: &str, path: &str) -> Option<String> {
    let parts = parts(folder, path);
    (parts.first() != Some(&"..")).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detours() {
        assert_eq!(inside("a/b", "../c/./d"), Some("a/c/d".to_owned()));
        assert_eq!(inside("", "../x"), None);
        assert_eq!(inside("a", "../../x"), None);
        assert_eq!(parts("a", "../../x"), ["..", "x"]);
        assert_eq!(rooted("/../a//b/../c/"), ["a", "c"]);
    }
}
