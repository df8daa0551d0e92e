//! What starts a program: the words of `ENTRYPOINT` and `CMD` as they are in an image that has no
//! package manager, and in which the program lies in `/app`.

use serde_json::Value as Json;

use super::scan::{Tree, entry_file, python_entry};
use super::told::{Start, Told};
use crate::paths::in_folder;

/// Where recipes put a program.
const APP: &str = "/app";

/// A program, by its folder.
pub(super) struct Program<'a> {
    pub(super) recipe: &'a str,
    pub(super) source: &'a str,
    pub(super) tree: &'a Tree,
}

/// Words, and what says them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) words: Vec<String>,
    pub(super) why: String,
}

/// What starts a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) entrypoint: Option<Words>,
    pub(super) command: Option<Words>,
    /// The folder to start in, and the line that makes it so.
    pub(super) folder: Option<(String, usize)>,
    /// What cannot be carried over.
    pub(super) lost: Vec<(usize, String)>,
}

/// The words of an instruction; a text with more than words in it is the shell's.
pub(super) fn words(start: &Start) -> Vec<String> {
    match start {
        Start::Words(words) => words.clone(),
        Start::Shell(text) => {
            let plain = !text.contains(['&', '|', ';', '$', '>', '<', '`', '*']);
            match shlex::split(text).filter(|_| plain) {
                Some(words) => words,
                None => ["sh", "-c", text].map(str::to_owned).into(),
            }
        }
    }
}

