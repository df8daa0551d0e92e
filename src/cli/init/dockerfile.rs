//! Dockerfiles: their stages, and the instructions of each with the line that it stands on.
//!
//! Continued lines are joined, comments between them left out, here-documents kept with their
//! instruction, and variables of `FROM` replaced by the defaults of global arguments.

use std::collections::BTreeMap;

/// A Dockerfile.
#[derive(Clone, Debug)]
pub(super) struct Dockerfile {
    /// Its stages, in the order of the file.
    pub(super) stages: Vec<Stage>,
    /// Global arguments with their values.
    pub(super) arguments: BTreeMap<String, String>,
    /// Their lines, and what stands there.
    pub(super) argument_lines: Vec<(usize, String)>,
}

/// A stage.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    /// What `AS` calls it.
    pub(super) name: Option<String>,
    /// The image or stage that it stands on, with variables replaced.
    pub(super) base: String,
    /// The line of its `FROM`.
    pub(super) line: usize,
    /// What follows the `FROM`.
    pub(super) instructions: Vec<Instruction>,
}

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// The line that it starts on, from 1.
    pub(super) line: usize,
    /// Its name, in capitals.
    pub(super) name: String,
    /// `--name=value`, without the dashes.
    pub(super) flags: Vec<(String, String)>,
    /// What it is given, on one line.
    pub(super) text: String,
    /// The lines of here-documents.
    pub(super) document: Vec<String>,
}

impl Instruction {
    /// A flag's value.
    pub(super) fn flag(&self, name: &str) -> Option<&str> {
        self.flags.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The words of the JSON form.
pub(super) fn list(text: &str) -> Option<Vec<String>> {
    text.starts_with('[').then(|| serde_json::from_str(text).ok())?
}

impl Dockerfile {
    /// Reads a Dockerfile. `given` are the values of build arguments.
    pub(super) fn read(text: &str, given: &BTreeMap<String, String>) -> Self {
        let mut file = Self { stages: Vec::new(), arguments: BTreeMap::new(), argument_lines: Vec::new() };
        for instruction in instructions(text) {
            match (instruction.name.as_str(), file.stages.last_mut()) {
                ("FROM", _) => {
                    let words: Vec<&str> = instruction.text.split_whitespace().collect();
                    let name = words.get(1).filter(|word| word.eq_ignore_ascii_case("as")).and(words.get(2));
                    let base = words.first().copied().unwrap_or_default();
                    file.stages.push(Stage {
                        name: name.map(|name| name.to_lowercase()),
                        base: expand(base, &file.arguments),
                        line: instruction.line,
                        instructions: Vec::new(),
                    });
                }
                ("ARG", None) => {
                    let (name, default) = instruction.text.split_once('=').unwrap_or((&instruction.text, ""));
                    let value = given.get(name).cloned();
                    let value = value.unwrap_or_else(|| expand(unquoted(default), &file.arguments));
                    file.arguments.insert(name.to_owned(), value);
                    file.argument_lines.push((instruction.line, instruction.text.clone()));
                }
                (_, Some(stage)) => stage.instructions.push(instruction),
                (_, None) => {}
            }
        }
        file
    }

    /// The stage of a name or number, among the first `before`.
    pub(super) fn find(&self, name: &str, before: usize) -> Option<usize> {
        let known = |stage: &Stage| stage.name.as_deref() == Some(name.to_lowercase().as_str());
        let number = || name.parse().ok().filter(|number| *number < before);
        self.stages.iter().take(before).rposition(known).or_else(number)
    }
}

/// Text without the quotes around it.
pub(super) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// Replaces `$NAME`, `${NAME}` and `${NAME:-default}`; what is not known stays as it is.
pub(super) fn expand(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(place) = rest.find('$') {
        result.push_str(&rest[..place]);
        let after = &rest[place + 1..];
        let (name, default, length) = if let Some(inner) = after.strip_prefix('{') {
            let Some(end) = inner.find('}') else { return result + &rest[place..] };
            let (name, default) = match inner[..end].split_once(":-").or(inner[..end].split_once('-')) {
                Some((name, default)) => (name, Some(default)),
                None => (&inner[..end], None),
            };
            (name, default, end + 2)
        } else {
            let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
            (&after[..end], None, end)
        };
        let value = values.get(name).map(String::as_str).filter(|value| !value.is_empty()).or(default);
        match value {
            Some(value) => result.push_str(value),
            None => result.push_str(&rest[place..=place + length]),
        }
        rest = &after[length..];
    }
    result + rest
}

fn instructions(text: &str) -> Vec<Instruction> {
    let directive = text.lines().take_while(|line| line.starts_with('#')).find_map(|line| {
        let (name, value) = line[1..].split_once('=')?;
        name.trim().eq_ignore_ascii_case("escape").then(|| value.trim().chars().next())?
    });
    let escape = directive.unwrap_or('\\');
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut parts = vec![line.to_owned()];
        while let Some(open) = parts.last().and_then(|part| part.strip_suffix(escape)).map(str::to_owned) {
            parts.pop();
            parts.push(open.trim_end().to_owned());
            let next = lines.by_ref().map(|(_, next)| next.trim()).find(|next| {
                // Comments and empty lines do not end it.
                !next.is_empty() && !next.starts_with('#')
            });
            match next {
                Some(next) => parts.push(next.to_owned()),
                None => break,
            }
        }
        parts.retain(|part| !part.is_empty());
        let joined = parts.join(" ");
        let (name, rest) = joined.split_once(char::is_whitespace).unwrap_or((&joined, ""));
        let (name, mut rest) = (name.to_uppercase(), rest.trim());
        let mut flags = Vec::new();
        while let Some(flag) = rest.strip_prefix("--").filter(|_| takes_flags(&name)) {
            let (flag, after) = flag.split_once(char::is_whitespace).unwrap_or((flag, ""));
            let (key, value) = flag.split_once('=').unwrap_or((flag, ""));
            flags.push((key.to_owned(), value.to_owned()));
            rest = after.trim_start();
        }
        let mut document = Vec::new();
        if ["RUN", "COPY", "ADD"].contains(&name.as_str()) {
            for end in documents(rest) {
                let body = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != end);
                document.extend(body.map(|line| line.trim().to_owned()));
            }
        }
        found.push(Instruction { line: index + 1, name, flags, text: rest.to_owned(), document });
    }
    found
}

