//! A checkout of `TraderX` in small, with its spec.

use std::process::Command;

use crate::{Project, repository};

/// The spec's name in it.
pub const SPEC: &str = "traderx.spec.yaml";

/// Where the images of .NET cannot be reached: others in their place, for what does not run them.
pub const WITHOUT_NET: [&str; 2] = [
    "--build-context=mcr.microsoft.com/dotnet/sdk:9.0=docker-image://debian:bookworm-slim",
    "--build-context=mcr.microsoft.com/dotnet/aspnet:9.0=docker-image://debian:bookworm-slim",
];

/// The checkout.
pub fn checkout() -> Project {
    let project = Project::copy_of("integration-tests/fixtures/traderx");
    for name in ["database", "account-service", "position-service", "trade-processor", "trade-service"] {
        let copied = Command::new("cp").args(["-a", "java", name]).current_dir(project.path()).status();
        assert!(copied.expect("cp is installed").success());
    }
    let spec = std::fs::read_to_string(repository().join("specs/traderx").join(SPEC)).expect("the spec");
    project.write(SPEC, &spec);
    project
}
