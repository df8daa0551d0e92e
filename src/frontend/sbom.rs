//! Bills of material. BuildKit scans what is returned by itself; when stages on the way or the
//! build context are to be scanned as well, the frontend runs the scanner, by the protocol of
//! BuildKit's `docs/attestations/sbom-protocol.md`: the result and the extras are mounted, the
//! scanner writes statements into a folder.

use buildkit_llb::{Exec, Metadata, Mount, Output, Platform};

use super::errors::Failure;
use super::gateway::{Capabilities, Gateway};
use super::graph::Graph;
use super::options::{Options, boolean};
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::config::ImageConfig;
use crate::reference::Reference;

/// What scans, unless the client names another.
const DEFAULT_SCANNER: &str = "docker/buildkit-syft-scanner:stable-1";
const DESTINATION: &str = "/run/out";
const SOURCE: &str = "/run/src/core/sbom";
const EXTRAS: &str = "/run/src/extras";

/// A scanner that was looked up, and what it is to scan beside the result.
pub(super) struct Scanner {
    image: Output,
    config: ImageConfig,
    platform: Platform,
    parameters: Vec<(String, String)>,
    stages: Wanted,
    context: bool,
}

/// Which stages.
enum Wanted {
    None,
    All,
    These(Vec<String>),
}

impl Scanner {
    /// The scanner, if there is more to scan than the result. (That alone, BuildKit does.)
    pub(super) async fn of(
        gateway: &Gateway,
        options: &Options,
        caps: &Capabilities,
        graph: &Graph<'_>,
    ) -> Result<Option<Self>, Failure> {
        let Some(mut settings) = options.sbom()? else { return Ok(None) };
        let stages = match options.build_arg("BUILDKIT_SBOM_SCAN_STAGE") {
            None => Wanted::None,
            Some(text) => match boolean(text) {
                Some(true) => Wanted::All,
                Some(false) => Wanted::None,
                None => Wanted::These(text.split(',').map(|name| name.trim().to_owned()).collect()),
            },
        };
        let context = options.build_arg("BUILDKIT_SBOM_SCAN_CONTEXT").and_then(boolean) == Some(true);
        if matches!(stages, Wanted::None) && !context {
            return Ok(None);
        }
        let name = settings.remove("generator").unwrap_or_else(|| DEFAULT_SCANNER.to_owned());
        let wrong = |why: String| {
            Failure::spec(
                Diagnostic::new(Code::BaseImage, format!("the scanner `{name}` cannot be used: {why}"))
                    .help("`--attest type=sbom,generator=IMAGE` names another"),
            )
        };
        let reference: Reference = name.parse().map_err(|_| wrong("it is no image name".to_owned()))?;
        let source = buildkit_llb::source::image(&reference.to_string());
        let log_name = format!("[internal] load metadata for {name}");
        let mode = options.resolve_mode()?;
        let meta = gateway
            .resolve_image(caps, source.to_pb(), &graph.host, mode, &log_name)
            .await
            .map_err(|failure| wrong(failure.message()))?;
        let config = ImageConfig::from_base(&meta.config).map_err(|error| wrong(error.to_string()))?;
        let image = buildkit_llb::source::Source::new(meta.pinned())
            .needs("source.image")
            .resolve_mode(mode)
            .platform(&graph.host)
            .build(&Metadata::named(format!("[internal] scanner {name}")));
        let parameters = settings.into_iter().collect();
        Ok(Some(Self { image, config, platform: graph.host.clone(), parameters, stages, context }))
    }

    /// Scans a result with what belongs to it; gives the engine's name for the statements.
    pub(super) async fn scan(
        &self,
        gateway: &Gateway,
        graph: &Graph<'_>,
        result: &Output,
        platform: &Platform,
    ) -> Result<Option<String>, Failure> {
        let mut exec = Exec::new(self.config.program())
            .platform(&self.platform)
            .cwd(&self.config.working_dir())
            .mount(Mount::bind("/", &self.image).with_output())
            .mount(Mount::tmpfs("/tmp", None))
            .mount(Mount::scratch(format!("{DESTINATION}/")).with_output())
            .mount(Mount::bind(SOURCE, result).readonly())
            .env("BUILDKIT_SCAN_DESTINATION", DESTINATION)
            .env("BUILDKIT_SCAN_SOURCE", SOURCE)
            .env("BUILDKIT_SCAN_SOURCE_EXTRAS", EXTRAS);
        for (name, value) in self.config.env() {
            exec = exec.env(&name, &value);
        }
        for (key, value) in &self.parameters {
            exec = exec.env(&format!("BUILDKIT_SCAN_{key}"), value);
        }
        for (name, stage) in self.extras(graph, platform)? {
            exec = exec.mount(Mount::bind(format!("{EXTRAS}/sbom-{name}"), &stage).readonly());
        }
        let metadata = Metadata::named(format!("[{platform}] generating sbom of the image and its stages"));
        let Some(statements) = exec.build(&metadata).at(&format!("{DESTINATION}/")) else { return Ok(None) };
        let reference = gateway.solve_definition(graph.definition(&statements)?, &[]).await?;
        Ok(Some(reference.0))
    }

    fn extras(&self, graph: &Graph<'_>, platform: &Platform) -> Result<Vec<(String, Output)>, Failure> {
        let mut extras: Vec<(String, Output)> = graph
            .other_stages(platform)?
            .into_iter()
            .filter(|(name, _)| match &self.stages {
                Wanted::None => false,
                Wanted::All => true,
                Wanted::These(names) => names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)),
            })
            .collect();
        if self.context {
            extras.extend(graph.context_output().map(|context| ("context".to_owned(), context.clone())));
        }
        Ok(extras)
    }
}
