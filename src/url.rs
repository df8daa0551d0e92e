//! URLs as sources: which ones are git repositories, and what a file from one is called.

/// Whether a URL is that of a git repository, in the forms that Docker takes.
pub(crate) fn is_git(url: &str) -> bool {
    let bare = url.split(['?', '#']).next().unwrap_or(url);
    let scheme = ["git://", "ssh://", "git@", "github.com/"].iter().any(|start| bare.starts_with(start));
    let web = bare.starts_with("https://") || bare.starts_with("http://");
    scheme || (web && bare.ends_with(".git"))
}

/// The name that a file from a URL gets: the last one of its path.
pub(crate) fn file_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let name = path.split_once('/').map_or("", |(_, path)| path).rsplit('/').next().unwrap_or_default();
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_names() {
        for url in ["https://x.test/a.git#main", "git@x.test:a/b", "github.com/a/b", "ssh://x.test/a"] {
            assert!(is_git(url), "{url}");
        }
        assert!(!is_git("https://x.test/a.tar.gz") && !is_git("./a.git"));
        assert_eq!(file_name("https://x.test/b/tool.tgz?v=1"), "tool.tgz");
        assert_eq!(file_name("https://x.test/"), "file");
        assert_eq!(file_name("https://x.test"), "file");
    }
}
