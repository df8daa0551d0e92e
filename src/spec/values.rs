//! Small values with a syntax of their own: durations, byte sizes, ports, commands, and lists
//! that Compose also lets people write as mappings.

use std::fmt;
use std::time::Duration;

use serde_json::Value as Json;

use super::reader::{FromNode, Reader};
use super::schema::{self, Definitions};
use super::yaml::{Joining, Node, Numeral, Value};
use crate::diagnostic::Span;

// --- durations and sizes ------------------------------------------------------------------

/// Reads Go's duration form as Compose takes it: `1m30s`, `500ms`, `1.5h`, days (`d`) and weeks
/// (`w`) included; `0` alone needs no unit.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number = &rest[..digits];
        rest = &rest[digits..];
        let length = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit: u64 = match &rest[..length] {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => NANOSECONDS,
            "m" => 60 * NANOSECONDS,
            "h" => 3600 * NANOSECONDS,
            "d" => 86_400 * NANOSECONDS,
            "w" => 604_800 * NANOSECONDS,
            _ => return None,
        };
        total = total.checked_add(nanoseconds(number, unit)?)?;
        rest = &rest[length..];
    }
    // What Go can hold.
    (!text.is_empty() && i64::try_from(total).is_ok()).then_some(Duration::from_nanos(total))
}

const NANOSECONDS: u64 = 1_000_000_000;

/// A decimal number of units, rounded as Go does it: the fraction as a float, of which what is
/// less than a nanosecond is cut off.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the fraction is less than one unit"
)]
fn nanoseconds(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let (mut digits, mut scale) = (0_u64, 1.0);
    for digit in fraction.bytes().map(|digit| u64::from(digit - b'0')) {
        // Go stops at what 63 bits hold.
        let Ok(_) = i64::try_from(digits.saturating_mul(10).saturating_add(digit)) else { break };
        digits = digits * 10 + digit;
        scale *= 10.0;
    }
    whole.checked_mul(unit)?.checked_add((digits as f64 * (unit as f64 / scale)) as u64)
}

impl FromNode for Duration {
    fn schema(_: &mut Definitions) -> Json {
        schema::pattern("^([0-9.]+(ns|us|µs|ms|s|m|h|d|w))+$|^0$")
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.scalar(node, "a duration such as `30s`")?;
        let duration = parse_duration(&text);
        if duration.is_none() {
            reader.bad_value(
                &node.span,
                format!("`{text}` is no duration"),
                Some("write it like `30s`, `1m30s` or `500ms`"),
            );
        }
        duration
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// Reads Compose's sizes: `b`, `k`, `m`, `g` with an optional `b` or `ib`, in powers of 1024.
pub fn parse_bytes(text: &str) -> Option<Bytes> {
    let text = text.trim().to_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = text[digits..].trim();
    let unit = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(unit);
    let factor = match unit {
        "" => 1.0,
        "k" => 1024.0,
        "m" => 1024.0 * 1024.0,
        "g" => 1024.0 * 1024.0 * 1024.0,
        "t" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes are positive and far below 2^53"
    )]
    Some(Bytes((number * factor) as u64))
}

impl FromNode for Bytes {
    fn schema(_: &mut Definitions) -> Json {
        schema::pattern("^ *[0-9.]+ *([bB]|[kKmMgGtT]([iI]?[bB])?)?$")
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.scalar(node, "a size such as `150MB`")?;
        let bytes = parse_bytes(&text);
        if bytes.is_none() {
            reader.bad_value(
                &node.span,
                format!("`{text}` is no size"),
                Some("write it like `150MB` or `1g` (powers of 1024)"),
            );
        }
        bytes
    }
}

// --- commands -----------------------------------------------------------------------------

/// A command as Compose takes it: a list of words, or one text that is split into words like a
/// shell would, without running one.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    /// The words; none means "none at all", which is not the same as not saying anything.
    pub words: Vec<String>,
    /// Its place.
    pub span: Span,
}

/// Splits a text into words as Compose does: quotes and backslashes as in a shell, and no
/// comments. What only a shell understands is refused; Compose would drop all that follows.
#[allow(clippy::match_same_arms, reason = "the order of the arms decides")]
pub(super) fn split_words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(character),
            (_, '\\') => match characters.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("the command ends with a backslash".to_owned()),
            },
            (Some(_), _) => word.get_or_insert_default().push(character),
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t' | '\r' | '\n') => words.extend(word.take()),
            (None, ';' | '|' | '&' | '<' | '>' | '(' | ')' | '`') => {
                return Err(format!("`{character}` in the command is for a shell"));
            }
            (None, _) => word.get_or_insert_default().push(character),
        }
    }
    if quote.is_some() {
        return Err("the command has a quote that is not closed".to_owned());
    }
    words.extend(word);
    Ok(words)
}

