//! Starts the image's program in its own file system and holds it to its contract: without each
//! variable that it needs, then as it is meant to run, until it is asked to stop.
//!
//! The step is the sandbox: a root that refuses writes, loopback and nothing else. This program
//! is its first process, and so the one that reaps; nothing it waits for is waited for without a
//! deadline.

mod accounts;
mod beside;
mod calls;
mod capture;
mod processes;
mod running;
mod service;
mod sockets;
mod stop;
mod variables;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use self::beside::Beside;
use self::processes::Processes;
use super::{Part, Program, argument, write};
use crate::plan::contract::{Promise, Rule};

pub use self::beside::Neighbour;

/// See the module.
#[derive(Debug, Args)]
pub struct Start {
    /// The promise, as JSON
    #[arg(long)]
    promise: String,
    /// The program, as JSON
    #[arg(long)]
    program: String,
    /// Services that run beside it, as JSON
    #[arg(long, default_value = "[]")]
    beside: String,
    /// The file that gets what was found
    #[arg(long)]
    out: PathBuf,
}

/// What is held to its contract, and what was found so far.
struct Bench {
    promise: Promise,
    program: Program,
    user: (u32, u32),
    processes: Processes,
    part: Part,
}

impl Start {
    pub(crate) fn run(&self) -> Result<(), String> {
        let program: Program = argument(&self.program, "the program")?;
        let mut bench = Bench {
            promise: argument(&self.promise, "the promise")?,
            user: accounts::ids(&program.user, std::path::Path::new("/"))?,
            program,
            processes: Processes::default(),
            part: Part::default(),
        };
        let neighbours: Vec<Neighbour> = argument(&self.beside, "the services beside it")?;
        let since = Instant::now();
        let beside = Beside::start(&neighbours, &mut bench.processes);
        bench.part.figure("beside_ms", super::millis(since.elapsed()));
        match beside {
            Ok(_) => bench.hold(),
            Err(why) => bench.part.not_verified(Rule::Start, format!("not verifiable here: {why}")),
        }
        bench.processes.end_all();
        write(&bench.part, &self.out)
    }
}

impl Bench {
    /// Everything, in the order in which a person would try it.
    fn hold(&mut self) {
        if self.program.args.is_empty() {
            let since = Instant::now();
            self.part
                .failed(Rule::Start, "the image does not say what to run", since)
                .help("give the service a `command` or an `entrypoint`");
            return;
        }
        self.calls();
        if self.promise.serves {
            self.variables();
            self.serves();
        } else if self.promise.runs.is_empty() {
            self.part.not_verified(Rule::Runs, "no call to try: `contract.runs` has none");
        }
    }
}
