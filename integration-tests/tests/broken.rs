//! A corpus of broken specs: what a person sees of each, word for word.
//!
//! Every folder of `integration-tests/broken` is one case. Its name says what is broken:
//!
//! | file | holds |
//! |---|---|
//! | `app.spec.yaml` | the spec; `⟪1000 × x⟫` in it stands for a thousand of them, `␀` there for a NUL |
//! | `expected.txt` | what `docker buildx build --progress=quiet -f app.spec.yaml .` prints |
//! | `args` | further arguments of that command, one per line |
//! | `check` | if it is there: the command is asked to `--check` |
//! | `before` | a docker command that has to succeed before, one argument per line |
//! | `engine-only` | why `docker-slipway check` does not find the same; it has to be true |
//!
//! All other files are the build context. What `docker-slipway check --json` finds must have every
//! code and line that the text shows. After `UPDATE_BROKEN=1` the texts are those of today: read
//! each of them before it is kept.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use integration_tests::{Project, Said, docker_in, plugin, repository};
use serde_json::Value;

/// A client waits more than it works.
const AT_ONCE: usize = 4;

/// A kind of error or a rule, with the file and the line where it was found.
type Finding = (String, Option<(String, u64)>);

/// A case of the corpus, in a folder of its own where it may be built.
struct Case {
    name: String,
    folder: PathBuf,
    project: Project,
    args: Vec<String>,
}

impl Case {
    fn open(folder: PathBuf) -> Self {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let project = Project::copy_of(&format!("integration-tests/broken/{name}"));
        if let Ok(spec) = fs::read_to_string(folder.join("app.spec.yaml")) {
            project.write("app.spec.yaml", &unfolded(&spec));
        }
        let args = lines(&folder.join("args"));
        Self { name, folder, project, args }
    }

    fn has(&self, file: &str) -> bool {
        self.folder.join(file).exists()
    }

    /// What a person sees.
    fn text(&self) -> Result<String, String> {
        let before = lines(&self.folder.join("before"));
        if !before.is_empty() {
            let words: Vec<&str> = before.iter().map(String::as_str).collect();
            docker_in(self.project.path(), &[], &words).expect_ok();
        }
        let mut args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        if self.has("check") {
            args.push("--check");
        }
        let said = self.project.build_quietly("app.spec.yaml", &args);
        if said.ok {
            return Err("nothing is found wrong with it".to_owned());
        }
        Ok(settled(&(said.out + &said.err)))
    }

    /// What `check` finds in the same folder, with the same variables and target.
    fn checked(&self, binary: &Path) -> Result<BTreeSet<Finding>, String> {
        let mut command = Command::new(binary);
        command.args(["check", "--json", "-f", "app.spec.yaml", "."]).current_dir(self.project.path());
        for pair in self.args.windows(2) {
            if ["--target", "--build-arg"].contains(&pair[0].as_str()) {
                command.args(pair);
            }
        }
        let said = Said::new(&command.output().expect("the frontend's program runs on this machine"));
        let found: Vec<Value> = serde_json::from_str(&said.out)
            .map_err(|error| format!("`check` gives no JSON: {error}\n{}{}", said.out, said.err))?;
        let finding = |found: &Value| {
            let place = &found["place"];
            let place = place["file"].as_str().zip(place["line"].as_u64());
            (text(&found["code"]), place.map(|(file, line)| (file.to_owned(), line)))
        };
        Ok(found.iter().map(finding).collect())
    }

    /// What is not as it should be.
    fn problems(&self, binary: &Path) -> Vec<String> {
        let text = match self.text() {
            Ok(text) => text,
            Err(problem) => return vec![problem],
        };
        let mut problems = Vec::new();
        let path = self.folder.join("expected.txt");
        if std::env::var_os("UPDATE_BROKEN").is_some_and(|set| !set.is_empty()) {
            fs::write(&path, &text).expect("the text is written");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if text != expected {
            problems.push(format!("it prints\n{text}\ninstead of\n{expected}"));
        }
        let shown = shown(&text);
        let checked = match self.checked(binary) {
            Ok(checked) => checked,
            Err(problem) => return vec![problem],
        };
        let missing: Vec<&Finding> = shown.iter().filter(|finding| !is_among(finding, &checked)).collect();
        let same = missing.is_empty() && !shown.is_empty();
        match (self.has("engine-only"), same) {
            (true, true) => problems.push("`check` finds it as well: remove `engine-only`".to_owned()),
            (false, false) => {
                problems.push(format!("`check` lacks {missing:?} of {shown:?}; it has {checked:?}"));
            }
            _ => {}
        }
        problems
    }
}

/// Clients blame the first line, `# syntax=`, for what has no place. An empty file has no line to
/// show.
fn is_among(shown: &Finding, checked: &BTreeSet<Finding>) -> bool {
    let (code, place) = shown;
    let same = |(other, found): &Finding| {
        let nowhere = found.is_none() && place.as_ref().is_none_or(|(_, line)| *line == 1);
        code == other && (place == found || place.is_none() || nowhere)
    };
    checked.iter().any(same)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The text with what stands in `⟪N × …⟫` that many times.
fn unfolded(text: &str) -> String {
    let mut parts = text.split('⟪');
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (folded, rest) = part.split_once('⟫').expect("a closing ⟫");
        let (count, piece) = folded.split_once(" × ").expect("a count and a piece");
        result.push_str(&piece.replace('␀', "\0").repeat(count.parse().expect("a number")));
        result.push_str(rest);
    }
    result
}

/// The opposite, for a thousand and more of one character.
fn folded(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text.replace('\0', "␀");
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|other| other != first).unwrap_or(rest.len());
        let count = end / first.len_utf8();
        if count < 1000 {
            result.push_str(&rest[..end]);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(result, "⟪{count} × {first}⟫");
        }
        rest.drain(..end);
    }
    result
}

