//! Random Compose files: whatever Compose accepts, we accept, and read the same from it.
//!
//! The files come from a seeded generator, so a failure can be had again: the message names the
//! seed and the case. `SLIPWAY_PROPERTY_CASES` sets how many files are written (250), and
//! `SLIPWAY_PROPERTY_SEED` where the generator starts.

#![allow(clippy::expect_used, clippy::panic)]

mod generator;
mod hostile;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use integration_tests::oracle::{ours, theirs};
use serde_json::Value;

use self::generator::Generator;

/// `NOPE` and `MISSING` have no value.
const VARIABLES: &[(&str, &str)] = &[
    ("TEAM", "blue"),
    ("EMPTY", ""),
    ("NUM", "8080"),
    ("FLAG", "true"),
    ("TIME", "1m30s"),
    ("ODD", "a \"b\" $TEAM {c}: #d"),
    ("_under_1", "under"),
];

/// Where we say no although Compose says yes.
const STRICTER: &[&str] = &[
    // Compose drops what follows, so nothing that works would come of it.
    "in the command is for a shell",
];

/// What came of a file.
enum Outcome {
    /// Both read the same from so many services.
    Same(usize),
    /// One of us refuses it, as it may.
    Refused(String),
    Different(String),
}

#[test]
fn what_compose_accepts_is_read_the_same() {
    let cases = setting("SLIPWAY_PROPERTY_CASES", 250);
    let seed = setting("SLIPWAY_PROPERTY_SEED", 1);
    let (mut services, mut refused, mut different) = (Vec::new(), Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        // Compose is a process per file: two of them keep two cores busy.
        let half = |start: u64| -> Vec<Outcome> {
            (start..cases).step_by(2).map(|case| check(seed, case)).collect()
        };
        let halves = [0, 1].map(|start| scope.spawn(move || half(start)));
        for outcome in halves.into_iter().flat_map(|half| half.join().expect("no panic")) {
            match outcome {
                Outcome::Same(count) => services.push(count),
                Outcome::Refused(why) => refused.push(why),
                Outcome::Different(how) => different.push(how),
            }
        }
    });
    let first = different.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(different.is_empty(), "{} of {cases} files differ:\n{first}", different.len());
    // Files that are refused say little.
    let enough = refused.len() * 5 <= usize::try_from(cases).expect("a few");
    assert!(enough, "{} of {cases} files are refused:\n{}", refused.len(), refused.join("\n"));
    eprintln!(
        "seed {seed}: {} services of {} files are read the same",
        services.iter().sum::<usize>(),
        services.len()
    );
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn check(seed: u64, case: u64) -> Outcome {
    let files = Generator::new(seed, case).files();
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in &files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    match compare(&folder.path().join("spec.yaml")) {
        Outcome::Different(how) => {
            let written: String =
                files.iter().map(|(name, text)| format!("--- {name} ---\n{text}\n")).collect();
            Outcome::Different(format!("seed {seed}, case {case}: {how}\n{written}"))
        }
        outcome => outcome,
    }
}

fn compare(path: &Path) -> Outcome {
    // Ours comes first: it must not panic, whatever Compose thinks of the file.
    let ours = ours(path, VARIABLES);
    let theirs = match theirs(path, VARIABLES) {
        Ok(theirs) => theirs,
        Err(why) => return Outcome::Refused(why.lines().last().unwrap_or_default().to_owned()),
    };
    let ours = match ours {
        Ok(ours) => ours,
        Err(why) => {
            let known: usize = STRICTER.iter().map(|known| why.matches(known).count()).sum();
            return if known >= why.matches("error[").count() {
                Outcome::Refused(why)
            } else {
                Outcome::Different(format!("Compose accepts what we refuse:\n{why}"))
            };
        }
    };
    if ours.keys().ne(theirs.keys()) {
        return Outcome::Different(format!("ours {:?}, Compose's {:?}", ours.keys(), theirs.keys()));
    }
    let mut message = String::new();
    for (name, theirs) in &theirs {
        let keys = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let (ours, theirs) = (keys(&ours[name]), keys(theirs));
        let all: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        for key in all.into_iter().filter(|key| ours.get(*key) != theirs.get(*key)) {
            let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
            let (ours, theirs) = (shown(ours.get(key)), shown(theirs.get(key)));
            let _ = write!(message, "\n  {name}.{key}\n    ours      {ours}\n    Compose's {theirs}");
        }
    }
    if message.is_empty() { Outcome::Same(theirs.len()) } else { Outcome::Different(message) }
}
