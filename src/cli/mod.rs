//! The command line: what `docker slipway` offers outside of a build. The same rooms, with the
//! disk instead of the gateway, and no engine.

mod check;
mod project;

use clap::{Parser, Subcommand};

use crate::step::Step;

/// Builds minimal, non-root images from one Compose file
#[derive(Debug, Parser)]
#[command(name = "docker-slipway", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read a spec and make every component's plan, without building anything
    Check(check::Check),
    /// Show what a build of each component would do, without building anything
    Plan(check::Show),
    /// Show the stages that each component's recipe stands for, in YAML to take over and change
    Stages(check::Stages),
    /// Run as a BuildKit frontend on stdin and stdout
    #[command(hide = true)]
    Frontend,
    /// Run inside a build step
    #[command(hide = true, subcommand)]
    Step(Step),
    /// Tell Docker what this plugin is
    #[command(hide = true, name = "docker-cli-plugin-metadata")]
    Metadata,
}

/// Runs the command line and gives the process's exit code.
///
/// As a Docker plugin the first argument is `slipway`, which says nothing.
pub fn run(arguments: impl IntoIterator<Item = String>) -> i32 {
    let mut arguments: Vec<String> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|first| first == "slipway") {
        arguments.remove(1);
    }
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version are asked for, the rest is wrong; clap knows where each goes.
            let _ = error.print();
            return error.exit_code();
        }
    };
    match parsed.command {
        Command::Frontend => crate::frontend::run(),
        Command::Step(step) => match step.run() {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("slipway: {error}");
                1
            }
        },
        Command::Check(check) => check.run(),
        Command::Plan(show) => show.run(),
        Command::Stages(stages) => stages.run(),
        Command::Metadata => {
            say(&format!(
                r#"{{"SchemaVersion":"0.1.0","Vendor":"Slipway","Version":"{}","ShortDescription":"Build minimal, non-root images from one Compose file"}}"#,
                env!("CARGO_PKG_VERSION")
            ));
            0
        }
    }
}

/// Prints to stdout. Only here: in a frontend, stdout is the wire.
#[allow(clippy::print_stdout, reason = "the command line's own output")]
fn say(text: &str) {
    println!("{text}");
}
