//! A plan's stages as LLB.
//!
//! A stage in the making is a [`State`]: a file system, and the configuration that an image of
//! it would have. The file system is a base with layers on top that do not depend on it; they
//! are merged only when a process has to see them together, so that a new base leaves the
//! layers as they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use buildkit_llb::{
    Chown, Copy as CopyFile, Exec, File, LineRange, Location, MakeDir, MakeFile, Metadata, Mount as LlbMount,
    Network as LlbNetwork, Output, Platform, ProgressGroup, Security, SourceFile, Symlink, Timestamp, merge,
    source,
};

use super::TOOLS;
use super::config::ImageConfig;
use super::git;
use super::mounts::ssh_socket;
use super::paths::{absolute, joined, joined_target};
use super::proof::Proof;
use super::setting::{FoundImage, Setting};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::plan::{
    Action, Base, Copy, From, Mount, Network, Owner, Plan, PlatformFact, Run, Stage, StagePlatform, Step,
};

/// A stage that is done.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Its file system; none for an empty one.
    pub output: Option<Output>,
    /// The configuration of an image of it.
    pub config: ImageConfig,
    /// The configuration of the image that it stands on, as it was found.
    pub base_config: Option<Vec<u8>>,
    /// What the proof of its contract found; none unless it is an image whose proof is asked for.
    pub proof: Option<Proof>,
}

/// Lowers the stages that `target` needs, and gives that one.
pub fn lower(plan: &Plan, target: &str, setting: &Setting<'_>) -> Result<Lowered, Diagnostic> {
    let mut done: BTreeMap<&str, State> = BTreeMap::new();
    for stage in crate::plan::reach::stages(plan, target) {
        let lowering = Lowering { plan, stage, setting, done: &done };
        let state = lowering.stage()?;
        done.insert(&stage.name, state);
    }
    let stage = plan.stage(target).zip(done.remove(target));
    let Some((stage, mut state)) = stage else {
        return Err(Diagnostic::new(
            Code::UnknownStage,
            format!("`{}` has no stage `{target}`", plan.component),
        ));
    };
    let mut config = state.config.clone();
    config.ensure_path();
    if target == plan.runtime {
        config.apply(&plan.image);
    } else if let Some(image) = &stage.image {
        config.apply(image);
    }
    let lowering = Lowering { plan, stage, setting, done: &done };
    let mut output = lowering.flatten(&mut state);
    let mut proof = None;
    if target == plan.runtime {
        proof = lowering.proof(output.as_ref(), &config, &state.made)?;
        output = lowering.gated(output, proof.as_ref())?;
    }
    Ok(Lowered { output, config, base_config: state.base_config, proof })
}

/// A stage in the making.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) base: Option<Output>,
    /// Layers that do not depend on the base.
    pub(super) layers: Vec<Output>,
    pub(super) config: ImageConfig,
    base_config: Option<Vec<u8>>,
    /// What each step added, by the step's words.
    pub(super) made: Vec<(String, Made)>,
}

/// What a step added to a file system.
#[derive(Clone, Debug)]
pub(super) enum Made {
    /// A layer of its own.
    Layer(Output),
    /// The difference between what was there before it and after it.
    Change(Option<Output>, Output),
}

/// One stage's lowering.
pub(super) struct Lowering<'a> {
    pub(super) plan: &'a Plan,
    pub(super) stage: &'a Stage,
    pub(super) setting: &'a Setting<'a>,
    done: &'a BTreeMap<&'a str, State>,
}

