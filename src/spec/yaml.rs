//! YAML as a tree in which every node knows its place.
//!
//! `serde-saphyr` parses: anchors, merge keys, duplicate keys and limits against hostile input
//! are its business. The schema is what Compose's YAML library makes of a plain scalar: `yes`
//! and `on` are strings, `0755` is an octal number, `1_000` is a thousand.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::NonFiniteFloatPolicy;
use serde_saphyr::{Location, Spanned};

use super::syntax::explain;
use crate::diagnostic::{Diagnostic, SourceText, Span};

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    /// Where the value is written; for an alias or a merge, where it was defined.
    pub(super) span: Span,
    /// What Compose is to do with a value that it joins with another one.
    pub(super) joining: Joining,
}

/// How a value is joined with the one that it extends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Joining {
    /// By its kind.
    #[default]
    Usual,
    /// `!override`: it replaces the other one.
    Override,
    /// `!reset`: neither remains.
    Reset,
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) span: Span,
}

/// The kinds of YAML values.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// Numbers keep the text that a person wrote: `1.10` is a version as well.
    Number {
        value: f64,
        text: String,
    },
    String(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

impl Value {
    /// What a person would call it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number { .. } => "a number",
            Self::String(_) => "a string",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

impl Node {
    /// The node itself if it is a mapping, or else one that has it under this key.
    pub(super) fn as_value_of(&self, key: &str) -> std::borrow::Cow<'_, Node> {
        if let Value::Mapping(_) = self.value {
            return std::borrow::Cow::Borrowed(self);
        }
        let key = Key { name: key.to_owned(), span: self.span.clone() };
        let value = Value::Mapping(vec![(key, self.clone())]);
        std::borrow::Cow::Owned(Self { value, span: self.span.clone(), joining: self.joining })
    }

    /// The entry of a mapping under this key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let Value::Mapping(entries) = &self.value else { return None };
        entries.iter().find(|(known, _)| known.name == key).map(|(_, node)| node)
    }
}

/// A number as Compose's YAML library reads it. Shown as Compose shows it where a text is
/// expected: `0x10` is 16, and `1.10` is 1.1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Numeral {
    Whole(i128),
    Float(f64),
}

impl Numeral {
    fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix(['+', '-']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        match unsigned {
            ".inf" | ".Inf" | ".INF" => {
                return Some(Self::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY }));
            }
            ".nan" | ".NaN" | ".NAN" if unsigned == text => return Some(Self::Float(f64::NAN)),
            _ if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') => return None,
            _ => {}
        }
        let digits = if text.starts_with('.') { unsigned.to_owned() } else { unsigned.replace('_', "") };
        whole(&digits, negative).map(Self::Whole).or_else(|| {
            let known = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
            let value: f64 = digits.chars().all(known).then(|| digits.parse().ok())??;
            value.is_finite().then_some(Self::Float(if negative { -value } else { value }))
        })
    }

    /// The text of a number as Compose shows it.
    pub(super) fn shown(text: &str) -> String {
        Self::parse(text).map_or_else(|| text.to_owned(), |numeral| numeral.to_string())
    }

    #[allow(clippy::cast_precision_loss, reason = "the value is for small counts")]
    fn value(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

/// A whole number without its sign, if it fits into 64 bits.
fn whole(digits: &str, negative: bool) -> Option<i128> {
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -value } else { value };
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(value)
}

/// Go's form, in which large and small numbers have an exponent of two digits at least.
impl fmt::Display for Numeral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = match self {
            Self::Whole(value) => return write!(f, "{value}"),
            Self::Float(value) => *value,
        };
        if value.is_nan() {
            return f.write_str("NaN");
        }
        if value.is_infinite() {
            return f.write_str(if value > 0.0 { "+Inf" } else { "-Inf" });
        }
        let scientific = format!("{value:e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        if (-4..6).contains(&exponent) {
            return write!(f, "{value}");
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(f, "{digits}e{sign}{:02}", exponent.abs())
    }
}

/// Reads a file. An empty one is an empty mapping.
pub(super) fn parse(file: &Arc<SourceText>) -> Result<Node, Diagnostic> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        legacy_octal_numbers: true,
        // What nobody reads may be `.inf`.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        // More and deeper than anybody writes, and not too deep for the stack of any thread.
        budget: serde_saphyr::budget! { max_depth: 48, max_nodes: 100_000 },
        with_snippet: false,
    };
    let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(&file.text, options).map_err(|error| {
        let words = error.without_snippet().to_string();
        explain(file, &words, error.location().map(|location| span_of(file, location)))
    })?;
    Ok(node(file, raw))
}

