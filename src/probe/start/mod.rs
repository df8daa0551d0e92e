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
mod folders;
mod processes;
mod running;
mod service;
mod sockets;
mod stop;
mod variables;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use self::processes::Processes;
use super::{Asked, Part, Program, argument, write};
use crate::plan::contract::{Promise, Question, Rule};

pub use self::beside::Neighbour;

/// See the module.
#[derive(Debug, Args)]
pub struct Start {
    /// The file that says what is promised, and what the image runs
    #[arg(long)]
    asked: PathBuf,
    /// A volume, and what the image has there: PATH=PLACE
    #[arg(long = "volume", value_name = "PATH=PLACE")]
    volumes: Vec<String>,
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
    /// The processes that run beside it.
    beside: Vec<i32>,
    /// A folder for notes of ours.
    notes: PathBuf,
    /// Volumes, with what the image has there.
    volumes: Vec<(PathBuf, PathBuf)>,
    part: Part,
}

impl Start {
    pub(crate) fn run(&self) -> Result<(), String> {
        let Asked { promise, program, .. } = Asked::read(&self.asked)?;
        let mut bench = Bench {
            promise,
            user: accounts::ids(&program.user, std::path::Path::new("/"))?,
            program,
            processes: Processes::default(),
            beside: Vec::new(),
            notes: self.out.parent().map(PathBuf::from).unwrap_or_default(),
            volumes: self
                .volumes
                .iter()
                .filter_map(|volume| volume.split_once('='))
                .map(|(a, b)| (a.into(), b.into()))
                .collect(),
            part: Part::default(),
        };
        let neighbours: Vec<Neighbour> = argument(&self.beside, "the services beside it")?;
        let since = Instant::now();
        let beside = beside::start(&neighbours, &bench.notes, &mut bench.processes);
        bench.part.figure("beside_ms", super::millis(since.elapsed()));
        match beside {
            Ok(beside) => {
                bench.beside = beside;
                bench.hold();
            }
            Err(why) => bench.part.not_verified(Rule::Start, format!("not verifiable here: {why}")),
        }
        bench.processes.end_others(&[]);
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
        if let Some(why) = self.hindrance() {
            self.part.not_verified(Rule::Start, format!("not verifiable here: {why}"));
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

    /// Why nothing that follows would say anything about the program.
    fn hindrance(&mut self) -> Option<String> {
        let taken = sockets::listening();
        let port = self.ports().into_iter().find(|port| taken.contains_key(port));
        if let Some(port) = port {
            return Some(format!("a service beside it has its port {port}, and they share one loopback"));
        }
        if self.is_foreign() {
            return Some(format!("this engine cannot run a program of {}", self.program.platform));
        }
        None
    }

    /// The ports that it promises, and the one on which it is asked.
    fn ports(&self) -> Vec<u16> {
        let asked = match &self.promise.health {
            Some(Question::Http { port, .. } | Question::Tcp { port }) => self.port(port).parse().ok(),
            _ => None,
        };
        self.promise.ports.iter().copied().chain(asked).collect()
    }

    /// Whether its platform is another one than this machine's, and nothing here emulates it.
    fn is_foreign(&mut self) -> bool {
        let own = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        if self.program.platform.split('/').nth(1) == Some(own) {
            return false;
        }
        let args = self.program.args.clone();
        let how = service::How { args: &args, env: self.environment(), ..self.how() };
        let Ok(running) = service::Running::start(&how, &mut self.processes) else { return false };
        running.wait(&mut self.processes, std::time::Duration::from_millis(500));
        let foreign = running.not_started() == Some(service::NotStarted::Foreign);
        self.end(&running);
        foreign
    }

    /// Ends a program with all that it left behind.
    fn end(&mut self, running: &service::Running) {
        running.end(&mut self.processes);
        self.processes.end_others(&self.beside);
    }
}
