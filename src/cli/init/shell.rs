//! What commands of a Dockerfile do, as far as their words tell: install packages, make users, build,
//! ask for health. What is none of these is said to be lost, with its own text.

use std::collections::BTreeMap;

use super::dockerfile::{expand, list};

/// What a part of a `RUN` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// What a recipe does itself, or what only cleans up.
    Usual,
    /// It installs packages of the distribution.
    Packages(Manager, Vec<String>),
    /// It runs a script or tool that builds.
    Build(String),
    /// The package that a Go build names.
    Main(String),
    /// It makes a user with a number.
    User(String, u32),
    /// Anything else.
    Lost(String),
}

/// A distribution's package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    /// Debian's.
    Apt,
    /// Alpine's.
    Apk,
}

/// What a `RUN` does, part by part.
pub(super) fn doings(text: &str, document: &[String]) -> Vec<Doing> {
    if let Some(words) = list(text) {
        return vec![doing(&words, &words.join(" "))];
    }
    // A here-document is the script; what stands before it only names its shell.
    let scripts = if document.is_empty() { vec![text.to_owned()] } else { document.to_vec() };
    let parts = scripts.iter().flat_map(|script| parts(script));
    parts.map(|part| doing(&shlex::split(&part).unwrap_or_default(), &part)).collect()
}

/// The commands of a shell text: split where one ends and the next begins, outside of quotes.
fn parts(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut quote = None;
    let mut depth = 0_usize;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '(' | '{') => depth += 1,
            (None, ')' | '}') => depth = depth.saturating_sub(1),
            (None, ';') if depth == 0 => {
                found.push(String::new());
                continue;
            }
            (None, '&') if depth == 0 && characters.peek() == Some(&'&') => {
                characters.next();
                found.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = found.last_mut() {
            last.push(character);
        }
    }
    found
        .iter()
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty() && !part.starts_with('#'))
        .collect()
}

fn doing(words: &[String], text: &str) -> Doing {
    let lost = || Doing::Lost(text.to_owned());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // `CGO_ENABLED=0 go build`; with 1 the program wants a C library, which the recipe has none of.
    let assignments = words.iter().take_while(|word| is_assignment(word)).count();
    if words.iter().take(assignments).any(|word| *word == "CGO_ENABLED=1") {
        return lost();
    }
    let words = words.get(assignments..).unwrap_or_default();
    let plain: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('-')).collect();
    let program = plain.first().map(|program| program.rsplit('/').next().unwrap_or_default());
    let Some(program) = program else { return Doing::Usual };
    let second = plain.get(1).copied().unwrap_or_default();
    // A pipe or redirection does something with what comes out.
    let piped = text.contains(['|', '>', '<', '`']) || text.contains("$(");
    match (program, second) {
        ("set" | "true" | "echo" | "cd" | ":", _) if !piped => Doing::Usual,
        ("apt-get" | "apt", "install") => Doing::Packages(Manager::Apt, packages(&plain[2..])),
        ("apt-get" | "apt", "update" | "clean" | "autoremove" | "purge" | "remove" | "autoclean") => {
            Doing::Usual
        }
        ("apk", "add") => {
            // The name of a virtual package is none that exists.
            let virtual_name = words
                .iter()
                .position(|word| ["-t", "--virtual"].contains(word))
                .and_then(|at| words.get(at + 1));
            let names = plain[2..].iter().filter(|name| Some(*name) != virtual_name).copied();
            Doing::Packages(Manager::Apk, packages(&names.collect::<Vec<_>>()))
        }
        ("apk", "update" | "del" | "cache") => Doing::Usual,
        ("rm", _) if plain[1..].iter().all(|path| is_leftover(path)) => Doing::Usual,
        ("adduser" | "useradd" | "addgroup" | "groupadd" | "usermod", _) if !piped => user(words),
        _ if piped => lost(),
        ("chmod", "+x")
            if plain[2..].iter().all(|file| file.ends_with("gradlew") || file.ends_with("mvnw")) =>
        {
            Doing::Usual
        }
        ("npm" | "yarn" | "pnpm" | "bun" | "npx" | "bunx" | "corepack" | "node", _) => {
            node(program, &plain, words, text)
        }
        ("pip" | "pip3" | "python" | "python3" | "poetry" | "uv" | "pipenv", _) => {
            python(program, &plain, text)
        }
        ("go", "build") => match plain.last() {
            Some(package) if package.starts_with("./") && package.len() > 2 => {
                Doing::Main(package.trim_start_matches("./").to_owned())
            }
            _ => Doing::Usual,
        },
        ("cargo", "install") if plain.contains(&"cargo-chef") => Doing::Usual,
        ("go", "mod" | "test" | "vet" | "version")
        | ("cargo", "build" | "fetch" | "test" | "chef")
        | ("mvn" | "mvnw" | "gradle" | "gradlew", _)
        | ("dotnet", "restore" | "build" | "publish" | "test") => Doing::Usual,
        ("java", _) if words.iter().any(|word| word.starts_with("-Djarmode")) => Doing::Usual,
        ("tsc" | "vite" | "ng" | "next" | "nest" | "webpack", _) => Doing::Build(format!("npx {text}")),
        _ => lost(),
    }
}