/// The value of a key.
fn value_node(file: &Arc<SourceText>, raw: Spanned<Raw>) -> Node {
    let mut span = span_of(file, raw.defined);
    if let (Raw::Sequence(_), (dash, "-")) = (&raw.value, word_before(&span, &['&'])) {
        // The parser passes over the first dash of a list that is not indented.
        span.range.start = dash;
    }
    node_at(file, raw, span)
}

fn node(file: &Arc<SourceText>, raw: Spanned<Raw>) -> Node {
    let span = span_of(file, raw.defined);
    node_at(file, raw, span)
}

fn node_at(file: &Arc<SourceText>, raw: Spanned<Raw>, mut span: Span) -> Node {
    let joining = joining(&span);
    let value = match raw.value {
        _ if joining == Joining::Reset => Value::Null,
        // A tag of one's own makes a text: `!override null` is one.
        Raw::Null | Raw::Bool(_) | Raw::Number if has_own_tag(&span) => {
            Value::String(file.text.get(span.range.clone()).unwrap_or_default().to_owned())
        }
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Number => {
            // `!!int "1"` is a number too.
            plain(file.text.get(span.range.clone()).unwrap_or_default().trim_matches(['"', '\'']))
        }
        // The parser takes what is tagged `!` for a string, and does not know all places where an
        // underscore may stand in a number.
        Raw::String(value) if is_plain(&span, &value) => plain(&value),
        Raw::String(value) => Value::String(value),
        // An item that is reset is as if it were not there.
        Raw::Sequence(items) => Value::Sequence(
            items
                .into_iter()
                .map(|item| node(file, item))
                .filter(|item| item.joining != Joining::Reset)
                .collect(),
        ),
        Raw::Mapping(entries) => Value::Mapping(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let key = node(file, key);
                    (Key { name: key_name(&key), span: key.span }, value_node(file, value))
                })
                .collect(),
        ),
    };
    // The parser gives collections the place of their first token; they reach to their last child.
    let last = match &value {
        Value::Sequence(items) => items.last().map(|item| item.span.range.end),
        Value::Mapping(entries) => {
            entries.last().map(|(key, value)| value.span.range.end.max(key.span.range.end))
        }
        _ => None,
    };
    span.range.end = span.range.end.max(last.unwrap_or(0));
    Node { value, span, joining }
}

/// What a plain scalar stands for.
fn plain(text: &str) -> Value {
    match (text, Numeral::parse(text)) {
        ("" | "~" | "null" | "Null" | "NULL", _) => Value::Null,
        ("true" | "True" | "TRUE", _) => Value::Bool(true),
        ("false" | "False" | "FALSE", _) => Value::Bool(false),
        (_, Some(numeral)) => Value::Number { value: numeral.value(), text: text.to_owned() },
        (_, None) => Value::String(text.to_owned()),
    }
}

/// Compose's tags stand right before the value. (The parser drops tags that it does not know.)
fn joining(span: &Span) -> Joining {
    // `!override |` has a block scalar's header between.
    match word_before(span, &['&', '|', '>']).1 {
        "!reset" => Joining::Reset,
        "!override" => Joining::Override,
        _ => Joining::Usual,
    }
}

/// Whether a scalar has neither quotes nor a tag that says more than `!`, and is no block.
fn is_plain(span: &Span, value: &str) -> bool {
    let (_, before) = word_before(span, &['&']);
    span.file.text.get(span.range.clone()) == Some(value)
        && (before == "!" || !before.starts_with(['!', '|', '>']))
}

/// Whether a value has a tag that is none of YAML's.
fn has_own_tag(span: &Span) -> bool {
    let (_, before) = word_before(span, &['&']);
    before.len() > 1 && before.starts_with('!') && !before.starts_with("!!")
}