impl Lowering<'_> {
    pub(super) fn platform(&self) -> &Platform {
        match self.stage.platform {
            StagePlatform::Build => self.setting.build_platform,
            StagePlatform::Target => self.setting.target_platform,
        }
    }

    fn platform_fact(&self, fact: PlatformFact) -> String {
        let (target, build) = (self.setting.target_platform, self.setting.build_platform);
        match fact {
            PlatformFact::Platform => target.to_string(),
            PlatformFact::Os => target.os.clone(),
            PlatformFact::Arch => target.architecture.clone(),
            PlatformFact::Variant => target.variant.clone(),
            PlatformFact::Arm => target.variant.trim_start_matches('v').to_owned(),
            PlatformFact::BuildPlatform => build.to_string(),
            PlatformFact::BuildArch => build.architecture.clone(),
        }
    }

    /// The name that progress shows, and the lines of the spec.
    pub(super) fn metadata(&self, what: &str, origin: &Span) -> Metadata {
        let platform =
            if self.setting.name_platform { format!("{} ", self.platform()) } else { String::new() };
        let name = format!("[{platform}{} {}] {what}", self.plan.component, self.stage.name);
        Metadata::named(name).location(location(self.setting.file, origin))
    }

    pub(super) fn step_metadata(&self, step: &Step) -> Metadata {
        let no_cache = self.setting.no_cache.covers(&self.plan.component, &self.stage.name);
        self.metadata(&step.action.to_string(), &step.origin).ignore_cache(no_cache)
    }

    fn stage(&self) -> Result<State, Diagnostic> {
        let mut state = match &self.stage.from {
            Base::Scratch => State {
                base: None,
                layers: Vec::new(),
                config: ImageConfig::scratch(),
                base_config: None,
                made: Vec::new(),
            },
            Base::Stage(name) => self.other_stage(name)?.clone(),
            Base::Image(name) => {
                let found = self.image(name)?;
                State {
                    base: found.output.clone(),
                    layers: Vec::new(),
                    config: found.config.clone(),
                    base_config: found.raw_config.clone(),
                    made: Vec::new(),
                }
            }
        };
        for step in &self.stage.steps {
            let before = state.clone();
            self.step(&mut state, step)?;
            self.note_made(before, &mut state, &step.action.to_string());
        }
        Ok(state)
    }

    /// Keeps in mind what a step added: what is shipped is more than what can be seen in the end.
    fn note_made(&self, mut before: State, state: &mut State, step: &str) {
        let known = before.layers.len();
        if state.layers.len() > known {
            let new = state.layers.iter().skip(known).cloned();
            state.made.extend(new.map(|layer| (step.to_owned(), Made::Layer(layer))).collect::<Vec<_>>());
        } else if let Some(after) = state.base.clone().filter(|_| before.base != state.base) {
            let below = self.flatten(&mut before);
            state.made.push((step.to_owned(), Made::Change(below, after)));
        }
    }

    pub(super) fn image(&self, name: &str) -> Result<&FoundImage, Diagnostic> {
        self.setting.images.get(&(name.to_owned(), self.platform().clone())).ok_or_else(|| {
            Diagnostic::new(Code::BaseImage, format!("the image `{name}` was not resolved"))
                .at(&self.stage.origin)
        })
    }

    pub(super) fn other_stage(&self, name: &str) -> Result<&State, Diagnostic> {
        self.done.get(name).ok_or_else(|| {
            Diagnostic::new(Code::UnknownStage, format!("there is no stage `{name}`")).at(&self.stage.origin)
        })
    }

    /// The stage's file system as one.
    pub(super) fn flatten(&self, state: &mut State) -> Option<Output> {
        if !state.layers.is_empty() {
            let all: Vec<Output> = state.base.take().into_iter().chain(state.layers.drain(..)).collect();
            state.base = merge(&all, &self.metadata("put layers together", &self.stage.origin));
        }
        state.base.clone()
    }

    /// File actions either on the stage's file system, or as a layer of their own.
    fn files(&self, state: &mut State, step: &Step, link: bool, actions: impl FnOnce(File) -> File) {
        let group = ProgressGroup {
            id: format!("{}:{}:{}", self.plan.component, self.stage.name, step.action),
            name: step.action.to_string(),
            weak: true,
        };
        let metadata = self.step_metadata(step);
        let layer = link && self.setting.can_merge;
        let on = match (layer, self.flatten_unless(layer, state)) {
            (false, Some(base)) => File::on(&base),
            _ => File::on_scratch(),
        };
        let metadata = if layer { metadata.progress_group(group) } else { metadata };
        let Some(output) = actions(on).build(&metadata) else { return };
        if layer {
            state.layers.push(output);
        } else {
            state.base = Some(output);
        }
        state.config.add_history(&step.action.to_string());
    }

    fn flatten_unless(&self, layer: bool, state: &mut State) -> Option<Output> {
        if layer { None } else { self.flatten(state) }
    }

    fn step(&self, state: &mut State, step: &Step) -> Result<(), Diagnostic> {
        let timestamp = self.timestamp();
        match &step.action {
            Action::Accounts(user) => self.accounts(state, step, user)?,
            Action::Copy(copy) => self.copy(state, step, copy)?,
            Action::Env { name, value } => state.config.set_env(name, value),
            Action::MakeDir(dir) => self.files(state, step, dir.link, |file| {
                // The folders above it are root's and plain, whoever owns the folder itself.
                let path = absolute(&dir.path);
                self.parents_of(&path, file).make_dir(MakeDir {
                    path,
                    mode: dir.mode,
                    parents: true,
                    owner: Some(chown(dir.owner)),
                    timestamp,
                })
            }),
            Action::Rootfs(rootfs) => self.rootfs(state, step, rootfs)?,
            Action::Run(run) => self.run(state, step, run)?,
            Action::Symlink { target, path } => self.files(state, step, false, |file| {
                file.symlink(Symlink { target: target.clone(), link: absolute(path), owner: None, timestamp })
            }),
            Action::User(user) => state.config.set_user(user),
            Action::Workdir(path) => {
                let path = joined(&state.config.working_dir(), path);
                state.config.set_working_dir(&path);
                if path != "/" {
                    let dir = MakeDir { path, mode: 0o755, parents: true, owner: None, timestamp };
                    // A merge for the folder alone would be no gain.
                    let link = !state.layers.is_empty();
                    self.files(state, step, link, |file| file.make_dir(dir));
                }
            }
            Action::Write(write) => self.files(state, step, write.link, |file| {
                let path = absolute(&write.path);
                self.parents_of(&path, file).make_file(MakeFile {
                    path,
                    mode: write.mode,
                    data: write.content.clone().into_bytes(),
                    owner: Some(chown(write.owner)),
                    timestamp,
                })
            }),
        }
        Ok(())
    }

    /// The time on what Slipway itself makes: `SOURCE_DATE_EPOCH` in the image. Stages that only
    /// build have one time for ever, so that a new epoch does not run them again.
    pub(super) fn epoch(&self) -> i64 {
        if self.stage.name == self.plan.runtime { self.setting.epoch.max(0) } else { 0 }
    }

    pub(super) fn timestamp(&self) -> Timestamp {
        Timestamp::Nanoseconds(self.epoch().saturating_mul(1_000_000_000))
    }

    /// Makes the folders above a path.
    fn parents_of(&self, path: &str, file: File) -> File {
        match crate::paths::parent(path) {
            "" => file,
            parent => {
                let timestamp = self.timestamp();
                file.make_dir(MakeDir {
                    path: parent.to_owned(),
                    mode: 0o755,
                    parents: true,
                    owner: None,
                    timestamp,
                })
            }
        }
    }

    pub(super) fn source(&self, from: &From, origin: &Span) -> Result<Option<Output>, Diagnostic> {
        match from {
            From::Context => self.setting.context.cloned().map(Some).ok_or_else(|| {
                Diagnostic::new(Code::MissingSource, "the build has no context to copy from").at(origin)
            }),
            From::Image(name) => Ok(self.image(name)?.output.clone()),
            From::Stage(name) => self.stage_output(name),
            From::Tools => Ok(Some(self.helper(origin)?.clone())),
            From::Url { url, checksum } => self.url(url, checksum.as_deref(), origin).map(Some),
        }
    }

    /// A git repository, or a file behind a URL under the URL's last name.
    fn url(&self, url: &str, checksum: Option<&str>, origin: &Span) -> Result<Output, Diagnostic> {
        let wrong = |why: String| Diagnostic::new(Code::Value, format!("`{url}`: {why}")).at(origin);
        let source = match git::context(url).map_err(wrong)? {
            Some(git) => git,
            None => source::http(url).filename(&crate::url::file_name(url)),
        };
        let source = match checksum {
            Some(checksum) => source.checksum(checksum),
            None => source,
        };
        Ok(source.build(&self.metadata(&format!("load {url}"), origin)))
    }

    /// The file system of another stage.
    pub(super) fn stage_output(&self, name: &str) -> Result<Option<Output>, Diagnostic> {
        let mut state = self.other_stage(name)?.clone();
        Ok(self.flatten(&mut state))
    }

    /// The frontend's own image.
    pub(super) fn helper(&self, origin: &Span) -> Result<&Output, Diagnostic> {
        self.setting.helper.ok_or_else(|| {
            Diagnostic::new(Code::Engine, "this engine is too old: it does not tell a frontend its own image, whose programs run in build steps")
                .at(origin)
                .help("update to Docker Engine 23 (BuildKit 0.10) or newer")
        })
    }

    fn copy(&self, state: &mut State, step: &Step, copy: &Copy) -> Result<(), Diagnostic> {
        let Some(source) = self.source(&copy.from, &step.origin)? else {
            return Err(
                Diagnostic::new(Code::MissingSource, "the stage to copy from is empty").at(&step.origin)
            );
        };
        let working_dir = state.config.working_dir();
        let target = joined_target(&working_dir, &copy.target);
        self.files(state, step, copy.link, |file| {
            // A copy makes the folders above its target, but with its own mode and the time of
            // the build; ours are plain and the same every time.
            let file = if copy.link || copy.mode.is_some() { self.parents_of(&target, file) } else { file };
            copy.sources.iter().fold(file, |file, path| {
                let path = match copy.from {
                    From::Tools => {
                        format!("{TOOLS}/{}/{}/{path}", self.platform().os, self.platform().architecture)
                    }
                    _ => absolute(path),
                };
                let mut action = CopyFile::new(path, target.clone());
                action.owner = Some(chown(copy.owner));
                action.mode = copy.mode;
                action.include.clone_from(&copy.include);
                action.exclude.clone_from(&copy.exclude);
                action.unpack = copy.unpack;
                file.copy(&source, action)
            })
        });
        Ok(())
    }

    fn run(&self, state: &mut State, step: &Step, run: &Run) -> Result<(), Diagnostic> {
        let mut exec =
            Exec::new(run.command.args()).platform(self.platform()).cwd(&state.config.working_dir());
        let mut env = state.config.clone();
        env.ensure_path();
        for (name, fact) in &run.platform_env {
            env.set_env(name, &self.platform_fact(*fact));
        }
        for (name, value) in &run.env {
            env.set_env(name, value);
        }
        for (name, value) in env.env() {
            exec = exec.env(&name, &value);
        }
        // As BuildKit's own client has it: the first agent, unless the spec says otherwise.
        let agent = run.mounts.iter().find_map(|mount| match mount {
            Mount::Ssh { id, target, .. } => Some(target.clone().unwrap_or_else(|| ssh_socket(id))),
            _ => None,
        });
        if let Some(socket) = agent.filter(|_| !env.env().iter().any(|(name, _)| name == "SSH_AUTH_SOCK")) {
            exec = exec.env("SSH_AUTH_SOCK", &socket);
        }
        if let Some(user) = run.user.clone().or_else(|| state.config.user()) {
            exec = exec.user(&user);
        }
        let root = match self.flatten(state) {
            Some(root) => LlbMount::bind("/", &root),
            None => LlbMount::scratch("/"),
        };
        exec = exec.mount(root.with_output());
        exec = self.mounts(exec, run, &step.origin)?;
        let network = match run.network {
            Network::None => LlbNetwork::None,
            Network::Host => LlbNetwork::Host,
            Network::Default => self.setting.processes.network.unwrap_or_default(),
        };
        exec =
            exec.network(network).security(if run.insecure { Security::Insecure } else { Security::Sandbox });
        exec = self.setting.processes.apply(exec);
        let metadata = match &self.setting.processes.resources {
            Some(resources) => self.step_metadata(step).resources(resources.clone()),
            None => self.step_metadata(step),
        };
        state.base = Some(exec.build(&metadata).root());
        state.config.add_history(&step.action.to_string());
        Ok(())
    }
}

