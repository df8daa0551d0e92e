//! `llb`: the graph of a target, without an engine. Base images are not looked up: they stand in
//! it by name, without a digest, and with an empty configuration.

use std::io::Write;
use std::sync::Arc;

use buildkit_llb::{Definition, Metadata, Platform, SourceFile, json, source};
use clap::{Args, ValueEnum};
use prost::Message;

use super::check::show;
use super::project::{Place, Planned, Project};
use super::say_json;
use super::show::with;
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::config::ImageConfig;
use crate::lower::llb::lower;
use crate::lower::setting::{FoundImage, FoundImages, NoCache, ProcessOptions, Setting};
use crate::plan::StagePlatform;
use crate::plan::reach;
use crate::reference::Reference;

/// Shows the graph of a target.
#[derive(Debug, Args)]
#[command(after_help = "\
Base images are not looked up: they stand in the graph by name. `docker buildx build
--call=convertllb` gives the graph that the engine would build.

Examples:
  docker slipway llb -f app.spec.yaml --target api .
  docker slipway llb -f app.spec.yaml --target api --format protobuf . | buildctl debug dump-llb")]
pub(super) struct Llb {
    #[command(flatten)]
    place: Place,
    /// The graph's form
    #[arg(long, value_enum, default_value = "json")]
    format: Form,
    /// The platform to build for
    #[arg(long, default_value = "linux/amd64")]
    platform: String,
}

/// The forms of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Operations by digest
    Json,
    /// What BuildKit reads
    Protobuf,
}

impl Llb {
    pub(super) fn run(&self) -> i32 {
        let platform = match self.platform.parse::<Platform>() {
            Ok(platform) => platform.normalized(),
            Err(error) => {
                eprintln!("slipway: {}: {error}", self.platform);
                return 2;
            }
        };
        let mut status = 0;
        let read = with(&self.place, |project| {
            let [planned] = project.planned.as_slice() else {
                eprintln!("slipway: several components; say which one with --target");
                status = 1;
                return;
            };
            match graph(project, planned, &platform) {
                Err(problem) => {
                    show(&[problem]);
                    status = 1;
                }
                Ok(definition) if self.format == Form::Json => say_json(&json(&definition)),
                Ok(definition) => {
                    // A reader that has seen enough closes the pipe.
                    let _ = std::io::stdout().write_all(&definition.encode_to_vec());
                }
            }
        });
        if read == 0 { status } else { read }
    }
}

fn graph(project: &Project, planned: &Planned, platform: &Platform) -> Result<Definition, Diagnostic> {
    let nothing = || Diagnostic::new(Code::UnknownTarget, "there is nothing to build");
    let file = project.spec.as_ref().map(|spec| &spec.file).ok_or_else(nothing)?;
    let file = Arc::new(SourceFile {
        filename: file.name.clone(),
        data: file.text.clone().into_bytes(),
        language: "YAML".to_owned(),
        definition: None,
    });
    let plan = &planned.plan;
    let stage = planned.stage.as_ref().unwrap_or(&plan.runtime);
    let stages = reach::stages(plan, stage);
    // Whatever machine it is asked on, the answer is the same.
    let machine = Platform::linux("amd64");
    let mut images = FoundImages::new();
    for used in reach::images(&stages) {
        let full = used.name.parse::<Reference>().map_or(used.name.clone(), |name| name.to_string());
        let platform = match used.platform {
            StagePlatform::Build => &machine,
            StagePlatform::Target => platform,
        };
        let image = FoundImage {
            output: Some(
                source::image(&full).platform(platform).build(&Metadata::named(format!("from {full}"))),
            ),
            config: ImageConfig::scratch(),
            raw_config: None,
            digest: None,
        };
        images.insert((used.name.clone(), platform.clone()), image);
    }
    let used = reach::context(stages.iter().copied());
    let paths: Vec<String> = used.paths.into_iter().collect();
    let context = source::local("context")
        .follow(&paths)
        .shared_key_hint("context")
        .build(&Metadata::named("[internal] load build context"));
    let helper = source::image("docker.io/slipway/frontend:0")
        .platform(&machine)
        .build(&Metadata::named("Slipway's own image"));
    let name = project.spec.as_ref().and_then(|spec| spec.name.clone()).unwrap_or_default();
    let setting = Setting {
        images: &images,
        context: Some(&context),
        helper: Some(&helper),
        file: &file,
        build_platform: &machine,
        target_platform: platform,
        name_platform: false,
        cache_namespace: &format!("slipway/{name}"),
        no_cache: NoCache::No,
        processes: &ProcessOptions::default(),
        epoch: 0,
        can_merge: true,
        proof: None,
    };
    let lowered = lower(plan, stage, &setting)?;
    Ok(lowered.output.map(|output| output.marshal()).unwrap_or_default())
}
