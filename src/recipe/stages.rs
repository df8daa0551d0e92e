//! Stages written by hand: the plan itself, in YAML.

use std::collections::BTreeMap;

use super::mounts::mounts;
use super::{Made, Request};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span, did_you_mean};
use crate::plan::{
    Action, Base, Copy, From, Image, MakeDir, Network, Owner, PlatformFact, Rootfs, Run, RuntimeKind, Scan,
    Stage, StagePlatform, Step, Write,
};
use crate::spec::Located;
use crate::spec::stages::{ActionSpec, CollectSpec, CopySpec, Mode, RunSpec, StageSpec};
use crate::target::Files;

/// The stages of a component, by name.
pub(super) type Named<'a> = BTreeMap<&'a str, &'a StageSpec>;

/// The permission bits of a new folder.
pub(super) const FOLDER_MODE: u32 = 0o755;

/// The stages of the component, each after those that it uses.
pub(super) fn make(request: &Request<'_>, problems: &mut Diagnostics) -> Option<Made> {
    let component = &request.service.component;
    let specs = &component.stages.as_ref()?.0;
    let named: Named<'_> = specs.iter().map(|(name, stage)| (name.value.as_str(), stage)).collect();
    for (name, _) in specs {
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if matches!(name.value.as_str(), "scratch" | "context" | "slipway" | "")
            || !name.value.chars().all(valid)
        {
            problems.push(
                Diagnostic::new(Code::Value, format!("`{}` cannot be a stage's name", name.value))
                    .at(&name.span)
                    .help("lower-case letters, digits, `-`, `_` and `.`; `scratch`, `context` and `slipway` have a meaning already"),
            );
        }
    }
    let stages: BTreeMap<&str, Stage> = specs
        .iter()
        .map(|(name, spec)| (name.value.as_str(), stage(request, &named, name, spec, problems)))
        .collect();
    let Some((last, _)) = specs.last() else {
        problems.push(Diagnostic::new(Code::MissingKey, "`stages` is empty").at(&component.span));
        return None;
    };
    for (name, _) in specs.iter().filter(|(name, _)| Files::named(&name.value).is_some()) {
        problems.push(
            Diagnostic::new(
                Code::Value,
                format!("every component has a target `{}`, so no stage can have that name", name.value),
            )
            .at(&name.span)
            .help("give the stage another name"),
        );
    }
    let runtime = component.target.as_ref().unwrap_or(last);
    if !named.contains_key(runtime.value.as_str()) {
        let help = did_you_mean(&runtime.value, named.keys().copied())
            .map(|meant| format!("did you mean `{meant}`?"));
        problems.push(
            Diagnostic::new(Code::UnknownStage, format!("there is no stage `{}`", runtime.value))
                .at(&runtime.span)
                .help_if(help),
        );
        return None;
    }
    let order: Vec<&str> = specs.iter().map(|(name, _)| name.value.as_str()).collect();
    let mut stages = sorted(&order, stages, problems)?;
    inherit_platforms(&mut stages, &|name| named.get(name).is_some_and(|spec| spec.platform.is_some()));
    Some(Made { runtime: runtime.value.clone(), ..Made::new(stages, Image::default()) })
}

/// A stage that starts from another one runs on its platform, unless it says otherwise.
pub(super) fn inherit_platforms(stages: &mut [Stage], says: &dyn Fn(&str) -> bool) {
    for index in 0..stages.len() {
        let below = match &stages[index].from {
            Base::Stage(name) if !says(&stages[index].name) => {
                stages.iter().find(|stage| stage.name == *name)
            }
            _ => None,
        };
        if let Some(platform) = below.map(|stage| stage.platform) {
            stages[index].platform = platform;
        }
    }
}

/// Each stage after those that it uses; otherwise in the order of the file.
fn sorted(
    order: &[&str],
    mut stages: BTreeMap<&str, Stage>,
    problems: &mut Diagnostics,
) -> Option<Vec<Stage>> {
    let mut done: Vec<Stage> = Vec::new();
    while !stages.is_empty() {
        let ready = order.iter().find(|name| {
            stages.get(**name).is_some_and(|stage| stage.uses().iter().all(|used| !stages.contains_key(used)))
        });
        if let Some(stage) = ready.and_then(|name| stages.remove(*name)) {
            done.push(stage);
            continue;
        }
        let (path, origin) = circle(&stages)?;
        problems.push(
            Diagnostic::new(
                Code::UnknownStage,
                format!("stages are made from each other: {}", path.join(" → ")),
            )
            .at(&origin)
            .help("one of them has to start from something else"),
        );
        return None;
    }
    Some(done)
}

