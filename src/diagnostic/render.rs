//! Diagnostics as text for a person.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::Diagnostic;

/// One diagnostic with its snippet, without colours.
pub fn render(diagnostic: &Diagnostic) -> String {
    let level = if diagnostic.code.is_warning() { Level::WARNING } else { Level::ERROR };
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
    Renderer::plain().render(&[group])
}

/// All of them, a blank line between.
pub fn render_all(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(render).collect::<Vec<_>>().join("\n\n")
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
        several => format!("{} errors\n\n{}\n", several.len(), render_all(several)),
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
        insta::assert_snapshot!(render(&diagnostic), @"
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
        assert!(render(&Diagnostic::new(Code::Syntax, "x").at(&span)).contains("x.yaml:1:1"));
    }
}
