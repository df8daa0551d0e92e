//! Random YAML from a seed: values that are written in any of YAML's styles.

use std::fmt::Write as _;

/// `SplitMix64`: small, and the same everywhere.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to the limit, without it.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("small")
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// One of the words that spaces separate.
    pub fn word<'w>(&mut self, words: &'w str) -> &'w str {
        let words: Vec<&str> = words.split(' ').collect();
        self.pick(&words)
    }
}

/// A value that is yet to be written.
#[derive(Clone, Debug)]
pub enum Yaml {
    /// A text in any style, even one that changes its end.
    Text(String),
    /// A text in a style that leaves it as it is.
    Exact(String),
    /// As it stands.
    Plain(String),
    /// A list.
    List(Vec<Yaml>),
    /// A mapping.
    Map(Vec<(String, Yaml)>),
    /// With an anchor or a tag before it.
    With(String, Box<Yaml>),
}

impl Yaml {
    /// See [`Yaml::Exact`].
    pub fn exact(text: &str) -> Self {
        Self::Exact(text.to_owned())
    }

    /// See [`Yaml::Plain`].
    pub fn plain(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }

    /// A mapping with these keys.
    pub fn map(entries: Vec<(&str, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The same with a word before it.
    #[must_use]
    pub fn with(self, word: &str) -> Self {
        Self::With(word.to_owned(), Box::new(self))
    }
}

/// Writes values in random styles.
pub struct Writer<'a>(pub &'a mut Random);

impl Writer<'_> {
    /// A whole file, without byte order mark and document markers.
    pub fn file(&mut self, entries: &[(String, Yaml)]) -> String {
        self.block_map(entries, 0).trim_start_matches('\n').to_owned() + "\n"
    }

    /// What follows `key:` or `-`, with the space or line break that it needs.
    fn value(&mut self, value: &Yaml, indent: usize) -> String {
        match value {
            Yaml::Text(text) => self.scalar(text, indent, false),
            Yaml::Exact(text) => self.scalar(text, indent, true),
            Yaml::Plain(text) if text.is_empty() => self.comment(),
            Yaml::Plain(text) => format!(" {text}{}", self.comment()),
            Yaml::With(word, value) => format!(" {word}{}", self.value(value, indent)),
            Yaml::List(items) if items.is_empty() || self.0.percent(35) => {
                format!(" {}{}", self.flow(value, indent), self.comment())
            }
            Yaml::Map(entries) if entries.is_empty() || entries.len() < 6 && self.0.percent(25) => {
                format!(" {}{}", self.flow(value, indent), self.comment())
            }
            Yaml::List(items) => {
                let mut text = self.comment();
                // As deep as the key itself is deep enough.
                let deeper = indent + self.0.below(3);
                for item in items {
                    let _ = write!(text, "\n{}-{}", " ".repeat(deeper), self.value(item, deeper + 1));
                }
                text
            }
            Yaml::Map(entries) => {
                let deeper = indent + 1 + self.0.below(3);
                self.comment() + &self.block_map(entries, deeper)
            }
        }
    }

    fn block_map(&mut self, entries: &[(String, Yaml)], indent: usize) -> String {
        let mut text = String::new();
        for (key, value) in entries {
            if self.0.percent(4) {
                text.push('\n');
            }
            if self.0.percent(4) {
                // Deeper, it could belong to a block scalar.
                let _ = write!(text, "\n{}# a comment: {{ ' \"", " ".repeat(self.0.below(indent + 1)));
            }
            let key = self.key(key);
            let _ = write!(text, "\n{}{key}:{}", " ".repeat(indent), self.value(value, indent));
        }
        text
    }

    fn comment(&mut self) -> String {
        if self.0.percent(6) {
            self.0.pick(&[" # why", "  #", " # 'a: \"b"]).to_owned()
        } else {
            String::new()
        }
    }

    fn key(&mut self, key: &str) -> String {
        let word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        match self.0.below(20) {
            _ if key == "<<" => key.to_owned(),
            0 => self.double(key),
            1 => single(key),
            2 if key.chars().all(word) => format!("{key} "),
            _ if key.chars().all(word) => key.to_owned(),
            _ => single(key),
        }
    }

