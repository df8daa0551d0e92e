//! Patterns of names and paths: `*` and `?` within a name, `**` across folders. A pattern without a
//! slash fits the last name of a path; one that fits a folder fits what lies below it.

/// Whether a pattern fits a path that starts with `/`.
pub fn fits(pattern: &str, path: &str) -> bool {
    let patterns = |text: &str| vec![text.trim_matches('/').to_owned()];
    let path = path.trim_start_matches('/');
    if pattern.trim_end_matches('/').contains('/') {
        return crate::ignore::is_ignored(path, &patterns(pattern));
    }
    path.split('/').any(|name| crate::ignore::is_ignored(name, &patterns(pattern)))
}

/// Whether a pattern fits a name.
pub fn fits_name(pattern: &str, name: &str) -> bool {
    // A scoped npm package has a slash in its name.
    crate::ignore::is_ignored(name, &[pattern.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_paths_and_folders() {
        for (pattern, path) in [
            ("*.map", "/app/dist/main.js.map"),
            ("/app/dist/", "/app/dist/x/y"),
            ("/app/*.js", "/app/a.js"),
            ("**/test/**", "/app/node_modules/x/test/a"),
            ("tests", "/app/tests/a.py"),
            ("/usr/bin/gcc", "/usr/bin/gcc"),
        ] {
            assert!(fits(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in
            [("*.map", "/app/mapper"), ("/app/*.js", "/app/a/b.js"), ("/usr/bin/gcc", "/usr/bin/gcc-12")]
        {
            assert!(!fits(pattern, path), "{pattern} {path}");
        }
        assert!(
            fits_name("@types/*", "@types/node")
                && fits_name("gcc*", "gcc-12")
                && !fits_name("gcc", "libgcc")
        );
    }
}
