//! `${NAME}` and `${NAME:-default}` in a text, from the environment at run time.

/// Which variables are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// One that is not set becomes its default, or nothing.
    Empty,
    /// One that is not set stays as it is written: `$host` and `${uri}` are nginx's.
    Keep,
}

/// The text with its variables replaced. `$NAME` without braces is left alone.
pub fn expand(text: &str, unknown: Unknown, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        result.push_str(before);
        let Some(end) = from.find('}') else {
            rest = from;
            break;
        };
        let (whole, after) = from.split_at(end + 1);
        let inner = &whole[2..end];
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        let set = lookup(name).filter(|value| default.is_none() || !value.is_empty());
        match (set, default, unknown) {
            _ if !is_name(name) => result.push_str(whole),
            (Some(value), _, _) => result.push_str(&value),
            (None, Some(default), _) => result.push_str(default),
            (None, None, Unknown::Keep) => result.push_str(whole),
            (None, None, Unknown::Empty) => {}
        }
        rest = after;
    }
    result.push_str(rest);
    result
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables() {
        let lookup = |name: &str| match name {
            "PORT" => Some("4000".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, empty, keep) in [
            ("http://x:${PORT:-3000}/", "http://x:4000/", "http://x:4000/"),
            ("${ABSENT:-3000}${EMPTY:-1}", "30001", "30001"),
            ("a${ABSENT}b${EMPTY}c", "abc", "a${ABSENT}bc"),
            ("$PORT ${uri ${PORT", "$PORT ${uri ${PORT", "$PORT ${uri ${PORT"),
            ("${not a name}", "${not a name}", "${not a name}"),
        ] {
            assert_eq!(expand(text, Unknown::Empty, &lookup), empty, "{text}");
            assert_eq!(expand(text, Unknown::Keep, &lookup), keep, "{text}");
        }
    }
}
