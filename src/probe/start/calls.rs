//! Calls that end by themselves: what a command-line program or a job is for.

use std::time::Instant;

use super::Bench;
use super::capture::last_lines;
use super::processes::Ended;
use super::service::{How, Running};
use crate::plan::contract::{Call, Rule};

/// What a call did.
struct Done {
    ended: Option<Ended>,
    out: String,
    err: String,
    /// All of its stdout, however much it was.
    mark: (u64, u64),
}

impl Bench {
    /// Tries all calls of the contract.
    pub(super) fn calls(&mut self) {
        for (number, call) in self.promise.runs.clone().iter().enumerate() {
            let since = Instant::now();
            match self.try_call(call) {
                Ok(message) => self.part.passed(Rule::Runs, message, since),
                Err((message, details)) => {
                    self.part.failed(Rule::Runs, message, since).about(&number.to_string()).details(details);
                }
            }
        }
    }

    fn try_call(&mut self, call: &Call) -> Result<String, (String, Vec<String>)> {
        let name = match &call.args {
            Some(args) => format!("`{}`", args.join(" ")),
            None => "the command".to_owned(),
        };
        let done = self.call(call).map_err(|why| (why, Vec::new()))?;
        let said = || last_lines(&format!("{}\n{}", done.out, done.err), 8);
        match done.ended {
            None => {
                let message = format!("{name} was still running after {:?}", call.within);
                return Err((message, said()));
            }
            Some(ended) if ended.code() != call.exit => {
                return Err((format!("{name} {ended} instead of {}", call.exit), said()));
            }
            Some(_) => {}
        }
        if let Some(text) = &call.prints
            && !done.out.contains(text)
            && !done.err.contains(text)
        {
            return Err((format!("{name} does not print `{text}`"), said()));
        }
        if call.twice {
            let again = self.call(call).map_err(|why| (why, Vec::new()))?;
            if again.ended != done.ended || again.mark != done.mark {
                return Err((
                    format!("{name} says something else the second time"),
                    last_lines(&again.out, 8),
                ));
            }
        }
        let twice = if call.twice { ", twice the same" } else { "" };
        Ok(format!("{name} ends with {}{twice}", call.exit))
    }

    fn call(&mut self, call: &Call) -> Result<Done, String> {
        self.fresh_folders();
        let entrypoint = self.program.args.iter().take(self.program.entrypoint);
        let args: Vec<String> = match &call.args {
            Some(args) => entrypoint.chain(args).cloned().collect(),
            None => self.program.args.clone(),
        };
        let mut env = self.environment();
        env.extend(call.env.clone());
        let running = Running::start(&How { args: &args, env, ..self.how() }, &mut self.processes)?;
        let ended = running.wait(&mut self.processes, call.within);
        let done =
            Done { ended, out: running.out.settled(), err: running.err.settled(), mark: running.out.mark() };
        let not_started = running.not_started();
        self.end(&running);
        not_started.map_or(Ok(done), |why| Err(self.why(&why)))
    }
}
