//! The targets that write files about the whole project: `:bundle`, `:kubernetes`, `:workflows`, `:dockerignore`.
//! Without a target, a project of several components is built, every one of them, and its bundle is
//! the result.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{Copy, File, MakeDir, MakeFile, Metadata, Output, Timestamp};
use buildkit_proto::frontend::Result as BuildResult;
use futures_util::future::{join_all, try_join_all};

use super::epoch;
use super::errors::Failure;
use super::graph::{Graph, Wanted};
use super::images::Resolver;
use super::proof;
use super::result::{Solved, result};
use super::session::Session;
use super::warnings::warn_and_stop;
use crate::bundle::{IMAGES_ARGUMENT, Kind, Known, Part, System, TextFiles, files, read_metadata};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::reach::ContextUse;
use crate::plan::{Archetype, Report};
use crate::recipe::{Facts, Need};
use crate::spec::Spec;

/// Writes them. With `builds`, there are none unless every image can be built.
pub(super) async fn build(session: Session<'_>, kind: Kind, builds: bool) -> Result<BuildResult, Failure> {
    let Session { gateway, options, caps, project } = session;
    let epoch = epoch::find(gateway, options, caps).await?;
    let images = known(session, kind).await?;
    let mut parts = Vec::new();
    let mut problems = project.problems.clone();
    let mut graphs = Vec::new();
    for service in &project.spec.components {
        let planned = project.plan(service).await?;
        problems.extend(project.lint(service, &planned));
        let (plan, facts) = (planned.plan.clone(), planned.facts().clone());
        if builds && plan.archetype != Archetype::Library {
            let stage = plan.runtime.clone();
            graphs.push((service, Wanted { planned, stage, proves: false }));
        }
        parts.extend(Part::new(&project.spec, service, plan, &facts));
    }
    warn_and_stop(gateway, caps, &project.file, problems).await?;
    are_gone(session).await?;
    if parts.is_empty() {
        return Err(Failure::spec(Diagnostic::new(Code::NoImage, "there is no image to deploy")));
    }
    let built = try_join_all(graphs.into_iter().map(|(service, wanted)| async move {
        let graph = Graph::of(session, service, wanted, epoch).await?;
        try_join_all(graph.platforms.iter().map(|platform| one(session, &graph, platform))).await?;
        Ok::<_, Failure>(())
    }))
    .await?
    .len();
    let filename = &project.file.source.filename;
    let system = System {
        spec: &project.spec,
        file: filename.rsplit('/').next().unwrap_or(filename).to_owned(),
        name: project.name(),
        parts,
        images,
        epoch,
    };
    let unfit = crate::bundle::problems(&system, kind);
    if !unfit.is_empty() {
        return Err(Failure::Spec(unfit));
    }
    let texts = files(&system, kind);
    let mounted = if kind == Kind::Bundle { system.mounted_files() } else { Vec::new() };
    let output = written(session, &texts, &mounted, epoch.unwrap_or(0));
    let reference = gateway.solve(output.as_ref(), &[]).await?.0;
    let host = session.host();
    let solved = Solved::files(reference, &host);
    let mut said = format!("{} files: {}", texts.len(), list(&texts));
    if builds {
        said = format!("{built} images built; to export them: docker buildx bake -f {}\n{said}", system.file);
    }
    let details = serde_json::json!({
        "files": texts.keys().collect::<Vec<_>>(),
        "images": system.images.iter().map(|(name, known)| (name, format!("{}@{}", known.name, known.digest))).collect::<BTreeMap<_, _>>(),
    });
    let report = Report { text: said, details };
    Ok(result(&[host], vec![solved], false, Some(report), &BTreeMap::new(), epoch))
}

/// What a state says is removed has no folder left.
async fn are_gone(session: Session<'_>) -> Result<(), Failure> {
    let project = session.project;
    let state = project.spec.project.as_ref().and_then(|project| project.state.as_ref());
    let Some(state) = state.filter(|state| !state.removed.0.is_empty()) else { return Ok(()) };
    let mut facts = Facts::default();
    project.sources.look(&BTreeSet::from([Need::names("")]), &project.ignore, &mut facts).await?;
    let left: Vec<Diagnostic> = state
        .removed
        .0
        .iter()
        .filter(|removed| facts.names("").iter().any(|name| name.name == removed.value))
        .map(|removed| {
            let message =
                format!("`{}` is removed in this state, and its folder is still there", removed.value);
            Diagnostic::new(Code::Value, message).at(&removed.span).help("remove the folder, or the name")
        })
        .collect();
    if left.is_empty() { Ok(()) } else { Err(Failure::Spec(left)) }
}

