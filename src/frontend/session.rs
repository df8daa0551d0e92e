//! What every answer to a request is made from: the calls, what the client asked for, what the engine can
//! do, and the spec.

use buildkit_llb::Platform;

use super::gateway::{Capabilities, Gateway};
use super::options::Options;
use super::project::Project;

/// One request, with its spec read.
#[derive(Clone, Copy)]
pub(super) struct Session<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) options: &'a Options,
    pub(super) caps: &'a Capabilities,
    pub(super) project: &'a Project<'a>,
}

impl Session<'_> {
    /// The platform of the machine that builds.
    pub(super) fn host(&self) -> Platform {
        self.caps.platforms.first().cloned().unwrap_or_else(|| Platform::linux(std::env::consts::ARCH))
    }
}
