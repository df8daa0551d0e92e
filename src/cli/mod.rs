//! The command line: what `docker slipway` offers outside of a build. The same rooms, with the
//! disk instead of the gateway, and no engine.

mod check;
mod complete;
mod explain;
mod init;
mod llb;
mod lock;
mod project;
mod show;
mod verify;

use clap::{CommandFactory, Parser, Subcommand};

use crate::step::Step;

/// Builds minimal, non-root images from one Compose file
#[derive(Debug, Parser)]
#[command(
    name = "docker-slipway",
    version,
    arg_required_else_help = true,
    after_help = "\
A spec is a Compose file whose first line is `# syntax=slipway/frontend:0` and whose services carry
`x-slipway`. These commands read it as a build would, without an engine. To build:

  docker buildx build -f app.spec.yaml --target api .    one component
  docker buildx bake -f app.spec.yaml                    all of them
  docker compose -f app.spec.yaml up --build             build and run

Exit status: 0 if all went well, 1 if the spec has errors (for `check`, warnings too), 2 if a file or
an argument cannot be read."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look at a repository and write a spec for it
    Init(init::Init),
    /// Find what is wrong with a spec, and what had better be otherwise
    Check(check::Check),
    /// Explain a lint rule, or list them
    Explain(explain::Explain),
    /// Show every step that a build of each component would take
    Plan(show::Ask),
    /// Show the stages that recipes stand for, in YAML to take over and change
    Stages(show::Ask),
    /// Draw the stages: Mermaid, DOT or SVG
    Graph(show::Graph),
    /// Show what a component can be told, and what was found out about it
    Outline(show::Ask),
    /// List the components
    Targets(show::Ask),
    /// List every image that builds need
    Images(show::Ask),
    /// Show the graph that BuildKit would get
    Llb(llb::Llb),
    /// Write down the digests of all images that builds start from
    Lock(lock::Lock),
    /// Hold an image in an engine to its contract
    Verify(verify::Verify),
    /// Print the JSON schema of a spec, for editors
    Schema,
    /// Print a script that completes these commands in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
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
    if arguments.get(1).is_some_and(|first| first == "__complete") {
        // Docker asks for itself; the plugin's own name comes first.
        let words = arguments.get(3..).unwrap_or_default();
        say(&complete::complete(&Arguments::command(), words));
        return 0;
    }
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
        Command::Init(init) => init.run(),
        Command::Check(check) => check.run(),
        Command::Explain(explain) => explain.run(),
        Command::Plan(ask) => ask.plan(),
        Command::Stages(ask) => ask.stages(),
        Command::Graph(graph) => graph.run(),
        Command::Outline(ask) => ask.outline(),
        Command::Targets(ask) => ask.targets(),
        Command::Images(ask) => ask.images(),
        Command::Llb(llb) => llb.run(),
        Command::Lock(lock) => lock.run(),
        Command::Verify(verify) => verify.run(),
        Command::Schema => {
            say_json(&crate::schema::schema());
            0
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "docker-slipway", &mut script);
            say(String::from_utf8_lossy(&script).trim_end());
            0
        }
        Command::Metadata => {
            say(&format!(
                r#"{{"SchemaVersion":"0.1.0","Vendor":"Slipway","Version":"{}","ShortDescription":"Build minimal, non-root images from one Compose file"}}"#,
                env!("CARGO_PKG_VERSION")
            ));
            0
        }
    }
}

/// Says that a file cannot be read, and gives the status for it.
fn unreadable(place: &project::Place, error: &std::io::Error) -> i32 {
    eprintln!("slipway: {}: {error}", place.file.display());
    2
}

/// Prints JSON to stdout.
fn say_json(value: &serde_json::Value) {
    say(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Prints to stdout. Only here: in a frontend, stdout is the wire.
fn say(text: &str) {
    use std::io::Write;
    // A reader that has seen enough closes the pipe; that is no reason to panic.
    let _ = writeln!(std::io::stdout(), "{text}");
}
