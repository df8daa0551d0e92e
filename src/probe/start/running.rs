//! The run as it is meant: until the program is well, what can be seen of it then, and its stop.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use slipway_probe::expand::{Unknown, expand};
use slipway_probe::http;

use super::Bench;
use super::capture::last_lines;
use super::processes::{Ended, Process, family};
use super::service::{How, NotStarted, Running};
use super::sockets::listening;
use crate::plan::contract::{Question, Rule};
use crate::probe::millis;

/// How long one question may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// What has neither a health check nor a port is well if it still runs by then.
const STILL_RUNS_AFTER: Duration = Duration::from_secs(1);
/// How long after it is well what its logs promise may come.
const SAYS_WITHIN: Duration = Duration::from_secs(2);
/// What programs say that meet a file system which refuses writes.
const REFUSED_WRITES: [&str; 4] = ["Read-only file system", "read-only file system", "EROFS", "Errno 30"];

/// Why a program is not well.
enum Unwell {
    /// It ended.
    Ended(Ended),
    /// It does not answer.
    Silent(String),
    /// It answers, and says something else than that it is well.
    Answers(String),
}

impl Bench {
    /// How the program is started.
    pub(super) fn how(&self) -> How<'static> {
        How {
            args: &[],
            env: BTreeMap::new(),
            user: self.user,
            cwd: if self.program.cwd.is_empty() { "/".to_owned() } else { self.program.cwd.clone() },
            root: None,
            no_new_privileges: self.promise.no_new_privileges,
            notes: self.notes.clone(),
        }
    }

    /// The program's environment: the image's, and over it the service's.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        let mut env: BTreeMap<String, String> = self.program.env.iter().cloned().collect();
        env.extend(self.promise.env.clone());
        env.entry("HOSTNAME".to_owned()).or_insert_with(|| "slipway-verify".to_owned());
        env
    }

    /// A port, which may be a variable of the program's environment.
    pub(super) fn port(&self, text: &str) -> String {
        let env = self.environment();
        expand(text, Unknown::Empty, &|name| env.get(name).cloned())
    }

    /// Starts the service and holds it to all that it promises while it runs.
    pub(super) fn serves(&mut self) {
        self.fresh_folders();
        let args = self.program.args.clone();
        let (since, began) = (Instant::now(), SystemTime::now());
        let how = How { args: &args, env: self.environment(), ..self.how() };
        let running = match Running::start(&how, &mut self.processes) {
            Ok(running) => running,
            Err(why) => {
                self.part.failed(Rule::Start, why, since);
                return;
            }
        };
        match self.wait_until_well(&running) {
            Ok(said) => {
                self.part.figure("well_ms", millis(running.since.elapsed()));
                self.part.passed(
                    Rule::Start,
                    format!("is well {} ms after its start", running.since.elapsed().as_millis()),
                    running.since,
                );
                match said {
                    Some(said) => self.part.passed(Rule::Health, said, since),
                    None => self
                        .part
                        .not_verified(Rule::Health, "it has neither a health check nor a port to ask"),
                }
                self.while_it_runs(&running);
                self.stops(&running);
                self.afterwards(&running, began);
            }
            Err(unwell) => self.unwell(&running, unwell),
        }
        self.end(&running);
    }

    fn wait_until_well(&mut self, running: &Running) -> Result<Option<String>, Unwell> {
        let deadline = running.since + self.promise.well_within;
        let question = self.promise.health.clone();
        let mut why = Unwell::Silent("it was not asked in time".to_owned());
        loop {
            if let Some(ended) = self.processes.end_of(running.pid) {
                return Err(Unwell::Ended(ended));
            }
            match &question {
                None if running.since.elapsed() >= STILL_RUNS_AFTER => return Ok(None),
                None => {}
                Some(question) => match self.ask(question, deadline) {
                    Ok(said) => return Ok(Some(said)),
                    Err(unwell) => why = unwell,
                },
            }
            if Instant::now() >= deadline {
                return Err(why);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks once whether it is well.
    fn ask(&mut self, question: &Question, deadline: Instant) -> Result<String, Unwell> {
        let env = self.environment();
        let port = |text: &str| self.port(text);
        let deadline =
            deadline.min(Instant::now() + ANSWER_WITHIN).max(Instant::now() + Duration::from_millis(100));
        match question {
            Question::Tcp { port: text } => {
                let port = port(text);
                http::connect(&format!("127.0.0.1:{port}"), deadline)
                    .map(|_| format!("port {port} accepts connections"))
                    .map_err(|error| Unwell::Silent(format!("port {port}: {error}")))
            }
            Question::Http { port: text, path, status, contains } => {
                let port = port(text);
                let answer = http::get(&format!("http://127.0.0.1:{port}{path}"), deadline)
                    .map_err(|error| Unwell::Silent(format!("GET {path} on port {port}: {error}")))?;
                let start: String = answer.body.trim().chars().take(200).collect();
                let wanted = status.as_deref().unwrap_or("200-299");
                if !http::accepted(wanted, answer.status) {
                    let message =
                        format!("GET {path} answers {} instead of {wanted}: {start}", answer.status);
                    return Err(Unwell::Answers(message));
                }
                match contains {
                    Some(text) if !answer.body.contains(text) => Err(Unwell::Answers(format!(
                        "GET {path} answers {}, without `{text}`: {start}",
                        answer.status
                    ))),
                    _ => Ok(format!("GET {path} answers {}", answer.status)),
                }
            }
            Question::Command(words) => {
                let name = words.join(" ");
                let how = How { args: words, env, ..self.how() };
                let started = Running::start(&how, &mut self.processes);
                let running = started.map_err(Unwell::Answers)?;
                let ended =
                    running.wait(&mut self.processes, deadline.saturating_duration_since(Instant::now()));
                let said = running.out.settled() + &running.err.settled();
                running.end(&mut self.processes);
                match ended {
                    Some(Ended::Status(0)) => Ok(format!("`{name}` succeeds")),
                    Some(ended) => {
                        Err(Unwell::Answers(format!("`{name}` {ended}: {}", last_lines(&said, 1).concat())))
                    }
                    None => Err(Unwell::Answers(format!("`{name}` does not end"))),
                }
            }
        }
    }

    /// Why a program did not start, in words.
    pub(super) fn why(&self, why: &NotStarted) -> String {
        let program = self.program.args.first().map(String::as_str).unwrap_or_default();
        match why {
            NotStarted::Foreign => {
                let platform = &self.program.platform;
                format!(
                    "`{program}` cannot be started: it is no program of {platform}, nor a script with `#!`"
                )
            }
            NotStarted::Because(why) => format!("`{program}` cannot be started: {why}"),
        }
    }

    fn unwell(&mut self, running: &Running, unwell: Unwell) {
        let (words, since) = (running.last_words(), running.since);
        if let Some(line) = self.refused_write(running) {
            self.wrote(&line, since);
            return;
        }
        if let Some(why) = running.not_started() {
            let message = self.why(&why);
            self.part.failed(Rule::Start, message, since);
            return;
        }
        let (rule, message) = match unwell {
            Unwell::Ended(ended) => (Rule::Start, format!("it {ended} before it was well")),
            Unwell::Silent(why) => {
                (Rule::Start, format!("it is not well after {:?}: {why}", self.promise.well_within))
            }
            Unwell::Answers(why) => (Rule::Health, why),
        };
        self.part.failed(rule, message, since).details(words);
    }

    /// The line in which it says that it could not write.
    fn refused_write(&self, running: &Running) -> Option<String> {
        let words = running.words();
        let line = words.lines().find(|line| REFUSED_WRITES.iter().any(|word| line.contains(word)))?;
        self.promise.read_only.then(|| line.trim().chars().take(300).collect())
    }

    fn wrote(&mut self, line: &str, since: Instant) {
        self.part
            .failed(Rule::ReadOnly, "it writes to the root file system, which refuses writes", since)
            .details([line.to_owned()])
            .help("write to a folder of `tmpfs`, or name the path in `contract.writable`");
    }

    fn while_it_runs(&mut self, running: &Running) {
        self.has_its_user(running);
        self.is_reached(running);
        self.reaps(running);
        self.answers_nothing_else();
        self.has_defaults(running);
        self.logs(running);
    }

    /// By the processes that there are, not by the configuration.
    fn has_its_user(&mut self, running: &Running) {
        let since = Instant::now();
        let (uid, gid) = self.user;
        let family = family(running.pid.as_raw_nonzero().get());
        let peak = family.iter().map(|process| process.peak).sum();
        self.part.figure("memory_bytes", peak);
        if uid == 0 {
            // What the configuration says was looked at where it is.
            return;
        }
        let other = family.iter().filter(|process| !process.zombie).find(|process| {
            process.uids.iter().any(|id| *id != uid) || process.gids.iter().any(|id| *id != gid)
        });
        match other {
            None => self.part.passed(Rule::User, format!("all its processes run as {uid}:{gid}"), since),
            Some(Process { name, uids, gids, .. }) => {
                let message = format!("the process {name} runs as {uids:?}:{gids:?}, not as {uid}:{gid}");
                self.part.failed(Rule::User, message, since);
            }
        }
    }

    /// It may be well before it opens its last port, and has its start time for it.
    fn is_reached(&mut self, running: &Running) {
        let since = Instant::now();
        let deadline = running.since + self.promise.well_within;
        let mut open = listening();
        while self.promise.ports.iter().any(|port| !open.contains_key(port)) && Instant::now() < deadline {
            if self.processes.end_of(running.pid).is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
            open = listening();
        }
        for port in &self.promise.ports.clone() {
            match open.get(port) {
                Some(true) => self.part.passed(Rule::Ports, format!("others reach port {port}"), since),
                Some(false) => {
                    self.part
                        .failed(
                            Rule::Ports,
                            format!("port {port} is bound to loopback: nobody outside reaches it"),
                            since,
                        )
                        .about(&port.to_string())
                        .help("listen on 0.0.0.0");
                }
                None => {
                    self.part
                        .failed(Rule::Ports, format!("nothing listens on port {port}"), since)
                        .about(&port.to_string())
                        .help("mend `expose` or `ports`, or the program's own setting");
                }
            }
        }
    }

    /// As the first process of a container it has to.
    fn reaps(&mut self, running: &Running) {
        let since = Instant::now();
        let root = running.pid.as_raw_nonzero().get();
        let zombies = || -> BTreeSet<(i32, String)> {
            let ended = family(root).into_iter().filter(|process| process.zombie && process.pid != root);
            ended.map(|process| (process.pid, process.name)).collect()
        };
        let first = zombies();
        if !first.is_empty() {
            // It may be about to.
            std::thread::sleep(Duration::from_millis(500));
        }
        let left: Vec<String> = first.intersection(&zombies()).map(|(_, name)| name.clone()).collect();
        if left.is_empty() {
            self.part.passed(Rule::Zombies, "no ended process waits to be reaped", since);
        } else {
            self.part
                .failed(
                    Rule::Zombies,
                    format!("{} ended processes are not reaped: {}", left.len(), left.join(", ")),
                    since,
                )
                .help("`init: true` puts a small init in front of it");
        }
    }

    fn answers_nothing_else(&mut self) {
        let Some(Question::Http { port, .. }) = self.promise.health.clone() else {
            if !self.promise.forbidden_urls.is_empty() {
                self.part.not_verified(
                    Rule::Urls,
                    "which port to ask is not clear: `health` does not ask over http",
                );
            }
            return;
        };
        let port = self.port(&port);
        for path in self.promise.forbidden_urls.clone() {
            let since = Instant::now();
            match http::status(&format!("127.0.0.1:{port}"), &path, since + ANSWER_WITHIN) {
                Ok(status @ 200..300) => {
                    self.part.failed(Rule::Urls, format!("GET {path} answers {status}"), since).about(&path);
                }
                Ok(status) => self.part.passed(Rule::Urls, format!("GET {path} answers {status}"), since),
                Err(http::Failure::Connection(error)) if is_refusal(&error) => {
                    self.part.passed(Rule::Urls, format!("GET {path} is refused: {error}"), since);
                }
                Err(error) => {
                    self.part.not_verified(Rule::Urls, format!("not verifiable here: GET {path}: {error}"));
                }
            }
        }
    }

    /// It runs without them, or it would not be well; what it then takes, the image or its log says.
    fn has_defaults(&mut self, running: &Running) {
        let words = running.words().to_lowercase();
        for (name, value) in self.promise.optional.clone() {
            let since = Instant::now();
            let Some(value) = value else {
                self.part.passed(Rule::Defaults, format!("it runs without `{name}`"), since);
                continue;
            };
            let in_image = self.program.env.iter().any(|(known, set)| *known == name && *set == value);
            let lower = (name.to_lowercase(), value.to_lowercase());
            let said = |mark: &str| {
                let text = format!("{}{mark}{}", lower.0, lower.1);
                let ends = |at: usize| {
                    !words[at + text.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '.')
                };
                words.match_indices(&text).any(|(at, _)| ends(at))
            };
            if in_image || ["=", ": ", "\":\"", "\":", "\": ", "\": \""].into_iter().any(said) {
                self.part.passed(Rule::Defaults, format!("without `{name}` it takes {value}"), since);
            } else {
                self.part
                    .failed(Rule::Defaults, format!("that it takes {value} for `{name}` can be seen nowhere"), since)
                    .about(&name)
                    .help("set it in the image (`x-slipway.env`), or let the program log its settings when it starts");
            }
        }
    }

    fn logs(&mut self, running: &Running) {
        let streams =
            [("stdout", &self.promise.stdout, &running.out), ("stderr", &self.promise.stderr, &running.err)];
        let (mut failed, mut passed) = (Vec::new(), Vec::new());
        for (stream, wanted, capture) in streams {
            let Some(text) = wanted else { continue };
            // It may be said a moment after the port is open.
            let deadline = Instant::now() + SAYS_WITHIN;
            while !capture.text().contains(text) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
            if capture.text().contains(text) {
                passed.push(format!("{stream} says `{text}`"));
            } else {
                failed.push((format!("{stream} does not say `{text}`"), last_lines(&capture.text(), 4)));
            }
        }
        for message in passed {
            self.part.passed(Rule::Logs, message, Instant::now());
        }
        for (message, details) in failed {
            self.part.failed(Rule::Logs, message, Instant::now()).details(details);
        }
    }

    /// What it left behind, once it has ended.
    fn afterwards(&mut self, running: &Running, began: SystemTime) {
        let since = Instant::now();
        if let Some(line) = self.refused_write(running) {
            self.wrote(&line, since);
        } else if self.promise.read_only {
            self.part.passed(Rule::ReadOnly, "it runs on a root file system that refuses writes", since);
        } else {
            self.part.not_verified(Rule::ReadOnly, "the contract says `read_only: false`");
        }
        let files = self.log_files(began);
        if files.is_empty() {
            self.part.passed(Rule::Logs, "it writes no log files", since);
        } else {
            self.part
                .failed(Rule::Logs, "it writes log files", since)
                .details(files)
                .help("log to stdout and stderr: the engine collects them");
        }
    }
}

/// Whether a connection was refused or closed, rather than never answered.
fn is_refusal(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, UnexpectedEof,
    };
    matches!(
        error.kind(),
        ConnectionRefused | ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof
    )
}
