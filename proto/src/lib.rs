//! BuildKit's wire interface, the part that a frontend uses.
//!
//! [`pb`] is LLB, the graph that BuildKit solves; [`frontend`] is the gateway, the service
//! that a frontend calls; [`rpc`] is gRPC's error model, in which errors travel with their
//! details. All of it is generated from the files in `proto/proto`, which were written from
//! the interface's facts (names, numbers, types) in moby/buildkit.
//!
//! The one thing done by hand is [`pb::Op::to_canonical_bytes`]: BuildKit identifies a
//! vertex by the digest of its bytes, and those have to be the bytes that Go's deterministic
//! encoder would give.

/// LLB: definitions, operations, metadata and source maps (`pb` in moby/buildkit).
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod pb {
    tonic::include_proto!("pb");
}

// Generated code names its neighbours by package, so modules nest as packages do.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod moby {
    pub mod buildkit {
        pub mod v1 {
            pub mod frontend {
                tonic::include_proto!("moby.buildkit.v1.frontend");
            }
        }
    }
}
#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod google {
    pub mod rpc {
        tonic::include_proto!("google.rpc");
    }
}

/// The gateway service `moby.buildkit.v1.frontend.LLBBridge` and its messages.
pub use moby::buildkit::v1::frontend;

/// `google.rpc.Status`, the error that travels with its details.
pub use google::rpc;

pub use prost_types::Any;

mod canonical;

pub use canonical::digest;
