//! What is wrong with a file that is no YAML, in words for the person who wrote it. The parser's own
//! words are about its states.

use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, SourceText, Span};

/// The parser's words for a mistake, what they mean, and what to do.
const MEANINGS: [(&str, &str, &str); 14] = [
    ("from_str_multiple", "there are several documents in it", "one document per file: remove `---`"),
    ("recursion limit", "it is nested too deeply", ""),
    ("budget breached", "its aliases stand for more than a file should hold", ""),
    ("found a tab", "it has a tab where YAML wants spaces", "indent with spaces"),
    ("unknown anchor", "an alias (`*name`) has no anchor (`&name`) before it", ""),
    ("unexpected character: `@'", "a value cannot start with `@`", "quote it"),
    ("unexpected character: ``'", "a value cannot start with a backtick", "quote it"),
    ("unexpected character: `%'", "a value cannot start with `%`", "quote it"),
    (
        "unexpected character: `\\u{0}'",
        "it holds a NUL character",
        "remove it: the file may not be text at all",
    ),
    (
        "unknown escape",
        "a backslash in double quotes starts an escape that YAML does not know",
        "use single quotes, or write the backslash twice",
    ),
    ("simple key expected", "a key without a value", "is there a space behind the colon?"),
    (
        "mapping values are not allowed",
        "a colon where no key can be",
        "look at this line and the one above: is it indented like its neighbours, and does each key have its colon? A value with `: ` in it has to be quoted",
    ),
    (
        "did not find expected key",
        "the indentation fits no line above",
        "keys of one mapping start in one column",
    ),
    ("quoted scalar", "a quote is not closed", "look at the lines above for a quote without its partner"),
];

/// A parser's error at a place.
pub(super) fn explain(file: &Arc<SourceText>, words: &str, place: Option<Span>) -> Diagnostic {
    let words = words.split(" at line ").next().unwrap_or(words);
    let line = place.as_ref().and_then(|span| line_at(file, span.line())).unwrap_or_default();
    let (message, help) = if let Some(rest) = words.strip_prefix("duplicate mapping key: ") {
        let key = rest.split(',').next().unwrap_or(rest);
        (format!("the key `{key}` is there twice"), "remove one of the two")
    } else if let Some((_, meaning, help)) = MEANINGS.iter().find(|(known, ..)| words.contains(known)) {
        (format!("the file is not valid YAML: {meaning}"), *help)
    } else if words.contains("flow") || words.contains("illegal placement") {
        (
            "the file is not valid YAML: a bracket or brace is not closed, or a comma is missing".to_owned(),
            "look at the lines above as well",
        )
    } else {
        (format!("the file is not valid YAML: {words}"), "")
    };
    let braces = line.contains("${") && line.split("${").next().is_some_and(|before| before.contains('{'));
    let help = if braces { "within braces, a value with `${…}` has to be quoted" } else { help };
    let diagnostic = Diagnostic::new(Code::Syntax, message).help_if((!help.is_empty()).then_some(help));
    // The parser notices a tab once it is past the line before.
    let place = if words.contains("found a tab") { tab(file, place.as_ref()).or(place) } else { place };
    match place {
        Some(span) => diagnostic.at(&span),
        None => diagnostic,
    }
}

fn line_at(file: &SourceText, line: usize) -> Option<&str> {
    file.text.lines().nth(line.checked_sub(1)?)
}

/// The first tab from a place on that indents a line.
fn tab(file: &Arc<SourceText>, from: Option<&Span>) -> Option<Span> {
    let mut start = 0;
    let first = from.map_or(1, Span::line);
    for (number, line) in file.text.split_inclusive('\n').enumerate() {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if number + 1 >= first
            && let Some(tab) = line.get(..indent).and_then(|indent| indent.find('\t'))
        {
            return Some(Span::new(file, start + tab..start + tab + 1));
        }
        start += line.len();
    }
    None
}

/// A file that is no UTF-8.
pub(super) fn not_text(name: &str, bytes: &[u8], place: usize) -> Diagnostic {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let (message, help) = if utf16 {
        ("the file is UTF-16", "save it as UTF-8")
    } else {
        (
            "the file is not UTF-8 text",
            "save it as UTF-8; editors call what it may be Latin-1, ISO 8859-1 or Windows-1252",
        )
    };
    // What is no text is not shown.
    let text = if utf16 { String::new() } else { String::from_utf8_lossy(bytes).into_owned() };
    let file = Arc::new(SourceText { name: name.to_owned(), text });
    Diagnostic::new(Code::Syntax, message).at(&Span::new(&file, place..place + 1)).help(help)
}
