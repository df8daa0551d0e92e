//! `LockFileIgnored`: an install that takes whatever is newest, though a lock file could say what.

use crate::ignore::is_ignored;
use crate::lint::{Found, Subject};
use crate::plan::Action;
use crate::spec::values::CommandLine;

/// Manifests, and the lock files that belong to them.
const LOCKS: [(&str, &[&str]); 4] = [
    ("package.json", &["package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"]),
    ("pyproject.toml", &["uv.lock", "poetry.lock"]),
    ("Cargo.toml", &["Cargo.lock"]),
    ("go.mod", &["go.sum"]),
];

/// A command that installs all of a project's packages, what of it heeds the lock, and what to write
/// instead.
const INSTALLS: [(&[&str], &[&str], &str); 9] = [
    (&["npm", "install"], &["--package-lock-only"], "npm ci"),
    (&["npm", "i"], &["--package-lock-only"], "npm ci"),
    (&["pnpm", "install"], &["--frozen-lockfile", "--offline"], "pnpm install --frozen-lockfile"),
    (&["pnpm", "i"], &["--frozen-lockfile", "--offline"], "pnpm install --frozen-lockfile"),
    (&["yarn", "install"], &["--frozen-lockfile", "--immutable"], "yarn install --immutable"),
    (&["yarn"], &["--frozen-lockfile", "--immutable"], "yarn install --immutable"),
    (&["bun", "install"], &["--frozen-lockfile"], "bun install --frozen-lockfile"),
    (&["uv", "sync"], &["--locked", "--frozen"], "uv sync --locked"),
    (&["cargo", "build"], &["--locked", "--frozen"], "cargo build --locked"),
];

/// Flags that take the next word.
const TAKES_A_WORD: [&str; 8] =
    ["--prefix", "--dir", "-C", "--cwd", "--filter", "-w", "--workspace", "--target"];

/// What a command installs without regard to its lock: its words, and what to write instead.
fn careless(command: &str) -> Option<(String, &'static str)> {
    command.split(['&', ';', '|', '\n']).find_map(|part| {
        let words: Vec<&str> = part.split_whitespace().collect();
        INSTALLS.into_iter().find_map(|(install, heeds, instead)| {
            let rest = words.strip_prefix(install)?;
            // `npm install left-pad` is another matter than `npm install`.
            let mut named = false;
            let mut rest = rest.iter();
            while let Some(word) = rest.next() {
                if heeds.contains(word) || ["-g", "--global"].contains(word) {
                    return None;
                }
                if TAKES_A_WORD.contains(word) {
                    rest.next();
                } else {
                    named |= !word.starts_with('-');
                }
            }
            (!named).then(|| (install.join(" "), instead))
        })
    })
}

/// Looks at the commands that the spec gives, and at what .dockerignore keeps out.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in &subject.plan.stages {
        for step in &stage.steps {
            let Action::Run(run) = &step.action else { continue };
            let command = match &run.command {
                CommandLine::Shell(text) => text.clone(),
                CommandLine::Exec(words) => words.join(" "),
            };
            if let Some((install, instead)) = careless(&command) {
                let finding = found
                    .finding(format!(
                        "`{install}` in `{}` may install other versions than the lock file names",
                        stage.name
                    ))
                    .at(&step.origin)
                    .help(format!("`{instead}` installs exactly those, or fails"));
                found.push(finding);
            }
        }
    }
    // Whether an ignored file is there, nobody can see who only sees what is not ignored: the
    // manifest beside it says which lock is meant.
    for (manifest, locks) in LOCKS {
        if !subject.facts.has(&crate::paths::in_folder(&subject.plan.source, manifest)) {
            continue;
        }
        let path = |lock: &&str| crate::paths::in_folder(&subject.plan.source, lock);
        let there = |lock: &&str| subject.facts.has(&path(lock));
        if locks.iter().any(there) {
            continue;
        }
        for lock in locks.iter().filter(|lock| is_ignored(&path(lock), subject.ignore)) {
            let path = path(lock);
            let finding = found
                .finding(format!(".dockerignore keeps the lock file `{path}` out of the build"))
                .at(subject.service.component.source.as_ref().map_or(&subject.service.extension, |s| &s.span))
                .help(format!("take it back in: `!{path}`"));
            found.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::careless;

    #[test]
    fn installs() {
        for command in [
            "npm install",
            "npm install -g pnpm && npm install",
            "npm i --omit=dev --prefix /app",
            "cd x && yarn",
            "uv sync --no-dev",
        ] {
            assert!(careless(command).is_some(), "{command}");
        }
        for command in [
            "npm ci",
            "npm install left-pad",
            "pnpm i --frozen-lockfile",
            "yarn build",
            "npm install -g npm",
            "uv sync --locked",
        ] {
            assert!(careless(command).is_none(), "{command}");
        }
    }
}
