//! Sources: where files enter the graph. Images, the client's folders, git, HTTP and OCI
//! layouts; identifiers and attributes are those of BuildKit's `solver/pb/attr.go`.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_proto::pb;

use crate::{Metadata, Output, Platform, vertex::Inputs};

/// An image from a registry, or from the engine's own store. `reference` is fully normalised
/// (`docker.io/library/busybox:latest`), with a digest where it was resolved. Set the platform.
pub fn image(reference: &str) -> Source {
    Source::new(format!("docker-image://{reference}")).needs("source.image")
}

/// A folder of the client's, by the name under which the client offers it.
pub fn local(name: &str) -> Source {
    Source::new(format!("local://{name}")).needs("source.local")
}

/// A git repository. `remote` is a full URL; `fragment` is `ref`, `ref:subdir` or `:subdir`.
pub fn git(remote: &str, fragment: Option<&str>) -> Source {
    // The identifier leaves out the scheme and the user, as Go's client writes it.
    let bare = remote.split_once("://").map_or(remote, |(_, rest)| rest);
    let bare = match bare.split_once('@') {
        Some((user, rest)) if !user.contains('/') => rest,
        _ => bare,
    };
    // scp's form, host:path, becomes a path.
    let bare = if remote.contains("://") { bare.to_owned() } else { bare.replacen(':', "/", 1) };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    let source = Source::new(format!("git://{bare}{fragment}")).needs("source.git").attr_needs(
        "git.fullurl",
        remote,
        "source.git.fullurl",
    );
    let subdir = fragment.contains(':');
    if subdir { source.needs("source.git.subdir") } else { source }
}

/// One file over HTTP.
pub fn http(url: &str) -> Source {
    Source::new(url.to_owned()).needs("source.http")
}

/// An image in an OCI layout that the client offers. `reference` is `name@digest`.
pub fn oci_layout(reference: &str) -> Source {
    Source::new(format!("oci-layout://{reference}")).needs("source.ocilayout")
}

/// A source that is being described; [`Source::build`] makes it a vertex.
#[derive(Clone, Debug)]
pub struct Source {
    identifier: String,
    attrs: BTreeMap<String, String>,
    caps: BTreeSet<&'static str>,
    platform: Option<Platform>,
    like_go: bool,
}

impl Source {
    /// A source of any scheme, for what the functions of this module do not name.
    pub fn new(identifier: impl Into<String>) -> Self {
        Self {
            identifier: identifier.into(),
            attrs: BTreeMap::new(),
            caps: BTreeSet::new(),
            platform: None,
            like_go: false,
        }
    }

    /// Sets an attribute.
    #[must_use]
    pub fn attr(mut self, key: &str, value: impl Into<String>) -> Self {
        self.attrs.insert(key.to_owned(), value.into());
        self
    }

    /// Names a capability without which the daemon must refuse this source.
    #[must_use]
    pub fn needs(mut self, cap: &'static str) -> Self {
        self.caps.insert(cap);
        self
    }

    fn attr_needs(self, key: &str, value: impl Into<String>, cap: &'static str) -> Self {
        self.attr(key, value).needs(cap)
    }

    /// The platform of an image or an OCI layout.
    #[must_use]
    pub fn platform(mut self, platform: &Platform) -> Self {
        self.platform = Some(platform.clone());
        self
    }

    /// `pull` asks the registry even if the image is there; `local` prefers the engine's store.
    /// Anything else, `default` included, is the daemon's default.
    #[must_use]
    pub fn resolve_mode(self, mode: &str) -> Self {
        match mode {
            "pull" => self.attr_needs("image.resolvemode", mode, "source.image.resolvemode"),
            "local" => self.attr("image.resolvemode", mode),
            _ => self,
        }
    }

    /// A digest that an HTTP file or a git commit must have.
    #[must_use]
    pub fn checksum(self, checksum: &str) -> Self {
        if self.identifier.starts_with("git://") {
            self.attr_needs("git.checksum", checksum, "source.git.checksum")
        } else {
            self.attr_needs("http.checksum", checksum, "source.http.checksum")
        }
    }

    /// The name that a file from HTTP gets.
    #[must_use]
    pub fn filename(self, name: &str) -> Self {
        self.attr("http.filename", name)
    }

    /// Encodes the vertex as BuildKit's client for Go does: with an empty list of constraints, which
    /// means nothing. It is then the same vertex as one that the engine's own frontend asked for,
    /// which matters where something can be had once only, such as an upload of the client's.
    #[must_use]
    pub fn like_go(mut self) -> Self {
        self.like_go = true;
        self
    }

