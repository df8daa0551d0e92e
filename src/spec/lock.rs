//! The lock: a file beside the spec with the digest of every image that builds start from. It is a
//! Compose file, which bots that keep digests up to date read already.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::load::read;
use super::yaml::Value;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::reference::Reference;

/// The digests of images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    /// The file's name.
    pub name: String,
    /// By the images' full names, with a tag and without a digest.
    pub images: BTreeMap<String, Locked>,
}

/// An image in a lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Locked {
    /// Its digest.
    pub digest: String,
    /// Where that stands.
    pub span: Span,
}

impl Lock {
    /// The name of a spec's lock: `market.spec.lock.yaml` of `market.spec.yaml`.
    pub fn name_of(spec: &str) -> String {
        let stem = spec.strip_suffix(".yaml").or_else(|| spec.strip_suffix(".yml")).unwrap_or(spec);
        format!("{stem}.lock.yaml")
    }

    /// Reads a lock; what is wrong with it goes to `problems`.
    pub(super) fn read(name: &str, bytes: &[u8], problems: &mut Vec<Diagnostic>) -> Option<Self> {
        let (file, root) = match read(name, bytes) {
            Ok(read) => read,
            Err(problem) => {
                problems.push(problem);
                return None;
            }
        };
        let mut wrong = |message: String, span: &Span| {
            problems.push(
                Diagnostic::new(Code::Value, message)
                    .at(span)
                    .help("`docker slipway lock` writes the file anew"),
            );
        };
        let Some(Value::Mapping(services)) = root.get("services").map(|services| &services.value) else {
            wrong("the lock has no images".to_owned(), &Span::new(&file, 0..0));
            return None;
        };
        let mut lock = Self { name: name.to_owned(), images: BTreeMap::new() };
        for (key, service) in services {
            let image = service.get("image");
            let Some(Value::String(text)) = image.map(|image| &image.value) else {
                wrong(format!("`{}` in the lock has no image", key.name), &key.span);
                continue;
            };
            let span = image.map_or(&key.span, |image| &image.span);
            let split = text.split_once('@').filter(|_| text.parse::<Reference>().is_ok());
            let Some((full, digest)) = split.and_then(|(name, digest)| Some((full(name)?, digest))) else {
                wrong(format!("`{text}` in the lock is no image with a digest"), span);
                continue;
            };
            lock.images.insert(full, Locked { digest: digest.to_owned(), span: span.clone() });
        }
        Some(lock)
    }

    /// The digest of an image by its name as it is written; none for one that has its own.
    pub fn digest(&self, image: &str) -> Option<&Locked> {
        if image.contains('@') { None } else { self.images.get(&full(image)?) }
    }

    /// The text of a lock: images by their names as they are written, with their digests and the
    /// platforms that they were looked up for.
    pub fn text(spec: &str, images: &BTreeMap<String, (String, Vec<String>)>) -> String {
        let mut text = format!(
            "# The digests of all images that builds of {spec} start from. Builds use them as long as this\n\
             # file lies beside it. `docker slipway lock -f {spec}` writes it anew, `--check` says whether that\n\
             # would change it. It is a Compose file: what updates digests in those updates them here.\n\
             services:\n"
        );
        for (name, (digest, platforms)) in images {
            let key: String = name
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
                .collect();
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "  {key}:\n    image: {name}@{digest}\n    x-platforms: [{}]",
                platforms.join(", ")
            );
        }
        text
    }
}

/// A name with nothing left out, without a digest.
fn full(name: &str) -> Option<String> {
    name.split('@').next()?.parse::<Reference>().ok().map(|reference| reference.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let images = BTreeMap::from([
            (
                "node:22-slim".to_owned(),
                (digest.clone(), vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()]),
            ),
            ("busybox".to_owned(), (digest.clone(), vec!["linux/amd64".to_owned()])),
        ]);
        let text = Lock::text("app.spec.yaml", &images);
        insta::assert_snapshot!(text);
        let mut problems = Vec::new();
        let lock = Lock::read("app.spec.lock.yaml", text.as_bytes(), &mut problems).expect("a lock");
        assert!(problems.is_empty(), "{problems:?}");
        let found = |name| lock.digest(name).map(|locked| locked.digest.as_str());
        assert_eq!(found("docker.io/library/node:22-slim"), Some(digest.as_str()));
        assert_eq!(found("busybox:latest"), Some(digest.as_str()));
        assert_eq!(found("node:24-slim"), None);
        assert_eq!(found(&format!("busybox@{digest}")), None);
    }

    #[test]
    fn what_is_no_lock() {
        for (text, words) in [
            (
                "services: { a: { image: \"busybox:1\" } }",
                "`busybox:1` in the lock is no image with a digest",
            ),
            ("services: { a: {} }", "`a` in the lock has no image"),
            ("images: {}", "the lock has no images"),
        ] {
            let mut problems = Vec::new();
            Lock::read("x.lock.yaml", text.as_bytes(), &mut problems);
            assert_eq!(problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>(), [words]);
        }
        assert_eq!(Lock::name_of("market.spec.yaml"), "market.spec.lock.yaml");
        assert_eq!(Lock::name_of("compose.yml"), "compose.lock.yaml");
    }
}
