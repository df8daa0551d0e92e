//! A plan as a Dockerfile: the way out. Built by BuildKit's own Dockerfile frontend it gives the same
//! files and the same configuration as the plan's graph, which makes it the graph's best test.
//!
//! What a Dockerfile has no word for (accounts on any base, the files that a program loads) is done
//! by Slipway's own binary, mounted for one instruction from the frontend's image.

mod config;
mod copy;
mod run;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use self::text::{Text, quoted, words};
use crate::plan::{Action, Base, From, Plan, Stage, StagePlatform, VERIFY, reach};
use crate::spec::Lock;

/// What is needed beside the plan.
pub struct Setting<'a> {
    /// The spec's file name.
    pub spec: &'a str,
    /// The frontend's own image, as the spec's first line names it.
    pub frontend: &'a str,
    /// The digests of images.
    pub lock: Option<&'a Lock>,
    /// Where programs are looked for, by image or stage.
    pub paths: &'a BTreeMap<String, String>,
    /// What is kept out of the build context.
    pub ignore: &'a [String],
}

/// A Dockerfile, and the ignore file that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ejected {
    /// The Dockerfile.
    pub dockerfile: String,
    /// `<Dockerfile>.dockerignore`
    pub ignore: String,
}

/// One stage's text in the making.
struct Making<'a> {
    plan: &'a Plan,
    stage: &'a Stage,
    setting: &'a Setting<'a>,
    text: Text,
    /// The user of later instructions; empty for root.
    user: String,
    /// Folders that are there for certain.
    made: BTreeSet<String>,
    /// Whether the stage knows whose platform it is of.
    knows_platform: bool,
}

/// The Dockerfile of a component.
pub fn eject(plan: &Plan, setting: &Setting<'_>) -> Ejected {
    let mut text = header(plan, setting);
    for stage in ordered(plan) {
        let user = String::new();
        let made = BTreeSet::new();
        let making =
            Making { plan, stage, setting, text: Text::default(), user, made, knows_platform: false };
        text.push('\n');
        text.push_str(&making.stage());
    }
    Ejected { dockerfile: text, ignore: ignore(plan, setting) }
}

/// The stages in the plan's order, in which each comes after those that it uses, but for the image, which
/// comes last: without `--target` that is what is built. What starts from the image is left out.
fn ordered(plan: &Plan) -> Vec<&Stage> {
    let before =
        |stage: &&Stage| !reach::stages(plan, &stage.name).iter().any(|used| used.name == plan.runtime);
    plan.stages.iter().filter(before).chain(plan.stage(&plan.runtime)).collect()
}

fn header(plan: &Plan, setting: &Setting<'_>) -> String {
    let left_out: Vec<&str> = plan
        .stages
        .iter()
        .filter(|stage| !ordered(plan).iter().any(|known| known.name == stage.name))
        .map(|stage| stage.name.as_str())
        .collect();
    let mut text = format!(
        "# Component `{0}` of {1}, written by Slipway. Build it from the same context:\n\
         #\n\
         #   docker buildx build -f {0}/Dockerfile.compose .\n\
         #\n\
         # It gives the files and the configuration that `--target {0}` gives. What it cannot say: annotations;\n\
         # and labels and ports of the base stay, where a spec replaces them.\n\
         #\n\
         # Versions of packages come with the base's digest, package managers' caches are mounts, and steps are\n\
         # apart because they are cached apart:\n\
         # hadolint global ignore=DL3008,DL3018,DL3042,DL3059,DL3060,DL4006,SC2086\n",
        plan.component, setting.spec
    );
    if !left_out.is_empty() {
        let _ = writeln!(text, "# Left out, as it starts from the image: {}.", left_out.join(", "));
    }
    text
}

