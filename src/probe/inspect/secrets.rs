//! Secrets that should not be there: those that the build was given, by their values; and what
//! looks like a key or a token, by the forms that their issuers document.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use memchr::memmem::Finder;

use super::tree::{Kind, Tree};
use crate::plan::contract::{Promise, Rule};
use crate::probe::pattern::fits;
use crate::probe::{Part, Program};

/// Files are searched in pieces of this many bytes, which overlap so far.
const PIECE: usize = 16 << 20;
const OVERLAP: usize = 64 << 10;
/// Shorter values are found by chance.
pub(super) const SHORTEST: usize = 8;

/// Files that hold credentials by their nature.
const FILES: [&str; 6] = [".env", ".netrc", ".git-credentials", ".pypirc", "id_rsa", "id_ed25519"];

/// A form of key: how it starts, which characters follow, and how many: at least so many, or exactly.
struct Form {
    name: &'static str,
    start: Finder<'static>,
    length: usize,
    exact: bool,
    more: fn(u8) -> bool,
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn value(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'$' | b'"' | b'\'' | b'<' | b'{' | b'`' | b',' | b')')
}

/// What is searched for.
pub(super) struct Known<'a> {
    given: Vec<(&'a str, Finder<'a>)>,
    forms: Vec<Form>,
    /// How a key in PEM's form starts; none if values alone are searched for.
    pem: Option<Finder<'static>>,
}

/// A secret that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    what: String,
    path: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} holds {}", self.path, self.what)
    }
}

impl<'a> Known<'a> {
    /// These values.
    pub(super) fn values(given: &'a [(String, Vec<u8>)]) -> Self {
        let given =
            given.iter().map(|(name, value)| (name.as_str(), Finder::new(value.as_slice()))).collect();
        Self { given, forms: Vec::new(), pem: None }
    }

    /// What looks like a key or a token.
    pub(super) fn forms() -> Self {
        let form = |name, start: &'static str, length, more| Form {
            name,
            start: Finder::new(start),
            length,
            exact: false,
            more,
        };
        let aws = |start| Form { exact: true, ..form("an AWS access key", start, 16, capital) };
        Self {
            given: Vec::new(),
            forms: vec![
                aws("AKIA"),
                aws("ASIA"),
                form("a GitHub token", "ghp_", 36, word),
                form("a GitHub token", "gho_", 36, word),
                form("a GitHub token", "ghs_", 36, word),
                form("a GitHub token", "github_pat_", 40, word),
                form("a GitLab token", "glpat-", 20, token),
                form("an npm token", "npm_", 36, word),
                form("an npm token", "_authToken=", 16, value),
                form("a Slack token", "xoxb-", 20, token),
                form("a Slack token", "xoxp-", 20, token),
                form("a Stripe key", "sk_live_", 20, word),
                form("a Google API key", "AIza", 35, token),
                form("a PyPI token", "pypi-AgEI", 50, token),
            ],
            pem: Some(Finder::new("-----BEGIN ")),
        }
    }

    /// What a text holds.
    fn in_bytes(&self, bytes: &[u8], may_have_keys: bool) -> Option<String> {
        if let Some((name, _)) = self.given.iter().find(|(_, value)| value.find(bytes).is_some()) {
            return Some(format!("the build's secret `{name}`"));
        }
        let pem = self.pem.as_ref().filter(|_| may_have_keys);
        if pem.is_some_and(|pem| pem.find_iter(bytes).any(|at| is_private_key(&bytes[at..]))) {
            return Some("a private key".to_owned());
        }
        self.forms.iter().find(|form| form.is_in(bytes)).map(|form| form.name.to_owned())
    }
}

impl Form {
    fn is_in(&self, bytes: &[u8]) -> bool {
        self.start.find_iter(bytes).any(|at| {
            let after = bytes.get(at + self.start.needle().len()..).unwrap_or_default();
            let length = after.iter().take_while(|byte| (self.more)(**byte)).count();
            let fits = if self.exact { length == self.length } else { length >= self.length };
            let begins = at == 0 || !word(bytes[at - 1]);
            let example = after.windows(7).take(32).any(|window| window == b"EXAMPLE");
            // The same letter over and over is a placeholder.
            let varied = after.iter().take(self.length).collect::<std::collections::BTreeSet<_>>().len() > 5;
            begins && fits && varied && !example
        })
    }
}

/// A whole key, not only the line before one, which programs hold that read keys.
fn is_private_key(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if Finder::new("PRIVATE KEY-----").find(line).is_none_or(|at| at >= 40) {
        return false;
    }
    let body = bytes.get(line.len()..).unwrap_or_default();
    body.iter().take(400).filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')).count()
        > 120
        && Finder::new("-----END").find(&body[..body.len().min(8192)]).is_some()
}

