//! Edits that mend what a diagnostic found, for programs: editors, and `check --fix`.

use std::collections::BTreeMap;

use super::Span;

/// A piece of a file, and what should stand there instead.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// What the edit does, as an imperative: "add `target`".
    pub title: String,
    /// What is replaced; empty to insert.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

impl Fix {
    /// Replaces what the span covers.
    pub fn replace(title: impl Into<String>, span: &Span, text: impl Into<String>) -> Self {
        Self { title: title.into(), span: span.clone(), text: text.into() }
    }

    /// Inserts before the span.
    pub fn before(title: impl Into<String>, span: &Span, text: impl Into<String>) -> Self {
        let start = span.range.start;
        Self::replace(title, &Span::new(&span.file, start..start), text)
    }

    /// Inserts a line of its own above the line on which the span starts, indented as that line.
    pub fn line_above(title: impl Into<String>, span: &Span, line: &str) -> Self {
        let text = &span.file.text;
        let start = text.get(..span.range.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let indent: String =
            text.get(start..).unwrap_or_default().chars().take_while(|character| *character == ' ').collect();
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self::replace(title, &Span::new(&span.file, start..start), format!("{indent}{line}{end}"))
    }
}

/// The files after these edits, by name, and how many were made. Of edits that overlap, the
/// first counts; the others can be made on the next run.
pub fn apply<'f>(fixes: impl IntoIterator<Item = &'f Fix>) -> (BTreeMap<String, String>, usize) {
    let mut by_file: BTreeMap<&str, Vec<&Fix>> = BTreeMap::new();
    for fix in fixes {
        by_file.entry(&fix.span.file.name).or_default().push(fix);
    }
    let mut made = 0;
    let files = by_file.into_iter().filter_map(|(name, mut fixes)| {
        fixes.sort_by_key(|fix| (fix.span.range.start, fix.span.range.end));
        fixes.dedup();
        let source = &fixes.first()?.span.file.text;
        let mut text = String::with_capacity(source.len());
        let mut done = 0;
        for fix in &fixes {
            let range = &fix.span.range;
            if range.start < done {
                continue;
            }
            text.push_str(source.get(done..range.start)?);
            text.push_str(&fix.text);
            done = range.end;
            made += 1;
        }
        text.push_str(source.get(done..)?);
        Some((name.to_owned(), text))
    });
    let files = files.collect();
    (files, made)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::SourceText;

    #[test]
    fn edits_are_made_from_the_front_and_never_on_top_of_each_other() {
        let file = Arc::new(SourceText { name: "x".to_owned(), text: "a: 1\n  b: 2\n".to_owned() });
        let one = Fix::replace("", &Span::new(&file, 3..4), "one");
        let again = Fix::replace("", &Span::new(&file, 3..4), "uno");
        let line = Fix::line_above("", &Span::new(&file, 10..11), "c: 3");
        let (files, made) = apply([&line, &one, &again, &one]);
        assert_eq!(files["x"], "a: one\n  c: 3\n  b: 2\n");
        assert_eq!(made, 2);
    }
}