/// A way through these stages that leads back to its start, and the place of its last step.
fn circle(stages: &BTreeMap<&str, Stage>) -> Option<(Vec<String>, Span)> {
    let mut path: Vec<&str> = vec![stages.keys().next()?];
    loop {
        let stage = stages.get(path.last()?)?;
        let next = stage.uses().into_iter().find(|used| stages.contains_key(used))?;
        if let Some(start) = path.iter().position(|known| *known == next) {
            let names = path.iter().skip(start).chain([&next]).map(|name| (*name).to_owned()).collect();
            let base = matches!(&stage.from, Base::Stage(name) if name == next);
            let sources = stage.sources();
            let copied = sources.iter().find(|(from, _)| matches!(from, From::Stage(name) if name == next));
            let origin = copied.filter(|_| !base).map_or(&stage.origin, |(_, origin)| origin);
            return Some((names, origin.clone()));
        }
        path.push(stages.get_key_value(next)?.0);
    }
}

fn stage(
    request: &Request<'_>,
    named: &Named<'_>,
    name: &Located<String>,
    spec: &StageSpec,
    problems: &mut Diagnostics,
) -> Stage {
    let from = match spec.from.value.as_str() {
        "scratch" => Base::Scratch,
        stage if named.contains_key(stage) => Base::Stage(stage.to_owned()),
        image => Base::Image(image.to_owned()),
    };
    let platform = choice(
        spec.platform.as_ref(),
        "platform",
        &[("target", StagePlatform::Target), ("build", StagePlatform::Build)],
        problems,
    );
    let mut steps = Vec::new();
    for step in &spec.steps {
        let made = |action| Step { action, origin: step.span.clone() };
        match &step.action {
            ActionSpec::Collect(collect) => steps.push(made(self::collect(named, collect, problems))),
            ActionSpec::Copy(copy) => {
                let copied = copy_step(request, copy, Some(named), problems);
                steps.extend(copied.map(|copied| Step { origin: step.span.clone(), ..copied }));
            }
            ActionSpec::Env(pairs) => {
                steps.extend(pairs.with_values().map(|(name, value)| {
                    made(Action::Env { name: name.to_owned(), value: value.to_owned() })
                }));
            }
            ActionSpec::MakeDir(dir) => steps.push(made(Action::MakeDir(MakeDir {
                path: dir.path.value.clone(),
                mode: plain_mode(dir.mode.as_ref(), FOLDER_MODE, problems),
                owner: owner(dir.owner.as_ref(), problems),
                link: false,
            }))),
            ActionSpec::Run(run) => {
                steps.push(made(Action::Run(Box::new(self::run(request, named, run, problems)))));
            }
            ActionSpec::Symlink(link) => {
                steps.push(made(Action::Symlink {
                    target: link.target.value.clone(),
                    path: link.path.value.clone(),
                }));
            }
            ActionSpec::User(user) => steps.push(made(Action::User(user.value.clone()))),
            ActionSpec::Workdir(path) => steps.push(made(Action::Workdir(path.value.clone()))),
            ActionSpec::Write(file) => steps.push(made(Action::Write(Write {
                path: file.path.value.clone(),
                content: file.content.clone(),
                mode: plain_mode(file.mode.as_ref(), 0o644, problems),
                owner: owner(file.owner.as_ref(), problems),
                link: file.link.unwrap_or(false),
            }))),
        }
    }
    Stage { name: name.value.clone(), from, platform, steps, origin: spec.from.span.clone(), image: None }
}

/// A copy of the spec's, as a step. Without stages, `from` is an image or the context.
pub(super) fn copy_step(
    request: &Request<'_>,
    copy: &CopySpec,
    named: Option<&Named<'_>>,
    problems: &mut Diagnostics,
) -> Option<Step> {
    let from = from(copy.from.as_ref(), named);
    let from = match (from, &copy.checksum) {
        (From::Url { url, .. }, checksum) => {
            From::Url { url, checksum: checksum.as_ref().map(|checksum| checksum.value.clone()) }
        }
        (from, Some(checksum)) => {
            problems.push(
                Diagnostic::new(Code::Value, "`checksum` is of a file or repository behind a URL")
                    .at(&checksum.span)
                    .help("remove it; images are pinned by a digest in their name"),
            );
            from
        }
        (from, None) => from,
    };
    let whole = match &from {
        From::Url { url, .. } if !crate::url::is_git(url) => Some(format!("/{}", crate::url::file_name(url))),
        From::Url { .. } => Some("/".to_owned()),
        _ => None,
    };
    if copy.source.0.is_empty() && whole.is_none() {
        problems.push(Diagnostic::new(Code::MissingKey, "`copy` needs a `source`").at(&copy.span));
        return None;
    }
    if copy.source.0.len() > 1 && !copy.target.value.ends_with('/') {
        problems.push(
            Diagnostic::new(Code::Value, "several sources need a folder as target")
                .at(&copy.target.span)
                .help(format!("write `{}/`", copy.target.value)),
        );
    }
    let in_source = |path: &str| {
        let inside = crate::paths::in_folder(&request.source, path);
        if path.ends_with('/') && !inside.ends_with('/') { inside + "/" } else { inside }
    };
    let sources = copy.source.0.iter().map(|source| match from {
        From::Context => in_source(&source.value),
        _ => source.value.clone(),
    });
    let sources: Vec<String> = sources.collect();
    let action = Action::Copy(Copy {
        sources: if sources.is_empty() { whole.into_iter().collect() } else { sources },
        unpack: copy.unpack.unwrap_or(false),
        from,
        target: copy.target.value.clone(),
        owner: owner(copy.owner.as_ref(), problems),
        mode: copy.mode.as_ref().map(|mode| mode.value.0),
        include: copy.include.0.iter().map(|pattern| pattern.value.clone()).collect(),
        exclude: copy.exclude.0.iter().map(|pattern| pattern.value.clone()).collect(),
        link: copy.link.unwrap_or(false),
    });
    Some(Step { action, origin: copy.span.clone() })
}

