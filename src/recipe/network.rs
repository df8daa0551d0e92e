//! The network of build commands.

use super::Request;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::plan::Network;
use crate::spec::Service;

/// What a build command has unless the spec says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Default {
    /// Everything was fetched before.
    None,
    /// The build tool fetches while it builds.
    Sandbox,
}

/// The network of the build command.
pub(super) fn of_build(service: &Service, default: Default, problems: &mut Diagnostics) -> Network {
    match service.component.network.as_ref().map(|key| (key.value.as_str(), key)) {
        None if default == Default::Sandbox => Network::Default,
        None | Some(("none", _)) => Network::None,
        Some(("default", _)) => Network::Default,
        Some((other, key)) => {
            problems.push(
                Diagnostic::new(Code::Value, format!("a build has no network `{other}`"))
                    .at(&key.span)
                    .help("`none` (the default) or `default`"),
            );
            Network::None
        }
    }
}

/// Settings of a build that does not take place would be a promise that nobody keeps.
pub(super) fn nothing_built(request: &Request<'_>, built: bool, problems: &mut Diagnostics) {
    if let (false, Some(network)) = (built, &request.service.component.network) {
        problems.push(
            Diagnostic::new(Code::Value, "`network` is of the build command, and there is none")
                .at(&network.span)
                .help("give `build`, or the package a `build` script"),
        );
    }
}