impl FromNode for Words {
    fn schema(definitions: &mut Definitions) -> Json {
        schema::any([schema::text(), schema::list(&String::schema(definitions))])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let words = if let Value::Sequence(_) = node.value {
            Vec::from_node(node, reader)?
        } else {
            let text = reader.scalar(node, "a command: a text or a list of words")?;
            match split_words(&text) {
                Ok(words) => words,
                Err(why) => {
                    let help = "no shell runs this; if you want one, write `[sh, -c, \"…\"]`";
                    reader.bad_value(&node.span, why, Some(help));
                    return None;
                }
            }
        };
        Some(Self { words, span: node.span.clone() })
    }
}

/// A command for a build step: a text for `/bin/sh -c`, or a list of words run as they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What runs.
    pub line: CommandLine,
    /// Its place.
    pub span: Span,
}

/// See [`Command`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandLine {
    /// For `/bin/sh -c`.
    Shell(String),
    /// The program and its arguments.
    Exec(Vec<String>),
}

impl CommandLine {
    /// The words that are executed.
    pub fn args(&self) -> Vec<String> {
        match self {
            Self::Shell(text) => vec!["/bin/sh".to_owned(), "-c".to_owned(), text.clone()],
            Self::Exec(words) => words.clone(),
        }
    }
}

/// As a person would type it.
impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell(text) => f.write_str(text),
            Self::Exec(words) => f.write_str(
                &shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" ")),
            ),
        }
    }
}

impl FromNode for Command {
    fn schema(definitions: &mut Definitions) -> Json {
        schema::any([schema::text(), schema::list(&String::schema(definitions))])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let line = if let Value::Sequence(_) = node.value {
            CommandLine::Exec(Vec::from_node(node, reader)?)
        } else {
            CommandLine::Shell(reader.scalar(node, "a command: a text or a list of words")?.trim().to_owned())
        };
        if matches!(&line, CommandLine::Shell(text) if text.is_empty()) || line == CommandLine::Exec(vec![]) {
            reader.bad_value(&node.span, "the command is empty", None);
            return None;
        }
        Some(Self { line, span: node.span.clone() })
    }
}

// --- lists and mappings -------------------------------------------------------------------

/// One text, or a list of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OneOrMany(pub Vec<super::Located<String>>);

impl FromNode for OneOrMany {
    fn schema(definitions: &mut Definitions) -> Json {
        schema::any([schema::text(), schema::list(&String::schema(definitions))])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if let Value::Sequence(_) = node.value {
            return Vec::from_node(node, reader).map(Self);
        }
        super::Located::from_node(node, reader).map(|one| Self(vec![one]))
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// Names with values, as a mapping or as a list of `NAME=value`, in the order of the file; and their
/// place, if they are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs(pub Vec<(String, Option<String>)>, pub Option<Span>);

impl Pairs {
    /// Those that have a value.
    pub fn with_values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_deref()?)))
    }
}

impl FromNode for Pairs {
    fn schema(definitions: &mut Definitions) -> Json {
        let mapping = serde_json::json!({
            "type": "object",
            "additionalProperties": { "type": ["string", "number", "boolean", "null"] },
        });
        schema::any([mapping, schema::list(&String::schema(definitions))])
    }

    fn from_node(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Self::read(node, reader, |reader, value| reader.scalar(value, "a text"))
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl Pairs {
    /// Reads them, each value of a mapping with `text`.
    pub(super) fn read(
        node: &Node,
        reader: &mut Reader<'_>,
        text: impl Fn(&mut Reader<'_>, &Node) -> Option<String>,
    ) -> Option<Self> {
        let pairs: Vec<Option<_>> = match &node.value {
            Value::Mapping(entries) => entries
                .iter()
                .filter(|(_, value)| value.joining != Joining::Reset)
                .map(|(key, value)| match &value.value {
                    Value::Null => Some((key.name.clone(), None)),
                    _ => Some((key.name.clone(), Some(text(reader, value)?))),
                })
                .collect(),
            Value::Sequence(items) => items
                .iter()
                .map(|item| {
                    let text = reader.scalar(item, "`NAME=value`")?;
                    Some(match text.split_once('=') {
                        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                        None => (text, None),
                    })
                })
                .collect(),
            _ => {
                reader.wrong_type(node, "a mapping, or a list of `NAME=value`");
                return None;
            }
        };
        pairs.into_iter().collect::<Option<_>>().map(|pairs| Self(pairs, Some(node.span.clone())))
    }
}

/// A scalar as Compose turns it into a text: a number in Go's form, whatever form it is written in.
pub(super) fn shown(reader: &mut Reader<'_>, node: &Node, expected: &str) -> Option<String> {
    if let Value::Number { text, .. } = &node.value {
        return Some(Numeral::shown(text));
    }
    reader.scalar(node, expected)
}

// --- ports --------------------------------------------------------------------------------

/// A port that a container listens on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Port {
    /// The number.
    pub number: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// As an image configuration writes it: `8080/tcp`.
impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol)
    }
}

