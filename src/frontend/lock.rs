//! The target `:lock`: every image that builds start from is looked up, and its digest written down.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{File, MakeFile, Metadata, Platform, Timestamp};
use buildkit_proto::frontend::Result as BuildResult;
use futures_util::future::try_join_all;

use super::errors::Failure;
use super::images::Resolver;
use super::result::{Solved, result};
use super::session::Session;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::plan::{Report, StagePlatform, reach};
use crate::spec::{Lock, Service, SourceName, Spec};

/// Looks up the images of all components, for the platforms that are asked for.
pub(super) async fn build(session: Session<'_>, services: &[&Service]) -> Result<BuildResult, Failure> {
    let Session { gateway, options, caps, project } = session;
    let host = session.host();
    let given = options.platforms()?;
    let targets = if given.is_empty() { vec![host.clone()] } else { given };
    let mut wanted: BTreeMap<String, (Span, BTreeSet<Platform>)> = BTreeMap::new();
    for service in services {
        let planned = project.plan(service).await?;
        let stages: Vec<_> = planned.plan.stages.iter().collect();
        for used in reach::images(&stages) {
            let SourceName::Image(name) = project.spec.source(&planned.plan.component, &used.name) else {
                continue;
            };
            if name.contains('@') {
                continue;
            }
            let (_, platforms) = wanted.entry(name).or_insert_with(|| (used.origin.clone(), BTreeSet::new()));
            match used.platform {
                StagePlatform::Build => platforms.extend([host.clone()]),
                StagePlatform::Target => platforms.extend(targets.iter().cloned()),
            }
        }
    }
    let Some(service) = services.first() else {
        return Err(Failure::spec(Diagnostic::new(Code::UnknownTarget, "there is nothing to lock")));
    };
    let unlocked = Spec { lock: None, ..project.spec.clone() };
    let resolver = Resolver {
        gateway,
        options,
        caps,
        sources: &project.sources,
        spec: &unlocked,
        service,
        context: None,
        file: &project.file.source,
        build_platform: &host,
    };
    let found = try_join_all(wanted.iter().map(|(name, (origin, platforms))| {
        let resolver = &resolver;
        async move { Ok::<_, Failure>((name.clone(), one(resolver, name, origin, platforms).await?)) }
    }))
    .await?;
    let images: BTreeMap<_, _> = found.into_iter().collect();
    let name = &project.file.source.filename;
    let text = Lock::text(name, &images);
    let path = format!("/{}", Lock::name_of(name).rsplit('/').next().unwrap_or_default());
    let file = MakeFile {
        path: path.clone(),
        mode: 0o644,
        data: text.into_bytes(),
        owner: None,
        timestamp: Timestamp::Nanoseconds(0),
    };
    let output = File::on_scratch().make_file(file).build(&Metadata::named(format!("[lock] write {path}")));
    let reference = gateway.solve(output.as_ref(), &[]).await?.0;
    let solved = Solved::files(reference, &host);
    let said = format!("{} images in {}", images.len(), path.trim_start_matches('/'));
    let report = Report { text: said, details: serde_json::to_value(&images).unwrap_or_default() };
    Ok(result(&[host], vec![solved], false, Some(report), &BTreeMap::new(), None))
}

/// An image's digest, and the platforms that it was found for.
async fn one(
    resolver: &Resolver<'_>,
    name: &str,
    origin: &Span,
    platforms: &BTreeSet<Platform>,
) -> Result<(String, Vec<String>), Failure> {
    let mut digest: Option<String> = None;
    for platform in platforms {
        let log_name = format!("[lock] look up {name} for {platform}");
        let found = resolver.image(name, platform, &log_name).await.map_err(|failure| {
            Failure::spec(
                Diagnostic::new(
                    Code::BaseImage,
                    format!("the image `{name}` cannot be found for {platform}"),
                )
                .at(origin)
                .help(format!("the engine says: {}", failure.message())),
            )
        })?;
        match (&digest, found.digest) {
            (Some(known), Some(other)) if *known != other => {
                return Err(Failure::spec(
                    Diagnostic::new(
                        Code::BaseImage,
                        format!("the image `{name}` has no index: for {platform} it is another image"),
                    )
                    .at(origin)
                    .help("one digest for all platforms needs an index in the registry; lock one platform at a time"),
                ));
            }
            (_, other) => digest = other.or(digest),
        }
    }
    let digest = digest.ok_or_else(|| {
        Failure::spec(
            Diagnostic::new(Code::BaseImage, format!("the engine knows no digest of the image `{name}`"))
                .at(origin),
        )
    })?;
    Ok((digest, platforms.iter().map(Platform::to_string).collect()))
}
