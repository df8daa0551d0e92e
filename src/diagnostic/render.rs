//! Diagnostics as text for a person.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{Diagnostic, Level as Severity};

/// Whether text has colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// None.
    #[default]
    Plain,
    /// Those of a terminal.
    Colours,
}

/// One diagnostic with its snippet.
pub fn render(diagnostic: &Diagnostic, style: Style) -> String {
    let level = match diagnostic.level {
        Severity::Error => Level::ERROR,
        Severity::Warn => Level::WARNING,
        Severity::Info | Severity::Off => Level::INFO,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.name());
    let helps = diagnostic.help.iter().map(|help| Level::HELP.message(help.as_str()));
    let group = match &diagnostic.span {
        Some(span) => {
            let mark = AnnotationKind::Primary.span(span.range.clone()).label(diagnostic.label.as_deref());
            let snippet =
                Snippet::source(span.file.text.as_str()).path(span.file.name.as_str()).annotation(mark);
            title.element(snippet).elements(helps)
        }
        None => title.elements(helps),
    };
    match style {
        Style::Plain => Renderer::plain(),
        Style::Colours => Renderer::styled(),
    }
    .render(&[group])
}

/// All of them, a blank line between.
pub fn render_all(diagnostics: &[Diagnostic], style: Style) -> String {
    diagnostics.iter().map(|diagnostic| render(diagnostic, style)).collect::<Vec<_>>().join("\n\n")
}

/// What a build's last line says: the message of a single one with its advice, or the count and
/// every one with its snippet. (For a single one, the client shows the snippet.)
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    match diagnostics {
        [] => String::new(),
        [only] => {
            let mut text = format!("{} [{}]", only.message, only.code);
            for help in &only.help {
                text.push_str("\nhelp: ");
                text.push_str(help);
            }
            text
        }
        several => format!("{} errors\n\n{}\n", several.len(), render_all(several, Style::Plain)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Code, SourceText, Span};

    #[test]
    fn a_snippet_shows_the_line() {
        let file =
            Arc::new(SourceText { name: "x.yaml".to_owned(), text: "a: 1\nrecpie: node\n".to_owned() });
        let diagnostic = Diagnostic::new(Code::UnknownKey, "unknown key `recpie`")
            .at(&Span::new(&file, 5..11))
            .label("not known here")
            .help("did you mean `recipe`?");
        insta::assert_snapshot!(render(&diagnostic, Style::Plain), @"
        error[unknown-key]: unknown key `recpie`
         --> x.yaml:2:1
          |
        2 | recpie: node
          | ^^^^^^ not known here
          |
          = help: did you mean `recipe`?
        ");
        assert_eq!(
            summary(&[diagnostic]),
            "unknown key `recpie` [unknown-key]\nhelp: did you mean `recipe`?"
        );
    }

    #[test]
    fn a_span_beyond_the_end_is_cut() {
        let file = Arc::new(SourceText { name: "x.yaml".to_owned(), text: "é".to_owned() });
        let span = Span::new(&file, 1..99);
        assert_eq!(span.range, 0..2);
        assert!(render(&Diagnostic::new(Code::Syntax, "x").at(&span), Style::Plain).contains("x.yaml:1:1"));
    }
}