/// The last word or opening bracket before a value, and where it stands: its tag, if it has one.
/// Comments are passed over, and words that start with one of `skipped`, such as anchors.
fn word_before<'s>(span: &'s Span, skipped: &[char]) -> (usize, &'s str) {
    let (mut rest, after) = span.file.text.split_at_checked(span.range.start).unwrap_or_default();
    // A comment reaches to the end of its line, so none stands before a value on the same line.
    let mut may_be_comment = after.trim_start_matches([' ', '\r']).starts_with('\n');
    loop {
        if std::mem::take(&mut may_be_comment) {
            let line = rest.rfind('\n').map_or(0, |end| end + 1);
            let is_start = |place: usize| place == 0 || rest[line..][..place].ends_with(char::is_whitespace);
            if let Some(place) = rest[line..].find('#').filter(|place| is_start(*place)) {
                rest = &rest[..line + place];
            }
        }
        rest = rest.trim_end_matches([' ', '\t', '\r']);
        if let Some(earlier) = rest.strip_suffix('\n') {
            rest = earlier;
            may_be_comment = true;
            continue;
        }
        let word = match rest.rsplit(|c: char| c.is_whitespace() || "[{,".contains(c)).next() {
            Some("") if rest.ends_with(['[', '{', ',']) => &rest[rest.len() - 1..],
            Some("") | None => return (0, ""),
            Some(word) => word,
        };
        rest = &rest[..rest.len() - word.len()];
        if !word.starts_with(skipped) {
            return (rest.len(), word);
        }
    }
}

fn key_name(key: &Node) -> String {
    match &key.value {
        Value::String(text) | Value::Number { text, .. } => text.clone(),
        _ => key.span.file.text.get(key.span.range.clone()).unwrap_or_default().to_owned(),
    }
}

fn span_of(file: &Arc<SourceText>, location: Location) -> Span {
    let span = location.span();
    let Some(start) = span.byte_offset() else { return line_and_column(file, location) };
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let length = usize::try_from(span.byte_len().unwrap_or(0)).unwrap_or(0);
    Span::new(file, start..start.saturating_add(length))
}

/// Errors of the scanner have a line and a column, and no byte offset.
fn line_and_column(file: &Arc<SourceText>, location: Location) -> Span {
    let nth = |count: u64| usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut start = 0;
    for (index, line) in file.text.split_inclusive('\n').enumerate() {
        if index == nth(location.line()) {
            start += line.char_indices().nth(nth(location.column())).map_or(line.len(), |(offset, _)| offset);
            break;
        }
        start += line.len();
    }
    Span::new(file, start..start + 1)
}

/// What the parser gives, before places are put in.
enum Raw {
    Null,
    Bool(bool),
    Number,
    String(String),
    Sequence(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    // A number is read from its text, by Compose's rules.
    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut sequence = Vec::new();
        while let Some(item) = items.next_element()? {
            sequence.push(item);
        }
        Ok(Raw::Sequence(sequence))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Raw::Mapping(mapping))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    fn read(text: &str) -> Result<Node, Diagnostic> {
        parse(&Arc::new(SourceText { name: "x.yaml".to_owned(), text: text.to_owned() }))
    }

    #[test]
    fn anchors_and_merge_keys_keep_the_place_of_their_definition() {
        let tree = read("a: &a\n  k: 1.10\nb:\n  <<: *a\n  y: yes\n").expect("valid");
        let merged = tree.get("b").and_then(|b| b.get("k")).expect("merged");
        assert_eq!(merged.value, Value::Number { value: 1.1, text: "1.10".to_owned() });
        assert_eq!(merged.span.line(), 2);
        let yes = tree.get("b").and_then(|b| b.get("y")).expect("there");
        assert_eq!(yes.value, Value::String("yes".to_owned()));
    }