impl Making<'_> {
    fn stage(mut self) -> String {
        let from = match &self.stage.from {
            Base::Scratch => "scratch".to_owned(),
            Base::Stage(name) => name.clone(),
            Base::Image(name) => self.image(name),
        };
        let platform = match (&self.stage.from, self.stage.platform) {
            (Base::Image(_), StagePlatform::Build) => "--platform=$BUILDPLATFORM ",
            _ => "",
        };
        self.text.line(&format!("FROM {platform}{from} AS {}", self.stage.name));
        for step in &self.stage.steps {
            self.step(&step.action);
        }
        if self.stage.name == self.plan.runtime {
            for (name, _) in self.plan.requires.iter().filter(|(name, _)| name != VERIFY) {
                self.text.comment(&format!("Nothing is copied; but without `{name}` there is no image."));
                self.text.line(&format!("COPY --from={name} /.slipway-takes-nothing-of-thi[s] /"));
            }
            self.declare(&self.plan.image.clone());
        } else if let Some(image) = self.stage.image.clone() {
            self.declare(&image);
        }
        self.text.0
    }

    fn step(&mut self, action: &Action) {
        match action {
            Action::Accounts(user) => {
                let args = format!(
                    "accounts --base / --name {} --uid {} --gid {} --out /",
                    user.name, user.uid, user.gid
                );
                self.own(&[], &args.split(' ').map(str::to_owned).collect::<Vec<_>>());
            }
            Action::Copy(copy) => self.copy(copy),
            Action::Env { name, value } => self.text.line(&format!("ENV {name}={}", quoted(value))),
            Action::MakeDir(dir) => {
                let made = format!("{}:{:04o}:{}:{}", dir.path, dir.mode, dir.owner.uid, dir.owner.gid);
                self.own(&[], &["make".to_owned(), "--dir".to_owned(), made]);
            }
            Action::Rootfs(rootfs) => self.rootfs(rootfs),
            Action::Run(run) => self.run(run),
            Action::Symlink { target, path } => {
                self.own(&[], &["make".to_owned(), "--link".to_owned(), format!("{path}:{target}")]);
            }
            Action::User(user) => {
                self.user.clone_from(user);
                self.text.line(&format!("USER {user}"));
            }
            Action::Workdir(path) => self.text.line(&format!("WORKDIR {}", quoted(path))),
            Action::Write(write) => self.write(write),
        }
    }

    /// Runs Slipway's own binary in the stage, as root and without network.
    fn own(&mut self, mounts: &[String], args: &[String]) {
        let root = !matches!(self.user.as_str(), "" | "0" | "0:0" | "root");
        if root {
            self.text.line("USER 0:0");
        }
        let mut line =
            format!("RUN --network=none --mount=type=bind,from={},target=/.slipway", self.setting.frontend);
        for mount in mounts {
            let _ = write!(line, " \\\n    --mount={mount}");
        }
        let program = ["/.slipway/docker-slipway".to_owned(), "step".to_owned()];
        // Writing to a String cannot fail.
        let _ = write!(line, " \\\n    {}", words(program.iter().chain(args)));
        self.text.line(&line);
        if root {
            self.text.line(&format!("USER {}", self.user));
        }
    }

    /// An image's name, with its digest if the lock has one.
    fn image(&self, name: &str) -> String {
        match self.setting.lock.and_then(|lock| lock.digest(name)) {
            Some(locked) => format!("{name}@{}", locked.digest),
            None => name.to_owned(),
        }
    }

    /// What `--from` says; none for the build context.
    fn from(&self, from: &From) -> Option<String> {
        match from {
            From::Context | From::Url { .. } => None,
            From::Stage(name) => Some(name.clone()),
            From::Image(name) => Some(self.image(name)),
            From::Tools => Some(self.setting.frontend.to_owned()),
        }
    }

    /// The platform's facts can be used from here on.
    fn platform(&mut self) {
        if !self.knows_platform {
            self.knows_platform = true;
            self.text.line("ARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM BUILDARCH");
        }
    }
}

/// The ignore file: what the Dockerfile reads, without what the project keeps out.
fn ignore(plan: &Plan, setting: &Setting<'_>) -> String {
    let used = reach::context(ordered(plan));
    let mut text = format!(
        "# What `{}` reads of the build context, written by Slipway from {}.\n",
        plan.component, setting.spec
    );
    let mut lines: Vec<String> = Vec::new();
    if !used.everything {
        lines.push("*".to_owned());
        for path in &used.paths {
            lines.push(format!("!{path}"));
        }
    }
    lines.extend(used.exclude.iter().cloned());
    lines.extend(
        setting.ignore.iter().filter(|pattern| !pattern.starts_with('!') || used.everything).cloned(),
    );
    let mut known: Vec<&String> = Vec::new();
    for line in lines.iter().filter(|line| !line.is_empty()) {
        if !known.contains(&line) {
            known.push(line);
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