/// TLS libraries hold the keys of their own self-tests.
fn is_system_library(path: &str) -> bool {
    (path.starts_with("/usr/lib/") || path.starts_with("/lib")) && path.contains(".so")
}

/// The secrets in a folder, by these names: a file each, by its number.
pub(super) fn given(folder: &Path, names: &[String]) -> Vec<(String, Option<Vec<u8>>)> {
    let value = |number: usize| std::fs::read(folder.join(number.to_string())).ok();
    let all = names.iter().enumerate();
    all.map(|(number, name)| (name.clone(), value(number).map(|value| value.trim_ascii().to_vec()))).collect()
}

/// Searches files, and gives their bytes as well.
pub(super) fn search(tree: &Tree, known: &Known<'_>, allow: &[String]) -> Result<(Vec<Found>, u64), String> {
    let (mut found, mut total) = (Vec::new(), 0);
    let mut bytes = Vec::new();
    tree.each(&mut |path, entry, content| {
        total += entry.size;
        if entry.kind != Kind::File || entry.size == 0 || allow.iter().any(|pattern| fits(pattern, path)) {
            return Ok(());
        }
        let mut note = |what: String| found.push(Found { what, path: path.to_owned() });
        bytes.clear();
        loop {
            let limit = u64::try_from(PIECE - bytes.len()).unwrap_or_default();
            let read =
                content.take(limit).read_to_end(&mut bytes).map_err(|error| format!("{path}: {error}"))?;
            if let Some(what) = known.in_bytes(&bytes, !is_system_library(path)) {
                note(what);
                return Ok(());
            }
            if read == 0 || bytes.len() < PIECE {
                break;
            }
            bytes.drain(..PIECE - OVERLAP);
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        if !known.forms.is_empty() && FILES.contains(&name) {
            note("settings that are secret by its name".to_owned());
        }
        Ok(())
    })?;
    Ok((found, total))
}

/// Searches the configuration.
pub(super) fn configuration(promise: &Promise, program: &Program, known: &Known<'_>, part: &mut Part) {
    let since = Instant::now();
    for (name, value) in &program.env {
        if promise.secrets.contains(name) && !value.is_empty() {
            part.failed(Rule::Secrets, format!("the image's environment gives `{name}` a value"), since)
                .about(name)
                .help("it comes from outside when the program runs; the image must not have it");
        } else if let Some(what) = known.in_bytes(value.as_bytes(), true) {
            part.failed(Rule::Secrets, format!("the image's environment holds {what} in `{name}`"), since)
                .about(name);
        }
    }
    for entry in &program.history {
        if let Some(what) = known.in_bytes(entry.as_bytes(), true) {
            part.failed(Rule::Secrets, format!("the image's history holds {what}"), since)
                .about(entry)
                .help("everybody who has the image can read its steps: mount it, `secret: [{ id: … }]`");
        }
    }
    let texts = program.labels.iter().map(|(name, value)| (format!("the label `{name}`"), value.as_str()));
    let args = program.args.iter().map(|arg| ("the command".to_owned(), arg.as_str()));
    for (place, text) in texts.chain(args) {
        if let Some(what) = known.in_bytes(text.as_bytes(), true) {
            part.failed(Rule::Secrets, format!("{place} holds {what}"), since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_what_only_looks_like_them() {
        let secrets = [("npm".to_owned(), b"a-token-of-mine".to_vec())];
        assert_eq!(
            Known::values(&secrets).in_bytes(b"x a-token-of-mine y", true).as_deref(),
            Some("the build's secret `npm`")
        );
        let known = Known::forms();
        let key = format!(
            "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n",
            "MIIEowIBAAKCAQEA7b".repeat(20)
        );
        for text in [
            "id=AKIAQ3EGUZTIQMSWXBCD;",
            "token: ghp_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789",
            "//registry.npmjs.org/:_authToken=0b5cd1f2e3a4968778695a4b3c2d1e0f",
            &key,
        ] {
            assert!(known.in_bytes(text.as_bytes(), true).is_some(), "{text}");
        }
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "AKIAXXXXXXXXXXXXXXXX",
            "const begin = '-----BEGIN PRIVATE KEY-----';",
            "_authToken=${NPM_TOKEN}",
            "XAKIAQ3EGUZTIQMSWXBCD",
        ] {
            assert_eq!(known.in_bytes(text.as_bytes(), true), None, "{text}");
        }
    }
}