    /// Leaves the `.git` folder in a checkout.
    #[must_use]
    pub fn keep_git_dir(self) -> Self {
        self.attr_needs("git.keepgitdir", "true", "source.git.keepgitdir")
    }

    /// Leaves submodules alone.
    #[must_use]
    pub fn skip_submodules(self) -> Self {
        self.attr_needs("git.skipsubmodules", "true", "source.git.skipsubmodules")
    }

    /// Clones over ssh with the client's agent of this id (`default`).
    #[must_use]
    pub fn ssh(self, id: &str) -> Self {
        self.attr_needs("git.mountsshsock", id, "source.git.mountsshsock")
    }

    /// The session that offers a folder.
    #[must_use]
    pub fn session(self, id: &str) -> Self {
        self.attr_needs("local.session", id, "source.local.sessionid")
    }

    /// The session and store that offer an OCI layout.
    #[must_use]
    pub fn store(self, session: &str, store: &str) -> Self {
        self.attr("oci.session", session).attr("oci.store", store)
    }

    /// Transfers only what matches one of these patterns.
    #[must_use]
    pub fn include(self, patterns: &[String]) -> Self {
        self.patterns("local.includepattern", patterns, "source.local.includepatterns")
    }

    /// Leaves out what matches these patterns, by the rules of `.dockerignore`.
    #[must_use]
    pub fn exclude(self, patterns: &[String]) -> Self {
        self.patterns("local.excludepatterns", patterns, "source.local.excludepatterns")
    }

    /// Transfers only these paths, and what they link to.
    #[must_use]
    pub fn follow(self, paths: &[String]) -> Self {
        self.patterns("local.followpaths", paths, "source.local.followpaths")
    }

    fn patterns(self, key: &str, patterns: &[String], cap: &'static str) -> Self {
        if patterns.is_empty() {
            return self;
        }
        self.attr_needs(key, serde_json::Value::from(patterns).to_string(), cap)
    }

    /// Transfers with the same hint share what was transferred before.
    #[must_use]
    pub fn shared_key_hint(self, hint: &str) -> Self {
        self.attr_needs("local.sharedkeyhint", hint, "source.local.sharedkeyhint")
    }

    /// Compares nothing and sends all again: for a few small files.
    #[must_use]
    pub fn no_differ(self) -> Self {
        self.attr("local.differ", "none")
    }

    /// The source as calls such as `ResolveSourceMeta` take it.
    pub fn to_pb(&self) -> pb::SourceOp {
        pb::SourceOp {
            identifier: self.identifier.clone(),
            attrs: self
                .attrs
                .iter()
                .map(|(key, value)| pb::AttrEntry { key: Some(key.clone()), value: Some(value.clone()) })
                .collect(),
        }
    }

    /// Makes it a vertex.
    pub fn build(&self, metadata: &Metadata) -> Output {
        let platform = self.platform.as_ref().map(Platform::to_pb);
        let body = pb::op::Op::Source(self.to_pb());
        let constraints = self.like_go.then(pb::WorkerConstraints::default);
        let caps = self.caps.iter().copied();
        let vertex = Inputs::default().into_constrained(body, platform, constraints, caps, metadata);
        Output { vertex, index: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_identifiers_have_no_scheme_and_no_user() {
        let identifier = |remote, fragment| git(remote, fragment).to_pb().identifier;
        assert_eq!(identifier("https://github.com/a/b.git", None), "git://github.com/a/b.git");
        assert_eq!(
            identifier("https://github.com/a/b.git", Some("main:sub")),
            "git://github.com/a/b.git#main:sub"
        );
        assert_eq!(identifier("git@github.com:a/b.git", Some("v1")), "git://github.com/a/b.git#v1");
        assert_eq!(identifier("ssh://git@host:2222/a.git", None), "git://host:2222/a.git");
    }

    #[test]
    fn patterns_are_json_and_absent_when_empty() {
        let source = local("context").include(&["a b".to_owned(), "*.\"x".to_owned()]).exclude(&[]).to_pb();
        let attrs: Vec<_> = source
            .attrs
            .into_iter()
            .map(|a| (a.key.unwrap_or_default(), a.value.unwrap_or_default()))
            .collect();
        assert_eq!(attrs, [("local.includepattern".to_owned(), r#"["a b","*.\"x"]"#.to_owned())]);
    }
}
