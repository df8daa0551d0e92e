//! From planned components to graphs: images are looked up, other components that serve as
//! sources are lowered first, and the target is lowered for every platform.

use std::collections::BTreeMap;

use buildkit_llb::{Definition, Metadata, Output, Platform, read};
use buildkit_proto::pb;
use prost::Message;

use super::errors::Failure;
use super::gateway::{Capabilities, Gateway};
use super::images::Resolver;
use super::named;
use super::options::Options;
use super::project::{Planned, Project};
use super::session::Session;
use crate::diagnostic::{Code, Diagnostic, Span, did_you_mean};
use crate::lower::config::ImageConfig;
use crate::lower::llb::{Lowered, location, lower};
use crate::lower::setting::{FoundImage, FoundImages, ProcessOptions, Setting};
use crate::plan::reach::{self, ImageUse};
use crate::plan::{Action, From, Plan, StagePlatform};
use crate::spec::{Service, SourceName};

/// Where BuildKit leaves the graph of the frontend's own image.
pub(super) const OWN_IMAGE: &str = "/run/config/buildkit/metadata/frontend.bin";

/// One component of a build: the target, or one that others start or copy from.
struct Part<'a> {
    service: &'a Service,
    planned: Planned,
    stage: String,
    /// The images that it uses, other components among them.
    uses: Vec<ImageUse>,
}

/// What of a component is wanted.
pub(super) struct Wanted {
    pub(super) planned: Planned,
    pub(super) stage: String,
    /// Whether its contract is proven.
    pub(super) proves: bool,
}

/// What is built: the target last, each component after those that it uses.
pub(super) struct Graph<'a> {
    project: &'a Project<'a>,
    options: &'a Options,
    caps: &'a Capabilities,
    /// The machine's own platform.
    pub(super) host: Platform,
    pub(super) platforms: Vec<Platform>,
    pub(super) multi: bool,
    parts: Vec<Part<'a>>,
    images: Vec<FoundImages>,
    context: Option<Output>,
    processes: ProcessOptions,
    epoch: i64,
    /// Whether the target's contract is proven.
    pub(super) proves: bool,
}

impl<'a> Graph<'a> {
    /// Plans what the target needs, and looks up its images.
    pub(super) async fn of(
        session: Session<'a>,
        service: &'a Service,
        wanted: Wanted,
        epoch: Option<i64>,
    ) -> Result<Self, Failure> {
        let Session { gateway, options, caps, project } = session;
        let given = options.platforms()?;
        let host = session.host();
        let platforms = if given.is_empty() { vec![host.clone()] } else { given };
        let multi = options.multi_platform(platforms.len())?;
        let mut graph = Self {
            project,
            options,
            caps,
            host,
            platforms,
            multi,
            parts: Vec::new(),
            images: Vec::new(),
            context: None,
            processes: options.processes()?,
            epoch: epoch.unwrap_or(0),
            proves: wanted.proves,
        };
        graph.collect(service, wanted.planned, wanted.stage).await?;
        graph.context = graph.context();
        graph.resolve(gateway).await?;
        Ok(graph)
    }

    /// The project.
    pub(super) fn project(&self) -> &'a Project<'a> {
        self.project
    }

    /// The target's plan.
    pub(super) fn plan(&self) -> Option<&Plan> {
        self.parts.last().map(|part| &part.planned.plan)
    }

    /// The target, with the components that it uses before it.
    async fn collect(
        &mut self,
        service: &'a Service,
        planned: Planned,
        stage: String,
    ) -> Result<(), Failure> {
        let mut waiting = vec![(service, planned, stage)];
        while let Some((service, planned, stage)) = waiting.pop() {
            let mut uses = reach::images(&reach::stages(&planned.plan, &stage));
            let is_target = waiting.is_empty();
            if self.is_proven(&planned.plan, &stage, is_target) {
                uses.extend(self.beside(&planned.plan)?.into_iter().map(|(_, used)| used));
            }
            let missing = uses.iter().find_map(|used| {
                let other = self.component(service, &used.name)?;
                (!self.parts.iter().any(|part| part.service.name == other.name)).then_some((other, used))
            });
            let Some((other, used)) = missing else {
                self.parts.push(Part { service, planned, stage, uses });
                continue;
            };
            let above = waiting.iter().map(|(service, ..)| *service);
            if above.chain([service]).any(|service| service.name == other.name) {
                return Err(Failure::spec(
                    Diagnostic::new(
                        Code::UnknownStage,
                        format!("the component `{}` is made from itself", other.name.value),
                    )
                    .at(&used.origin),
                ));
            }
            let next = self.project.plan(other).await?;
            let runtime = next.plan.runtime.clone();
            waiting.extend([(service, planned, stage), (other, next, runtime)]);
        }
        Ok(())
    }

