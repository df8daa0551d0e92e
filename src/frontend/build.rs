//! A build: the spec is read, the target chosen, its plan made and lowered, the graph solved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use buildkit_llb::{Metadata, Output, Platform, read};
use buildkit_proto::frontend::{Ref, RefMap, Result as BuildResult, result::Result as Body};
use buildkit_proto::pb;
use futures_util::future::try_join_all;
use prost::Message;
use serde_json::json;

use super::context::{Sources, SpecFile};
use super::errors::Failure;
use super::gateway::{Capabilities, Gateway, Warning};
use super::images::Resolver;
use super::options::Options;
use super::outline::Planned;
use crate::diagnostic::{Code, Diagnostic, Span, did_you_mean};
use crate::lower::llb::{Lowered, location, lower};
use crate::lower::reach;
use crate::lower::setting::{FoundImages, Setting};
use crate::plan::Plan;
use crate::recipe::{self, Facts};
use crate::spec::{Loaded, Service, Spec, load};
use crate::target::Target;

/// The key of a result's metadata that buildx prints when it is done.
const REPORT: &str = "frontend.result.inlinemessage";

/// Where BuildKit leaves the graph of the frontend's own image.
const OWN_IMAGE: &str = "/run/config/buildkit/metadata/frontend.bin";

/// Builds what the client asked for.
pub(super) async fn build(gateway: &Gateway, options: &Options) -> Result<BuildResult, Failure> {
    // Each look at a client's files is a round trip, so what can be asked together is.
    let (caps, (sources, file, ignore_in_context)) = tokio::try_join!(gateway.ping(), async {
        let sources = Sources::find(gateway, options).await?;
        let (file, ignore) = tokio::try_join!(sources.spec_file(), sources.ignore_file())?;
        Ok((sources, file, ignore))
    })?;
    if !caps.llb("file.base") {
        return Err(Failure::spec(
            Diagnostic::new(Code::Engine, "this engine is too old to build with")
                .help("BuildKit 0.5 or newer is needed"),
        ));
    }
    let (spec, problems) = read_spec(&sources, &file, options).await?;
    let target = Target::choose(&spec, &problems, options.target())?;
    let problems = problems.into_iter().chain(unused(&spec, options)).collect();
    warn_and_stop(gateway, &caps, &file, &target, problems).await?;
    let read = Read { sources, file, spec: &spec, ignore_in_context };
    build_target(gateway, options, &caps, read, &target)
        .await
        .map_err(|failure| failure.located(&target.service.name.span))
}

/// What has been read of the client's files.
struct Read<'a> {
    sources: Sources<'a>,
    file: SpecFile,
    spec: &'a Spec,
    ignore_in_context: Option<Vec<u8>>,
}

async fn build_target(
    gateway: &Gateway,
    options: &Options,
    caps: &Capabilities,
    read: Read<'_>,
    target: &Target<'_>,
) -> Result<BuildResult, Failure> {
    let Read { sources, file, spec, ignore_in_context } = read;
    let ignore = sources.ignore_patterns(&file, ignore_in_context);
    let plan = plan(&sources, spec, target.service, &ignore).await?;
    let stage = target.stage(&plan)?;
    let given = options.platforms()?;
    let host = caps.platforms.first().cloned().unwrap_or_else(|| Platform::linux(std::env::consts::ARCH));
    let platforms = if given.is_empty() { vec![host.clone()] } else { given };
    let multi = options.multi_platform(platforms.len())?;

    let stages = reach::stages(&plan, &stage);
    let uses = reach::images(&stages);
    let resolver = Resolver {
        gateway,
        options,
        caps,
        inputs: &sources.inputs,
        file: &file.source,
        build_platform: &host,
    };
    let mut images = resolver.resolve(&uses, &platforms).await?;
    resolver.locate(&mut images, &uses);
    let used = reach::context(stages.iter().copied());
    let context = if used.is_empty() {
        None
    } else {
        let metadata = Metadata::named("[internal] load build context")
            .location(location(&file.source, recipe_place(target.service)));
        sources.context(&used, &ignore, &metadata)
    };

    let project = spec.name.clone().unwrap_or_else(|| project_of(options.filename()));
    let namespace = options.cache_namespace(&project);
    let work = Work { options, caps, plan: &plan, stage: &stage, images: &images, context: context.as_ref() };
    let solved = try_join_all(
        platforms.iter().map(|platform| work.solve(gateway, &file, &host, platform, &namespace, multi)),
    )
    .await?;
    let report = (stage == plan.runtime).then(|| plan.report());
    Ok(result(&platforms, solved, multi, report))
}

