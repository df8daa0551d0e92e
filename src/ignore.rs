//! `.dockerignore`: its patterns, and what they keep out, as the engine's client matches them: `*`
//! and `?` within a name, `**` across folders, `!` takes back, the last pattern that fits decides,
//! and what lies below a folder that is out is out.

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
            let absolute = pattern.starts_with('/');
            let mut parts: Vec<&str> = Vec::new();
            for part in pattern.split('/') {
                match part {
                    "" | "." => {}
                    ".." if parts.last().is_some_and(|last| *last != "..") => {
                        parts.pop();
                    }
                    ".." if absolute => {}
                    part => parts.push(part),
                }
            }
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
        let names: Vec<&str> = path.split('/').collect();
        let parts: Vec<&str> = pattern.split('/').collect();
        // A pattern also speaks of everything below what it fits.
        if (1..=names.len()).any(|length| fits(&parts, names.get(..length).unwrap_or_default())) {
            ignored = !keeps;
        }
    }
    ignored
}

fn fits(parts: &[&str], names: &[&str]) -> bool {
    match (parts.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            (0..=names.len()).any(|skip| fits(rest, names.get(skip..).unwrap_or_default()))
        }
        (Some((part, parts)), Some((name, names))) => {
            fits_name(part.as_bytes(), name.as_bytes()) && fits(parts, names)
        }
        _ => false,
    }
}

fn fits_name(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            (0..=name.len()).any(|skip| fits_name(rest, name.get(skip..).unwrap_or_default()))
        }
        (Some((b'?', rest)), Some((_, name))) => fits_name(rest, name),
        (Some((letter, rest)), Some((same, name))) => letter == same && fits_name(rest, name),
        _ => false,
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
    }
}
