//! The stop: what was asked before it is answered, nothing new is accepted, and the end is in time
//! and in order.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use slipway_probe::http;

use super::Bench;
use super::processes::Ended;
use super::service::Running;
use crate::plan::contract::{Question, Rule};
use crate::probe::millis;

/// The least time for an answer.
const SHORTEST: Duration = Duration::from_millis(1);
/// So long after the question the signal comes: the question has to be under way.
const UNDER_WAY: Duration = Duration::from_millis(300);

impl Bench {
    /// Asks it to stop, as an engine does.
    pub(super) fn stops(&mut self, running: &Running) {
        let name = self.program.stop_signal.clone();
        let Some(signal) = signal(&name) else {
            let why = format!("not verifiable here: `{name}` is a signal that cannot be sent from here");
            self.part.not_verified(Rule::Stop, why);
            return;
        };
        let slow = self.ask_slowly();
        let within = self.promise.stop.within;
        let since = Instant::now();
        running.signal(signal);
        let (answered, refused) = match slow {
            Some((port, path, slow)) => {
                let reader = std::thread::spawn(move || slow.status(since + within.max(SHORTEST)));
                let refused = self.refuses(running, &port, since);
                let answered = reader.join().unwrap_or(Err("the reader broke".to_owned()));
                (Some((path, answered)), refused)
            }
            None => (None, None),
        };
        let left = within.saturating_sub(since.elapsed());
        let ended = running.wait(&mut self.processes, left);
        let took = since.elapsed();
        self.part.figure("stop_ms", millis(took));
        if let Some((path, answered)) = answered {
            match answered {
                Ok(status) => self.part.passed(
                    Rule::InFlight,
                    format!("GET {path}, under way at {name}, answers {status}"),
                    since,
                ),
                Err(why) => {
                    self.part
                        .failed(
                            Rule::InFlight,
                            format!("GET {path} was under way at {name}, and is not answered: {why}"),
                            since,
                        )
                        .help("at the signal, close the listening socket, and let what is open finish");
                }
            }
            if let (Some(false), Some(_)) = (refused, ended) {
                self.part.failed(Rule::InFlight, format!("it accepts connections after {name}"), since);
            }
        }
        let Some(ended) = ended else {
            self.part
                .failed(Rule::Stop, format!("it still runs {within:?} after {name}"), since)
                .details(running.last_words())
                .help("handle the signal; or `init: true`, if it is started by a shell that does not pass signals on");
            return;
        };
        if let Ended::Signal(_) = ended
            && signal != Signal::KILL
        {
            let message =
                format!("it has no handler for {name}: as the first process of a container it would not end");
            self.part.failed(Rule::Stop, message, since).help(
                "handle the signal, finish what is under way, end with 0; or `init: true` for what holds nothing",
            );
            return;
        }
        let code = ended.code();
        if self.promise.stop.exit.contains(&code) {
            self.part.passed(
                Rule::Stop,
                format!("ends with {code}, {} ms after {name}", took.as_millis()),
                since,
            );
        } else {
            let wanted: Vec<String> = self.promise.stop.exit.iter().map(i32::to_string).collect();
            self.part
                .failed(Rule::Stop, format!("it {ended} after {name}, not with {}", wanted.join(" or ")), since)
                .details(running.last_words())
                .help(&format!("handle the signal, or `contract: {{ stop: {{ exit: {code} }} }}` if that is as it should be"));
        }
    }

    /// Asks for the path that takes a while, and does not wait for the answer.
    fn ask_slowly(&mut self) -> Option<(String, String, Slow)> {
        let path = self.promise.stop.in_flight.clone()?;
        let Some(Question::Http { port, .. }) = &self.promise.health else { return None };
        let port = self.port(port);
        let since = Instant::now();
        let asked = http::connect(&format!("127.0.0.1:{port}"), since + Duration::from_secs(5))
            .map_err(|error| error.to_string())
            .and_then(|mut stream| {
                let request =
                    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
                stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
                Ok(stream)
            });
        match asked {
            Ok(stream) => {
                std::thread::sleep(UNDER_WAY);
                let mut slow = Slow { stream, answer: Vec::new() };
                if slow.is_answered() {
                    let why = format!(
                        "not verifiable here: GET {path} is answered before the signal, within {UNDER_WAY:?}"
                    );
                    self.part.not_verified(Rule::InFlight, why);
                    return None;
                }
                Some((port, path, slow))
            }
            Err(why) => {
                self.part.failed(Rule::InFlight, format!("GET {path}: {why}"), since);
                None
            }
        }
    }

    /// Whether it stops accepting while it still runs; none if it ended before that could be seen.
    fn refuses(&mut self, running: &Running, port: &str, since: Instant) -> Option<bool> {
        let mut accepted = None;
        while since.elapsed() < self.promise.stop.within {
            if self.processes.end_of(running.pid).is_some() {
                // An answer within the first moments is no refusal to stop.
                return accepted.map(|at: Duration| at < Duration::from_secs(1));
            }
            match http::connect(&format!("127.0.0.1:{port}"), Instant::now() + Duration::from_millis(200)) {
                Err(_) => return Some(true),
                Ok(_) => accepted = Some(since.elapsed()),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(false)
    }
}

/// What came of an answer so far.
struct Slow {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Slow {
    /// Whether the whole answer is there already.
    fn is_answered(&mut self) -> bool {
        let mut piece = [0; 4096];
        let _ = self.stream.set_read_timeout(Some(Duration::from_millis(1)));
        while let Ok(read @ 1..) = self.stream.read(&mut piece) {
            self.answer.extend(&piece[..read]);
        }
        http::complete(&self.answer)
    }

    /// The status of the answer, if it comes in time and whole.
    fn status(mut self, deadline: Instant) -> Result<u16, String> {
        let mut piece = [0; 4096];
        while !http::complete(&self.answer) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("it is not answered in time".to_owned());
            }
            self.stream.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
            match self.stream.read(&mut piece) {
                // The end is the length of an answer that tells none.
                Ok(0) if self.answer.is_empty() || http::tells_its_length(&self.answer) => {
                    return Err("the connection is closed before the answer is whole".to_owned());
                }
                Ok(0) => break,
                Ok(read) => self.answer.extend(&piece[..read]),
                Err(error) => return Err(error.to_string()),
            }
        }
        match http::status_of(&self.answer) {
            Some(status @ 200..300) => Ok(status),
            Some(status) => Err(format!("it answers {status}")),
            None => Err("what comes is no answer".to_owned()),
        }
    }
}

/// A signal by its name or number.
fn signal(name: &str) -> Option<Signal> {
    let name = name.trim().to_uppercase();
    let signal = match name.trim_start_matches("SIG") {
        "" | "TERM" | "15" => Signal::TERM,
        "QUIT" | "3" => Signal::QUIT,
        "INT" | "2" => Signal::INT,
        "HUP" | "1" => Signal::HUP,
        "KILL" | "9" => Signal::KILL,
        "USR1" | "10" => Signal::USR1,
        "USR2" | "12" => Signal::USR2,
        "WINCH" | "28" => Signal::WINCH,
        "ABRT" | "6" => Signal::ABORT,
        _ => return None,
    };
    Some(signal)
}