/// The spec, with what was wrong in it.
async fn read_spec(
    sources: &Sources<'_>,
    file: &SpecFile,
    options: &Options,
) -> Result<(Spec, Vec<Diagnostic>), Failure> {
    let variables = options.variables();
    let mut beside = BTreeMap::new();
    loop {
        match load(&file.source.filename, &file.source.data, &beside, &variables) {
            Loaded::Needs(names) => beside.extend(sources.beside(&names).await?),
            Loaded::Done(Some(spec), problems) => return Ok((*spec, problems)),
            Loaded::Done(None, problems) => return Err(problems.into()),
        }
    }
}

/// Build arguments that nothing in the file uses: most likely a slip of the pen.
fn unused(spec: &Spec, options: &Options) -> Vec<Diagnostic> {
    let known: BTreeSet<&str> = spec.variables.iter().map(|used| used.name.as_str()).collect();
    let given = options.variables().into_keys().filter(|name| !known.contains(name.as_str()));
    let ours = given.filter(|name| !is_predefined(name));
    ours.map(|name| {
        let meant =
            did_you_mean(&name, known.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
        Diagnostic::new(
            Code::UnusedArgument,
            format!("nothing that is built uses the build argument `{name}`"),
        )
        .help_if(meant)
    })
    .collect()
}

/// Arguments that BuildKit and its clients know by themselves.
fn is_predefined(name: &str) -> bool {
    const PROXY: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];
    name.starts_with("BUILDKIT_")
        || name == "SOURCE_DATE_EPOCH"
        || PROXY.iter().any(|proxy| proxy.eq_ignore_ascii_case(name))
}

/// Warnings about what is built are shown; errors end the build. A variable that only another
/// component needs is neither.
async fn warn_and_stop(
    gateway: &Gateway,
    caps: &Capabilities,
    file: &SpecFile,
    target: &Target<'_>,
    problems: Vec<Diagnostic>,
) -> Result<(), Failure> {
    let mut errors = Vec::new();
    for problem in problems {
        let of_a_variable = matches!(problem.code, Code::MissingVariable | Code::UnsetVariable);
        if of_a_variable
            && problem.service.as_ref().is_some_and(|service| *service != target.service.name.value)
        {
            continue;
        }
        if problem.code.is_warning() {
            let line = problem.span.as_ref().map(|span| location(&file.source, span));
            let place = line.as_ref().and_then(|line| Some((line.file.as_ref(), *line.ranges.first()?)));
            let at = problem.span.as_ref().map(|span| format!(" (line {})", span.line())).unwrap_or_default();
            let warning = Warning { short: format!("{}{at}", problem.message), detail: problem.help, place };
            gateway.warn(caps, &file.vertex, warning).await;
        } else {
            errors.push(problem);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}

/// The plan of a service, with the files that its recipe wants to see.
async fn plan(
    sources: &Sources<'_>,
    spec: &Spec,
    service: &Service,
    ignore: &[String],
) -> Result<Plan, Failure> {
    let mut facts = Facts::default();
    let mut asked = BTreeSet::new();
    loop {
        let needs = recipe::needs(service, &facts, &asked);
        if needs.is_empty() {
            break;
        }
        sources.look(&needs, ignore, &mut facts).await?;
        asked.extend(needs);
    }
    if !asked.is_empty() {
        sources.look_for(&recipe::source(service), ignore, &mut facts).await?;
    }
    Ok(recipe::plan(spec, service, &facts)?)
}

fn recipe_place(service: &Service) -> &Span {
    let component = &service.component;
    component.source.as_ref().or(component.recipe.as_ref()).map_or(&service.extension, |key| &key.span)
}

/// Caches of one project are its own. A file without a name gives its own name.
fn project_of(filename: &str) -> String {
    let name = filename.rsplit('/').next().unwrap_or(filename);
    name.split('.').next().unwrap_or(name).to_owned()
}

/// What is the same for all platforms.
struct Work<'a> {
    options: &'a Options,
    caps: &'a Capabilities,
    plan: &'a Plan,
    stage: &'a str,
    images: &'a FoundImages,
    context: Option<&'a Output>,
}

/// One platform's result.
struct Solved {
    /// The engine's name for it; empty for scratch.
    reference: String,
    /// Its image configuration.
    config: Vec<u8>,
    /// That of its base.
    base_config: Option<Vec<u8>>,
}

impl Work<'_> {
    async fn solve(
        &self,
        gateway: &Gateway,
        file: &SpecFile,
        host: &Platform,
        platform: &Platform,
        namespace: &str,
        multi: bool,
    ) -> Result<Solved, Failure> {
        let helper = own_image();
        let processes = self.options.processes()?;
        let setting = Setting {
            images: self.images,
            context: self.context,
            helper: helper.as_ref(),
            file: &file.source,
            build_platform: host,
            target_platform: platform,
            name_platform: multi,
            cache_namespace: namespace,
            no_cache: self.options.no_cache(),
            processes: &processes,
            epoch: self.options.epoch().unwrap_or(0),
            can_merge: self.caps.llb("mergeop"),
        };
        let Lowered { output, mut config, base_config } =
            lower(self.plan, self.stage, &setting).map_err(Failure::spec)?;
        config.add_labels(&self.options.labels());
        let json = config.to_json(platform).map_err(|error| {
            Failure::spec(Diagnostic::new(
                Code::Engine,
                format!("the image configuration cannot be written: {error}"),
            ))
        })?;
        let reference = match output {
            None => String::new(),
            Some(output) => {
                let definition = output.marshal();
                if let Some(cap) = self.caps.missing(&definition) {
                    return Err(Failure::spec(
                        Diagnostic::new(
                            Code::Engine,
                            format!("this engine cannot do what the build needs: `{cap}`"),
                        )
                        .help("update Docker Engine or BuildKit"),
                    ));
                }
                gateway.solve_definition(definition, &self.options.cache_imports()?).await?.0
            }
        };
        Ok(Solved { reference, config: json, base_config })
    }
}

