//! Images: from a name to a digest, a place in the graph and a configuration, without pulling.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use buildkit_llb::{Metadata, Output, Platform, SourceFile, source};
use futures_util::future::join_all;

use super::context::Sources;
use super::errors::Failure;
use super::gateway::{Capabilities, Gateway, ImageMeta};
use super::named;
use super::options::Options;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::lower::config::ImageConfig;
use crate::lower::llb::location;
use crate::lower::setting::{FoundImage, FoundImages};
use crate::plan::StagePlatform;
use crate::plan::reach::ImageUse;
use crate::reference::named as named_image;
use crate::spec::{Service, Spec};

/// What it takes to look images up.
pub(super) struct Resolver<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) options: &'a Options,
    pub(super) caps: &'a Capabilities,
    pub(super) sources: &'a Sources<'a>,
    pub(super) spec: &'a Spec,
    /// The component that the images are for.
    pub(super) service: &'a Service,
    /// The build context; none if nothing of it is used.
    pub(super) context: Option<&'a Output>,
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) build_platform: &'a Platform,
}

impl Resolver<'_> {
    /// Looks up, all at once, what these uses need for these platforms. Everything that cannot
    /// be had is reported.
    pub(super) async fn resolve(
        &self,
        uses: &[ImageUse],
        targets: &[Platform],
    ) -> Result<FoundImages, Failure> {
        let mut wanted: BTreeSet<(usize, &Platform)> = BTreeSet::new();
        for (index, image) in uses.iter().enumerate() {
            match image.platform {
                StagePlatform::Build => wanted.extend([(index, self.build_platform)]),
                StagePlatform::Target => wanted.extend(targets.iter().map(|platform| (index, platform))),
            }
        }
        // Two uses of one image are one question.
        let mut questions: BTreeMap<(String, Platform), &Span> = BTreeMap::new();
        for (index, platform) in wanted {
            if let Some(image) = uses.get(index) {
                questions.entry((image.name.clone(), platform.clone())).or_insert(&image.origin);
            }
        }
        let answers =
            join_all(questions.iter().map(|((name, platform), origin)| self.one(name, platform, origin)))
                .await;
        let mut found = FoundImages::new();
        let mut problems = Vec::new();
        for (key, answer) in questions.into_keys().zip(answers) {
            match answer {
                Ok(image) => {
                    found.insert(key, image);
                }
                Err(problem) => problems.push(problem),
            }
        }
        problems.dedup();
        if problems.is_empty() { Ok(found) } else { Err(problems.into()) }
    }

    async fn one(&self, name: &str, platform: &Platform, origin: &Span) -> Result<FoundImage, Diagnostic> {
        let answer = match named::value(self, name, platform) {
            Some(value) => named::resolve(self, name, &value, platform).await,
            None => self.image(name, platform, &format!("[internal] load metadata for {name}")).await,
        };
        answer.map_err(|failure| match failure {
            Failure::Spec(diagnostics) => match diagnostics.into_iter().next() {
                Some(diagnostic) => diagnostic.at(origin),
                None => Diagnostic::new(Code::BaseImage, format!("the image `{name}` cannot be used")).at(origin),
            },
            Failure::Rpc(_) => Diagnostic::new(Code::BaseImage, format!("the image `{name}` cannot be found for {platform}"))
                .at(origin)
                .help(format!("the engine says: {}", failure.message()))
                .help("is the name right, and can the engine reach its registry? `--build-context NAME=docker-image://…` puts another image in its place"),
        })
    }

    /// An image of a registry, or of the engine's own store.
    pub(super) async fn image(
        &self,
        name: &str,
        platform: &Platform,
        log_name: &str,
    ) -> Result<FoundImage, Failure> {
        let locked = self.spec.lock.as_ref().and_then(|lock| lock.digest(name));
        let name = &locked.map_or_else(|| name.to_owned(), |locked| format!("{name}@{}", locked.digest));
        let reference = named_image(name).map_err(Failure::spec)?;
        let mode = self.options.resolve_mode()?;
        let full = reference.to_string();
        let question = source::image(&full).to_pb();
        let meta = self.gateway.resolve_image(self.caps, question, platform, mode, log_name).await?;
        if !meta.identifier.starts_with("docker-image://") {
            return Ok(redirected(&meta, name));
        }
        found(
            &meta,
            platform,
            |identifier| source::Source::new(identifier).needs("source.image").resolve_mode(mode),
            name,
        )
    }

    /// An image of an OCI layout that the client offers.
    pub(super) async fn oci_layout(
        &self,
        name: &str,
        store: &str,
        digest: &str,
        platform: &Platform,
    ) -> Result<FoundImage, Failure> {
        let layout = |identifier: String| {
            source::Source::new(identifier).needs("source.ocilayout").store(&self.options.session, store)
        };
        // The name is for messages alone; the store is what counts. It has to be an image's, though.
        let named = named_image(&format!("{name}@{digest}")).map_err(Failure::spec)?;
        let question = layout(format!("oci-layout://{named}")).to_pb();
        let log_name = format!("[context {name}] load metadata");
        let meta = self.gateway.resolve_image(self.caps, question, platform, "default", &log_name).await?;
        found(&meta, platform, layout, name)
    }

    /// The vertices of images get the lines that asked for them.
    pub(super) fn locate(&self, images: &mut FoundImages, uses: &[ImageUse]) {
        for ((name, _), image) in images {
            let lines = uses.iter().filter(|used| used.name == *name);
            let lines: Vec<_> = lines.map(|used| location(self.file, &used.origin)).collect();
            if let Some(output) = &mut image.output {
                *output = output.with_locations(&lines);
            }
        }
    }
}

/// What a source policy of the client's put in the place of an image: files without a
/// configuration, from git or a URL.
fn redirected(meta: &ImageMeta, name: &str) -> FoundImage {
    let source = meta
        .attrs
        .iter()
        .fold(source::Source::new(meta.identifier.clone()), |source, (key, value)| source.attr(key, value));
    let output = source.build(&Metadata::named(format!("from {} instead of {name}", meta.identifier)));
    FoundImage { output: Some(output), config: ImageConfig::scratch(), raw_config: None, digest: None }
}

/// An image that was looked up, as part of a graph.
fn found(
    meta: &ImageMeta,
    platform: &Platform,
    make: impl FnOnce(String) -> source::Source,
    name: &str,
) -> Result<FoundImage, Failure> {
    let config = ImageConfig::from_base(&meta.config).map_err(|error| {
        Failure::spec(Diagnostic::new(
            Code::BaseImage,
            format!("the image `{name}` has a configuration that cannot be read: {error}"),
        ))
    })?;
    let metadata = Metadata::named(format!("from {name}"));
    Ok(FoundImage {
        output: Some(make(meta.pinned()).platform(platform).build(&metadata)),
        config,
        raw_config: Some(meta.config.clone()),
        digest: Some(meta.digest.clone()).filter(|digest| !digest.is_empty()),
    })
}
