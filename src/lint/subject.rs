//! What a rule looks at.

use crate::plan::{Action, Base, From, Plan, Stage};
use crate::recipe::Facts;
use crate::spec::running::Running;
use crate::spec::{Service, Spec};

/// One component, as it was written and as it is planned.
pub struct Subject<'a> {
    /// The whole file.
    pub spec: &'a Spec,
    /// The component's image.
    pub service: &'a Service,
    /// How it is made.
    pub plan: &'a Plan,
    /// What was read of its folder.
    pub facts: &'a Facts,
    /// What is kept out of the build context.
    pub ignore: &'a [String],
}

/// What a runtime stage stands on, as far as that tells which tools an image has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    /// Nothing but what is put there.
    Bare,
    /// Debian or Ubuntu: a shell, and neither curl nor wget.
    Debian,
    /// Alpine or busybox: a shell and wget.
    Busybox,
    /// An image of which nothing is known.
    Unknown,
}

impl Subject<'_> {
    /// How the component runs.
    pub(super) fn running(&self) -> Option<&Running> {
        self.spec.running_of(&self.service.name.value)
    }

    /// Another service of the file, by its name or an alias.
    pub(super) fn reachable(&self, host: &str) -> Option<&Running> {
        self.spec
            .running
            .iter()
            .find(|running| running.name.value == host || running.aliases.iter().any(|alias| alias == host))
    }

    /// The stage that is the image.
    pub(super) fn runtime(&self) -> Option<&Stage> {
        self.plan.stage(&self.plan.runtime)
    }

    /// The stages of the image and those below it, down to an image or nothing.
    pub(super) fn line(&self) -> Vec<&Stage> {
        let mut line = Vec::new();
        let mut next = self.runtime();
        while let Some(stage) = next {
            line.push(stage);
            next = match &stage.from {
                Base::Stage(name) if line.len() <= self.plan.stages.len() => self.plan.stage(name),
                _ => None,
            };
        }
        line
    }

    /// What the image stands on.
    pub(super) fn ground(&self) -> Ground {
        let line = self.line();
        match line.last().map(|stage| &stage.from) {
            Some(Base::Scratch) => Ground::Bare,
            Some(Base::Image(name)) => ground(name),
            _ => Ground::Unknown,
        }
    }

    /// Whether something on the way to the image may have brought further tools: a process that
    /// ran in it, or files of another image.
    pub(super) fn brings(&self, tool: &str) -> bool {
        self.line().iter().flat_map(|stage| &stage.steps).any(|step| match &step.action {
            Action::Run(run) => {
                let command = run.command.to_string();
                let mut words = command
                    .split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_+.".contains(letter)));
                words.any(|word| word == tool)
            }
            Action::Copy(copy) => {
                let named = copy.target.rsplit('/').next() == Some(tool)
                    || copy.sources.iter().any(|source| source.rsplit('/').next() == Some(tool));
                named || (copy.from != From::Context && copy.target == "/")
            }
            Action::Rootfs(rootfs) => {
                rootfs.program.as_deref().is_some_and(|program| program.rsplit('/').next() == Some(tool))
                    || rootfs.packages.iter().any(|package| package == tool)
                    || rootfs.keep.iter().any(|path| path.rsplit('/').next() == Some(tool))
            }
            _ => false,
        })
    }
}

fn ground(image: &str) -> Ground {
    let name = image.split('@').next().unwrap_or(image);
    let (repository, tag) = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((name, ""));
    let repository = repository.rsplit('/').next().unwrap_or(repository);
    let has = |word: &str| {
        repository == word
            || tag
                .split('-')
                .any(|part| part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') == word)
    };
    if has("alpine") || repository == "busybox" {
        Ground::Busybox
    } else if has("slim") || repository == "debian" || repository == "ubuntu" {
        Ground::Debian
    } else {
        Ground::Unknown
    }
}
