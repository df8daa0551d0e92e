//! Git URLs as build contexts, in the forms that Docker takes: `#ref:subdir` behind the URL, or
//! a query (`?ref=…&subdir=…`).

use buildkit_llb::source::{self, Source};

/// The source of a git URL; none if it is no git URL. The error says what is wrong with it.
pub(crate) fn context(url: &str) -> Result<Option<Source>, String> {
    let (rest, fragment) = match url.split_once('#') {
        Some((rest, fragment)) => (rest, Some(fragment).filter(|fragment| !fragment.is_empty())),
        None => (url, None),
    };
    let (remote, query) = match rest.split_once('?') {
        Some((remote, query)) => (remote, Some(query)),
        None => (rest, None),
    };
    let ssh = remote.starts_with("ssh://") || remote.starts_with("git@");
    let full = match remote.strip_prefix("github.com/") {
        Some(path) => format!("https://github.com/{path}"),
        None if crate::url::is_git(remote) => remote.to_owned(),
        None => return Ok(None),
    };
    let query = match query {
        Some(query) => Query::parse(query)?,
        None => Query::default(),
    };
    let fragment = match (query.fragment(), fragment) {
        (Some(_), Some(_)) => {
            return Err("the URL says ref or subdir twice, behind `?` and behind `#`".to_owned());
        }
        (queried, given) => queried.or(given.map(str::to_owned)),
    };
    let mut git = source::git(&full, fragment.as_deref());
    if ssh {
        git = git.ssh("default");
    }
    if let Some(checksum) = &query.checksum {
        git = git.checksum(checksum);
    }
    if query.keep_git_dir {
        git = git.keep_git_dir();
    }
    if query.skip_submodules {
        git = git.skip_submodules();
    }
    Ok(Some(git))
}

/// What may stand behind the `?`.
#[derive(Default)]
struct Query {
    reference: Option<String>,
    subdir: Option<String>,
    checksum: Option<String>,
    keep_git_dir: bool,
    skip_submodules: bool,
}

impl Query {
    fn parse(text: &str) -> Result<Self, String> {
        let mut query = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.to_owned();
            let taken = match key {
                "ref" => query.reference.replace(value),
                "branch" => query.reference.replace(format!("refs/heads/{value}")),
                "tag" => query.reference.replace(format!("refs/tags/{value}")),
                "subdir" => query.subdir.replace(value),
                "checksum" | "commit" => query.checksum.replace(value),
                "keep-git-dir" => {
                    query.keep_git_dir = is_true(&value)?;
                    None
                }
                "submodules" => {
                    query.skip_submodules = !is_true(&value)?;
                    None
                }
                _ => return Err(format!("the URL's query has `{key}`, which nothing reads")),
            };
            if taken.is_some() {
                return Err(format!("the URL's query says more than once what `{key}` says"));
            }
        }
        Ok(query)
    }

    fn fragment(&self) -> Option<String> {
        match (&self.reference, &self.subdir) {
            (None, None) => None,
            (reference, None) => reference.clone(),
            (reference, Some(subdir)) => {
                Some(format!("{}:{subdir}", reference.as_deref().unwrap_or_default()))
            }
        }
    }
}

fn is_true(value: &str) -> Result<bool, String> {
    match value {
        "" | "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        other => Err(format!("`{other}` in the URL's query is neither true nor false")),
    }
}

#[cfg(test)]
mod tests {
    use super::context;

    fn identifier(url: &str) -> String {
        match context(url) {
            Ok(Some(git)) => git.to_pb().identifier,
            Ok(None) => "no git".to_owned(),
            Err(why) => why,
        }
    }

    #[test]
    fn both_forms() {
        assert_eq!(identifier("https://h/x.git#v1:sub"), "git://h/x.git#v1:sub");
        assert_eq!(identifier("https://h/x.git?ref=v1&subdir=sub"), "git://h/x.git#v1:sub");
        assert_eq!(identifier("https://h/x.git?branch=main"), "git://h/x.git#refs/heads/main");
        assert_eq!(identifier("https://h/x.git?subdir=a/b"), "git://h/x.git#:a/b");
        assert_eq!(identifier("github.com/a/b"), "git://github.com/a/b");
        assert_eq!(identifier("git@h:a/b.git#"), "git://h/a/b.git");
        assert_eq!(identifier("https://h/x.tar.gz"), "no git");
    }

    #[test]
    fn what_is_wrong() {
        assert!(identifier("https://h/x.git?reff=v1").contains("`reff`"));
        assert!(identifier("https://h/x.git?ref=v1&tag=v2").contains("more than once"));
        assert!(identifier("https://h/x.git?ref=v1#v2").contains("twice"));
        assert!(identifier("https://h/x.git?keep-git-dir=maybe").contains("`maybe`"));
    }

    #[test]
    fn attributes() {
        let git = context("git@h:a/b.git?commit=abc&keep-git-dir=1&submodules=0")
            .expect("valid")
            .expect("git")
            .to_pb();
        let keys: Vec<&str> = git.attrs.iter().filter_map(|attr| attr.key.as_deref()).collect();
        assert_eq!(
            keys,
            ["git.checksum", "git.fullurl", "git.keepgitdir", "git.mountsshsock", "git.skipsubmodules"]
        );
    }
}