pub(super) fn from(name: Option<&Located<String>>, named: Option<&Named<'_>>) -> From {
    match name.map(|name| name.value.as_str()) {
        None | Some("context") => From::Context,
        Some(name) if named.is_some_and(|named| named.contains_key(name)) => From::Stage(name.to_owned()),
        Some("slipway") => From::Tools,
        Some(url) if url.contains("://") || url.starts_with("git@") => {
            From::Url { url: url.to_owned(), checksum: None }
        }
        Some(name) => From::Image(name.to_owned()),
    }
}

fn collect(named: &Named<'_>, spec: &CollectSpec, problems: &mut Diagnostics) -> Action {
    use RuntimeKind::{Java, Libraries, Nginx, Node, Plain, Python};
    let kinds = [Plain, Libraries, Node, Python, Java, Nginx].map(|kind| (kind.name(), kind));
    let scan = spec
        .scan
        .iter()
        .map(|scan| Scan { from: from(Some(&scan.from), Some(named)), path: scan.path.value.clone() });
    Action::Rootfs(Box::new(Rootfs {
        from: from(Some(&spec.from), Some(named)),
        runtime: choice(spec.runtime.as_ref(), "runtime", &kinds, problems),
        program: spec.program.as_ref().map(|program| program.value.clone()),
        keep: spec.keep.0.iter().map(|path| path.value.clone()).collect(),
        packages: spec.packages.0.iter().map(|name| name.value.clone()).collect(),
        scan: scan.collect(),
    }))
}

fn run(request: &Request<'_>, named: &Named<'_>, spec: &RunSpec, problems: &mut Diagnostics) -> Run {
    let networks = [("default", Network::Default), ("none", Network::None), ("host", Network::Host)];
    Run {
        command: spec.run.line.clone(),
        title: None,
        env: spec.env.with_values().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        platform_env: spec
            .platform_env
            .0
            .iter()
            .map(|(name, fact)| {
                (
                    name.value.clone(),
                    choice(Some(fact), "fact about a platform", &PlatformFact::ALL, problems),
                )
            })
            .collect(),
        mounts: mounts(request, named, spec, problems),
        network: choice(spec.network.as_ref(), "network", &networks, problems),
        insecure: choice(
            spec.security.as_ref(),
            "security",
            &[("sandbox", false), ("insecure", true)],
            problems,
        ),
        user: spec.user.as_ref().map(|user| user.value.clone()),
    }
}

/// One of a few words; the first is the default.
pub(super) fn choice<T: Clone + Default>(
    given: Option<&Located<String>>,
    what: &str,
    words: &[(&str, T)],
    problems: &mut Diagnostics,
) -> T {
    let Some(given) = given else { return words.first().map(|(_, value)| value.clone()).unwrap_or_default() };
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == given.value) {
        return value.clone();
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let help = match did_you_mean(&given.value, names.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("one of: {}", names.join(", ")),
    };
    problems.push(
        Diagnostic::new(Code::Value, format!("`{}` is no {what}", given.value)).at(&given.span).help(help),
    );
    T::default()
}

/// Permission bits for what is made new. BuildKit drops the bits above them without a word.
pub(super) fn plain_mode(given: Option<&Located<Mode>>, default: u32, problems: &mut Diagnostics) -> u32 {
    let Some(given) = given else { return default };
    if given.value.0 > 0o777 {
        problems.push(
            Diagnostic::new(Code::Value, "set-uid, set-gid and sticky bits cannot be set here")
                .at(&given.span)
                .help("use a `run` step with chmod, or `copy` with a mode"),
        );
    }
    given.value.0 & 0o777
}

/// `uid` or `uid:gid`. Names are refused: whether a base knows them is not known here, and
/// BuildKit would silently take root for one that it does not.
fn owner(given: Option<&Located<String>>, problems: &mut Diagnostics) -> Owner {
    let Some(given) = given else { return Owner::default() };
    let (user, group) = given.value.split_once(':').unwrap_or((&given.value, &given.value));
    if let (Ok(uid), Ok(gid)) = (user.parse(), group.parse()) {
        Owner { uid, gid }
    } else {
        problems.push(not_numeric(&given.value, &given.span));
        Owner::default()
    }
}

fn not_numeric(given: &str, span: &Span) -> Diagnostic {
    Diagnostic::new(Code::Value, format!("`{given}` is no numeric owner"))
        .at(span)
        .help("write `uid` or `uid:gid`, such as `1001:1001`")
}