/// The frontend's own image as part of a graph; none if the engine does not tell.
fn own_image() -> Option<Output> {
    let bytes = std::fs::read(OWN_IMAGE).ok()?;
    let definition = pb::Definition::decode(bytes.as_slice()).ok()?;
    read(&definition).ok().flatten()
}

fn result(platforms: &[Platform], solved: Vec<Solved>, multi: bool, report: Option<String>) -> BuildResult {
    let listed: Vec<_> = platforms
        .iter()
        .map(|platform| {
            let mut inner = json!({ "architecture": platform.architecture, "os": platform.os });
            if !platform.variant.is_empty() {
                inner["variant"] = json!(platform.variant);
            }
            if !platform.os_version.is_empty() {
                inner["os.version"] = json!(platform.os_version);
            }
            json!({ "ID": platform.to_string(), "Platform": inner })
        })
        .collect();
    let mut metadata = BTreeMap::new();
    metadata.insert("refs.platforms".to_owned(), json!({ "Platforms": listed }).to_string().into_bytes());
    if let Some(report) = report {
        metadata.insert(REPORT.to_owned(), report.into_bytes());
    }
    let mut refs = BTreeMap::new();
    for (platform, solved) in platforms.iter().zip(solved) {
        let suffix = if multi { format!("/{platform}") } else { String::new() };
        metadata.insert(format!("containerimage.config{suffix}"), solved.config);
        // With it, the exporter knows which layers are the base's and leaves their times alone.
        if let Some(base) = solved.base_config {
            metadata.insert(format!("containerimage.base.config{suffix}"), base);
        }
        refs.insert(platform.to_string(), Ref { id: solved.reference, def: None });
    }
    let body = if multi {
        Body::Refs(RefMap { refs })
    } else {
        Body::Ref(refs.into_values().next().unwrap_or_default())
    };
    BuildResult { result: Some(body), metadata, ..BuildResult::default() }
}

/// Reads the spec alone: for questions about it.
pub(super) async fn spec_alone(
    gateway: &Gateway,
    options: &Options,
) -> Result<(Spec, Arc<buildkit_llb::SourceFile>), Failure> {
    let sources = Sources::find(gateway, options).await?;
    let file = sources.spec_file().await?;
    let (spec, _) = read_spec(&sources, &file, options).await?;
    Ok((spec, file.source))
}

/// Makes the plan of the target, without building anything: for questions about it.
pub(super) async fn plan_alone<T>(
    gateway: &Gateway,
    options: &Options,
    answer: fn(&Planned<'_>) -> T,
) -> Result<T, Failure> {
    let sources = Sources::find(gateway, options).await?;
    let (file, ignore) = tokio::try_join!(sources.spec_file(), sources.ignore_file())?;
    let (spec, problems) = read_spec(&sources, &file, options).await?;
    let target = Target::choose(&spec, &problems, options.target())?;
    let ignore = sources.ignore_patterns(&file, ignore);
    let plan = plan(&sources, &spec, target.service, &ignore).await?;
    // A library has an outline, though it has no image.
    let stage = target.stage(&plan).unwrap_or_else(|_| plan.runtime.clone());
    let planned =
        Planned { spec: &spec, service: target.service, plan: &plan, stage, file: &file.source.data };
    Ok(answer(&planned))
}