fn takes_flags(name: &str) -> bool {
    ["FROM", "RUN", "COPY", "ADD", "HEALTHCHECK"].contains(&name)
}

/// What ends each here-document that an instruction starts.
fn documents(text: &str) -> Vec<String> {
    let starts = text.split("<<").skip(1).map(|rest| rest.trim_start_matches('-'));
    let words = starts.map(|rest| rest.split_whitespace().next().unwrap_or_default());
    let words = words.map(|word| unquoted(word).to_owned());
    words
        .filter(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_and_instructions_with_their_lines() {
        let text = "# syntax=docker/dockerfile:1\nARG NODE=20\n\nFROM node:${NODE}-alpine AS Build\nRUN npm ci \\\n  # why\n  && npm run build\nFROM build\nRUN <<EOF\napt-get update\nEOF\nHEALTHCHECK --interval=5s CMD curl -f http://localhost/\nCMD [\"node\", \"x.js\"]\n";
        let file = Dockerfile::read(text, &BTreeMap::new());
        assert_eq!(file.stages[0].base, "node:20-alpine");
        assert_eq!(file.stages[0].instructions[0].text, "npm ci && npm run build");
        assert_eq!(file.find("build", 1), Some(0));
        let last = &file.stages[1];
        assert_eq!(last.instructions[0].document, ["apt-get update"]);
        assert_eq!(last.instructions[1].flag("interval"), Some("5s"));
        assert_eq!(last.instructions[1].line, 12);
        assert_eq!(list(&last.instructions[2].text), Some(vec!["node".to_owned(), "x.js".to_owned()]));
    }

    #[test]
    fn variables_with_and_without_values() {
        let values = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        for (text, expected) in [
            ("$A-x", "1-x"),
            ("${A}${B:-2}", "12"),
            ("${B}", "${B}"),
            ("$B/$A", "$B/1"),
            ("50$", "50$"),
            ("${open", "${open"),
        ] {
            assert_eq!(expand(text, &values), expected);
        }
    }
}
