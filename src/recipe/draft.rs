//! A stage in the making: what recipes write their stages with.

use std::collections::BTreeMap;

use super::{Request, packages};
use crate::diagnostic::Span;
use crate::plan::{
    Action, Base, Copy, From, Image, Mount, MountOwner, Network, PlatformFact, Rootfs, Run, Sharing, Stage,
    StagePlatform, Step,
};
use crate::spec::values::CommandLine;

/// A stage in the making. Its steps are the recipe's, unless another place asked for them.
pub(super) struct Draft {
    stage: Stage,
    origin: Span,
}

impl Draft {
    /// A stage on an image or another stage.
    pub(super) fn new(request: &Request<'_>, name: &str, from: Base) -> Self {
        let origin = request.recipe_span().clone();
        let stage = Stage {
            name: name.to_owned(),
            from,
            platform: StagePlatform::Target,
            steps: Vec::new(),
            origin: origin.clone(),
            image: None,
        };
        Self { stage, origin }
    }

    /// On an image.
    pub(super) fn on_image(request: &Request<'_>, name: &str, image: impl Into<String>) -> Self {
        Self::new(request, name, Base::Image(image.into()))
    }

    /// On another stage.
    pub(super) fn on_stage(request: &Request<'_>, name: &str, stage: &str) -> Self {
        Self::new(request, name, Base::Stage(stage.to_owned()))
    }

    /// The place that chose the base.
    pub(super) fn chosen_at(mut self, origin: &Span) -> Self {
        self.stage.origin = origin.clone();
        self
    }

    /// Whose platform it has.
    pub(super) fn platform(mut self, platform: StagePlatform) -> Self {
        self.stage.platform = platform;
        self
    }

    /// With the spec's `build_packages`.
    pub(super) fn build_packages(self, request: &Request<'_>) -> Self {
        let wanted = &request.service.component.build_packages.0;
        let Some(first) = wanted.first() else { return self };
        let names: Vec<String> = wanted.iter().map(|package| package.value.clone()).collect();
        self.run_at(packages::install(&names), &first.span)
    }

    /// What an image of this stage declares.
    pub(super) fn image(mut self, image: Image) -> Self {
        self.stage.image = Some(image);
        self
    }

    /// Another step, which a place of the spec asked for.
    pub(super) fn step_at(mut self, action: Action, origin: &Span) -> Self {
        self.stage.steps.push(Step { action, origin: origin.clone() });
        self
    }

    /// Another step.
    pub(super) fn step(self, action: Action) -> Self {
        let origin = self.origin.clone();
        self.step_at(action, &origin)
    }

    /// Further steps.
    pub(super) fn steps(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.stage.steps.extend(steps);
        self
    }

    pub(super) fn workdir(self, path: &str) -> Self {
        self.step(Action::Workdir(path.to_owned()))
    }

    pub(super) fn env(self, name: &str, value: &str) -> Self {
        self.step(Action::Env { name: name.to_owned(), value: value.to_owned() })
    }

    pub(super) fn copy(self, copy: Copy) -> Self {
        self.step(Action::Copy(copy))
    }

    pub(super) fn copy_at(self, copy: Copy, origin: &Span) -> Self {
        self.step_at(Action::Copy(copy), origin)
    }

    pub(super) fn run(self, run: Run) -> Self {
        self.step(Action::Run(Box::new(run)))
    }

    pub(super) fn run_at(self, run: Run, origin: &Span) -> Self {
        self.step_at(Action::Run(Box::new(run)), origin)
    }

    pub(super) fn rootfs(self, rootfs: Rootfs) -> Self {
        self.step(Action::Rootfs(Box::new(rootfs)))
    }

    pub(super) fn done(self) -> Stage {
        self.stage
    }
}

/// A command for a shell.
pub(super) fn shell(text: impl Into<String>) -> CommandLine {
    CommandLine::Shell(text.into())
}

/// A process in the making.
pub(super) fn run(command: CommandLine) -> Run {
    Run::new(command)
}

impl Run {
    /// With what people see instead of a long command.
    pub(super) fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// With environment for it alone.
    pub(super) fn with_env<'e>(mut self, env: impl IntoIterator<Item = (&'e str, &'e str)>) -> Self {
        self.env.extend(env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    /// With environment that says for which platform the image is.
    pub(super) fn for_platform<'e>(mut self, env: impl IntoIterator<Item = (&'e str, PlatformFact)>) -> Self {
        self.platform_env.extend(env.into_iter().map(|(name, fact)| (name.to_owned(), fact)));
        self
    }

    /// With the spec's `build_env`, which has the last word.
    pub(super) fn with_build_env(self, request: &Request<'_>) -> Self {
        let pairs: BTreeMap<&str, &str> = request.service.component.build_env.with_values().collect();
        self.with_env(pairs)
    }

    /// With a folder that stays from build to build.
    pub(super) fn cached(mut self, target: &str, id: &str, sharing: Sharing) -> Self {
        self.mounts.push(Mount::Cache {
            target: target.to_owned(),
            id: id.to_owned(),
            sharing,
            initial: None,
            owner: MountOwner::default(),
        });
        self
    }

    /// With files of another stage.
    pub(super) fn bound(mut self, from: From, source: &str, target: &str) -> Self {
        self.mounts.push(Mount::Bind {
            from,
            source: source.to_owned(),
            target: target.to_owned(),
            writable: false,
        });
        self
    }

    /// With this network.
    pub(super) fn on_network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }
}

/// A copy from another stage or image that does not depend on what lies below.
pub(super) fn layer(from: From, source: impl Into<String>, target: impl Into<String>) -> Copy {
    Copy { from, sources: vec![source.into()], target: target.into(), link: true, ..Copy::default() }
}

/// A copy of the component's folder, without what these patterns name.
pub(super) fn source(request: &Request<'_>, target: &str, exclude: &[&str]) -> Copy {
    Copy {
        sources: vec![format!("{}/", request.source)],
        target: format!("{target}/"),
        exclude: patterns(exclude),
        ..Copy::default()
    }
}

pub(super) fn patterns(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|pattern| (*pattern).to_owned()).collect()
}

/// The stage `package`: what the stage `pack` put into `/package`, to be published.
pub(super) fn published(request: &Request<'_>) -> Stage {
    Draft::new(request, "package", Base::Scratch).copy(layer(stage("pack"), "/package/", "/")).done()
}

/// Another stage, as a source of files.
pub(super) fn stage(name: &str) -> From {
    From::Stage(name.to_owned())
}
