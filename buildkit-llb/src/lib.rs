//! LLB graphs for BuildKit: build them from typed operations, marshal them to the bytes that
//! BuildKit itself would write, and read them back.
//!
//! A graph is made bottom up. Each operation ([`source`], [`Exec`], [`File`], [`merge`],
//! [`diff`], …) takes the [`Output`]s that it works on and gives outputs of its own. An output
//! is cheap to clone; whatever is used twice stays one vertex, because a vertex *is* the digest
//! of its bytes. [`Output::marshal`] turns what an output depends on into a [`Definition`] that
//! a gateway or a daemon can solve.
//!
//! ```
//! use buildkit_llb::{Exec, Metadata, Mount, Platform, source};
//!
//! let platform = Platform::linux("amd64");
//! let busybox = source::image("docker.io/library/busybox:latest")
//!     .platform(&platform)
//!     .build(&Metadata::named("FROM busybox"));
//! let built = Exec::new(["/bin/sh", "-c", "echo hello > /greeting"])
//!     .mount(Mount::bind("/", &busybox).with_output())
//!     .platform(&platform)
//!     .build(&Metadata::named("say hello"));
//! let definition = built.root().marshal();
//! assert_eq!(definition.def.len(), 3); // image, exec, and the op that points at the result
//! ```
//!
//! Three things are taken care of that BuildKit expects and a hand-written graph easily
//! misses: the canonical order of bytes ([`buildkit_proto::pb::Op::to_canonical_bytes`]), a
//! metadata entry for every vertex, and in it the capabilities that the vertex needs, so that
//! an older daemon refuses the graph instead of ignoring what it does not know.

mod exec;
mod file;
mod graph;
mod json;
mod metadata;
mod platform;
mod read;
pub mod source;
mod vertex;

pub use buildkit_proto::pb::{self, Definition};
pub use exec::{CacheSharing, Exec, Executed, Mount, Network, Proxy, Security};
pub use file::{Chown, Copy, File, MakeDir, MakeFile, Remove, Symlink, Timestamp, User};
pub use graph::{SOLVE_INPUT, build, diff, merge, passthrough};
pub use json::json;
pub use metadata::{LineRange, Location, Metadata, ProgressGroup, SourceFile};
pub use platform::{Platform, PlatformError};
pub use read::{ReadError, read};
pub use vertex::Output;