/// The text without what no two runs or engines share.
fn settled(text: &str) -> String {
    let mut result = String::new();
    for line in text.trim().lines() {
        // Which of its two halves the client blames is a matter of which one ends first.
        let line = line.trim_end().replace("failed to run Build function", "failed to solve");
        let line = match line.split_once("the engine says: ") {
            Some((before, _)) => format!("{before}the engine says: […]"),
            None => line,
        };
        let line = match line.split_once("checksum of ref ") {
            Some((before, rest)) => {
                let (_, after) = rest.split_once(": ").expect("a path behind the reference");
                format!("{before}checksum of ref […]: {after}")
            }
            None => line,
        };
        result.push_str(&folded(&line));
        result.push('\n');
    }
    result
}

/// The errors and warnings of a text, each with its place if it has one.
fn shown(text: &str) -> BTreeSet<Finding> {
    let lines: Vec<&str> = text.lines().collect();
    // A place stands behind its error (`--> x.yaml:1:2`), or before it, where the client shows it
    // (`x.yaml:1`).
    let place = |line: &str| {
        let line = line.trim().trim_start_matches("--> ");
        let mut parts = line.split(':');
        let (file, number) = (parts.next()?, parts.next()?.parse().ok()?);
        file.ends_with(".yaml").then(|| (file.to_owned(), number))
    };
    let next_place = |from: usize| lines[from..].iter().find_map(|line| place(line));
    let mut found = BTreeSet::new();
    for (number, line) in lines.iter().enumerate() {
        if let Some((code, _)) = line.strip_prefix("error[").and_then(|rest| rest.split_once(']')) {
            found.insert((code.to_owned(), next_place(number)));
        } else if let Some((rule, _)) = line.strip_prefix("WARNING: ").and_then(|rest| rest.split_once(" - "))
        {
            found.insert((rule.to_owned(), next_place(number)));
        } else if let Some((_, code)) = line
            .starts_with("ERROR: ")
            .then(|| line.strip_suffix(']').and_then(|line| line.rsplit_once(" [")))
            .flatten()
        {
            found.insert((code.to_owned(), lines.first().and_then(|line| place(line))));
        }
    }
    found
}

fn corpus() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("integration-tests/broken")).expect("the corpus");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    folders
}

#[test]
fn every_broken_spec_is_explained() {
    let binary = plugin();
    let folders = corpus();
    assert!(folders.len() >= 75, "the corpus has {} cases", folders.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failed = Vec::new();
        while let Some(folder) = folders.get(next.fetch_add(1, Ordering::Relaxed)) {
            let case = Case::open(folder.clone());
            failed.extend(case.problems(binary).into_iter().map(|problem| (case.name.clone(), problem)));
        }
        failed
    };
    let mut failed: Vec<(String, String)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    failed.sort();
    let report: Vec<String> =
        failed.iter().map(|(name, problem)| format!("--- {name}: {problem}\n")).collect();
    assert!(report.is_empty(), "{} of {}:\n{}", report.len(), folders.len(), report.join("\n"));
}

#[test]
fn every_rule_has_a_case() {
    let texts: Vec<String> = corpus()
        .iter()
        .map(|folder| fs::read_to_string(folder.join("expected.txt")).expect("a text"))
        .collect();
    let codes: BTreeSet<String> = texts.iter().flat_map(|text| shown(text)).map(|(code, _)| code).collect();
    let missing: Vec<&str> =
        slipway::lint::RULES.iter().map(|rule| rule.name).filter(|rule| !codes.contains(*rule)).collect();
    assert!(missing.is_empty(), "no broken spec shows {missing:?}");
}
