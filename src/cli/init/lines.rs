//! YAML as lines: enough of it to find the entries of a mapping in a text, and to leave all else as it
//! is. What these functions take for an entry is held against a real parser afterwards.

/// An entry of a mapping in block form: its key, and its lines.
#[derive(Clone, Debug)]
pub(super) struct EntryText {
    pub(super) key: String,
    pub(super) first: usize,
    /// Behind its last line.
    pub(super) end: usize,
    pub(super) indent: usize,
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The key that a line starts with.
fn line_key(line: &str) -> Option<String> {
    let text = line.trim_start();
    if text.starts_with(['#', '-', ']', '}', '|', '>', '[', '{']) || text.is_empty() {
        return None;
    }
    let end = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].find(quote)? + 2,
        _ => text
            .match_indices(':')
            .map(|(place, _)| place)
            .find(|place| text[place + 1..].is_empty() || text[place + 1..].starts_with(' '))?,
    };
    let rest = text[end..].trim_start();
    rest.starts_with(':').then(|| super::dockerfile::unquoted(&text[..end]).to_owned())
}

/// The entries of the block mapping in these lines.
pub(super) fn entries(lines: &[String], first: usize, end: usize) -> Vec<EntryText> {
    let is_content =
        |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#') && line.trim() != "---";
    let range = first..end.min(lines.len());
    let Some(indent) =
        range.clone().map(|at| lines[at].as_str()).find(|line| is_content(line)).map(indent_of)
    else {
        return Vec::new();
    };
    let mut found: Vec<EntryText> = Vec::new();
    for at in range {
        let line = &lines[at];
        if is_content(line) {
            if indent_of(line) == indent
                && let Some(key) = line_key(line)
            {
                found.push(EntryText { key, first: at, end: at + 1, indent });
            } else if let Some(last) = found.last_mut() {
                last.end = at + 1;
            }
        } else if line.trim_start().starts_with('#') && indent_of(line) > indent {
            // A comment in the depth of the entry belongs to it, unless the next one follows.
            if let Some(last) = found.last_mut().filter(|last| last.end == at) {
                last.end = at + 1;
            }
        }
    }
    found
}

/// A line's code, and its comment.
pub(super) fn split_comment(line: &str) -> (&str, &str) {
    let mut quote = None;
    let mut before = ' ';
    for (place, character) in line.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(character),
            (None, '#') if before.is_whitespace() => return (line[..place].trim_end(), &line[place..]),
            _ => {}
        }
        before = character;
    }
    (line.trim_end(), "")
}

/// The entries of a mapping in braces, as they are written. None if it is none, or has a comment.
pub(super) fn flow_parts(text: &str) -> Option<Vec<String>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut parts = vec![String::new()];
    let (mut depth, mut quote) = (0_usize, None);
    for character in inner.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut()?.push(character);
    }
    let parts = parts.into_iter().map(|part| part.trim().to_owned());
    Some(parts.filter(|part| !part.is_empty()).collect())
}

pub(super) fn key_of(part: &str) -> &str {
    super::dockerfile::unquoted(part.split(':').next().unwrap_or_default())
}

pub(super) fn as_comment(line: &str, indent: usize) -> String {
    let (before, rest) = line.split_at_checked(indent).unwrap_or(("", line));
    format!("{before}# {rest}").trim_end().to_owned()
}

/// Services in braces, on one line, become lines of their own.
pub(super) fn unfold(lines: &mut Vec<String>) {
    let top = entries(lines, 0, lines.len());
    let Some(services) = top.into_iter().find(|entry| entry.key == "services") else { return };
    for service in entries(lines, services.first + 1, services.end).into_iter().rev() {
        if service.end != service.first + 1 {
            continue;
        }
        let (code, comment) = split_comment(&lines[service.first]);
        let Some((key, value)) = code.split_once(':') else { continue };
        let Some(parts) = flow_parts(value) else { continue };
        if !parts.iter().any(|part| key_of(part) == "build") {
            continue;
        }
        let comment = if comment.is_empty() { String::new() } else { format!("  {comment}") };
        let indent = " ".repeat(service.indent + 2);
        let own = parts.iter().map(|part| format!("{indent}{part}"));
        let unfolded: Vec<String> = [format!("{key}:{comment}")].into_iter().chain(own).collect();
        lines.splice(service.first..service.end, unfolded);
    }
}
