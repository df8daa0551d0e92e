//! `.dockerignore`: its patterns, and what they keep out, as the engine's client matches them: `*`
//! and `?` within a name, `**` across folders, `!` takes back, the last pattern that fits decides,
//! and what lies below a folder that is out is out.

use crate::paths::{parts, rooted};

/// The patterns of an ignore file, by the rules that Docker has for it.
pub(crate) fn patterns(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (not, pattern) = match line.strip_prefix('!') {
                Some(pattern) => ("!", pattern.trim()),
                None => ("", line),
            };
            let parts = if pattern.starts_with('/') { rooted(pattern) } else { parts("", pattern) };
            let cleaned = if parts.is_empty() { ".".to_owned() } else { parts.join("/") };
            format!("{not}{cleaned}")
        })
        .collect()
}

/// Whether patterns keep a path of the build context out.
pub(crate) fn is_ignored(path: &str, patterns: &[String]) -> bool {
    let mut ignored = false;
    for pattern in patterns {
        let (keeps, pattern) = match pattern.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, pattern.as_str()),
        };
        // A pattern also speaks of everything below what it fits. (Only what is below a folder fits
        // `folder/**`, not the folder.)
        if fits(pattern.as_bytes(), path.as_bytes()) {
            ignored = !keeps;
        }
    }
    ignored
}

/// Whether a pattern fits a path, or a folder above it: `*` and `?` stay within a name, `**` does not, `**/` may be
/// nothing, `[a-z]` is a class and `\` takes the next letter as it is.
///
/// Works through the path once, with the set of places in the pattern that may come next, so no
/// pattern takes long.
fn fits(pattern: &[u8], path: &[u8]) -> bool {
    let mut places = std::collections::BTreeSet::from([0]);
    close(pattern, &mut places);
    for letter in path {
        if *letter == b'/' && places.contains(&pattern.len()) {
            return true;
        }
        let mut next = std::collections::BTreeSet::new();
        for place in places {
            let rest = pattern.get(place..).unwrap_or_default();
            match rest {
                [b'*', b'*', ..] => {
                    next.insert(place);
                }
                [b'*', ..] if *letter != b'/' => {
                    next.insert(place);
                }
                [b'?', ..] if *letter != b'/' => {
                    next.insert(place + 1);
                }
                [b'[', ..] => {
                    if let Some((true, length)) = class(rest, *letter) {
                        next.insert(place + length);
                    }
                }
                [b'\\', same, ..] if same == letter => {
                    next.insert(place + 2);
                }
                [same, ..] if same == letter && !b"*?[\\".contains(same) => {
                    next.insert(place + 1);
                }
                _ => {}
            }
        }
        close(pattern, &mut next);
        places = next;
    }
    places.contains(&pattern.len())
}

/// Adds the places that can be reached without a letter.
fn close(pattern: &[u8], places: &mut std::collections::BTreeSet<usize>) {
    let mut waiting: Vec<usize> = places.iter().copied().collect();
    while let Some(place) = waiting.pop() {
        let next = match pattern.get(place..).unwrap_or_default() {
            [b'*', b'*', b'/', ..] => [Some(place + 2), Some(place + 3)],
            [b'*', b'*', ..] => [Some(place + 2), None],
            [b'*', ..] => [Some(place + 1), None],
            _ => [None, None],
        };
        waiting.extend(next.into_iter().flatten().filter(|next| places.insert(*next)));
    }
}

/// Whether a letter is in the class that a pattern starts with, and the length of the class; none if
/// it is not closed.
fn class(pattern: &[u8], letter: u8) -> Option<(bool, usize)> {
    let mut place = 1;
    let negated = pattern.get(place) == Some(&b'^');
    place += usize::from(negated);
    let start = place;
    let mut found = false;
    loop {
        match pattern.get(place)? {
            b']' if place > start => return Some((found != negated && letter != b'/', place + 1)),
            _ => {
                let low = *pattern.get(place)?;
                let range = pattern.get(place + 1) == Some(&b'-') && pattern.get(place + 2) != Some(&b']');
                let high = if range { *pattern.get(place + 2)? } else { low };
                found |= (low..=high).contains(&letter);
                place += if range { 3 } else { 1 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignore_files() {
        let patterns =
            patterns(b"\xef\xbb\xbf# comment\n\n /node_modules/ \n**/*.log\n! keep.log \n./a/../b\n/\n");
        assert_eq!(patterns, ["node_modules", "**/*.log", "!keep.log", "b", "."]);
    }

    #[test]
    fn matching() {
        let ignored = |path: &str, patterns: &[&str]| {
            is_ignored(path, &patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>())
        };
        assert!(ignored("a/b/c", &["a"]));
        assert!(ignored("x/node_modules/y", &["**/node_modules"]));
        assert!(ignored("node_modules", &["**/node_modules"]));
        assert!(ignored("a.log", &["*.log"]) && !ignored("b/a.log", &["*.log"]));
        assert!(ignored("b/a.log", &["**/*.log"]) && ignored("ab.log", &["a?.log"]));
        assert!(!ignored("keep.log", &["*.log", "!keep.log"]) && ignored("keep.log", &["!keep.log", "*"]));
        assert!(!ignored("ab", &["a"]));
        assert!(ignored("x1", &["[xy]1"]) && ignored("b", &["[^a]"]) && !ignored("a", &["[^a]"]));
        assert!(ignored("a/s.key", &["**.key"]) && ignored("a/s.key", &["a/**"]) && !ignored("a", &["a/**"]));
        assert!(ignored("a*b", &["a\\*b"]) && !ignored("axb", &["a\\*b"]) && !ignored("x", &["[x"]));
        assert!(ignored("docs/x.md", &["**/*.md"]) && ignored("x.md", &["**/*.md"]));
    }

    /// Patterns come from outside; none may take long.
    #[test]
    fn no_pattern_takes_long() {
        let pattern = format!("{}b", "*a".repeat(100));
        assert!(!is_ignored(&"a".repeat(1000), &[pattern]));
        assert!(!is_ignored(&"a/".repeat(500), &[format!("{}b", "**/a/".repeat(100))]));
    }
}