fn node(program: &str, plain: &[&str], words: &[&str], text: &str) -> Doing {
    let second = plain.get(1).copied().unwrap_or_default();
    let global = words.iter().any(|word| ["-g", "--global"].contains(word));
    match (program, second) {
        ("npm" | "pnpm" | "yarn", "install" | "i" | "add" | "global") if plain.len() > 2 => {
            let managers = ["npm", "pnpm", "yarn", "corepack", "add"];
            let known = |name: &&&str| managers.contains(&name.split('@').next().unwrap_or_default());
            if global || second == "global" {
                if plain[2..].iter().all(|name| known(&name)) {
                    Doing::Usual
                } else {
                    Doing::Lost(text.to_owned())
                }
            } else {
                Doing::Lost(text.to_owned())
            }
        }
        ("corepack", _)
        | ("yarn", "")
        | (
            _,
            "ci" | "install" | "i" | "prune" | "cache" | "fetch" | "dedupe" | "config" | "test" | "deploy"
            | "build",
        ) => Doing::Usual,
        (_, "run" | "run-script") => match plain.get(2) {
            Some(&"build") if plain.len() == 3 => Doing::Usual,
            Some(script) if ["test", "lint"].contains(script) => Doing::Usual,
            Some(_) => Doing::Build(text.to_owned()),
            None => Doing::Lost(text.to_owned()),
        },
        ("npx" | "bunx", _) if ["tsc", "vite", "ng", "next", "nest", "webpack", "nx"].contains(&second) => {
            Doing::Build(text.to_owned())
        }
        _ => Doing::Lost(text.to_owned()),
    }
}

