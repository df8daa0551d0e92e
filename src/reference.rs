//! Image names: `[registry/]repository[:tag][@digest]`, and their full form.
//!
//! `oci-spec` has a parser for this too; it compiles a regular expression first, which takes
//! 50 ms in a process that lives for 150. The grammar is small enough to read by hand. Its
//! source is the reference package of the distribution project.

use std::fmt;
use std::str::FromStr;

use crate::diagnostic::{Code, Diagnostic};

/// A name with nothing left out: its text form is the full one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// A name that a person wrote, or what to tell them.
pub fn named(text: &str) -> Result<Reference, Diagnostic> {
    text.parse().map_err(|InvalidReference| {
        Diagnostic::new(Code::BaseImage, format!("`{text}` is no image name"))
            .help("write it like `node:22-bookworm-slim` or `registry.example.com/team/image:tag`")
    })
}

/// The text is no image name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidReference;

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash belongs to a registry's port.
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        let (registry, repository) = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => (first, rest.to_owned()),
            Some(_) => ("docker.io", name.to_owned()),
            None => ("docker.io", format!("library/{name}")),
        };
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        let repository = match (registry, repository.contains('/')) {
            ("docker.io", false) => format!("library/{repository}"),
            _ => repository,
        };
        let valid = is_host(registry)
            && repository.len() <= 255
            && repository.split('/').all(is_component)
            && tag.is_none_or(is_tag)
            && digest.is_none_or(is_digest);
        if !valid {
            return Err(InvalidReference);
        }
        let latest = (tag.is_none() && digest.is_none()).then_some("latest");
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag: tag.or(latest).map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }
}

/// The full name, with registry, and a tag unless a digest makes it needless.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Whether the first part of a name is a registry and no folder.
fn is_registry(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':']) || part.chars().any(|c| c.is_ascii_uppercase())
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        // An IPv6 address in brackets.
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => {
                let valid = !address.is_empty() && address.chars().all(|c| c.is_ascii_hexdigit() || c == ':');
                return valid && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
            }
            None => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let part = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    host.split('.').all(part) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// Lower-case letters and digits, separated by one dot, one or two underscores, or hyphens.
fn is_component(text: &str) -> bool {
    let separator = |c: char| matches!(c, '.' | '_' | '-');
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || separator(c);
    let mut runs = text.split(|c: char| !separator(c)).filter(|run| !run.is_empty());
    !text.is_empty()
        && text.chars().all(known)
        && !text.starts_with(separator)
        && !text.ends_with(separator)
        && runs.all(|run| matches!(run, "." | "_" | "__") || run.chars().all(|c| c == '-'))
}

fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(word) && text.len() <= 128 && text.chars().all(|c| word(c) || matches!(c, '.' | '-'))
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names() {
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
        for (given, expected) in [
            ("busybox", "docker.io/library/busybox:latest"),
            ("node:22-bookworm-slim", "docker.io/library/node:22-bookworm-slim"),
            ("team/app", "docker.io/team/app:latest"),
            ("docker.io/busybox", "docker.io/library/busybox:latest"),
            ("index.docker.io/library/x:1", "docker.io/library/x:1"),
            ("localhost/x", "localhost/x:latest"),
            ("localhost:5000/a/b:t", "localhost:5000/a/b:t"),
            ("ghcr.io/o/r", "ghcr.io/o/r:latest"),
            ("Host/x", "Host/x:latest"),
            ("[fe80::1]:5000/x", "[fe80::1]:5000/x:latest"),
            ("a__b/c--d.e", "docker.io/a__b/c--d.e:latest"),
        ] {
            assert_eq!(given.parse::<Reference>().map(|r| r.to_string()), Ok(expected.to_owned()), "{given}");
        }
        let pinned = format!("x:1@{digest}");
        assert_eq!(
            pinned.parse::<Reference>().map(|r| r.to_string()),
            Ok(format!("docker.io/library/{pinned}"))
        );
        let pinned = format!("x@{digest}");
        assert_eq!(
            pinned.parse::<Reference>().map(|r| r.to_string()),
            Ok(format!("docker.io/library/{pinned}"))
        );
    }

    #[test]
    fn no_names() {
        for text in [
            "",
            ":tag",
            "UPPER",
            "a//b",
            "/a",
            "a/",
            "a:",
            "a b",
            "a@sha256:12",
            "a@md5:1",
            "-a",
            "a..b",
            "a___b",
            "a:-t",
            "host-.io/x",
            "localhost:x/y",
            "ä",
            "http://x/y",
        ] {
            assert_eq!(text.parse::<Reference>(), Err(InvalidReference), "{text}");
        }
    }
}