    #[test]
    fn numbers_are_those_of_compose() {
        let shown =
            |text: &str| Numeral::parse(text).map_or_else(|| "no number".to_owned(), |n| n.to_string());
        for (text, expected) in [
            ("1.10", "1.1"),
            ("0x1F", "31"),
            ("-0b11", "-3"),
            ("0o17", "15"),
            ("0755", "493"),
            ("08", "8"),
            ("1_000", "1000"),
            ("1__0_", "10"),
            ("1_0.5", "10.5"),
            ("+12", "12"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1.e5", "100000"),
            ("1e6", "1e+06"),
            ("1e-7", "1e-07"),
            ("123456789.0", "1.23456789e+08"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("-0", "0"),
            ("-0.0", "-0"),
            ("18446744073709551615", "18446744073709551615"),
            ("123456789012345678901234567890", "1.2345678901234568e+29"),
            ("-.inf", "-Inf"),
            (".NaN", "NaN"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        for text in
            ["", "+", ".", "1.2.3", "0x", "0o8", "_1", "1e400", "0x1p3", "+.nan", "1:30", "inf", "2020-01-01"]
        {
            assert_eq!(shown(text), "no number", "{text}");
        }
    }

    #[test]
    fn only_a_plain_scalar_without_a_tag_is_a_number() {
        let tree = read(
            "a: 1_\nb: '1_'\nc: |-\n  1_\ng: ! 1_\nd: !!str &x 1_\ne: [\"a #b\", !!str 1_, 1_]\nf: 1e400\n",
        )
        .expect("valid");
        let is_number = |node: &Node| matches!(node.value, Value::Number { .. });
        let kinds = ["a", "b", "c", "d", "f", "g"].map(|key| tree.get(key).is_some_and(is_number));
        assert_eq!(kinds, [true, false, false, false, false, true]);
        let Some(Node { value: Value::Sequence(items), .. }) = tree.get("e") else { unreachable!() };
        assert_eq!(items.iter().map(is_number).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn a_tag_of_ones_own_makes_a_text() {
        let tree = read("a: !override null\nb: !x 5\nc: !override true\n").expect("valid");
        let values = ["a", "b", "c"].map(|key| tree.get(key).map(|node| node.value.clone()));
        assert_eq!(values, ["null", "5", "true"].map(|text| Some(Value::String(text.to_owned()))));
    }

    #[test]
    fn what_is_reset_in_a_list_is_gone() {
        let tree = read("a: [1, !reset 2]\n").expect("valid");
        assert!(matches!(&tree.get("a").expect("there").value, Value::Sequence(items) if items.len() == 1));
    }

    #[test]
    fn a_mapping_reaches_to_its_last_child() {
        let tree = read("a:\n  b: 1\n  c: two\nd: 3\n").expect("valid");
        let a = tree.get("a").expect("there");
        assert_eq!((a.span.line(), a.span.last_line()), (2, 3));
    }

    #[test]
    fn a_comment_is_no_tag() {
        let tree =
            read("a:\n  # was !reset\n  - 1\nb: !override # why\n  - 2\nc: !reset &x 3\n").expect("valid");
        let joining = |key| tree.get(key).map(|node| node.joining);
        assert_eq!((joining("a"), joining("b")), (Some(Joining::Usual), Some(Joining::Override)));
        assert_eq!(joining("c"), Some(Joining::Reset));
        let block = read("a: !override &x |-\n  b\n").expect("valid");
        assert_eq!(block.get("a").map(|node| node.joining), Some(Joining::Override));
    }

    #[test]
    fn many_values_on_one_line_take_no_time() {
        let tree = read(&format!("a: [{}]\n", "x_y, ".repeat(40_000))).expect("valid");
        assert!(
            matches!(&tree.get("a").expect("there").value, Value::Sequence(items) if items.len() == 40_000)
        );
    }

    #[test]
    fn a_list_begins_with_its_dash() {
        for text in [
            "a: !override\n- 3\n",
            "a: &x !override # why\n\n- # not-this\n  3\n",
            "a: !override\n- - 3\n",
            "a: !override [3]\n",
        ] {
            let tree = read(text).expect("valid");
            let list = tree.get("a").expect("there");
            assert_eq!(list.joining, Joining::Override, "{text}");
            assert!(text[list.span.range.start..].starts_with(['-', '[']), "{text}");
            let Value::Sequence(items) = &list.value else { unreachable!() };
            assert_eq!(items[0].joining, Joining::Usual, "{text}");
        }
    }

    #[test]
    fn no_depth_overflows_the_stack() {
        for (open, close) in [("{a: ", "}"), ("[", "]"), ("[{a: ", "}]"), ("{? [", "]}")] {
            let text = format!("x: {}{}", open.repeat(5000), close.repeat(5000));
            assert_eq!(read(&text).expect_err("too deep").code, Code::Syntax);
        }
    }

    #[test]
    fn broken_files_have_a_place() {
        for (text, line) in [("a: [1,\nb: 2\n", 1), ("a: 1\na: 2\n", 2), ("a: *x\n", 1), ("a:\n\t- b\n", 2)] {
            let error = read(text).expect_err(text);
            assert_eq!(error.code, Code::Syntax);
            assert_eq!(error.span.map(|span| span.line()), Some(line), "{text}");
        }
    }
}
