//! Paths in an image, as a Dockerfile takes them: from the working directory, with a trailing
//! slash that means "into this folder".

/// A path from the root, its trailing slash kept.
pub(super) fn absolute(path: &str) -> String {
    joined_target("/", path)
}

/// A folder, from a working directory.
pub(super) fn joined(working_dir: &str, path: &str) -> String {
    let path = joined_target(working_dir, path);
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { "/".to_owned() } else { trimmed.to_owned() }
}

/// A target, from a working directory; a trailing slash means something and stays.
pub(super) fn joined_target(working_dir: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{working_dir}/{path}") };
    let folder = whole.ends_with('/') || whole.ends_with("/.");
    let mut result = format!("/{}", crate::paths::rooted(&whole).join("/"));
    if folder && result != "/" {
        result.push('/');
    }
    result
}

#[cfg(test)]
mod tests {
    use super::{joined, joined_target};

    #[test]
    fn paths() {
        for (given, expected) in
            [("x", "/app/x"), ("/x/", "/x/"), (".", "/app/"), ("./", "/app/"), ("../y", "/y"), ("/", "/")]
        {
            assert_eq!(joined_target("/app", given), expected, "{given}");
        }
        assert_eq!(joined("/app", "./"), "/app");
        assert_eq!(joined("/", "/"), "/");
    }
}
