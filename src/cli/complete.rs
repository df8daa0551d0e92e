//! Completion for `docker slipway …`: docker asks its plugins with `__complete`, in the protocol of
//! the library that its own commands use (cobra): a suggestion per line with its description behind
//! a tab, and last a directive, `:4` for "no files" and `:0` for "files as usual".

use clap::Command;

use crate::lint::RULES;

const NO_FILES: &str = ":4";
const FILES: &str = ":0";

/// The answer for these words, of which the last is being typed.
pub(super) fn complete(command: &Command, words: &[String]) -> String {
    let (typed, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let chosen = before.iter().find(|word| !word.starts_with('-'));
    let Some(chosen) = chosen.and_then(|name| command.find_subcommand(name)) else {
        let commands = command.get_subcommands().filter(|known| !known.is_hide_set());
        return answer(
            commands.map(|known| (known.get_name().to_owned(), about(known.get_about()))),
            typed,
            NO_FILES,
        );
    };
    if typed.starts_with('-') {
        let options = chosen.get_arguments().filter(|known| !known.is_hide_set());
        let options =
            options.filter_map(|known| Some((format!("--{}", known.get_long()?), about(known.get_help()))));
        return answer(options, typed, NO_FILES);
    }
    if chosen.get_name() == "explain" {
        return answer(
            RULES.iter().map(|rule| (rule.name.to_owned(), rule.summary.to_owned())),
            typed,
            NO_FILES,
        );
    }
    let option = before.last().and_then(|word| word.strip_prefix("--"));
    let asked = chosen.get_arguments().find(|known| match option {
        Some(option) => known.get_long() == Some(option),
        None => known.is_positional(),
    });
    let values = asked.map(clap::Arg::get_possible_values).unwrap_or_default();
    if values.is_empty() {
        return FILES.to_owned();
    }
    answer(values.iter().map(|value| (value.get_name().to_owned(), about(value.get_help()))), typed, NO_FILES)
}

fn about(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

fn answer(suggestions: impl Iterator<Item = (String, String)>, typed: &str, directive: &str) -> String {
    let fitting = suggestions.filter(|(name, _)| name.starts_with(typed));
    let lines = fitting.map(|(name, about)| format!("{name}\t{}", about.lines().next().unwrap_or_default()));
    lines.chain([directive.to_owned()]).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Arguments;

    fn names(words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let said = complete(&Arguments::command(), &words);
        said.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn what_docker_asks() {
        assert_eq!(names(&["ch"]), ["check", ":4"]);
        assert!(names(&[""]).contains(&"init".to_owned()) && !names(&[""]).contains(&"step".to_owned()));
        assert_eq!(names(&["check", "--js"]), ["--json", ":4"]);
        assert_eq!(names(&["explain", "Root"]), ["RootUser", ":4"]);
        assert_eq!(names(&["graph", "--format", "s"]), ["svg", ":4"]);
        assert_eq!(names(&["completions", "z"]), ["zsh", ":4"]);
        assert_eq!(names(&["check", "-f", ""]), [":0"]);
    }
}
