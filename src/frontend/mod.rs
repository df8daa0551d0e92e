//! The frontend: one session with BuildKit, from the first byte on stdout to `Return`.
//!
//! The way of a request: [`transport`] connects at once, [`gateway`] makes the calls,
//! [`options`] reads what the client asked for, [`context`] finds the spec file and the build
//! context, [`project`] reads and plans, [`graph`] looks images up and lowers, [`build`] makes
//! the result of it, [`proof`] what is known of contracts, [`requests`] answers questions, [`errors`] turns what went wrong into what
//! the client shows. Whatever happens, there is one `Return`, and then the
//! process ends at once: dropping the connection instead would make BuildKit kill the build.

mod build;
mod bundle;
mod context;
mod dockerfiles;
mod epoch;
mod errors;
mod facts;
mod gateway;
mod graph;
mod images;
mod lock;
mod named;
mod options;
mod project;
mod proof;
mod requests;
mod result;
mod sbom;
mod session;
mod transport;
mod warnings;

use buildkit_proto::frontend::Result as BuildResult;
use buildkit_proto::rpc;

use errors::Failure;
use gateway::Gateway;
use options::Options;

/// The capabilities that the frontend's image declares in its label, and that the code has.
pub const CAPABILITIES: [&str; 4] = [
    "moby.buildkit.frontend.contexts",
    "moby.buildkit.frontend.gitquerystring",
    "moby.buildkit.frontend.inputs",
    "moby.buildkit.frontend.subrequests",
];

/// Runs a session over stdin and stdout, and gives the process's exit code.
///
/// Errors of the build go to the client through `Return` and are a success of the process;
/// only a broken connection is none. Its message goes to stderr, which is the daemon's log.
pub fn run() -> i32 {
    // The default hook writes to stderr, which is right; what the client sees is in `session`.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("slipway: {error}");
            return 1;
        }
    };
    runtime.block_on(async {
        match session().await {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("slipway: {error}");
                1
            }
        }
    })
}

async fn session() -> Result<(), Box<dyn std::error::Error>> {
    let channel = transport::connect().await?;
    let gateway = Gateway::new(channel);
    let options = Options::from_environment(std::env::vars_os());
    // A task of its own: a panic in it ends there, and becomes an error that people see.
    let work = tokio::spawn(serve(gateway.clone(), options));
    let outcome = match work.await {
        Ok(outcome) => outcome,
        Err(stopped) => Err(Failure::panicked(stopped)),
    };
    gateway.finish(outcome.map_err(rpc::Status::from)).await?;
    // Before anything is dropped: to BuildKit, a connection that closes looks like giving up.
    std::process::exit(0)
}

async fn serve(gateway: Gateway, options: Options) -> Result<BuildResult, Failure> {
    if let Some(cap) = options.unsupported_capability(&CAPABILITIES) {
        return Err(Failure::unsupported_capability(&cap));
    }
    match &options.request_id {
        Some(id) => requests::answer(&gateway, &options, id).await,
        None => build::build(&gateway, &options).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The label is what BuildKit goes by before it starts us; the code must keep its promise.
    #[test]
    fn the_image_declares_what_the_code_can() {
        let dockerfile = include_str!("../../frontend.Dockerfile");
        let declared = format!("moby.buildkit.frontend.caps=\"{}\"", CAPABILITIES.join(","));
        assert!(dockerfile.contains(&declared), "{declared}");
    }

    #[test]
    fn a_panic_becomes_an_error_that_people_see() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let stopped = runtime.block_on(async { tokio::spawn(async { panic!("the {}", "words") }).await });
        let status = rpc::Status::from(Failure::panicked(stopped.expect_err("it panicked")));
        assert_eq!(status.code, 2);
        assert!(
            status.message.contains("the words") && status.message.contains("report it"),
            "{}",
            status.message
        );
    }
}