impl Program<'_> {
    /// As its folder tells, where the recipe does not look: a file that by its name is the program.
    pub(super) fn of_folder(&self) -> Found {
        let manifest = self.manifest();
        let says = manifest.get("main").is_some() || script(&manifest, "start").is_some();
        let file = entry_file(self.tree, self.source).filter(|_| self.recipe == "node" && !says);
        let command = file.map(|file| Words {
            words: vec!["node".to_owned(), file.to_owned()],
            why: "the only file of such a name".to_owned(),
        });
        let python = || {
            let (words, why) = python_entry(self.tree, self.source).filter(|_| self.recipe == "python")?;
            Some(Words { words, why })
        };
        let command = command.or_else(python);
        Found { command, ..Found::default() }
    }

    /// As the Dockerfile says.
    pub(super) fn of_dockerfile(&self, told: &Told) -> Found {
        let entrypoint = told.entrypoint.as_ref().map(|at| (at.line, without_init(words(&at.value))));
        let command = told.command.as_ref().map(|at| (at.line, without_init(words(&at.value))));
        let entrypoint = entrypoint.filter(|(_, words)| !words.is_empty());
        let command = command.filter(|(_, words)| !words.is_empty());
        match self.recipe {
            "static" | "nginx" => Found::default(),
            "go" | "rust" => self.arguments(told, entrypoint, command, |_| 1),
            "dotnet" => {
                self.arguments(told, entrypoint, command, |words| if words[0] == "dotnet" { 2 } else { 1 })
            }
            "java" => java(told, entrypoint, command),
            _ => self.interpreted(told, entrypoint, command),
        }
    }

    fn manifest(&self) -> Json {
        self.tree.json(&in_folder(self.source, "package.json")).unwrap_or_default()
    }

    /// A compiled program starts itself; what follows it are arguments.
    fn arguments(
        &self,
        told: &Told,
        entrypoint: Option<(usize, Vec<String>)>,
        command: Option<(usize, Vec<String>)>,
        skip: impl Fn(&[String]) -> usize,
    ) -> Found {
        let line = entrypoint.as_ref().or(command.as_ref()).map_or(0, |(line, _)| *line);
        let all: Vec<String> =
            [entrypoint, command].into_iter().flatten().flat_map(|(_, words)| words).collect();
        if all.first().is_some_and(|first| first == "sh" || first.ends_with(".sh")) {
            return Found {
                lost: vec![(line, format!("what starts it: {}", all.join(" ")))],
                ..Found::default()
            };
        }
        let arguments: Vec<String> =
            all.iter().skip(if all.is_empty() { 0 } else { skip(&all) }).cloned().collect();
        // .NET starts its own program by a command, not by an entrypoint.
        if arguments.is_empty() || self.recipe == "dotnet" {
            let lost =
                (!arguments.is_empty()).then(|| (line, format!("the arguments {}", arguments.join(" "))));
            return Found { lost: lost.into_iter().collect(), ..Found::default() };
        }
        let why = format!("arguments, {} line {line}", told.path);
        Found { command: Some(Words { words: arguments, why }), ..Found::default() }
    }

    fn interpreted(
        &self,
        told: &Told,
        entrypoint: Option<(usize, Vec<String>)>,
        command: Option<(usize, Vec<String>)>,
    ) -> Found {
        let mut lost = Vec::new();
        // The base image's own script does nothing for a program that is named in full.
        let entrypoint = entrypoint.filter(|(_, words)| {
            !(words[0].ends_with("docker-entrypoint.sh") && told.origin(self.tree, &words[0]).is_none())
        });
        let mut own = |name: &str, found: Option<(usize, Vec<String>)>| {
            let (line, words) = found?;
            let text = words.join(" ");
            match self.in_image(words, told.workdir()) {
                Some(words) => Some(Words { words, why: format!("{name}, {} line {line}", told.path) }),
                None => {
                    lost.push((
                        line,
                        format!("{name} {text}: the image has no package manager; say what it starts"),
                    ));
                    None
                }
            }
        };
        // Arguments of an entrypoint are none of ours to read.
        let (entrypoint, command) = match entrypoint {
            Some(entrypoint) => {
                let line = command.as_ref().map(|(line, _)| *line);
                let arguments = command.map(|(_, words)| Words {
                    words,
                    why: format!("CMD, {} line {}", told.path, line.unwrap_or_default()),
                });
                (own("ENTRYPOINT", Some(entrypoint)), arguments)
            }
            None => (None, own("CMD", command)),
        };
        Found { entrypoint, command, folder: self.folder(told), lost }
    }

    /// The folder to start in, if the Dockerfile copies a folder's content to where it works.
    fn folder(&self, told: &Told) -> Option<(String, usize)> {
        let path = told.origin(self.tree, told.workdir()).filter(|path| self.tree.is_folder(path))?;
        let below = if self.source.is_empty() { path.as_str() } else { path.strip_prefix(self.source)? };
        let below = below.trim_matches('/');
        let line = told.copies().iter().map(|copy| copy.line).max()?;
        (!below.is_empty()).then(|| (format!("{APP}/{below}"), line))
    }

    /// Words as they are in the image; none if they start what the image does not have.
    fn in_image(&self, words: Vec<String>, workdir: &str) -> Option<Vec<String>> {
        let mut words: Vec<String> = words.into_iter().skip_while(|word| word == "exec").collect();
        let inside = format!("{}/", workdir.trim_end_matches('/'));
        for word in &mut words {
            match word.strip_prefix(&inside) {
                Some(rest) if inside != "/" => *word = rest.to_owned(),
                _ if word.contains(' ') && inside != "/" => *word = word.replace(&inside, ""),
                _ => {}
            }
        }
        let texts: Vec<&str> = words.iter().map(String::as_str).collect();
        match texts.as_slice() {
            ["npm" | "yarn" | "pnpm" | "bun", "run" | "run-script", script, ..]
            | ["npm" | "yarn" | "pnpm", script @ ("start" | "serve"), ..]
                if self.recipe == "node" =>
            {
                self.script_words(script)
            }
            ["npx", tool, rest @ ..] => Some(tool_words(tool, rest)),
            ["poetry" | "uv" | "pipenv", "run", rest @ ..] => {
                let rest = rest.iter().skip_while(|word| word.starts_with("--"));
                Some(rest.map(|word| (*word).to_owned()).collect())
            }
            [] | ["npm" | "yarn" | "pnpm" | "poetry" | "uv" | "pipenv", ..] => None,
            [first, rest @ ..] => {
                let first = match *first {
                    "python3" => "python",
                    path if path.contains("/bin/") && path.contains("venv") => {
                        path.rsplit('/').next().unwrap_or(path)
                    }
                    path => path,
                };
                Some(std::iter::once(first).chain(rest.iter().copied()).map(str::to_owned).collect())
            }
        }
    }

    /// What a script of the manifest starts, if it is one command.
    fn script_words(&self, name: &str) -> Option<Vec<String>> {
        let manifest = self.manifest();
        let text = script(&manifest, name)?.to_owned();
        let words = words(&Start::Shell(text));
        // The recipe sets this one; no other may be lost.
        let words: Vec<String> = words.into_iter().skip_while(|word| word == "NODE_ENV=production").collect();
        let texts: Vec<&str> = words.iter().map(String::as_str).collect();
        match texts.as_slice() {
            [] | ["sh" | "env" | "cross-env" | "npm" | "yarn" | "pnpm" | "npx", ..] => None,
            [first, ..] if first.contains('=') => None,
            ["node", ..] => Some(words),
            [tool, rest @ ..] => Some(tool_words(tool, rest)),
        }
    }
}

