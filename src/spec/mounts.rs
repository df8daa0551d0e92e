//! What a hand-written step mounts: caches, secrets, ssh agents, files of elsewhere, memory.

use serde_json::Value as Json;

use super::reader::{FromNode, Located, Reader, record, short_or_mapping};
use super::schema::{self, Definitions};
use super::stages::Mode;
use super::values::Bytes;
use super::yaml::{Node, Value};

/// A cache mount: its target alone, or with settings.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheSpec(CacheMapping);

record! {
    /// A folder that stays from build to build.
    closed "`cache`" struct CacheMapping {
        /// Where it is mounted.
        target: Located<String>,
        /// Its name within the project; the target by default.
        id: Option<String>,
        /// `shared`, `private` or `locked`.
        sharing: Option<Located<String>>,
        /// What it starts with: a stage, an image, or `context`.
        from: Option<Located<String>>,
        /// The path in that; all of it by default.
        source: Option<Located<String>>,
        /// The number of its owner; root by default.
        uid: Option<u32>,
        /// The number of its group; root by default.
        gid: Option<u32>,
        /// Permission bits, octal; 0755 by default.
        mode: Option<Located<Mode>>,
    }
}

short_or_mapping!(CacheSpec, CacheMapping, target);

/// A secret: its id alone, or with settings.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretSpec(SecretMapping);

record! {
    /// A secret of the client's.
    closed "`secret`" struct SecretMapping {
        /// The client's name for it.
        id: Located<String>,
        /// The file that it becomes; `/run/secrets/<id>` by default.
        target: Option<Located<String>>,
        /// The environment variable that it becomes, instead of a file.
        env: Option<String>,
        /// Whether the build fails without it; it does by default.
        required: Option<bool>,
        /// The number of the file's owner; root by default.
        uid: Option<u32>,
        /// The number of the file's group; root by default.
        gid: Option<u32>,
        /// The file's permission bits, octal; 0400 by default.
        mode: Option<Located<Mode>>,
        /// A text that runs the step again when it changes. The secret's own value is no part of
        /// the cache's key: a step that has run stays cached when the secret changes.
        version: Option<String>,
    }
}

short_or_mapping!(SecretSpec, SecretMapping, id);

/// An ssh agent: its id alone, or with settings.
#[derive(Clone, Debug, PartialEq)]
pub struct SshSpec(SshMapping);

record! {
    /// An ssh agent of the client's.
    closed "`ssh`" struct SshMapping {
        /// The client's name for it, such as `default`.
        id: Located<String>,
        /// The socket; by default in `/run/buildkit`.
        target: Option<Located<String>>,
        /// Whether the build fails without it; it does by default.
        required: Option<bool>,
        /// The number of the socket's owner; root by default.
        uid: Option<u32>,
        /// The number of the socket's group; root by default.
        gid: Option<u32>,
        /// The socket's permission bits, octal; 0600 by default.
        mode: Option<Located<Mode>>,
    }
}

short_or_mapping!(SshSpec, SshMapping, id);

/// A folder in memory: its target alone, or with settings.
#[derive(Clone, Debug, PartialEq)]
pub struct TmpfsSpec(TmpfsMapping);

record! {
    /// A folder in memory.
    closed "`tmpfs`" struct TmpfsMapping {
        /// Where it is mounted.
        target: Located<String>,
        /// The most that it holds.
        size: Option<Bytes>,
    }
}

short_or_mapping!(TmpfsSpec, TmpfsMapping, target);

/// One mount, or a list of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Mounts<T>(pub Vec<T>);

impl<T: FromNode> FromNode for Mounts<T> {
    fn schema(definitions: &mut Definitions) -> Json {
        let one = T::schema(definitions);
        schema::any([schema::list(&one), one])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if let Value::Sequence(_) = node.value {
            return Vec::from_node(node, reader).map(Self);
        }
        T::from_node(node, reader).map(|one| Self(vec![one]))
    }

    fn absent() -> Option<Self> {
        Some(Self(Vec::new()))
    }
}

record! {
    /// Files of a stage, an image or the context, for one process alone.
    closed "`bind`" struct BindSpec {
        /// A stage, an image, or the build context (`context`, the default).
        from: Option<Located<String>>,
        /// The path in it; all of it by default.
        source: Option<Located<String>>,
        /// Where it is mounted.
        target: Located<String>,
        /// Whether the process may write; what it writes is lost.
        writable: Option<bool>,
    }
}
