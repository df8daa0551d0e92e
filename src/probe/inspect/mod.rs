//! Looks at an image without starting it: at the files that it has in the end, at what each step of
//! the build added to it, and at its configuration.

mod packages;
mod secrets;
mod tools;
mod tree;
mod weight;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::{Deserialize, Serialize};

use self::secrets::Known;
use super::pattern::fits;
use super::{Asked, Part, Program, State, megabytes, write};
use crate::plan::contract::{Promise, Rule};

pub use self::tree::{Files, Tree};

/// See the module.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The file that says what is promised, what the image runs, and what the build's steps added
    #[arg(long)]
    asked: PathBuf,
    /// The image's file system
    #[arg(long)]
    image: PathBuf,
    /// What the build's steps added is there to be looked at
    #[arg(long)]
    layers: bool,
    /// Search for this secret of the build's, and do nothing else; they are in `/secrets`, by number
    #[arg(long = "secret")]
    secrets: Vec<String>,
    /// The file that gets what was found
    #[arg(long)]
    out: PathBuf,
}

/// What a step of the build added to an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The step.
    pub name: String,
    /// Its files.
    pub path: PathBuf,
}

impl Inspect {
    pub(crate) fn run(&self) -> Result<(), String> {
        let Asked { promise, program, layers } = Asked::read(&self.asked)?;
        let layers = layers.into_iter().map(|layer| (layer.name, Tree::Folder(layer.path))).collect();
        let image = Tree::Folder(self.image.clone());
        let layers = if self.layers { Layers::These(layers) } else { Layers::Unknown(OLD_ENGINE) };
        let subject = Subject { promise, program, image, layers };
        let part = Part::default();
        let part = if self.secrets.is_empty() {
            subject.inspect(part)?
        } else {
            subject.search(secrets::given(std::path::Path::new("/secrets"), &self.secrets), part)?
        };
        write(&part, &self.out)
    }
}

/// Why layers cannot be looked at one by one.
const OLD_ENGINE: &str = "this engine does not show layers one by one";

/// What each step of a build added.
pub enum Layers {
    /// By the step's words.
    These(Vec<(String, Tree)>),
    /// It is not known, and why.
    Unknown(&'static str),
}

/// What is looked at.
pub struct Subject {
    /// What is promised.
    pub promise: Promise,
    /// The configuration.
    pub program: Program,
    /// The files that the image has in the end.
    pub image: Tree,
    /// What each step added.
    pub layers: Layers,
}

impl Subject {
    /// Looks at all of it.
    pub fn inspect(&self, mut part: Part) -> Result<Part, String> {
        let since = Instant::now();
        let files = self.image.files()?;
        self.user(&mut part);
        self.paths(&files, &mut part, since);
        self.forbidden(&files, &mut part);
        tools::check(&self.promise, &files, &mut part);
        packages::check(&self.promise, &self.image, &files, &mut part)?;
        self.set_uid(&files, &mut part);
        self.secrets(&mut part)?;
        weight::check(&self.promise, &self.image, &files, &mut part)?;
        Ok(part)
    }

    fn is_allowed(&self, path: &str) -> bool {
        self.promise.allow.iter().any(|pattern| fits(pattern, path))
    }

    fn user(&self, part: &mut Part) {
        let since = Instant::now();
        let name = self.program.user.split(':').next().unwrap_or_default();
        let shown = if name.is_empty() { "root, as nothing else is said" } else { name };
        if !matches!(name, "" | "0" | "root") {
            // Which it really has is seen when it runs.
            if !self.promise.serves {
                part.passed(Rule::User, format!("runs as {}", self.program.user), since);
            }
        } else if self.promise.may_be_root {
            part.not_verified(Rule::User, "the contract says `root: true`");
        } else {
            part.failed(Rule::User, format!("it runs as {shown}"), since)
                .help("leave `user` out, or give a user that is not root; `contract: { root: true }` if it has to be");
        }
    }

    /// What must exist, the working directory and the program among it.
    fn paths(&self, files: &Files, part: &mut Part, since: Instant) {
        let mut missing = false;
        for path in &self.promise.exists {
            if files.resolve(path).is_none() {
                missing = true;
                part.failed(Rule::Files, format!("there is no {path}"), since).about(path);
            }
        }
        let cwd = if self.program.cwd.is_empty() { "/" } else { &self.program.cwd };
        if cwd != "/" && files.resolve(cwd).is_none() {
            missing = true;
            part.failed(Rule::Files, format!("there is no working directory {cwd}"), since);
        }
        if let Some(program) = self.program.args.first().filter(|program| !self.finds(files, program, cwd)) {
            missing = true;
            part.failed(Rule::Files, format!("the program `{program}` is not there"), since)
                .help("`entrypoint` and `command` name it; is it a name on PATH?");
        }
        if !missing {
            let count = self.promise.exists.len();
            let more = if count > 0 { format!(", and {count} declared paths") } else { String::new() };
            part.passed(Rule::Files, format!("program and working directory {cwd}{more} are there"), since);
        }
    }