/// The port that a server is told to listen on.
pub(super) fn port(words: &[String]) -> Option<u16> {
    let flags = ["--port", "-p", "--bind", "-b", "--listen", "--address"];
    let mut found = words.iter().enumerate().filter_map(|(place, word)| {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, value),
            None => (word.as_str(), words.get(place + 1)?.as_str()),
        };
        let value = flags.contains(&flag).then_some(value)?;
        value.rsplit(':').next()?.parse().ok()
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// A tool that a package brings.
fn tool_words(tool: &str, rest: &[&str]) -> Vec<String> {
    let tool = format!("node_modules/.bin/{tool}");
    std::iter::once(tool).chain(rest.iter().map(|word| (*word).to_owned())).collect()
}

fn script<'m>(manifest: &'m Json, name: &str) -> Option<&'m str> {
    manifest.get("scripts")?.get(name)?.as_str()
}

/// Words without `tini` or `dumb-init`, for which there is a key.
fn without_init(words: Vec<String>) -> Vec<String> {
    let first = words.first().map(|word| word.rsplit('/').next().unwrap_or_default().to_owned());
    match first.as_deref() {
        Some("tini" | "tini-static" | "dumb-init") => {
            words.into_iter().skip(1).skip_while(|word| word.starts_with('-')).collect()
        }
        _ => words,
    }
}

/// A jar is found by the recipe; options of the JVM and arguments are carried over.
fn java(
    told: &Told,
    entrypoint: Option<(usize, Vec<String>)>,
    command: Option<(usize, Vec<String>)>,
) -> Found {
    let line = entrypoint.as_ref().or(command.as_ref()).map_or(0, |(line, _)| *line);
    let all: Vec<String> = [entrypoint, command].into_iter().flatten().flat_map(|(_, words)| words).collect();
    let jar = all.iter().position(|word| word == "-jar");
    match (all.first().map(String::as_str), jar) {
        (None, _) => Found::default(),
        (Some(java), Some(jar)) if java.rsplit('/').next() == Some("java") => {
            let options = all.get(1..jar).unwrap_or_default();
            let arguments = all.get(jar + 2..).unwrap_or_default();
            if options.is_empty() && arguments.is_empty() {
                return Found::default();
            }
            let fixed = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
            let words =
                [fixed(&["java"]), options.to_vec(), fixed(&["-jar", "/app/app.jar"]), arguments.to_vec()];
            let why = format!("options and arguments, {} line {line}", told.path);
            Found { command: Some(Words { words: words.concat(), why }), ..Found::default() }
        }
        _ => {
            let what = format!("what starts it: {}; JAVA_TOOL_OPTIONS gives a JVM options", all.join(" "));
            Found { lost: vec![(line, what)], ..Found::default() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::port;

    #[test]
    fn ports_of_servers() {
        for (words, expected) in [
            ("uvicorn a:b --host 0.0.0.0 --port 8000", Some(8000)),
            ("gunicorn --bind=0.0.0.0:5000 a:b", Some(5000)),
            ("server --listen :9000", Some(9000)),
            ("next start -p 3000", Some(3000)),
            ("run -p x -b /tmp/socket", None),
            ("a -p 1 -p 2", None),
            ("a --port", None),
        ] {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            assert_eq!(port(&words), expected);
        }
    }
}
