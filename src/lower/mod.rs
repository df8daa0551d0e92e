//! Lowering: a plan becomes what others understand. [`llb`] gives the graph that BuildKit
//! solves, [`config`] the image configuration. [`setting`] is what has to be brought before: what
//! [`crate::plan::reach`] says that the plan needs.
//!
//! This room knows LLB and OCI, and nothing of gRPC.

pub mod config;
pub mod dockerfile;
mod gates;
pub(crate) mod git;
mod helper;
pub mod llb;
mod mounts;
mod paths;
pub mod proof;
pub mod setting;

/// Where the frontend's image has its binary; build steps run it from there.
pub const HELPER: &str = "/docker-slipway";

/// Where the frontend's image has the programs for images, as `TOOLS/OS/ARCHITECTURE/NAME`.
pub const TOOLS: &str = "/tools";
