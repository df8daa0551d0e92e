//! Asks a service whether it works. Exit status 0 means healthy, 1 unhealthy, 2 a wrong call.
//!
//! ```text
//! slipway-probe http URL [--status 200-299,304] [--contains TEXT] [--within SECONDS]
//! slipway-probe tcp HOST:PORT [--within SECONDS]
//! ```
//!
//! `${NAME:-default}` in an address comes from the environment.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use slipway_probe::expand::{Unknown, expand};
use slipway_probe::http;

const USAGE: &str = "usage: slipway-probe http URL [--status 200-299] [--contains TEXT] [--within SECONDS]\n       slipway-probe tcp HOST:PORT [--within SECONDS]";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(kind), Some(address)) = (arguments.next(), arguments.next()) else { return wrong(USAGE) };
    let (mut status, mut contains, mut within) = ("200-299".to_owned(), None, 30.0);
    while let Some(flag) = arguments.next() {
        let Some(value) = arguments.next() else { return wrong(USAGE) };
        match flag.as_str() {
            "--status" => status = value,
            "--contains" => contains = Some(value),
            "--within" => match value.parse() {
                Ok(seconds) if (0.0..86400.0).contains(&seconds) => within = seconds,
                _ => return wrong(USAGE),
            },
            _ => return wrong(USAGE),
        }
    }
    let address = expand(&address, Unknown::Empty, &|name| std::env::var(name).ok());
    let deadline = Instant::now() + Duration::from_secs_f64(within);
    let outcome = match kind.as_str() {
        "tcp" => {
            http::connect(&address, deadline).map(|_| "open".to_owned()).map_err(|error| error.to_string())
        }
        "http" => ask(&address, &status, contains.as_deref(), deadline),
        _ => return wrong(USAGE),
    };
    match outcome {
        Ok(said) => {
            say(&said);
            ExitCode::SUCCESS
        }
        Err(why) => {
            say(&format!("{address}: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn ask(url: &str, status: &str, contains: Option<&str>, deadline: Instant) -> Result<String, String> {
    let answer = http::get(url, deadline).map_err(|error| error.to_string())?;
    let start: String = answer.body.trim().chars().take(200).collect();
    if !http::accepted(status, answer.status) {
        return Err(format!("status {} instead of {status}: {start}", answer.status));
    }
    match contains {
        Some(text) if !answer.body.contains(text) => {
            Err(format!("status {}, but no `{text}` in: {start}", answer.status))
        }
        _ => Ok(format!("{} {start}", answer.status)),
    }
}

fn wrong(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(2)
}

#[allow(clippy::print_stdout, reason = "the engine keeps what a health check says")]
fn say(text: &str) {
    println!("{text}");
}