/// The ports of one entry of `expose`: `8080`, `8080/udp` or `8000-8010`.
pub fn parse_expose(text: &str) -> Option<Vec<Port>> {
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = if protocol.is_empty() { "tcp".to_owned() } else { protocol.to_lowercase() };
    if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
        return None;
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
    if first > last || first == 0 {
        return None;
    }
    Some((first..=last).map(|number| Port { number, protocol: protocol.clone() }).collect())
}

/// The container's side of one entry of `ports`: `[[ip:]host:]container[/protocol]`.
pub fn parse_published(text: &str) -> Option<Vec<Port>> {
    // What stands behind the last colon; an IPv6 address has its colons in brackets.
    let container = text.rsplit(':').next()?;
    parse_expose(container)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("30s", 30.0),
            ("1m30s", 90.0),
            ("500ms", 0.5),
            ("1.5h", 5400.0),
            ("1d", 86_400.0),
            ("0", 0.0),
            ("+.5s", 0.5),
            ("1.s", 1.0),
            ("+0", 0.0),
            ("2w", 1_209_600.0),
        ] {
            assert_eq!(parse_duration(text).map(|d| d.as_secs_f64()), Some(seconds), "{text}");
        }
        assert_eq!(parse_duration("1.0000000019s"), Some(Duration::from_nanos(1_000_000_001)));
        let nines = format!("1.{}s", "9".repeat(400));
        assert_eq!(parse_duration(&nines), Some(Duration::from_secs(2)));
        assert_eq!(parse_duration("1µs1μs"), Some(Duration::from_micros(2)));
        for text in ["", "+", "30", "s", ".s", "1.2.3s", "1x", "-1s", "1m-1s", "1e9999w", "99999w", "00"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("150MB", 150 << 20), ("1k", 1024), ("2GiB", 2 << 30), ("10", 10), ("1.5m", 3 << 19), ("7b", 7)]
        {
            assert_eq!(parse_bytes(text), Some(Bytes(bytes)), "{text}");
        }
        for text in ["", "MB", "1x", "-1m"] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
    }

    #[test]
    fn words() {
        let split = |text| split_words(text).unwrap_or_else(|why| vec![why]);
        assert_eq!(split("run --color #fff"), ["run", "--color", "#fff"]);
        assert_eq!(
            split("a\tb  '' \"\" c\\ d 'e\\f' \"g\\\"h\" x'y'z"),
            ["a", "b", "", "", "c d", "e\\f", "g\"h", "xyz"]
        );
        assert_eq!(split("a 'b | c' d\\;e"), ["a", "b | c", "d;e"]);
        for text in ["a | b", "a;b", "a && b", "a > b", "a `b`", "a $(b)", "a 'b", "a\\"] {
            assert!(split_words(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ports() {
        let text = |ports: Option<Vec<Port>>| {
            ports.map(|ports| ports.iter().map(Port::to_string).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(text(parse_expose("8080")).as_deref(), Some("8080/tcp"));
        assert_eq!(text(parse_expose("3000-3002/udp")).as_deref(), Some("3000/udp 3001/udp 3002/udp"));
        assert_eq!(text(parse_published("127.0.0.1:80:8080")).as_deref(), Some("8080/tcp"));
        assert_eq!(text(parse_published("[::1]:80:8080/udp")).as_deref(), Some("8080/udp"));
        assert_eq!(text(parse_published("9090")).as_deref(), Some("9090/tcp"));
        assert_eq!(text(parse_published("53:53/UDP")).as_deref(), Some("53/udp"));
        assert_eq!(text(parse_published("53/")).as_deref(), Some("53/tcp"));
        for wrong in ["", "x", "0", "70000", "2-1", "80/http"] {
            assert_eq!(parse_expose(wrong), None, "{wrong}");
        }
    }
}
