//! Variables, by Compose's rules: `$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR-default}`,
//! `${VAR:?message}`, `${VAR?message}`, `${VAR:+other}`, `${VAR+other}`, `$$` for a dollar.
//! Defaults and messages may hold variables again. A dollar before anything else stays, as in
//! `$(date)`.

use std::collections::BTreeMap;

/// What went wrong in a text with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// No form that Compose knows.
    Invalid,
    /// `${NAME:?message}` without a value.
    Required { name: String, message: String },
    /// `$NAME` without a value or default; Compose puts an empty string there and warns.
    Unset { name: String },
}

/// A text with its variables replaced.
pub(super) struct Interpolated {
    pub(super) text: String,
    /// What was wrong on the way.
    pub(super) problems: Vec<Problem>,
    /// The variables that it uses, each with what stands in its place.
    pub(super) used: Vec<(String, String)>,
}

/// Replaces the variables of a text.
pub(super) fn interpolate(text: &str, values: &BTreeMap<String, String>) -> Interpolated {
    let mut run = Run { values, problems: Vec::new(), used: Vec::new(), depth: 0 };
    let text = run.text(text);
    Interpolated { text, problems: run.problems, used: run.used }
}

/// A variable that a text uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What stands in its place if it has no value: its default, or nothing.
    pub default: String,
    /// What is said if it must have a value and has none.
    pub required: Option<String>,
}

/// The variables that a text uses when none has a value, in order.
pub fn variables(text: &str) -> Vec<Variable> {
    let found = interpolate(text, &BTreeMap::new());
    let mut variables: Vec<Variable> = Vec::new();
    for (name, default) in found.used {
        let required = found.problems.iter().find_map(|problem| match problem {
            Problem::Required { name: required, message } if *required == name => Some(message.clone()),
            _ => None,
        });
        if !variables.iter().any(|known| known.name == name) {
            variables.push(Variable { name, default, required });
        }
    }
    variables
}

/// A text with these values in the place of its variables.
pub fn filled(text: &str, values: &BTreeMap<String, String>) -> String {
    interpolate(text, values).text
}

struct Run<'a> {
    values: &'a BTreeMap<String, String>,
    problems: Vec<Problem>,
    used: Vec<(String, String)>,
    /// How many defaults deep this is.
    depth: usize,
}

/// Deeper than anybody writes; a hostile file must not overflow the stack.
const DEPTH: usize = 64;

impl Run<'_> {
    fn text(&mut self, text: &str) -> String {
        if self.depth == DEPTH {
            self.problems.push(Problem::Invalid);
            return String::new();
        }
        self.depth += 1;
        let result = self.shallow(text);
        self.depth -= 1;
        result
    }

    fn shallow(&mut self, text: &str) -> String {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            result.push_str(before);
            rest = after;
            if let Some(after) = rest.strip_prefix('$') {
                result.push('$');
                rest = after;
            } else if let Some(after) = rest.strip_prefix('{') {
                let Some(end) = closing_brace(after) else {
                    self.problems.push(Problem::Invalid);
                    return result + "${" + after;
                };
                result.push_str(&self.expression(&after[..end]));
                rest = &after[end + 1..];
            } else {
                let end = name_length(rest);
                if end == 0 {
                    result.push('$');
                } else {
                    result.push_str(&self.plain(&rest[..end]));
                    rest = &rest[end..];
                }
            }
        }
        result + rest
    }

    fn plain(&mut self, name: &str) -> String {
        let value = self.values.get(name).cloned().unwrap_or_else(|| {
            self.problems.push(Problem::Unset { name: name.to_owned() });
            String::new()
        });
        self.used.push((name.to_owned(), value.clone()));
        value
    }

    /// What stands between the braces.
    fn expression(&mut self, expression: &str) -> String {
        let value = self.chosen(expression);
        let name = &expression[..name_length(expression)];
        if !name.is_empty() && name.len() < expression.len() {
            self.used.push((name.to_owned(), value.clone()));
        }
        value
    }

    fn chosen(&mut self, expression: &str) -> String {
        let (name, operator) = expression.split_at(name_length(expression));
        if name.is_empty() {
            self.problems.push(Problem::Invalid);
            return String::new();
        }
        let value = self.values.get(name).cloned();
        let filled = value.clone().filter(|value| !value.is_empty());
        let forms: [(&str, Option<String>); 6] = [
            (":-", filled.clone()),
            (":?", filled.clone()),
            (":+", filled),
            ("-", value.clone()),
            ("?", value.clone()),
            ("+", value),
        ];
        if operator.is_empty() {
            return self.plain(name);
        }
        let Some((form, value)) = forms.into_iter().find(|(form, _)| operator.starts_with(form)) else {
            self.problems.push(Problem::Invalid);
            return String::new();
        };
        let argument = &operator[form.len()..];
        match (form.trim_start_matches(':'), value) {
            ("+", Some(_)) | ("-", None) => self.text(argument),
            ("+", None) => String::new(),
            ("?", None) => {
                let message = self.text(argument);
                self.problems.push(Problem::Required { name: name.to_owned(), message });
                String::new()
            }
            (_, value) => value.unwrap_or_default(),
        }
    }
}

