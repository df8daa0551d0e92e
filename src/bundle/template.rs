//! Templates of scripts and workflows. Their marks are `@{ value }` and `@% statement %@`, as shell and GitHub's
//! expressions have braces of their own.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, UndefinedBehavior, Value};

/// Fills a template in. Ours are complete, which a test of each shows; if one is not, the file says so.
pub(super) fn filled(name: &str, template: &str, values: Value) -> String {
    render(template, values).unwrap_or_else(|error| format!("# {name} could not be written: {error}\n"))
}

fn render(template: &str, values: Value) -> Result<String, Error> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder()
        .variable_delimiters("@{", "}")
        .block_delimiters("@%", "%@")
        .comment_delimiters("@#", "#@")
        .keep_trailing_newline(true)
        .build()?;
    environment.set_syntax(syntax);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_filter("sh", |text: String| shell_word(&text));
    environment.add_filter("yaml", |text: String| super::yaml::scalar(&text));
    environment.render_str(template, values)
}

/// A text as one word of a shell.
pub(super) fn shell_word(text: &str) -> String {
    // Only a NUL cannot be a part of a word.
    shlex::try_quote(text).map_or_else(|_| "''".to_owned(), std::borrow::Cow::into_owned)
}