    fn finds(&self, files: &Files, program: &str, cwd: &str) -> bool {
        if program.contains('/') {
            let path = if program.starts_with('/') { program.to_owned() } else { format!("{cwd}/{program}") };
            return files.resolve(&path).is_some();
        }
        let path = self
            .program
            .env
            .iter()
            .find(|(name, _)| name == "PATH")
            .map_or("/usr/local/bin:/usr/bin:/bin", |(_, path)| path);
        path.split(':').any(|folder| files.resolve(&format!("{folder}/{program}")).is_some())
    }

    fn forbidden(&self, files: &Files, part: &mut Part) {
        for pattern in &self.promise.forbidden_files {
            let since = Instant::now();
            let found: Vec<String> = files
                .paths()
                .filter(|path| fits(pattern, path) && !self.is_allowed(path))
                .map(str::to_owned)
                .collect();
            if found.is_empty() {
                part.passed(Rule::ForbiddenFiles, format!("no file fits `{pattern}`"), since);
            } else {
                let count = found.len();
                part.failed(Rule::ForbiddenFiles, format!("{count} files fit `{pattern}`"), since)
                    .about(pattern)
                    .details(found.into_iter().take(5));
            }
        }
    }

    fn set_uid(&self, files: &Files, part: &mut Part) {
        let since = Instant::now();
        let found: Vec<String> =
            files.set_uid().filter(|path| !self.is_allowed(path)).map(str::to_owned).collect();
        if found.is_empty() {
            part.passed(Rule::SetUid, "no file is set-uid or set-gid", since);
        } else if self.promise.no_new_privileges {
            let count = found.len();
            part.passed(
                Rule::SetUid,
                format!("{count} set-uid files, without effect by `no-new-privileges`"),
                since,
            );
        } else {
            part.failed(Rule::SetUid, format!("{} files are set-uid or set-gid", found.len()), since)
                .details(found.into_iter().take(8))
                .help("`base: minimal` has none; `security_opt: [\"no-new-privileges:true\"]` takes their effect");
        }
    }

    /// What looks like a secret.
    fn secrets(&self, part: &mut Part) -> Result<(), String> {
        let since = Instant::now();
        let known = Known::forms();
        let before = part.checks.len();
        secrets::configuration(&self.promise, &self.program, &known, part);
        self.searched(&known, part, since)?;
        let where_ = match &self.layers {
            Layers::These(layers) => format!("{} layers", layers.len()),
            Layers::Unknown(why) => {
                part.not_verified(
                    Rule::Secrets,
                    format!("not verifiable here: {why}; the files that are there in the end were searched"),
                );
                "the files".to_owned()
            }
        };
        if !part.checks[before..].iter().any(|check| check.state == State::Failed) {
            part.passed(
                Rule::Secrets,
                format!("nothing in {where_}, the configuration and the history looks like a secret"),
                since,
            );
        }
        Ok(())
    }

    /// The secrets that the build was given, by name; none for one that it was not given.
    fn search(&self, given: Vec<(String, Option<Vec<u8>>)>, mut part: Part) -> Result<Part, String> {
        let since = Instant::now();
        let mut wanted = Vec::new();
        for (name, value) in given {
            match value {
                None => {
                    part.not_verified(Rule::Secrets, format!("the build was not given its secret `{name}`"));
                }
                Some(value) if value.len() < secrets::SHORTEST => {
                    let why = format!(
                        "not verifiable here: the secret `{name}` is so short that it is found by chance"
                    );
                    part.not_verified(Rule::Secrets, why);
                }
                Some(value) => wanted.push((name, value)),
            }
        }
        let before = part.checks.len();
        self.searched(&Known::values(&wanted), &mut part, since)?;
        part.layers.clear();
        if part.checks.len() == before && !wanted.is_empty() {
            let names: Vec<String> = wanted.iter().map(|(name, _)| format!("`{name}`")).collect();
            part.passed(Rule::Secrets, format!("the build's own {} is nowhere", names.join(", ")), since);
        }
        Ok(part)
    }

    fn searched(&self, known: &Known<'_>, part: &mut Part, since: Instant) -> Result<(), String> {
        let Layers::These(layers) = &self.layers else {
            let (found, _) = secrets::search(&self.image, known, &self.promise.allow)?;
            for found in found {
                part.failed(Rule::Secrets, found.to_string(), since);
            }
            return Ok(());
        };
        for (name, tree) in layers {
            let (found, bytes) = secrets::search(tree, known, &self.promise.allow)?;
            part.layers.push((name.clone(), bytes));
            for found in found {
                let why = format!(
                    "in what the step `{name}` adds; every layer is shipped, even what a later one removes"
                );
                part.failed(Rule::Secrets, found.to_string(), since)
                    .about(name)
                    .details([why])
                    .help("mount it for the step that needs it: `secret: [{ id: … }]`");
            }
        }
        Ok(())
    }
}

/// So much weighs.
fn too_heavy(weighs: u64, limit: u64) -> String {
    format!("it weighs {}, more than {}", megabytes(weighs), megabytes(limit))
}
