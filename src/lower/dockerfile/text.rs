//! Words and lines as a Dockerfile has them.

/// A Dockerfile's text in the making.
#[derive(Default)]
pub(super) struct Text(pub(super) String);

impl Text {
    pub(super) fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    pub(super) fn comment(&mut self, text: &str) {
        self.line(&format!("# {text}"));
    }
}

/// A value in double quotes, in which nothing is replaced.
pub(super) fn quoted(value: &str) -> String {
    let mut result = "\"".to_owned();
    for character in value.chars() {
        if matches!(character, '"' | '\\' | '$') {
            result.push('\\');
        }
        result.push(character);
    }
    result + "\""
}

/// Words as a JSON list, which no shell reads.
pub(super) fn words<'w>(words: impl IntoIterator<Item = &'w String>) -> String {
    let list: Vec<String> =
        words.into_iter().map(|word| serde_json::to_string(word).unwrap_or_default()).collect();
    format!("[{}]", list.join(", "))
}

/// A word that a shell takes as it is.
pub(super) fn shell(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_replaced() {
        assert_eq!(quoted(r#"a"b\c$D"#), r#""a\"b\\c\$D""#);
        assert_eq!(words(&["a b".to_owned(), "\"".to_owned()]), r#"["a b", "\""]"#);
        assert_eq!(shell("it's"), "\"it's\"");
    }
}
