//! YAML as text, in the form that a person would write: block style, order kept, quotes only where they
//! are needed. (Compose files hold numbers in the digits that were written, such as `0440`, which a general
//! serializer has no type for.)

use crate::spec::document::Written;

/// The text of a document.
pub(super) fn text(value: &Written) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

fn block(value: &Written, depth: usize, text: &mut String) {
    match value {
        Written::Map(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                indent(depth, text);
                text.push_str(&scalar(key));
                text.push(':');
                after_key(value, depth, text);
            }
        }
        Written::List(items) if !items.is_empty() => {
            for item in items {
                indent(depth, text);
                text.push('-');
                match item {
                    // The first entry stands on the dash's line.
                    Written::Map(entries) if !entries.is_empty() => {
                        let mut nested = String::new();
                        block(item, depth + 1, &mut nested);
                        text.push(' ');
                        text.push_str(nested.trim_start());
                    }
                    _ => after_key(item, depth, text),
                }
            }
        }
        _ => {
            indent(depth, text);
            text.push_str(&inline(value));
            text.push('\n');
        }
    }
}

fn after_key(value: &Written, depth: usize, text: &mut String) {
    match value {
        Written::Map(entries) if !entries.is_empty() => {
            text.push('\n');
            block(value, depth + 1, text);
        }
        Written::List(items) if !items.is_empty() => {
            text.push('\n');
            block(value, depth + 1, text);
        }
        Written::Text(lines) if is_literal(lines) => {
            text.push_str(if lines.ends_with('\n') { " |\n" } else { " |-\n" });
            for line in lines.lines() {
                if !line.is_empty() {
                    indent(depth + 1, text);
                }
                text.push_str(line);
                text.push('\n');
            }
        }
        Written::Null => text.push('\n'),
        _ => {
            text.push(' ');
            text.push_str(&inline(value));
            text.push('\n');
        }
    }
}

fn indent(depth: usize, text: &mut String) {
    text.push_str(&"  ".repeat(depth));
}

fn inline(value: &Written) -> String {
    match value {
        Written::Null => "null".to_owned(),
        Written::Bool(value) => value.to_string(),
        Written::Number(digits) => digits.clone(),
        Written::Text(text) => scalar(text),
        Written::List(_) => "[]".to_owned(),
        Written::Map(_) => "{}".to_owned(),
    }
}

/// Whether a text can stand as lines of its own.
fn is_literal(text: &str) -> bool {
    let inner = text.strip_suffix('\n').unwrap_or(text);
    inner.contains('\n')
        && !inner.ends_with('\n')
        && !inner.starts_with([' ', '\n'])
        && text.chars().all(|c| c == '\n' || !c.is_control() && !is_special(c))
        && !text.lines().any(|line| line.ends_with(' '))
}

/// A text as a scalar: plain, or in double quotes.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    // What JSON escapes YAML escapes likewise; it also wants these escaped.
    let quoted = serde_json::Value::from(text).to_string();
    quoted
        .chars()
        .map(|c| if is_special(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() })
        .collect()
}

/// Whether a plain scalar is this text, to every reader of YAML 1.1 and 1.2.
fn is_plain(text: &str) -> bool {
    let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "~"];
    let first = text.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || "/_.$".contains(c) || is_amount(text))
        && !text.ends_with([' ', ':'])
        && !words.contains(&text.to_lowercase().as_str())
        && !text.contains(": ")
        && !text.contains(" #")
        // `.5`, `.inf`
        && !(text.starts_with('.') && !text.starts_with("./") && !text.starts_with("../"))
        && text.chars().all(|c| c == ' ' || c.is_ascii_graphic() && c != '"')
}

/// What is no printable character to YAML, or ends a line.
fn is_special(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A time or a size, such as `10s` and `512M`, which no reader takes for a number.
fn is_amount(text: &str) -> bool {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    digits.len() < text.len() && ["s", "ms", "m", "h", "k", "K", "M", "G", "Mi", "Gi"].contains(&digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars() {
        for plain in ["a", "8080x", "/x", "${A:-b}", "a:b", "node:22", "./x:/y", "a b", "it's"] {
            let expected = if plain == "8080x" { "\"8080x\"" } else { plain };
            assert_eq!(scalar(plain), expected);
        }
        for quoted in [
            "",
            "yes",
            "8080:8080",
            "1.0",
            "a: b",
            "a #b",
            "- a",
            " a",
            "null",
            ".5",
            "a\nb",
            "\"x\"",
            "key:",
        ] {
            assert!(scalar(quoted).starts_with('"'), "{quoted}");
        }
    }

    #[test]
    fn a_document() {
        let value = Written::map([
            ("image", Written::text("node:22")),
            ("mode", Written::Number("0440".to_owned())),
            ("ports", Written::texts(["8080:80"])),
            ("empty", Written::List(vec![])),
            ("none", Written::Null),
            (
                "list",
                Written::List(vec![Written::map([
                    ("a", Written::Bool(true)),
                    ("b", Written::texts(["x", "z"])),
                ])]),
            ),
            ("script", Written::text("one\ntwo\n")),
        ]);
        insta::assert_snapshot!(text(&value), @r#"
        image: node:22
        mode: 0440
        ports:
          - "8080:80"
        empty: []
        none:
        list:
          - a: true
            b:
              - x
              - z
        script: |
          one
          two
        "#);
    }
}