/// The length of the variable name at the start.
fn name_length(text: &str) -> usize {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        0
    } else {
        text.find(|c| !word(c)).unwrap_or(text.len())
    }
}

/// Where the brace that belongs to an opened one stands: on the same line. Compose counts every
/// brace but those right after an opened one, and where none belongs it takes the last.
fn closing_brace(text: &str) -> Option<usize> {
    let line = text.split('\n').next()?;
    let mut depth = 0;
    let mut characters = line.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '{' => {
                depth += 1;
                characters.next();
            }
            '}' if depth == 0 => return Some(place),
            '}' => depth -= 1,
            _ => {}
        }
    }
    line.rfind('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> (String, Vec<Problem>) {
        let values = [("SET", "value"), ("EMPTY", "")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let found = interpolate(text, &values.into());
        (found.text, found.problems)
    }

    #[test]
    fn every_form() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a $SET b", "a value b"),
            ("${SET}/x", "value/x"),
            ("$$SET $${SET}", "$SET ${SET}"),
            ("${NO:-default}", "default"),
            ("${EMPTY:-default}", "default"),
            ("${EMPTY-default}", ""),
            ("${NO-default}", "default"),
            ("${SET:+other}${EMPTY:+other}${EMPTY+there}${NO+other}", "otherthere"),
            ("${NO:-${ALSO_NO:-deep $SET}}", "deep value"),
            ("${NO:-a:b}", "a:b"),
            ("${SET:?message}", "value"),
            ("${EMPTY?message}", ""),
            ("äöü ${SET} ✓", "äöü value ✓"),
            ("${NO:-{}}", "{}"),
            ("${SET:-{}}", "value"),
            ("${SET:-{\"a\":1}}x", "valuex"),
            ("${NO:-a}b}", "ab}"),
            ("$(date) a $ b $1 5$", "$(date) a $ b $1 5$"),
        ] {
            assert_eq!(run(text), (expected.to_owned(), vec![]), "{text}");
        }
    }

    #[test]
    fn no_depth_overflows_the_stack() {
        let text = "${A:-".repeat(5000) + &"}".repeat(5000);
        assert_eq!(run(&text).1, [Problem::Invalid]);
    }

    #[test]
    fn problems() {
        assert_eq!(run("$NO-x"), ("-x".to_owned(), vec![Problem::Unset { name: "NO".to_owned() }]));
        for text in ["${", "${SET", "${}", "${SET!x}", "${1X}", "${SET!x}\n}"] {
            assert_eq!(run(text).1, [Problem::Invalid], "{text}");
        }
        let required = |name: &str, message: &str| Problem::Required {
            name: name.to_owned(),
            message: message.to_owned(),
        };
        assert_eq!(run("${NO:?set it to $SET}").1, [required("NO", "set it to value")]);
        assert_eq!(run("${EMPTY:?}").1, [required("EMPTY", "")]);
        assert_eq!(run("${NO?}").1, [required("NO", "")]);
    }
}