/// The lines of a place, for source maps. A place in another file (a service that was extended)
/// is shown there.
pub fn location(file: &Arc<SourceFile>, span: &Span) -> Location {
    let line = |line: usize| i32::try_from(line).unwrap_or(i32::MAX);
    let file = if span.file.name == file.filename {
        file.clone()
    } else {
        Arc::new(SourceFile {
            filename: span.file.name.clone(),
            data: span.file.text.clone().into_bytes(),
            language: file.language.clone(),
            definition: None,
        })
    };
    Location { file, ranges: vec![LineRange { first: line(span.line()), last: line(span.last_line()) }] }
}

fn chown(owner: Owner) -> Chown {
    Chown::ids(owner.uid, owner.gid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceText;
    use crate::lower::setting::{FoundImages, NoCache, ProcessOptions};
    use crate::plan::Sharing;
    use crate::plan::{Copy, Image, Run, Stage, Write};
    use crate::spec::values::CommandLine;

    fn plan() -> Plan {
        let file = Arc::new(SourceText { name: "x.yaml".to_owned(), text: "one\ntwo\nthree\n".to_owned() });
        let origin = Span::new(&file, 4..7);
        let step = |action| Step { action, origin: origin.clone() };
        let stage = |name: &str, from, steps| Stage {
            name: name.to_owned(),
            from,
            platform: StagePlatform::Target,
            steps,
            origin: origin.clone(),
            image: None,
        };
        let copied = Copy {
            from: From::Stage("build".to_owned()),
            sources: vec!["/out".to_owned()],
            target: "/app/out".to_owned(),
            link: true,
            ..Copy::default()
        };
        let written = Write {
            path: "/etc/x/y".to_owned(),
            content: "z".to_owned(),
            mode: 0o600,
            owner: Owner::default(),
            link: true,
        };
        let mut run = Run::new(CommandLine::Shell("make".to_owned()));
        run.network = Network::None;
        run.mounts = vec![Mount::Cache {
            target: "/c".to_owned(),
            id: "c".to_owned(),
            sharing: Sharing::Locked,
            initial: None,
            owner: crate::plan::MountOwner::default(),
        }];
        Plan {
            component: "api".to_owned(),
            stages: vec![
                stage("build", Base::Image("base".to_owned()), vec![step(Action::Run(Box::new(run)))]),
                stage(
                    "runtime",
                    Base::Scratch,
                    vec![step(Action::Copy(copied)), step(Action::Write(written))],
                ),
            ],
            runtime: "runtime".to_owned(),
            image: Image::default(),
            contract: Box::new(crate::plan::contract::Contract::nothing(origin.clone())),
            source: String::new(),
            requires: Vec::new(),
            archetype: crate::plan::Archetype::Service,
            found: Vec::new(),
        }
    }

    fn definition(can_merge: bool) -> buildkit_llb::Definition {
        let platform = Platform::linux("amd64");
        let image = buildkit_llb::source::image("docker.io/library/base:latest").platform(&platform);
        let found = FoundImage {
            output: Some(image.build(&Metadata::default())),
            config: ImageConfig::scratch(),
            raw_config: None,
            digest: None,
        };
        let file = SourceFile {
            filename: "x.yaml".to_owned(),
            data: b"one\ntwo\nthree\n".to_vec(),
            language: "YAML".to_owned(),
            definition: None,
        };
        let setting = Setting {
            images: &FoundImages::from([(("base".to_owned(), platform.clone()), found)]),
            context: None,
            helper: None,
            file: &Arc::new(file),
            build_platform: &platform,
            target_platform: &platform,
            name_platform: false,
            cache_namespace: "slipway/test",
            no_cache: NoCache::No,
            processes: &ProcessOptions::default(),
            epoch: 0,
            can_merge,
            proof: None,
        };
        lower(&plan(), "runtime", &setting).expect("lowers").output.expect("not empty").marshal()
    }

    #[test]
    fn the_same_plan_has_the_same_bytes_and_every_vertex_its_lines() {
        let first = definition(true);
        for _ in 0..20 {
            assert_eq!(definition(true), first);
        }
        let source = first.source.as_ref().expect("a source map");
        // The image's lines are added by whoever resolved it; the last op is no vertex.
        assert_eq!(source.locations.len(), first.def.len() - 2);
        assert_eq!(first.metadata.len(), first.def.len());
    }

    /// Caches of another project or platform are other caches; a step without network has none.
    #[test]
    fn caches_are_named_by_project_and_platform() {
        use buildkit_llb::pb::{self, op::Op};
        use prost::Message;
        let execs =
            definition(true).def.into_iter().filter_map(|bytes| match pb::Op::decode(bytes.as_slice()) {
                Ok(pb::Op { op: Some(Op::Exec(exec)), .. }) => Some(exec),
                _ => None,
            });
        let exec = execs.into_iter().next().expect("a process");
        let ids =
            exec.mounts.iter().filter_map(|mount| mount.cache_opt.as_ref()).map(|cache| cache.id.as_str());
        assert_eq!(ids.collect::<Vec<_>>(), ["slipway/test/linux/amd64/c"]);
        assert_eq!(exec.network, i32::from(pb::NetMode::None));
    }

    #[test]
    fn without_merge_files_are_put_onto_each_other() {
        let caps = |definition: &buildkit_llb::Definition| {
            definition.metadata.values().any(|metadata| metadata.caps.contains_key("mergeop"))
        };
        assert!(caps(&definition(true)));
        assert!(!caps(&definition(false)));
    }
}