    fn flow(&mut self, value: &Yaml, indent: usize) -> String {
        let gap = if self.0.percent(10) { format!("\n{}", " ".repeat(indent + 2)) } else { " ".to_owned() };
        let end = |random: &mut Random, empty: bool| if !empty && random.percent(10) { "," } else { "" };
        match value {
            Yaml::Text(text) | Yaml::Exact(text) => self.flow_scalar(text),
            Yaml::Plain(text) => text.clone(),
            Yaml::With(word, value) => format!("{word} {}", self.flow(value, indent)),
            Yaml::List(items) => {
                let mut item = |item: &Yaml| match item {
                    // Nothing is not allowed here.
                    Yaml::Plain(text) if text.is_empty() => "~".to_owned(),
                    item => self.flow(item, indent),
                };
                let written: Vec<String> = items.iter().map(&mut item).collect();
                format!("[{}{}]", written.join(&format!(",{gap}")), end(self.0, items.is_empty()))
            }
            Yaml::Map(entries) => {
                let written: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{}: {}", self.key(key), self.flow(value, indent)))
                    .collect();
                let end = end(self.0, entries.is_empty());
                format!("{{{gap}{}{end} }}", written.join(&format!(",{gap}")))
            }
        }
    }

    fn flow_scalar(&mut self, text: &str) -> String {
        match self.0.below(3) {
            1 if is_simple(text) => single(text),
            2 if is_plain(text) && !text.contains([',', '[', ']', '{', '}', '?', ':']) => text.to_owned(),
            _ => self.double(text),
        }
    }

    /// A scalar in a block, in any style. What is exact keeps its end.
    fn scalar(&mut self, text: &str, indent: usize, exact: bool) -> String {
        let comment = self.comment();
        // A line break within a text of several words, which YAML folds away.
        let fold = format!("\n{}", " ".repeat(indent + 3));
        let foldable = text.trim() == text && text.contains(' ') && !text.contains("  ");
        match self.0.below(10) {
            0..2 => format!(" {}{comment}", self.double(text)),
            2..4 if is_simple(text) => format!(" {}{comment}", single(text)),
            4..6 if is_block(text) => {
                let chomping = if exact { "-" } else { self.0.pick(&["", "-", "+"]) };
                let style = self.0.pick(&["|", "|", ">"]);
                let pad = " ".repeat(indent + 3 + self.0.below(4));
                let line = |line: &str| {
                    if line.is_empty() { "\n".to_owned() } else { format!("\n{pad}{line}") }
                };
                let lines: String = text.lines().map(line).collect();
                let more = if exact { "" } else { self.0.pick(&["", "", "\n", "\n\n"]) };
                format!(" {style}{chomping}{comment}{lines}{more}")
            }
            6 if is_plain(text) && foldable => format!(" {}", text.replacen(' ', &fold, 1)),
            7 if is_simple(text) && foldable => format!(" {}", single(text).replacen(' ', &fold, 1)),
            _ if is_plain(text) => format!(" {text}{comment}"),
            _ => format!(" {}", self.double(text)),
        }
    }

    /// In double quotes, with escapes where there need be none.
    fn double(&mut self, text: &str) -> String {
        let mut result = "\"".to_owned();
        for character in text.chars() {
            let code = u32::from(character);
            let _ = match character {
                '"' => write!(result, "\\\""),
                '\\' => write!(result, "\\\\"),
                '\n' => write!(result, "\\n"),
                '\t' if self.0.percent(50) => write!(result, "\\t"),
                '\u{a0}' if self.0.percent(50) => write!(result, "\\_"),
                '\u{7f}' => write!(result, "\\x7f"),
                _ if self.0.percent(95) => write!(result, "{character}"),
                _ if code < 0x100 && self.0.percent(50) => write!(result, "\\x{code:02x}"),
                _ if code < 0x1_0000 => write!(result, "\\u{code:04X}"),
                _ => write!(result, "\\U{code:08x}"),
            };
        }
        result + "\""
    }
}

fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether single quotes can hold it.
fn is_simple(text: &str) -> bool {
    !text.contains(['\n', '\u{7f}'])
}

/// Whether a block scalar can hold it.
fn is_block(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    !text.is_empty() && !text.contains('\u{7f}') && !first.is_empty() && !first.starts_with([' ', '\t'])
}

/// Whether it can stand without quotes and still is a text.
fn is_plain(text: &str) -> bool {
    let other = ["---", "...", "<<", "=", "null", "Null", "~", "true", "False"];
    !text.is_empty()
        && text.trim() == text
        && !text.contains(['\n', '\t', '\u{7f}'])
        && !text.starts_with(|c: char| c.is_ascii_digit() || "-?:,[]{}#&*!|>'\"%@`+.".contains(c))
        && ![": ", " #"].iter().any(|inside| text.contains(inside))
        && !text.ends_with(':')
        && !other.contains(&text)
}