fn python(program: &str, plain: &[&str], text: &str) -> Doing {
    let plain = match plain {
        // `python -m pip install`
        [_, module @ ("pip" | "venv" | "compileall"), rest @ ..] if program.starts_with("python") => {
            [&[*module], rest].concat()
        }
        plain => plain.to_vec(),
    };
    let lost = || Doing::Lost(text.to_owned());
    match (plain.first().copied().unwrap_or_default(), plain.get(1).copied().unwrap_or_default()) {
        ("pip" | "pip3", "install" | "wheel" | "download") => {
            let tools = ["pip", "setuptools", "wheel", "uv", "poetry", "pipenv", ".", "requirements.txt"];
            let known = |name: &&str| {
                let name = name.split(['=', '<', '>', '~']).next().unwrap_or_default();
                let name = name.rsplit_once('/').map_or(name, |(_, last)| last);
                tools.contains(&name) || name.ends_with(".whl") || name == "wheels" || name.is_empty()
            };
            if plain[2..].iter().all(known) { Doing::Usual } else { lost() }
        }
        ("venv" | "compileall", _)
        | ("poetry", "install" | "config" | "export" | "build")
        | ("uv", "sync" | "venv" | "pip" | "export" | "python" | "build")
        | ("pipenv", "install" | "sync" | "requirements") => Doing::Usual,
        _ => lost(),
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

/// Indexes, caches and temporary files, which are in no image of ours.
fn is_leftover(path: &str) -> bool {
    ["/var/lib/apt", "/var/cache", "/tmp", "/root/", "/var/log", "/usr/share/doc", "/usr/share/man"]
        .iter()
        .any(|start| path.starts_with(start))
}

fn packages(names: &[&str]) -> Vec<String> {
    // Versions are of the distribution's release, which may be another one.
    let bare = |name: &&str| name.split(['=', '~', '<', '>']).next().unwrap_or_default().to_owned();
    names.iter().map(bare).filter(|name| !name.is_empty()).collect()
}

/// A user with a number, of which there may be none.
fn user(words: &[&str]) -> Doing {
    let of_group = words.first().is_some_and(|word| word.contains("group"));
    let number =
        words.iter().position(|word| ["-u", "--uid"].contains(word)).and_then(|at| words.get(at + 1));
    let joined = || words.iter().find_map(|word| word.strip_prefix("--uid="));
    let number = number.copied().or_else(joined).and_then(|number| number.parse().ok());
    match (number, words.last()) {
        (Some(number), Some(name)) if !of_group => Doing::User((*name).to_owned(), number),
        _ => Doing::Usual,
    }
}

/// A question over HTTP to the own machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// The port.
    pub(super) port: u16,
    /// The path.
    pub(super) path: String,
    /// The program that asks.
    pub(super) tool: &'static str,
}

/// The question that a health check's command asks, if it is a call of curl or wget and nothing more.
pub(super) fn question(text: &str, values: &BTreeMap<String, String>) -> Option<Question> {
    let text = match list(text) {
        Some(words) => words.join(" "),
        None => text.to_owned(),
    };
    let text = expand(&text, values);
    let tool = ["curl", "wget"]
        .into_iter()
        .find(|tool| text.split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|word| word == *tool))?;
    // What it does with the answer is a test of its own, and a header or body makes another question.
    let command = text.split("||").next().unwrap_or_default();
    let refined =
        [" -X", " -H", " -d", " --data", " --header", " --request", " --post", "grep", "|", "https://"];
    if refined.iter().any(|word| command.contains(word)) {
        return None;
    }
    let words = shlex::split(command)?;
    let mut urls = words.iter().filter_map(|word| {
        let url = word.strip_prefix("http://").unwrap_or(word);
        let host =
            ["localhost", "127.0.0.1", "0.0.0.0", "[::1]"].into_iter().find(|host| url.starts_with(host))?;
        let rest = &url[host.len()..];
        let (port, path) = match rest.strip_prefix(':') {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (rest[..end].parse().ok()?, &rest[end..])
            }
            None if rest.is_empty() || rest.starts_with('/') => (80, rest),
            None => return None,
        };
        let path = if path.is_empty() { "/" } else { path };
        Some((port, path.to_owned()))
    });
    let (port, path) = urls.next()?;
    urls.next().is_none().then_some(Question { port, path, tool })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Doing> {
        doings(text, &[]).into_iter().filter(|doing| *doing != Doing::Usual).collect()
    }

    #[test]
    fn installs_and_builds_are_usual() {
        for text in [
            "npm ci --omit=dev && npm cache clean --force",
            "npm install -g pnpm@9 && pnpm install --frozen-lockfile && pnpm build",
            "pip install --no-cache-dir -r requirements.txt",
            "python -m pip install --upgrade pip",
            "uv sync --locked --no-dev",
            "CGO_ENABLED=0 GOOS=linux go build -o /out/app .",
            "cargo build --release --locked",
            "chmod +x gradlew && ./gradlew --no-daemon bootJar",
            "rm -rf /var/lib/apt/lists/* /tmp/*",
        ] {
            assert_eq!(of(text), [], "{text}");
        }
    }

    #[test]
    fn what_is_found_and_what_is_lost() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let lost = |text: &str| Doing::Lost(text.to_owned());
        for (text, expected) in [
            (
                "apt-get update && apt-get install -y --no-install-recommends curl libpq5=15.* && rm -rf /var/lib/apt/lists/*",
                Doing::Packages(Manager::Apt, names(&["curl", "libpq5"])),
            ),
            (
                "apk add --no-cache --virtual .build gcc musl-dev",
                Doing::Packages(Manager::Apk, names(&["gcc", "musl-dev"])),
            ),
            ("npm run build:prod", Doing::Build("npm run build:prod".to_owned())),
            ("go build -o /app ./cmd/server", Doing::Main("cmd/server".to_owned())),
            ("groupadd -g 5000 app && useradd -r -u 5001 -g app app", Doing::User("app".to_owned(), 5001)),
            ("curl -sSf https://example.org/x | sh", lost("curl -sSf https://example.org/x | sh")),
            ("npm install -g serve", lost("npm install -g serve")),
            ("pip install gunicorn", lost("pip install gunicorn")),
            ("echo 'a && b' > /etc/x", lost("echo 'a && b' > /etc/x")),
            ("chown -R node /data", lost("chown -R node /data")),
        ] {
            assert_eq!(of(text), [expected], "{text}");
        }
    }

    #[test]
    fn questions() {
        let values = BTreeMap::from([("PORT".to_owned(), "3000".to_owned())]);
        for (text, expected) in [
            ("curl -f http://localhost:8080/health || exit 1", Some((8080, "/health", "curl"))),
            ("wget -qO- http://127.0.0.1/ || exit 1", Some((80, "/", "wget"))),
            (
                "[\"wget\", \"--spider\", \"-q\", \"localhost:8000/ready?x=1\"]",
                Some((8000, "/ready?x=1", "wget")),
            ),
            ("curl -f http://localhost:${PORT}/health", Some((3000, "/health", "curl"))),
            ("curl -f http://localhost:${OTHER}/health", None),
            ("curl -f http://db:5432/", None),
            ("curl -fk https://localhost/", None),
            ("curl -s http://localhost/ | grep ok", None),
            ("pg_isready -U app", None),
        ] {
            let expected = expected.map(|(port, path, tool): (u16, &str, _)| Question {
                port,
                path: path.to_owned(),
                tool,
            });
            assert_eq!(question(text, &values), expected, "{text}");
        }
    }
}
