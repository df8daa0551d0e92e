//! Without a variable that it needs, a program must not start: it ends with an error that names
//! the variable, and before its port is open. (The ports are looked at every millisecond; one that is
//! open for less than that may be missed.)

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Bench;
use super::capture::last_lines;
use super::service::{How, Running};
use super::sockets::listening;
use crate::plan::contract::Rule;

/// What starts in no time may still take a while to find that it cannot.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// How it went without a variable.
enum Outcome {
    Refused,
    Opened(u16),
    Ended { code: i32, named: bool },
    Hangs,
}

impl Bench {
    /// Starts the program without each of them.
    pub(super) fn variables(&mut self) {
        let required = self.promise.required.clone();
        let mut wanting = 0;
        let all = Instant::now();
        for name in &required {
            let since = Instant::now();
            let (outcome, words) = match self.without(name) {
                Ok(outcome) => outcome,
                Err(why) => {
                    self.part.failed(Rule::Variables, why, since).about(name);
                    continue;
                }
            };
            let message = match outcome {
                Outcome::Refused => {
                    wanting += 1;
                    continue;
                }
                Outcome::Opened(port) => format!("without `{name}` it opens port {port}"),
                Outcome::Ended { code: 0, .. } => format!("without `{name}` it ends as if all were well"),
                Outcome::Ended { named: true, .. } | Outcome::Hangs => {
                    format!("without `{name}` it neither ends nor opens a port")
                }
                Outcome::Ended { code, named: false } => {
                    format!("without `{name}` it ends with status {code}, and its stderr does not say why")
                }
            };
            self.part
                .failed(Rule::Variables, message, since)
                .about(name)
                .details(words)
                .help("end with an error that names the variable, before the port is open");
        }
        if wanting > 0 && wanting == required.len() {
            let message = match wanting {
                1 => "without its variable it ends before its port is open, and names it".to_owned(),
                _ => format!(
                    "without each of {wanting} variables it ends before its port is open, and names it"
                ),
            };
            self.part.passed(Rule::Variables, message, all);
        }
    }

    fn without(&mut self, name: &str) -> Result<(Outcome, Vec<String>), String> {
        self.fresh_folders();
        let mut env = self.environment();
        env.remove(name);
        let before: BTreeSet<u16> = listening().into_keys().collect();
        let args = self.program.args.clone();
        let running = Running::start(&How { args: &args, env, ..self.how() }, &mut self.processes)?;
        let deadline = Instant::now() + self.promise.well_within.max(ENDS_WITHIN);
        let outcome = loop {
            // The ports first: a program that opens one and ends at once has opened it.
            if let Some(port) = listening().into_keys().find(|port| !before.contains(port)) {
                break Outcome::Opened(port);
            }
            if let Some(ended) = self.processes.end_of(running.pid) {
                let named = running.err.settled().contains(name);
                break match ended.code() {
                    1.. if named => Outcome::Refused,
                    code => Outcome::Ended { code, named },
                };
            }
            if Instant::now() > deadline {
                break Outcome::Hangs;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let not_started = running.not_started();
        self.end(&running);
        if let Some(why) = not_started {
            return Err(self.why(&why));
        }
        Ok((outcome, last_lines(&running.err.settled(), 4)))
    }
}