/// Builds a component's image, with what it requires, and throws it away: the cache has it.
async fn one(
    session: Session<'_>,
    graph: &Graph<'_>,
    platform: &buildkit_llb::Platform,
) -> Result<(), Failure> {
    let lowered = graph.lowered(platform)?;
    if let Some(output) = &lowered.output {
        session
            .gateway
            .evaluate(session.caps, graph.definition(output)?, &session.options.cache_imports()?)
            .await?;
    }
    if let Some(required) = &lowered.proof {
        proof::required(session.gateway, graph, required, session.options).await?;
    }
    Ok(())
}

/// The names of the files, folders in the place of what is in them.
fn list(texts: &TextFiles) -> String {
    let top = |path: &String| path.split_once('/').map_or(path.clone(), |(folder, _)| format!("{folder}/"));
    texts.keys().map(top).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
}

/// What is known of images: those that were pushed, and those of other services, which are looked up.
async fn known(session: Session<'_>, kind: Kind) -> Result<BTreeMap<String, Known>, Failure> {
    let Session { gateway, options, caps, project } = session;
    let mut known = match options.build_arg(IMAGES_ARGUMENT) {
        Some(path) => by_service(&project.spec, pushed(session, path).await?),
        None => BTreeMap::new(),
    };
    if kind != Kind::Bundle {
        return Ok(known);
    }
    let Some(service) = project.spec.components.first() else { return Ok(known) };
    let host = session.host();
    let resolver = &Resolver {
        gateway,
        options,
        caps,
        sources: &project.sources,
        spec: &project.spec,
        service,
        context: None,
        file: &project.file.source,
        build_platform: &host,
    };
    let host = &host;
    let others = project.spec.others.iter().filter_map(|name| {
        let image = project.spec.running_of(name)?.image.as_ref()?.value.clone();
        Some(async move {
            if let Some((bare, digest)) = image.split_once('@') {
                return Some((name.clone(), Known { name: bare.to_owned(), digest: digest.to_owned() }));
            }
            let log_name = format!("[bundle] look up {image}");
            // An image that cannot be found now may be when it is deployed; the lock says that it is not known.
            let found = resolver.image(&image, host, &log_name).await.ok()?;
            Some((name.clone(), Known { name: image, digest: found.digest? }))
        })
    });
    known.extend(join_all(others).await.into_iter().flatten());
    Ok(known)
}

/// Images by services, from those by targets of bake: it takes no dots.
fn by_service(spec: &Spec, images: BTreeMap<String, Known>) -> BTreeMap<String, Known> {
    let service = |target: &String| {
        let mut services = spec.components.iter().map(|service| &service.name.value);
        services.find(|name| *name == target || name.replace('.', "_") == *target).cloned()
    };
    images.into_iter().filter_map(|(target, known)| Some((service(&target)?, known))).collect()
}

/// What bake or build wrote about the images that it pushed; a file beside the spec.
async fn pushed(session: Session<'_>, path: &str) -> Result<BTreeMap<String, Known>, Failure> {
    let wrong = |message: String| {
        Failure::spec(Diagnostic::new(Code::Option, message).help(format!(
            "`docker buildx bake -f {} --push --metadata-file {path}` writes it",
            session.project.file.source.filename
        )))
    };
    let mut files = session.project.sources.beside(&[path.to_owned()]).await?;
    let bytes = files.remove(path).flatten();
    let bytes = bytes
        .ok_or_else(|| wrong(format!("`{IMAGES_ARGUMENT}` names `{path}`, which is not beside the spec")))?;
    read_metadata(&bytes).map_err(|why| wrong(format!("`{path}` says nothing about images: {why}")))
}

/// The files as a file system.
fn written(session: Session<'_>, texts: &TextFiles, mounted: &[String], epoch: i64) -> Option<Output> {
    let timestamp = Timestamp::Nanoseconds(epoch.saturating_mul(1_000_000_000));
    let mut all = File::on_scratch();
    let mut folders = BTreeSet::new();
    for (path, file) in texts {
        if let Some((folder, _)) = path.rsplit_once('/')
            && folders.insert(folder)
        {
            let path = format!("/{folder}");
            all = all.make_dir(MakeDir { path, mode: 0o755, parents: true, owner: None, timestamp });
        }
        let mode = if file.executable { 0o755 } else { 0o644 };
        let (path, data) = (format!("/{path}"), file.content.clone().into_bytes());
        all = all.make_file(MakeFile { path, mode, data, owner: None, timestamp });
    }
    if !mounted.is_empty() {
        let used = ContextUse { paths: mounted.iter().cloned().collect(), ..ContextUse::default() };
        let metadata = Metadata::named("[internal] load what services mount");
        let context = session.project.sources.context(&used, &session.project.ignore, &metadata)?;
        for path in mounted {
            let copy = Copy {
                create_parents: true,
                wildcards: true,
                // Some of it may be made on the host.
                allow_no_match: true,
                timestamp,
                ..Copy::new(format!("/{path}"), format!("/{path}"))
            };
            all = all.copy(&context, copy);
        }
    }
    all.build(&Metadata::named("[bundle] write"))
}
