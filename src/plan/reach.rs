//! What a stage reaches: the stages below it, the images that they start from or copy from,
//! and the paths of the build context that they read.

use std::collections::BTreeSet;

use super::{Action, Base, Copy, From, Mount, Plan, Stage, StagePlatform};
use crate::diagnostic::Span;

/// An image that a plan uses.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageUse {
    /// Its name as written.
    pub name: String,
    /// Whose platform it is wanted for.
    pub platform: StagePlatform,
    /// The place that asked for it.
    pub origin: Span,
}

/// The stages that building `target` needs, itself included, in the plan's order.
pub fn stages<'p>(plan: &'p Plan, target: &str) -> Vec<&'p Stage> {
    let mut wanted = BTreeSet::from([target.to_owned()]);
    if target == plan.runtime {
        wanted.extend(plan.requires.iter().map(|(name, _)| name.clone()));
    }
    // Each stage stands after those that it uses, so one walk from the end is enough.
    let mut reached: Vec<&Stage> = plan
        .stages
        .iter()
        .rev()
        .filter(|stage| {
            let reached = wanted.contains(&stage.name);
            if reached {
                wanted.extend(stage.uses().into_iter().map(str::to_owned));
            }
            reached
        })
        .collect();
    reached.reverse();
    reached
}

/// The images that these stages use, each once per platform.
pub fn images(stages: &[&Stage]) -> Vec<ImageUse> {
    let mut found: Vec<ImageUse> = Vec::new();
    for stage in stages {
        let base = match &stage.from {
            Base::Image(name) => Some((name, &stage.origin)),
            _ => None,
        };
        let copied = stage.sources().into_iter().filter_map(|(from, origin)| match from {
            From::Image(name) => Some((name, origin)),
            _ => None,
        });
        for (name, origin) in base.into_iter().chain(copied) {
            if !found.iter().any(|known| known.name == *name && known.platform == stage.platform) {
                found.push(ImageUse { name: name.clone(), platform: stage.platform, origin: origin.clone() });
            }
        }
    }
    found
}

/// What of the build context these stages read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextUse {
    /// Paths and patterns, without a leading slash. Empty with `everything` for all of it.
    pub paths: BTreeSet<String>,
    /// Whether the whole context is read.
    pub everything: bool,
    /// Patterns that nothing of this wants.
    pub exclude: BTreeSet<String>,
}

impl ContextUse {
    /// Whether the context is read at all.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.everything
    }
}

/// What of the build context these stages read.
pub fn context<'s>(stages: impl IntoIterator<Item = &'s Stage>) -> ContextUse {
    let mut used = ContextUse::default();
    let mut excluded: Option<BTreeSet<String>> = None;
    let mut read = |sources: &[String], exclude: &[String], used: &mut ContextUse| {
        for source in sources {
            let path = source.trim_matches('/');
            if path.is_empty() || path == "." {
                used.everything = true;
            } else {
                used.paths.insert(path.to_owned());
            }
        }
        let exclude: BTreeSet<String> =
            exclude.iter().filter(|pattern| whole_folder(pattern)).cloned().collect();
        excluded = Some(match excluded.take() {
            Some(known) => known.intersection(&exclude).cloned().collect(),
            None => exclude,
        });
    };
    for stage in stages {
        for step in &stage.steps {
            match &step.action {
                // Whether a source is a file or a folder is not known here, so each copy has a say in
                // what need not be sent.
                Action::Copy(Copy { from: From::Context, sources, include, exclude, .. }) => {
                    if include.is_empty() {
                        read(sources, exclude, &mut used);
                    } else {
                        read(&included(sources, include), exclude, &mut used);
                    }
                }
                Action::Run(run) => {
                    for mount in &run.mounts {
                        if let Mount::Bind { from: From::Context, source, .. }
                        | Mount::Cache { initial: Some((From::Context, source)), .. } = mount
                        {
                            read(std::slice::from_ref(source), &[], &mut used);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    let named_inside = |pattern: &str| {
        let name = pattern.trim_start_matches("**/");
        used.paths.iter().any(|path| path.split('/').any(|part| part == name))
    };
    used.exclude =
        excluded.unwrap_or_default().into_iter().filter(|pattern| !named_inside(pattern)).collect();
    if used.everything {
        used.paths.clear();
    }
    used
}

/// The paths in the context of what a copy includes of its sources.
fn included(sources: &[String], include: &[String]) -> Vec<String> {
    let patterns = |source: &String| {
        let source = source.trim_matches('/').to_owned();
        include.iter().map(move |pattern| crate::paths::in_folder(&source, pattern.trim_end_matches("/**")))
    };
    sources.iter().flat_map(patterns).collect()
}

/// Patterns that keep whole folders from being sent; single files are cheap, and may be named.
fn whole_folder(pattern: &str) -> bool {
    matches!(pattern, "**/node_modules" | "**/.git")
}