    /// The component of the file that an image's name means, unless the client puts something
    /// else in its place.
    fn component(&self, service: &Service, name: &str) -> Option<&'a Service> {
        let overridden =
            self.platforms.iter().any(|platform| named::given(self.options, name, platform).is_some());
        if overridden {
            return None;
        }
        let SourceName::Component(name) = self.project.spec.source(&service.name.value, name) else {
            return None;
        };
        self.project.spec.components.iter().find(|service| service.name.value == name)
    }

    fn context(&self) -> Option<Output> {
        let stages: Vec<_> =
            self.parts.iter().flat_map(|part| reach::stages(&part.planned.plan, &part.stage)).collect();
        let mut used = reach::context(stages.iter().copied());
        for part in &self.parts {
            for image in &part.uses {
                if let Some(path) = named::in_context(&self.project.spec, part.service, &image.name) {
                    if path.is_empty() {
                        used.everything = true;
                    } else {
                        used.paths.insert(path);
                    }
                }
            }
        }
        if used.is_empty() {
            return None;
        }
        let mut metadata = Metadata::named("[internal] load build context");
        for part in &self.parts {
            metadata = metadata.location(location(&self.project.file.source, source_place(part.service)));
        }
        self.project.sources.context(&used, &self.project.ignore, &metadata)
    }

    async fn resolve(&mut self, gateway: &Gateway) -> Result<(), Failure> {
        let mut all = Vec::new();
        for part in &self.parts {
            let resolver = Resolver {
                gateway,
                options: self.options,
                caps: self.caps,
                sources: &self.project.sources,
                spec: &self.project.spec,
                service: part.service,
                context: self.context.as_ref(),
                file: &self.project.file.source,
                build_platform: &self.host,
            };
            let uses: Vec<ImageUse> = part
                .uses
                .iter()
                .filter(|used| self.component(part.service, &used.name).is_none())
                .cloned()
                .collect();
            let mut images = resolver
                .resolve(&uses, &self.platforms)
                .await
                .map_err(|failure| self.suggest(failure, part, &uses))?;
            resolver.locate(&mut images, &uses);
            all.push(images);
        }
        self.images = all;
        Ok(())
    }

    /// A name that is near a stage's or a component's was most likely meant to be it.
    fn suggest(&self, failure: Failure, part: &Part<'_>, uses: &[ImageUse]) -> Failure {
        let Failure::Spec(mut diagnostics) = failure else { return failure };
        let components: Vec<&str> =
            self.project.spec.components.iter().map(|service| service.name.value.as_str()).collect();
        let stages: Vec<&str> = part.planned.plan.stages.iter().map(|stage| stage.name.as_str()).collect();
        for diagnostic in &mut diagnostics {
            let Some(used) = uses.iter().find(|used| diagnostic.span.as_ref() == Some(&used.origin)) else {
                continue;
            };
            let near = |what: &str, names: &[&str]| {
                did_you_mean(&used.name, names.iter().copied())
                    .map(|meant| format!("did you mean the {what} `{meant}`?"))
            };
            if let Some(help) = near("stage", &stages).or_else(|| near("component", &components)) {
                diagnostic.help.insert(0, help);
            }
        }
        Failure::Spec(diagnostics)
    }

    /// Base images that are of another platform than they are wanted for.
    pub(super) fn foreign_bases(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (part, images) in self.parts.iter().zip(&self.images) {
            for ((name, wanted), image) in images {
                let Some(is) = image.config.platform() else { continue };
                if image.raw_config.is_some()
                    && (is.architecture != wanted.architecture || is.os != wanted.os)
                {
                    let used = part.uses.iter().find(|used| used.name == *name);
                    let place = used.map_or(&part.service.extension, |used| &used.origin);
                    let finding = Diagnostic::new(
                        Code::Rule("BasePlatform"),
                        format!("the image `{name}` is of {is}, and {wanted} is built"),
                    )
                    .at(place)
                    .help(format!("an image of that name for {wanted} is needed"));
                    found.push(Diagnostic { service: Some(part.service.name.value.clone()), ..finding });
                }
            }
        }
        found
    }

    /// The digests of the images that were looked up, by name. (Of an index, for all platforms.)
    pub(super) fn digests(&self) -> BTreeMap<String, String> {
        let images = self.images.iter().flatten();
        images.filter_map(|((name, _), image)| Some((name.clone(), image.digest.clone()?))).collect()
    }

    /// The target for one platform.
    pub(super) fn lowered(&self, platform: &Platform) -> Result<Lowered, Failure> {
        self.lower(platform, None)
    }

    /// Likewise, with another stage of it as the result.
    fn lower(&self, platform: &Platform, stage: Option<&str>) -> Result<Lowered, Failure> {
        let helper = own_image();
        let namespace = self.options.cache_namespace(&self.project.name());
        let mut components: BTreeMap<&str, FoundImage> = BTreeMap::new();
        let mut target = None;
        for (number, (part, own)) in self.parts.iter().zip(&self.images).enumerate() {
            let mut images = own.clone();
            for used in &part.uses {
                let other = self.component(part.service, &used.name);
                let Some(image) = other.and_then(|other| components.get(other.name.value.as_str())) else {
                    continue;
                };
                let wanted = match used.platform {
                    StagePlatform::Build => &self.host,
                    StagePlatform::Target => platform,
                };
                images.insert((used.name.clone(), wanted.clone()), image.clone());
            }
            let is_target = number + 1 == self.parts.len();
            let stage = stage.filter(|_| is_target).unwrap_or(&part.stage);
            let proof = if self.is_proven(&part.planned.plan, stage, is_target) {
                Some(self.proof_setting(&part.planned.plan, &images, platform)?)
            } else {
                None
            };
            let setting = Setting {
                images: &images,
                context: self.context.as_ref(),
                helper: helper.as_ref(),
                file: &self.project.file.source,
                build_platform: &self.host,
                target_platform: platform,
                name_platform: self.multi,
                cache_namespace: &namespace,
                no_cache: self.options.no_cache(),
                processes: &self.processes,
                epoch: self.epoch,
                can_merge: self.caps.llb("mergeop"),
                proof: proof.as_ref(),
            };
            let lowered = lower(&part.planned.plan, stage, &setting).map_err(Failure::spec)?;
            let image = FoundImage {
                output: lowered.output.clone(),
                config: lowered.config.clone(),
                raw_config: None,
                digest: None,
            };
            components.insert(&part.service.name.value, image);
            target = Some(lowered);
        }
        target.ok_or_else(|| Failure::spec(Diagnostic::new(Code::UnknownTarget, "there is nothing to build")))
    }

    /// The stages of the target beside the one that is built, for whoever scans them.
    pub(super) fn other_stages(&self, platform: &Platform) -> Result<Vec<(String, Output)>, Failure> {
        let Some(part) = self.parts.last() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for stage in reach::stages(&part.planned.plan, &part.stage) {
            if stage.name != part.stage {
                let other = self.lower(platform, Some(&stage.name))?;
                found.extend(other.output.map(|output| (stage.name.clone(), output)));
            }
        }
        Ok(found)
    }

    /// Where programs are looked for, by the image or stage that programs are collected from.
    pub(super) fn search_paths(&self, platform: &Platform) -> Result<BTreeMap<String, String>, Failure> {
        let mut found = BTreeMap::new();
        let (Some(part), Some(images)) = (self.parts.last(), self.images.last()) else { return Ok(found) };
        let path = |config: &ImageConfig| config.env().into_iter().find(|(name, _)| name == "PATH");
        for stage in reach::stages(&part.planned.plan, &part.stage) {
            for step in &stage.steps {
                let Action::Rootfs(rootfs) = &step.action else { continue };
                let (name, path) = match &rootfs.from {
                    From::Image(name) => {
                        let image = images.iter().find(|((known, _), _)| known == name);
                        (name, image.and_then(|(_, image)| path(&image.config)))
                    }
                    From::Stage(name) => (name, path(&self.lower(platform, Some(name))?.config)),
                    _ => continue,
                };
                found.extend(path.map(|(_, path)| (name.clone(), path)));
            }
        }
        Ok(found)
    }

    /// The build context as the graph has it.
    pub(super) fn context_output(&self) -> Option<&Output> {
        self.context.as_ref()
    }

    /// The graph that makes an output, if the engine can do all that it needs.
    pub(super) fn definition(&self, output: &Output) -> Result<Definition, Failure> {
        let definition = output.marshal();
        match self.caps.missing(&definition) {
            None => Ok(definition),
            Some(cap) => Err(Failure::spec(
                Diagnostic::new(Code::Engine, format!("this engine cannot do what the build needs: `{cap}`"))
                    .help("update Docker Engine or BuildKit"),
            )),
        }
    }
}

/// The frontend's own image as part of a graph; none if the engine does not tell.
fn own_image() -> Option<Output> {
    let bytes = std::fs::read(OWN_IMAGE).ok()?;
    let definition = pb::Definition::decode(bytes.as_slice()).ok()?;
    read(&definition).ok().flatten()
}

fn source_place(service: &Service) -> &Span {
    let component = &service.component;
    component.source.as_ref().or(component.recipe.as_ref()).map_or(&service.extension, |key| &key.span)
}
